#include "oauth_sample.hpp"
#include "unit.hpp"

#include "oauth/client_auth.hpp"
#include "util/bytes.hpp"

using namespace authjs;
using namespace authjs::test;

struct sent {
    params form;
    http::headers fields;
};

static oauth::client client_of(oauth::auth_method method, std::string secret_text = "s3cret") {
    oauth::client me;
    me.id = "me";
    me.client_secret = secret(std::move(secret_text));
    me.method = method;
    return me;
}

static sent authenticate(const oauth::client& me, std::string issuer = "https://id.example.com") {
    oauth::server as;
    as.issuer = std::move(issuer);
    as.token_endpoint = "https://id.example.com/token";
    fixed_clock clock;
    counting_random random;
    sent out;
    out.form.append("grant_type", "authorization_code");
    oauth::authenticate(as, me, out.form, out.fields, clock, random);
    return out;
}

static jose::jws assertion_of(const sent& s) {
    assert_text(*s.form.first("client_assertion_type"),
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_text(*s.form.first("client_id"), "me");
    assert_null(s.form.first("client_secret"));
    return jose::parse_jws(*s.form.first("client_assertion")).value();
}

static void test_methods_have_their_registered_names(void**) {
    for (const char* name : {"client_secret_basic", "client_secret_post", "client_secret_jwt",
                             "private_key_jwt", "none"})
        assert_true(oauth::auth_method_from(name).has_value());
    for (const char* name : {"", "None", "tls_client_auth", "client_secret_basic "})
        assert_false(oauth::auth_method_from(name).has_value());
}

static void test_basic_encodes_as_authjs_does(void**) {
    auto me = client_of(oauth::auth_method::client_secret_basic, "p:a s-_.!~*'()\xc3\xa9%+");
    me.id = "m:e";
    const auto s = authenticate(me);
    assert_text(*http::find(s.fields, "authorization"),
                "Basic " + base64("m%3Ae:p%3Aa+s-_.!~*'()%C3%A9%25%2B"));
    assert_int_equal(s.form.list().size(), 1);
}

static void test_post_puts_both_into_the_body(void**) {
    const auto s = authenticate(client_of(oauth::auth_method::client_secret_post));
    assert_text(s.form.to_string(),
                "grant_type=authorization_code&client_id=me&client_secret=s3cret");
    assert_true(s.fields.empty());
}

static void test_none_sends_the_id_alone(void**) {
    const auto s = authenticate(client_of(oauth::auth_method::none));
    assert_text(s.form.to_string(), "grant_type=authorization_code&client_id=me");
    assert_true(s.fields.empty());
}

static void test_secret_jwt_is_an_hs256_assertion(void**) {
    const auto token = assertion_of(authenticate(client_of(oauth::auth_method::client_secret_jwt)));
    assert_text(json::stringify(token.header), R"({"alg":"HS256"})");
    assert_text(json::stringify(token.claims),
                R"({"jti":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",)"
                R"("aud":"https://id.example.com","exp":1704067260,"iat":1704067200,)"
                R"("nbf":1704067200,"iss":"me","sub":"me"})");
    assert_true(jose::verify_hs(token, "s3cret", crypto::sig::hs256));
}

static void test_private_key_jwt_names_both_audiences(void**) {
    auto me = client_of(oauth::auth_method::private_key_jwt);
    me.private_key = key_of(ec_private);
    const auto token = assertion_of(authenticate(me));
    assert_text(json::stringify(token.header), R"({"alg":"ES256","kid":"one"})");
    assert_text(json::stringify(*token.claims.find("aud")),
                R"(["https://id.example.com","https://id.example.com/token"])");
    assert_true(
        jose::verify(token, *jose::jwk_set::parse(key_set({ec_private})), crypto::sig::es256));
}

static void test_private_key_jwt_without_kid_or_issuer(void**) {
    auto me = client_of(oauth::auth_method::private_key_jwt);
    me.private_key = key_of(ed_private);
    me.private_key->kid.clear();
    const auto token = assertion_of(authenticate(me, ""));
    assert_text(json::stringify(token.header), R"({"alg":"EdDSA"})");
    assert_text(json::stringify(*token.claims.find("aud")), R"(["https://id.example.com/token"])");
}

static void test_a_missing_key_is_a_mistake_of_the_configuration(void**) {
    assert_true(refused(code::configuration, [] {
        authenticate(client_of(oauth::auth_method::client_secret_jwt, ""));
    }));
    assert_true(refused(code::configuration,
                        [] { authenticate(client_of(oauth::auth_method::private_key_jwt)); }));
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_methods_have_their_registered_names),
        unit(test_basic_encodes_as_authjs_does),
        unit(test_post_puts_both_into_the_body),
        unit(test_none_sends_the_id_alone),
        unit(test_secret_jwt_is_an_hs256_assertion),
        unit(test_private_key_jwt_names_both_audiences),
        unit(test_private_key_jwt_without_kid_or_issuer),
        unit(test_a_missing_key_is_a_mistake_of_the_configuration),
    };
    return cmocka_run_group_tests_name("oauth/client_auth", tests, nullptr, nullptr);
}
