#include <openssl/crypto.h>

#include <cstring>

#include "crypto/openssl.hpp"
#include "util/error.hpp"

namespace authjs::crypto {
namespace {

constexpr const char* hash_names[hash_count] = {"SHA1", "SHA256", "SHA384", "SHA512", "MD5"};

algorithms fetch_all() {
    const quiet errors;
    const auto demand = [](auto handle, const char* name) {
        if (!handle) throw error(code::auth_error, "OpenSSL has no " + std::string(name));
        return handle;
    };
    algorithms all;
    for (std::size_t i = 0; i < hash_count; ++i)
        all.hashes[i] =
            demand(evp_md(EVP_MD_fetch(nullptr, hash_names[i], nullptr)), hash_names[i]);
    all.cbc = demand(evp_cipher(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr)), "AES-256-CBC");
    all.gcm = demand(evp_cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)), "AES-256-GCM");
    return all;
}

}  // namespace

const algorithms& fetched() {
    static const algorithms all = fetch_all();
    return all;
}

const EVP_MD* md_of(hash h) { return fetched().hashes[static_cast<std::size_t>(h)].get(); }

void setup() { fetched(); }

std::string digest(hash h, std::string_view data) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned int n = 0;
    if (EVP_Digest(data.data(), data.size(), bytes_of(out), &n, md_of(h), nullptr) != 1)
        throw error(code::auth_error, "a digest failed");
    out.resize(n);
    return out;
}

hmac_run::hmac_run(hash h, std::string_view key) noexcept : md_(md_of(h)) {
    thread_local const evp_md_ctx context(EVP_MD_CTX_new());
    ctx_ = context.get();
    block_ = static_cast<std::size_t>(EVP_MD_get_block_size(md_));
    unsigned char inner[sizeof outer_] = {};
    ok_ = ctx_ != nullptr;
    if (key.size() <= block_) {
        if (!key.empty()) std::memcpy(inner, key.data(), key.size());
    } else {
        ok_ = ok_ && EVP_DigestInit_ex2(ctx_, md_, nullptr) == 1 &&
              EVP_DigestUpdate(ctx_, key.data(), key.size()) == 1 &&
              EVP_DigestFinal_ex(ctx_, inner, nullptr) == 1;
    }
    for (std::size_t i = 0; i < block_; ++i) {
        outer_[i] = inner[i] ^ 0x5c;
        inner[i] ^= 0x36;
    }
    ok_ = ok_ && EVP_DigestInit_ex2(ctx_, md_, nullptr) == 1 &&
          EVP_DigestUpdate(ctx_, inner, block_) == 1;
    OPENSSL_cleanse(inner, sizeof inner);
}

void hmac_run::add(std::string_view piece) noexcept {
    ok_ = ok_ && EVP_DigestUpdate(ctx_, piece.data(), piece.size()) == 1;
}

std::size_t hmac_run::finish(unsigned char* out) noexcept {
    unsigned int n = 0;
    ok_ = ok_ && EVP_DigestFinal_ex(ctx_, out, &n) == 1 &&
          EVP_DigestInit_ex2(ctx_, md_, nullptr) == 1 &&
          EVP_DigestUpdate(ctx_, outer_, block_) == 1 && EVP_DigestUpdate(ctx_, out, n) == 1 &&
          EVP_DigestFinal_ex(ctx_, out, &n) == 1;
    OPENSSL_cleanse(outer_, sizeof outer_);
    return ok_ ? n : 0;
}

std::string hmac(hash h, std::string_view key, std::string_view data) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    hmac_run mac(h, key);
    mac.add(data);
    out.resize(mac.finish(bytes_of(out)));
    if (out.empty()) throw error(code::auth_error, "an HMAC failed");
    return out;
}

std::string hkdf_sha256(std::string_view key, std::string_view salt, std::string_view info,
                        std::size_t length) {
    if (key.empty()) throw error(code::configuration, "a key cannot be derived from nothing");
    if (info.size() > 1024) throw error(code::configuration, "a key's info exceeds 1024 bytes");
    const auto prk = hmac(hash::sha256, salt, key);  // RFC 5869 section 2.2
    std::string out, block;
    for (char i = 1; out.size() < length; ++i) {  // section 2.3
        block.append(info).append(1, i);
        block = hmac(hash::sha256, prk, block);
        out += block;
    }
    out.resize(length);
    return out;
}

}  // namespace authjs::crypto
