#include "nginx/loop.hpp"

#include <algorithm>

#include "util/error.hpp"

namespace authjs::nginx {
namespace {

// Both kinds of handle may be destroyed by the call that they make: what runs is moved or copied
// out first, and the handle is not touched afterwards.

class timer final : public io::timer {
public:
    timer(milliseconds delay, bool keeps_worker, std::function<void()> call)
        : call_(std::move(call)) {
        event_.data = this;
        event_.log = ngx_cycle->log;
        event_.handler = &fire;
        event_.cancelable = !keeps_worker;
        ngx_add_timer(&event_, static_cast<ngx_msec_t>(std::max<std::int64_t>(delay.count(), 0)));
    }
    ~timer() override {
        if (event_.timer_set) ngx_del_timer(&event_);
    }

private:
    static void fire(ngx_event_t* ev) noexcept {
        const auto call = std::move(static_cast<timer*>(ev->data)->call_);
        guard(ngx_cycle->log, call);
    }
    ngx_event_t event_{};
    std::function<void()> call_;
};

// nginx's connection object for a descriptor that somebody else opens and closes. Added without
// NGX_CLEAR_EVENT, so that epoll reports what is ready until it is taken (level-triggered).
class watch final : public io::watch {
public:
    watch(int fd, std::function<void(bool, bool)> call)
        : c_(ngx_get_connection(fd, ngx_cycle->log)), call_(std::move(call)) {
        if (c_ == nullptr) throw error(code::unavailable, "no connection slot is free");
        c_->data = this;
        for (ngx_event_t* ev : {c_->read, c_->write}) {
            ev->log = ngx_cycle->log;
            ev->handler = &fire;
        }
    }
    ~watch() override {
        want(false, false);
        for (ngx_event_t* ev : {c_->read, c_->write})
            if (ev->posted) {
                ngx_delete_posted_event(ev);
            }
        c_->read->closed = c_->write->closed = 1;
        // As ngx_close_connection does, but the descriptor is not ours to close. Events of this
        // turn that still name it are stale to nginx by the fd, or by the instance bit once the
        // slot is used again.
        ngx_free_connection(c_);
        c_->fd = static_cast<ngx_socket_t>(-1);
    }
    void want(bool read, bool write) override {
        turn(c_->read, NGX_READ_EVENT, read);
        turn(c_->write, NGX_WRITE_EVENT, write);
    }

private:
    static void turn(ngx_event_t* ev, ngx_int_t kind, bool on) {
        if (ev->active == static_cast<unsigned>(on)) return;
        if ((on ? ngx_add_event(ev, kind, NGX_LEVEL_EVENT) : ngx_del_event(ev, kind, 0)) != NGX_OK)
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0, "auth_js: a socket cannot be watched");
    }
    static void fire(ngx_event_t* ev) noexcept {
        const auto* c = static_cast<ngx_connection_t*>(ev->data);
        const auto call = static_cast<watch*>(c->data)->call_;
        // epoll turns an error or a hang-up into readiness of whatever is watched.
        guard(ngx_cycle->log, [&] { call(ev->write == 0, ev->write != 0); });
    }
    ngx_connection_t* c_;
    std::function<void(bool, bool)> call_;
};

}  // namespace

std::unique_ptr<io::timer> loop::after(milliseconds delay, bool keeps_worker,
                                       std::function<void()> call) {
    return std::make_unique<timer>(delay, keeps_worker, std::move(call));
}

std::unique_ptr<io::watch> loop::on_ready(int fd, std::function<void(bool, bool)> call) {
    return std::make_unique<watch>(fd, std::move(call));
}

}  // namespace authjs::nginx
