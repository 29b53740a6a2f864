// From what a provider answered to a user and an account, as getUserAndAccount does in Auth.js:
// pure functions that build the requests a provider's file asks for and judge their answers. Who
// carries them, checks tokens and lower-cases addresses is the caller (auth/).
//
// Order of calls: userinfo_request_for .. userinfo_document, or the claims of the ID token ->
// select_profile -> further_request .. merge_further -> photo_request .. take_photo -> map_profile
// -> map_account. What goes wrong in a mapping is error(oauth_profile_parse_error), what goes wrong
// in select, when or merge error(callback_route_error).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/http.hpp"
#include "oauth/oauth.hpp"
#include "providers/provider.hpp"
#include "util/json.hpp"
#include "util/url.hpp"

namespace authjs::providers {

// --- Where the provider is ---

// Discovery is asked where the authorization URL is missing (sign-in), and where the token URL is,
// or a userinfo URL that is needed, or the issuer has a placeholder (callback). Auth.js asks at a
// callback only if it knows neither URL, and fails if it knows one and needs the other.
bool discovery_at_signin(const provider& p) noexcept;
bool discovery_at_callback(const provider& p) noexcept;
// server_of lays what is configured over what was discovered (null: nothing was). Its issuer is the
// document's spelling, else the configured one; empty: none is known.
oauth::server server_of(const provider& p, const oauth::server* discovered);
// expected_issuer is the exact text that `iss` of an ID token must be: the server's issuer with the
// claim that `issuer_claim` names in the placeholder's place.
std::string expected_issuer(const provider& p, const oauth::server& as, const json::value& claims);
// The file's own authorization parameters with {callback_url} filled. They come after
// response_type, client_id and redirect_uri, and before the query of the sign-in request.
params authorization_params_for(const provider& p, std::string_view callback_url);

// --- What is known of a person ---
struct identity_input {
    json::value profile;               // claims or userinfo document; later what select made of it
    json::value token;                 // token_set::all
    json::value callback;              // callback parameters, an object of strings
    std::optional<std::string> photo;  // base64; empty: none
};

// Templates with {token.x} are filled here; a member that is not there, or is no string or number,
// throws.
http::request userinfo_request_for(const provider& p, const oauth::server& as,
                                   const oauth::token_set& tokens);
// The JSON document of an answer that must be 2xx (spec: where the library is too trusting). An
// answer that is no JSON throws error(callback_route_error). Not for `userinfo.signed_alg`: there
// the body is a JWS whose claims are the document.
json::value userinfo_document(const http::response& answer, type of = type::oauth);
// `callback_json` and the `select` filter. The result is what callbacks see as the profile.
json::value select_profile(const provider& p, const identity_input& in);
// A further request where the provider's file wants one for this profile, else empty.
std::optional<http::request> further_request(const provider& p, const identity_input& in);
// The profile with the further answer merged in; unchanged unless it is 2xx and JSON.
json::value merge_further(const provider& p, const identity_input& in,
                          const http::response& answer);
std::optional<http::request> photo_request(const provider& p, const identity_input& in);
std::optional<std::string> take_photo(const http::response& answer);  // base64 if it is 2xx

// --- What Auth.js makes of it ---
struct mapped_user {
    // The mapping's result: `id` as the provider has it, then name, email, image and whatever else
    // it gave. A member that is absent was undefined, null is null.
    json::value user;
    std::string account_id;             // the id as text, as JavaScript writes it
    bool account_id_is_number = false;  // the account handed to callbacks keeps the number
};
// map_profile throws where the mapping does, where `id` is null or absent, and where `id` is an
// integer that lost digits (two people could become one). An empty one, or 0, is
// error(callback_route_error), as in Auth.js.
mapped_user map_profile(const provider& p, const identity_input& in);
// The token members that are stored with the account: the `account` filter's object, else
// access_token, id_token, refresh_token, expires_at, scope, token_type, session_state as far as
// they are there.
json::value map_account(const provider& p, const json::value& token);

}  // namespace authjs::providers
