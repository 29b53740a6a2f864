// jq as the catalogue and operators use it: one program for all filters, values both ways.
#include "providers/mapping.hpp"

#include "unit.hpp"

using namespace authjs;
using providers::mapping;
using sees = providers::mapping::sees;

static json::value run(std::string filter, std::string_view input) {
    mapping m;
    const int n = m.add(std::move(filter), sees::document, "here");
    const auto wrong = m.compile();
    if (wrong) throw error(code::configuration, wrong->message);
    const auto out = m.run(n, *json::parse(input));
    return out ? *out : json::value("(nothing)");
}
static std::string text(std::string filter, std::string_view input) {
    return json::stringify(run(std::move(filter), input));
}
static std::string why_not(std::string filter) {
    mapping m;
    m.add("1", sees::document, "first:1");
    m.add(std::move(filter), sees::document, "conf:7");
    const auto wrong = m.compile();
    return wrong ? wrong->where + " " + wrong->message : "";
}

static void test_values_pass_through_unchanged(void**) {
    constexpr auto document =
        R"({"z":1,"a":[true,false,null,-0.5,1e+21],"é":"\u0000\"ü","m":{"y":{},"x":[]}})";
    assert_text(text(".", document), document);
}
static void test_numbers_print_as_javascript_prints_them(void**) {
    assert_text(text(".id|tostring", R"({"id":583231})"), "\"583231\"");
    assert_text(text(".id|tostring", R"({"id":80351110224678912})"), "\"80351110224678910\"");
}
static void test_a_lone_surrogate_becomes_a_replacement_character(void**) {
    assert_text(text(".", R"("a\ud83db")"),
                "\"a\xef\xbf\xbd"
                "b\"");
}
static void test_a_number_from_2_to_53_on_counts_as_having_lost_digits(void**) {
    assert_true(run(".", "9007199254740993").as_number()->lost_digits);
    assert_false(run(".", "9007199254740991").as_number()->lost_digits);
}
static void test_filters_are_told_apart_by_number(void**) {
    mapping m;
    for (int i = 0; i < 37; i++) m.add(std::to_string(i * i), sees::document, "t");
    assert_false(m.compile().has_value());
    for (int i = 0; i < 37; i++)
        assert_text(json::stringify(*m.run(i, json::value())), std::to_string(i * i));
}
static void test_a_failed_filter_tells_jqs_words_and_harms_none_that_follows(void**) {
    mapping m;
    const int bad = m.add(".a.b", sees::document, "t"), good = m.add(".a", sees::document, "t");
    assert_false(m.compile().has_value());
    const auto document = *json::parse(R"({"a":"x"})");
    const auto failure = failure_of([&] { m.run(bad, document); });
    assert_true(failure && failure->id() == code::oauth_profile_parse_error);
    assert_text(failure->message(), "Cannot index string with string \"b\"");
    assert_text(json::stringify(*m.run(good, document)), "\"x\"");
}
static void test_a_filter_without_a_result_gives_nothing(void**) {
    assert_text(text("empty", "1"), "\"(nothing)\"");
}
static void test_the_first_result_counts(void**) { assert_text(text("1, 2", "0"), "1"); }
static void test_profile_filters_see_the_five_documents(void**) {
    mapping m;
    const int n = m.add("[., $token, $options, $photo, $callback]", sees::profile, "t");
    assert_false(m.compile().has_value());
    const auto in = *json::parse(R"({"profile":1,"token":2,"options":3,"photo":4,"callback":5})");
    assert_text(json::stringify(*m.run(n, in)), "[1,2,3,4,5]");
}
static void test_the_culprit_is_named_with_its_place(void**) {
    assert_text(why_not(".a | nosuch"), "conf:7 jq filter: nosuch/0 is not defined");
    assert_true(why_not("if . then 1").starts_with("conf:7 jq filter: syntax error"));
}
static void test_a_filter_stays_inside_its_parentheses(void**) {
    for (const auto* filter : {"1), (2", "1; def f0: 2", "\"a", "[1", "1]", "{a: 1", "\"\\(1\""})
        assert_true(why_not(filter).starts_with("conf:7 "));
}
static void test_a_comment_ends_with_its_line(void**) {
    assert_text(text("1 # one )", "0"), "1");
    assert_text(text("# two (\n2", "0"), "2");
}
static void test_what_reaches_outside_the_input_is_refused(void**) {
    for (const auto* filter : {"env",
                               "$ENV",
                               "$ENV.PATH",
                               "env.PATH",
                               "input",
                               "[inputs]",
                               "debug",
                               "stderr",
                               "halt",
                               "halt_error",
                               "input_filename",
                               "get_search_list",
                               "$__loc__",
                               "$__prog_args",
                               "import \"a\" as a; 1",
                               "include \"a\"; 1",
                               "\"\\(env)\"",
                               "{a: env}",
                               "[1, input]",
                               "{(env): 1}",
                               "modulemeta",
                               ".a|input_line_number",
                               "1 as $x | $ENV"})
        assert_true(why_not(filter).find("not allowed here") != std::string::npos);
}
static void test_members_may_be_named_like_what_is_refused(void**) {
    assert_text(text(".env", R"({"env":1})"), "1");
    assert_text(text("{input, env: .env}", R"({"env":1,"input":2})"), R"({"input":2,"env":1})");
    assert_text(text(".a.input // \"env\"", R"({"a":{}})"), "\"env\"");
}
static void test_field_leaves_out_what_leads_to_nothing(void**) {
    assert_text(text("field(\"a\"; .x)", "{}"), "{}");
    assert_text(text("field(\"a\"; .x)", R"({"x":null})"), R"({"a":null})");
    assert_text(text("field(\"a\"; .x.y[0])", R"({"x":{"y":[]}})"), "{}");
    assert_text(text("field(\"a\"; .x // .y)", R"({"x":null})"), "{}");
    assert_text(text("field(\"a\"; null)", "{}"), R"({"a":null})");
    assert_text(text("field(\"a\"; empty)", "{}"), "{}");
}
static void test_words_leaves_out_what_is_missing(void**) {
    assert_text(text("[.a, .b, .c] | words", R"({"a":"Ada","b":"","c":"L"})"), "\"Ada L\"");
}
static void test_spaced_keeps_what_is_empty(void**) {
    assert_text(text("[.a, .b, .c] | spaced", R"({"a":"","c":"L"})"), "\" L\"");
}
static void test_some_takes_the_empty_string_for_nothing(void**) {
    assert_text(text("some(.a)", R"({"a":""})"), "null");
    assert_text(text("some(.a)", R"({"a":"x"})"), "\"x\"");
}
static void test_some_takes_zero_and_false_for_nothing(void**) {
    for (const auto* none : {"0", "-0.0", "false", "null"})
        assert_text(text("some(.)", none), "null");
    assert_text(text("some(.a.b?)", R"({"a":1})"), "null");
    assert_text(text("some(.)", "[]"), "[]");
}
static void test_either_skips_only_null(void**) {
    assert_text(text("field(\"n\"; either(.a; .b))", R"({"a":false})"), R"({"n":false})");
    assert_text(text("field(\"n\"; either(.a; .b))", R"({"a":null,"b":""})"), R"({"n":""})");
    assert_text(text("field(\"n\"; either(.a; .b))", R"({"a":null})"), "{}");
    assert_text(text("either(.a.b; null)", R"({"a":[]})"), "null");
}
static void test_text_is_what_javascript_writes(void**) {
    assert_text(text("[.[] | text]", R"(["a",1.5,-0,true,null,[1,[null,"b"]],{"a":1}])"),
                R"(["a","1.5","0","true","null","1,,b","[object Object]"])");
}
static void test_an_id_is_made_of_texts_and_safe_numbers(void**) {
    assert_text(text("[.[] | id_text]", R"(["007","",5,9007199254740991])"),
                R"(["007","","5","9007199254740991"])");
    for (const auto* none : {"9007199254740992", "1e21", "[\"a\"]", "{}", "true", "null"})
        assert_true(failure_of([&] { run("id_text", none); }).has_value());
}
static void test_must_fails_without_a_value(void**) {
    assert_true(failure_of([] { run("must(.a)", "{}"); }).has_value());
}
static void test_digits_mod_counts_beyond_doubles(void**) {
    assert_text(text("digits_mod(25165824) / 4194304 | floor", "\"80351110224678912\""), "5");
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_values_pass_through_unchanged),
        unit(test_numbers_print_as_javascript_prints_them),
        unit(test_a_lone_surrogate_becomes_a_replacement_character),
        unit(test_a_number_from_2_to_53_on_counts_as_having_lost_digits),
        unit(test_filters_are_told_apart_by_number),
        unit(test_a_failed_filter_tells_jqs_words_and_harms_none_that_follows),
        unit(test_a_filter_without_a_result_gives_nothing),
        unit(test_the_first_result_counts),
        unit(test_profile_filters_see_the_five_documents),
        unit(test_the_culprit_is_named_with_its_place),
        unit(test_a_filter_stays_inside_its_parentheses),
        unit(test_a_comment_ends_with_its_line),
        unit(test_what_reaches_outside_the_input_is_refused),
        unit(test_members_may_be_named_like_what_is_refused),
        unit(test_field_leaves_out_what_leads_to_nothing),
        unit(test_words_leaves_out_what_is_missing),
        unit(test_spaced_keeps_what_is_empty),
        unit(test_some_takes_the_empty_string_for_nothing),
        unit(test_some_takes_zero_and_false_for_nothing),
        unit(test_either_skips_only_null),
        unit(test_text_is_what_javascript_writes),
        unit(test_an_id_is_made_of_texts_and_safe_numbers),
        unit(test_must_fails_without_a_value),
        unit(test_digits_mod_counts_beyond_doubles),
    };
    return cmocka_run_group_tests_name("providers/mapping", tests, nullptr, nullptr);
}
