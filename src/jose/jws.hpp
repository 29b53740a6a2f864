// Compact JWS (RFC 7515) and JWK sets (RFC 7517): reading and checking what a provider signed, and
// signing client assertions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/crypto.hpp"
#include "util/json.hpp"

namespace authjs::jose {

struct jws {
    json::value header, claims;  // objects
    std::string signing_input;   // the first two segments with their dot
    std::string signature;       // raw
    std::string alg, kid;        // from the header; empty if absent
};

// parse_jws reads three segments: strict base64url, strict JSON objects. Empty if it is anything
// else, or has `crit`, `b64`, `zip`, or an `alg` that is no string. Nothing is verified yet.
std::optional<jws> parse_jws(std::string_view token, std::size_t limit = 64 * 1024);

struct jwk {
    std::string kid, kty, alg, use, crv;
    crypto::key key;
};
// Keys that can verify: RSA, EC P-256/384/521, OKP Ed25519. Others, unusable ones, `use` other than
// sig and `key_ops` without verify are skipped.
class jwk_set {
public:
    // Empty (nullopt) if the text is no JSON object with a `keys` array. At most 64 usable keys are
    // kept and 512 looked at.
    static std::optional<jwk_set> parse(std::string_view text);
    // candidates for a header: kid equal where the header has one; else all whose kind fits.
    std::vector<const jwk*> candidates(std::string_view kid, crypto::sig alg) const;
    bool has_kid(std::string_view kid) const noexcept;
    std::size_t size() const noexcept { return keys_.size(); }

private:
    std::vector<jwk> keys_;
};

// verify: true if one candidate (at most four are tried) verifies. HS* never reaches here.
bool verify(const jws& token, const jwk_set& keys, crypto::sig alg);
bool verify_hs(const jws& token, std::string_view secret, crypto::sig alg);

// sign makes a compact JWS; `header` as given plus nothing.
std::string sign_hs(const json::value& header, const json::value& claims, std::string_view secret,
                    crypto::sig alg);
std::string sign(const json::value& header, const json::value& claims, const crypto::key& key,
                 crypto::sig alg);

// A private key for private_key_jwt: PEM or JWK JSON. Empty if it is neither.
struct signing_key {
    crypto::key key;
    std::string kid, alg;  // alg: from the JWK, else RS256 / ES256.. / EdDSA after the key's kind
};
std::optional<signing_key> read_signing_key(std::string_view pem_or_jwk);

}  // namespace authjs::jose
