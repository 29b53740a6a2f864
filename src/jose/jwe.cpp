#include "jose/jwe.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "crypto/crypto.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::jose {
namespace {

// The content encryptions of a session token. Writing is done with the first.
struct encryption {
    std::string_view name;
    std::size_t key_bytes, iv_bytes;
    crypto::hash thumbprint;  // as wide as the key
};
constexpr encryption cbc_hs512{"A256CBC-HS512", 64, 16, crypto::hash::sha512};
constexpr encryption gcm256{"A256GCM", 32, 12, crypto::hash::sha256};

constexpr std::size_t inflated_limit = 250'000;  // jose's own
constexpr json::limits header_limits{8 * 1024, 4};
constexpr json::limits claims_limits{1024 * 1024, 300};  // only a key holder can make them
constexpr int tolerance = 15;                            // seconds, both ways

std::string derive(const secret& from, std::string_view salt, const encryption& e) {
    std::string info = "Auth.js Generated Encryption Key (";
    info.append(salt).append(")");
    return crypto::hkdf_sha256(from.reveal(), salt, info, e.key_bytes);
}

// RFC 7638 section 3: the required members of a symmetric key, in order of their names.
std::string thumbprint(std::string_view key, const encryption& e) {
    auto members = "{\"k\":\"" + base64url(key) + "\",\"kty\":\"oct\"}";
    auto out = base64url(crypto::digest(e.thumbprint, members));
    wipe(members);
    return out;
}

// Segments are read as Node's atob does (the forgiving base64 of the Infra standard) after the
// strict way failed: white space is dropped, padding only where it completes a group of four. What
// stays refused are bits left over, so that no two texts are the same token.
std::optional<std::string> forgiving(std::string_view text) {
    std::string kept(text);
    std::erase_if(
        kept, [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r'; });
    if (kept.size() % 4 == 0)
        for (int i = 0; i < 2 && kept.ends_with('='); ++i) kept.pop_back();
    return from_base64url(kept);
}

// This thread's room for one token's bytes: opening a token of usual size allocates nothing for
// them. A large one's room is given back.
class room {
public:
    explicit room(std::size_t bytes) {
        if (buffer().size() < bytes) buffer().resize(bytes);
    }
    ~room() {
        if (buffer().size() > 64 * 1024) std::string().swap(buffer());
    }
    char* at(std::size_t offset) noexcept { return buffer().data() + offset; }

private:
    static std::string& buffer() {
        thread_local std::string bytes;
        return bytes;
    }
};

opened refuse(refusal why) { return {std::nullopt, why}; }

// What the header says of the key: the encryption, and which key of the ring.
struct named_key {
    const encryption* with = nullptr;
    const derived_key* key = nullptr;
    bool deflated = false;
    json::value header;
    refusal why = refusal::none;
};

named_key read_header(const key_ring& ring, std::string_view segment) {
    named_key out;
    // The header that we write ourselves needs no reading.
    if (!ring.empty() && segment == ring.header()) {
        out.with = &cbc_hs512;
        out.key = &ring.keys().front();
        return out;
    }
    out.why = refusal::malformed;
    const auto text = forgiving(segment);
    auto header = text ? json::parse(*text, header_limits) : std::nullopt;
    if (!header || !header->is_object() || header->find("crit") != nullptr) return out;
    if (const auto* zip = header->find("zip")) {
        if (header->text("zip") != "DEF" || !zip->is_string()) return out;
        out.deflated = true;
    }
    const auto enc = header->text("enc");
    if (header->text("alg") != "dir") return out;
    if (enc == cbc_hs512.name)
        out.with = &cbc_hs512;
    else if (enc == gcm256.name)
        out.with = &gcm256;
    else
        return out;

    out.why = refusal::no_key;
    const auto* kid = header->find("kid");
    if (kid == nullptr) {
        if (!ring.empty()) out.key = &ring.keys().front();
    } else if (const auto* wanted = kid->as_string()) {
        for (const auto& k : ring.keys())
            if (*wanted == (out.with == &cbc_hs512 ? k.cbc_kid : k.gcm_kid)) {
                out.key = &k;
                break;
            }
    }
    if (out.key == nullptr) return out;
    out.header = std::move(*header);
    out.why = refusal::none;
    return out;
}

refusal judge(const json::value& claims, const json::value& header, instant now) {
    if (!claims.is_object()) return refusal::bad_claims;
    for (const char* name : {"exp", "nbf", "iat"})
        if (const auto* v = claims.find(name); v != nullptr && !v->is_number())
            return refusal::bad_claims;
    const auto at = static_cast<double>(unix_seconds(now));
    const auto* nbf = claims.find("nbf");
    if (nbf != nullptr && nbf->as_number()->value > at + tolerance) return refusal::bad_claims;
    const auto* exp = claims.find("exp");
    if (exp != nullptr && exp->as_number()->value <= at - tolerance) return refusal::expired;
    // RFC 7519 section 5.3: claims repeated in the header must be the same.
    for (const char* name : {"iss", "sub", "aud"})
        if (const auto* copy = header.find(name)) {
            const auto* v = claims.find(name);
            if (v == nullptr || !(*v == *copy)) return refusal::bad_claims;
        }
    return refusal::none;
}

}  // namespace

key_ring::key_ring(const std::vector<secret>& secrets, std::string_view salt) {
    std::string all;
    for (const auto& s : secrets) {
        auto cbc = derive(s, salt, cbc_hs512), gcm = derive(s, salt, gcm256);
        all += cbc;
        all += gcm;
        auto cbc_kid = thumbprint(cbc, cbc_hs512), gcm_kid = thumbprint(gcm, gcm256);
        keys_.push_back({secret(std::move(cbc)), secret(std::move(gcm)), std::move(cbc_kid),
                         std::move(gcm_kid)});
    }
    if (keys_.empty()) return;
    identity_ = crypto::digest(crypto::hash::sha256, all);
    wipe(all);
    const auto header = json::make_object(
        {{"alg", "dir"}, {"enc", cbc_hs512.name}, {"kid", keys_.front().cbc_kid}});
    header_ = base64url(json::stringify(header));
}

std::string encode(const key_ring& ring, json::value claims, seconds max_age, io::clock& clock,
                   io::random& random) {
    if (ring.empty()) throw error(code::missing_secret, "no secret to encrypt a token with");
    const auto now = unix_seconds(clock.now());
    claims.set("iat", now);
    claims.set("exp", now + max_age.count());
    claims.set("jti", io::random_uuid(random));
    const auto iv = io::random_bytes(random, cbc_hs512.iv_bytes);
    auto plaintext = json::stringify(claims);
    const auto out =
        crypto::cbc_hs512_seal(ring.keys().front().cbc.reveal(), iv, ring.header(), plaintext);
    wipe(plaintext);
    return ring.header() + ".." + base64url(iv) + "." + base64url(out.ciphertext) + "." +
           base64url(out.tag);
}

opened decode(const key_ring& ring, std::string_view token, instant now) {
    if (token.empty()) return refuse(refusal::empty);
    std::array<std::string_view, 5> part;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const auto dot = token.find('.');
        if ((dot == token.npos) != (i + 1 == part.size())) return refuse(refusal::malformed);
        part[i] = token.substr(0, dot);
        if (dot != token.npos) token.remove_prefix(dot + 1);
    }
    const auto [header, encrypted_key, iv_text, ciphertext_text, tag_text] = part;
    if (!encrypted_key.empty()) return refuse(refusal::malformed);
    const auto named = read_header(ring, header);
    if (named.why != refusal::none) return refuse(named.why);

    // IV, ciphertext, tag and plaintext, one after the other.
    const auto longest = std::max({iv_text.size(), ciphertext_text.size(), tag_text.size()}) + 3;
    room bytes(4 * longest);
    std::array<std::string_view, 3> read;
    for (std::size_t i = 0; i < read.size(); ++i) {
        char* to = bytes.at(i * longest);
        if (const auto n = from_base64url_into(part[i + 2], {to, longest})) {
            read[i] = {to, *n};
        } else {
            const auto slow = forgiving(part[i + 2]);
            if (!slow) return refuse(refusal::malformed);
            std::copy(slow->begin(), slow->end(), to);
            read[i] = {to, slow->size()};
        }
    }
    const auto [iv, ciphertext, tag] = read;
    std::string_view plaintext;
    std::string elsewhere;
    if (named.with == &cbc_hs512) {
        char* to = bytes.at(3 * longest);
        const auto n = crypto::cbc_hs512_open_into(named.key->cbc.reveal(), iv, header, ciphertext,
                                                   tag, {to, longest});
        if (!n) return refuse(refusal::bad_tag);
        plaintext = {to, *n};
    } else {
        auto opened = crypto::gcm256_open(named.key->gcm.reveal(), iv, header, ciphertext, tag);
        if (!opened) return refuse(refusal::bad_tag);
        elsewhere = std::move(*opened);
        plaintext = elsewhere;
    }
    if (named.deflated) {
        auto inflated = crypto::inflate_raw(plaintext, inflated_limit);
        if (!inflated) return refuse(refusal::bad_claims);
        elsewhere = std::move(*inflated);
        plaintext = elsewhere;
    }
    opened out;
    out.claims = json::parse(plaintext, claims_limits);
    out.why = out.claims ? judge(*out.claims, named.header, now) : refusal::bad_claims;
    if (out.why != refusal::none) out.claims.reset();
    return out;
}

}  // namespace authjs::jose
