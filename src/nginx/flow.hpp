// A flow is one root task on one request: who owns it, when it is dropped, and how its answer gets
// out.
//
// Until commit() a flow is dropped with its client. From then on it finishes: a client that closes
// is not even noticed, and if nginx ends the request all the same (an HTTP/2 reset while a
// sub-request runs), the flow goes on as the worker's own, internal calls fail with
// error(unavailable), and its answer is thrown away.
#pragma once

#include "auth/handle.hpp"
#include "nginx/log.hpp"
#include "nginx/ngx.hpp"
#include "nginx/subrequest.hpp"

namespace authjs::nginx {

class flow {
public:
    // What runs (its reference parameters outlive it), and what nginx is to do with what it gave;
    // `finish` answers what ngx_http_finalize_request gets and is not called for a request that is
    // gone. A failed task is NGX_HTTP_INTERNAL_SERVER_ERROR.
    using root = std::function<task<auth::response>(auth::ports)>;
    using finisher = ngx_int_t (*)(ngx_http_request_t* r, auth::response rs);

    // start runs the task to its first suspension. The caller has taken one reference on the
    // request (as ngx_http_read_client_request_body does) that the flow gives back by finalizing.
    // NGX_ERROR: out of memory, nothing was started and nothing is given back.
    static ngx_int_t start(ngx_http_request_t* r, const auth::config& cf, root run,
                           finisher finish);

    auth::ports ports();
    ~flow();
    flow(const flow&) = delete;
    flow& operator=(const flow&) = delete;

private:
    flow(ngx_http_request_t* r, const auth::config& cf, finisher finish);
    task<void> run(root what);
    void commit();
    void poke() noexcept;
    void wake() noexcept;
    static void on_event(ngx_event_t* ev) noexcept;
    static void on_request_gone(void* data) noexcept;

    ngx_http_request_t* r_;
    finisher finish_;
    log log_;
    internal_calls internal_;
    root what_;
    task<void> task_;
    std::optional<auth::response> answer_;
    ngx_event_t event_{};
    bool committed_ = false;
    bool over_ = false;
};

}  // namespace authjs::nginx
