#include "auth/pages/pages.hpp"
#include "util/html.hpp"

namespace authjs::auth::pages {

namespace {

// Class names, variables and colours are the ones people style and test against (spec/pages.md
// section 7). The large bold button text is for contrast: white on the default blue is 3.9 to 1.
constexpr std::string_view light_colors =
    "color-scheme:light;"
    "--color-background:#ececec;--color-background-card:#fff;--color-text:#000;"
    "--color-primary:#444;--color-control-border:#bbb;--color-separator:#ccc;--provider-bg:#fff;"
    "--provider-bg-hover:color-mix(in srgb,var(--provider-brand-color,#888) 30%,#fff)";
constexpr std::string_view dark_colors =
    "color-scheme:dark;"
    "--color-background:#161b22;--color-background-card:#0d1117;--color-text:#fff;"
    "--color-primary:#ccc;--color-control-border:#555;--color-separator:#444;"
    "--provider-bg:#161b22;"
    "--provider-bg-hover:color-mix(in srgb,var(--provider-brand-color,#888) 30%,#000)";
constexpr std::string_view sheet =
    "*{box-sizing:border-box;margin:0}"
    ":root{--border-width:1px;--border-radius:.5rem;--color-error:#c94b4b;--color-info:#157efb;"
    "--color-info-hover:#0f6ddb;--color-info-text:#fff}"
    "body{background:var(--color-background);color:var(--color-text);font-size:16px;"
    "font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,"
    "sans-serif}"
    ".page{display:flex;align-items:center;justify-content:center;min-height:100vh;padding:1rem}"
    ".page>div{width:100%;max-width:23rem;text-align:center}"
    ".card{padding:clamp(1rem,5vw,1.75rem);border-radius:1rem;background:var(--color-background-"
    "card);"
    "border:1px solid color-mix(in srgb,var(--color-separator) 60%,transparent);"
    "box-shadow:0 1px 2px rgb(0 0 0/.06),0 12px 32px rgb(0 0 0/.08)}"
    ".logo{display:block;max-width:150px;max-height:70px;margin:.25rem auto 1.5rem}"
    "h1{margin:0 0 1rem;font-size:1.6rem;font-weight:600;line-height:1.25;"
    "text-wrap:balance}"
    "p{margin:0 0 1rem;line-height:1.45;color:var(--color-text);text-wrap:balance}"
    ".unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}"
    ".card>:last-child,.message>:last-child{margin-bottom:0}"
    "form{margin:0}"
    ".provider+.provider{margin-top:.75rem}"
    "form>div+div{margin-top:.75rem}"
    ".section-header{display:block;margin:0 0 .4rem;font-weight:500;text-align:left;"
    "color:var(--color-text)}"
    "input:not([type=hidden]){width:100%;min-height:48px;padding:.5rem 1rem;font:inherit;"
    "border:var(--border-width) solid var(--color-control-border);"
    "border-radius:var(--border-radius);background:var(--color-background-card);"
    "color:var(--color-text)}"
    "input[type=checkbox],input[type=radio]{width:auto;min-height:0}"
    "input::placeholder{color:var(--color-primary);opacity:.8}"
    ".button,button{display:flex;align-items:center;justify-content:space-between;width:100%;"
    "min-height:50px;padding:.75rem 1rem;font:inherit;font-size:1.1rem;text-align:left;"
    "text-decoration:none;cursor:pointer;color:var(--color-text);background:var(--provider-bg);"
    "border:var(--border-width) solid var(--color-control-border);"
    "border-radius:var(--border-radius)}"
    ".button{gap:1rem;box-shadow:inset 4px 0 0 var(--provider-brand-color,transparent)}"
    ".button:hover{background:var(--provider-bg-hover)}"
    "a.button{justify-content:center;margin-top:1.5rem}"
    ".button img{flex:none;height:24px;width:auto}"
    "form "
    "button:not(.button){justify-content:center;text-align:center;margin-top:1rem;font-size:1.2rem;"
    "font-weight:"
    "700;"
    "color:var(--button-text-color,var(--color-info-text));border-color:transparent;"
    "background:var(--brand-color,var(--color-info))}"
    "form "
    "button:not(.button):hover{background:var(--brand-color,var(--color-info-hover));filter:"
    "brightness(.93)}"
    "a:focus-visible,button:focus-visible,input:focus-visible{outline:3px solid "
    "var(--brand-color,var(--color-info));outline-offset:1px}"
    "a.site{color:var(--color-primary);font-size:1rem;line-height:2rem}"
    ".signin .error,.advice{margin:0 0 1.25rem;padding:.75rem 1rem;text-align:left;"
    "border-radius:var(--border-radius)}"
    ".signin .error{background:var(--color-error);font-weight:500}"
    ".signin .error p{margin:0;color:#fff}.signin .error p+p{margin-top:.5rem}"
    ".advice{border:var(--border-width) solid var(--color-control-border)}.advice p{margin:0}"
    ".reference{margin-top:1.5rem;color:var(--color-primary);font-size:.85rem;overflow-wrap:"
    "anywhere}"
    "hr{display:block;overflow:visible;height:0;margin:1.75rem auto 1.25rem;border:0;"
    "border-top:1px solid var(--color-separator)}"
    "hr::before{content:\"or\";position:relative;top:-.7rem;padding:0 .75rem;"
    "background:var(--color-background-card);color:var(--color-primary)}";

// What goes into CSS must stay one value there, whoever wrote it.
bool is_css_value(std::string_view v) {
    return !v.empty() && v.find_first_of(";{}<>\"'\\") == v.npos;
}

std::string style_of(const config& cf, const document& d) {
    std::string css(sheet);
    const auto theme = [&css](std::string_view name, std::string_view colors) {
        css.append(".__next-auth-theme-").append(name).append("{").append(colors).append("}");
    };
    theme("light", light_colors);
    theme("auto", light_colors);
    theme("dark", dark_colors);
    css += "@media (prefers-color-scheme:dark){";
    theme("auto", dark_colors);
    css += "}";
    if (is_css_value(cf.theme.brand_color))
        css.append(":root{--brand-color:").append(cf.theme.brand_color).append("}");
    if (is_css_value(cf.theme.button_text))
        css.append(":root{--button-text-color:").append(cf.theme.button_text).append("}");
    return css + d.more_style;
}

}  // namespace

std::string attribute(std::string_view name, std::string_view value) {
    return ' ' + std::string(name) + "=\"" + html::escape(value) + '"';
}

std::string paragraph(std::string_view words) { return "<p>" + html::escape(words) + "</p>"; }

std::string hidden(std::string_view name, std::string_view value) {
    return "<input type=\"hidden\"" + attribute("name", name) + attribute("value", value) + "/>";
}

std::string csrf_field(const context& cx) {
    return cx.csrf_token.empty() ? "<input type=\"hidden\" name=\"csrfToken\"/>"
                                 : hidden("csrfToken", cx.csrf_token);
}

response render(const config& cf, int status, const document& d) {
    const auto style = style_of(cf, d);
    std::string page =
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"UTF-8\">"
        "<meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\">"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\"><style>";
    page.append(style).append("</style><title>").append(html::escape(d.title));
    page.append("</title></head><body")
        .append(attribute("class", "__next-auth-theme-" + cf.theme.color_scheme))
        .append("><div class=\"page\" role=\"main\"><div")
        .append(attribute("class", d.kind))
        .append("><div class=\"card\">");
    // On the sign-in page the message stands above the logo.
    const bool message_first = d.card.starts_with("<div class=\"error\"");
    const auto rest = message_first ? d.card.find("</div>") + 6 : 0;
    page.append(d.card, 0, rest);
    if (!cf.theme.logo.empty())
        page.append("<img")
            .append(attribute("src", cf.theme.logo))
            .append(" alt=\"Logo\" class=\"logo\"/>");
    page.append(d.card, rest).append("</div></div></div></body></html>");
    return page_answer(cf, status, std::move(page), style);
}

}  // namespace authjs::auth::pages
