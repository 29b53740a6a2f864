// All cryptography, through OpenSSL's EVP. Only this folder (and nginx/) includes openssl headers.
// Algorithms are fetched once; setup() does it and must be called before anything else, in the
// process that forks. Nothing here keeps random state of its own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/ports.hpp"

namespace authjs::crypto {

// setup fetches every algorithm. Throws error(auth_error) naming the first that is missing.
void setup();

enum class hash : unsigned char { sha1, sha256, sha384, sha512, md5 };
std::string digest(hash h, std::string_view data);                      // raw bytes
std::string hmac(hash h, std::string_view key, std::string_view data);  // raw bytes
// RFC 5869 with SHA-256. Throws error(configuration) on an empty key.
std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                        std::size_t length);

// AES_256_CBC_HMAC_SHA_512, RFC 7518 section 5.2.5. `key` is 64 bytes (MAC key first), `iv` 16.
struct sealed {
    std::string ciphertext, tag;  // tag: 32 bytes
};
sealed cbc_hs512_seal(std::string_view key, std::string_view iv, std::string_view aad,
                      std::string_view plaintext);
// Empty on any mismatch; the tag is compared in constant time before anything is decrypted.
std::optional<std::string> cbc_hs512_open(std::string_view key, std::string_view iv,
                                          std::string_view aad, std::string_view ciphertext,
                                          std::string_view tag);
// The same into a caller's buffer of at least ciphertext.size() bytes, without touching the heap:
// the gate's way. Answers the plaintext's length.
std::optional<std::size_t> cbc_hs512_open_into(std::string_view key, std::string_view iv,
                                               std::string_view aad, std::string_view ciphertext,
                                               std::string_view tag, std::span<char> out) noexcept;
// A256GCM: key 32 bytes, iv 12, tag 16.
sealed gcm256_seal(std::string_view key, std::string_view iv, std::string_view aad,
                   std::string_view plaintext);
std::optional<std::string> gcm256_open(std::string_view key, std::string_view iv,
                                       std::string_view aad, std::string_view ciphertext,
                                       std::string_view tag);
// Raw DEFLATE (RFC 1951), at most `limit` bytes out; empty on error or beyond it.
std::optional<std::string> inflate_raw(std::string_view data, std::size_t limit);

// JWS algorithms, RFC 7518 section 3.1 and RFC 8037.
enum class sig : unsigned char {
    hs256,
    hs384,
    hs512,
    rs256,
    rs384,
    rs512,
    ps256,
    ps384,
    ps512,
    es256,
    es384,
    es512,
    eddsa
};
std::optional<sig> sig_from(std::string_view name) noexcept;
std::string_view sig_name(sig a) noexcept;

// An asymmetric key, public or private. Copies share the key.
class key {
public:
    key() = default;
    explicit operator bool() const noexcept { return static_cast<bool>(pkey_); }

    // From JWK members (raw big-endian bytes). Empty if the key is unusable: RSA modulus below 2048
    // or above 8192 bits, even or of CVE-2017-15361, exponent below 3 or even or above 64 bits; an
    // EC point not on its curve or of a wrong length; an Ed25519 key of other than 32 bytes or of
    // low order.
    static key rsa(std::string_view n, std::string_view e);
    static key ec(std::string_view crv, std::string_view x, std::string_view y);
    static key ed25519(std::string_view x);
    // Private keys: PEM (PKCS#8, SEC1, PKCS#1), unencrypted.
    static key from_pem(std::string_view pem);
    static key private_rsa(std::string_view n, std::string_view e, std::string_view d,
                           std::string_view p, std::string_view q);
    static key private_ec(std::string_view crv, std::string_view x, std::string_view y,
                          std::string_view d);
    static key private_ed25519(std::string_view x, std::string_view d);

    bool fits(sig a) const noexcept;  // kind of key and curve agree with the algorithm
    // verify: signature in JWS form (ECDSA: r || s of fixed length; PSS: salt as long as the hash).
    bool verify(sig a, std::string_view data, std::string_view signature) const;
    // sign throws error(configuration) if the key does not fit or has no private part.
    std::string sign(sig a, std::string_view data) const;

private:
    std::shared_ptr<void> pkey_;
};

// OpenSSL's generator; safe over fork. Throws error(auth_error) when it fails.
class system_random final : public io::random {
public:
    void fill(std::span<unsigned char> out) override;
};

}  // namespace authjs::crypto
