// The world of one worker process: every port that flows use, made after fork, gone before exit.
#pragma once

#include <memory>

#include "auth/gate.hpp"
#include "crypto/crypto.hpp"
#include "io/curl_client.hpp"
#include "nginx/log.hpp"
#include "nginx/loop.hpp"
#include "nginx/ngx.hpp"
#include "nginx/pool.hpp"
#include "nginx/zone.hpp"
#include "oauth/metadata.hpp"

namespace authjs::nginx {

class system_clock final : public io::clock {
public:
    instant now() override;  // asks the system: nginx's cached time is as old as its last event
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
    nginx::zone shared;
    io::curl_client http{loop};
    oauth::metadata metadata{clock, shared};
    auth::token_cache tokens;
};

// init_process makes the worker's world, in workers and in a single process (not in cache helpers);
// exit_process destroys it: transfers are dropped, flows that outlived their request too.
ngx_int_t init_process(ngx_cycle_t* cycle);
void exit_process(ngx_cycle_t* cycle);

}  // namespace authjs::nginx
