#include "auth/circle.hpp"

#include "auth/context.hpp"
#include "crypto/crypto.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

constexpr std::string_view mark_name = "authjs.gate";
constexpr std::int64_t sent_lifetime = 60;       // seconds that a round may take, a person included
constexpr std::int64_t signed_in_lifetime = 20;  // from the callback back to the page: one hop
constexpr char most_rounds = '2';                // redirects for one page without a sign-in between
constexpr char signed_in = 's';

// The mark is `<rounds or s>.<page>`. It is neither secret nor trusted: a forged one shows its
// forger a page. Host-only, without Secure and on every path, so that it comes back where a session
// cookie with a wrong domain, path or scheme does not.
set_cookie mark(char stage, std::string_view page, std::int64_t lifetime) {
    set_cookie c;
    c.name = mark_name;
    if (lifetime > 0) c.value.append(1, stage).append(1, '.').append(page);
    c.options.max_age = lifetime;
    return c;
}

std::string page_of(std::string_view target) {
    return base64url(crypto::digest(crypto::hash::sha256, target)).substr(0, 8);
}

// Sent here by the sign-in page itself, though without any cookie: nothing can ever come of it.
bool from_sign_in(const config& cf, const refused_navigation& at) {
    const auto own = std::string(at.origin) + cf.base_path;
    return at.referer.starts_with(own + "/signin") || at.referer.starts_with(own + "/callback");
}

struct row {
    std::string_view reason, log;
};
constexpr row blocked{
    "cookies_blocked",
    "the browser sends no cookie back after sign-in: it blocks them, or drops them because "
    "auth_js_url, auth_js_trust_host or auth_js_secure_cookies say https where it speaks http"};
constexpr row clock_off{
    "session_clock",
    "the session is over as soon as it is made: the clocks of this host and of the one that signs "
    "in differ, or max_age or jwt_max_age of auth_js_session is too short"};
constexpr row other_secret{
    "session_secret",
    "the session cookie does not open here right after sign-in: auth_js_secret, and the name= of "
    "auth_js_cookie session_token, must be the same where the site signs in and where it protects"};
constexpr row two_cookies{
    "session_missing",
    "two different session cookies come back after sign-in: one is left over from another domain= "
    "or path= of auth_js_cookie session_token"};
constexpr row other_scheme{
    "session_scheme",
    "the session cookie of the other scheme came back: where the site signs in and where it "
    "protects, auth_js_url, auth_js_trust_host (for X-Forwarded-Proto) and auth_js_secure_cookies "
    "must agree about https"};
constexpr row other_store{
    "session_store",
    "the session is not in this location's store right after sign-in: auth_js_adapter, and "
    "strategy= of auth_js_session, must be the same where the site signs in and where it protects"};
constexpr row no_session{
    "session_missing",
    "the session cookie does not come back after sign-in: see domain=, path=, secure= and "
    "partitioned= of auth_js_cookie session_token; or the browser found it too large, or its clock "
    "is ahead of max_age of auth_js_session"};

const row& cause(const config& cf, bool https, const cookie_jar& jar, status why) {
    const auto there = [&](const cookie_set& set) {
        return read_chunks(jar, set[which::session_token].name);
    };
    const auto own = there(cf.cookies(https));
    if (own.conflicting) return two_cookies;
    if (!own.value.empty() && cf.session.strategy == strategy::database) return other_store;
    if (why == status::expired) return clock_off;
    if (why == status::bad_token) return other_secret;
    const auto& other = &cf.cookies(https) == &cf.plain ? cf.secured : cf.plain;
    if (!there(other).value.empty()) return other_scheme;
    return jar.list().empty() ? blocked : no_session;
}

}  // namespace

watched watch_circle(const config& cf, bool https, const cookie_jar& jar,
                     const refused_navigation& at) {
    const auto page = page_of(at.target);
    const auto* had = jar.find(mark_name);
    const bool again = had && had->size() == 2 + page.size() && had->ends_with(page);
    const char stage = again ? had->front() : '0';
    // Back from another site without a word of ours: sign-in is on another host.
    const bool from_elsewhere = at.fetch_site == "cross-site" || at.fetch_site == "same-site";
    const bool closed =
        again ? stage >= most_rounds || from_elsewhere : jar.list().empty() && from_sign_in(cf, at);
    watched out;
    if (closed) {
        const auto& why = cause(cf, https, jar, at.why);
        out.closed = circle{why.reason, why.log};
        out.mark = mark(stage, page, 0);
    } else {
        out.mark = mark(static_cast<char>(stage + 1), page, sent_lifetime);
    }
    return out;
}

void note_signed_in(context& cx) {
    const auto* had = cx.jar.find(mark_name);
    if (had && had->size() > 2)
        cx.queued.push_back(mark(signed_in, had->substr(2), signed_in_lifetime));
}

void note_signed_out(context& cx) {
    if (cx.jar.find(mark_name)) cx.queued.push_back(mark(signed_in, {}, 0));
}

}  // namespace authjs::auth
