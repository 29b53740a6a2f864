// OAuth 2 and OpenID Connect, the client's side, as pure pairs of request and answer. Who carries
// bytes between them is not asked here; RFC sections stand beside the functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http.hpp"
#include "io/ports.hpp"
#include "jose/jws.hpp"
#include "util/json.hpp"
#include "util/secret.hpp"
#include "util/time.hpp"
#include "util/url.hpp"

namespace authjs::oauth {

// What is known of an authorization server: configured, or from its discovery document.
struct server {
    std::string issuer;  // as the document spells it; empty: none known
    std::string authorization_endpoint, token_endpoint, userinfo_endpoint, jwks_uri;
    std::vector<std::string> id_token_algs;  // id_token_signing_alg_values_supported
    bool iss_parameter = false;              // authorization_response_iss_parameter_supported
    std::string placeholder;  // e.g. "{tenantid}": what stands in `issuer` for one path segment
    // Endpoints that a document of the public internet names, whatever their names stand for.
    std::vector<std::string> outside;
};

enum class auth_method : unsigned char {
    client_secret_basic,
    client_secret_post,
    client_secret_jwt,
    private_key_jwt,
    none
};
std::optional<auth_method> auth_method_from(std::string_view name) noexcept;

struct client {
    std::string id;
    secret client_secret;
    auth_method method = auth_method::client_secret_basic;
    std::optional<jose::signing_key> private_key;
    std::string id_token_alg;        // the only one allowed, or empty: discovered, else RS256
    std::optional<seconds> max_age;  // sent as max_age; auth_time is then required
};

// --- Discovery (OpenID Connect Discovery 1.0 section 4, RFC 8414) ---
std::string well_known_url(std::string_view issuer);
http::request discovery_request(std::string_view url);
// discovery_response throws error(configuration) unless: 200, strict JSON object, `issuer` equal to
// `issuer` after URL normalisation but for one final slash (`placeholder`, e.g. "{tenantid}", may
// stand for one path segment), endpoints https where the issuer is, no private or loopback address
// unless the issuer's is.
server discovery_response(const http::response& answer, std::string_view issuer,
                          std::string_view placeholder);
// issuer_for is the exact text that `iss` of an ID token must be: the issuer with `claim` (the
// token's `tid`, say) in the place of its placeholder. The issuer as it is where it has none;
// throws error(callback_route_error) where it has one and `claim` is no plain path segment.
std::string issuer_for(const server& as, std::string_view claim);
// is_private_host: whether the host of a normalised URL is this machine, its network or a cloud's
// metadata service: loopback, private, link-local and reserved addresses, as well inside IPv6, and
// names that always mean such.
bool is_private_host(std::string_view host);
// kept_outside makes a request to an endpoint of as.outside one that is not sent to a private
// address, to which the endpoint's name may lead by now.
http::request kept_outside(const server& as, http::request rq);
// fresh_for: how long an answer may be used: Cache-Control max-age within [5 min, 1 day], else 1 h.
seconds fresh_for(const http::response& answer);

// --- Callback parameters (RFC 6749 section 4.1.2, RFC 9207) ---
struct grant {
    std::string code;
    std::string redirect_uri;
};
// authorization_response judges what the browser brought back. `expected_state` empty: state is not
// compared. Throws error(callback_route_error) for doubled state/code/iss/error, `response`,
// `id_token` or `token` present, wrong iss (ignored where `as` has no issuer) or state, no code;
// error(oauth_callback_error) for `error=`, whose text and description are the context.
grant authorization_response(const server& as, const params& given,
                             std::optional<std::string_view> expected_state,
                             std::string redirect_uri);

// --- Token endpoint (RFC 6749 section 4.1.3, RFC 7636 section 4.5) ---
struct token_set {
    json::value all;  // every member in the answer's order, token_type lower-cased, scope a string,
                      // expires_in a number, expires_at appended (seconds since 1970)
    std::string access_token;
    std::optional<std::string> id_token;
};
http::request token_request(const server& as, const client& me, const grant& g,
                            std::string_view verifier, const params& extra, io::clock& clock,
                            io::random& random);
// `error_is_told`: an `error` member ends as OAuthCallbackError (Entra), else callback_route_error.
token_set token_response(const http::response& answer, io::clock& clock, bool error_is_told);

// --- ID token (OpenID Connect Core section 3.1.3.7) ---
struct id_token_rules {
    std::string issuer;  // the exact text that `iss` must be
    std::string client_id;
    std::string alg;  // the only one allowed, or empty
    std::vector<std::string> server_algs;
    std::optional<std::string> nonce;  // empty optional: none was sent, so none may be there
    std::optional<seconds> max_age;
    std::string access_token;  // for at_hash; empty: not compared
    std::string code;          // for c_hash; empty: not compared
};
// The algorithm of this token by these rules, or an error(callback_route_error). HS* only where
// `rules.alg` names it: then jose::verify_hs with the client's secret, else metadata::verify.
crypto::sig id_token_alg(const jose::jws& token, const id_token_rules& rules);
// check_id_token judges claims, after the signature was found good; tolerance 30 s.
void check_id_token(const jose::jws& token, const id_token_rules& rules, instant now);

// --- UserInfo (section 5.3) ---
// `signed_alg`: the algorithm of a JWT answer, or empty: JSON is asked for.
http::request userinfo_request(std::string_view endpoint, std::string_view access_token,
                               std::string_view signed_alg = {});
// signed_userinfo reads a JWT answer (2xx) under the one algorithm `signed_alg`: form, alg and,
// where present, iss, aud, exp and nbf are judged; its signature is for metadata::verify or
// verify_hs. Throws error(callback_route_error). What a JSON answer is worth, providers/ says.
jose::jws signed_userinfo(const http::response& answer, const server& as,
                          std::string_view client_id, std::string_view signed_alg, instant now);
// check_subject throws error(callback_route_error) unless both documents name the same `sub`.
void check_subject(const json::value& userinfo, const json::value& id_token_claims);

}  // namespace authjs::oauth
