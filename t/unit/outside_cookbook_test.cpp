// The worked examples of RFC 7520, as far as we speak them [sec 55] [sec 58]. They are not part of
// this repository: AUTHJS_OUTSIDE names their folder.
#include <cstdlib>
#include <string>

#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"
#include "jose/jws.hpp"
#include "util/bytes.hpp"
#include "util/json.hpp"

#include "unit.hpp"

using namespace authjs;
using json::value;

static value example(const std::string& name) {
    const char* named = std::getenv("AUTHJS_OUTSIDE");
    const auto folder = std::string(named != nullptr ? named : "../shared/vectors/outside");
    const auto text = test::file_text(folder + "/jose-cookbook/" + name + ".json");
    if (text.empty()) {
        print_message("skipped: no jose-cookbook/%s.json in %s\n", name.c_str(), folder.c_str());
        throw test::skipped{};
    }
    auto doc = json::parse(text);
    assert_true(doc.has_value());
    return std::move(*doc);
}

static void test_signatures(void**) {
    for (const char* name : {"4_1.rsa_v15_signature", "4_2.rsa-pss_signature",
                             "4_3.ecdsa_signature", "4_4.hmac-sha2_integrity_protection", "jws"}) {
        const auto doc = example(name);
        const auto& input = *doc.find("input");
        const auto& key = *input.find("key");
        const auto alg = crypto::sig_from(input.text("alg"));
        assert_true(alg.has_value());
        jose::jws token;
        token.alg = input.text("alg");
        token.kid = key.text("kid");
        token.signing_input = doc.find("signing")->text("sig-input");
        token.signature = *from_base64url(doc.find("signing")->text("sig"));
        const auto verifies = [&](const jose::jws& t) {
            if (key.text("kty") == "oct")
                return jose::verify_hs(t, *from_base64url(key.text("k")), *alg);
            const auto set = jose::jwk_set::parse(
                json::stringify(json::make_object({{"keys", json::array{key}}})));
            return jose::verify(t, *set, *alg);
        };
        assert_true(verifies(token));
        auto changed = token;
        changed.signing_input.back() ^= 1;
        assert_false(verifies(changed));

        // With the private half we make a token that verifies; the same one where signing is
        // deterministic.
        if (key.text("kty") == "oct") continue;
        const auto own = jose::read_signing_key(json::stringify(key));
        assert_true(own.has_value());
        auto again = token;
        again.signature = own->key.sign(*alg, token.signing_input);
        assert_true(verifies(again));
        if (alg == crypto::sig::rs256 || alg == crypto::sig::eddsa)
            assert_text(again.signature, token.signature);
    }
}

static void test_public_keys(void**) {
    for (const char* name : {"3_1.ec_public_key", "3_3.rsa_public_key"}) {
        const auto set = jose::jwk_set::parse(
            json::stringify(json::make_object({{"keys", json::array{example(name)}}})));
        assert_true(set && set->size() == 1);
    }
}

// A128GCM is not a session token's: refused, as whatever else has another key.
static void test_another_encryption_is_refused(void**) {
    const auto doc = example("5_6.direct_encryption_using_aes-gcm");
    const jose::key_ring ring({secret("a secret")}, "salt");
    const auto opened = jose::decode(ring, doc.find("output")->text("compact"), instant{});
    assert_true(opened.why == jose::refusal::malformed);
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_signatures),
        unit(test_public_keys),
        unit(test_another_encryption_is_refused),
    };
    return cmocka_run_group_tests_name("outside/cookbook", tests, nullptr, nullptr);
}
