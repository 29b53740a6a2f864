#include "oauth_sample.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::test;

static void test_request_carries_the_token(void**) {
    const auto rq = oauth::userinfo_request("https://id.example.com/me?x=1", "t0ken");
    assert_text(rq.method, "GET");
    assert_text(rq.url, "https://id.example.com/me?x=1");
    assert_text(*http::find(rq.fields, "authorization"), "Bearer t0ken");
    assert_text(*http::find(rq.fields, "accept"), "application/json, application/jwt");
    const auto signed_rq = oauth::userinfo_request("https://id.example.com/me", "t0ken", "RS256");
    assert_text(*http::find(signed_rq.fields, "accept"), "application/jwt");
}

// [sec 64]
static void test_the_subject_is_the_same(void**) {
    const auto claims = parsed(R"({"sub":"ada"})");
    oauth::check_subject(claims, claims);
    for (const char* other :
         {R"({"sub":"Ada"})", R"({"sub":""})", "{}", R"({"sub":1})", R"({"sub":["ada"]})"})
        assert_true(refused(code::callback_route_error,
                            [&] { oauth::check_subject(parsed(other), claims); }));
    assert_true(refused(code::callback_route_error,
                        [] { oauth::check_subject(parsed("{}"), parsed("{}")); }));
}

static std::string signed_by_ada(std::string_view claims) {
    return jose::sign(json::make_object({{"alg", "ES256"}, {"kid", "one"}}), parsed(claims),
                      key_of(ec_private).key, crypto::sig::es256);
}

static jose::jws read_signed(std::string body, std::string_view alg = "ES256", int status = 200) {
    oauth::server as;
    as.issuer = "https://id.example.com";
    return oauth::signed_userinfo(answer(status, std::move(body)), as, "me", alg, now);
}

static void test_a_signed_document_is_read(void**) {
    const auto token = read_signed(signed_by_ada(
        R"({"sub":"ada","iss":"https://id.example.com","aud":["me"],"exp":1704067800})"));
    assert_text(token.claims.text("sub"), "ada");
    assert_text(read_signed(signed_by_ada(R"({"sub":"ada"})")).claims.text("sub"), "ada");
}

// [sec 64]
static void test_a_signed_document_is_judged(void**) {
    for (const char* claims :
         {R"({"sub":"ada","iss":"https://x.example"})", R"({"sub":"ada","iss":1})",
          R"({"sub":"ada","aud":"other"})", R"({"sub":"ada","aud":[]})",
          R"({"sub":"ada","exp":1704067000})", R"({"sub":"ada","nbf":1704068000})"})
        assert_true(
            refused(code::callback_route_error, [&] { read_signed(signed_by_ada(claims)); }));
    const auto good = signed_by_ada(R"({"sub":"ada"})");
    assert_true(refused(code::callback_route_error, [&] { read_signed(good, "RS256"); }));
    assert_true(refused(code::callback_route_error, [&] { read_signed(good, ""); }));
    for (const char* body : {R"({"sub":"ada"})", "", "<html></html>", "eyJhbGciOiJub25lIn0.e30."})
        assert_true(refused(code::callback_route_error, [&] { read_signed(body); }));
    for (const int status : {199, 301, 401, 500})
        assert_true(
            refused(code::callback_route_error, [&] { read_signed(good, "ES256", status); }));
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_request_carries_the_token),
        unit(test_the_subject_is_the_same),
        unit(test_a_signed_document_is_read),
        unit(test_a_signed_document_is_judged),
    };
    return cmocka_run_group_tests_name("oauth/userinfo", tests, nullptr, nullptr);
}
