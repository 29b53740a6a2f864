#include "nginx/runtime.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <memory>

#include "nginx/conf.hpp"
#include "nginx/flow.hpp"

namespace authjs::nginx {
namespace {

std::unique_ptr<worker> this_worker;

}  // namespace

instant system_clock::now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

// nginx calls the read handler of every idle connection with `close` set when a worker begins to
// exit; a connection that nothing is ever read from hears that and no more.
exit_bell::exit_bell(std::function<void()> rung) : rung_(std::move(rung)) {
    const int fd = eventfd(0, EFD_CLOEXEC);
    if (fd < 0) return;
    c_ = ngx_get_connection(fd, ngx_cycle->log);
    if (!c_) {
        ::close(fd);
        return;
    }
    c_->data = this;
    c_->idle = 1;
    c_->read->log = c_->write->log = ngx_cycle->log;
    c_->read->handler = [](ngx_event_t* ev) {
        auto* const c = static_cast<ngx_connection_t*>(ev->data);
        auto& me = *static_cast<exit_bell*>(c->data);
        if (!c->close) return;
        me.hang_up();
        guard(ngx_cycle->log, me.rung_);
    };
}

exit_bell::~exit_bell() { hang_up(); }

void exit_bell::hang_up() noexcept {
    if (c_) ngx_close_connection(std::exchange(c_, nullptr));
}

worker::worker(ngx_cycle_t* cycle) : pool(cycle), shared(cycle) {
    auto* main = static_cast<main_conf*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_auth_js_module));
    stores.emplace(*main, *this);
}

worker& worker::current() noexcept { return *this_worker; }

ngx_int_t init_process(ngx_cycle_t* cycle) {
    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE) return NGX_OK;
    return guard(cycle->log, static_cast<ngx_int_t>(NGX_ERROR), [&]() -> ngx_int_t {
        this_worker = std::make_unique<worker>(cycle);
        return NGX_OK;
    });
}

void exit_process(ngx_cycle_t*) {
    flow::drop_orphans();
    this_worker.reset();
}

}  // namespace authjs::nginx
