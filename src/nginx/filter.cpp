#include "nginx/filter.hpp"

#include "nginx/access.hpp"
#include "nginx/compat.hpp"
#include "nginx/headers_in.hpp"
#include "nginx/log.hpp"
#include "nginx/runtime.hpp"
#include "util/bytes.hpp"

namespace authjs::nginx {

namespace {

ngx_http_output_header_filter_pt next;

void hide(ngx_table_elt_t*& known) noexcept {
    if (known != nullptr) known->hash = 0;
    known = nullptr;
}

// Under satisfy any nginx ended the phase with a 401 of its own; it becomes the answer that the
// access phase could not send, unless an error_page took the request over (then the ctx is gone).
void replace(ngx_http_request_t* r, const deferred& d) {
    auto& out = r->headers_out;
    out.status = d.status;
    out.status_line.len = 0;
    if (d.location.len != 0 && !add_header(r, "Location", view(d.location))) throw std::bad_alloc();
    out.content_type.len = 0;
    out.content_type.data = nullptr;
    out.content_type_len = 0;
    out.charset.len = 0;
    out.content_length_n = 0;
    hide(out.content_length);
    hide(out.www_authenticate);
    hide(out.etag);
    hide(out.last_modified);
    hide(out.accept_ranges);
    out.last_modified_time = -1;
    r->header_only = 1;
}

bool from_cache([[maybe_unused]] const ngx_http_request_t* r) noexcept {
#if (NGX_HTTP_CACHE)
    return r->cached;
#else
    return false;
#endif
}

// The cookies of a session that is due; none where nginx would answer 400 to every page that the
// browser asks for with them.
std::vector<auth::set_cookie> renewed(ngx_http_request_t* r, const session_state& st, bool https,
                                      const auth::cookie_jar& jar) {
    auto& w = worker::current();
    const auto& cf = *st.by;
    const auto& session = *st.verdict.session;
    auto list = cf.session.strategy == auth::strategy::database
                    ? auth::renew_cookie(cf, https, jar, session)
                    : auth::renew(cf, https, jar, session, w.clock, w.random);
    const auto needed = auth::cookie_line_after(jar, list), room = cookie_room(r);
    if (needed <= room) return list;
    log(r->connection->log, false)
        .write(io::level::warn,
               "a session is not renewed: its cookies need a line of " + std::to_string(needed) +
                   " bytes, and large_client_header_buffers allows " + std::to_string(room));
    return {};
}

// What the answer sets: a session that is due, the removal of one that no longer opens, and what
// $auth_js_csrf_token promised. A 304 and what a cache delivers may be `shared` with others and set
// no session; a token that they carry was drawn for this browser, and is worth nothing without its
// cookie.
bool set_cookies_of(ngx_http_request_t* r, const session_state& st, bool shared) {
    const bool renews = !shared && st.accepted && st.verdict.due && st.verdict.session;
    const bool cleans = !shared && st.verdict.clean;
    const bool promised = st.csrf && st.csrf->cookie;
    if (!renews && !cleans && !promised) return false;
    const bool https = https_of(r);
    const auto jar = auth::cookie_jar::parse(cookie_lines(r));
    std::vector<auth::set_cookie> list;
    if (renews) {
        list = renewed(r, st, https, jar);
    } else if (cleans) {
        const auto& kind = st.by->cookies(https)[auth::which::session_token];
        for (auto& name : auth::read_chunks(jar, kind.name).names)
            list.push_back(auth::removal(std::move(name), kind.options));
    }
    if (promised) list.push_back(*st.csrf->cookie);
    for (const auto& c : list)
        if (!add_header(r, "Set-Cookie", auth::serialize(c))) throw std::bad_alloc();
    return !list.empty();
}

void work(ngx_http_request_t* r) {
    auto* st = find_state(r);
    if (st == nullptr) return;
    const auto& level = *level_of(r);
    const auto* d = static_cast<deferred*>(ngx_http_get_module_ctx(r, ngx_http_auth_js_module));
    if (d != nullptr && d->refused && d->status != 0 &&
        r->headers_out.status == NGX_HTTP_UNAUTHORIZED)
        replace(r, *d);

    // A 416 comes by twice with one list; what the handler and auth_js_verify say is their own.
    if (st->answered || level.handler || level.verify) return;
    st->answered = true;

    const bool shared = r->headers_out.status == NGX_HTTP_NOT_MODIFIED || from_cache(r);
    const bool cookies = set_cookies_of(r, *st, shared);
    if (st->refused) {
        refuse_caching(r);
        return;
    }
    if (!cookies && *level.gate->protect == gate::off) return;
    bool own = false, closed = false;
    for_each_cache_control(r, [&](const ngx_table_elt_t* h) {
        if (h->hash == 0) return;
        own = true;
        const auto value = ascii_lower(view(h->value));
        closed =
            closed || value.find("private") != value.npos || value.find("no-store") != value.npos;
    });
    if ((!own || (cookies && !closed)) && !add_cache_control(r, ngx_string("private")))
        throw std::bad_alloc();
}

ngx_int_t header_filter(ngx_http_request_t* r) {
    if (r == r->main) {
        const auto rc = guard(r->connection->log, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
            work(r);
            return NGX_OK;
        });
        if (rc != NGX_OK) return rc;
    }
    return next(r);
}

}  // namespace

void init_header_filter() noexcept {
    next = ngx_http_top_header_filter;
    ngx_http_top_header_filter = header_filter;
}

}  // namespace authjs::nginx
