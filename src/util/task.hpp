// A task<T> is one coroutine: lazy (nothing runs until it is awaited or started), move-only, with
// one owner, on one thread. Dropping a task that is suspended destroys its frame, and with it the
// tasks and awaiters it was waiting for; an awaiter's destructor takes its timer, transfer or query
// off the event loop. So cancelling is dropping, and what must happen on the way out is a
// destructor.
//
// Rules (g++ 12 and clang 14 agree only if they are kept): one await per statement, taking names;
// no braced aggregate, initialiser list or capturing lambda inside an awaited expression; no await
// in a catch block; parameters that must outlive a suspension are taken by value.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <utility>
#include <variant>

namespace authjs {

template <class T>
class task;

namespace detail {

struct promise_base {
    std::coroutine_handle<> continuation = std::noop_coroutine();

    struct final_awaiter {
        bool await_ready() noexcept { return false; }
        template <class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> h) noexcept {
            return h.promise().continuation;
        }
        void await_resume() noexcept {}
    };

    std::suspend_always initial_suspend() noexcept { return {}; }
    final_awaiter final_suspend() noexcept { return {}; }
};

template <class T>
struct promise final : promise_base {
    std::variant<std::monostate, T, std::exception_ptr> result;

    task<T> get_return_object() noexcept;
    void unhandled_exception() noexcept { result.template emplace<2>(std::current_exception()); }
    template <class U>
    void return_value(U&& value) {
        result.template emplace<1>(std::forward<U>(value));
    }
    T take() {
        if (result.index() == 2) std::rethrow_exception(std::get<2>(result));
        return std::move(std::get<1>(result));
    }
};

template <>
struct promise<void> final : promise_base {
    std::exception_ptr failure;

    task<void> get_return_object() noexcept;
    void unhandled_exception() noexcept { failure = std::current_exception(); }
    void return_void() noexcept {}
    void take() const {
        if (failure) std::rethrow_exception(failure);
    }
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] task {
public:
    using promise_type = detail::promise<T>;
    using handle = std::coroutine_handle<promise_type>;

    task() noexcept = default;
    explicit task(handle h) noexcept : h_(h) {}
    task(task&& other) noexcept : h_(std::exchange(other.h_, {})) {}
    task& operator=(task&& other) noexcept {
        if (this != &other) {
            if (h_) h_.destroy();
            h_ = std::exchange(other.h_, {});
        }
        return *this;
    }
    task(const task&) = delete;
    task& operator=(const task&) = delete;
    ~task() {
        if (h_) h_.destroy();
    }

    explicit operator bool() const noexcept { return static_cast<bool>(h_); }
    bool done() const noexcept { return h_ && h_.done(); }

    // start runs a root task to its first suspension. Whoever owns the task sees done() become
    // true after one of its awaiters resumed it; `then` is how the owner is told (see flow.hpp).
    void start(std::coroutine_handle<> then = std::noop_coroutine()) {
        h_.promise().continuation = then;
        h_.resume();
    }

    // result of a task that is done: the value, or the exception it ended with.
    T result() { return h_.promise().take(); }

    struct awaiter {
        handle h;
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
            h.promise().continuation = caller;
            return h;
        }
        T await_resume() { return h.promise().take(); }
    };
    awaiter operator co_await() const& noexcept { return {h_}; }
    awaiter operator co_await() const&& noexcept { return {h_}; }

private:
    handle h_;
};

namespace detail {
template <class T>
task<T> promise<T>::get_return_object() noexcept {
    return task<T>(std::coroutine_handle<promise<T>>::from_promise(*this));
}
inline task<void> promise<void>::get_return_object() noexcept {
    return task<void>(std::coroutine_handle<promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace authjs
