#include <algorithm>

#include "oauth/claims.hpp"
#include "oauth/refuse.hpp"
#include "util/bytes.hpp"

namespace authjs::oauth {
namespace {

constexpr std::string_view required[] = {"aud", "exp", "iat", "iss", "sub"};
constexpr std::string_view textual[] = {"iss", "sub", "azp", "nonce", "at_hash", "c_hash"};

// The hash that an algorithm's name ends in; EdDSA with Ed25519 hashes with SHA-512.
crypto::hash hash_of(crypto::sig alg) {
    switch (alg) {
        case crypto::sig::hs256:
        case crypto::sig::rs256:
        case crypto::sig::ps256:
        case crypto::sig::es256:
            return crypto::hash::sha256;
        case crypto::sig::hs384:
        case crypto::sig::rs384:
        case crypto::sig::ps384:
        case crypto::sig::es384:
            return crypto::hash::sha384;
        default:
            return crypto::hash::sha512;
    }
}

// OpenID Connect Core section 3.1.3.6: the left half of the hash.
std::string half_hash(crypto::sig alg, std::string_view text) {
    auto digest = crypto::digest(hash_of(alg), text);
    digest.resize(digest.size() / 2);
    return base64url(digest);
}

double seconds_of(const json::value& claims, std::string_view name) {
    const auto* given = claims.find(name);
    const auto* number = given ? given->as_number() : nullptr;
    if (!number) refuse("token: \"" + std::string(name) + "\" is no number");
    return number->value;
}

bool is_symmetric(crypto::sig alg) {
    return alg == crypto::sig::hs256 || alg == crypto::sig::hs384 || alg == crypto::sig::hs512;
}

}  // namespace

void check_times(const json::value& claims, instant now) {
    const auto today = static_cast<double>(unix_seconds(now));
    if (claims.find("exp"))
        demand(seconds_of(claims, "exp") > today - clock_tolerance, "token: it has expired");
    if (claims.find("nbf"))
        demand(seconds_of(claims, "nbf") <= today + clock_tolerance, "token: it is not valid yet");
    if (claims.find("iat")) seconds_of(claims, "iat");
}

bool has_audience(const json::value& aud, std::string_view client_id) {
    const auto is_client = [client_id](const json::value& v) {
        return v.as_string() && *v.as_string() == client_id;
    };
    const auto* list = aud.as_array();
    return list ? std::any_of(list->begin(), list->end(), is_client) : is_client(aud);
}

crypto::sig id_token_alg(const jose::jws& token, const id_token_rules& rules) {
    const auto alg = crypto::sig_from(token.alg);
    if (!alg) refuse("ID token: unknown algorithm");
    if (!rules.alg.empty()) {
        demand(token.alg == rules.alg, "ID token: not the configured algorithm");
        return *alg;
    }
    // A secret shared with the provider vouches for a token only where the configuration says so.
    demand(!is_symmetric(*alg), "ID token: an HMAC was not configured");
    demand(rules.server_algs.empty() ? *alg == crypto::sig::rs256
                                     : std::find(rules.server_algs.begin(), rules.server_algs.end(),
                                                 token.alg) != rules.server_algs.end(),
           "ID token: not an algorithm that the provider announces");
    return *alg;
}

void check_id_token(const jose::jws& token, const id_token_rules& rules, instant now) {
    const auto& claims = token.claims;
    for (const auto name : required)
        if (!claims.find(name)) refuse("ID token: no \"" + std::string(name) + "\"");
    for (const auto name : textual)
        if (const auto* given = claims.find(name))
            if (!given->is_string()) refuse("ID token: \"" + std::string(name) + "\" is no text");

    demand(claims.text("iss") == rules.issuer, "ID token: \"iss\" is another issuer");
    const auto& aud = *claims.find("aud");
    demand(has_audience(aud, rules.client_id), "ID token: \"aud\" does not name this client");
    if (const auto* list = aud.as_array(); list && list->size() != 1)
        demand(claims.text("azp") == rules.client_id,
               "ID token: it has further audiences and \"azp\" is not this client");
    check_times(claims, now);

    if (claims.find("auth_time"))
        demand(seconds_of(claims, "auth_time") >= 0, "ID token: \"auth_time\" is negative");
    if (rules.max_age) {
        const auto oldest = static_cast<double>(unix_seconds(now)) - clock_tolerance -
                            static_cast<double>(rules.max_age->count());
        demand(seconds_of(claims, "auth_time") >= oldest,
               "ID token: the last authentication is too long ago");
    }

    const auto* nonce = claims.find("nonce");
    demand(rules.nonce ? nonce && same_secret(*nonce->as_string(), *rules.nonce) : !nonce,
           "ID token: \"nonce\" does not match");

    const auto alg = crypto::sig_from(token.alg);
    if (!alg) refuse("ID token: unknown algorithm");
    if (const auto* hash = claims.find("at_hash"); hash && !rules.access_token.empty())
        demand(*hash->as_string() == half_hash(*alg, rules.access_token),
               "ID token: \"at_hash\" is not of this access token");
    if (const auto* hash = claims.find("c_hash"); hash && !rules.code.empty())
        demand(*hash->as_string() == half_hash(*alg, rules.code),
               "ID token: \"c_hash\" is not of this code");
}

}  // namespace authjs::oauth
