// io::offload on an nginx thread pool of our own (the name "auth_js" is reserved), so that slow
// hashes never hold up `aio threads`.
#pragma once

#include "io/ports.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

// declare_pool makes the pool known to nginx; once per configuration that needs one, while it is
// read. Without it post() answers false. A pool that
// the operator declared under that name is nginx's error "duplicate thread pool".
ngx_int_t declare_pool(ngx_conf_t* cf);

class pool final : public io::offload {
public:
    explicit pool(ngx_cycle_t* cycle);
    // Each job has a timer of its own: a worker that exits gracefully waits for timers alone.
    bool post(std::function<void()> work, std::function<void()> done) override;

private:
    ngx_thread_pool_t* threads_;
};

}  // namespace authjs::nginx
