#include <openssl/crypto.h>
#include <zlib.h>

#include <algorithm>

#include "crypto/openssl.hpp"
#include "util/error.hpp"

namespace authjs::crypto {
namespace {

constexpr std::size_t cbc_tag = 32, gcm_tag = 16;
constexpr int encrypting = 1, decrypting = 0;

// This thread's cipher context, reused: with the same cipher it allocates nothing any more.
EVP_CIPHER_CTX* cbc_context() noexcept {
    thread_local const evp_cipher_ctx context(EVP_CIPHER_CTX_new());
    return context.get();
}
EVP_CIPHER_CTX* gcm_context() noexcept {
    thread_local const evp_cipher_ctx context(EVP_CIPHER_CTX_new());
    return context.get();
}

// The tag of RFC 7518 section 5.2.2.1: HMAC over A || IV || E || AL, its first half.
bool cbc_tag_of(std::string_view mac_key, std::string_view iv, std::string_view aad,
                std::string_view ciphertext, unsigned char* out) noexcept {
    char aad_bits[8];
    for (std::uint64_t n = std::uint64_t{aad.size()} * 8, i = 8; i-- > 0; n >>= 8)
        aad_bits[i] = static_cast<char>(n & 255);
    hmac_run mac(hash::sha512, mac_key);
    mac.add(aad);
    mac.add(iv);
    mac.add(ciphertext);
    mac.add({aad_bits, sizeof aad_bits});
    return mac.finish(out) == 64;
}

[[noreturn]] void seal_failed() { throw error(code::auth_error, "encryption failed"); }

}  // namespace

sealed cbc_hs512_seal(std::string_view key, std::string_view iv, std::string_view aad,
                      std::string_view plaintext) {
    if (key.size() != 64 || iv.size() != 16) seal_failed();
    const quiet errors;
    auto* ctx = cbc_context();
    sealed out;
    out.ciphertext.resize(plaintext.size() + 16);
    int n = 0, last = 0;
    if (ctx == nullptr ||
        EVP_CipherInit_ex2(ctx, fetched().cbc.get(), bytes_of(key) + 32, bytes_of(iv), encrypting,
                           nullptr) != 1 ||
        EVP_CipherUpdate(ctx, bytes_of(out.ciphertext), &n, bytes_of(plaintext),
                         static_cast<int>(plaintext.size())) != 1 ||
        EVP_CipherFinal_ex(ctx, bytes_of(out.ciphertext) + n, &last) != 1)
        seal_failed();
    out.ciphertext.resize(static_cast<std::size_t>(n + last));
    unsigned char mac[EVP_MAX_MD_SIZE];
    if (!cbc_tag_of(key.substr(0, 32), iv, aad, out.ciphertext, mac)) seal_failed();
    out.tag.assign(reinterpret_cast<const char*>(mac), cbc_tag);
    return out;
}

std::optional<std::size_t> cbc_hs512_open_into(std::string_view key, std::string_view iv,
                                               std::string_view aad, std::string_view ciphertext,
                                               std::string_view tag, std::span<char> out) noexcept {
    if (key.size() != 64 || iv.size() != 16 || tag.size() != cbc_tag || ciphertext.empty() ||
        ciphertext.size() % 16 != 0 || ciphertext.size() > out.size())
        return std::nullopt;
    const quiet errors;
    unsigned char mac[EVP_MAX_MD_SIZE];
    if (!cbc_tag_of(key.substr(0, 32), iv, aad, ciphertext, mac) ||
        CRYPTO_memcmp(mac, tag.data(), cbc_tag) != 0)
        return std::nullopt;
    auto* ctx = cbc_context();
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    int n = 0, last = 0;
    if (ctx == nullptr ||
        EVP_CipherInit_ex2(ctx, fetched().cbc.get(), bytes_of(key) + 32, bytes_of(iv), decrypting,
                           nullptr) != 1 ||
        EVP_CipherUpdate(ctx, to, &n, bytes_of(ciphertext), static_cast<int>(ciphertext.size())) !=
            1 ||
        EVP_CipherFinal_ex(ctx, to + n, &last) != 1)
        return std::nullopt;
    return static_cast<std::size_t>(n + last);
}

std::optional<std::string> cbc_hs512_open(std::string_view key, std::string_view iv,
                                          std::string_view aad, std::string_view ciphertext,
                                          std::string_view tag) {
    std::string out(ciphertext.size(), '\0');
    const auto n = cbc_hs512_open_into(key, iv, aad, ciphertext, tag, out);
    if (!n) return std::nullopt;
    out.resize(*n);
    return out;
}

sealed gcm256_seal(std::string_view key, std::string_view iv, std::string_view aad,
                   std::string_view plaintext) {
    if (key.size() != 32 || iv.size() != 12) seal_failed();
    const quiet errors;
    auto* ctx = gcm_context();
    sealed out;
    out.ciphertext.resize(plaintext.size());
    out.tag.resize(gcm_tag);
    int n = 0, last = 0;
    if (ctx == nullptr ||
        EVP_CipherInit_ex2(ctx, fetched().gcm.get(), bytes_of(key), bytes_of(iv), encrypting,
                           nullptr) != 1 ||
        EVP_CipherUpdate(ctx, nullptr, &n, bytes_of(aad), static_cast<int>(aad.size())) != 1 ||
        EVP_CipherUpdate(ctx, bytes_of(out.ciphertext), &n, bytes_of(plaintext),
                         static_cast<int>(plaintext.size())) != 1 ||
        EVP_CipherFinal_ex(ctx, bytes_of(out.ciphertext) + n, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, gcm_tag, out.tag.data()) != 1)
        seal_failed();
    return out;
}

std::optional<std::string> gcm256_open(std::string_view key, std::string_view iv,
                                       std::string_view aad, std::string_view ciphertext,
                                       std::string_view tag) {
    if (key.size() != 32 || iv.size() != 12 || tag.size() != gcm_tag) return std::nullopt;
    const quiet errors;
    auto* ctx = gcm_context();
    std::string out(ciphertext.size(), '\0'), expected(tag);
    int n = 0, last = 0;
    if (ctx == nullptr ||
        EVP_CipherInit_ex2(ctx, fetched().gcm.get(), bytes_of(key), bytes_of(iv), decrypting,
                           nullptr) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, gcm_tag, expected.data()) != 1 ||
        EVP_CipherUpdate(ctx, nullptr, &n, bytes_of(aad), static_cast<int>(aad.size())) != 1 ||
        EVP_CipherUpdate(ctx, bytes_of(out), &n, bytes_of(ciphertext),
                         static_cast<int>(ciphertext.size())) != 1 ||
        EVP_CipherFinal_ex(ctx, bytes_of(out) + n, &last) != 1)
        return std::nullopt;
    return out;
}

std::optional<std::string> inflate_raw(std::string_view data, std::size_t limit) {
    z_stream z{};
    if (inflateInit2(&z, -15) != Z_OK) return std::nullopt;
    struct ends {
        z_stream& z;
        ~ends() { inflateEnd(&z); }
    } const at_the_end{z};
    z.next_in = const_cast<Bytef*>(bytes_of(data));
    z.avail_in = static_cast<uInt>(data.size());
    std::string out;
    for (int rc = Z_OK; rc != Z_STREAM_END;) {
        // One byte beyond the limit tells "exactly so long" from "longer".
        const auto have = out.size();
        if (have > limit) return std::nullopt;
        out.resize(std::min(limit + 1, have + 16 * 1024));
        z.next_out = bytes_of(out) + have;
        z.avail_out = static_cast<uInt>(out.size() - have);
        rc = inflate(&z, Z_NO_FLUSH);
        const bool stuck = z.avail_out == out.size() - have && z.avail_in == 0;
        out.resize(out.size() - z.avail_out);
        if (rc != Z_STREAM_END && (rc != Z_OK || stuck)) return std::nullopt;
    }
    if (out.size() > limit || z.avail_in != 0) return std::nullopt;
    return out;
}

}  // namespace authjs::crypto
