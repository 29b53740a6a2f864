#include "nginx/access.hpp"

#include <algorithm>
#include <cstdlib>

#include "auth/circle.hpp"
#include "auth/cure.hpp"
#include "auth/go.hpp"
#include "auth/handle.hpp"
#include "auth/navigation.hpp"
#include "auth/pages/pages.hpp"
#include "nginx/compat.hpp"
#include "nginx/handler.hpp"
#include "nginx/headers_in.hpp"
#include "nginx/log.hpp"
#include "nginx/question.hpp"
#include "nginx/reading.hpp"
#include "nginx/runtime.hpp"
#include "nginx/subrequest.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/url.hpp"

namespace authjs::nginx {

// --- what is kept -------------------------------------------------------------------------------

session_state* find_state(ngx_http_request_t* r) noexcept {
    const auto* main = main_of(r);
    if (main == nullptr || main->state_index == NGX_ERROR || r->main->variables == nullptr)
        return nullptr;
    return reinterpret_cast<session_state*>(r->main->variables[main->state_index].data);
}

session_state& state_of(ngx_http_request_t* r) {
    if (auto* st = find_state(r)) return *st;
    auto* cleanup = ngx_pool_cleanup_add(r->main->pool, sizeof(session_state));
    if (cleanup == nullptr) throw std::bad_alloc();
    auto* st = new (cleanup->data) session_state;
    cleanup->handler = [](void* data) { static_cast<session_state*>(data)->~session_state(); };
    r->main->variables[main_of(r)->state_index].data = reinterpret_cast<u_char*>(st);
    return *st;
}

namespace {

// Why somebody with a cookie is asked to sign in; in the session endpoint's words.
void log_bad_cookie(ngx_http_request_t* r, const auth::verdict& v) {
    if (r->connection->log->log_level < (v.several ? NGX_LOG_WARN : NGX_LOG_INFO)) return;
    log out(r->connection->log, false);
    if (v.several)
        out.write(io::level::warn,
                  error(code::session_token_error,
                        "two different session cookies, or too many pieces: removed")
                      .what());
    else
        out.write(io::level::info,
                  error(code::jwt_session_error, "session cookie does not open").what());
}

}  // namespace

const auth::verdict& judge(ngx_http_request_t* r, const loc_conf& level, session_state& st) {
    const auto* cf = level.site->config.get();
    if (st.by == cf) return st.verdict;
    auto& w = worker::current();
    read_cookie_lines(r, w.cookie_lines);
    st.verdict = auth::ask(*cf, https_of(r), w.cookie_lines, w.clock.now(), w.tokens);
    if (st.verdict.clean) log_bad_cookie(r, st.verdict);
    if (st.verdict.ask_store) {
        if (auto known = w.sessions.find(*cf, st.verdict.token, w.clock.now(), w.shared))
            st.verdict = std::move(*known);
    }
    st.by = cf;
    st.shown = st.verdict.status;
    return st.verdict;
}

// --- answers ------------------------------------------------------------------------------------

bool add_header(ngx_http_request_t* r, std::string_view name, std::string_view value) {
    auto* h = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
    if (h == nullptr) return false;
    h->hash = 1;
    h->key = copy(r->pool, name);
    h->value = copy(r->pool, value);
    known_alone(h);
    return h->key.data != nullptr && h->value.data != nullptr;
}

void refuse_caching(ngx_http_request_t* r) {
    for_each_cache_control(r, [](ngx_table_elt_t* h) { h->hash = 0; });
    if (!add_cache_control(r, ngx_string("private, no-cache, no-store"))) throw std::bad_alloc();
}

namespace {

// answer sends a header of our own, without a body: error_page cannot change it.
ngx_int_t send_own(ngx_http_request_t* r, ngx_uint_t status) {
    if (r == r->main && ngx_http_discard_request_body(r) != NGX_OK)
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    r->err_status = 0;  // what an error_page on the way here wants shown instead
    r->headers_out.status = status;
    r->headers_out.status_line.len = 0;
    r->headers_out.content_length_n = 0;
    if (r == r->main) r->header_only = 1;
    auto rc = ngx_http_send_header(r);
    if (rc == NGX_OK && !r->header_only) rc = ngx_http_send_special(r, NGX_HTTP_LAST);
    return rc;
}

// From a phase handler: the request is over.
ngx_int_t end_with(ngx_http_request_t* r, ngx_uint_t status) {
    const auto rc = send_own(r, status);
    ngx_http_finalize_request(r, rc > NGX_OK ? NGX_OK : rc);
    return NGX_DONE;
}

const ngx_str_t* header_in(const ngx_http_request_t* r, std::string_view name) noexcept {
    for (const auto* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
        const auto* h = static_cast<const ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++)
            if (h[i].hash != 0 && iequals(view(h[i].key), name)) return &h[i].value;
    }
    return nullptr;
}

bool is_navigation(const ngx_http_request_t* r) noexcept {
    if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return false;
    const auto value = [&](std::string_view name) {
        const auto* v = header_in(r, name);
        return v != nullptr ? view(*v) : std::string_view{};
    };
    auth::navigation_fields f;
    f.accept = value("Accept");
    f.requested_with = value("X-Requested-With");
    f.sec_purpose = value("Sec-Purpose");
    if (const auto* mode = header_in(r, "Sec-Fetch-Mode")) f.sec_fetch_mode = view(*mode);
    f.hx_request = header_in(r, "HX-Request") != nullptr;
    f.upgrade = header_in(r, "Upgrade") != nullptr;
    return auth::is_navigation(f);
}

void note(const ngx_http_request_t* r, std::string_view what, io::level level = io::level::info) {
    log(r->connection->log, false).write(level, what);
}

// There is no origin to send the visitor to.
void note_untrusted(ngx_http_request_t* r) {
    const auto e = error(code::untrusted_host, "no origin to come back to after sign-in")
                       .with("host", site_of(r).asked_host);
    note(r, std::string(e.what()).append(": ").append(auth::cure_of(e)),
         auth::untrusted_level(worker::current().shared));
}

// Whether a URL is this site's by its configuration: by auth_js_url, else by a name of the server.
// What a trusted Host says is not enough: it would open the path of another site's page here.
bool is_own_url(ngx_http_request_t* r, std::string_view text) {
    const auto read = parse_url(text);
    if (!read || read->origin() != site_of(r).origin) return false;
    const auto* server =
        static_cast<srv_conf*>(ngx_http_get_module_srv_conf(r, ngx_http_auth_js_module));
    return !level_of(r)->site->origin.empty() || is_own_name(server->names, read->host);
}

// asks_for: whether the request is for this auth_js_page, given as a path or as a URL of the site's
// own origin. The origin is looked at only where the path fits.
bool asks_for(ngx_http_request_t* r, std::string_view page) {
    const auto scheme = page.starts_with('/') ? page.npos : page.find("://");
    auto path = page.substr(0, page.find_first_of("?#"));
    if (scheme != page.npos) path.remove_prefix(std::min(path.find('/', scheme + 3), path.size()));
    if (path.empty()) path = "/";
    if (path != view(r->uri)) return false;
    return scheme == page.npos || is_own_url(r, page);
}

bool is_page(ngx_http_request_t* r, const auth::config& cf) {
    return std::any_of(cf.pages.begin(), cf.pages.end(),
                       [&](const auto& page) { return !page.empty() && asks_for(r, page); });
}

// --- the decision -------------------------------------------------------------------------------

enum class decision : unsigned char { no_vote, pass, refuse, forbid, unavailable };

bool meets(ngx_http_request_t* r, const requirement& wanted) {
    return std::all_of(wanted.values.begin(), wanted.values.end(), [&](auto* v) {
        ngx_str_t text;
        if (ngx_http_complex_value(r, v, &text) != NGX_OK) throw std::bad_alloc();
        return text.len != 0 && view(text) != "0";
    });
}

// Whether the request has to wait until the store has answered.
bool must_wait(ngx_http_request_t* r, const loc_conf& level, session_state& st) {
    if (level.handler || level.verify || *level.gate->protect == gate::off) return false;
    return judge(r, level, st).ask_store && !ask_store(r, level, st, run_phases);
}

decision decide(ngx_http_request_t* r, const loc_conf& level, session_state& st) {
    const auto& gate = *level.gate;
    if (level.handler || level.verify || *gate.protect == gate::off) return decision::no_vote;
    const auto& v = judge(r, level, st);
    st.shown = v.status;
    if (is_page(r, *level.site->config)) return decision::no_vote;
    if (v.status == auth::status::store_error) return decision::unavailable;
    if (v.status == auth::status::ok) st.accepted = true;
    if (*gate.protect == gate::optional) return decision::no_vote;
    if (v.status != auth::status::ok) return decision::refuse;
    if (meets(r, *gate.require)) return decision::pass;
    st.shown = auth::status::forbidden;
    return decision::forbid;
}

bool redirects(const ngx_http_request_t* r, const gate_conf& gate) noexcept {
    return *gate.unauthorized == unauthorized::redirect ||
           (*gate.unauthorized == unauthorized::automatic && is_navigation(r));
}

bool satisfy_any(ngx_http_request_t* r) noexcept {
    const auto* core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_get_module_loc_conf(r, ngx_http_core_module));
    return core->satisfy == NGX_HTTP_SATISFY_ANY;
}

deferred& deferred_of(ngx_http_request_t* r) {
    auto* d = static_cast<deferred*>(ngx_http_get_module_ctx(r, ngx_http_auth_js_module));
    if (d == nullptr) {
        d = static_cast<deferred*>(ngx_pcalloc(r->pool, sizeof(deferred)));
        if (d == nullptr) throw std::bad_alloc();
        ngx_http_set_ctx(r, d, ngx_http_auth_js_module);
    }
    return *d;
}

// Where the page about a sign-in that goes round in circles is to be had.
std::string circle_page(ngx_http_request_t* r, const auth::config& cf, const std::string& origin,
                        std::string_view reason) {
    const auto& custom = cf.page(auth::custom_page::error);
    auto url = custom.empty() ? origin + cf.base_path + "/error" : custom;
    if (!custom.empty() && custom.starts_with('/')) url.insert(0, origin);
    params query;
    query.set("error", "SignInCircle");
    query.set("reason", reason);
    query.set("ref", request_id(r));
    return url + (url.find('?') == url.npos ? '?' : '&') + query.to_string();
}

// keep_count notes on the refusal of a navigation to `target` that it was sent to sign in. If it
// has been there already and came back without a session, it gets a page instead: at once where we
// answer ourselves (a result), else at the address that replaces `location`.
std::optional<auth::response> keep_count(ngx_http_request_t* r, const loc_conf& level,
                                         const session_state& st, std::string_view target,
                                         std::string& location) {
    const auto& cf = *level.site->config;
    const auto here = site_of(r);
    const auto value = [&](std::string_view name) {
        const auto* v = header_in(r, name);
        return v != nullptr ? view(*v) : std::string_view{};
    };
    const auto jar = auth::cookie_jar::parse(cookie_lines(r));
    const auto seen = auth::watch_circle(
        cf, here.https, jar,
        {here.origin, target, value("Sec-Fetch-Site"), value("Referer"), st.verdict.status});
    if (!add_header(r, "Set-Cookie", auth::serialize(seen.mark))) throw std::bad_alloc();
    if (!seen.closed) return std::nullopt;
    const auto id = request_id(r);
    note(r, std::string("SignInCircle: ").append(seen.closed->log).append(" ref=").append(id),
         io::level::error);
    if (satisfy_any(r) || !cf.page(auth::custom_page::error).empty()) {
        location = circle_page(r, cf, here.origin, seen.closed->reason);
        return std::nullopt;
    }
    return auth::pages::error(cf, here.origin, "SignInCircle", seen.closed->reason, id);
}

// What the content phase answers in place of a redirect.
ngx_int_t send_page(ngx_http_request_t* r, const auth::response& page) {
    if (ngx_http_discard_request_body(r) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return respond(r, page);
}

ngx_int_t refuse(ngx_http_request_t* r, const loc_conf& level, session_state& st) {
    st.refused = true;
    std::string location;
    ngx_uint_t status = 0;
    if (redirects(r, *level.gate)) {
        location = sign_in_url(r, level, is_navigation(r));
        status = location.empty() ? NGX_HTTP_BAD_REQUEST : NGX_HTTP_MOVED_TEMPORARILY;
        if (location.empty()) note_untrusted(r);
        if (!location.empty() && is_navigation(r)) {
            const auto page = keep_count(r, level, st, view(r->main->unparsed_uri), location);
            if (page) {
                const auto rc = send_page(r, *page);
                ngx_http_finalize_request(r, rc > NGX_OK ? NGX_OK : rc);
                return NGX_DONE;
            }
        }
    }
    if (satisfy_any(r)) {
        deferred_of(r) = {true, status, copy(r->pool, location)};
        return NGX_HTTP_UNAUTHORIZED;
    }
    if (status == 0) return NGX_HTTP_UNAUTHORIZED;
    if (!location.empty() && !add_header(r, "Location", location))
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return end_with(r, status);
}

ngx_int_t unavailable(ngx_http_request_t* r, session_state& st) {
    st.refused = true;
    if (!add_header(r, "Retry-After", "5")) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    return NGX_HTTP_SERVICE_UNAVAILABLE;
}

}  // namespace

ngx_int_t access_handler(ngx_http_request_t* r) {
    return guard(r->connection->log, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        const auto& level = *level_of(r);
        if (*level.gate->protect == gate::off) {
            strip(r);
            return NGX_DECLINED;
        }
        auto& st = state_of(r);
        if (must_wait(r, level, st)) return NGX_AGAIN;
        const auto what = decide(r, level, st);
        strip(r);
        switch (what) {
            case decision::no_vote:
                return NGX_DECLINED;
            case decision::pass:
                st.refused = false;
                return NGX_OK;
            case decision::refuse:
                return refuse(r, level, st);
            case decision::forbid:
                st.refused = true;
                if (satisfy_any(r)) deferred_of(r).refused = true;
                return level.gate->require->error;
            case decision::unavailable:
                return unavailable(r, st);
        }
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    });
}

ngx_int_t precontent_handler(ngx_http_request_t* r) {
    return guard(r->connection->log, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        const auto& level = *level_of(r);
        if (r == r->main) {
            // `satisfy any` may have let an address in before us; the session is known all the
            // same.
            if (*level.gate->protect != gate::off && must_wait(r, level, state_of(r)))
                return NGX_AGAIN;
            strip(r);
            // Somebody else let the request in (satisfy any): it is no refusal after all.
            auto* d = static_cast<deferred*>(ngx_http_get_module_ctx(r, ngx_http_auth_js_module));
            if (d != nullptr && d->refused) {
                d->refused = false;
                if (auto* st = find_state(r)) st->refused = false;
            }
            return NGX_DECLINED;
        }
        if (is_own_call(r)) return NGX_DECLINED;
        if (*level.gate->protect == gate::off) {
            strip(r);
            return NGX_DECLINED;
        }
        auto& st = state_of(r);
        if (must_wait(r, level, st)) return NGX_AGAIN;
        const auto what = decide(r, level, st);
        strip(r);
        switch (what) {
            case decision::no_vote:
            case decision::pass:
                return NGX_DECLINED;
            case decision::refuse:
                return end_with(r, NGX_HTTP_UNAUTHORIZED);
            case decision::forbid:
                return end_with(r, static_cast<ngx_uint_t>(level.gate->require->error));
            case decision::unavailable:
                return end_with(r, NGX_HTTP_SERVICE_UNAVAILABLE);
        }
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    });
}

// --- sign-in and sign-out -----------------------------------------------------------------------

namespace {

std::string with_callback(std::string page, const std::string& callback) {
    page += page.find('?') == page.npos ? '?' : '&';
    return page + "callbackUrl=" + encode_uri_component(callback);
}

std::string page_url(const auth::config& cf, const std::string& origin, auth::custom_page which,
                     std::string_view own) {
    const auto& page = cf.page(which);
    if (page.empty()) return origin + cf.base_path + std::string(own);
    return page.front() == '/' ? origin + page : page;
}

std::string sign_in_at(const auth::config& cf, const std::string& origin, const gate_conf& gate,
                       const std::string& callback, bool with_default_provider) {
    if (with_default_provider && gate.default_provider.given()) {
        auto& w = worker::current();
        const auto& id = *gate.default_provider;
        return with_callback(origin + cf.base_path + "/signin/" + id, callback) +
               "&go=" + encode_uri_component(auth::make_go(cf, id, callback, w.clock, w.random));
    }
    return with_callback(page_url(cf, origin, auth::custom_page::sign_in, "/signin"), callback);
}

std::string this_url(ngx_http_request_t* r, const std::string& origin) {
    const auto uri = view(r->main->unparsed_uri);
    return origin + (uri.starts_with('/') ? "" : "/") + std::string(uri);
}

// Where the visitor of a forward-auth proxy wanted to go, if a trusted one says so.
std::string forwarded_url(ngx_http_request_t* r, const site_conf& conf, const std::string& origin) {
    if (!trusts_peer(conf.trusted, r)) return origin + "/";
    const auto value = [&](std::string_view name) {
        const auto* v = header_in(r, name);
        return v != nullptr ? text(*v) : std::string();
    };
    auto whole = value("X-Original-URL");
    if (whole.empty() && !value("X-Forwarded-Uri").empty()) {
        const auto host = value("X-Forwarded-Host"), proto = value("X-Forwarded-Proto"),
                   uri = value("X-Forwarded-Uri");
        const auto scheme = proto.empty() ? https_of(r) ? "https" : "http" : ascii_lower(proto);
        whole = (host.empty() ? origin : scheme + "://" + host) + uri;
        if (uri.front() != '/') return origin + "/";
    }
    const auto u = parse_url(whole);
    return u && u->is_http() && u->username.empty() && u->password.empty() ? u->href()
                                                                           : origin + "/";
}

}  // namespace

std::string sign_in_url(ngx_http_request_t* r, const loc_conf& level, bool with_default_provider) {
    const auto& cf = *level.site->config;
    const auto here = site_of(r);
    if (here.origin.empty()) return {};
    return sign_in_at(cf, here.origin, *level.gate, this_url(r, here.origin),
                      with_default_provider);
}

std::string sign_out_url(ngx_http_request_t* r, const loc_conf& level) {
    const auto here = site_of(r);
    if (here.origin.empty()) return {};
    return with_callback(
        page_url(*level.site->config, here.origin, auth::custom_page::sign_out, "/signout"),
        this_url(r, here.origin));
}

// --- auth_js_verify -----------------------------------------------------------------------------

namespace {

void identity_header(ngx_http_request_t* r, std::string_view name, std::string_view text) {
    const auto value = without_controls(text);
    if (value.empty() || value.size() > 1024) return;
    if (!add_header(r, name, value)) throw std::bad_alloc();
}

ngx_uint_t verified(ngx_http_request_t* r, const loc_conf& level, session_state& st) {
    const auto& v = judge(r, level, st);
    st.shown = v.status;
    if (v.status == auth::status::store_error) {
        if (!add_header(r, "Retry-After", "5")) throw std::bad_alloc();
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }
    if (v.status != auth::status::ok) return NGX_HTTP_UNAUTHORIZED;
    if (!meets(r, *level.gate->require)) {
        st.shown = auth::status::forbidden;
        return static_cast<ngx_uint_t>(level.gate->require->error);
    }
    const auto& s = *v.session;
    identity_header(r, "X-Auth-User", s.user_id);
    identity_header(r, "X-Auth-Name", s.name);
    identity_header(r, "X-Auth-Email", s.email);
    identity_header(r, "X-Auth-Image", s.image);
    identity_header(r, "X-Auth-Expires", iso_text(s.expires));
    return NGX_HTTP_OK;
}

}  // namespace

ngx_int_t verify_handler(ngx_http_request_t* r) {
    return guard(r->connection->log, ngx_int_t{NGX_HTTP_INTERNAL_SERVER_ERROR}, [&]() -> ngx_int_t {
        const auto& level = *level_of(r);
        auto& st = state_of(r);
        const auto again = [](ngx_http_request_t* waited) {
            ngx_http_finalize_request(waited, verify_handler(waited));
        };
        if (judge(r, level, st).ask_store && !ask_store(r, level, st, again)) {
            r->main->count++;
            return NGX_DONE;
        }
        auto status = verified(r, level, st);
        if (status == NGX_HTTP_UNAUTHORIZED && st.shown != auth::status::forbidden &&
            level.verify_redirects && r == r->main) {
            const auto here = site_of(r);
            if (here.origin.empty()) {
                note_untrusted(r);
                status = NGX_HTTP_BAD_REQUEST;
            } else {
                const auto& cf = *level.site->config;
                const auto target = forwarded_url(r, *level.site, here.origin);
                auto to = sign_in_at(cf, here.origin, *level.gate, target, true);
                if (is_navigation(r)) {
                    const auto page = keep_count(r, level, st, target, to);
                    if (page) return send_page(r, *page);
                }
                if (!add_header(r, "Location", to)) return NGX_HTTP_INTERNAL_SERVER_ERROR;
                status = NGX_HTTP_MOVED_TEMPORARILY;
            }
        }
        refuse_caching(r);
        return send_own(r, status);
    });
}

}  // namespace authjs::nginx
