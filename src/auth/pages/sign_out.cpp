#include "auth/pages/pages.hpp"
#include "util/html.hpp"

namespace authjs::auth::pages {

response sign_out(context& cx) {
    document d{say(text::title_sign_out), "signout", {}, {}};
    // The form goes to the page's own address, so that its callbackUrl stays in force.
    d.card = "<h1>" + html::escape(say(text::head_sign_out)) + "</h1>" +
             paragraph(say(text::ask_sign_out)) + "<form" + attribute("action", cx.rq.url()) +
             " method=\"POST\">";
    d.card += csrf_field(cx);
    d.card += "<button id=\"submitButton\" type=\"submit\">" +
              html::escape(say(text::do_sign_out)) + "</button></form>";
    auto rs = render(cx.cf, 200, d);
    add_cookies(rs, cx.settled);
    return rs;
}

}  // namespace authjs::auth::pages
