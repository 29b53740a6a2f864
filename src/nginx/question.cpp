#include "nginx/question.hpp"

#include <algorithm>

#include "nginx/headers_in.hpp"
#include "nginx/origin.hpp"
#include "nginx/runtime.hpp"

namespace authjs::nginx {

namespace {

// One that waits. The request owns it: with the request it goes, and its query is dropped.
class question {
public:
    question(ngx_http_request_t* r, session_state& st, void (*then)(ngx_http_request_t*))
        : r_(r), st_(st), then_(then) {
        event_.data = this;
        event_.log = ngx_cycle->log;
        event_.handler = [](ngx_event_t* ev) { static_cast<question*>(ev->data)->settled(); };
    }
    ~question() {
        if (event_.posted) {
            ngx_delete_posted_event(&event_);
        }
    }
    question(const question&) = delete;
    question& operator=(const question&) = delete;

    // True if it was answered at once.
    bool start(task<auth::verdict> asking) {
        asking_ = std::move(asking);
        run_ = wait();
        run_.start();
        return run_.done();
    }

    // keep makes the request the owner.
    void keep(std::unique_ptr<question> self) {
        cleanup_ = ngx_http_cleanup_add(r_, 0);
        if (cleanup_ == nullptr) throw std::bad_alloc();
        cleanup_->data = self.release();
        cleanup_->handler = [](void* data) { delete static_cast<question*>(data); };
        st_.waiting.push_back(r_);
        if (r_ != r_->main || r_->stream != nullptr) return;
        // A client that closes ends the request, as it does in any handler that waits.
        r_->read_event_handler = ngx_http_test_reading;
        auto* rev = r_->connection->read;
        if (rev->ready) {
            ngx_post_event(rev, &ngx_posted_events);
        } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_log_error(NGX_LOG_ERR, r_->connection->log, 0,
                          "auth_js: the client is not watched");
        }
    }

private:
    task<void> wait() {
        st_.verdict = co_await asking_;
        if (cleanup_ != nullptr) {
            ngx_post_event(&event_, &ngx_posted_events);
        }
    }

    // From the loop, never inside a coroutine.
    void settled() noexcept {
        auto* const r = r_;
        auto* const c = r->connection;
        const auto then = then_;
        std::erase(st_.waiting, r);
        cleanup_->handler = nullptr;
        if (r == r->main && r->stream == nullptr) r->read_event_handler = ngx_http_block_reading;
        delete this;
        ngx_http_set_log_request(c->log, r);
        then(r);
        ngx_http_run_posted_requests(c);
    }

    ngx_http_request_t* r_;
    session_state& st_;
    void (*then_)(ngx_http_request_t*);
    ngx_http_cleanup_t* cleanup_ = nullptr;
    ngx_event_t event_{};
    task<auth::verdict> asking_;
    task<void> run_;  // last: destroyed before what it waits for
};

}  // namespace

bool ask_store(ngx_http_request_t* r, const loc_conf& level, session_state& st,
               void (*then)(ngx_http_request_t*)) {
    if (std::find(st.waiting.begin(), st.waiting.end(), r) != st.waiting.end()) return false;
    auto& w = worker::current();
    const auto& cf = *level.site->config;
    auto q = std::make_unique<question>(r, st, then);
    if (!q->start(
            auth::load_session(cf, st.verdict.token, {w.clock, w.log, w.shared, w.sessions}))) {
        auto* const waits = q.get();
        waits->keep(std::move(q));
        return false;
    }
    st.shown = st.verdict.status;
    return true;
}

void run_phases(ngx_http_request_t* r) { r->write_event_handler(r); }

}  // namespace authjs::nginx
