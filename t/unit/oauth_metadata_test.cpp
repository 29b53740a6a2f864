#include <map>

#include "oauth/metadata.hpp"
#include "oauth_sample.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::test;

// A provider that answers at once, or cannot be reached; it counts who asks.
class scripted_client final : public http::client {
public:
    task<http::response> send(http::request rq, const http::transport&) override {
        ++asked[rq.url];
        limit = rq.body_limit;
        kept_outside = rq.refuses != nullptr;
        if (is_down) throw error(code::callback_route_error, "no answer in time");
        co_return answers[rq.url];
    }
    std::map<std::string, http::response> answers;
    std::map<std::string, int> asked;
    std::size_t limit = 0;
    bool kept_outside = false;
    bool is_down = false;
};

// What several workers share: a window starts with the first use of a key.
class throttle final : public io::shared_cache {
public:
    explicit throttle(fixed_clock& clock) : clock_(clock) {}
    bool once(std::string_view key, milliseconds window) override {
        auto& until = until_[std::string(key)];
        if (clock_.now() < until) return false;
        until = clock_.now() + window;
        return true;
    }
    std::uint64_t notices() override { return 0; }
    void post(std::string_view) override {}
    bool posted_since(std::string_view, std::uint64_t) override { return false; }

private:
    fixed_clock& clock_;
    std::map<std::string, instant> until_;
};

static const std::string issuer = "https://id.example.com";
static const std::string document_url = issuer + "/.well-known/openid-configuration";
static const std::string keys_url = issuer + "/keys";

struct world {
    fixed_clock clock;
    throttle shared{clock};
    scripted_client provider;
    http::transport via;
    oauth::metadata worker{clock, shared}, second_worker{clock, shared};
    std::vector<std::string> outside;

    world() {
        provider.answers[document_url] =
            answer(200, R"({"issuer":")" + issuer + R"(","jwks_uri":")" + keys_url + R"("})");
        provider.answers[keys_url] = answer(200, key_set({ec_private}));
    }
    http::sender http() { return {&provider, &via}; }
    void pass(seconds s) { clock.at += s; }

    std::shared_ptr<const oauth::server> discover(std::string well_known = {}) {
        auto flow = worker.discover(http(), issuer, std::move(well_known), {});
        flow.start();
        assert_true(flow.done());
        return flow.result();
    }
    void verify(std::string_view key, crypto::sig alg = crypto::sig::es256) {
        verify_at(worker, key, alg);
    }
    void verify_at(oauth::metadata& at, std::string_view key,
                   crypto::sig alg = crypto::sig::es256) {
        const auto by = key_of(key);
        auto token = jose::parse_jws(
            jose::sign(json::make_object({{"alg", by.alg}, {"kid", by.kid}}),
                       parsed(R"({"sub":"ada"})"), by.key, *crypto::sig_from(by.alg)));
        auto as = std::make_shared<oauth::server>();
        as->issuer = issuer;
        as->jwks_uri = keys_url;
        as->outside = outside;
        auto flow = at.verify(http(), as, std::move(*token), alg);
        flow.start();
        assert_true(flow.done());
        flow.result();
    }
    bool verifies(std::string_view key) {
        return !refused(code::callback_route_error, [&] { verify(key); });
    }
};

static void test_a_fresh_document_is_not_asked_for_again(void**) {
    world w;
    assert_text(w.discover()->jwks_uri, keys_url);
    w.pass(seconds(3599));
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 1);
    w.pass(seconds(1));
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 2);
}

static void test_max_age_of_the_document_counts(void**) {
    world w;
    w.provider.answers[document_url].fields = {{"Cache-Control", "max-age=600"}};
    w.discover();
    w.pass(seconds(600));
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 2);
}

static void test_another_address_may_be_configured(void**) {
    world w;
    w.provider.answers["https://id.example.com/oauth/d"] = w.provider.answers[document_url];
    assert_text(w.discover("https://id.example.com/oauth/d")->issuer, issuer);
    assert_int_equal(w.provider.asked[document_url], 0);
}

static void test_other_certificates_see_their_own_document(void**) {
    world w;
    w.discover();
    w.via.ca_file = "/etc/ssl/other.pem";
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 2);
}

// [sec 75] [sec 79] A provider that is down is asked twice a minute, and missed after a day.
static void test_a_stale_document_bridges_an_outage(void**) {
    world w;
    w.discover();
    w.provider.is_down = true;
    w.pass(seconds(3600));
    assert_text(w.discover()->jwks_uri, keys_url);
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 2);
    w.pass(seconds(30));
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 3);
    w.pass(seconds(86400));
    assert_true(refused(code::configuration, [&] { w.discover(); }));
    w.provider.is_down = false;
    w.discover();
}

static void test_a_wrong_document_does_not_replace_a_good_one(void**) {
    world w;
    w.discover();
    w.provider.answers[document_url].body = R"({"issuer":"https://evil.example"})";
    w.pass(seconds(3600));
    assert_text(w.discover()->issuer, issuer);
}

static void test_failures_of_discovery_are_configuration_errors(void**) {
    world w;
    w.provider.is_down = true;
    const auto failure = failure_of([&] { w.discover(); });
    assert_true(failure && failure->id() == code::configuration);
    assert_true(failure->message().find("no answer in time") != std::string::npos);
    w.provider.is_down = false;
    w.provider.answers[document_url] = answer(404, "");
    assert_true(refused(code::configuration, [&] { w.discover(); }));
}

// [sec 60] A clock set back makes what is kept old, not eternal.
static void test_a_clock_set_back_asks_again(void**) {
    world w;
    w.discover();
    w.pass(seconds(-100'000));
    w.discover();
    assert_int_equal(w.provider.asked[document_url], 2);
}

static void test_a_signature_is_checked_with_keys_fetched_once(void**) {
    world w;
    w.verify(ec_private);
    w.verify(ec_private);
    assert_int_equal(w.provider.asked[keys_url], 1);
    assert_int_equal(w.provider.limit, 256 * 1024);
    assert_false(w.provider.kept_outside);
    w.pass(seconds(3600));
    w.outside = {keys_url};  // [sec 80]
    w.verify(ec_private);
    assert_true(w.provider.kept_outside);
    assert_int_equal(w.provider.asked[keys_url], 2);
}

static void test_a_new_key_is_found(void**) {
    world w;
    w.verify(ec_private);
    w.provider.answers[keys_url].body = key_set({ec_private, other_ec_private});
    w.verify(other_ec_private);
    assert_int_equal(w.provider.asked[keys_url], 2);
}

// [sec 76] One look per half minute for unknown keys, over all workers.
static void test_a_flood_of_unknown_keys_asks_once(void**) {
    world w;
    w.verify(ec_private);
    w.verify_at(w.second_worker, ec_private);
    for (int i = 0; i < 20; ++i) {
        assert_false(w.verifies(other_ec_private));
        assert_true(refused(code::callback_route_error,
                            [&] { w.verify_at(w.second_worker, other_ec_private); }));
    }
    assert_int_equal(w.provider.asked[keys_url], 3);
    w.pass(seconds(30));
    assert_false(w.verifies(other_ec_private));
    assert_int_equal(w.provider.asked[keys_url], 4);
}

// [sec 77]
static void test_known_keys_bridge_an_outage(void**) {
    world w;
    w.verify(ec_private);
    w.provider.is_down = true;
    w.pass(seconds(3600));
    w.verify(ec_private);
    assert_false(w.verifies(other_ec_private));
    assert_int_equal(w.provider.asked[keys_url], 2);
    w.pass(seconds(90'000));
    assert_false(w.verifies(ec_private));
}

// [sec 55] [sec 76] A token is never taken without a key that made it.
static void test_what_cannot_be_checked_is_refused(void**) {
    world w;
    for (const char* keys :
         {"", "{}", "[]", R"({"keys":{}})", R"({"keys":[]})", R"({"keys":[1,null,{}]})",
          R"({"keys":[{"kty":"oct","k":"AAAA","kid":"one"}]})"}) {
        w.provider.answers[keys_url].body = keys;
        assert_false(w.verifies(ec_private));
        w.pass(seconds(100'000));
    }
    w.provider.answers[keys_url] = answer(500, key_set({ec_private}));
    assert_false(w.verifies(ec_private));
    w.provider.answers[keys_url].status = 200;
    assert_true(w.verifies(ec_private));
    assert_true(
        refused(code::callback_route_error, [&] { w.verify(ec_private, crypto::sig::rs256); }));

    auto flow = w.worker.verify(w.http(), std::make_shared<oauth::server>(), jose::jws{},
                                crypto::sig::es256);
    flow.start();
    assert_true(refused(code::callback_route_error, [&] { flow.result(); }));
}

static void test_ed25519_is_checked_too(void**) {
    world w;
    w.provider.answers[keys_url].body = key_set({ec_private, ed_private});
    w.verify(ed_private, crypto::sig::eddsa);
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {
        unit(test_a_fresh_document_is_not_asked_for_again),
        unit(test_max_age_of_the_document_counts),
        unit(test_another_address_may_be_configured),
        unit(test_other_certificates_see_their_own_document),
        unit(test_a_stale_document_bridges_an_outage),
        unit(test_a_wrong_document_does_not_replace_a_good_one),
        unit(test_failures_of_discovery_are_configuration_errors),
        unit(test_a_clock_set_back_asks_again),
        unit(test_a_signature_is_checked_with_keys_fetched_once),
        unit(test_a_new_key_is_found),
        unit(test_a_flood_of_unknown_keys_asks_once),
        unit(test_known_keys_bridge_an_outage),
        unit(test_what_cannot_be_checked_is_refused),
        unit(test_ed25519_is_checked_too),
    };
    return cmocka_run_group_tests_name("oauth/metadata", tests, nullptr, nullptr);
}
