// A worker's world for tests of stores: an event loop of timers and of jobs that real threads ran,
// on real time. Whatever a test awaits must end within 30 seconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "io/ports.hpp"
#include "util/task.hpp"

namespace authjs::test {

class loop final : public io::event_loop {
    using steady = std::chrono::steady_clock;
    struct entry {
        std::function<void()> call;
    };
    using timers = std::multimap<steady::time_point, std::shared_ptr<entry>>;

    class handle final : public io::timer {
    public:
        handle(std::shared_ptr<entry> e) : entry_(std::move(e)) {}
        ~handle() override { entry_->call = nullptr; }

    private:
        std::shared_ptr<entry> entry_;
    };

public:
    std::unique_ptr<io::timer> after(milliseconds delay, bool,
                                     std::function<void()> call) override {
        auto e = std::make_shared<entry>(entry{std::move(call)});
        timers_.emplace(steady::now() + delay, e);
        return std::make_unique<handle>(std::move(e));
    }
    std::unique_ptr<io::watch> on_ready(int, std::function<void(bool, bool)>) override {
        throw std::logic_error("this loop watches nothing");
    }

    // post is called by threads; `call` runs on the loop.
    void post(std::function<void()> call) {
        const std::lock_guard lock(mutex_);
        posted_.push_back(std::move(call));
        wake_.notify_one();
    }

    // run_until turns the loop until `done` or 30 seconds have passed.
    void run_until(const std::function<bool()>& done) {
        const auto deadline = steady::now() + std::chrono::seconds(30);
        while (!done()) {
            if (steady::now() > deadline) throw std::runtime_error("a test waited for too long");
            turn();
        }
    }

    template <class T>
    T run(task<T> t) {
        t.start();
        run_until([&] { return t.done(); });
        return t.result();
    }

private:
    void turn() {
        std::deque<std::function<void()>> ready;
        {
            std::unique_lock lock(mutex_);
            auto until = steady::now() + std::chrono::milliseconds(20);
            if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
            wake_.wait_until(lock, until, [&] { return !posted_.empty(); });
            ready.swap(posted_);
        }
        for (auto& call : ready) call();
        while (!timers_.empty() && timers_.begin()->first <= steady::now()) {
            const auto e = timers_.begin()->second;
            timers_.erase(timers_.begin());
            if (const auto call = std::exchange(e->call, nullptr)) call();
        }
    }

    timers timers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> posted_;
};

class threads final : public io::offload {
public:
    explicit threads(loop& on, int n = 4) : loop_(on) {
        for (int i = 0; i < n; ++i) pool_.emplace_back([this] { work(); });
    }
    ~threads() override {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
            wake_.notify_all();
        }
        for (auto& t : pool_) t.join();
    }
    bool post(std::function<void()> job, std::function<void()> done) override {
        const std::lock_guard lock(mutex_);
        if (full) return false;
        jobs_.emplace_back(std::move(job), std::move(done));
        wake_.notify_one();
        return true;
    }
    bool full = false;  // refuses everything

private:
    void work() {
        for (;;) {
            std::pair<std::function<void()>, std::function<void()>> job;
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return stop_ || !jobs_.empty(); });
                if (jobs_.empty()) return;
                job = std::move(jobs_.front());
                jobs_.pop_front();
            }
            job.first();
            job.first = nullptr;
            loop_.post(std::move(job.second));
        }
    }

    loop& loop_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs_;
    std::vector<std::thread> pool_;
    bool stop_ = false;
};

class real_clock final : public io::clock {
public:
    instant now() override {
        return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
    }
};

// Different every time within a run, the same in every run.
class seeded_random final : public io::random {
public:
    void fill(std::span<unsigned char> out) override {
        for (auto& b : out) b = static_cast<unsigned char>(engine_());
    }

private:
    std::mt19937_64 engine_;
};

class log_lines final : public io::log {
public:
    void write(io::level, std::string_view line) override { lines.emplace_back(line); }
    std::vector<std::string> lines;
};

class leases final : public io::shared_cache {
public:
    bool once(std::string_view key, milliseconds) override { return taken_.emplace(key).second; }
    bool taken(const std::string& key) const { return taken_.count(key) != 0; }
    std::uint64_t notices() override { return 0; }
    void post(std::string_view) override {}
    bool posted_since(std::string_view, std::uint64_t) override { return false; }

private:
    std::set<std::string> taken_;
};

}  // namespace authjs::test
