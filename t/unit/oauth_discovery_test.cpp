#include "oauth_sample.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::test;

static const char* const issuer = "https://id.example.com";

static std::string document(std::string_view members = "", std::string_view of = issuer) {
    return R"({"issuer":")" + std::string(of) + R"(")" + std::string(members) + "}";
}

static oauth::server read(std::string body, std::string_view of = issuer,
                          std::string_view placeholder = {}) {
    return oauth::discovery_response(answer(200, std::move(body)), of, placeholder);
}

static void test_document_lies_under_the_issuer(void**) {
    constexpr std::string_view rows[][2] = {
        {"https://a.example", "https://a.example/.well-known/openid-configuration"},
        {"https://a.example/", "https://a.example/.well-known/openid-configuration"},
        {"https://a.example/x/y", "https://a.example/x/y/.well-known/openid-configuration"},
        {"https://a.example/x/", "https://a.example/x/.well-known/openid-configuration"},
        {"http://a.example:8080/x", "http://a.example:8080/x/.well-known/openid-configuration"},
    };
    for (const auto& [of, where] : rows) assert_text(oauth::well_known_url(of), where);
    for (const char* none : {"", "id.example.com", "file:///etc/passwd", "ftp://id.example.com"})
        assert_true(refused(code::configuration, [&] { oauth::well_known_url(none); }));
}

static void test_request_asks_for_json(void**) {
    const auto rq = oauth::discovery_request("https://a.example/d");
    assert_text(rq.method, "GET");
    assert_text(rq.url, "https://a.example/d");
    assert_text(*http::find(rq.fields, "accept"), "application/json");
    assert_non_null(http::find(rq.fields, "user-agent"));
}

static void test_members_are_read(void**) {
    const auto as = read(document(R"(,"authorization_endpoint":"https://id.example.com/a?x=1")"
                                  R"(,"token_endpoint":"https://tokens.example.com/t")"
                                  R"(,"userinfo_endpoint":"https://id.example.com/u")"
                                  R"(,"jwks_uri":"https://keys.example.net/k")"
                                  R"(,"id_token_signing_alg_values_supported":["RS256","ES256"])"
                                  R"(,"authorization_response_iss_parameter_supported":true)"));
    assert_text(as.issuer, issuer);
    assert_text(as.authorization_endpoint, "https://id.example.com/a?x=1");
    assert_text(as.token_endpoint, "https://tokens.example.com/t");
    assert_text(as.userinfo_endpoint, "https://id.example.com/u");
    assert_text(as.jwks_uri, "https://keys.example.net/k");
    assert_int_equal(as.id_token_algs.size(), 2);
    assert_text(as.id_token_algs[1], "ES256");
    assert_true(as.iss_parameter);
    assert_text(as.placeholder, "");
}

// Azure AD B2C has no userinfo, and needs none: what is missing is for the flow to miss.
static void test_endpoints_may_be_absent(void**) {
    const auto as = read(document(R"(,"userinfo_endpoint":null)"));
    assert_text(as.userinfo_endpoint, "");
    assert_text(as.authorization_endpoint, "");
    assert_false(as.iss_parameter);
}

// [sec 62] The configured issuer may differ from the document's by one final slash, in nothing
// else.
static void test_issuer_is_compared_after_normalisation(void**) {
    struct {
        const char *configured, *told;
        bool same;
    } rows[] = {
        {"https://a.example", "https://a.example/", true},
        {"https://a.example/x", "https://a.example/x/", true},
        {"https://a.example/x/", "https://a.example/x", true},
        {"HTTPS://A.example:443", "https://a.example", true},
        {"https://a.example", "https://b.example", false},
        {"https://a.example/x", "https://a.example/X", false},
        {"https://a.example/x", "https://a.example/x//", false},
        {"https://a.example/x", "https://a.example/x/y", false},
        {"https://a.example", "http://a.example", false},
        {"https://a.example", "https://a.example:8443", false},
        {"https://a.example", "https://a.example?x", false},
        {"https://a.example", "a.example", false},
        {"https://a.example", "", false},
    };
    for (const auto& row : rows) {
        const auto failed =
            refused(code::configuration, [&] { read(document("", row.told), row.configured); });
        if (failed == row.same) print_error("%s | %s\n", row.configured, row.told);
        assert_true(failed != row.same);
    }
    assert_text(read(document("", "https://a.example/"), "https://a.example").issuer,
                "https://a.example/");
}

static void test_a_placeholder_stands_for_one_segment(void**) {
    const std::string_view common = "https://login.example.com/common/v2.0";
    const std::string told = "https://login.example.com/{tenantid}/v2.0";
    const auto as = read(document("", told), common, "{tenantid}");
    assert_text(as.issuer, told);
    assert_text(as.placeholder, "{tenantid}");
    assert_text(oauth::issuer_for(as, "9188040d-6c67"),
                "https://login.example.com/9188040d-6c67/v2.0");

    // `consumers`: the document names the tenant's number, which is then the issuer as it is.
    const auto fixed = read(document("", "https://login.example.com/9188040d/v2.0"),
                            "https://login.example.com/consumers/v2.0", "{tenantid}");
    assert_text(fixed.placeholder, "");
    assert_text(oauth::issuer_for(fixed, "other"), "https://login.example.com/9188040d/v2.0");

    for (const char* bad :
         {"https://login.example.com/{tenantid}/v1.0", "https://login.example.com/v2.0",
          "https://evil.example/{tenantid}/v2.0"})
        assert_true(
            refused(code::configuration, [&] { read(document("", bad), common, "{tenantid}"); }));
    assert_true(refused(code::configuration, [&] { read(document("", told), common); }));
}

// [sec 62] A claim that is no plain segment makes no issuer.
static void test_a_claim_that_is_no_segment_is_refused(void**) {
    oauth::server as;
    as.issuer = "https://login.example.com/{tenantid}/v2.0";
    as.placeholder = "{tenantid}";
    for (const char* bad : {"", ".", "..", "a/b", "a%2fb", "{tenantid}", "a b", "a\n"})
        assert_true(refused(code::callback_route_error, [&] { oauth::issuer_for(as, bad); }));
}

// [sec 75] What is no document ends as one kind of failure.
static void test_what_is_no_document_is_refused(void**) {
    const std::string good = document();
    const std::string bodies[] = {
        "",
        "<html></html>",
        "[]",
        "null",
        "{}",
        good + "x",
        "\xef\xbb\xbf" + good,
        document(R"(,"issuer":"https://id.example.com")"),
        document(",\"x\":\"\xff\""),
        R"({"issuer":1})",
        document(R"(,"token_endpoint":1)"),
        document(R"(,"token_endpoint":"/t")"),
        document(R"(,"token_endpoint":"")"),
        document(",\"x\":\"" + std::string(70'000, 'x') + "\""),
        document(",\"x\":" + std::string(40, '[') + std::string(40, ']')),
    };
    for (const auto& body : bodies) assert_true(refused(code::configuration, [&] { read(body); }));
    for (const int status : {201, 204, 301, 302, 307, 404, 500})
        assert_true(refused(code::configuration,
                            [&] { oauth::discovery_response(answer(status, good), issuer, {}); }));
}

// [sec 75] [sec 80] No document of the public internet makes us ask inside a private network.
static void test_endpoints_stay_outside_private_networks(void**) {
    constexpr std::string_view private_urls[] = {"https://127.0.0.1/",
                                                 "https://127.1/",
                                                 "https://2130706433/",
                                                 "https://0x7f000001/",
                                                 "https://0177.0.0.1/",
                                                 "https://0/",
                                                 "https://0.0.0.0/",
                                                 "https://10.1.2.3/",
                                                 "https://100.64.0.1/",
                                                 "https://100.100.100.200/",
                                                 "https://168.63.129.16/",
                                                 "https://169.254.169.254/latest/meta-data",
                                                 "https://172.16.0.1/",
                                                 "https://172.31.255.255/",
                                                 "https://192.168.0.1/",
                                                 "https://192.0.0.192/",
                                                 "https://198.18.0.1/",
                                                 "https://224.0.0.1/",
                                                 "https://255.255.255.255/",
                                                 "https://[::]/",
                                                 "https://[::1]/",
                                                 "https://[::127.0.0.1]/",
                                                 "https://[::ffff:127.0.0.1]/",
                                                 "https://[::ffff:a9fe:a9fe]/",
                                                 "https://[::ffff:0:a00:1]/",
                                                 "https://[64:ff9b::10.0.0.1]/",
                                                 "https://[64:ff9b:1::1]/",
                                                 "https://[2002:7f00:1::]/",
                                                 "https://[2001:0:1::1]/",
                                                 "https://[fc00::1]/",
                                                 "https://[fd00:ec2::254]/",
                                                 "https://[fe80::1]/",
                                                 "https://[fec0::1]/",
                                                 "https://[ff02::1]/",
                                                 "https://localhost/",
                                                 "https://LOCALHOST./",
                                                 "https://a.localhost/",
                                                 "https://metadata.google.internal/",
                                                 "https://metadata/",
                                                 "https://printer.local/",
                                                 "https://localhost.localdomain/",
                                                 "https://router.home.arpa/"};
    for (const auto where : private_urls) {
        const auto body = document(R"(,"jwks_uri":")" + std::string(where) + R"(")");
        const bool failed = refused(code::configuration, [&] { read(body); });
        if (!failed) print_error("%s\n", std::string(where).c_str());
        assert_true(failed);
        // Where the issuer itself is inside, so may be the rest.
        for (const char* inside : {"https://10.0.0.1", "https://localhost:8443", "https://[::1]"})
            read(document(R"(,"jwks_uri":")" + std::string(where) + R"(")", inside), inside);
    }
    for (const char* where : {"https://172.32.0.1/", "https://100.128.0.1/", "https://8.8.8.8/",
                              "https://[2606:4700::1]/", "https://[::ffff:8.8.8.8]/",
                              "https://localhost.example.com/", "https://internal.example.com/"})
        assert_text(read(document(R"(,"jwks_uri":")" + std::string(where) + R"(")")).jwks_uri,
                    parse_url(where)->href());
}

// [sec 80] A name of the internet may come to stand for an address inside: where the document came
// from outside, requests to what it names do not go there.
static void test_endpoints_of_a_public_document_are_kept_outside(void**) {
    const auto members =
        R"(,"token_endpoint":"https://t.example.com/t","jwks_uri":"https://k.example.com/k")"
        R"(,"userinfo_endpoint":"https://u.example.com/u")";
    const auto from = [&](const char* peer, const char* of = issuer) {
        auto told = answer(200, document(members, of));
        told.peer = peer;
        return oauth::discovery_response(told, of, {});
    };
    const auto asks = [](const oauth::server& as, const char* where) {
        return oauth::kept_outside(as, oauth::discovery_request(where)).refuses;
    };
    for (const char* peer : {"93.184.216.34", "[2606:4700::1]"})
        for (const char* where :
             {"https://t.example.com/t", "https://k.example.com/k", "https://u.example.com/u"}) {
            const auto refuses = asks(from(peer), where);
            assert_non_null(refuses);
            assert_true(refuses("169.254.169.254") && refuses("[::1]") && !refuses("8.8.8.8"));
        }
    // What the operator wrote, an issuer inside, and what a proxy looked up are left alone.
    assert_null(asks(from("93.184.216.34"), "https://configured.example.com/t"));
    for (const char* peer : {"10.1.2.3", "127.0.0.1", "[fd00::1]", ""})
        assert_null(asks(from(peer), "https://t.example.com/t"));
    assert_null(asks(from("93.184.216.34", "https://sso.internal"), "https://t.example.com/t"));
}

// [sec 75]
static void test_endpoints_of_an_https_issuer_are_https(void**) {
    for (const char* name :
         {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"})
        for (const char* where :
             {"http://id.example.com/", "file:///etc/passwd", "gopher://x.example/"})
            assert_true(refused(code::configuration, [&] {
                read(document(R"(,")" + std::string(name) + R"(":")" + where + R"(")"));
            }));
    const char* plain = "http://id.example.com";
    assert_text(read(document(R"(,"jwks_uri":"http://id.example.com/k")", plain), plain).jwks_uri,
                "http://id.example.com/k");
}

static void test_an_answer_is_fresh_as_long_as_it_says(void**) {
    struct {
        const char* control;
        std::int64_t seconds;
    } rows[] = {
        {"max-age=600", 600},
        {"public, MAX-AGE=600, must-revalidate", 600},
        {"max-age=\"600\"", 600},
        {"max-age=0", 300},
        {"max-age=299", 300},
        {"max-age=86401", 86400},
        {"max-age=99999999999999999999", 86400},
        {"no-store", 3600},
        {"s-maxage=600", 3600},
        {"max-age=", 3600},
        {"max-age=x", 3600},
        {"", 3600},
    };
    for (const auto& row : rows)
        assert_int_equal(
            oauth::fresh_for(answer(200, "", {{"cache-control", row.control}})).count(),
            row.seconds);
    assert_int_equal(oauth::fresh_for(answer(200, "")).count(), 3600);
    assert_int_equal(
        oauth::fresh_for(
            answer(200, "", {{"Cache-Control", "public"}, {"Cache-Control", "max-age=700"}}))
            .count(),
        700);
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_document_lies_under_the_issuer),
        unit(test_request_asks_for_json),
        unit(test_members_are_read),
        unit(test_endpoints_may_be_absent),
        unit(test_issuer_is_compared_after_normalisation),
        unit(test_a_placeholder_stands_for_one_segment),
        unit(test_a_claim_that_is_no_segment_is_refused),
        unit(test_what_is_no_document_is_refused),
        unit(test_endpoints_stay_outside_private_networks),
        unit(test_endpoints_of_a_public_document_are_kept_outside),
        unit(test_endpoints_of_an_https_issuer_are_https),
        unit(test_an_answer_is_fresh_as_long_as_it_says),
    };
    return cmocka_run_group_tests_name("oauth/discovery", tests, nullptr, nullptr);
}
