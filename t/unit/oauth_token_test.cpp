#include "oauth_sample.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::test;

static oauth::token_set read(std::string body, int status = 200, bool error_is_told = false) {
    fixed_clock clock;
    return oauth::token_response(answer(status, std::move(body)), clock, error_is_told);
}

static std::string all_of(std::string body) { return json::stringify(read(std::move(body)).all); }

static http::request request(std::string_view verifier = "verif1er", const params& extra = {}) {
    oauth::server as;
    as.token_endpoint = "https://id.example.com/token?v=5";
    oauth::client me;
    me.id = "me";
    me.client_secret = secret("s3cret");
    me.method = oauth::auth_method::client_secret_post;
    fixed_clock clock;
    counting_random random;
    return oauth::token_request(as, me, {"c0de", "https://app.example/cb"}, verifier, extra, clock,
                                random);
}

static void test_request_is_a_form_in_authjs_order(void**) {
    const auto rq = request();
    assert_text(rq.method, "POST");
    assert_text(rq.url, "https://id.example.com/token?v=5");
    assert_text(*http::find(rq.fields, "content-type"),
                "application/x-www-form-urlencoded;charset=UTF-8");
    assert_text(*http::find(rq.fields, "accept"), "application/json");
    assert_text(rq.body,
                "redirect_uri=https%3A%2F%2Fapp.example%2Fcb&code=c0de&code_verifier=verif1er&"
                "grant_type=authorization_code&client_id=me&client_secret=s3cret");
}

static void test_request_without_pkce_has_no_verifier(void**) {
    assert_true(request("").body.find("code_verifier") == std::string::npos);
}

static void test_request_carries_what_the_provider_adds(void**) {
    params extra;
    extra.append("client_key", "me");
    assert_true(request("", extra).body.find("&client_key=me&") != std::string::npos);
}

static void test_answer_keeps_every_member_in_order(void**) {
    assert_text(
        all_of(
            R"({"z":1,"access_token":"a","token_type":"Bearer","expires_in":3600,"bot":{"id":2}})"),
        R"({"z":1,"access_token":"a","token_type":"bearer","expires_in":3600,"bot":{"id":2},)"
        R"("expires_at":1704070800})");
    const auto tokens = read(R"({"access_token":"a","token_type":"bearer","id_token":"h.p.s"})");
    assert_text(tokens.access_token, "a");
    assert_text(*tokens.id_token, "h.p.s");
    assert_false(read(R"({"access_token":"a"})").id_token.has_value());
}

// [sec 78] What real services send (foursquare, Azure DevOps, Mailchimp, Medium, Twitch).
static void test_answer_is_read_leniently(void**) {
    constexpr std::string_view rows[][2] = {
        {R"({"access_token":"a"})", R"({"access_token":"a","token_type":"bearer"})"},
        {R"({"token_type":null,"access_token":"a"})",
         R"({"token_type":"bearer","access_token":"a"})"},
        {R"({"token_type":"jwt-bearer","access_token":"a"})",
         R"({"token_type":"jwt-bearer","access_token":"a"})"},
        {R"({"token_type":"DPoP","access_token":"a"})",
         R"({"token_type":"dpop","access_token":"a"})"},
        {R"({"access_token":"a","token_type":"b","scope":null})",
         R"({"access_token":"a","token_type":"b"})"},
        {R"({"access_token":"a","token_type":"b","scope":7})",
         R"({"access_token":"a","token_type":"b"})"},
        {R"({"scope":["x","y"],"access_token":"a","token_type":"b"})",
         R"({"scope":"x y","access_token":"a","token_type":"b"})"},
        {R"({"scope":[],"access_token":"a","token_type":"b"})",
         R"({"scope":"","access_token":"a","token_type":"b"})"},
    };
    for (const auto& [body, all] : rows) assert_text(all_of(std::string(body)), all);
}

// [sec 78]
static void test_expires_in_is_read_as_parse_float_does(void**) {
    struct {
        const char *given, *in, *at;
    } rows[] = {
        {"3600", "3600", "1704070800"},
        {"\"3600\"", "3600", "1704070800"},
        {"\" +36e2 seconds\"", "3600", "1704070800"},
        {"\"1.5\"", "1.5", "1704067201.5"},
        {"\".5\"", "0.5", "1704067200.5"},
        {"1e20", "100000000000000000000", "9007199254740991"},
        {"0", "0", ""},
        {"\"0\"", "0", ""},
    };
    for (const auto& row : rows) {
        const auto all =
            read(R"({"access_token":"a","expires_in":)" + std::string(row.given) + "}").all;
        assert_text(json::text_of(*all.find("expires_in")), row.in);
        const auto* at = all.find("expires_at");
        assert_text(at ? json::text_of(*at) : "", row.at);
    }
    for (const char* bad : {"null", "\"abc\"", "\"\"", "-1", "\"-5\"", "true", "[3600]", "{}",
                            "\"Infinity\"", "\"inf\"", "\"nan\"", "\"-\"", "\"1e999\""})
        assert_true(refused(code::callback_route_error, [&] {
            read(R"({"access_token":"a","expires_in":)" + std::string(bad) + "}");
        }));
}

// [sec 78] [sec 59]
static void test_unusable_answers_are_refused(void**) {
    const std::string bodies[] = {
        "",
        "null",
        "[]",
        "access_token=a&token_type=bearer",
        "<html>",
        "{}",
        R"({"access_token":""})",
        R"({"access_token":null})",
        R"({"access_token":1})",
        R"({"access_token":"a","token_type":""})",
        R"({"access_token":"a","token_type":1})",
        R"({"access_token":"a","refresh_token":null})",
        R"({"access_token":"a","refresh_token":""})",
        R"({"access_token":"a","id_token":null})",
        R"({"access_token":"a","id_token":""})",
        R"({"access_token":"a","access_token":"b"})",
        R"({"access_token":"a","id_token":"x","id_token":"y"})",
        R"({"access_token":"a"} x)",
        "{\"access_token\":\"\xff\"}",
        "\xef\xbb\xbf{\"access_token\":\"a\"}",
        R"({"access_token":"a","x":)" + std::string(100'000, '[') + "}",
    };
    for (const auto& body : bodies)
        assert_true(refused(code::callback_route_error, [&] { read(body); }));
}

// [sec 78] Only 200 grants anything, whatever the body says.
static void test_only_200_is_an_answer(void**) {
    for (const int status : {201, 204, 301, 302, 307, 400, 401, 500, 503})
        assert_true(
            refused(code::callback_route_error, [&] { read(R"({"access_token":"a"})", status); }));
}

static void test_errors_carry_the_providers_reason(void**) {
    struct {
        int status;
        const char *body, *what, *why;
    } rows[] = {
        {400, R"({"error":"invalid_grant","error_description":"used"})", "invalid_grant", "used"},
        {200, R"({"error":"bad_verification_code","error_description":"d"})",
         "bad_verification_code", "d"},
        {400, R"({"error":"x","message":"Invalid authorization code"})", "x",
         "Invalid authorization code"},
    };
    for (const auto& row : rows) {
        const auto failure = failure_of([&] { read(row.body, row.status); });
        assert_true(failure && failure->id() == code::callback_route_error);
        assert_text(failure->context()[0].second, row.what);
        assert_text(failure->context()[1].second, row.why);
    }
}

static void test_entra_tells_its_errors(void**) {
    for (const int status : {200, 400})
        assert_true(refused(code::oauth_callback_error,
                            [&] { read(R"({"error":"invalid_grant"})", status, true); }));
    assert_text(read(R"({"access_token":"a","error":""})", 200, true).access_token, "a");
    assert_true(refused(code::callback_route_error, [] { read("<html>", 500, true); }));
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_request_is_a_form_in_authjs_order),
        unit(test_request_without_pkce_has_no_verifier),
        unit(test_request_carries_what_the_provider_adds),
        unit(test_answer_keeps_every_member_in_order),
        unit(test_answer_is_read_leniently),
        unit(test_expires_in_is_read_as_parse_float_does),
        unit(test_unusable_answers_are_refused),
        unit(test_only_200_is_an_answer),
        unit(test_errors_carry_the_providers_reason),
        unit(test_entra_tells_its_errors),
    };
    return cmocka_run_group_tests_name("oauth/token", tests, nullptr, nullptr);
}
