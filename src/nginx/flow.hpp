// A flow is one root task on one request: who owns it, when it is dropped, and how its answer gets
// out.
//
// Until commit() a flow is dropped with its client. From then on it finishes: a client that closes
// is not even noticed, and if nginx ends the request all the same (an HTTP/2 reset while a
// sub-request runs), the flow goes on as the worker's own, internal calls fail with
// error(unavailable), and its answer is thrown away.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>

#include "auth/handle.hpp"
#include "nginx/log.hpp"
#include "nginx/ngx.hpp"
#include "nginx/subrequest.hpp"

namespace authjs::nginx {

class flow {
public:
    // What runs (what it refers to outlives it), and what nginx is to do with what it gave:
    // `finish` answers what ngx_http_finalize_request gets and is not called for a request that is
    // gone. A task that throws is NGX_HTTP_INTERNAL_SERVER_ERROR.
    using root = std::function<task<auth::response>(auth::ports)>;
    using finisher = ngx_int_t (*)(ngx_http_request_t* r, const auth::response& rs);

    // start runs the task to its first suspension. The caller has taken one reference on the
    // request (as ngx_http_read_client_request_body does), which the flow gives back by finalizing,
    // at once where the task never waits. It throws, having started nothing, when memory is short.
    static void start(ngx_http_request_t* r, const auth::config& cf, root run, finisher finish);

    // drop_orphans destroys the flows whose request is gone; before the worker's ports are.
    static void drop_orphans() noexcept;

    ~flow();
    flow(const flow&) = delete;
    flow& operator=(const flow&) = delete;

private:
    class counted;

    flow(ngx_http_request_t* r, const auth::config& cf, root run, finisher finish);
    task<void> to_the_end();
    auth::ports ports();
    void watch_client();
    void commit() noexcept;
    void poke() noexcept;
    void wake() noexcept;
    void finish() noexcept;
    void request_gone() noexcept;

    ngx_http_request_t* r_;  // null once it is gone
    log log_;
    internal_calls internal_;
    std::unique_ptr<counted> counted_;
    root run_;
    finisher finish_;
    std::optional<auth::response> answer_;
    ngx_event_t event_{};  // posted when something happened that wake() looks at
    bool committed_ = false;
    bool over_ = false;
    std::list<std::unique_ptr<flow>> self_;  // moves to the orphans, or dies with the request
    task<void> task_;                        // last: destroyed before all that it uses
};

}  // namespace authjs::nginx
