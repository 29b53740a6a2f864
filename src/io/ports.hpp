// The world as the core sees it: interfaces that nginx implements for the worker and tests
// implement for themselves. Everything here is called on the worker's one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "util/task.hpp"
#include "util/time.hpp"

namespace authjs::io {

class clock {
public:
    virtual ~clock() = default;
    virtual instant now() = 0;
};

class random {
public:
    virtual ~random() = default;
    // fill writes cryptographically strong bytes. Throws error(auth_error) when there are none:
    // nothing is ever made from weaker ones.
    virtual void fill(std::span<unsigned char> out) = 0;
};
std::string random_bytes(random& rng, std::size_t n);  // n raw bytes
std::string random_uuid(random& rng);                  // version 4, lower case; draws 16 bytes

enum class level { error, warn, notice, info, debug };
class log {
public:
    virtual ~log() = default;
    // write adds "auth_js: " in front. One line; never a secret, token, code, cookie or body.
    virtual void write(level lv, std::string_view line) = 0;
};

// A timer that fires once. Destroying the handle takes it off the loop.
class timer {
public:
    virtual ~timer() = default;
};

// Readiness of one file descriptor, level-triggered. Destroying the handle takes it off the loop;
// it must happen before the descriptor is closed.
class watch {
public:
    virtual ~watch() = default;
    virtual void want(bool read, bool write) = 0;
};

class event_loop {
public:
    virtual ~event_loop() = default;
    // `keeps_worker`: whether a worker that shuts down gracefully waits for this timer (flows: yes;
    // housekeeping, connection reuse: no).
    virtual std::unique_ptr<timer> after(milliseconds delay, bool keeps_worker,
                                         std::function<void()> call) = 0;
    // `call(readable, writable)`; both true on error or hang-up.
    virtual std::unique_ptr<watch> on_ready(int fd, std::function<void(bool, bool)> call) = 0;
};

// sleep resumes after `delay`; dropping the task takes the timer away.
task<void> sleep(event_loop& loop, milliseconds delay);

// A pool of threads for what would block the loop: slow hashes, writes of an embedded store.
class offload {
public:
    virtual ~offload() = default;
    // post runs `work` on a thread, then `done` on the loop. A posted job cannot be taken back; it
    // owns all that it touches, and `done` may find that nobody waits any more. False: the queue is
    // full, nothing will run.
    virtual bool post(std::function<void()> work, std::function<void()> done) = 0;
};

namespace detail {
task<void> run_job(offload& pool, std::function<void()> work);
}
// run awaits work(), which runs on a pool thread and may throw; its result is moved out. `work`
// owns what it uses: dropping the task leaves the job running to its end on its own. Throws
// error(unavailable) when the queue is full.
template <class F>
auto run(offload& pool, F work) -> task<decltype(work())> {
    using result = decltype(work());
    struct shared {
        F work;
        std::optional<result> value;
        std::exception_ptr failure;
    };
    auto state = std::make_shared<shared>(shared{std::move(work), std::nullopt, nullptr});
    std::function<void()> job = [state] {
        try {
            state->value.emplace(state->work());
        } catch (...) {
            state->failure = std::current_exception();
        }
    };
    co_await detail::run_job(pool, std::move(job));
    if (state->failure) std::rethrow_exception(state->failure);
    co_return std::move(*state->value);
}

// A POST of JSON to a location of the operator's own nginx configuration (an nginx sub-request).
struct internal_answer {
    int status = 0;
    std::string body;  // at most 64 KiB
};
class internal_call {
public:
    virtual ~internal_call() = default;
    // call sends `json` to `uri` and captures what answers. Throws error(unavailable) when there is
    // no answer in time, more than 64 KiB of one, or no request left to hang it on.
    virtual task<internal_answer> call(std::string uri, std::string json) = 0;
    // post is the same without waiting and without an answer (events).
    virtual void post(std::string uri, std::string json) = 0;
};

// Memory that all workers of one master share (auth_js_zone): a cache that may be lost at any time.
class shared_cache {
public:
    virtual ~shared_cache() = default;
    // once is true for the first caller with this key within `window`, over all workers: throttles
    // of refetches, one-time codes. True too when the zone is full or absent (it is only a cache).
    virtual bool once(std::string_view key, milliseconds window) = 0;
    // Notices that every worker hears of before it uses what it remembers (sessions that ended):
    // `notices` counts them, and costs one read; post adds one; posted_since is whether this key is
    // among those after the first `count`, true too when that is not known any more. Without a zone
    // there are none.
    virtual std::uint64_t notices() = 0;
    virtual void post(std::string_view key) = 0;
    virtual bool posted_since(std::string_view key, std::uint64_t count) = 0;
};

}  // namespace authjs::io
