#include "auth/gate.hpp"

#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "crypto/crypto.hpp"
#include "unit.hpp"

using namespace authjs;
using auth::status;

static std::size_t allocations = 0;
void* operator new(std::size_t n) {
    ++allocations;
    if (void* p = std::malloc(n)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

constexpr const char* name = "authjs.session-token";

struct site {
    auth::config cf;
    test::fixed_clock clock;
    test::counting_random random;
    auth::token_cache cache;

    explicit site(const char* key = "0123456789abcdef0123456789abcdef", const char* cookie = name) {
        cf.secrets.emplace_back(std::string(key));
        for (int i = 0; i < static_cast<int>(auth::which::count_); ++i) {
            const auto n = static_cast<std::size_t>(i);
            cf.plain.kinds[n] = auth::default_cookie(static_cast<auth::which>(i), false);
            cf.secured.kinds[n] = auth::default_cookie(static_cast<auth::which>(i), true);
        }
        cf.plain.kinds[0].name = cookie;
        auth::finish(cf);
    }
    std::string token(seconds age = seconds{3600}, const std::string& extra = "") {
        const auto claims = json::make_object({{"name", "Ada"},
                                               {"email", "ada@example.com"},
                                               {"picture", "https://example.com/a.png"},
                                               {"sub", "user-1"},
                                               {"more", extra}});
        return jose::encode(cf.plain.kinds[0].ring, claims, age, clock, random);
    }
    auth::verdict ask(const std::string& line) {
        return auth::ask(cf, false, {line}, clock.now(), cache);
    }
    auth::verdict ask_token(const std::string& t) { return ask(cf.plain.kinds[0].name + "=" + t); }
};

}  // namespace

static void test_a_token_opens_and_names_its_user(void**) {
    site s;
    const auto v = s.ask("a=b; " + std::string(name) + "=" + s.token() + "; c=d");
    assert_true(v.status == status::ok && !v.clean);
    assert_text(v.session->user_id, "user-1");
    assert_text(v.session->image, "https://example.com/a.png");
}

static void test_no_cookie_is_none(void**) {
    site s;
    const auto v = s.ask("other=1; authjs.session-token=");
    assert_true(v.status == status::none && !v.clean);
}

static void test_a_seen_token_costs_no_allocation(void**) {
    site s;
    const auto line = std::string(name) + "=" + s.token();
    const std::vector<std::string_view> lines = {line};
    assert_true(auth::ask(s.cf, false, lines, s.clock.now(), s.cache).status == status::ok);
    const auto before = allocations;
    const auto v = auth::ask(s.cf, false, lines, s.clock.now(), s.cache);
    assert_int_equal(allocations, before);
    assert_true(v.status == status::ok);
}

static void test_any_changed_byte_is_refused(void**) {  // [sec 67]
    site s;
    const auto good = s.token();
    assert_true(s.ask_token(good).status == status::ok);
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        bad[i] = bad[i] == 'A' ? 'B' : 'A';
        const auto v = s.ask_token(bad);
        if (v.status != status::bad_token || !v.clean) fail_msg("byte %zu", i);
    }
}

static void test_a_cached_token_expires(void**) {  // [sec 60]
    site s;
    const auto t = s.token(seconds{60});
    assert_true(s.ask_token(t).status == status::ok);
    s.clock.at += seconds{74};
    assert_true(s.ask_token(t).status == status::ok);
    s.clock.at += seconds{1};
    const auto v = s.ask_token(t);
    assert_true(v.status == status::expired && v.clean && !v.session);
}

static void test_another_secret_or_name_refuses_what_the_cache_knows(void**) {  // [sec 68]
    site one, other("another secret"), renamed("0123456789abcdef0123456789abcdef", "sid");
    const auto t = one.token();
    assert_true(one.ask_token(t).status == status::ok);
    const auto line = std::string(name) + "=" + t, renamed_line = "sid=" + t;
    assert_true(auth::ask(other.cf, false, {line}, one.clock.now(), one.cache).status ==
                status::bad_token);
    assert_true(auth::ask(renamed.cf, false, {renamed_line}, one.clock.now(), one.cache).status ==
                status::bad_token);
}

static void test_chunks_are_joined_in_order(void**) {  // [sec 67]
    site s;
    const auto t = s.token(seconds{60}, std::string(9000, 'x'));
    const auto piece = [&](const char* n, std::size_t i) {
        return std::string(name) + "." + n + "=" + t.substr(i * 3936, 3936) + "; ";
    };
    assert_true(s.ask(piece("2", 2) + piece("3", 3) + piece("0", 0) + piece("1", 1)).status ==
                status::ok);
    assert_true(s.ask(piece("0", 0) + piece("1", 1) + piece("2", 2)).status == status::bad_token);
    assert_true(s.ask(piece("1", 0) + piece("0", 1) + piece("2", 2) + piece("3", 3)).status ==
                status::bad_token);
}

static void test_two_values_of_one_name_are_signed_out(void**) {  // [sec 71]
    site s;
    const auto one = std::string(name) + "=" + s.token();
    assert_true(s.ask(one + "; " + one).status == status::ok);
    const auto v = s.ask(one + "; " + name + "=x");
    assert_true(v.status == status::bad_token && v.clean);
}

static void test_a_database_session_is_the_stores_to_judge(void**) {  // [sec 69]
    site s;
    s.cf.session.strategy = auth::strategy::database;
    const auto v = s.ask_token(s.token());
    assert_true(v.ask_store && !v.session);
}

static void test_renewal_is_due_after_update_age(void**) {
    site s;
    s.cf.session.max_age = seconds{3600};
    s.cf.session.update_age = seconds{600};
    const auto t = s.token(seconds{3600});
    s.clock.at += seconds{599};
    assert_false(s.ask_token(t).due);
    s.clock.at += seconds{1};
    assert_true(s.ask_token(t).due);
}

static void test_renewal_counts_from_the_tokens_own_age(void**) {
    site s;
    s.cf.session.max_age = seconds{86'400};
    s.cf.session.jwt_max_age = seconds{3600};
    s.cf.session.update_age = seconds{600};
    const auto t = s.token(s.cf.session.token_age());
    s.clock.at += seconds{599};
    assert_false(s.ask_token(t).due);
    s.clock.at += seconds{1};
    const auto v = s.ask_token(t);
    assert_true(v.due);
    const auto jar = auth::cookie_jar::parse({});
    const auto set = auth::renew(s.cf, false, jar, *v.session, s.clock, s.random);
    assert_int_equal(set.size(), 1);
    // The cookie lives as long as the session, the token in it as long as a token does.
    assert_true(*set[0].expires == s.clock.at + s.cf.session.max_age);
    const auto renewed = s.ask_token(set[0].value);
    assert_true(renewed.status == status::ok && !renewed.due);
    assert_int_equal(renewed.session->not_after, unix_seconds(s.clock.at) + 3600);
    s.cf.session.renew = false;
    assert_false(s.ask_token(t).due);
}

// Whether the cache knows a token is seen from outside by whether asking allocates.
static bool known(site& s, auth::token_cache& cache, const std::string& token) {
    const auto line = std::string(name) + "=" + token;
    const std::vector<std::string_view> lines = {line};
    const auto before = allocations;
    assert_true(auth::ask(s.cf, false, lines, s.clock.now(), cache).status == status::ok);
    return allocations == before;
}

static void test_the_cache_forgets_what_was_used_longest_ago(void**) {
    site s;
    auth::token_cache cache(64, 1u << 20);
    std::vector<std::string> tokens;
    for (int i = 0; i < 500; ++i) tokens.push_back(s.token(seconds{3600}, std::to_string(i)));
    for (const auto& t : tokens) assert_false(known(s, cache, t));
    for (std::size_t i = 436; i < 500; ++i) assert_true(known(s, cache, tokens[i]));
    assert_true(known(s, cache, tokens[436]));
    assert_false(known(s, cache, tokens[0]));  // takes the place of 437
    assert_true(known(s, cache, tokens[436]));
    assert_false(known(s, cache, tokens[437]));
    // Any order: what was asked last is known, and never more than 64.
    auth::token_cache fresh(64, 1u << 20);
    unsigned x = 1;
    std::vector<std::size_t> last;
    for (int i = 0; i < 20'000; ++i) {
        const auto n = (x = x * 1'664'525 + 1'013'904'223) >> 8;
        const auto which = n % (n & 1 ? 90 : tokens.size());
        const auto had = std::find(last.begin(), last.end(), which);
        assert_int_equal(known(s, fresh, tokens[which]), had != last.end());
        if (had != last.end()) last.erase(had);
        last.push_back(which);
        if (last.size() > 64) last.erase(last.begin());
    }
}

static void test_the_cache_is_bounded_in_bytes(void**) {
    site s;
    const auto big = s.token(seconds{3600}, std::string(2000, 'x'));
    auth::token_cache cache(64, 2 * big.size()), none(0, 1000), small(64, big.size() - 1);
    std::vector<std::string> tokens;
    for (int i = 0; i < 3; ++i)
        tokens.push_back(s.token(seconds{3600}, std::string(1999, 'x') + char('a' + i)));
    for (const auto& t : tokens) assert_false(known(s, cache, t));
    assert_true(known(s, cache, tokens[2]) && known(s, cache, tokens[1]));
    assert_false(known(s, cache, tokens[0]));
    for (auto* c : {&none, &small})
        assert_true(!known(s, *c, tokens[0]) && !known(s, *c, tokens[0]));
}

// One session is one entry, however it is spelled: nobody drives others out with his own.
static void test_the_cache_keeps_one_spelling_of_a_token(void**) {
    site s;
    auth::token_cache cache(4, 1u << 20);
    const auto other = s.token(seconds{3600}, "other"), own = s.token(seconds{3600}, "own");
    assert_false(known(s, cache, other));
    for (int i = 0; i < 8; ++i) {
        auto spelled = own;
        for (int k = 0; k <= i; ++k) spelled.insert(spelled.size() - 5, "%20");
        assert_false(known(s, cache, spelled) || known(s, cache, spelled));
    }
    assert_true(known(s, cache, other));
}

// [sec 112] The clock goes forth and back, by an hour, by ten years, over 2038: what has ended has
// ended, what is good is good again, and no number wraps.
static void test_the_clock_jumps(void**) {
    site s;
    const auto begin = s.clock.at;
    const auto t = s.token(seconds{7200});
    const auto at = [&](std::int64_t jump) {
        s.clock.at = begin + seconds{jump};
        return s.ask_token(t).status;
    };
    constexpr std::int64_t hour = 3600, year = 365 * 24 * hour;
    assert_true(at(0) == status::ok);
    assert_true(at(hour) == status::ok && at(3 * hour) == status::expired);
    assert_true(at(10 * year) == status::expired && at(300 * year) == status::expired);
    assert_true(at(-hour) == status::ok && at(-10 * year) == status::ok && at(0) == status::ok);
    // Made beyond what 32 bits count, seconds or milliseconds.
    for (const std::int64_t made : {15 * year, 200 * year}) {
        s.clock.at = begin + seconds{made};
        const auto late = s.token(seconds{7200});
        const auto v = s.ask_token(late);
        assert_true(v.status == status::ok);
        assert_int_equal(v.session->not_after, unix_seconds(s.clock.at) + 7200);
        s.clock.at += seconds{3 * hour};
        assert_true(s.ask_token(late).status == status::expired);
    }
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_a_token_opens_and_names_its_user),
        unit(test_no_cookie_is_none),
        unit(test_a_seen_token_costs_no_allocation),
        unit(test_any_changed_byte_is_refused),
        unit(test_the_cache_keeps_one_spelling_of_a_token),
        unit(test_the_clock_jumps),
        unit(test_a_cached_token_expires),
        unit(test_another_secret_or_name_refuses_what_the_cache_knows),
        unit(test_chunks_are_joined_in_order),
        unit(test_two_values_of_one_name_are_signed_out),
        unit(test_a_database_session_is_the_stores_to_judge),
        unit(test_renewal_is_due_after_update_age),
        unit(test_renewal_counts_from_the_tokens_own_age),
        unit(test_the_cache_forgets_what_was_used_longest_ago),
        unit(test_the_cache_is_bounded_in_bytes),
    };
    return cmocka_run_group_tests_name("auth/gate", tests, nullptr, nullptr);
}
