// io::internal_call: POST sub-requests to locations of the operator's own configuration, whoever
// answers there (proxy_pass, njs, Lua, return). What they answer never reaches the client.
#pragma once

#include <list>

#include "io/ports.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

// is_own_call: a sub-request that was made for an internal call, or is part of one.
bool is_own_call(const ngx_http_request_t* r) noexcept;

// init_capture puts in place what keeps answers and what ends their sub-requests, and makes
// $request_id keep its value; a filter module's postconfiguration calls it once.
ngx_int_t init_capture(ngx_conf_t* cf);

// request_id is $request_id: the same for a request and its sub-requests. It lives as long as the
// request.
std::string_view request_id(ngx_http_request_t* r);

// The internal calls of one flow. Sub-requests are background ones: nginx neither orders their
// output with the main answer nor lets that wait for them.
class internal_calls final : public io::internal_call {
public:
    // `poke` is called after a sub-request was made or has ended: the owner then, from the loop and
    // not from where it is, runs posted requests and resume(). It does not throw.
    internal_calls(ngx_http_request_t* r, io::event_loop& loop, milliseconds timeout,
                   std::function<void()> poke);
    task<io::internal_answer> call(std::string uri, std::string json) override;
    void post(std::string uri, std::string json) override;

    // resume continues those whose answer is there.
    void resume();
    // leave: the request is gone; calls under way and later ones end with error(unavailable).
    void leave() noexcept;

    class pending;

private:
    ngx_http_request_t* r_;
    io::event_loop& loop_;
    milliseconds timeout_;
    std::function<void()> poke_;
    std::list<pending*> waiting_;
};

}  // namespace authjs::nginx
