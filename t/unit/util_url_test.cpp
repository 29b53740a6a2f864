// What `new URL()` and URLSearchParams of Node 20 answered for the same text.
#include "util/url.hpp"

#include "unit.hpp"
#include "util/time.hpp"

using namespace authjs;

static std::string href(std::string_view text, const char* base = nullptr) {
    std::optional<url> b;
    if (base != nullptr) b = parse_url(base);
    const auto u = parse_url(text, b ? &*b : nullptr);
    return u ? u->href() : "(refused)";
}

static void test_absolute_urls(void**) {
    const struct {
        const char *in, *out;
    } rows[] = {
        {"HTTPS://Example.COM:443/a/../b/./c", "https://example.com/b/c"},
        {"http://h:80", "http://h/"},
        {"http://h:8080?q#f", "http://h:8080/?q#f"},
        {" \thttp://h/a b\n", "http://h/a%20b"},
        {"ht\ntp://h/\t%2E%2e/x", "http://h/x"},
        {"http:\\\\h\\a", "http://h/a"},
        {"http:/\\evil", "http://evil/"},
        {"https:evil", "https://evil/"},
        {"https:////evil//x", "https://evil//x"},
        {"http://u:p@h/", "http://u:p@h/"},
        {"http://a@b@c/", "http://a%40b@c/"},
        {"https://good:443@evil/", "https://good:443@evil/"},
        {"https://evil\\@good/", "https://evil/@good/"},
        {"http://h/?a'b\"<>", "http://h/?a%27b%22%3C%3E"},
        {"http://h/é?é#é", "http://h/%C3%A9?%C3%A9#%C3%A9"},
        {"javascript:alert(1)", "javascript:alert(1)"},
        {"data:text/html,<b>", "data:text/html,<b>"},
        {"app://cb/x?y", "app://cb/x?y"},
        {"app:///x", "app:///x"},
        {"", "(refused)"},
        {"/x", "(refused)"},
        {"//h", "(refused)"},
        {"http://", "(refused)"},
        {"http://u@/", "(refused)"},
        {"http://h:65536/", "(refused)"},
        {"http://h:1a/", "(refused)"},
        {"http://a b/", "(refused)"},
        {"http://a%00b/", "(refused)"},
        {"http://a<b/", "(refused)"},
    };
    for (const auto& row : rows) assert_text(href(row.in), row.out);
}

static void test_relative_urls(void**) {  // [sec 36]
    const struct {
        const char *in, *out;
    } rows[] = {
        {"x", "https://h/a/x"},
        {"../x?y", "https://h/x?y"},
        {"/x", "https://h/x"},
        {"?q", "https://h/a/b?q"},
        {"#f", "https://h/a/b?old#f"},
        {"", "https://h/a/b?old"},
        {"//evil", "https://evil/"},
        {"/\\evil", "https://evil/"},
        {"\\/evil", "https://evil/"},
        {"/\t/evil", "https://evil/"},
        {"/%09/evil", "https://h/%09/evil"},
        {"/%5cevil", "https://h/%5cevil"},
        {"https:evil", "https://h/a/evil"},
        {"http:evil", "http://evil/"},
        {"..//evil", "https://h//evil"},
        {"javascript:x", "javascript:x"},
    };
    for (const auto& row : rows) assert_text(href(row.in, "https://h/a/b?old#old"), row.out);
}

static void test_hosts(void**) {
    const struct {
        const char *in, *out;
    } rows[] = {
        {"http://2130706433/", "http://127.0.0.1/"},
        {"http://0x7f.1/", "http://127.0.0.1/"},
        {"http://017700000001/", "http://127.0.0.1/"},
        {"http://1.2.3.4./", "http://1.2.3.4/"},
        {"http://1.2.3.256/", "(refused)"},
        {"http://1.2.3.4.5/", "(refused)"},
        {"http://a.1/", "(refused)"},
        {"http://4294967296/", "(refused)"},
        {"http://[::1]/", "http://[::1]/"},
        {"http://[1:0:0:2::3:0]:81/", "http://[1::2:0:0:3:0]:81/"},
        {"http://[::FFFF:1.2.3.4]/", "http://[::ffff:102:304]/"},
        {"http://[1:2:3:4:5:6:7:8:9]/", "(refused)"},
        {"http://[::1", "(refused)"},
        {"http://[1::2::3]/", "(refused)"},
        {"http://%65xample%2ecom/", "http://example.com/"},
        {"http://bücher.example/", "http://xn--bcher-kva.example/"},
        {"http://ＧＯ。com/", "http://go.com/"},
        {"http://日本語。jp/", "http://xn--wgv71a119e.jp/"},
        {"http://faß.de/", "http://xn--fa-hia.de/"},
        {"http://so\xc2\xad\x66t/", "http://soft/"},
        {"http://a\xe2\x80\xa8/", "(refused)"},
        {"http://\xff/", "(refused)"},
    };
    for (const auto& row : rows) assert_text(href(row.in), row.out);
}

static void test_origin_leaves_out_default_ports(void**) {
    assert_text(parse_url("https://u:p@H:443/x")->origin(), "https://h");
    assert_text(parse_url("http://h:443")->origin(), "http://h:443");
    assert_text(parse_url("javascript:x")->origin(), "null");
}

static void test_forms_decode_and_encode(void**) {
    const auto p = params::parse("a=1+2&b=%C3%A9%zz&&c&a=x%ff&=n");
    assert_text(p.to_string(), "a=1+2&b=%C3%A9%25zz&c=&a=x%EF%BF%BD&=n");
    assert_text(*p.first("a"), "1 2");
    assert_text(*p.last("a"), "x\xef\xbf\xbd");
    assert_int_equal(p.count("a"), 2);
    assert_null(p.first("z"));
    assert_text(params::parse("k=*-._~!'() ").to_string(), "k=*-._%7E%21%27%28%29+");
}

static void test_form_set_keeps_the_first_place(void**) {
    auto p = params::parse("a=1&b=2&a=3");
    p.set("a", "x");
    p.set("c", "y");
    assert_text(p.to_string(), "a=x&b=2&c=y");
    p.erase("a");
    assert_text(p.to_string(), "b=2&c=y");
}

static void test_form_as_object(void**) {
    assert_text(params::parse("b=1&2=x&a=3&1=y&b=z").as_object().to_string(), "1=y&2=x&b=z&a=3");
}

static void test_uri_components(void**) {
    assert_text(encode_uri_component("a|b é/-_.!~*'()"), "a%7Cb%20%C3%A9%2F-_.!~*'()");
    assert_text(*decode_uri_component("a%7cb+%C3%A9"), "a|b+é");
    for (const char* bad : {"%", "%4", "%zz", "%ff", "%C3"})
        assert_false(decode_uri_component(bad).has_value());
}

static void test_times(void**) {
    const instant t{milliseconds{1'709'210'096'789}};
    assert_text(iso_text(t), "2024-02-29T12:34:56.789Z");
    assert_text(http_date(t), "Thu, 29 Feb 2024 12:34:56 GMT");
    assert_text(iso_text(instant{milliseconds{-1}}), "1969-12-31T23:59:59.999Z");
    assert_int_equal(unix_seconds(instant{milliseconds{-1}}), -1);
    assert_text(iso_text(instant{seconds{4'102'444'800}}), "2100-01-01T00:00:00.000Z");
    assert_text(iso_text(instant{seconds{253'402'300'800}}), "+010000-01-01T00:00:00.000Z");
    for (const char* same : {"2024-02-29T12:34:56.789Z", "2024-02-29T14:34:56.789+02:00",
                             "2024-02-29 12:34:56.789+00", "2024-02-29T12:34:56.7891234-0000"})
        assert_true(from_iso(same) == t);
    for (const char* bad :
         {"", "2024-02-30T12:34:56Z", "2024-02-29T12:34:56", "2024-02-29", "2024-02-29T24:00:00Z",
          "2024-02-29T12:34:56Zx", "24-02-29T12:34:56Z", "2024-02-29T12:34:56.Z"})
        assert_false(from_iso(bad).has_value());
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_absolute_urls),
        unit(test_relative_urls),
        unit(test_hosts),
        unit(test_origin_leaves_out_default_ports),
        unit(test_forms_decode_and_encode),
        unit(test_form_set_keeps_the_first_place),
        unit(test_form_as_object),
        unit(test_uri_components),
        unit(test_times),
    };
    return cmocka_run_group_tests_name("util/url", tests, nullptr, nullptr);
}
