#include <algorithm>
#include <array>

#include "auth/pages/pages.hpp"
#include "util/html.hpp"

namespace authjs::auth::pages {

namespace {

struct message {
    std::string_view error;
    text words;
};
constexpr std::array<message, 11> messages{{
    {"Signin", text::another_account},
    {"OAuthSignin", text::another_account},
    {"OAuthCallbackError", text::another_account},
    {"OAuthCreateAccount", text::another_account},
    {"EmailCreateAccount", text::another_account},
    {"Callback", text::another_account},
    {"OAuthAccountNotLinked", text::same_account},
    {"EmailSignin", text::not_sent},
    {"CredentialsSignin", text::wrong_credentials},
    {"SessionRequired", text::session_required},
    {"", text::cannot_sign_in},
}};

bool shown(const providers::provider& p) {
    switch (p.type) {
        case providers::type::oauth:
        case providers::type::oidc:
        case providers::type::email:
            return true;
        case providers::type::credentials:
            return !p.fields.empty();
        case providers::type::webauthn:
            return false;
    }
    return false;
}

std::string button(const std::string& name, bool first_form) {
    return std::string("<button") + (first_form ? " id=\"submitButton\"" : "") +
           " type=\"submit\" tabindex=\"0\">" +
           html::escape(std::string(say(text::sign_in_with)) + name) + "</button></form>";
}

std::string form(const context& cx, const std::string& target) {
    return "<form" + attribute("action", target) + " method=\"POST\">" + csrf_field(cx);
}

std::string label(const std::string& id, std::string_view words) {
    return "<label class=\"section-header\"" + attribute("for", id) + ">" + html::escape(words) +
           "</label>";
}

// A field's own attributes come after ours and win over those that have a default.
std::string credential(const providers::provider& p, const providers::field& f) {
    const auto given = [&](std::string_view name) -> const std::string* {
        for (const auto& [n, value] : f.attributes)
            if (n == name) return &value;
        return nullptr;
    };
    const auto id = "input-" + f.name + "-for-" + p.id + "-provider";
    const auto* words = given("label");
    auto out = "<div>" + label(id, words ? *words : f.name) + "<input" + attribute("name", f.name) +
               attribute("id", id);
    if (!given("type")) out += attribute("type", "text");
    if (!given("placeholder")) out += " placeholder";
    for (const auto& [name, value] : f.attributes)
        out += value.empty() ? ' ' + name : attribute(name, value);
    return out + "/></div>";
}

}  // namespace

response sign_in(context& cx) {
    document d{say(text::title_sign_in), "signin", {}, {}};
    if (const auto* e = cx.query.last("error"); e && !e->empty()) {
        const auto found = std::find_if(messages.begin(), messages.end() - 1,
                                        [&](const auto& m) { return m.error == *e; });
        d.card = "<div class=\"error\" role=\"alert\">" + paragraph(say(found->words));
        const auto* reason = cx.query.last("reason");
        if (reason && !advice(*reason).empty()) d.card += paragraph(advice(*reason));
        d.card += "</div>";
    }
    // Auth.js's page has no heading; whoever hears the page gets one.
    d.card += "<h1 class=\"unseen\">" + html::escape(say(text::title_sign_in)) + "</h1>";
    std::vector<const providers::provider*> list;
    for (const auto& p : cx.cf.providers)
        if (shown(*p)) list.push_back(p.get());

    // What the page was asked for goes along with the form; the redirect rule judges it there.
    const auto* asked = cx.query.last("callbackUrl");
    const auto* email = cx.query.last("email");
    const auto& target = asked ? *asked : cx.callback_url;
    const auto back_to = target.empty() ? "" : hidden("callbackUrl", target);
    bool first_form = true;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const auto& p = *list[i];
        d.card += "<div class=\"provider\">";
        if (p.is_oauth()) {
            const auto color = !p.style.brand_color.empty() ? p.style.brand_color : p.style.bg;
            const auto css_class = "brand-" + std::to_string(i);
            if (!color.empty() && color.find_first_of(";{}<>\"'\\") == color.npos)
                d.more_style += "." + css_class + "{--provider-brand-color:" + color + "}";
            d.card += form(cx, cx.base + "/signin/" + p.id) + back_to + "<button type=\"submit\"" +
                      attribute("class", "button " + css_class) + " tabindex=\"0\"><span>" +
                      html::escape(std::string(say(text::sign_in_with)) + p.name) + "</span>";
            if (!p.style.logo.empty())
                d.card += "<img loading=\"lazy\" height=\"24\" alt=\"\"" +
                          attribute("src", p.style.logo) + "/>";
            d.card += "</button></form></div>";
            continue;
        }
        if (i > 0 && list[i - 1]->is_oauth()) d.card += "<hr/>";
        if (p.type == providers::type::email) {
            const auto id = "input-email-for-" + p.id + "-provider";
            d.card += form(cx, cx.base + "/signin/" + p.id) + label(id, say(text::email_label)) +
                      "<input" + attribute("id", id) + " autofocus type=\"email\" name=\"email\"";
            if (email) d.card += attribute("value", *email);
            d.card += attribute("placeholder", say(text::email_placeholder)) +
                      " autocomplete=\"email\" required/>";
        } else {
            d.card += form(cx, cx.base + "/callback/" + p.id);
            for (const auto& f : p.fields) d.card += credential(p, f);
        }
        d.card += button(p.name, first_form);
        first_form = false;
        if (i + 1 < list.size()) d.card += "<hr/>";
        d.card += "</div>";
    }
    auto rs = render(cx.cf, 200, d);
    add_cookies(rs, cx.settled);
    return rs;
}

}  // namespace authjs::auth::pages
