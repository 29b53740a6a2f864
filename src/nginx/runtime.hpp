// The world of one worker process: every port that flows use, made after fork, gone before exit.
#pragma once

#include <optional>

#include "auth/database_session.hpp"
#include "auth/gate.hpp"
#include "crypto/crypto.hpp"
#include "email/letter.hpp"
#include "io/curl_client.hpp"
#include "nginx/log.hpp"
#include "nginx/loop.hpp"
#include "nginx/ngx.hpp"
#include "nginx/pool.hpp"
#include "nginx/stores.hpp"
#include "nginx/zone.hpp"
#include "oauth/metadata.hpp"

namespace authjs::nginx {

class system_clock final : public io::clock {
public:
    instant now() override;  // asks the system: nginx's cached time is as old as its last event
};

// Is told when the worker begins to exit gracefully, as nginx tells its own idle connections.
class exit_bell {
public:
    explicit exit_bell(std::function<void()> rung);  // without a free connection it stays silent
    ~exit_bell();
    exit_bell(const exit_bell&) = delete;
    exit_bell& operator=(const exit_bell&) = delete;

private:
    void hang_up() noexcept;
    ngx_connection_t* c_ = nullptr;
    std::function<void()> rung_;
};

// The pool as stores use it: their jobs are awaits too, and noted like those of flow.cpp.
class noted_pool final : public io::offload {
public:
    noted_pool(io::offload& to, io::log& log) : to_(to), log_(log) {}
    bool post(std::function<void()> work, std::function<void()> done) override {
        log_.write(io::level::debug, "await (store)");
        return to_.post(std::move(work), std::move(done));
    }

private:
    io::offload& to_;
    io::log& log_;
};

class worker {
public:
    explicit worker(ngx_cycle_t* cycle);
    // The one of this process; only between init_process and exit_process.
    static worker& current() noexcept;

    nginx::system_clock clock;
    crypto::system_random random;
    nginx::log log{nullptr, true};
    nginx::loop loop;
    nginx::pool pool;
    noted_pool store_pool{pool, log};
    nginx::zone shared;
    io::curl_client http{loop};
    oauth::metadata metadata{clock, shared};
    auth::token_cache tokens;
    std::vector<std::string_view> cookie_lines;  // room for judge() alone
    auth::session_cache sessions;
    std::optional<nginx::stores> stores;

private:
    exit_bell bell_{[this] { http.close_idle(); }};
};

// init_process makes the worker's world, in workers and in a single process (not in cache helpers);
// exit_process destroys it: transfers are dropped, flows that outlived their request too.
ngx_int_t init_process(ngx_cycle_t* cycle);
void exit_process(ngx_cycle_t* cycle);

}  // namespace authjs::nginx
