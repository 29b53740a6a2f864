// The session token and its kin: compact JWE (RFC 7516) with "dir" and A256CBC-HS512, as
// @auth/core/jwt makes them; A256GCM is read too.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/ports.hpp"
#include "util/json.hpp"
#include "util/secret.hpp"
#include "util/time.hpp"

namespace authjs::jose {

// The two keys that one secret and one salt give, and their thumbprints (RFC 7638: SHA-512 of the
// 64-byte one, SHA-256 of the 32-byte one).
struct derived_key {
    secret cbc, gcm;  // 64 and 32 bytes
    std::string cbc_kid, gcm_kid;
};

// A ring: every secret's keys for one salt, in the secrets' order; the first encrypts. Immutable,
// computed when the configuration is read.
class key_ring {
public:
    // salt: the cookie's configured name, "encodedState" or "encodedWebauthnChallenge". info is
    // "Auth.js Generated Encryption Key (<salt>)"; other formats are other rows of a table.
    key_ring() = default;
    key_ring(const std::vector<secret>& secrets, std::string_view salt);
    const std::vector<derived_key>& keys() const noexcept { return keys_; }
    bool empty() const noexcept { return keys_.empty(); }
    // 32 bytes that are equal for rings of equal keys, and for no others; says nothing about them.
    const std::string& identity() const noexcept { return identity_; }
    const std::string& header() const noexcept { return header_; }  // base64url, of the first key

private:
    std::vector<derived_key> keys_;
    std::string header_, identity_;
};

// encode sets iat, exp = now + max_age and jti (an existing member keeps its place, new ones are
// appended in that order) and seals. Draws: jti (16 bytes), then the IV (16 bytes).
std::string encode(const key_ring& ring, json::value claims, seconds max_age, io::clock& clock,
                   io::random& random);

enum class refusal : unsigned char { none, empty, malformed, no_key, bad_tag, bad_claims, expired };
struct opened {
    std::optional<json::value> claims;  // an object
    refusal why = refusal::none;        // none: claims are there
};
// decode never throws on what a stranger sends. Rules and tolerances (15 s): spec/tokens "Opening".
opened decode(const key_ring& ring, std::string_view token, instant now);

}  // namespace authjs::jose
