#include "oauth_sample.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::test;

static oauth::server known() {
    oauth::server as;
    as.issuer = "https://id.example.com";
    return as;
}

static oauth::grant judge(std::string_view query, const oauth::server& as = known(),
                          std::optional<std::string_view> state = "s7ate") {
    return oauth::authorization_response(as, params::parse(query), state, "https://app.example/cb");
}

static bool is_refused(std::string_view query, const oauth::server& as = known(),
                       std::optional<std::string_view> state = "s7ate") {
    return refused(code::callback_route_error, [&] { judge(query, as, state); });
}

static void test_a_code_is_granted(void**) {
    const auto g = judge("code=c0de&state=s7ate&scope=x&scope=y");
    assert_text(g.code, "c0de");
    assert_text(g.redirect_uri, "https://app.example/cb");
}

// [sec 41] [sec 46] A callback that this browser did not ask for spends no code.
static void test_state_must_match(void**) {
    for (const char* query :
         {"code=c0de", "code=c0de&state=", "code=c0de&state=S7ate", "code=c0de&state=s7ate ",
          "code=c0de&state=s7at", "code=c0de&state[]=s7ate"})
        assert_true(is_refused(query));
    assert_true(is_refused("code=c0de&state=", known(), ""));
    assert_text(judge("code=c0de&state=anything", known(), std::nullopt).code, "c0de");
}

// [sec 48] A second value of anything that decides is refused, not chosen from.
static void test_doubled_parameters_are_refused(void**) {
    for (const char* more :
         {"code=c0de", "state=s7ate", "iss=https://id.example.com&iss=x",
          "error=&error=", "code=", "id_token=&id_token=", "response=&response="})
        assert_true(is_refused("code=c0de&state=s7ate&" + std::string(more)));
    assert_text(judge("code=c0de&state=s7ate&code[]=x&state.=y").code, "c0de");
}

// [sec 50] The mix-up attack, RFC 9207.
static void test_iss_must_be_the_issuer(void**) {
    assert_text(judge("code=c&state=s7ate&iss=https://id.example.com").code, "c");
    assert_text(judge("code=c&state=s7ate&iss=").code, "c");
    assert_true(is_refused("code=c&state=s7ate&iss=https://id.example.com/"));
    assert_true(is_refused("code=c&state=s7ate&iss=https://ID.example.com"));
    auto announced = known();
    announced.iss_parameter = true;
    assert_true(is_refused("code=c&state=s7ate", announced));
    assert_true(is_refused("code=c&state=s7ate&iss=", announced));
    assert_text(judge("code=c&state=s7ate&iss=https://id.example.com", announced).code, "c");
}

static void test_iss_is_ignored_where_no_issuer_is_known(void**) {
    assert_text(judge("code=c&state=s7ate&iss=https://x.example", oauth::server{}).code, "c");
}

static void test_iss_may_fill_a_placeholder(void**) {
    oauth::server as;
    as.issuer = "https://login.example.com/{tenantid}/v2.0";
    as.placeholder = "{tenantid}";
    assert_text(judge("code=c&state=s7ate&iss=https://login.example.com/t-1/v2.0", as).code, "c");
    for (const char* iss :
         {"https://login.example.com//v2.0", "https://login.example.com/a/b/v2.0",
          "https://login.example.com/v2.0", "https://login.example.com/t-1/v2.0/"})
        assert_true(is_refused("code=c&state=s7ate&iss=" + std::string(iss), as));
}

// [sec 49] The provider's words go to the log, escaped and bounded.
static void test_an_error_is_told_with_its_reason(void**) {
    const auto failure = failure_of([] {
        judge("error=access_denied&error_description=" + std::string(5000, 'x') + "&state=s7ate");
    });
    assert_true(failure && failure->id() == code::oauth_callback_error);
    assert_text(failure->context()[0].second, "access_denied");
    assert_int_equal(failure->context()[1].second.size(), 200);
    const auto split = failure_of([] { judge("error=a%0d%0ab&state=s7ate"); });
    assert_true(std::string_view(split->what()).find_first_of("\r\n") == std::string_view::npos);
}

static void test_an_error_without_its_state_is_no_answer_to_us(void**) {
    assert_true(is_refused("error=access_denied"));
    assert_text(judge("error=&code=c&state=s7ate").code, "c");
}

static void test_other_flows_are_refused(void**) {
    for (const char* more : {"id_token=x", "id_token=", "token=x", "token=", "response=x"})
        assert_true(is_refused("code=c0de&state=s7ate&" + std::string(more)));
    assert_text(judge("code=c&state=s7ate&response=").code, "c");
}

static void test_no_code_is_refused(void**) {
    for (const char* query : {"state=s7ate", "state=s7ate&code=", "state=s7ate&code[]=x"})
        assert_true(is_refused(query));
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_a_code_is_granted),
        unit(test_state_must_match),
        unit(test_doubled_parameters_are_refused),
        unit(test_iss_must_be_the_issuer),
        unit(test_iss_is_ignored_where_no_issuer_is_known),
        unit(test_iss_may_fill_a_placeholder),
        unit(test_an_error_is_told_with_its_reason),
        unit(test_an_error_without_its_state_is_no_answer_to_us),
        unit(test_other_flows_are_refused),
        unit(test_no_code_is_refused),
    };
    return cmocka_run_group_tests_name("oauth/authorization", tests, nullptr, nullptr);
}
