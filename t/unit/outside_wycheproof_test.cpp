// Project Wycheproof's cases for what JWS and the session token use [sec 55] [sec 57] [sec 58]
// [sec 59]. They are not part of this repository: AUTHJS_OUTSIDE names their folder.
#include <cstdlib>
#include <functional>
#include <string>

#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"
#include "jose/jws.hpp"
#include "util/bytes.hpp"
#include "util/json.hpp"

#include "unit.hpp"

using namespace authjs;
using json::value;

namespace {

std::string folder() {
    const char* named = std::getenv("AUTHJS_OUTSIDE");
    return named != nullptr ? named : "../shared/vectors/outside";
}

std::string bytes(const value& v, std::string_view name) { return *from_hex(v.text(name)); }

// Cases whose label says something else than what we hold right:
// 346 347 350 351: the key's own `alg` is another than the token's (PS256, and ES521, which is no
// algorithm), so it does not verify it; 367 370: the token is letter for letter the one that other
// cases call valid; 372 373: a "?" inside base64url is called valid.
bool labelled_otherwise(std::string_view file, const value& test) {
    const auto id = test.find("tcId")->as_number()->value;
    for (const int n : {346, 347, 350, 351, 367, 370, 372, 373})
        if (file == "json_web_signature" && id == n) return true;
    return false;
}

// Cases of what we do not speak count as refused: encryption but by "dir", and sets of symmetric
// keys (a shared secret is the client's own, never published).
bool spoken(std::string_view file, const value& group, const value& test) {
    if (file == "json_web_encryption" || test.find("jwe") != nullptr) return false;
    const auto* own = group.find("private");
    const auto* set = own != nullptr ? own->find("keys") : nullptr;
    return set == nullptr || set->as_array()->front().text("kty") != "oct";
}

// Every test of a file is asked; those that say neither valid nor invalid may go either way.
void each(const char* file, const std::function<bool(const value& group, const value& test)>& ok) {
    const auto text = test::file_text(folder() + "/wycheproof_" + file + "_test.json");
    if (text.empty()) {
        print_message("skipped: no %s in %s\n", file, folder().c_str());
        throw test::skipped{};
    }
    const auto doc = json::parse(text, {4 << 20, 64});
    std::size_t read = 0, wrong = 0;
    for (const auto& group : *doc->find("testGroups")->as_array())
        for (const auto& t : *group.find("tests")->as_array()) {
            ++read;
            const auto result = t.text("result");
            const bool want =
                spoken(file, group, t) && (result == "valid") != labelled_otherwise(file, t);
            if (result == "acceptable" || ok(group, t) == want) continue;
            ++wrong;
            print_error("%s %s: %s\n", file, json::stringify(*t.find("tcId")).c_str(),
                        json::stringify(t).substr(0, 400).c_str());
        }
    print_message("%s: %zu cases\n", file, read);
    assert_int_equal(wrong, 0);
}

// A key as a provider would publish it.
std::optional<jose::jwk_set> published(const value* jwk) {
    if (jwk == nullptr) return std::nullopt;
    if (jwk->find("keys") != nullptr) return jose::jwk_set::parse(json::stringify(*jwk));
    const value set = json::make_object({{"keys", json::array{*jwk}}});
    return jose::jwk_set::parse(json::stringify(set));
}

void raw(const char* file, const char* key, crypto::sig alg) {
    each(file, [&](const value& group, const value& t) {
        auto set = published(group.find(key));
        if (!set) {  // a few EC groups have their key as a point only
            const auto point = bytes(*group.find("publicKey"), "uncompressed");
            const auto half = (point.size() - 1) / 2;
            const auto curve = alg == crypto::sig::es256   ? "P-256"
                               : alg == crypto::sig::es384 ? "P-384"
                                                           : "P-521";
            const value jwk = json::make_object({{"kty", "EC"},
                                                 {"crv", curve},
                                                 {"x", base64url(point.substr(1, half))},
                                                 {"y", base64url(point.substr(1 + half))}});
            set = published(&jwk);
        }
        const auto keys = set ? set->candidates("", alg) : std::vector<const jose::jwk*>{};
        return !keys.empty() && keys.front()->key.verify(alg, bytes(t, "msg"), bytes(t, "sig"));
    });
}

}  // namespace

static void test_es256(void**) {
    raw("ecdsa_secp256r1_sha256_p1363", "publicKeyJwk", crypto::sig::es256);
}
static void test_es384(void**) {
    raw("ecdsa_secp384r1_sha384_p1363", "publicKeyJwk", crypto::sig::es384);
}
static void test_es512(void**) {
    raw("ecdsa_secp521r1_sha512_p1363", "publicKeyJwk", crypto::sig::es512);
}
static void test_eddsa(void**) { raw("ed25519", "publicKeyJwk", crypto::sig::eddsa); }
static void test_rs256(void**) { raw("rsa_signature_2048_sha256", "keyJwk", crypto::sig::rs256); }
static void test_ps256(void**) {
    raw("rsa_pss_2048_sha256_mgf1_32", "publicKeyJwk", crypto::sig::ps256);
}

static void test_the_session_tokens_cipher(void**) {  // [sec 66]
    each("a256cbc_hs512", [](const value&, const value& t) {
        const auto key = bytes(t, "key"), iv = bytes(t, "iv"), aad = bytes(t, "aad");
        const auto got = crypto::cbc_hs512_open(key, iv, aad, bytes(t, "ct"), bytes(t, "tag"));
        return got && *got == bytes(t, "msg");
    });
}

// Whether a compact token verifies under a JWK or a set of them, as a client of ours would ask.
static bool verifies(const value& key, std::string_view text) {
    const auto first = text.find('.'), second = text.find('.', first + 1);
    const auto header = from_base64url(text.substr(0, first));
    const auto head = header ? json::parse(*header) : std::nullopt;
    const auto alg = crypto::sig_from(head ? head->text("alg") : std::string_view());
    const auto signature =
        second == text.npos ? std::nullopt : from_base64url(text.substr(second + 1));
    if (!alg || !signature || text.find('.', second + 1) != text.npos) return false;
    // Their payloads are no claims, so parse_jws would refuse all of them.
    jose::jws token;
    token.header = *head;
    token.alg = head->text("alg");
    token.kid = head->text("kid");
    token.signing_input = text.substr(0, second);
    token.signature = *signature;
    if (head->find("crit") != nullptr || head->find("b64") != nullptr ||
        !from_base64url(text.substr(first + 1, second - first - 1)))
        return false;
    if (key.text("kty") == "oct") {
        const auto fits = key.find("alg") == nullptr || key.text("alg") == token.alg;
        const auto k = from_base64url(key.text("k"));
        return fits && k && jose::verify_hs(token, *k, *alg);
    }
    const auto set = published(&key);
    return set && jose::verify(token, *set, *alg);
}

static const value& key_of(const value& group) {
    const auto* key = group.find("public");
    return key != nullptr ? *key : *group.find("private");
}

static void test_jws(void**) {  // [sec 54] [sec 56]
    each("json_web_signature",
         [](const value& group, const value& t) { return verifies(key_of(group), t.text("jws")); });
}
static void test_key_sets(void**) {  // [sec 57]
    each("json_web_key",
         [](const value& group, const value& t) { return verifies(key_of(group), t.text("jws")); });
}
static void test_mixed_kinds_of_tokens(void**) {  // [sec 55]
    each("json_web_crypto", [](const value& group, const value& t) {
        return t.find("jws") != nullptr && verifies(key_of(group), t.text("jws"));
    });
}
static void test_jwe(void**) {  // [sec 66]
    // None is "dir" with a key of ours, so each is refused, and as what it is.
    each("json_web_encryption", [](const value&, const value& t) {
        const jose::key_ring ring({secret("a secret")}, "salt");
        const auto opened = jose::decode(ring, t.text("jwe"), instant{});
        return opened.why == jose::refusal::none || opened.claims;
    });
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_es256),
        unit(test_es384),
        unit(test_es512),
        unit(test_eddsa),
        unit(test_rs256),
        unit(test_ps256),
        unit(test_the_session_tokens_cipher),
        unit(test_jws),
        unit(test_key_sets),
        unit(test_mixed_kinds_of_tokens),
        unit(test_jwe),
    };
    return cmocka_run_group_tests_name("outside/wycheproof", tests, nullptr, nullptr);
}
