#include "io/ports.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "io/http.hpp"
#include "unit.hpp"

using namespace authjs;

namespace {

struct one_timer final : io::event_loop {
    struct handle final : io::timer {
        explicit handle(one_timer& l) : loop(l) {}
        ~handle() override { loop.armed = false; }
        one_timer& loop;
    };
    std::unique_ptr<io::timer> after(milliseconds d, bool, std::function<void()> c) override {
        delay = d;
        call = std::move(c);
        armed = true;
        return std::make_unique<handle>(*this);
    }
    std::unique_ptr<io::watch> on_ready(int, std::function<void(bool, bool)>) override {
        return nullptr;
    }
    milliseconds delay{};
    std::function<void()> call;
    bool armed = false;
};

struct held_pool final : io::offload {
    bool post(std::function<void()> work, std::function<void()> done) override {
        if (full) return false;
        if (at_once) {
            work();
            done();
        } else {
            jobs.emplace_back(std::move(work), std::move(done));
        }
        return true;
    }
    void run_all() {
        for (auto& [work, done] : jobs) {
            work();
            done();
        }
        jobs.clear();
    }
    bool full = false, at_once = false;
    std::vector<std::pair<std::function<void()>, std::function<void()>>> jobs;
};

task<std::string> ask(io::offload& pool) {
    auto work = [] { return std::string("done"); };
    auto running = io::run(pool, work);
    const auto answer = co_await running;
    co_return answer;
}

}  // namespace

static void test_a_uuid_is_version_4(void**) {
    authjs::test::counting_random rng;
    assert_text(io::random_uuid(rng), "00010203-0405-4607-8809-0a0b0c0d0e0f");
    assert_int_equal(io::random_bytes(rng, 3)[0], 16);
}

static void test_headers_are_found_without_case(void**) {
    const http::headers list = {{"A", "1"}, {"b", "2"}, {"a", "3"}};
    assert_text(*http::find(list, "a"), "1");
    assert_text(*http::find(list, "B"), "2");
    assert_null(http::find(list, "c"));
}

static void test_sleep_resumes_once_its_timer_fires(void**) {
    one_timer loop;
    auto t = io::sleep(loop, milliseconds(250));
    t.start();
    assert_false(t.done());
    assert_int_equal(loop.delay.count(), 250);
    const auto call = loop.call;
    call();
    assert_true(t.done());
    assert_false(loop.armed);
}

static void test_dropping_a_sleeper_takes_its_timer_away(void**) {
    one_timer loop;
    {
        auto t = io::sleep(loop, milliseconds(1));
        t.start();
        assert_true(loop.armed);
    }
    assert_false(loop.armed);
}

static void test_a_job_gives_its_result(void**) {
    held_pool pool;
    auto t = ask(pool);
    t.start();
    assert_false(t.done());
    pool.run_all();
    assert_true(t.done());
    assert_text(t.result(), "done");
}

static void test_a_pool_may_run_a_job_at_once(void**) {
    held_pool pool;
    pool.at_once = true;
    auto t = ask(pool);
    t.start();
    assert_text(t.result(), "done");
}

static void test_nobody_waits_for_a_job_any_more(void**) {
    held_pool pool;
    {
        auto t = ask(pool);
        t.start();
    }
    pool.run_all();
    assert_true(pool.jobs.empty());
}

static void test_a_full_queue_is_unavailable(void**) {
    held_pool pool;
    pool.full = true;
    auto t = ask(pool);
    t.start();
    const auto failure = failure_of([&] { t.result(); });
    assert_true(failure && failure->id() == code::unavailable);
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_a_uuid_is_version_4),
        unit(test_headers_are_found_without_case),
        unit(test_sleep_resumes_once_its_timer_fires),
        unit(test_dropping_a_sleeper_takes_its_timer_away),
        unit(test_a_job_gives_its_result),
        unit(test_a_pool_may_run_a_job_at_once),
        unit(test_nobody_waits_for_a_job_any_more),
        unit(test_a_full_queue_is_unavailable),
    };
    return cmocka_run_group_tests_name("io/ports", tests, nullptr, nullptr);
}
