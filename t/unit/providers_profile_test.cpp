// From documents to a user, with a provider of no catalogue: what a file may ask for works under
// any id.
#include "providers/profile.hpp"

#include <filesystem>

#include "providers/catalogue.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::providers;

namespace {

// forge is a provider whose file has `members` besides the usual ones.
std::shared_ptr<provider> forge(const std::string& members, std::vector<line> lines = {}) {
    const auto folder = std::filesystem::temp_directory_path() / "authjs-profile-test";
    std::filesystem::create_directories(folder);
    const std::string usual =
        R"("id":"forge","name":"Forge","type":"oauth","issuer":"https://forge.example")";
    std::ofstream(folder / "forge.json")
        << "{" << usual << (members.empty() ? "" : ",") << members << "}";
    loader l(surroundings{});
    auto wrong = l.add_folder(folder.string(), "conf:1");
    std::filesystem::remove_all(folder);
    lines.push_back({"client_id", {"me"}, ""});
    lines.push_back({"client_secret", {"s"}, ""});
    loader::declared d;
    if (!wrong) {
        d = l.declare({"forge", "", lines, "conf:2"});
        wrong = d.wrong;
    }
    if (!wrong) wrong = l.finish();
    if (wrong) throw error(code::configuration, wrong->message);
    return d.made;
}
json::value parse(std::string_view text) { return *json::parse(text); }
identity_input input(std::string_view profile, std::string_view token = R"({"access_token":"t"})",
                     std::string_view callback = "{}") {
    identity_input in;
    in.profile = parse(profile);
    in.token = parse(token);
    in.callback = parse(callback);
    return in;
}
std::string user(const provider& p, std::string_view profile) {
    return json::stringify(map_profile(p, input(profile)).user);
}
bool unmapped(const provider& p, std::string_view profile) {
    const auto failure = failure_of([&] { map_profile(p, input(profile)); });
    return failure && failure->id() == code::oauth_profile_parse_error;
}
std::string header(const http::request& rq, const char* name) {
    const auto* found = http::find(rq.fields, name);
    return found ? *found : "(none)";
}
oauth::token_set tokens(std::string_view all) {
    oauth::token_set out;
    out.all = parse(all);
    out.access_token = out.all.text("access_token");
    return out;
}

}  // namespace

static void test_default_mapping_takes_sub_before_id(void**) {
    const auto p = forge("");
    assert_text(user(*p, R"({"id":1,"sub":"s","name":null,"nickname":"ada","picture":"p"})"),
                R"({"id":"s","name":"ada","image":"p"})");
    assert_text(user(*p, R"({"id":1,"name":null,"email":"A@x"})"), R"({"id":1,"email":"A@x"})");
    assert_text(user(*p, R"({"id":1,"preferred_username":null,"picture":null})"),
                R"({"id":1,"name":null,"image":null})");
}
static void test_an_id_must_be_there(void**) {
    const auto p = forge("");
    for (const auto* profile :
         {"{}", R"({"sub":null})", R"({"sub":{}})", R"({"error":"no"})", "[]", R"({"sub":true})"})
        assert_true(unmapped(*p, profile));
}
static void test_an_empty_id_fails_the_callback_not_the_mapping(void**) {
    for (const auto* profile : {R"({"sub":""})", R"({"sub":0})"}) {
        const auto failure = failure_of([&] { map_profile(*forge(""), input(profile)); });
        assert_true(failure && failure->id() == code::callback_route_error);
    }
}
static void test_a_failed_select_fails_the_callback(void**) {
    const auto p = forge(R"("userinfo":{"select":"must(.ocs) | .data"})");
    const auto failure = failure_of([&] { select_profile(*p, input("{}")); });
    assert_true(failure && failure->id() == code::callback_route_error);
}
static void test_a_member_of_a_text_is_nothing(void**) {
    const auto p = forge(R"("profile":{"id":".id","image":".picture.data.url"})");
    assert_text(user(*p, R"({"id":"1","picture":"x"})"), R"({"id":"1"})");
}
static void test_a_number_stays_a_number_in_the_account(void**) {
    const auto mapped = map_profile(*forge(""), input(R"({"id":583231})"));
    assert_true(mapped.account_id_is_number);
    assert_text(mapped.account_id, "583231");
}
static void test_an_id_that_lost_digits_is_refused(void**) {
    assert_true(unmapped(*forge(""), R"({"id":9007199254740993})"));
    const auto p = forge(R"("profile":{"id":".user.id|tostring"})");
    assert_true(unmapped(*p, R"({"user":{"id":80351110224678913}})"));
    const auto selected = forge(R"("userinfo":{"select":".user"},"profile":{"id":".id|tostring"})");
    auto in = input(R"({"user":{"id":80351110224678913}})");
    in.profile = select_profile(*selected, in);
    assert_true(failure_of([&] { map_profile(*selected, in); }).has_value());
    assert_text(user(*p, R"({"user":{"id":9007199254740991},"other":80351110224678913})"),
                R"({"id":"9007199254740991"})");
}
static void test_an_address_is_text_or_nothing(void**) {
    assert_text(user(*forge(""), R"({"sub":"s","email":null})"), R"({"id":"s"})");
    assert_true(unmapped(*forge(""), R"({"sub":"s","email":1})"));
}
static void test_members_are_left_out_where_their_path_leads_nowhere(void**) {
    const auto p = forge(
        R"("profile":{"id":".id","name":"[.a,.b]|words","image":".p.q","role":".role","x":"null"})");
    assert_text(user(*p, R"({"id":"1","a":"Ada","p":{}})"), R"({"id":"1","name":"Ada","x":null})");
}
static void test_what_a_file_requires_must_be_there(void**) {
    const auto p = forge(R"("require":[".data"],"profile":{"id":".data.id"})");
    assert_true(unmapped(*p, "{}"));
    assert_true(unmapped(*p, R"({"data":"x"})"));
    assert_text(user(*p, R"({"data":{"id":"1"}})"), R"({"id":"1"})");
}
static void test_the_blocks_filter_gives_the_whole_user(void**) {
    const auto p = forge(R"("profile":{"id":".id"})",
                         {{"profile", {"{id: .id, role: $token.role, more: [1]}"}, ""}});
    const auto in = input(R"({"id":"1"})", R"({"access_token":"t","role":"admin"})");
    assert_text(json::stringify(map_profile(*p, in).user),
                R"({"id":"1","role":"admin","more":[1]})");
}
static void test_account_filter_replaces_what_is_stored(void**) {
    const auto token = parse(R"({"scope":"s","access_token":"t","expires_in":1,"team":"x"})");
    assert_text(json::stringify(map_account(*forge(""), token)),
                R"({"access_token":"t","scope":"s"})");
    assert_text(json::stringify(
                    map_account(*forge("", {{"account", {"{access_token, team}"}, ""}}), token)),
                R"({"access_token":"t","team":"x"})");
    assert_text(json::stringify(map_account(*forge("", {{"account", {"null"}, ""}}), token)), "{}");
}
static void test_a_callback_parameter_may_be_json_for_the_profile(void**) {
    const auto p = forge(R"("callback_json":"who")");
    const auto with = input("{}", "{}", R"({"who":"{\"name\":\"Ada\"}"})");
    assert_text(json::stringify(select_profile(*p, with)), R"({"who":{"name":"Ada"}})");
    assert_text(json::stringify(select_profile(*p, input("{}", "{}", R"({"who":"{"})"))), "{}");
}
static void test_userinfo_request_is_made_of_the_file(void**) {
    const auto p =
        forge(R"("userinfo":{"url":"https://f.example/u/{token.user}?t={token.access_token}",
        "method":"POST","json":{"a":1},"headers":{"authorization":null,"x-key":"{client_id}",
        "x-team":"{token.team}"}})");
    const auto rq =
        userinfo_request_for(*p, {}, tokens(R"({"access_token":"a b","user":"u/1","team":7})"));
    assert_text(rq.method + " " + rq.url, "POST https://f.example/u/u%2F1?t=a%20b");
    assert_text(rq.body, R"({"a":1})");
    assert_text(header(rq, "authorization"), "(none)");
    assert_text(header(rq, "x-key"), "me");
    assert_text(header(rq, "x-team"), "7");
    assert_text(header(rq, "content-type"), "application/json");
    const auto failure =
        failure_of([&] { userinfo_request_for(*p, {}, tokens(R"({"access_token":"a"})")); });
    assert_true(failure && failure->id() == code::oauth_profile_parse_error);
}
static void test_userinfo_must_be_2xx_and_json(void**) {
    assert_true(failure_of([] { userinfo_document({400, {}, "{}"}); }).has_value());
    assert_true(failure_of([] { userinfo_document({200, {}, "<html>"}); }).has_value());
    assert_text(json::stringify(userinfo_document({201, {}, "{\"a\":1}"})), R"({"a":1})");
}
static void test_a_further_request_is_made_when_wanted(void**) {
    const auto p =
        forge(R"("userinfo":{"url":"https://f.example/u","then":{"when":"some(.email)|not",
        "url":"https://f.example/emails","headers":{"user-agent":"x"},
        "merge":".profile + {email: .body[0]}"}})");
    assert_false(further_request(*p, input(R"({"email":"a"})")).has_value());
    auto in = input(R"({"email":""})");
    const auto rq = further_request(*p, in);
    assert_text(rq->url, "https://f.example/emails");
    assert_text(header(*rq, "authorization"), "Bearer t");
    assert_text(header(*rq, "user-agent"), "x");
    assert_text(json::stringify(merge_further(*p, in, {200, {}, R"(["b"])"})), R"({"email":"b"})");
    assert_text(json::stringify(merge_further(*p, in, {403, {}, R"(["b"])"})), R"({"email":""})");
}
static void test_a_photo_reaches_the_mapping_as_base64(void**) {
    const auto p = forge(R"("photo":{"url":"https://f.example/p"},
        "profile":{"id":".id","image":"if $photo then \"data:,\\($photo)\" else null end"})");
    auto in = input(R"({"id":"1"})");
    assert_text(photo_request(*p, in)->url, "https://f.example/p");
    in.photo = take_photo({200, {}, "\xff\xd8"});
    assert_text(json::stringify(map_profile(*p, in).user), R"({"id":"1","image":"data:,/9g="})");
    in.photo = take_photo({404, {}, "no"});
    assert_text(json::stringify(map_profile(*p, in).user), R"({"id":"1","image":null})");
}
static void test_configured_endpoints_lie_over_discovered_ones(void**) {
    const auto p = forge(R"("token":{"url":"https://f.example/t"})");
    assert_true(discovery_at_signin(*p));
    oauth::server found;
    found.issuer = "https://forge.example/";
    found.authorization_endpoint = "https://forge.example/a";
    found.token_endpoint = "https://forge.example/t";
    const auto as = server_of(*p, &found);
    assert_text(as.issuer + " " + as.authorization_endpoint + " " + as.token_endpoint,
                "https://forge.example/ https://forge.example/a https://f.example/t");
    assert_text(server_of(*p, nullptr).issuer, "https://forge.example");
}
static void test_a_callback_asks_for_discovery_where_an_endpoint_it_needs_is_missing(void**) {
    const std::string token = R"("token":{"url":"https://f.example/t"})",
                      userinfo = R"("userinfo":{"url":"https://f.example/u"})";
    assert_true(discovery_at_callback(*forge("")));
    assert_true(discovery_at_callback(*forge(token)));
    assert_true(discovery_at_callback(*forge(userinfo)));
    assert_false(discovery_at_callback(*forge(token + "," + userinfo)));
    const auto p = std::make_shared<provider>(*forge(token));
    p->type = type::oidc;
    assert_false(discovery_at_callback(*p));  // its ID token says who it is
    p->issuer_placeholder = "{org}";
    assert_true(discovery_at_callback(*p));
}
static void test_an_issuer_may_have_a_claim_in_it(void**) {
    const auto p = forge(R"("issuer_claim":{"placeholder":"{org}","claim":"org"})");
    oauth::server as;
    as.issuer = "https://forge.example/{org}/v2";
    as.placeholder = p->issuer_placeholder;
    assert_text(expected_issuer(*p, as, parse(R"({"org":"acme"})")),
                "https://forge.example/acme/v2");
    assert_true(failure_of([&] { expected_issuer(*p, as, parse("{}")); }).has_value());
}
static void test_the_callback_url_may_be_a_parameter(void**) {
    const auto p =
        forge(R"("authorization":{"params":{"return_to":"{callback_url}","n":{"a":null}}})");
    assert_text(authorization_params_for(*p, "https://me/cb").to_string(),
                "return_to=https%3A%2F%2Fme%2Fcb&n=%7B%22a%22%3Anull%7D");
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_default_mapping_takes_sub_before_id),
        unit(test_an_id_must_be_there),
        unit(test_an_empty_id_fails_the_callback_not_the_mapping),
        unit(test_a_failed_select_fails_the_callback),
        unit(test_a_member_of_a_text_is_nothing),
        unit(test_a_number_stays_a_number_in_the_account),
        unit(test_an_id_that_lost_digits_is_refused),
        unit(test_an_address_is_text_or_nothing),
        unit(test_members_are_left_out_where_their_path_leads_nowhere),
        unit(test_what_a_file_requires_must_be_there),
        unit(test_the_blocks_filter_gives_the_whole_user),
        unit(test_account_filter_replaces_what_is_stored),
        unit(test_a_callback_parameter_may_be_json_for_the_profile),
        unit(test_userinfo_request_is_made_of_the_file),
        unit(test_userinfo_must_be_2xx_and_json),
        unit(test_a_further_request_is_made_when_wanted),
        unit(test_a_photo_reaches_the_mapping_as_base64),
        unit(test_configured_endpoints_lie_over_discovered_ones),
        unit(test_a_callback_asks_for_discovery_where_an_endpoint_it_needs_is_missing),
        unit(test_an_issuer_may_have_a_claim_in_it),
        unit(test_the_callback_url_may_be_a_parameter),
    };
    return cmocka_run_group_tests_name("providers/profile", tests, nullptr, nullptr);
}
