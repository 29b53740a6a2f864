#include <openssl/pem.h>

#include <algorithm>
#include <iterator>

#include "crypto/openssl.hpp"
#include "util/error.hpp"

namespace authjs::crypto {
namespace {

enum class kind : unsigned char { hmac, rsa, pss, ec, ed };

// One row per JWS algorithm: what it is, over which hash, on which curve and with how many bytes a
// coordinate has there.
struct sig_row {
    sig id;
    std::string_view name;
    crypto::kind kind;
    const char* hash;  // OpenSSL's name; null: the algorithm hashes by itself
    const char* group = nullptr;
    std::size_t size = 0;
};
constexpr sig_row sigs[] = {
    {sig::hs256, "HS256", kind::hmac, "SHA256"},
    {sig::hs384, "HS384", kind::hmac, "SHA384"},
    {sig::hs512, "HS512", kind::hmac, "SHA512"},
    {sig::rs256, "RS256", kind::rsa, "SHA256"},
    {sig::rs384, "RS384", kind::rsa, "SHA384"},
    {sig::rs512, "RS512", kind::rsa, "SHA512"},
    {sig::ps256, "PS256", kind::pss, "SHA256"},
    {sig::ps384, "PS384", kind::pss, "SHA384"},
    {sig::ps512, "PS512", kind::pss, "SHA512"},
    {sig::es256, "ES256", kind::ec, "SHA256", "prime256v1", 32},
    {sig::es384, "ES384", kind::ec, "SHA384", "secp384r1", 48},
    {sig::es512, "ES512", kind::ec, "SHA512", "secp521r1", 66},
    {sig::eddsa, "EdDSA", kind::ed, nullptr},
};
const sig_row& row_of(sig a) noexcept { return sigs[static_cast<std::size_t>(a)]; }

struct curve {
    std::string_view crv;
    const char* group;
    std::size_t size;
};
constexpr curve curves[] = {
    {"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}};
const curve* find_curve(std::string_view crv) noexcept {
    const auto at = std::find_if(std::begin(curves), std::end(curves),
                                 [crv](const curve& c) { return c.crv == crv; });
    return at == std::end(curves) ? nullptr : at;
}

EVP_PKEY* pkey_of(const std::shared_ptr<void>& p) noexcept {
    return static_cast<EVP_PKEY*>(p.get());
}

bignum number(std::string_view bytes, bool is_secret = false) {
    if (bytes.size() > 4096) return nullptr;
    bignum n(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
    if (n && is_secret) BN_set_flags(n.get(), BN_FLG_CONSTTIME);
    return n;
}

evp_pkey from_params(const char* type, int selection, OSSL_PARAM_BLD* builder) {
    const params list(OSSL_PARAM_BLD_to_param(builder));
    const evp_pkey_ctx ctx(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (!list || !ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1 ||
        EVP_PKEY_fromdata(ctx.get(), &made, selection, list.get()) != 1)
        return nullptr;
    return evp_pkey(made);
}

bool halves_agree(EVP_PKEY* pkey) {
    const evp_pkey_ctx ctx(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey, nullptr));
    return ctx && EVP_PKEY_pairwise_check(ctx.get()) == 1;
}

constexpr int rsa_min_bits = 2048, rsa_max_bits = 8192;

// Whether the modulus is of the kind that a widely sold chip made, which is factored at small cost
// (CVE-2017-15361): modulo each of these primes it is a power of 65537. Of other moduli about one
// in 2^27 looks so.
bool is_factorable(const BIGNUM* n) {
    constexpr unsigned primes[] = {11, 13, 17,  19,  37,  53,  61,  71, 73,
                                   79, 97, 103, 107, 109, 127, 151, 157};
    return std::all_of(std::begin(primes), std::end(primes), [n](unsigned p) {
        const auto rest = BN_mod_word(n, p);
        unsigned power = 1;
        do {
            if (power == rest) return true;
            power = power * (65537 % p) % p;
        } while (power != 1);
        return false;
    });
}

bool sound_rsa(const BIGNUM* n, const BIGNUM* e) {
    const int bits = BN_num_bits(n);
    return !is_factorable(n) && bits >= rsa_min_bits && bits <= rsa_max_bits && BN_is_odd(n) &&
           BN_is_odd(e) && BN_num_bits(e) >= 2 && BN_num_bits(e) <= 64;
}

std::string group_of(EVP_PKEY* pkey) {
    char name[32] = "";
    return EVP_PKEY_get_group_name(pkey, name, sizeof name, nullptr) == 1 ? name : "";
}

bool is_ed25519(EVP_PKEY* pkey) { return EVP_PKEY_is_a(pkey, "ED25519") == 1; }

// Whether y (and with it the point) has low order: a signature by such a key says nothing. These
// are the y coordinates of the eight points of the torsion subgroup, and of their encodings that
// are not reduced modulo p; the sign bit is left out.
bool has_low_order(std::string_view x) {
    constexpr unsigned char order8_a[] = {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0,
                                          0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
                                          0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39,
                                          0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05};
    constexpr unsigned char order8_b[] = {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f,
                                          0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
                                          0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6,
                                          0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a};
    std::string y(x);
    y[31] = static_cast<char>(y[31] & 0x7f);
    const auto* b = bytes_of(y);
    if (std::equal(b, b + 32, order8_a) || std::equal(b, b + 32, order8_b)) return true;
    const auto all = [b](std::size_t from, std::size_t to, unsigned char v) {
        return std::all_of(b + from, b + to, [v](unsigned char c) { return c == v; });
    };
    if (all(1, 32, 0)) return b[0] <= 1;  // 0, 1
    // p - 1, p, p + 1
    return b[0] >= 0xec && b[0] <= 0xee && all(1, 31, 0xff) && b[31] == 0x7f;
}

// ECDSA signatures: r || s of JWS (RFC 7518 section 3.4) and the DER that OpenSSL wants.
std::string der_of(std::string_view raw, std::size_t size) {
    const owned<ECDSA_SIG, ECDSA_SIG_free> pair(ECDSA_SIG_new());
    bignum r = number(raw.substr(0, size)), s = number(raw.substr(size));
    if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
    (void)r.release();
    (void)s.release();
    unsigned char* der = nullptr;
    const int n = i2d_ECDSA_SIG(pair.get(), &der);
    if (n <= 0) return {};
    std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(n));
    OPENSSL_free(der);
    return out;
}

std::string raw_of(std::string_view der, std::size_t size) {
    const auto* p = bytes_of(der);
    const owned<ECDSA_SIG, ECDSA_SIG_free> pair(
        d2i_ECDSA_SIG(nullptr, &p, static_cast<long>(der.size())));
    std::string out(2 * size, '\0');
    const int half = static_cast<int>(size);
    if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes_of(out), half) != half ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes_of(out) + size, half) != half)
        return {};
    return out;
}

bool set_padding(EVP_PKEY_CTX* ctx, crypto::kind k) {
    if (k == kind::rsa) return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
    if (k == kind::pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    return true;
}

// Keys in files with a pass phrase are refused; without this OpenSSL would ask the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

}  // namespace

std::optional<sig> sig_from(std::string_view name) noexcept {
    for (const auto& row : sigs)
        if (row.name == name) return row.id;
    return std::nullopt;
}
std::string_view sig_name(sig a) noexcept { return row_of(a).name; }

namespace {
std::shared_ptr<void> shared(evp_pkey pkey) {
    return std::shared_ptr<void>(pkey.release(),
                                 [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
}
}  // namespace

key key::rsa(std::string_view n, std::string_view e) { return private_rsa(n, e, {}, {}, {}); }

key key::private_rsa(std::string_view n, std::string_view e, std::string_view d, std::string_view p,
                     std::string_view q) {
    const quiet errors;
    key out;
    const bignum bn = number(n), be = number(e), bd = number(d, true), bp = number(p, true),
                 bq = number(q, true);
    const param_builder builder(OSSL_PARAM_BLD_new());
    if (!bn || !be || !bd || !bp || !bq || !builder || !sound_rsa(bn.get(), be.get())) return out;
    auto* b = builder.get();
    bool ok = OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_N, bn.get()) == 1 &&
              OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_E, be.get()) == 1;
    const bool whole = !d.empty(), primes = whole && !p.empty() && !q.empty();
    if (whole) ok = ok && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_D, bd.get()) == 1;

    // The rest of RFC 8017's private key follows from p and q; without it signing is only slower.
    const bn_ctx work(BN_CTX_new());
    const bignum dp(BN_secure_new()), dq(BN_secure_new()), qi(BN_secure_new()),
        less(BN_secure_new());
    if (primes) {
        ok = ok && work && dp && dq && qi && less && BN_sub(less.get(), bp.get(), BN_value_one()) &&
             BN_mod(dp.get(), bd.get(), less.get(), work.get()) &&
             BN_sub(less.get(), bq.get(), BN_value_one()) &&
             BN_mod(dq.get(), bd.get(), less.get(), work.get()) &&
             BN_mod_inverse(qi.get(), bq.get(), bp.get(), work.get()) != nullptr &&
             OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_FACTOR1, bp.get()) == 1 &&
             OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_FACTOR2, bq.get()) == 1 &&
             OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_EXPONENT1, dp.get()) == 1 &&
             OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_EXPONENT2, dq.get()) == 1 &&
             OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, qi.get()) == 1;
    }
    if (!ok) return out;
    auto pkey = from_params("RSA", whole ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, b);
    if (!pkey || (primes && !halves_agree(pkey.get()))) return out;
    out.pkey_ = shared(std::move(pkey));
    // OpenSSL's own check wants the primes.
    if (whole && !primes && !out.verify(sig::rs256, d, out.sign(sig::rs256, d))) out = {};
    return out;
}

key key::ec(std::string_view crv, std::string_view x, std::string_view y) {
    return private_ec(crv, x, y, {});
}

key key::private_ec(std::string_view crv, std::string_view x, std::string_view y,
                    std::string_view d) {
    const quiet errors;
    key out;
    const auto* c = find_curve(crv);
    if (c == nullptr || x.size() != c->size || y.size() != c->size ||
        (!d.empty() && d.size() != c->size))
        return out;
    // SEC 1 section 2.3.3, uncompressed; OpenSSL refuses a point that is not on the curve.
    std::string point = "\x04";
    point.append(x).append(y);
    const bignum bd = number(d, true);
    const param_builder builder(OSSL_PARAM_BLD_new());
    auto* b = builder.get();
    if (b == nullptr || !bd ||
        OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, c->group, 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
            1 ||
        (!d.empty() && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, bd.get()) != 1))
        return out;
    auto pkey = from_params("EC", d.empty() ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR, b);
    if (pkey && (d.empty() || halves_agree(pkey.get()))) out.pkey_ = shared(std::move(pkey));
    return out;
}

key key::ed25519(std::string_view x) {
    const quiet errors;
    key out;
    if (x.size() != 32 || has_low_order(x)) return out;
    evp_pkey pkey(
        EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, bytes_of(x), x.size()));
    if (pkey) out.pkey_ = shared(std::move(pkey));
    return out;
}

key key::private_ed25519(std::string_view x, std::string_view d) {
    const quiet errors;
    key out;
    if (d.size() != 32) return out;
    evp_pkey pkey(
        EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, bytes_of(d), d.size()));
    std::string derived(32, '\0');
    std::size_t n = derived.size();
    if (pkey && EVP_PKEY_get_raw_public_key(pkey.get(), bytes_of(derived), &n) == 1 && derived == x)
        out.pkey_ = shared(std::move(pkey));
    return out;
}

key key::from_pem(std::string_view pem) {
    const quiet errors;
    key out;
    const bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!in) return out;
    evp_pkey pkey(PEM_read_bio_PrivateKey(in.get(), nullptr, no_pass_phrase, nullptr));
    if (!pkey) return out;
    bool usable = is_ed25519(pkey.get());
    if (EVP_PKEY_is_a(pkey.get(), "RSA") == 1) {
        const int bits = EVP_PKEY_get_bits(pkey.get());
        usable = bits >= rsa_min_bits && bits <= rsa_max_bits;
    } else if (EVP_PKEY_is_a(pkey.get(), "EC") == 1) {
        const auto group = group_of(pkey.get());
        usable = std::any_of(std::begin(curves), std::end(curves),
                             [&](const curve& c) { return group == c.group; });
    }
    if (usable) out.pkey_ = shared(std::move(pkey));
    return out;
}

bool key::fits(sig a) const noexcept {
    auto* pkey = pkey_of(pkey_);
    if (pkey == nullptr) return false;
    const auto& row = row_of(a);
    switch (row.kind) {
        case kind::hmac:
            return false;
        case kind::rsa:
        case kind::pss:
            return EVP_PKEY_is_a(pkey, "RSA") == 1;
        case kind::ec:
            return EVP_PKEY_is_a(pkey, "EC") == 1 && group_of(pkey) == row.group;
        case kind::ed:
            return is_ed25519(pkey);
    }
    return false;
}

bool key::verify(sig a, std::string_view data, std::string_view signature) const {
    if (!fits(a)) return false;
    const quiet errors;
    const auto& row = row_of(a);
    std::string der;
    if (row.kind == kind::ec) {
        if (signature.size() != 2 * row.size) return false;
        der = der_of(signature, row.size);
        signature = der;
    }
    const evp_md_ctx ctx(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    return ctx &&
           EVP_DigestVerifyInit_ex(ctx.get(), &options, row.hash, nullptr, nullptr, pkey_of(pkey_),
                                   nullptr) == 1 &&
           set_padding(options, row.kind) &&
           EVP_DigestVerify(ctx.get(), bytes_of(signature), signature.size(), bytes_of(data),
                            data.size()) == 1;
}

std::string key::sign(sig a, std::string_view data) const {
    const quiet errors;
    const auto& row = row_of(a);
    const evp_md_ctx ctx(EVP_MD_CTX_new());
    EVP_PKEY_CTX* options = nullptr;
    std::size_t n = 0;
    std::string out;
    bool ok = fits(a) && ctx &&
              EVP_DigestSignInit_ex(ctx.get(), &options, row.hash, nullptr, nullptr, pkey_of(pkey_),
                                    nullptr) == 1 &&
              set_padding(options, row.kind) &&
              EVP_DigestSign(ctx.get(), nullptr, &n, bytes_of(data), data.size()) == 1;
    if (ok) {
        out.resize(n);
        ok = EVP_DigestSign(ctx.get(), bytes_of(out), &n, bytes_of(data), data.size()) == 1;
        out.resize(n);
        if (ok && row.kind == kind::ec) out = raw_of(out, row.size);
    }
    if (!ok || out.empty())
        throw error(code::configuration, "the key cannot sign with " + std::string(row.name));
    return out;
}

}  // namespace authjs::crypto
