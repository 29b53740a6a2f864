// JSON: what JSON.parse and JSON.stringify of Node 20 answered for the same text.
#include "util/json.hpp"

#include <cmath>
#include <string>

#include "unit.hpp"

using namespace authjs;

static bool refused(std::string_view text) { return !json::parse(text).has_value(); }
static std::string again(std::string_view text) {
    const auto v = json::parse(text);
    return v ? json::stringify(*v) : "(refused)";
}

static void test_text_comes_back_without_spaces(void**) {
    assert_text(again(" { \"a\" : [ 1 , true,null ,\"x\" ] }\n"), R"({"a":[1,true,null,"x"]})");
}

static void test_strings_are_escaped_as_javascript_does(void**) {
    assert_text(again(R"("\u0041\/\b\f\n\r\t\"\\\u0001\u007f\u2028é")"),
                "\"A/\\b\\f\\n\\r\\t\\\"\\\\\\u0001\x7f\xe2\x80\xa8\xc3\xa9\"");
}

static void test_lone_surrogates_survive(void**) {
    assert_text(again(R"("a\uD800b\udc00\ud83d\ude00\ud83d\u0041")"),
                "\"a\\ud800b\\udc00\xf0\x9f\x98\x80\\ud83dA\"");
}

static void test_nul_is_a_character(void**) {
    const auto v = json::parse(R"({"a":"x\u0000y"})");
    assert_int_equal(v->text("a").size(), 3);
    assert_text(json::stringify(*v), R"({"a":"x\u0000y"})");
}

static void test_numbers_are_printed_as_ecmascript_prints_them(void**) {
    const struct {
        const char *in, *out;
    } rows[] = {
        {"0", "0"},
        {"-0", "0"},
        {"1e0", "1"},
        {"1.50", "1.5"},
        {"-12.25", "-12.25"},
        {"1e21", "1e+21"},
        {"123456789012345680000", "123456789012345680000"},
        {"1e-6", "0.000001"},
        {"1e-7", "1e-7"},
        {"1.5e-7", "1.5e-7"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"5e-324", "5e-324"},
        {"1e-400", "0"},
        {"0.0000000000000000000000000000001e31", "1"},
        {"9007199254740993", "9007199254740992"},
        {"0.1", "0.1"},
        {"100", "100"},
        {"1704067200", "1704067200"},
        {"4.35", "4.35"},
        {"1234567.891", "1234567.891"},
    };
    for (const auto& row : rows) assert_text(again(row.in), row.out);
    assert_text(json::stringify(json::value(std::nan(""))), "null");
    assert_text(json::number_text(-1e21), "-1e+21");
    assert_text(json::number_text(std::nan("")), "NaN");
}

static void test_integers_that_a_double_does_not_hold_say_so(void**) {
    const auto lost = [](const char* text) { return json::parse(text)->as_number()->lost_digits; };
    assert_false(lost("9007199254740992"));
    assert_true(lost("9007199254740993"));
    assert_true(lost("-12345678901234567890"));
    assert_false(lost("10000000000000000000000"));
    assert_false(lost("0.1"));
    assert_true(json::value(std::int64_t{9007199254740993}).as_number()->lost_digits);
    assert_true(json::value(INT64_MAX).as_number()->lost_digits);
    assert_false(json::value(INT64_MIN).as_number()->lost_digits);
}

static void test_wrong_grammar_is_refused(void**) {  // [sec 59]
    for (const char* text : {"",
                             " ",
                             "{",
                             "}",
                             "[1,]",
                             "{\"a\":1,}",
                             "{a:1}",
                             "{'a':1}",
                             "[1 2]",
                             "01",
                             "-",
                             "+1",
                             "1.",
                             ".5",
                             "1e",
                             "0x1",
                             "NaN",
                             "Infinity",
                             "-Infinity",
                             "1e400",
                             "-1e400",
                             "tru",
                             "nul",
                             "\"\\x\"",
                             "\"\\u12g4\"",
                             "\"\\u12\"",
                             "\"a",
                             "\"\n\"",
                             "[1]x",
                             "{} {}",
                             "[\"a\":1]",
                             "{\"a\" 1}",
                             "\xef\xbb\xbf{}",
                             "// c\n1",
                             "\"\xc3\"",
                             "\"\xc0\x80\"",
                             "\"\xed\xa0\x80\"",
                             "\"\xf4\x90\x80\x80\"",
                             "\"\x80\"",
                             "\"\xe0\x80\x80\"",
                             "{\"a\":1 /**/}",
                             "\v1"})
        if (!refused(text)) fail_msg("accepted: %s", text);
    assert_true(refused(std::string_view("\"a\0b\"", 5)));
    assert_true(refused(std::string_view("1\0", 2)));
}

static void test_a_name_twice_is_refused(void**) {  // [sec 59]
    assert_true(refused(R"({"sub":"a","sub":"b"})"));
    assert_true(refused(R"({"sub":"a","\u0073ub":"b"})"));
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"n" + std::to_string(i) + "\":1,";
    assert_false(refused(many + "\"x\":1}"));
    assert_true(refused(many + "\"n7\":1}"));
}

static void test_a_forgiving_reader_reads_as_json_parse_does(void**) {
    constexpr json::limits as_javascript{64 * 1024, 256, true};
    const auto read = [&](std::string_view text) {
        const auto v = json::parse(text, as_javascript);
        return v ? json::stringify(*v) : std::string("refused");
    };
    assert_text(read(R"({"a":1,"b":2,"a":3})"), R"({"a":3,"b":2})");
    assert_text(read(R"([1e999,-1e999,1e-999])"), "[null,null,0]");
    assert_text(read(std::string(200, '[') + std::string(200, ']')),
                std::string(200, '[') + std::string(200, ']'));
    assert_text(read(R"({"a":1,})"), "refused");
    std::string many = "{";
    for (int i = 0; i < 100; ++i) many += "\"n" + std::to_string(i) + "\":1,";
    assert_true(read(many + "\"n7\":8}").find("\"n7\":8,\"n8\":1") != std::string::npos);
}

static void test_depth_and_size_are_bounded(void**) {  // [sec 59]
    assert_false(refused(std::string(16, '[') + std::string(16, ']')));
    assert_true(refused(std::string(17, '[') + std::string(17, ']')));
    assert_true(refused(std::string(60'000, '[')));
    assert_true(refused("\"" + std::string(64 * 1024, 'a') + "\""));
    assert_true(json::parse("[[[]]]", {100, 3}).has_value());
    assert_false(json::parse("[[[]]]", {100, 2}).has_value());
    assert_false(refused("[[],[[],[]],[]]"));
}

static void test_array_indices_come_first(void**) {
    assert_text(again(R"({"b":1,"10":2,"a":3,"2":4,"01":5,"4294967295":6})"),
                R"({"2":4,"10":2,"b":1,"a":3,"01":5,"4294967295":6})");
}

static void test_ascii_form_escapes_the_rest(void**) {
    assert_text(json::stringify_ascii(json::value("é\x7f\xf0\x9f\x98\x80~")),
                R"("\u00e9\u007f\ud83d\ude00~")");
    assert_text(json::stringify_ascii(json::value("\xff")), R"("\ufffd")");
}

static void test_set_keeps_the_place_and_appends(void**) {
    auto v = *json::parse(R"({"a":1,"b":2})");
    v.set("a", "x");
    v.set("c", nullptr);
    v.erase("b");
    assert_text(json::stringify(v), R"({"a":"x","c":null})");
    json::value fresh;
    fresh.set("n", 1);
    assert_text(json::stringify(fresh), R"({"n":1})");
}

static void test_truthiness_is_javascripts(void**) {
    for (const char* text : {"null", "false", "0", "-0", "\"\""})
        assert_false(json::parse(text)->truthy());
    for (const char* text : {"true", "1", "\"0\"", "[]", "{}"})
        assert_true(json::parse(text)->truthy());
}

static void test_text_of_is_string_of_a_scalar(void**) {
    assert_text(json::text_of(json::value("x")), "x");
    assert_text(json::text_of(json::value(12345678901LL / 1.0)), "12345678901");
    assert_text(json::text_of(json::value(true)), "true");
    assert_text(json::text_of(json::value()), "null");
    assert_text(json::text_of(*json::parse("[1,\"a\"]")), "[1,\"a\"]");
}

static void test_equality_ignores_the_order_of_names(void**) {
    assert_true(*json::parse(R"({"a":1,"b":[2]})") == *json::parse(R"({"b":[2],"a":1.0})"));
    assert_false(*json::parse(R"({"a":1})") == *json::parse(R"({"a":"1"})"));
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_text_comes_back_without_spaces),
        unit(test_strings_are_escaped_as_javascript_does),
        unit(test_lone_surrogates_survive),
        unit(test_nul_is_a_character),
        unit(test_numbers_are_printed_as_ecmascript_prints_them),
        unit(test_integers_that_a_double_does_not_hold_say_so),
        unit(test_wrong_grammar_is_refused),
        unit(test_a_name_twice_is_refused),
        unit(test_a_forgiving_reader_reads_as_json_parse_does),
        unit(test_depth_and_size_are_bounded),
        unit(test_array_indices_come_first),
        unit(test_ascii_form_escapes_the_rest),
        unit(test_set_keeps_the_place_and_appends),
        unit(test_truthiness_is_javascripts),
        unit(test_text_of_is_string_of_a_scalar),
        unit(test_equality_ignores_the_order_of_names),
    };
    return cmocka_run_group_tests_name("util/json", tests, nullptr, nullptr);
}
