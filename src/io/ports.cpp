#include "io/ports.hpp"

#include <array>
#include <coroutine>
#include <utility>

#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::io {
namespace {

// Holds the timer; destroying the awaiter (with the frame that awaits) takes it off the loop.
struct sleeping {
    event_loop& loop;
    milliseconds delay;
    std::unique_ptr<timer> pending;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> h) {
        pending = loop.after(delay, true, [h] { h.resume(); });
    }
    void await_resume() noexcept { pending.reset(); }
};

// A job cannot be taken back, so `done` asks a slot, which both sides own, whether anybody still
// waits.
struct waiting {
    offload& pool;
    std::function<void()> work;
    std::shared_ptr<std::coroutine_handle<>> slot;
    bool refused = false;

    waiting(offload& p, std::function<void()> w) : pool(p), work(std::move(w)) {}
    waiting(const waiting&) = delete;
    waiting& operator=(const waiting&) = delete;
    ~waiting() {
        if (slot) *slot = nullptr;
    }

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> h) {
        slot = std::make_shared<std::coroutine_handle<>>(h);
        auto done = [slot = slot] {
            if (const auto waiter = std::exchange(*slot, nullptr)) waiter.resume();
        };
        // A pool may run everything at once: nothing of this frame is touched after a yes.
        if (pool.post(std::move(work), std::move(done))) return true;
        refused = true;
        return false;
    }
    void await_resume() const {
        if (refused) throw error(code::unavailable, "the thread pool's queue is full");
    }
};

}  // namespace

std::string random_bytes(random& rng, std::size_t n) {
    std::string out(n, '\0');
    rng.fill({reinterpret_cast<unsigned char*>(out.data()), n});
    return out;
}

std::string random_uuid(random& rng) {
    std::array<unsigned char, 16> b{};
    rng.fill(b);
    b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);  // RFC 9562 section 5.4
    b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
    auto text = hex({reinterpret_cast<const char*>(b.data()), b.size()});
    for (const std::size_t at : {8u, 13u, 18u, 23u}) text.insert(at, 1, '-');
    return text;
}

task<void> sleep(event_loop& loop, milliseconds delay) {
    sleeping awaiter{loop, delay, nullptr};
    co_await awaiter;
}

task<void> detail::run_job(offload& pool, std::function<void()> work) {
    waiting awaiter(pool, std::move(work));
    co_await awaiter;
}

}  // namespace authjs::io
