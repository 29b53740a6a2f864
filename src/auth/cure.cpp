#include "auth/cure.hpp"

namespace authjs::auth {

namespace {

// The first row that fits: its code (in a callback configuration is renamed, so `any`), and its
// words in the message (empty: any message).
constexpr auto any = code::count_;
struct row {
    code id;
    std::string_view words, cure;
};
constexpr row rows[] = {
    {any, "password file",
     "give the workers' user the right to read the file that authorize htpasswd: names"},
    {any, "discovery document is of another issuer",
     "write issuer as the provider's own discovery document spells it"},
    {any, "discovery", "see issuer and well_known of this provider"},
    {any, "authorization endpoint", "set authorization_url, or a right issuer"},
    {any, "redirect proxy", "see redirect_proxy_url and auth_js_redirect_proxy_url"},
    {any, "private key", "set private_key file:... of this provider"},
    {any, "client secret", "set client_secret of this provider"},
    {code::callback_route_error, "authorize named a user",
     "answer with the id of a user in the store of auth_js_adapter, or use strategy=jwt"},
    {code::callback_route_error, "authorize gave",
     "answer authorize with 200 and a user, 401 or 403, or 4xx with a code"},
    {code::callback_route_error, "sent before", "nothing to do unless it comes often: a reload"},
    {code::callback_route_error, "ID token",
     "see issuer, client_id, id_token_alg and the clocks of both hosts"},
    {code::callback_route_error, "JWS", "see issuer, client_id and id_token_alg"},
    {code::callback_route_error, "access token", "see token_url, client_id and client_secret"},
    {code::callback_route_error, "userinfo", "see userinfo_url of this provider"},
    {code::callback_route_error, "",
     "see the provider's own log and status, its block here, auth_js_http_timeout, "
     "auth_js_http_proxy "
     "and auth_js_trusted_certificate"},
    {code::oauth_profile_parse_error, "", "correct profile of this provider"},
    {code::oauth_signin_error, "", "see issuer and authorization_url of this provider"},
    {code::email_signin_error, "", "see server, from and api_key of this provider"},
    {code::invalid_provider, "",
     "name it in auth_js_providers or auth_js_provider, or mend the link that led here"},
    {code::missing_adapter, "", "add auth_js_adapter, or take away what needs a store"},
    {code::adapter_error, "",
     "see the store that auth_js_adapter names: its rights, disk and tables"},
    {code::untrusted_host, "", "add it to server_name, or see auth_js_url and auth_js_trust_host"},
    {code::error_page_loop, "", "protect auth_js_page error by auth_js off"},
    {code::unavailable, "store", "see the store that auth_js_adapter names"},
    {code::unavailable, "SQLite", "fewer writes at once, or a faster disk under auth_js_adapter"},
    {code::unavailable, "passwords",
     "a flood of sign-ins: see limit_req for the callback's location"},
    {code::unavailable, "queue", "a flood of sign-ins: see limit_req for the callback's location"},
    {code::unavailable, "took too long", "see auth_js_http_timeout and what does not answer"},
    {code::unavailable, "callback", "see the location or filter that auth_js_callback names"},
};

}  // namespace

std::string_view cure_of(const error& e) noexcept {
    for (const auto& r : rows)
        if ((r.id == e.id() || r.id == any) && e.message().find(r.words) != std::string::npos)
            return r.cure;
    return {};
}

}  // namespace authjs::auth
