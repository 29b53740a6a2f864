#include "email/text.hpp"

#include "providers/template.hpp"
#include "util/html.hpp"
#include "util/url.hpp"

namespace authjs::email {

namespace {

// The wording and markup of Auth.js's letter, so that filters and translations that people made
// for it keep working.
constexpr std::string_view plain_text = "Sign in to {host}\n{url}\n\n";
constexpr std::string_view markup = R"(
<body style="background: {background};">
  <table width="100%" border="0" cellspacing="20" cellpadding="0"
    style="background: {paper}; max-width: 600px; margin: auto; border-radius: 10px;">
    <tr>
      <td align="center"
        style="padding: 10px 0px; font-size: 22px; {font} color: {ink};">
        Sign in to <strong>{spaced_host}</strong>
      </td>
    </tr>
    <tr>
      <td align="center" style="padding: 20px 0;">
        <table border="0" cellspacing="0" cellpadding="0">
          <tr>
            <td align="center" style="border-radius: 5px;" bgcolor="{brand}"><a href="{url}"
                target="_blank"
                style="font-size: 18px; {font} color: {button}; text-decoration: none; border-radius: 5px; padding: 10px 20px; border: 1px solid {brand}; display: inline-block; font-weight: bold;">Sign
                in</a></td>
          </tr>
        </table>
      </td>
    </tr>
    <tr>
      <td align="center"
        style="padding: 0px 0px 10px 0px; font-size: 16px; line-height: 22px; {font} color: {ink};">
        If you did not request this email you can safely ignore it.
      </td>
    </tr>
  </table>
</body>
)";

// Mail programs make links of host names; a space of no width between labels keeps them from it.
std::string spaced_host(std::string_view host) {
    std::string out;
    for (const char c : host) {
        if (c == '.') out += "&#8203;";
        out += c;
    }
    return out;
}

// For any place in HTML that an operator's template may put it.
std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : html::escape(text)) {
        if (c == '>')
            out += "&gt;";
        else if (c == '\'')
            out += "&#39;";
        else
            out += c;
    }
    return out;
}

std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

}  // namespace

wording write(const letter& l, const providers::provider& by) {
    const auto link = parse_url(l.url);
    const std::string host = link ? link->host_port() : std::string();
    const auto value = [&](std::string_view name) -> std::optional<std::string> {
        if (name == "url") return l.url;
        if (name == "host") return host;
        if (name == "email") return l.identifier;
        if (name == "token") return l.token;
        if (name == "expires") return iso_text(l.expires);
        return std::nullopt;
    };
    const auto value_or_braces = [&](std::string_view name) -> std::optional<std::string> {
        auto v = value(name);
        return v ? v : "{" + std::string(name) + "}";  // not one of ours: the template's own text
    };
    const auto in_html = [&](std::string_view name) -> std::optional<std::string> {
        auto v = value(name);
        return v ? escaped(*v) : "{" + std::string(name) + "}";
    };
    const auto in_markup = [&](std::string_view name) -> std::optional<std::string> {
        if (name == "background") return "#f9f9f9";
        if (name == "paper") return "#fff";
        if (name == "ink") return "#444";
        if (name == "font") return "font-family: Helvetica, Arial, sans-serif;";
        if (name == "brand") return l.theme.brand_color.empty() ? "#346df1" : l.theme.brand_color;
        if (name == "button") return l.theme.button_text.empty() ? "#fff" : l.theme.button_text;
        if (name == "spaced_host") return spaced_host(host);
        return value(name);  // the URL is form-encoded: no quote and no angle bracket is in it
    };

    wording out;
    const auto subject = by.email.text("subject");
    out.subject = one_line(
        providers::expand(subject.empty() ? "Sign in to {host}" : subject, value_or_braces).text);
    const auto* own = by.email.find("template");
    const auto own_text = own ? own->text("text") : std::string_view();
    const auto own_html = own ? own->text("html") : std::string_view();
    out.text = providers::expand(own_text.empty() ? plain_text : own_text, value_or_braces).text;
    out.html = own_html.empty() ? providers::expand(markup, in_markup).text
                                : providers::expand(own_html, in_html).text;
    return out;
}

}  // namespace authjs::email
