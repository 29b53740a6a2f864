#include "jose/jws.hpp"

#include <algorithm>
#include <iterator>

#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/secret.hpp"

namespace authjs::jose {
namespace {

constexpr std::size_t keys_kept = 64, keys_looked_at = 512, keys_tried = 4;
constexpr json::limits set_limits{256 * 1024, 16};

bool names_verify(const json::value& ops) {
    const auto* list = ops.as_array();
    return list != nullptr && std::any_of(list->begin(), list->end(), [](const json::value& v) {
               return v.as_string() != nullptr && *v.as_string() == "verify";
           });
}

// A member's bytes; empty too where it is absent, no string or no canonical base64url.
std::string bytes_of(const json::value& jwk, std::string_view name) {
    return from_base64url(jwk.text(name)).value_or("");
}

crypto::key public_key(const json::value& j) {
    const auto kty = j.text("kty"), crv = j.text("crv");
    if (kty == "RSA") return crypto::key::rsa(bytes_of(j, "n"), bytes_of(j, "e"));
    if (kty == "EC") return crypto::key::ec(crv, bytes_of(j, "x"), bytes_of(j, "y"));
    if (kty == "OKP" && crv == "Ed25519") return crypto::key::ed25519(bytes_of(j, "x"));
    return {};
}

crypto::key private_key(const json::value& j) {
    const auto kty = j.text("kty"), crv = j.text("crv");
    auto d = bytes_of(j, "d");
    crypto::key out;
    if (d.empty()) return out;
    if (kty == "RSA") {
        auto p = bytes_of(j, "p"), q = bytes_of(j, "q");
        out = crypto::key::private_rsa(bytes_of(j, "n"), bytes_of(j, "e"), d, p, q);
        wipe(p);
        wipe(q);
    } else if (kty == "EC") {
        out = crypto::key::private_ec(crv, bytes_of(j, "x"), bytes_of(j, "y"), d);
    } else if (kty == "OKP" && crv == "Ed25519") {
        out = crypto::key::private_ed25519(bytes_of(j, "x"), d);
    }
    wipe(d);
    return out;
}

// Whether a JWK may verify at all, and if so the key.
std::optional<jwk> usable(const json::value& j) {
    const auto* use = j.find("use");
    const auto* ops = j.find("key_ops");
    if ((use != nullptr && j.text("use") != "sig") || (ops != nullptr && !names_verify(*ops)))
        return std::nullopt;
    jwk out;
    for (auto [name, field] : {std::pair{"kid", &out.kid},
                               {"kty", &out.kty},
                               {"alg", &out.alg},
                               {"use", &out.use},
                               {"crv", &out.crv}}) {
        const auto* v = j.find(name);
        if (v == nullptr) continue;
        if (!v->is_string()) return std::nullopt;
        *field = *v->as_string();
    }
    out.key = public_key(j);
    if (!out.key) return std::nullopt;
    return out;
}

std::optional<crypto::hash> hmac_hash(crypto::sig alg) noexcept {
    switch (alg) {
        case crypto::sig::hs256:
            return crypto::hash::sha256;
        case crypto::sig::hs384:
            return crypto::hash::sha384;
        case crypto::sig::hs512:
            return crypto::hash::sha512;
        default:
            return std::nullopt;
    }
}

std::string signing_input(const json::value& header, const json::value& claims) {
    return base64url(json::stringify(header)) + "." + base64url(json::stringify(claims));
}

}  // namespace

std::optional<jws> parse_jws(std::string_view token, std::size_t limit) {
    if (token.size() > limit) return std::nullopt;
    const auto first = token.find('.');
    const auto second = first == token.npos ? first : token.find('.', first + 1);
    if (second == token.npos || token.find('.', second + 1) != token.npos) return std::nullopt;

    const auto header = from_base64url(token.substr(0, first));
    const auto claims = from_base64url(token.substr(first + 1, second - first - 1));
    auto signature = from_base64url(token.substr(second + 1));
    if (!header || !claims || !signature) return std::nullopt;
    auto head = json::parse(*header, {limit, 16}), body = json::parse(*claims, {limit, 16});
    if (!head || !head->is_object() || !body || !body->is_object()) return std::nullopt;
    for (const char* name : {"crit", "b64", "zip"})
        if (head->find(name) != nullptr) return std::nullopt;
    const auto* alg = head->find("alg");
    const auto* kid = head->find("kid");
    if (alg == nullptr || !alg->is_string() || (kid != nullptr && !kid->is_string()))
        return std::nullopt;

    jws out;
    out.alg = *alg->as_string();
    if (kid != nullptr) out.kid = *kid->as_string();
    out.header = std::move(*head);
    out.claims = std::move(*body);
    out.signing_input = token.substr(0, second);
    out.signature = std::move(*signature);
    return out;
}

std::optional<jwk_set> jwk_set::parse(std::string_view text) {
    const auto doc = json::parse(text, set_limits);
    const auto* list = doc ? doc->find("keys") : nullptr;
    if (list == nullptr || !list->is_array()) return std::nullopt;
    jwk_set out;
    std::size_t looked = 0;
    for (const auto& j : *list->as_array()) {
        if (++looked > keys_looked_at || out.keys_.size() == keys_kept) break;
        if (auto k = usable(j)) out.keys_.push_back(std::move(*k));
    }
    return out;
}

std::vector<const jwk*> jwk_set::candidates(std::string_view kid, crypto::sig alg) const {
    std::vector<const jwk*> out;
    for (const auto& k : keys_)
        if ((kid.empty() || k.kid == kid) && (k.alg.empty() || k.alg == crypto::sig_name(alg)) &&
            k.key.fits(alg))
            out.push_back(&k);
    return out;
}

bool jwk_set::has_kid(std::string_view kid) const noexcept {
    return std::any_of(keys_.begin(), keys_.end(), [kid](const jwk& k) { return k.kid == kid; });
}

bool verify(const jws& token, const jwk_set& keys, crypto::sig alg) {
    if (token.alg != crypto::sig_name(alg)) return false;
    auto list = keys.candidates(token.kid, alg);
    if (list.size() > keys_tried) list.resize(keys_tried);
    return std::any_of(list.begin(), list.end(), [&](const jwk* k) {
        return k->key.verify(alg, token.signing_input, token.signature);
    });
}

bool verify_hs(const jws& token, std::string_view secret, crypto::sig alg) {
    const auto h = hmac_hash(alg);
    return h && !secret.empty() && token.alg == crypto::sig_name(alg) &&
           same_secret(crypto::hmac(*h, secret, token.signing_input), token.signature);
}

std::string sign_hs(const json::value& header, const json::value& claims, std::string_view secret,
                    crypto::sig alg) {
    const auto h = hmac_hash(alg);
    if (!h || secret.empty())
        throw error(code::configuration,
                    "a shared secret cannot sign with " + std::string(crypto::sig_name(alg)));
    const auto input = signing_input(header, claims);
    return input + "." + base64url(crypto::hmac(*h, secret, input));
}

std::string sign(const json::value& header, const json::value& claims, const crypto::key& key,
                 crypto::sig alg) {
    const auto input = signing_input(header, claims);
    return input + "." + base64url(key.sign(alg, input));
}

std::optional<signing_key> read_signing_key(std::string_view pem_or_jwk) {
    signing_key out;
    if (const auto doc = json::parse(pem_or_jwk); doc && doc->is_object()) {
        out.key = private_key(*doc);
        out.kid = doc->text("kid");
        out.alg = doc->text("alg");
    } else {
        out.key = crypto::key::from_pem(pem_or_jwk);
    }
    if (!out.key) return std::nullopt;
    using crypto::sig;
    constexpr sig usual[] = {sig::rs256, sig::es256, sig::es384, sig::es512, sig::eddsa};
    if (out.alg.empty()) {
        const auto fits = std::find_if(std::begin(usual), std::end(usual),
                                       [&](sig a) { return out.key.fits(a); });
        if (fits == std::end(usual)) return std::nullopt;
        out.alg = crypto::sig_name(*fits);
    } else if (const auto a = crypto::sig_from(out.alg); !a || !out.key.fits(*a)) {
        return std::nullopt;
    }
    return out;
}

}  // namespace authjs::jose
