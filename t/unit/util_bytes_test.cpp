#include "util/bytes.hpp"

#include "unit.hpp"
#include "util/html.hpp"
#include "util/secret.hpp"

using namespace authjs;

static void test_base64_of_rfc4648(void**) {
    const struct {
        const char *plain, *coded, *url;
    } rows[] = {{"", "", ""},
                {"f", "Zg==", "Zg"},
                {"fo", "Zm8=", "Zm8"},
                {"foo", "Zm9v", "Zm9v"},
                {"foob", "Zm9vYg==", "Zm9vYg"},
                {"\xfb\xff", "+/8=", "-_8"}};
    for (const auto& row : rows) {
        assert_text(base64(row.plain), row.coded);
        assert_text(base64url(row.plain), row.url);
        assert_text(*from_base64(row.coded), row.plain);
        assert_text(*from_base64url(row.url), row.plain);
    }
}

static void test_base64url_is_strict(void**) {  // [sec 59]
    for (const char* text : {"Zg==", "Zh", "Z", "Zm9=", "+/8", "Zm 9v", "Zm9v\n", "Zm9"})
        assert_false(from_base64url(text).has_value() && std::string_view(text) != "Zm9");
    assert_false(from_base64url("Zm9").has_value());  // left-over bits
    assert_false(from_base64url(std::string_view("Zm9v\0", 5)).has_value());
}

static void test_base64_demands_its_padding(void**) {
    for (const char* text : {"Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "-_8=", "Zg==Zg=="})
        assert_false(from_base64(text).has_value());
}

static void test_hex_both_ways(void**) {
    assert_text(hex(std::string_view("\0\xff\x1a", 3)), "00ff1a");
    assert_text(*from_hex("00fF1A"), std::string_view("\0\xff\x1a", 3));
    assert_false(from_hex("0").has_value());
    assert_false(from_hex("0g").has_value());
}

static void test_secrets_compare_whole(void**) {
    assert_true(same_secret("abc", "abc"));
    assert_false(same_secret("abc", "abd"));
    assert_false(same_secret("abc", "ab"));
    assert_true(same_secret("", ""));
}

static void test_utf8_is_judged(void**) {
    for (const char* good : {"", "a", "é", "漢", "😀", "\xf4\x8f\xbf\xbf", "\xef\xbf\xbf"})
        assert_true(is_utf8(good));
    for (const char* bad :
         {"\x80", "\xc0\x80", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x82"})
        assert_false(is_utf8(bad));
}

static void test_ill_formed_parts_become_one_replacement_each(void**) {
    assert_text(well_formed("a\xe2\x82z\xf0\x9f\x98\x80\xff\xed\xa0\x80"),
                "a\xef\xbf\xbdz\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

static void test_unicode_case_and_nfkc(void**) {
    assert_text(lower("ÄÖ ΟΔΟΣ"), "äö οδος");
    assert_text(lower("İ"), "i̇");
    assert_text(nfkc("ﬀ①Å"), "ff1Å");
    assert_text(lower("\xff\x41"), "\xff\x41");
    assert_text(ascii_lower("AbÄ"), "abÄ");
    assert_true(iequals("Content-TYPE", "content-type"));
    assert_false(iequals("a[", "a{"));
}

static void test_latin1_becomes_utf8(void**) { assert_text(latin1_to_utf8("a\xe9\xff"), "aéÿ"); }

static void test_controls_are_percent_encoded(void**) {
    assert_text(without_controls("a\r\n\x7f%é"), "a%0D%0A%7F%é");
}

static void test_html_escapes_what_auth_js_escapes(void**) {
    assert_text(html::escape("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;>&amp;'");
}

static void test_a_moved_secret_leaves_nothing(void**) {
    secret a(std::string(40, 's'));
    const char* bytes = a.reveal().data();
    const secret b(std::move(a));
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[39], 0);
    assert_int_equal(b.reveal().size(), 40);
    assert_true(a.empty());
}

static void test_an_error_is_one_line(void**) {
    const auto e = error(code::invalid_check, "line\nbreak").with("provider", "git\x01hub");
    assert_string_equal(e.what(), "InvalidCheck: line%0Abreak provider=git%01hub");
    assert_true(row_of(code::access_denied).told);
    assert_false(row_of(code::invalid_check).told);
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_base64_of_rfc4648),
        unit(test_base64url_is_strict),
        unit(test_base64_demands_its_padding),
        unit(test_hex_both_ways),
        unit(test_secrets_compare_whole),
        unit(test_utf8_is_judged),
        unit(test_ill_formed_parts_become_one_replacement_each),
        unit(test_unicode_case_and_nfkc),
        unit(test_latin1_becomes_utf8),
        unit(test_controls_are_percent_encoded),
        unit(test_html_escapes_what_auth_js_escapes),
        unit(test_a_moved_secret_leaves_nothing),
        unit(test_an_error_is_one_line),
    };
    return cmocka_run_group_tests_name("util/bytes", tests, nullptr, nullptr);
}
