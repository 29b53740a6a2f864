#include "nginx/subrequest.hpp"

#include <algorithm>
#include <coroutine>
#include <new>

#include "util/error.hpp"

namespace authjs::nginx {
namespace {

constexpr std::size_t answer_limit = 64 * 1024;

// What a sub-request knows of who waits for it: in the request's pool, because it may outlive the
// wait.
struct capture {
    internal_calls::pending* waiter;
    ngx_uint_t refused;  // 401 or 403 that was answered before an error_page changed it
};

ngx_http_output_body_filter_pt next_body_filter;

}  // namespace

// One call under way: an awaiter in the frame of whoever waits.
class internal_calls::pending {
public:
    pending(internal_calls& owner, std::list<pending*>& waiting)
        : owner_(owner), at_(waiting.insert(waiting.end(), this)) {}
    ~pending() {
        if (capture_) capture_->waiter = nullptr;
        owner_.waiting_.erase(at_);
    }
    pending(const pending&) = delete;
    pending& operator=(const pending&) = delete;

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
        caller_ = caller;
        limit_ = owner_.loop_.after(owner_.timeout_, true, [this] { end("time-out"); });
    }
    void await_resume() noexcept { limit_.reset(); }

    void hang_on(capture* c) noexcept {
        capture_ = c;
        c->waiter = this;
    }
    void take(const ngx_buf_t* b) {
        if (failure_ || !ngx_buf_in_memory(b)) return;
        const auto n = static_cast<std::size_t>(b->last - b->pos);
        if (n > answer_limit - answer.body.size())
            end("the answer is too large");
        else
            answer.body.append(reinterpret_cast<const char*>(b->pos), n);
    }
    // end: the answer is there (null), or there will be none. The first word stands.
    void end(const char* failure) noexcept {
        if (ended_) return;
        ended_ = true;
        failure_ = failure;
        if (capture_) capture_->waiter = nullptr;
        capture_ = nullptr;
        owner_.poke_();
    }
    bool ended() const noexcept { return ended_; }
    bool suspended() const noexcept { return static_cast<bool>(caller_); }
    void resume() { std::exchange(caller_, {}).resume(); }
    const char* failure() const noexcept { return failure_; }

    io::internal_answer answer;

private:
    internal_calls& owner_;
    std::list<pending*>::iterator at_;
    capture* capture_ = nullptr;
    std::coroutine_handle<> caller_;
    std::unique_ptr<io::timer> limit_;
    const char* failure_ = nullptr;
    bool ended_ = false;
};

namespace {

// Why a request is finalized, as nginx will take it (ngx_http_finalize_request).
bool is_fatal(ngx_int_t rc) noexcept {
    return rc == NGX_HTTP_CLOSE || rc == NGX_HTTP_REQUEST_TIME_OUT ||
           rc == NGX_HTTP_CLIENT_CLOSED_REQUEST ||
           (rc < 0 && rc != NGX_AGAIN && rc != NGX_DECLINED);
}
// comes_back: nginx makes a page of it, or has more to write or to wait for, and finalizes again.
bool comes_back(const ngx_http_request_t* r, ngx_int_t rc) noexcept {
    return rc >= NGX_HTTP_SPECIAL_RESPONSE || rc == NGX_HTTP_CREATED || rc == NGX_HTTP_NO_CONTENT ||
           r->buffered || r->postponed;
}

// ended is nginx's word that the sub-request is finalized with `rc`; more than once where a status
// still becomes an answer.
ngx_int_t ended(ngx_http_request_t* sr, void* data, ngx_int_t rc) noexcept {
    auto* const c = static_cast<capture*>(data);
    if (rc == NGX_HTTP_UNAUTHORIZED || rc == NGX_HTTP_FORBIDDEN)
        c->refused = static_cast<ngx_uint_t>(rc);  // no error_page turns a no into a yes
    const bool kills = is_fatal(rc);
    if (!kills && comes_back(sr, rc)) return rc;
    if (auto* const p = c->waiter) {
        const auto& out = sr->headers_out;
        p->answer.status = static_cast<int>(c->refused ? c->refused : out.status);
        const bool cut = out.content_length_n >= 0 && !sr->header_only && !c->refused &&
                         static_cast<off_t>(p->answer.body.size()) != out.content_length_n;
        p->end(kills || out.status == 0 ? "no answer" : cut ? "the answer was cut off" : nullptr);
    }
    // A sub-request that fails must not take the main request with it.
    return kills && !sr->connection->error ? NGX_OK : rc;
}

bool is_call(const ngx_http_request_t* r) noexcept {
    return r->post_subrequest && r->post_subrequest->handler == &ended;
}
// A sub-request of a captured one (echo, Lua) belongs to the same answer.
capture* captured(const ngx_http_request_t* r) noexcept {
    for (; r != r->main; r = r->parent)
        if (is_call(r)) return static_cast<capture*>(r->post_subrequest->data);
    return nullptr;
}

// nginx lets a sub-request end when its turn to write has come (c->data). Below a background one
// that turn never comes; Lua then takes it, and the main request never has it back. What is
// captured has no turns: a sub-request that Lua or echo makes in one ends at once, and wakes its
// parent.
struct part {
    ngx_http_post_subrequest_t ours;
    ngx_http_post_subrequest_t* theirs;
};
ngx_int_t part_ended(ngx_http_request_t* sr, void* data, ngx_int_t rc) noexcept {
    auto* const c = sr->connection;
    if (const auto* theirs = static_cast<part*>(data)->theirs) {
        void* const turn = c->data;
        rc = theirs->handler(sr, theirs->data, rc);
        c->data = turn;
    }
    if (c->error || sr->background) return rc;
    if (is_fatal(rc)) rc = NGX_OK;
    if (comes_back(sr, rc)) return rc;
    for (auto** p = &sr->parent->postponed; *p; p = &(*p)->next)
        if ((*p)->request == sr) {
            *p = (*p)->next;
            break;
        }
    sr->background = 1;
    return ngx_http_post_request(sr->parent, nullptr) == NGX_OK ? rc : NGX_ERROR;
}

// mark_part stands in the first phase that sub-requests run.
ngx_int_t mark_part(ngx_http_request_t* r) noexcept {
    if (r == r->main || r->background) return NGX_DECLINED;
    auto* const then = r->post_subrequest;
    if ((then && then->handler == &part_ended) || !captured(r)) return NGX_DECLINED;
    auto* const p = static_cast<part*>(ngx_palloc(r->pool, sizeof(part)));
    if (!p) return NGX_ERROR;
    *p = {{&part_ended, p}, then};
    r->post_subrequest = &p->ours;
    return NGX_DECLINED;
}

ngx_int_t keep_body(ngx_http_request_t* r, ngx_chain_t* in) noexcept {
    capture* const c = captured(r);
    // njs keeps what its own sub-requests answer in memory, by a filter further on.
    if (!c || r->subrequest_in_memory) return next_body_filter(r, in);
    const bool aside = r->background && !is_call(r);  // a mirror's, say
    return guard(r->connection->log, static_cast<ngx_int_t>(NGX_ERROR), [&]() -> ngx_int_t {
        for (; in; in = in->next) {
            if (c->waiter && !aside) c->waiter->take(in->buf);
            in->buf->pos = in->buf->last;
            in->buf->file_pos = in->buf->file_last;
        }
        return NGX_OK;
    });
}

template <class T>
T* made(T* p) {
    return p ? p : throw std::bad_alloc();
}

ngx_str_t copied(ngx_pool_t* pool, std::string_view text) {
    const ngx_str_t s = copy(pool, text);
    made(s.data);
    return s;
}

ngx_table_elt_t* add_header(ngx_http_request_t* r, std::string_view name, ngx_str_t value) {
    auto* const h = made(static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_in.headers)));
    ngx_memzero(h, sizeof *h);
    h->key = copied(r->pool, name);
    h->lowcase_key = copied(r->pool, name).data;
    h->hash = ngx_hash_strlow(h->lowcase_key, h->key.data, h->key.len);
    h->value = value;
    return h;
}

// open makes the sub-request: a POST that knows nothing of the client but User-Agent and the
// request's id. Throws std::bad_alloc, or error(unavailable) where nginx refuses it.
void open(ngx_http_request_t* r, std::string_view uri, std::string_view json, capture* c,
          bool wants_answer) {
    ngx_pool_t* const pool = r->pool;
    auto* const then = made(static_cast<ngx_http_post_subrequest_t*>(
        ngx_palloc(pool, sizeof(ngx_http_post_subrequest_t))));
    then->handler = &ended;
    then->data = c;
    const auto mark = std::min(uri.find('?'), uri.size());
    ngx_str_t path = copied(pool, uri.substr(0, mark));
    ngx_str_t args = copied(pool, uri.substr(std::min(mark + 1, uri.size())));

    // The body: one buffer, and only then the sub-request, so that a failure leaves none behind.
    auto* const rb = made(
        static_cast<ngx_http_request_body_t*>(ngx_pcalloc(pool, sizeof(ngx_http_request_body_t))));
    ngx_str_t text = copied(pool, json);
    auto* const b = made(static_cast<ngx_buf_t*>(ngx_calloc_buf(pool)));
    b->start = b->pos = text.data;
    b->end = b->last = text.data + text.len;
    b->memory = b->last_buf = 1;
    rb->bufs = made(ngx_alloc_chain_link(pool));
    rb->bufs->buf = b;
    rb->bufs->next = nullptr;
    rb->buf = b;

    ngx_str_t length = copied(pool, std::to_string(json.size()));
    const ngx_str_t id = copied(pool, request_id(r));
    ngx_http_request_t fake = *r;  // headers are built beside the client's
    fake.headers_in = {};
    auto& in = fake.headers_in;
    if (ngx_list_init(&in.headers, pool, 4, sizeof(ngx_table_elt_t)) != NGX_OK)
        throw std::bad_alloc();
    in.server = r->headers_in.server;
    in.content_length_n = static_cast<off_t>(json.size());
    in.keep_alive_n = -1;
    in.content_type = add_header(&fake, "Content-Type", copied(pool, "application/json"));
    in.content_length = add_header(&fake, "Content-Length", length);
    if (r->headers_in.user_agent)
        in.user_agent = add_header(&fake, "User-Agent", r->headers_in.user_agent->value);
    add_header(&fake, "X-Request-ID", id);

    ngx_http_request_t* sr = nullptr;
    if (ngx_http_subrequest(r, &path, &args, &sr, then, NGX_HTTP_SUBREQUEST_BACKGROUND) != NGX_OK)
        throw error(code::unavailable, "nginx refuses the sub-request");
    static ngx_str_t post = ngx_string("POST");
    sr->method = NGX_HTTP_POST;
    sr->method_name = post;
    sr->request_body = rb;
    sr->headers_in = in;
    // A list's `last` points into the list itself while it has one part.
    if (in.headers.last == &in.headers.part)
        sr->headers_in.headers.last = &sr->headers_in.headers.part;
    sr->filter_need_in_memory = 1;
    sr->header_only = wants_answer ? 0 : 1;
}

capture* new_capture(ngx_http_request_t* r) {
    return made(static_cast<capture*>(ngx_pcalloc(r->pool, sizeof(capture))));
}

}  // namespace

bool is_own_call(const ngx_http_request_t* r) noexcept { return captured(r) != nullptr; }

ngx_int_t init_capture(ngx_conf_t* cf) {
    next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = &keep_body;
    auto* const core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* const first = static_cast<ngx_http_handler_pt*>(
        ngx_array_push(&core->phases[NGX_HTTP_SERVER_REWRITE_PHASE].handlers));
    if (!first) return NGX_ERROR;
    *first = &mark_part;
    // Without an index every question would get a new random answer.
    ngx_str_t name = ngx_string("request_id");
    return ngx_http_get_variable_index(cf, &name) == NGX_ERROR ? NGX_ERROR : NGX_OK;
}

std::string_view request_id(ngx_http_request_t* r) {
    ngx_str_t name = ngx_string("request_id");
    const auto* v = ngx_http_get_variable(r, &name, ngx_hash_key(name.data, name.len));
    if (!v || v->not_found) return {};
    return {reinterpret_cast<const char*>(v->data), v->len};
}

internal_calls::internal_calls(ngx_http_request_t* r, io::event_loop& loop, milliseconds timeout,
                               std::function<void()> poke)
    : r_(r), loop_(loop), timeout_(timeout), poke_(std::move(poke)) {}

task<io::internal_answer> internal_calls::call(std::string uri, std::string json) {
    if (!r_) throw error(code::unavailable, "the request is gone").with("uri", uri);
    pending p(*this, waiting_);
    capture* const c = new_capture(r_);
    open(r_, uri, json, c, true);
    p.hang_on(c);
    poke_();
    co_await p;
    if (p.failure()) throw error(code::unavailable, p.failure()).with("uri", uri);
    co_return std::move(p.answer);
}

void internal_calls::post(std::string uri, std::string json) {
    if (!r_) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "auth_js: the request is gone, nothing is sent to \"%s\"", uri.c_str());
        return;
    }
    open(r_, uri, json, new_capture(r_), false);
    poke_();
}

void internal_calls::resume() {
    // Whoever is resumed may make new calls and drop others: the list is read anew each time.
    for (;;) {
        const auto it = std::find_if(waiting_.begin(), waiting_.end(),
                                     [](const pending* p) { return p->ended() && p->suspended(); });
        if (it == waiting_.end()) return;
        (*it)->resume();
    }
}

void internal_calls::leave() noexcept {
    r_ = nullptr;
    for (auto* p : waiting_) p->end("the request is gone");
}

}  // namespace authjs::nginx
