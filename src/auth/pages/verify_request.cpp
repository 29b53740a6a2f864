#include "auth/pages/pages.hpp"
#include "util/html.hpp"

namespace authjs::auth::pages {

response verify_request(context& cx) {
    const auto& origin = cx.rq.origin;
    document d{say(text::title_verify_request), "verify-request", {}, {}};
    d.card = "<h1>" + html::escape(say(text::head_verify_request)) + "</h1>" +
             paragraph(say(text::sent_link)) + "<p><a class=\"site\"" + attribute("href", origin) +
             ">" + html::escape(origin.substr(origin.find("//") + 2)) + "</a></p>";
    auto rs = render(cx.cf, 200, d);
    add_cookies(rs, cx.settled);
    return rs;
}

response confirm(context& cx) {
    document d{say(text::title_confirm), "signin", {}, {}};
    d.card = "<h1>" + html::escape(say(text::head_confirm)) + "</h1>" +
             paragraph(say(text::ask_confirm)) + "<form" + attribute("action", cx.rq.url()) +
             " method=\"POST\"><button id=\"submitButton\" type=\"submit\">" +
             html::escape(say(text::do_sign_in)) + "</button></form>";
    auto rs = render(cx.cf, 200, d);
    // The address of this page holds the token: it is nobody's referrer (sec 91).
    for (auto& f : rs.fields)
        if (f.name == "Referrer-Policy") f.value = "no-referrer";
    add_cookies(rs, cx.settled);
    return rs;
}

}  // namespace authjs::auth::pages
