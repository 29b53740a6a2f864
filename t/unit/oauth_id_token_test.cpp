#include "oauth_sample.hpp"
#include "unit.hpp"
#include "util/bytes.hpp"

using namespace authjs;
using namespace authjs::test;

static oauth::id_token_rules usual() {
    oauth::id_token_rules rules;
    rules.issuer = "https://id.example.com";
    rules.client_id = "me";
    rules.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    rules.code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
    return rules;
}

// A token with these claims laid over good ones; a claim given as null is taken away.
static jose::jws token(std::string_view changes = "{}", std::string_view alg = "ES256") {
    jose::jws t;
    t.alg = alg;
    t.claims = parsed(R"({"iss":"https://id.example.com","aud":"me","sub":"ada",)"
                      R"("exp":1704067800,"iat":1704067200})");
    const auto changed = parsed(changes);
    for (const auto& [name, value] : *changed.as_object())
        if (value.is_null())
            t.claims.erase(name);
        else
            t.claims.set(name, value);
    return t;
}

static bool is_good(std::string_view changes, const oauth::id_token_rules& rules = usual(),
                    std::string_view alg = "ES256") {
    const auto t = token(changes, alg);
    const auto failure = failure_of([&] { oauth::check_id_token(t, rules, now); });
    if (failure)
        assert_int_equal(static_cast<int>(failure->id()),
                         static_cast<int>(code::callback_route_error));
    return !failure;
}

// [sec 54] [sec 55] The algorithm is the configured one, else announced, else RS256; a secret
// vouches only where the configuration names it.
static void test_the_algorithm_is_an_agreed_one(void**) {
    using list = std::vector<std::string>;
    struct {
        const char *token, *configured;
        list announced;
        bool good;
    } rows[] = {
        {"RS256", "", {}, true},
        {"ES256", "", {}, false},
        {"PS256", "", {}, false},
        {"ES256", "", {"RS256", "ES256"}, true},
        {"EdDSA", "", {"EdDSA"}, true},
        {"PS512", "", {"PS512"}, true},
        {"RS256", "", {"ES256"}, false},
        {"HS256", "", {"HS256"}, false},
        {"HS512", "", {}, false},
        {"HS256", "HS256", {}, true},
        {"HS384", "HS256", {}, false},
        {"RS256", "HS256", {"RS256"}, false},
        {"HS256", "RS256", {"HS256"}, false},
        {"ES384", "ES384", {"RS256"}, true},
        {"none", "", {"none"}, false},
        {"None", "", {"None"}, false},
        {"NONE", "NONE", {}, false},
        {"nOnE", "", {}, false},
        {"", "", {}, false},
        {"", "", {""}, false},
        {"rs256", "", {"rs256"}, false},
        {"RS256 ", "", {"RS256 "}, false},
        {"RS1", "", {"RS1"}, false},
    };
    for (const auto& row : rows) {
        auto rules = usual();
        rules.alg = row.configured;
        rules.server_algs = row.announced;
        const auto t = token("{}", row.token);
        const bool good =
            !refused(code::callback_route_error, [&] { oauth::id_token_alg(t, rules); });
        if (good != row.good) print_error("%s %s\n", row.token, row.configured);
        assert_true(good == row.good);
    }
}

static void test_a_usual_token_is_good(void**) {
    assert_true(is_good("{}"));
    assert_true(is_good(R"({"jti":1})"));  // nobody reads it
    assert_true(is_good(R"({"jti":"x","azp":"other","extra":{"a":[1]}})"));
}

static void test_required_claims_are_there_and_of_their_kind(void**) {
    for (const char* changes :
         {R"({"iss":null})", R"({"aud":null})", R"({"sub":null})", R"({"exp":null})",
          R"({"iat":null})", R"({"iss":1})", R"({"sub":7})", R"({"sub":["ada"]})", R"({"aud":1})",
          R"({"aud":{}})", R"({"exp":"1704067800"})", R"({"iat":"x"})", R"({"nbf":"x"})",
          R"({"nonce":1})", R"({"at_hash":1})", R"({"azp":{}})", R"({"auth_time":"1"})"})
        assert_false(is_good(changes));
}

// [sec 62] Exactly the discovered spelling.
static void test_the_issuer_is_exact(void**) {
    for (const char* iss :
         {"https://id.example.com/", "https://ID.example.com", "https://id.example.co",
          "http://id.example.com", " https://id.example.com", ""})
        assert_false(is_good(R"({"iss":")" + std::string(iss) + R"("})"));
}

// [sec 61]
static void test_the_audience_is_this_client(void**) {
    struct {
        const char* changes;
        bool good;
    } rows[] = {
        {R"({"aud":["me"]})", true},
        {R"({"aud":["me"],"azp":"other"})", true},
        {R"({"aud":["me","other"],"azp":"me"})", true},
        {R"({"aud":["other","me"]})", false},
        {R"({"aud":["me","other"],"azp":"other"})", false},
        {R"({"aud":["me","me"]})", false},
        {R"({"aud":["me",1]})", false},
        {R"({"aud":[["me"]]})", false},
        {R"({"aud":"other"})", false},
        {R"({"aud":"ME"})", false},
        {R"({"aud":"me other"})", false},
        {R"({"aud":""})", false},
        {R"({"aud":[]})", false},
    };
    for (const auto& row : rows) assert_true(is_good(row.changes) == row.good);
}

// [sec 60] Half a minute of tolerance, and no value wraps.
static void test_times_are_judged_with_tolerance(void**) {
    struct {
        const char* changes;
        bool good;
    } rows[] = {
        {R"({"exp":1704067171})", true},    // 29 s ago
        {R"({"exp":1704067170})", false},   // 30 s ago
        {R"({"exp":1704067170.5})", true},  // a fraction later
        {R"({"exp":0})", false},           {R"({"exp":-1})", false},
        {R"({"exp":1e300})", true},        {R"({"exp":9007199254740993})", true},
        {R"({"exp":4102444800})", true},  // 2100
        {R"({"exp":-1e300})", false},      {R"({"nbf":1704067230})", true},
        {R"({"nbf":1704067231})", false},  {R"({"nbf":1e300})", false},
        {R"({"nbf":-5})", true},           {R"({"iat":4102444800})", true},
    };
    for (const auto& row : rows) assert_true(is_good(row.changes) == row.good);
}

static void test_max_age_wants_a_recent_authentication(void**) {
    auto rules = usual();
    rules.max_age = seconds(60);
    assert_false(is_good("{}", rules));
    assert_true(is_good(R"({"auth_time":1704067110})", rules));
    assert_false(is_good(R"({"auth_time":1704067109})", rules));
    assert_false(is_good(R"({"auth_time":-1})"));
    assert_true(is_good(R"({"auth_time":0})"));
}

// [sec 63]
static void test_the_nonce_is_the_one_sent(void**) {
    auto sent = usual();
    sent.nonce = "n0nce";
    assert_true(is_good(R"({"nonce":"n0nce"})", sent));
    for (const char* changes :
         {"{}", R"({"nonce":""})", R"({"nonce":"N0nce"})", R"({"nonce":"n0nce "})"})
        assert_false(is_good(changes, sent));
    assert_false(is_good(R"({"nonce":"n0nce"})"));
    assert_false(is_good(R"({"nonce":""})"));
}

// [sec 63] The samples of OpenID Connect Core appendix A.3 and A.4.
static void test_hashes_are_of_this_token_and_code(void**) {
    assert_true(is_good(R"({"at_hash":"77QmUPtjPfzWtF2AnpK9RQ"})", usual(), "RS256"));
    assert_true(is_good(R"({"c_hash":"LDktKdoQak3Pk0cnXxCltA"})", usual(), "RS256"));
    for (const char* bad :
         {R"({"at_hash":"77QmUPtjPfzWtF2AnpK9RA"})", R"({"at_hash":""})",
          R"({"at_hash":"77QmUPtjPfzWtF2AnpK9RQ=="})", R"({"at_hash":"77QmUPtjPfzWtF2AnpK9"})",
          R"({"c_hash":"77QmUPtjPfzWtF2AnpK9RQ"})"})
        assert_false(is_good(bad, usual(), "RS256"));

    const auto half = [](crypto::hash h) {
        auto digest = crypto::digest(h, usual().access_token);
        digest.resize(digest.size() / 2);
        return R"({"at_hash":")" + base64url(digest) + R"("})";
    };
    const auto whole = R"({"at_hash":")" +
                       base64url(crypto::digest(crypto::hash::sha256, usual().access_token)) +
                       R"("})";
    assert_false(is_good(whole, usual(), "ES256"));
    struct {
        const char* alg;
        crypto::hash hash;
    } rows[] = {{"ES256", crypto::hash::sha256}, {"HS256", crypto::hash::sha256},
                {"PS384", crypto::hash::sha384}, {"ES384", crypto::hash::sha384},
                {"ES512", crypto::hash::sha512}, {"EdDSA", crypto::hash::sha512}};
    for (const auto& row : rows) {
        assert_true(is_good(half(row.hash), usual(), row.alg));
        assert_false(is_good(half(crypto::hash::sha1), usual(), row.alg));
    }
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_the_algorithm_is_an_agreed_one),
        unit(test_a_usual_token_is_good),
        unit(test_required_claims_are_there_and_of_their_kind),
        unit(test_the_issuer_is_exact),
        unit(test_the_audience_is_this_client),
        unit(test_times_are_judged_with_tolerance),
        unit(test_max_age_wants_a_recent_authentication),
        unit(test_the_nonce_is_the_one_sent),
        unit(test_hashes_are_of_this_token_and_code),
    };
    return cmocka_run_group_tests_name("oauth/id_token", tests, nullptr, nullptr);
}
