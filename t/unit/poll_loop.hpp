// io::event_loop on poll(2), for tests of what waits.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "io/ports.hpp"

namespace authjs::test {

class poll_loop final : public io::event_loop {
    using steady = std::chrono::steady_clock;

    struct pending final : io::timer {
        pending(poll_loop& l, milliseconds delay, std::function<void()> c)
            : loop(l), due(steady::now() + delay), call(std::move(c)) {
            loop.timers_.push_back(this);
        }
        ~pending() override { loop.timers_.remove(this); }
        poll_loop& loop;
        steady::time_point due;
        std::function<void()> call;
    };

    struct watched final : io::watch {
        watched(poll_loop& l, int f, std::function<void(bool, bool)> c)
            : loop(l), fd(f), call(std::move(c)) {
            loop.watches_.push_back(this);
        }
        ~watched() override { loop.watches_.remove(this); }
        void want(bool read, bool write) override {
            events = static_cast<short>((read ? POLLIN : 0) | (write ? POLLOUT : 0));
        }
        poll_loop& loop;
        int fd;
        short events = 0;
        std::function<void(bool, bool)> call;
    };

public:
    std::unique_ptr<io::timer> after(milliseconds delay, bool,
                                     std::function<void()> call) override {
        return std::make_unique<pending>(*this, delay, std::move(call));
    }
    std::unique_ptr<io::watch> on_ready(int fd, std::function<void(bool, bool)> call) override {
        return std::make_unique<watched>(*this, fd, std::move(call));
    }

    // run turns until `done` or until `limit` is over; answers what `done` says then.
    bool run(const std::function<bool()>& done, milliseconds limit = milliseconds{5'000}) {
        const auto end = steady::now() + limit;
        while (!done() && steady::now() < end) turn();
        return done();
    }
    std::size_t timers() const { return timers_.size(); }
    std::size_t watches() const { return watches_.size(); }

private:
    template <class T>
    static bool holds(const std::list<T*>& all, T* one) {
        return std::find(all.begin(), all.end(), one) != all.end();
    }

    // A call may destroy any handle, its own included: each is looked up again, and what runs is a
    // copy.
    void turn() {
        std::vector<pollfd> fds;
        std::vector<watched*> whose;
        for (auto* w : watches_) {
            if (w->events == 0) continue;
            fds.push_back({w->fd, w->events, 0});
            whose.push_back(w);
        }
        poll(fds.data(), fds.size(), 5);
        for (std::size_t i = 0; i < fds.size(); i++) {
            const short got = fds[i].revents;
            if (got == 0 || !holds(watches_, whose[i]) || whose[i]->fd != fds[i].fd) continue;
            const auto call = whose[i]->call;
            const bool failed = got & (POLLERR | POLLHUP | POLLNVAL);
            call(failed || (got & POLLIN), failed || (got & POLLOUT));
        }
        const auto now = steady::now();
        for (auto* t : std::vector<pending*>(timers_.begin(), timers_.end())) {
            if (!holds(timers_, t) || t->due > now) continue;
            t->due = steady::time_point::max();
            const auto call = std::move(t->call);
            call();
        }
    }

    std::list<pending*> timers_;
    std::list<watched*> watches_;
};

}  // namespace authjs::test
