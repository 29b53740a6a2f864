#include <algorithm>
#include <array>

#include "auth/pages/pages.hpp"
#include "util/html.hpp"

namespace authjs::auth::pages {

namespace {

enum class offer : unsigned char { none, inside, below };  // where the button stands
struct row {
    std::string_view name;
    int status;
    text heading;
    std::array<text, 2> lines;  // the second may be count_: none
    offer sign_in;
};
constexpr std::array<row, 5> rows{{
    {"Configuration",
     500,
     text::head_configuration,
     {text::configuration_1, text::configuration_2},
     offer::none},
    {"AccessDenied", 403, text::head_denied, {text::denied, text::count_}, offer::inside},
    {"Verification", 403, text::head_link, {text::link_1, text::link_2}, offer::below},
    {"SignInCircle", 403, text::head_circle, {text::circle_1, text::count_}, offer::below},
    {"Unavailable",
     503,
     text::head_unavailable,
     {text::unavailable_1, text::unavailable_2},
     offer::none},
}};

std::string link(std::string_view css_class, const std::string& href, std::string_view words) {
    return "<a" + attribute("class", css_class) + attribute("href", href) + ">" +
           html::escape(words) + "</a>";
}

}  // namespace

response error(const config& cf, std::string_view origin, std::string_view name,
               std::string_view reason, std::string_view reference) {
    document d{say(text::title_error), "error", {}, {}};
    const auto found = std::ranges::find(rows, name, &row::name);
    const auto head = [&](text id) { d.card += "<h1>" + html::escape(say(id)) + "</h1>"; };
    const std::string site(origin);
    const auto sign_in = site + cf.base_path + "/signin";
    if (found == rows.end()) {
        head(text::head_error);
        d.card += "<div class=\"message\"><p>" +
                  link("site", site, site.substr(std::min(site.find("//") + 2, site.size()))) +
                  "</p></div>";
    } else {
        head(found->heading);
        const auto words = advice(reason);
        d.card += "<div class=\"message\"><div>";
        // An advice says more than the general lines; of a circle both are needed.
        if (words.empty() || found->heading == text::head_circle)
            for (const auto line : found->lines)
                if (line != text::count_) d.card += paragraph(say(line));
        if (!words.empty()) d.card += "<div class=\"advice\">" + paragraph(words) + "</div>";
        const auto button =
            link("button", sign_in, say(words.empty() ? text::do_sign_in : text::start_again));
        if (found->sign_in == offer::inside) d.card += "<p>" + button + "</p>";
        d.card += "</div></div>";
        const bool again = reason == "lost_signin" || reason == "cookies_blocked";
        if (found->sign_in == offer::below || (found->sign_in == offer::none && again))
            d.card += button;
    }
    constexpr std::size_t longest_reference = 64;
    if (!reference.empty() && reference.size() <= longest_reference)
        d.card += "<p class=\"reference\">" +
                  html::escape(std::string(say(text::reference)).append(reference)) + "</p>";
    return render(cf, found == rows.end() ? 200 : found->status, d);
}

}  // namespace authjs::auth::pages
