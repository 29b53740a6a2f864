// within: a task that may take so long and no longer, whatever it waits for.
#pragma once

#include <coroutine>
#include <memory>
#include <optional>

#include "io/ports.hpp"
#include "util/error.hpp"
#include "util/task.hpp"
#include "util/time.hpp"

namespace authjs::auth {

// within awaits `work`; when `limit` passes first, `work` is dropped where it stands and
// error(unavailable) is thrown.
template <class T>
class within {
public:
    within(io::event_loop& loop, milliseconds limit, task<T> work)
        : loop_(loop), limit_(limit), work_(std::move(work)), inner_(work_.operator co_await()) {}
    within(const within&) = delete;
    within& operator=(const within&) = delete;

    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        timer_ = loop_.after(limit_, true, [this, caller] {
            expired_ = true;
            work_ = {};
            caller.resume();
        });
        return inner_.await_suspend(caller);
    }
    T await_resume() {
        timer_.reset();
        if (expired_) throw error(code::unavailable, "the flow took too long");
        return work_.result();
    }

private:
    io::event_loop& loop_;
    milliseconds limit_;
    task<T> work_;
    typename task<T>::awaiter inner_;
    std::unique_ptr<io::timer> timer_;
    bool expired_ = false;
};

}  // namespace authjs::auth
