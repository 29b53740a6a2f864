// Sign-ins that go round in circles: the browser comes back signed in, the gate sees no session and
// sends it to sign in again, and where no person has to press a button this never ends. A cookie of
// the gate's own, authjs.gate, remembers the page that was refused; the second time the visitor
// gets a page that names the cause, and the log names the directive.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/config.hpp"
#include "auth/cookie.hpp"
#include "auth/gate.hpp"

namespace authjs::auth {

struct context;

// What is known of a navigation that the gate refuses.
struct refused_navigation {
    std::string_view origin, target;       // scheme://host[:port]; path and query
    std::string_view fetch_site, referer;  // Sec-Fetch-Site, Referer; empty: absent
    status why;
};

struct circle {
    std::string_view reason;  // picks the page's advice (pages::advice)
    std::string_view log;     // one sentence: what is wrong, which directive mends it
};

struct watched {
    std::optional<circle> closed;  // no further round: show the page
    set_cookie mark;               // goes with the answer either way
};
watched watch_circle(const config& cf, bool https, const cookie_jar& jar,
                     const refused_navigation& at);

// For flows: a browser that the gate sent here now has a session, or has given it up. Both do
// nothing for a browser that no gate sent.
void note_signed_in(context& cx);
void note_signed_out(context& cx);

}  // namespace authjs::auth
