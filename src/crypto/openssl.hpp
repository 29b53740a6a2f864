// What the files of this folder share of OpenSSL: handles that free themselves, the algorithms
// fetched once, and keeping its error queue as it was found.
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "crypto/crypto.hpp"
#include "util/owned.hpp"

namespace authjs::crypto {

using evp_md = owned<EVP_MD, EVP_MD_free>;
using evp_md_ctx = owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using evp_cipher = owned<EVP_CIPHER, EVP_CIPHER_free>;
using evp_cipher_ctx = owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using evp_pkey = owned<EVP_PKEY, EVP_PKEY_free>;
using evp_pkey_ctx = owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using bignum = owned<BIGNUM, BN_clear_free>;
using bn_ctx = owned<BN_CTX, BN_CTX_free>;
using param_builder = owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using params = owned<OSSL_PARAM, OSSL_PARAM_free>;
using bio = owned<BIO, BIO_free_all>;

inline const unsigned char* bytes_of(std::string_view s) noexcept {
    return reinterpret_cast<const unsigned char*>(s.data());
}
inline unsigned char* bytes_of(std::string& s) noexcept {
    return reinterpret_cast<unsigned char*>(s.data());
}

inline constexpr std::size_t hash_count = 5;

// Everything that is fetched, by the first call (setup makes it) and for the life of the process.
struct algorithms {
    evp_md hashes[hash_count];
    evp_cipher cbc, gcm;
};
const algorithms& fetched();
const EVP_MD* md_of(hash h);

// What fails inside leaves nothing in the thread's error queue: nginx would report it as its own.
class quiet {
public:
    quiet() noexcept { ERR_set_mark(); }
    ~quiet() { ERR_pop_to_mark(); }
    quiet(const quiet&) = delete;
    quiet& operator=(const quiet&) = delete;
};

// HMAC (RFC 2104) over pieces, in this thread's two reused contexts: one computation at a time.
// EVP_MAC of OpenSSL 3.0 allocates and looks its digest up at every start, which the gate must not.
class hmac_run {
public:
    hmac_run(hash h, std::string_view key) noexcept;
    void add(std::string_view piece) noexcept;
    // finish writes the MAC to `out` (EVP_MAX_MD_SIZE bytes) and answers its length; 0: failed.
    std::size_t finish(unsigned char* out) noexcept;

private:
    const EVP_MD* md_;
    EVP_MD_CTX* ctx_;
    unsigned char outer_[128];
    std::size_t block_;
    bool ok_;
};

}  // namespace authjs::crypto
