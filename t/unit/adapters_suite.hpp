// What every store must do, written once. A test file describes its implementations (how to open
// one, how to add a column) and runs all_of() over each.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "adapters/adapter.hpp"
#include "adapters/housekeeper.hpp"
#include "util/error.hpp"
#include "world.hpp"
// last
#include "unit.hpp"

namespace authjs::test {

using namespace adapters;

// One implementation and profile, with a fresh, empty database for each test.
struct implementation {
    std::string name;
    loop on;
    threads pool{on};
    fixed_clock clock;
    seeded_random random;
    log_lines log;
    leases shared;

    virtual ~implementation() = default;
    // begin empties the database; open opens it once more, as another worker would.
    virtual void begin() = 0;
    virtual std::unique_ptr<adapter> open() = 0;
    // add_column adds a text column beside Auth.js's; false: this store has no columns.
    virtual bool add_column(std::string model, std::string column) = 0;
    bool stores_ids_of_core = true;  // false: the store makes its own
};

inline constexpr instant moment{milliseconds{1'709'210'096'789}};  // 2024-02-29T12:34:56.789Z

inline user ada() {
    user u;
    u.id = "5f0c1a3e-6d2b-4b7c-9a11-0d3c8e2f4a01";
    u.name = "Zo\xc3\xab \"Q\" O'N\xc3\xa9ill \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x9a\x80 \\";
    u.email = "zoe.o'neill@example.com";
    u.image = "https://img.example.com/a.png?x=1&y=2";
    return u;
}
inline account github(const std::string& user_id, const std::string& subject = "583231") {
    account a;
    a.user_id = user_id;
    a.type = "oauth";
    a.provider = "github";
    a.provider_account_id = subject;
    a.access_token = std::string(800, 'a');
    a.id_token = std::string(4'000, 'i');
    a.token_type = "bearer";
    a.scope = "read:user user:email";
    a.expires_at = 2'208'988'800;  // 2040: more than 31 bits
    return a;
}
inline session browser(const std::string& user_id, const std::string& token = "token-1") {
    session s;
    s.session_token = token;
    s.user_id = user_id;
    s.expires = moment;
    return s;
}
inline verification_token link(const std::string& address = "ada@example.com") {
    return {address, std::string(64, 'f'), moment};
}
inline void assert_same_user(const user& got, const user& want) {
    assert_true(got.name == want.name);
    assert_true(got.email == want.email);
    assert_true(got.image == want.image);
    assert_true(got.email_verified == want.email_verified);
}
inline const json::value* more(const extras& list, std::string_view name) {
    for (const auto& m : list)
        if (m.name == name) return &m.val;
    return nullptr;
}

// --- the tests ---

inline void a_user_comes_back_as_written(implementation& i) {
    const auto store = i.open();
    user u = ada();
    u.email_verified = moment;
    const auto made = i.on.run(store->create_user(u));
    assert_false(made.id.empty());
    if (i.stores_ids_of_core) assert_text(made.id, u.id);
    assert_same_user(made, u);
    i.on.run(store->link_account(github(made.id)));
    for (const auto& found :
         {i.on.run(store->get_user(made.id)), i.on.run(store->get_user_by_email(*u.email)),
          i.on.run(store->get_user_by_account("github", "583231"))}) {
        assert_true(found.has_value());
        assert_text(found->id, made.id);
        assert_same_user(*found, u);
    }
}

inline void what_is_not_known_stays_unknown(implementation& i) {
    const auto store = i.open();
    user u;
    u.id = ada().id;
    u.email = "bob@example.com";
    const auto made = i.on.run(store->create_user(u));
    const auto found = i.on.run(store->get_user(made.id));
    assert_true(found && !found->name && !found->image && !found->email_verified);
}

inline void nothing_is_an_answer(implementation& i) {
    const auto store = i.open();
    for (const std::string id : {"", "no such id", "0", "999999999999999999999", "';--"})
        assert_false(i.on.run(store->get_user(id)).has_value());
    assert_false(i.on.run(store->get_user_by_email("nobody@example.com")).has_value());
    assert_false(i.on.run(store->get_user_by_account("github", "1")).has_value());
    assert_false(i.on.run(store->get_session_and_user("none")).has_value());
    assert_false(i.on.run(store->delete_session("none")).has_value());
    assert_false(i.on.run(store->use_verification_token("a@example.com", "none")).has_value());
    i.on.run(store->update_session("none", moment));
    i.on.run(store->unlink_account("github", "1"));
    i.on.run(store->delete_user("none"));
}

inline void update_user_keeps_what_it_is_not_given(implementation& i) {
    const auto store = i.open();
    const auto made = i.on.run(store->create_user(ada()));
    user changes;
    changes.id = made.id;
    changes.email_verified = moment;
    const auto after = i.on.run(store->update_user(changes));
    user want = ada();
    want.email_verified = moment;
    assert_same_user(after, want);
    changes.id = "5f0c1a3e-6d2b-4b7c-9a11-0d3c8e2f4aff";
    const auto failed = failure_of([&] { i.on.run(store->update_user(changes)); });
    assert_true(failed && failed->id() == code::adapter_error);
}

inline void an_account_is_linked_once(implementation& i) {
    const auto store = i.open();
    const auto one = i.on.run(store->create_user(ada()));
    i.on.run(store->link_account(github(one.id)));
    const auto failed = failure_of([&] { i.on.run(store->link_account(github(one.id))); });
    assert_true(failed && failed->id() == code::adapter_error);
    assert_text(failed->reason(), "taken");
    i.on.run(store->link_account(github(one.id, "another")));
    i.on.run(store->unlink_account("github", "583231"));
    assert_false(i.on.run(store->get_user_by_account("github", "583231")).has_value());
    assert_true(i.on.run(store->get_user_by_account("github", "another")).has_value());
}

inline void deleting_a_user_takes_everything_along(implementation& i) {
    const auto store = i.open();
    const auto made = i.on.run(store->create_user(ada()));
    i.on.run(store->link_account(github(made.id)));
    i.on.run(store->create_session(browser(made.id)));
    i.on.run(store->delete_user(made.id));
    assert_false(i.on.run(store->get_user(made.id)).has_value());
    assert_false(i.on.run(store->get_session_and_user("token-1")).has_value());
    // The account's row is gone too: the same person may come again.
    auto again = i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    assert_true(again.session.has_value());
}

inline void a_session_lives_and_ends(implementation& i) {
    const auto store = i.open();
    const auto made = i.on.run(store->create_user(ada()));
    i.on.run(store->create_session(browser(made.id)));
    auto both = i.on.run(store->get_session_and_user("token-1"));
    assert_true(both.has_value());
    assert_text(both->session.user_id, made.id);
    assert_true(both->session.expires == moment);  // long ago: still the caller's to judge
    assert_same_user(both->user, ada());
    const auto later = moment + milliseconds(86'400'123);
    i.on.run(store->update_session("token-1", later));
    both = i.on.run(store->get_session_and_user("token-1"));
    assert_true(both && both->session.expires == later);
    const auto gone = i.on.run(store->delete_session("token-1"));
    assert_true(gone && gone->session_token == "token-1" && gone->user_id == made.id);
    i.on.run(store->update_session("token-1", later));  // never undoes a sign-out
    assert_false(i.on.run(store->get_session_and_user("token-1")).has_value());
}

// [sec 91] However many ask, on however many workers, one of them gets it.
inline void a_token_is_used_once(implementation& i) {
    const auto one = i.open(), two = i.open();
    for (int round = 0; round < 10; ++round) {
        i.on.run(one->create_verification_token(link()));
        std::vector<task<std::optional<verification_token>>> asking;
        for (int n = 0; n < 4; ++n)
            asking.push_back(
                (n % 2 ? one : two)->use_verification_token("ada@example.com", link().token));
        for (auto& t : asking) t.start();
        i.on.run_until([&] {
            return std::all_of(asking.begin(), asking.end(), [](auto& t) { return t.done(); });
        });
        int winners = 0;
        for (auto& t : asking)
            if (const auto won = t.result()) {
                ++winners;
                assert_text(won->identifier, "ada@example.com");
                assert_true(won->expires == moment);
            }
        assert_int_equal(winners, 1);
    }
}

inline void a_token_needs_its_address(implementation& i) {
    const auto store = i.open();
    i.on.run(store->create_verification_token(link()));
    assert_false(
        i.on.run(store->use_verification_token("eve@example.com", link().token)).has_value());
    assert_false(i.on.run(store->use_verification_token("ada@example.com", std::string(64, 'e')))
                     .has_value());
    assert_true(
        i.on.run(store->use_verification_token("ada@example.com", link().token)).has_value());
}

inline void signing_up_is_whole(implementation& i) {
    const auto store = i.open();
    const auto made = i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    assert_true(made.session && made.session->user_id == made.user.id);
    const auto found = i.on.run(store->get_user_by_account("github", "583231"));
    assert_true(found && found->id == made.user.id);
    const auto both = i.on.run(store->get_session_and_user("token-1"));
    assert_true(both && both->user.id == made.user.id);
}

inline void signing_up_twice_writes_nothing(implementation& i) {
    const auto store = i.open();
    i.on.run(store->create_signed_up(ada(), github(""), browser("")));
    user other = ada();  // same account, other address
    other.id = "5f0c1a3e-6d2b-4b7c-9a11-0d3c8e2f4a02";
    other.email = "other@example.com";
    auto failed = failure_of(
        [&] { i.on.run(store->create_signed_up(other, github(""), browser("", "token-2"))); });
    assert_true(failed && failed->id() == code::adapter_error && failed->reason() == "taken");
    other.email = ada().email;  // other account, same address
    failed = failure_of([&] {
        i.on.run(store->create_signed_up(other, github("", "77"), browser("", "token-2")));
    });
    assert_true(failed && failed->id() == code::adapter_error && failed->reason() == "taken");
    assert_false(i.on.run(store->get_user_by_email("other@example.com")).has_value());
    assert_false(i.on.run(store->get_user_by_account("github", "77")).has_value());
    assert_false(i.on.run(store->get_session_and_user("token-2")).has_value());
}

inline void two_first_sign_ins_make_one_user(implementation& i) {
    const auto one = i.open(), two = i.open();
    std::vector<task<adapter::signed_up>> both;
    user other = ada();
    other.id = "5f0c1a3e-6d2b-4b7c-9a11-0d3c8e2f4a02";
    both.push_back(one->create_signed_up(ada(), github(""), browser("")));
    both.push_back(two->create_signed_up(other, github(""), browser("", "token-2")));
    for (auto& t : both) t.start();
    i.on.run_until([&] { return both[0].done() && both[1].done(); });
    int made = 0;
    for (auto& t : both) {
        const auto failed = failure_of([&] { t.result(); });
        assert_true(!failed || failed->reason() == "taken");
        made += !failed;
    }
    assert_int_equal(made, 1);
}

// [sec 103] Values are bound, never spelt into a statement.
inline void hostile_text_is_text(implementation& i) {
    const auto store = i.open();
    const std::string hostile[] = {
        "'; DROP TABLE \"user\"; --", "\" OR 1=1 --", "%n%n%s", "a\r\nDEL *",
        std::string("nul\0nul", 7),   "?1 $1 :x @y"};
    int n = 0;
    for (const auto& text : hostile) {
        user u = ada();
        u.id.clear();
        u.name = text;
        u.email = text;
        const auto made = i.on.run(store->create_user(u));
        i.on.run(store->link_account(github(made.id, text)));
        i.on.run(store->create_session(browser(made.id, text)));
        i.on.run(store->create_verification_token({text, text, moment}));
        const auto found = i.on.run(store->get_user_by_account("github", text));
        assert_true(found && found->name == text && found->id == made.id);
        assert_true(i.on.run(store->get_user_by_email(text)).has_value());
        assert_true(i.on.run(store->get_session_and_user(text)).has_value());
        assert_true(i.on.run(store->use_verification_token(text, text)).has_value());
        ++n;
    }
    assert_int_equal(n, 6);
}

inline void further_columns_travel_both_ways(implementation& i) {
    if (!i.add_column("users", "role") || !i.add_column("accounts", "refresh_note")) skip();
    const auto store = i.open();
    user u = ada();
    u.more = {{"role", "admin"}, {"no such column", "dropped"}};
    account a = github("");
    a.more = {{"refresh_note", 7}, {"ext_expires_in", 3600}};
    const auto made = i.on.run(store->create_signed_up(u, a, browser("")));
    const auto both = i.on.run(store->get_session_and_user("token-1"));
    for (const auto& list : {made.user.more, both->user.more}) {
        const auto* role = more(list, "role");
        assert_true(role && role->as_string() && *role->as_string() == "admin");
        assert_null(more(list, "no such column"));
    }
    user changes;
    changes.id = made.user.id;
    changes.more = {{"role", nullptr}};
    const auto after = i.on.run(store->update_user(changes));
    assert_true(more(after.more, "role") && more(after.more, "role")->is_null());
}

inline void what_has_expired_is_removed_in_batches(implementation& i) {
    const auto store = i.open();
    const auto made = i.on.run(store->create_user(ada()));
    for (int n = 0; n < 5; ++n) {
        i.on.run(store->create_session(browser(made.id, "old-" + std::to_string(n))));
        verification_token t = link();
        t.token[0] = static_cast<char>('0' + n);
        i.on.run(store->create_verification_token(t));
    }
    session live = browser(made.id, "live");
    live.expires = moment + milliseconds(2);
    i.on.run(store->create_session(live));
    const auto now = moment + milliseconds(1);
    assert_int_equal(i.on.run(store->remove_expired(now, 3)), 3);
    assert_int_equal(i.on.run(store->remove_expired(now, 100)), 7);
    assert_int_equal(i.on.run(store->remove_expired(now, 100)), 0);
    assert_true(i.on.run(store->get_session_and_user("live")).has_value());
    assert_false(i.on.run(store->get_session_and_user("old-0")).has_value());
}

// Two workers, one lease: the first sweeps until nothing is left.
inline void one_worker_sweeps(implementation& i) {
    const auto store = i.open();
    const auto made = i.on.run(store->create_user(ada()));
    for (int n = 0; n < 7; ++n)
        i.on.run(store->create_session(browser(made.id, "old-" + std::to_string(n))));
    i.clock.at = moment + milliseconds(10'000);
    const housekeeping times{milliseconds(100'000), milliseconds(10), milliseconds(5), 3};
    const housekeeper::ports io{i.clock, i.random, i.log, i.on, i.shared};
    housekeeper first(*store, "db", io, times), second(*store, "db", io, times);
    i.on.run_until([&] { return !i.on.run(store->get_session_and_user("old-6")).has_value(); });
    assert_true(i.shared.taken("housekeeping:db"));
    assert_int_equal(i.log.lines.size(), 0);
}

// A flow that is dropped while it writes leaves all of it or nothing.
inline void a_dropped_write_is_whole(implementation& i) {
    const auto store = i.open();
    i.on.run(store->get_user("warm"));
    {
        auto t = store->create_signed_up(ada(), github(""), browser(""));
        t.start();
    }
    const auto user = [&] { return i.on.run(store->get_user_by_email(*ada().email)); };
    i.on.run_until([&] { return user().has_value(); });
    const auto both = i.on.run(store->get_session_and_user("token-1"));
    assert_true(both && both->user.id == user()->id);
    assert_true(i.on.run(store->get_user_by_account("github", "583231")).has_value());
}

inline void a_full_queue_is_unavailable(implementation& i) {
    const auto store = i.open();
    i.pool.full = true;
    const auto failed = failure_of([&] { i.on.run(store->create_user(ada())); });
    i.pool.full = false;
    assert_true(failed && failed->id() == code::unavailable);
    i.on.run(store->create_user(ada()));  // and it recovers
}

struct suite_test {
    const char* name;
    void (*run)(implementation&);
};
#define suite(test) \
    suite_test { #test, test }
inline const suite_test suite_tests[] = {suite(a_user_comes_back_as_written),
                                         suite(what_is_not_known_stays_unknown),
                                         suite(nothing_is_an_answer),
                                         suite(update_user_keeps_what_it_is_not_given),
                                         suite(an_account_is_linked_once),
                                         suite(deleting_a_user_takes_everything_along),
                                         suite(a_session_lives_and_ends),
                                         suite(a_token_is_used_once),
                                         suite(a_token_needs_its_address),
                                         suite(signing_up_is_whole),
                                         suite(signing_up_twice_writes_nothing),
                                         suite(two_first_sign_ins_make_one_user),
                                         suite(hostile_text_is_text),
                                         suite(further_columns_travel_both_ways),
                                         suite(what_has_expired_is_removed_in_batches),
                                         suite(one_worker_sweeps),
                                         suite(a_dropped_write_is_whole),
                                         suite(a_full_queue_is_unavailable)};

struct bound_test {
    std::string name;
    void (*test)(implementation&);
    implementation* on;
};
inline void run_bound(void** state) {
    const auto& b = *static_cast<bound_test*>(*state);
    b.on->begin();
    b.test(*b.on);
}

// all_of makes one cmocka test of each test and implementation, named "<profile>: <test>".
inline std::vector<CMUnitTest> all_of(const std::vector<implementation*>& list) {
    static std::deque<bound_test> kept;  // cmocka keeps pointers
    std::vector<CMUnitTest> out;
    for (auto* i : list)
        for (const auto& t : suite_tests) {
            kept.push_back({i->name + ": " + t.name, t.run, i});
            out.push_back(
                {kept.back().name.c_str(), run<run_bound>, nullptr, nullptr, &kept.back()});
        }
    return out;
}

}  // namespace authjs::test
