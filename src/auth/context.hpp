// One request on its way through a flow: what it said, what is queued for the answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/config.hpp"
#include "auth/cookie.hpp"
#include "auth/handle.hpp"
#include "auth/message.hpp"
#include "auth/routes.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/url.hpp"

namespace authjs::auth {

struct context {
    context(const request& asked, const config& with, ports& world)
        : rq(asked), cf(with), io(world), cookies(with.cookies(asked.https)) {}

    const request& rq;
    const config& cf;
    ports& io;
    const cookie_set& cookies;
    auth::action action{};
    const providers::provider* provider = nullptr;  // of the path
    params query;
    json::value body;  // an object of fields; null: none
    cookie_jar jar;
    std::string base;  // origin + base path

    std::string csrf_token;
    bool csrf_verified = false;
    std::string callback_url;         // settled; where a finished flow goes
    std::vector<set_cookie> settled;  // CSRF and callback-url cookies
    std::vector<set_cookie> queued;   // the action's own, in order

    instant now() const { return io.clock.now(); }
    bool post() const noexcept { return rq.method == "POST"; }
    // The body's field as text; empty where absent or no string.
    std::string_view field(std::string_view name) const noexcept { return body.text(name); }
    http::sender http() const { return {&io.http, &cf.transport}; }
    // The store, or null: no adapter, or none in this worker.
    adapters::adapter* store() const;
    // The store of a configuration that has an adapter. Throws error(unavailable) when this worker
    // has none.
    adapters::adapter& demand_store() const;
    session_chunks session_cookie() const {
        return read_chunks(jar, cookies[which::session_token].name);
    }
    void remove(which w);
    // remove_session queues the removal of every piece of the session cookie.
    void remove_session();
    // set_session queues a new value; throws error(auth_error), reason cookies_too_large, when the
    // browser's Cookie line would then no longer fit (request::cookie_room).
    void set_session(std::string_view value, instant expires);
};

// The error of a POST that came without its token; says whether the browser kept our cookies.
error missing_csrf(const context& cx);

// --- answers ---
response redirect_to(context& cx, std::string_view target);
response json_answer(context& cx, const json::value& body, int status = 200);
void add_cookies(response& rs, const std::vector<set_cookie>& list);
// own_headers: what every answer of the handler carries.
void own_headers(response& rs);
// A page's answer: headers of security.md 114; `style` is the text of its one style element.
response page_answer(const config& cf, int status, std::string html, std::string_view style);

// --- the routes' actions, one file each ---
task<response> do_csrf(context& cx);
task<response> do_providers(context& cx);
task<response> do_session(context& cx);
task<response> do_sign_in(context& cx);  // GET: the page; POST: start
task<response> do_sign_out(context& cx);
task<response> do_callback(context& cx);
task<response> do_verify_request(context& cx);
task<response> do_error(context& cx);
task<response> do_webauthn_options(context& cx);

// --- parts of sign-in and callback, by type of provider ---
// The redirect_uri of this provider's requests: our callback, or the redirect proxy's
// (spec/http.md section 12). Byte for byte the same at both ends of a flow (RFC 6749
// section 4.1.3).
std::string redirect_uri_of(const context& cx);
task<response> start_oauth(context& cx);
task<response> start_email(context& cx);
task<response> callback_oauth(context& cx);
task<response> callback_email(context& cx);
task<response> callback_credentials(context& cx);

}  // namespace authjs::auth
