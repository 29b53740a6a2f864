// Writing cookies: what the `cookie` package refuses is refused, and nothing breaks a header.
#include "auth/cookie.hpp"

#include "crypto/crypto.hpp"
#include "unit.hpp"

using namespace authjs;
using auth::set_cookie;

static set_cookie plain(const char* name = "name", const char* value = "value") {
    return {name, value, {}, {}};
}

static void test_attributes_stand_in_their_order(void**) {
    auto c = plain("name", "a b;\r\n\xc3\xa4");
    c.options = {"example.com", "/", "lax", "high", true, true, true, 5};
    c.expires = instant{seconds{0}};
    assert_text(auth::serialize(c),
                "name=a%20b%3B%0D%0A%C3%A4; Max-Age=5; Domain=example.com; Path=/; "
                "Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; Partitioned; "
                "Priority=High; SameSite=Lax");
}

static void test_what_breaks_a_cookie_is_refused(void**) {
    const auto refused = [](auto&& change) {
        auto c = plain();
        change(c);
        const auto failed = failure_of([&] { auth::serialize(c); });
        return failed && failed->id() == code::configuration;
    };
    for (const char* name : {"", "a b", "a=b", "a;b", "a\r\nb", "\xc3\xa4", "a\"b", "a,b", "a@b"})
        if (!refused([&](auto& c) { c.name = name; })) fail_msg("name %s", name);
    for (const char* domain :
         {"a b", "a;b", "-a.b", "a-.b", "a..b", "exa_mple.com", "a.b.", ".", "a\nb", "https://a"})
        if (!refused([&](auto& c) { c.options.domain = domain; })) fail_msg("domain %s", domain);
    assert_true(refused([](auto& c) { c.options.domain = std::string(64, 'a') + ".b"; }));
    for (const char* path : {"/;", "/\n", "/\x7f", "/\xc3\xa4", "/; Domain=x"})
        if (!refused([&](auto& c) { c.options.path = path; })) fail_msg("path %s", path);
    assert_true(refused([](auto& c) { c.options.same_site = "sometimes"; }));
    assert_true(refused([](auto& c) { c.options.priority = "urgent"; }));
    assert_false(refused([](auto& c) { c.options.domain = ".example.com"; }));
    assert_false(refused([](auto& c) { c.options.path = ""; }));
}

// [sec 67] Pieces in any order and number come back as the value that was written, and as nothing
// else.
static void test_pieces(void**) {
    auth::cookie_kind kind = auth::default_cookie(auth::which::session_token, false);
    std::string value;
    for (int i = 0; i < 10'000; ++i) value += static_cast<char>('a' + i % 26);
    const auto set = auth::write_chunks({}, kind, value, {});
    assert_int_equal(set.size(), 3);
    std::string line;
    for (const auto& c : set) line = c.name + "=" + c.value + "; " + line;
    const auto had = auth::read_chunks(auth::cookie_jar::parse({line}), kind.name);
    assert_text(had.value, value);
    assert_false(had.conflicting);
    // A shorter value takes the pieces that are too many away.
    const auto shorter = auth::write_chunks(had, kind, "short", {});
    std::size_t removed = 0, written = 0;
    for (const auto& c : shorter) ++(c.value.empty() ? removed : written);
    assert_int_equal(written, 1);
    assert_int_equal(removed, 3);
    // 200 pieces are read in bounded time; two generations under one name are noticed.
    std::string many;
    for (int i = 0; i < 200; ++i) many += kind.name + "." + std::to_string(i) + "=x; ";
    assert_int_equal(auth::read_chunks(auth::cookie_jar::parse({many}), kind.name).names.size(),
                     200);
    const auto twice = line + kind.name + ".0=other";
    assert_true(auth::read_chunks(auth::cookie_jar::parse({twice}), kind.name).conflicting);
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_attributes_stand_in_their_order),
        unit(test_what_breaks_a_cookie_is_refused),
        unit(test_pieces),
    };
    return cmocka_run_group_tests_name("auth/cookie", tests, nullptr, nullptr);
}
