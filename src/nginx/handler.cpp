#include "nginx/handler.hpp"

#include <algorithm>
#include <new>
#include <span>
#include <string>

#include "auth/handle.hpp"
#include "auth/routes.hpp"
#include "nginx/conf.hpp"
#include "nginx/flow.hpp"
#include "nginx/headers_in.hpp"
#include "nginx/origin.hpp"
#include "nginx/subrequest.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/url.hpp"

namespace authjs::nginx {
namespace {

constexpr off_t body_limit = 64 * 1024;

// What the handler remembers on its request.
struct answered {
    std::string_view error;
};

template <class T>
T* made(T* p) {
    return p ? p : throw std::bad_alloc();
}

// --- from nginx ---

// The path as the client sent it, or, where nginx has changed it since, what it is now.
std::string path_of(ngx_http_request_t* r) {
    if (r == r->main && r->valid_unparsed_uri) {
        const auto sent = view(r->unparsed_uri);
        return std::string(sent.substr(0, sent.find('?')));
    }
    const auto more = ngx_escape_uri(nullptr, r->uri.data, r->uri.len, NGX_ESCAPE_URI);
    std::string path(r->uri.len + 2 * more, '\0');
    ngx_escape_uri(reinterpret_cast<u_char*>(path.data()), r->uri.data, r->uri.len, NGX_ESCAPE_URI);
    return path;
}

// As in every URL that a browser reads: dot segments go, a backslash is a slash, a quote in the
// query is %27. The handler and name_route must see the same route.
std::optional<url> as_browsers_read(std::string_view path, std::string_view query) {
    return parse_url(std::string("http://site").append(path).append("?").append(query));
}

http::headers fields_of(ngx_http_request_t* r) {
    http::headers all;
    for (const ngx_list_part_t* part = &r->headers_in.headers.part; part; part = part->next)
        for (const auto& h : std::span(static_cast<ngx_table_elt_t*>(part->elts), part->nelts))
            if (!iequals(view(h.key), "cookie")) all.push_back({text(h.key), text(h.value)});
    for (const auto line : cookie_lines(r)) all.push_back({"cookie", std::string(line)});
    return all;
}

// The body, out of memory or out of the file that nginx spooled it to; empty optional: too large.
std::optional<std::string> body_of(ngx_http_request_t* r) {
    std::string body;
    if (!r->request_body) return body;
    for (const ngx_chain_t* in = r->request_body->bufs; in; in = in->next) {
        ngx_buf_t* const b = in->buf;
        const off_t n = ngx_buf_size(b);
        if (n == 0)
            continue;  // a body of length 0 is a special buffer, with neither memory nor file
        const auto had = body.size();
        if (n > body_limit - static_cast<off_t>(had)) return std::nullopt;
        if (ngx_buf_in_memory(b)) {
            body.append(reinterpret_cast<const char*>(b->pos), static_cast<std::size_t>(n));
            continue;
        }
        body.resize(had + static_cast<std::size_t>(n));
        if (ngx_read_file(b->file, reinterpret_cast<u_char*>(body.data()) + had,
                          static_cast<std::size_t>(n), b->file_pos) != n)
            throw error(code::auth_error, "the request's body cannot be read back");
    }
    return body;
}

// Came in TLS early data here, or in front of a proxy that says so (RFC 8470 section 5.1).
bool is_early(ngx_http_request_t* r, const auth::request& rq) noexcept {
#if (NGX_HTTP_SSL)
    if (r->connection->ssl && !SSL_is_init_finished(r->connection->ssl->connection)) return true;
#endif
    const auto* told = rq.field("early-data");
    return told && *told == "1";
}

auth::request request_of(ngx_http_request_t* r, std::string body) {
    auto site = site_of(r);
    auth::request rq;
    rq.method = text(r->method_name);
    rq.origin = std::move(site.origin);
    rq.asked_host = std::move(site.asked_host);
    rq.https = site.https;
    rq.path = path_of(r);
    rq.query = text(r->args);
    rq.asks = view(r->unparsed_uri).find('?') != std::string_view::npos;
    if (auto read = as_browsers_read(rq.path, rq.query)) {
        rq.path = std::move(read->path);
        rq.query = read->query.value_or("");
    }
    rq.fields = fields_of(r);
    for (const auto& f : rq.fields)
        if (f.name == "cookie") rq.cookies.push_back(f.value);
    rq.body = std::move(body);
    rq.id = request_id(r);
    rq.early_data = is_early(r, rq);
    rq.cookie_room = cookie_room(r);
    return rq;
}

// --- to nginx ---

ngx_str_t copied(ngx_http_request_t* r, std::string_view value) {
    const ngx_str_t s = copy(r->pool, value);
    made(s.data);
    return s;
}

// content_type_len ends before the parameters, and nginx knows the charset: a `charset` directive
// then adds none.
void set_content_type(ngx_http_request_t* r, std::string_view value) {
    auto& out = r->headers_out;
    out.content_type = copied(r, value);
    out.content_type_len = std::min(value.find(';'), value.size());
    out.content_type_lowcase = nullptr;
    if (const auto at = value.find("charset="); at != value.npos)
        out.charset = copied(r, value.substr(at + 8));
}

// Every other field goes on the list and nowhere else: with headers_out.location set nginx would
// write the client's Host into it, with cache_control known `expires` would replace it.
void add_field(ngx_http_request_t* r, const http::header& f) {
    auto* const h = made(static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers)));
    ngx_memzero(h, sizeof *h);
    h->key = copied(r, f.name);
    h->value = copied(r, without_controls(f.value));
    h->lowcase_key = copied(r, ascii_lower(f.name)).data;
    h->hash = 1;
}

}  // namespace

ngx_int_t respond(ngx_http_request_t* r, const auth::response& rs) {
    auto* const note = made(static_cast<answered*>(ngx_palloc(r->pool, sizeof(answered))));
    note->error = rs.error;
    ngx_http_set_ctx(r, note, ngx_http_auth_js_filter_module);

    r->headers_out.status = static_cast<ngx_uint_t>(rs.status);
    r->headers_out.content_length_n = static_cast<off_t>(rs.body.size());
    for (const auto& f : rs.fields)
        if (iequals(f.name, "content-type"))
            set_content_type(r, f.value);
        else
            add_field(r, f);
    if (rs.body.empty()) r->header_only = 1;

    const ngx_int_t rc = ngx_http_send_header(r);
    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) return rc;
    const ngx_str_t body = copied(r, rs.body);
    auto* const b = made(static_cast<ngx_buf_t*>(ngx_calloc_buf(r->pool)));
    b->pos = b->start = body.data;
    b->last = b->end = body.data + body.len;
    b->memory = 1;
    b->last_buf = r == r->main;
    b->last_in_chain = 1;
    ngx_chain_t out{b, nullptr};
    return ngx_http_output_filter(r, &out);
}

namespace {

// --- in between ---

// run answers NGX_DONE when a flow has taken the request over; anything else finalizes it.
ngx_int_t run(ngx_http_request_t* r) {
    const auth::config& cf = *config_of(r);
    auto body = body_of(r);
    if (!body) return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    auto rq = std::make_shared<auth::request>(request_of(r, std::move(*body)));
    flow::start(
        r, cf,
        [rq, &cf](auth::ports io) { return auth::handle(std::move(*rq), cf, std::move(io)); },
        &respond);
    return NGX_DONE;
}

void body_is_here(ngx_http_request_t* r) {
    const auto rc =
        guard(r->connection->log, static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
              [&] { return run(r); });
    if (rc != NGX_DONE) ngx_http_finalize_request(r, rc);
}

}  // namespace

ngx_int_t content_handler(ngx_http_request_t* r) {
    if (r->headers_in.content_length_n > body_limit) return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    const ngx_int_t rc = ngx_http_read_client_request_body(r, &body_is_here);
    return rc >= NGX_HTTP_SPECIAL_RESPONSE ? rc : NGX_DONE;
}

ngx_int_t name_route(ngx_http_request_t* r) {
    if (r != r->main || !level_of(r)->handler) return NGX_DECLINED;
    return guard(r->connection->log, static_cast<ngx_int_t>(NGX_HTTP_INTERNAL_SERVER_ERROR),
                 [&]() -> ngx_int_t {
                     const auto path = path_of(r);
                     const auto read = as_browsers_read(path, {});
                     const auto name =
                         auth::route_name(read ? read->path : path, config_of(r)->base_path);
                     if (name.empty() || name == view(r->uri)) return NGX_DECLINED;
                     r->uri = copied(r, name);
                     r->uri_changed = 1;
                     return NGX_DECLINED;
                 });
}

std::string_view error_of(ngx_http_request_t* r) noexcept {
    const auto* note =
        static_cast<const answered*>(ngx_http_get_module_ctx(r, ngx_http_auth_js_filter_module));
    return note ? note->error : std::string_view{};
}

}  // namespace authjs::nginx
