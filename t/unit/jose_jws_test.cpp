// Tokens and keys that strangers made, and keys that sign.
#include <chrono>
#include <cstdio>

#include "oauth_sample.hpp"
#include "unit.hpp"
#include "util/bytes.hpp"

using namespace authjs;
using namespace authjs::test;
using crypto::sig;

static std::string compact(std::string_view header, std::string_view claims,
                           std::string_view signature = "s") {
    return base64url(header) + "." + base64url(claims) + "." + base64url(signature);
}
static bool reads(std::string_view header, std::string_view claims = R"({"sub":"ada"})") {
    return jose::parse_jws(compact(header, claims)).has_value();
}

// [sec 54] [sec 56] What a header may be. Members that point to keys are no reason to refuse, and
// are not looked at: keys come from the issuer's set alone.
static void test_headers(void**) {
    struct {
        const char* header;
        bool good;
    } rows[] = {
        {R"({"alg":"RS256"})", true},
        {R"({"alg":"none"})", true},  // read; no list of algorithms ever holds it
        {R"({"alg":"RS256","kid":"k","typ":"JWT","jku":"https://evil.example/k","x5u":"x"})", true},
        {R"({"alg":"RS256","jwk":{"kty":"oct","k":"AAAA"},"x5c":["AAAA"]})", true},
        {R"({"alg":"RS256","kid":"../../etc/passwd"})", true},
        {R"({"alg":"RS256","kid":"' OR 1=1 --"})", true},
        {R"({"alg":"RS256","kid":null})", false},
        {R"({"alg":"RS256","kid":1})", false},
        {R"({})", false},
        {R"({"alg":null})", false},
        {R"({"alg":["RS256"]})", false},
        {R"({"alg":256})", false},
        {R"({"alg":"RS256","alg":"none"})", false},
        {R"({"alg":"RS256","crit":["exp"]})", false},
        {R"({"alg":"RS256","crit":[]})", false},
        {R"({"alg":"RS256","b64":false})", false},
        {R"({"alg":"RS256","b64":true})", false},
        {R"({"alg":"RS256","zip":"DEF"})", false},
        {R"(["alg","RS256"])", false},
        {R"("RS256")", false},
        {"", false},
    };
    for (const auto& row : rows)
        if (reads(row.header) != row.good) fail_msg("%s", row.header);
    const std::string long_kid(65'536, 'k');
    assert_false(reads(R"({"alg":"RS256","kid":")" + long_kid + R"("})"));
}

// [sec 59] The three segments are strict base64url of strict JSON objects.
static void test_forms(void**) {
    const auto good = compact(R"({"alg":"RS256"})", R"({"sub":"ada"})");
    const auto read = jose::parse_jws(good);
    assert_true(read.has_value());
    assert_text(read->alg, "RS256");
    assert_text(read->kid, "");
    assert_text(read->signature, "s");
    assert_text(read->signing_input, good.substr(0, good.rfind('.')));
    assert_text(read->claims.text("sub"), "ada");

    const auto bad = [](const std::string& t) {
        if (jose::parse_jws(t)) fail_msg("%s", t.c_str());
    };
    const auto first = good.find('.'), second = good.find('.', first + 1);
    bad("");
    bad(".");
    bad("..");
    bad(good.substr(0, second));    // two segments
    bad(good + ".AAAA");            // four
    bad(good + ".AAAA.AAAA");       // five
    bad(good + ".AAAA.AAAA.AAAA");  // six
    bad(" " + good);
    bad(good + "\n");
    bad(good + "=");                        // padding
    bad(good.substr(0, second) + ".cx");    // left-over bits: not canonical
    bad(good.substr(0, second) + ".c+/w");  // the other alphabet
    bad(R"({"payload":"e30","signatures":[{"protected":"e30","signature":"AA"}]})");
    for (const char* claims :
         {R"({"sub":"a","sub":"b"})", "\xef\xbb\xbf{}", "{\"sub\":\"\xff\"}", "[]", "1", "null",
          R"({"exp":NaN})", R"({"exp":1e400})", R"({"exp":01})", R"({"a":1,})", "{} {}", ""})
        bad(compact(R"({"alg":"RS256"})", claims));
    const auto deep = [](int n) { return std::string(static_cast<std::size_t>(n), '['); };
    for (const int n : {32, 100'000}) bad(compact(R"({"alg":"RS256"})", R"({"a":)" + deep(n)));
    bad(compact(R"({"alg":"RS256"})", R"({"a":")" + std::string(70'000, 'x') + R"("})"));
}

// [sec 55] [sec 58] A key verifies tokens of its own kind, algorithm and form of signature alone.
static void test_verifying(void**) {
    const auto set = jose::jwk_set::parse(key_set({ec_private, ed_private, rsa_private}));
    assert_true(set && set->size() == 3);
    const auto claims = parsed(R"({"sub":"ada"})");
    struct {
        std::string_view key, kid;
        sig alg;
    } rows[] = {
        {ec_private, "one", sig::es256},  {ed_private, "ed", sig::eddsa},
        {rsa_private, "rsa", sig::rs256}, {rsa_private, "rsa", sig::rs384},
        {rsa_private, "rsa", sig::rs512}, {rsa_private, "rsa", sig::ps256},
        {rsa_private, "rsa", sig::ps384}, {rsa_private, "rsa", sig::ps512},
    };
    for (const auto& row : rows) {
        const auto key = key_of(row.key);
        const auto header =
            json::make_object({{"alg", crypto::sig_name(row.alg)}, {"kid", row.kid}});
        const auto token = jose::parse_jws(jose::sign(header, claims, key.key, row.alg));
        assert_true(token.has_value());
        assert_true(jose::verify(*token, *set, row.alg));
        for (int i = 0; i <= static_cast<int>(sig::eddsa); ++i)
            if (static_cast<sig>(i) != row.alg)
                assert_false(jose::verify(*token, *set, static_cast<sig>(i)));
        // The header names another algorithm than the one that was agreed on.
        for (const auto other : {"none", "HS256", "RS256", "ES256", "EdDSA", "PS256"}) {
            auto renamed = *token;
            renamed.alg = other;
            if (other != crypto::sig_name(row.alg))
                assert_false(jose::verify(renamed, *set, row.alg));
        }
        auto unnamed = *token;
        unnamed.kid = "";
        assert_true(jose::verify(unnamed, *set, row.alg));
        unnamed.kid = "another";
        assert_false(jose::verify(unnamed, *set, row.alg));
        for (std::size_t i = 0; i < token->signature.size(); i += 7) {
            auto changed = *token;
            changed.signature[i] = static_cast<char>(changed.signature[i] ^ 1);
            assert_false(jose::verify(changed, *set, row.alg));
        }
        for (const auto& wrong :
             {std::string(), token->signature.substr(1), token->signature + std::string(1, '\0'),
              std::string(1, '\0') + token->signature, std::string(token->signature.size(), '\0'),
              std::string(token->signature.size(), '\xff')}) {
            auto changed = *token;
            changed.signature = wrong;
            assert_false(jose::verify(changed, *set, row.alg));
        }
        // The public key as a shared secret.
        auto confused = *token;
        confused.alg = "HS256";
        assert_false(jose::verify_hs(confused, key_set({row.key}), sig::hs256));
    }
    // r = 0, s = 0, r = n, and DER instead of r || s.
    const std::string n =
        *from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
    const std::string zero(32, '\0'), one = std::string(31, '\0') + '\1';
    jose::jws t;
    t.alg = "ES256";
    t.signing_input = "e30.e30";
    for (const auto& s : {zero + one, one + zero, n + one, one + n, zero + zero,
                          *from_hex("3006020101020101"), std::string("\x30\x06\x02\x01\x01")}) {
        t.signature = s;
        assert_false(jose::verify(t, *set, sig::es256));
    }
}

static void test_shared_secrets(void**) {
    const auto claims = parsed(R"({"sub":"ada"})");
    for (const auto alg : {sig::hs256, sig::hs384, sig::hs512}) {
        const auto header = json::make_object({{"alg", crypto::sig_name(alg)}});
        const auto t = jose::parse_jws(jose::sign_hs(header, claims, "s3cret", alg));
        assert_true(jose::verify_hs(*t, "s3cret", alg));
        assert_false(jose::verify_hs(*t, "s3creT", alg));
        assert_false(jose::verify_hs(*t, "", alg));
        assert_false(jose::verify_hs(*t, "s3cret", sig::rs256));
        assert_false(jose::verify_hs(*t, "s3cret", alg == sig::hs256 ? sig::hs512 : sig::hs256));
    }
    const auto header = json::make_object({{"alg", "RS256"}});
    assert_true(failure_of([&] { jose::sign_hs(header, claims, "s", sig::rs256); }).has_value());
    assert_true(failure_of([&] { jose::sign_hs(header, claims, "", sig::hs256); }).has_value());
    const auto ec = key_of(ec_private);
    assert_true(failure_of([&] { jose::sign(header, claims, ec.key, sig::rs256); }).has_value());
    assert_true(failure_of([&] { jose::sign(header, claims, ec.key, sig::es384); }).has_value());
}

// One key laid over with changes; null takes a member away.
static bool usable(std::string_view jwk, std::string_view changes = "{}") {
    auto key = parsed(jwk);
    for (const char* name : {"d", "p", "q"}) key.erase(name);
    const auto changed = parsed(changes);
    for (const auto& [name, v] : *changed.as_object())
        if (v.is_null())
            key.erase(name);
        else
            key.set(name, v);
    const auto set =
        jose::jwk_set::parse(json::stringify(json::make_object({{"keys", json::array{key}}})));
    assert_true(set.has_value());
    return set->size() == 1;
}

static std::string text_member(std::string_view name, std::string_view bytes) {
    return "{\"" + std::string(name) + "\":\"" + base64url(bytes) + "\"}";
}

// [sec 57] Keys that are weak, twisted or not for this are skipped, and quickly.
static void test_unusable_keys(void**) {
    for (const auto key : {ec_private, ed_private, rsa_private}) {
        assert_true(usable(key));
        assert_true(usable(key, R"({"use":"sig"})"));
        assert_true(usable(key, R"({"key_ops":["verify"]})"));
        for (const char* changes :
             {R"({"use":"enc"})", R"({"use":1})", R"({"use":""})", R"({"key_ops":["sign"]})",
              R"({"key_ops":[]})", R"({"key_ops":"verify"})", R"({"kty":"oct"})", R"({"kty":"ec"})",
              R"({"kty":null})", R"({"kid":1})", R"({"alg":["ES256"]})"})
            if (usable(key, changes)) fail_msg("%s", changes);
    }
    for (const char* changes :
         {R"({"crv":"P-384"})", R"({"crv":"P-521"})", R"({"crv":"secp256k1"})", R"({"crv":null})",
          R"({"x":""})", R"({"x":"AA"})", R"({"x":null})", R"({"y":"AA"})",
          R"({"x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})"})
        if (usable(ec_private, changes)) fail_msg("%s", changes);
    // The point at infinity, a coordinate that is not reduced, one with its padding left in.
    const std::string zero(32, '\0');
    assert_false(usable(ec_private,
                        R"({"x":")" + base64url(zero) + R"(","y":")" + base64url(zero) + R"("})"));
    assert_false(usable(ec_private, text_member("y", std::string(32, '\xff'))));

    const auto modulus = *from_base64url(parsed(rsa_private).text("n"));
    auto even = modulus;
    even.back() = static_cast<char>(even.back() & 0xfe);
    std::string huge(2048, '\xff');
    for (const auto& n : {std::string(64, '\xff'), std::string(128, '\xff'), even, huge,
                          std::string(), std::string(256, '\0')})
        assert_false(usable(rsa_private, text_member("n", n)));
    for (const auto& e : {std::string("\1"), std::string("\2"), std::string("\1\0\0", 3),
                          std::string(), std::string("\0", 1), std::string(9, '\xff')})
        assert_false(usable(rsa_private, text_member("e", e)));

    // Points of low order on Ed25519: a signature under them vouches for nothing.
    for (const char* x : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000080",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"})
        if (usable(ed_private, text_member("x", *from_hex(x)))) fail_msg("%s", x);
    for (const std::size_t n : {0u, 31u, 33u})
        assert_false(usable(ed_private, text_member("x", std::string(n, '\7'))));
}

// [sec 57] Of keys with one kid, those of the token's kind are asked; never more than four.
static void test_candidates(void**) {
    auto ed = parsed(ed_private), ec = parsed(ec_private);
    ed.set("kid", "same");
    ec.set("kid", "same");
    const auto set = jose::jwk_set::parse(key_set({json::stringify(ed), json::stringify(ec)}));
    assert_int_equal(set->candidates("same", sig::es256).size(), 1);
    assert_int_equal(set->candidates("same", sig::eddsa).size(), 1);
    assert_int_equal(set->candidates("same", sig::rs256).size(), 0);
    assert_int_equal(set->candidates("", sig::es256).size(), 1);
    assert_true(set->has_kid("same") && !set->has_kid("") && !set->has_kid("other"));
    // The key's own algorithm is binding.
    assert_int_equal(jose::jwk_set::parse(key_set({ec_private}))->candidates("", sig::es384).size(),
                     0);

    // The right key stands fifth behind others of its kind: it is not reached.
    std::string keys = R"({"keys":[)";
    auto other = parsed(other_ec_private), right = parsed(ec_private);
    other.erase("kid");
    right.erase("kid");
    for (int i = 0; i < 4; ++i) keys += json::stringify(other) + ",";
    const auto fifth = jose::jwk_set::parse(keys + json::stringify(right) + "]}");
    const auto header = json::make_object({{"alg", "ES256"}});
    const auto token =
        jose::parse_jws(jose::sign(header, parsed("{}"), key_of(ec_private).key, sig::es256));
    assert_int_equal(fifth->candidates("", sig::es256).size(), 5);
    assert_false(jose::verify(*token, *fifth, sig::es256));
}

// [sec 76] A set of any size is read in bounded time into a bounded number of keys.
static void test_big_sets(void**) {
    std::string many = R"({"keys":[)", unknown = many;
    for (int i = 0; i < 300; ++i) many += std::string(i ? "," : "") + std::string(ec_private);
    for (int i = 0; i < 5'000; ++i) unknown += std::string(i ? "," : "") + R"({"kty":"PQC"})";
    assert_int_equal(jose::jwk_set::parse(many + "]}")->size(), 64);
    assert_int_equal(jose::jwk_set::parse(unknown + "," + std::string(ec_private) + "]}")->size(),
                     0);
    const auto huge = R"({"keys":[)" + std::string(50u << 20, ' ') + "]}";
    const auto begin = std::chrono::steady_clock::now();
    assert_false(jose::jwk_set::parse(huge).has_value());
    assert_true(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(500));
    for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":null})", "<html>",
                             R"({"keys":[],"keys":[]})"})
        assert_false(jose::jwk_set::parse(text).has_value());
    assert_int_equal(jose::jwk_set::parse(R"({"keys":[null,1,"x",[],{}]})")->size(), 0);
}

static std::string openssl(const std::string& arguments) {
    FILE* out = popen(("openssl " + arguments + " 2>/dev/null").c_str(), "r");
    assert_non_null(out);
    std::string text;
    char bytes[4096];
    for (std::size_t n; (n = fread(bytes, 1, sizeof bytes, out)) > 0;) text.append(bytes, n);
    assert_int_equal(pclose(out), 0);
    return text;
}

// Keys for private_key_jwt, in every wrapping that openssl writes.
static void test_signing_keys(void**) {
    struct {
        const char *how, *alg;  // alg empty: no key of ours
    } rows[] = {
        {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048", "RS256"},
        {"genrsa -traditional 2048", "RS256"},
        {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ES256"},
        {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "ES384"},
        {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521", "ES512"},
        {"ecparam -name prime256v1 -genkey -noout", "ES256"},
        {"genpkey -algorithm ED25519", "EdDSA"},
        {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024", ""},
        {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1", ""},
        {"genpkey -algorithm X25519", ""},
        {"genpkey -algorithm ED25519 -aes256 -pass pass:x", ""},
    };
    for (const auto& row : rows) {
        const auto pem = openssl(row.how);
        const auto key = jose::read_signing_key(pem);
        if (key.has_value() != (*row.alg != '\0')) fail_msg("%s", row.how);
        if (!key) continue;
        assert_text(key->alg, row.alg);
        const auto alg = *crypto::sig_from(key->alg);
        const auto signature = key->key.sign(alg, "text");
        assert_true(key->key.verify(alg, "text", signature));
        assert_false(key->key.verify(alg, "texT", signature));
    }
    assert_false(jose::read_signing_key(openssl("pkey -pubout -in /dev/stdin <<X\n" +
                                                openssl("genpkey -algorithm ED25519") + "X"))
                     .has_value());

    for (const auto jwk : {ec_private, ed_private, rsa_private}) {
        const auto key = jose::read_signing_key(jwk);
        assert_true(key.has_value());
        assert_text(key->kid, parsed(jwk).text("kid"));
        const auto alg = *crypto::sig_from(key->alg);
        assert_true(key->key.verify(alg, "text", key->key.sign(alg, "text")));
    }
    // RSA without its primes signs too; with another key's algorithm, half or point nothing does.
    auto bare = parsed(rsa_private);
    bare.erase("p");
    bare.erase("q");
    assert_true(jose::read_signing_key(json::stringify(bare)).has_value());
    for (const auto& [jwk, name, text] :
         {std::tuple{ec_private, "alg", "RS256"},
          {ec_private, "alg", "ES384"},
          {ec_private, "alg", "none"},
          {ec_private, "alg", "HS256"},
          {ec_private, "d", ""},
          {ec_private, "d", "bTsBWgyDSG3QFLE9pRBVXJYIcB3ig8Mw2wKSXMbH_w4"},
          {ed_private, "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
          {rsa_private, "d", "AQAB"},
          {rsa_private, "kty", "EC"}}) {
        auto key = parsed(jwk);
        key.set(name, text);
        if (jose::read_signing_key(json::stringify(key))) fail_msg("%s %s", name, text);
    }
    for (const char* text : {"", "{}", "[]", "-----BEGIN PRIVATE KEY-----", "secret"})
        assert_false(jose::read_signing_key(text).has_value());
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_headers),        unit(test_forms),         unit(test_verifying),
        unit(test_shared_secrets), unit(test_unusable_keys), unit(test_candidates),
        unit(test_big_sets),       unit(test_signing_keys),
    };
    return cmocka_run_group_tests_name("jose/jws", tests, nullptr, nullptr);
}
