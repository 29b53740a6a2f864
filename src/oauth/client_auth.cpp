#include "oauth/client_auth.hpp"

#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::oauth {
namespace {

struct method_row {
    std::string_view name;
    auth_method method;
};
constexpr method_row methods[] = {
    {"client_secret_basic", auth_method::client_secret_basic},
    {"client_secret_post", auth_method::client_secret_post},
    {"client_secret_jwt", auth_method::client_secret_jwt},
    {"private_key_jwt", auth_method::private_key_jwt},
    {"none", auth_method::none},
};

// Auth.js's reading of RFC 6749 appendix B: encodeURIComponent with the space as +, so -_.!~*'()
// stay as they are, which is what every provider of the catalogue was tried with.
std::string form_part(std::string_view text) {
    std::string out = encode_uri_component(text);
    for (auto at = out.find("%20"); at != std::string::npos; at = out.find("%20", at + 1))
        out.replace(at, 3, "+");
    return out;
}

constexpr std::int64_t assertion_lifetime = 60;  // seconds

json::value assertion_claims(const client& me, json::value audience, io::clock& clock,
                             io::random& random) {
    const auto now = unix_seconds(clock.now());
    return json::make_object({{"jti", base64url(io::random_bytes(random, 32))},
                              {"aud", std::move(audience)},
                              {"exp", now + assertion_lifetime},
                              {"iat", now},
                              {"nbf", now},
                              {"iss", me.id},
                              {"sub", me.id}});
}

void add_assertion(params& form, const client& me, std::string_view assertion) {
    form.append("client_id", me.id);
    form.append("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    form.append("client_assertion", assertion);
}

// Without a known issuer the token endpoint is the audience: RFC 7523 section 3 allows for it.
const std::string& audience(const server& as) {
    return as.issuer.empty() ? as.token_endpoint : as.issuer;
}

std::string signed_by_secret(const server& as, const client& me, io::clock& clock,
                             io::random& random) {
    if (me.client_secret.empty())
        throw error(code::configuration, "client_secret_jwt needs a client secret");
    return jose::sign_hs(json::make_object({{"alg", "HS256"}}),
                         assertion_claims(me, audience(as), clock, random),
                         me.client_secret.reveal(), crypto::sig::hs256);
}

std::string signed_by_key(const server& as, const client& me, io::clock& clock,
                          io::random& random) {
    const auto alg = me.private_key ? crypto::sig_from(me.private_key->alg) : std::nullopt;
    if (!alg) throw error(code::configuration, "private_key_jwt needs a private key");
    auto header = json::make_object({{"alg", me.private_key->alg}});
    if (!me.private_key->kid.empty()) header.set("kid", me.private_key->kid);
    json::array both{audience(as)};
    if (!as.issuer.empty()) both.emplace_back(as.token_endpoint);
    return jose::sign(header, assertion_claims(me, std::move(both), clock, random),
                      me.private_key->key, *alg);
}

}  // namespace

std::optional<auth_method> auth_method_from(std::string_view name) noexcept {
    for (const auto& row : methods)
        if (row.name == name) return row.method;
    return std::nullopt;
}

void authenticate(const server& as, const client& me, params& form, http::headers& fields,
                  io::clock& clock, io::random& random) {
    switch (me.method) {
        case auth_method::client_secret_basic:
            fields.push_back(
                {"Authorization",
                 "Basic " + base64(form_part(me.id) + ":" + form_part(me.client_secret.reveal()))});
            break;
        case auth_method::client_secret_post:
            form.append("client_id", me.id);
            form.append("client_secret", me.client_secret.reveal());
            break;
        case auth_method::client_secret_jwt:
            add_assertion(form, me, signed_by_secret(as, me, clock, random));
            break;
        case auth_method::private_key_jwt:
            add_assertion(form, me, signed_by_key(as, me, clock, random));
            break;
        case auth_method::none:
            form.append("client_id", me.id);
            break;
    }
}

}  // namespace authjs::oauth
