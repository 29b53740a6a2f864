// io::log that writes into nginx's error log, without the suffix nginx adds for a request: its
// request line may carry a code or a token.
#pragma once

#include "io/ports.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

class log final : public io::log {
public:
    // `to` null: the worker's log. `debug`: whether records of level debug are wanted at all
    // (auth_js_debug).
    log(ngx_log_t* to, bool debug) noexcept : to_(to), debug_(debug) {}
    void write(io::level lv, std::string_view line) override;
    // leave: the connection goes, later records are the worker's.
    void leave() noexcept { to_ = nullptr; }
    bool debug() const noexcept { return debug_; }

private:
    ngx_log_t* to_;
    bool debug_;
};

}  // namespace authjs::nginx
