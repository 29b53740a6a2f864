#include "nginx/flow.hpp"

#include <string>
#include <utility>

#include "nginx/runtime.hpp"

namespace authjs::nginx {
namespace {

std::list<std::unique_ptr<flow>> orphans;  // this process's

}  // namespace

// The ports whose use suspends a flow, counted: tests that leave at the n-th await find it in the
// log (auth_js_debug).
class flow::counted final : public http::client,
                            public email::mailer,
                            public io::offload,
                            public io::internal_call {
public:
    explicit counted(flow& f) : f_(f) {}
    task<http::response> send(http::request rq, const http::transport& via) override {
        note();
        return worker::current().http.send(std::move(rq), via);
    }
    task<void> deliver(io::smtp_message m, const http::transport& via) override {
        note();
        return worker::current().http.deliver(std::move(m), via);
    }
    bool post(std::function<void()> work, std::function<void()> done) override {
        note();
        return worker::current().pool.post(std::move(work), std::move(done));
    }
    task<io::internal_answer> call(std::string uri, std::string json) override {
        note();
        return f_.internal_.call(std::move(uri), std::move(json));
    }
    void post(std::string uri, std::string json) override {
        f_.internal_.post(std::move(uri), std::move(json));
    }

private:
    void note() {
        if (f_.log_.debug()) f_.log_.write(io::level::debug, "await " + std::to_string(++count_));
    }
    flow& f_;
    int count_ = 0;
};

flow::flow(ngx_http_request_t* r, const auth::config& cf, root run, finisher finish)
    : r_(r),
      log_(r->connection->log, cf.debug),
      internal_(r, worker::current().loop, cf.transport.timeout, [this] { poke(); }),
      counted_(std::make_unique<counted>(*this)),
      run_(std::move(run)),
      finish_(finish) {
    event_.data = this;
    event_.log = ngx_cycle->log;
    event_.handler = [](ngx_event_t* ev) { static_cast<flow*>(ev->data)->wake(); };
}

flow::~flow() {
    if (event_.posted) {
        ngx_delete_posted_event(&event_);
    }
}

void flow::start(ngx_http_request_t* r, const auth::config& cf, root run, finisher finish) {
    std::unique_ptr<flow> own(new flow(r, cf, std::move(run), finish));
    flow* const f = own.get();
    f->self_.push_back(nullptr);
    ngx_http_cleanup_t* const cln = ngx_http_cleanup_add(r, 0);
    if (!cln) throw std::bad_alloc();
    f->task_ = f->to_the_end();
    cln->data = f;
    cln->handler = [](void* data) { static_cast<flow*>(data)->request_gone(); };
    f->self_.back() = std::move(own);

    f->task_.start();
    if (f->task_.done())
        f->finish();
    else
        f->watch_client();
}

task<void> flow::to_the_end() {
    auth::ports io = ports();
    auto whole = run_(std::move(io));
    answer_ = co_await whole;
    poke();  // the frame still runs: what follows is for the loop
}

auth::ports flow::ports() {
    auto& w = worker::current();
    return {w.clock,  w.random,   log_,      *counted_,           w.loop, *counted_, *counted_,
            w.shared, w.metadata, *counted_, [this] { commit(); }};
}

// Until the point of no return a client that closes is noticed, and ends the request.
void flow::watch_client() {
    if (committed_) return;
    r_->read_event_handler = ngx_http_test_reading;
    ngx_event_t* const rev = r_->connection->read;
    if (r_->stream) return;
    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);
    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r_->connection->log, 0, "auth_js: the client is not watched");
    }
}

void flow::commit() noexcept {
    committed_ = true;
    if (r_) r_->read_event_handler = ngx_http_block_reading;
}

void flow::poke() noexcept { ngx_post_event(&event_, &ngx_posted_events); }

// wake runs from the loop, never inside a coroutine of this flow.
void flow::wake() noexcept {
    ngx_connection_t* const c = r_ ? r_->connection : nullptr;
    if (r_) ngx_http_set_log_request(c->log, r_);
    guard(ngx_cycle->log, [&] { internal_.resume(); });
    if (task_.done()) finish();  // this may be gone after it
    if (c) ngx_http_run_posted_requests(c);
}

void flow::finish() noexcept {
    if (std::exchange(over_, true)) return;
    if (event_.posted) {
        ngx_delete_posted_event(&event_);
    }
    ngx_http_request_t* const r = r_;
    const auto rc = guard(ngx_cycle->log, static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                          [&]() -> ngx_int_t {
                              task_.result();
                              return r ? finish_(r, *answer_) : NGX_OK;
                          });
    if (r)
        ngx_http_finalize_request(r, rc);
    else
        orphans.remove_if([this](const auto& f) { return f.get() == this; });
}

// request_gone is the request's clean-up: nginx frees it, or has ended it early.
void flow::request_gone() noexcept {
    r_ = nullptr;
    if (over_ || !committed_) {
        const auto dying = std::move(self_);
        return;
    }
    log_.leave();
    log_.write(io::level::info, "the client is gone, its flow goes on");
    orphans.splice(orphans.end(), self_);
    internal_.leave();
}

void flow::drop_orphans() noexcept { orphans.clear(); }

}  // namespace authjs::nginx
