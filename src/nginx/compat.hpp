// Every difference between the nginx versions that we build for: 1.22 (Debian 12) to the current
// mainline. No other file looks at nginx_version.
#pragma once

extern "C" {
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
}

#include <string>
#include <string_view>
#include <vector>

#if nginx_version < 1022000
#error "nginx 1.22 or later is needed"
#endif

namespace authjs::nginx {

inline std::string_view view(const ngx_str_t& s) noexcept {
    return {reinterpret_cast<const char*>(s.data), s.len};
}
inline std::string text(const ngx_str_t& s) { return std::string(view(s)); }

// for_each_cookie calls f with the ngx_table_elt_t* of every Cookie line: an array of pointers
// before 1.23, a linked list since.
template <class F>
void for_each_cookie(const ngx_http_request_t* r, F f) {
#if nginx_version >= 1023000
    for (ngx_table_elt_t* h = r->headers_in.cookie; h != nullptr; h = h->next) f(h);
#else
    auto** lines = static_cast<ngx_table_elt_t**>(r->headers_in.cookies.elts);
    for (ngx_uint_t i = 0; i < r->headers_in.cookies.nelts; i++) f(lines[i]);
#endif
}

// set_cookies makes `lines` the request's Cookie lines; false when memory is short.
inline bool set_cookies(ngx_http_request_t* r, const std::vector<ngx_table_elt_t*>& lines) {
#if nginx_version >= 1023000
    r->headers_in.cookie = lines.empty() ? nullptr : lines.front();
    for (std::size_t i = 0; i < lines.size(); i++)
        lines[i]->next = i + 1 < lines.size() ? lines[i + 1] : nullptr;
    return true;
#else
    // A new array: a sub-request shares its elements with its parent.
    if (ngx_array_init(&r->headers_in.cookies, r->pool, lines.size() + 1,
                       sizeof(ngx_table_elt_t*)) != NGX_OK)
        return false;
    for (auto* line : lines)
        *static_cast<ngx_table_elt_t**>(ngx_array_push(&r->headers_in.cookies)) = line;
    return true;
#endif
}

// forget_header takes a header that left the list out of nginx's known pointers as well.
inline void forget_header(ngx_http_request_t* r, const ngx_table_elt_t* gone) noexcept {
    for (auto* h = ngx_http_headers_in; h->name.len != 0; h++) {
        auto* field = reinterpret_cast<char*>(&r->headers_in) + h->offset;
#if nginx_version < 1023000
        // The one multi-line header besides Cookie is an array of pointers.
        if (view(h->name) == "Cookie") continue;
        if (view(h->name) == "X-Forwarded-For") {
            auto* list = reinterpret_cast<ngx_array_t*>(field);
            auto** lines = static_cast<ngx_table_elt_t**>(list->elts);
            for (ngx_uint_t i = 0; i < list->nelts; i++)
                if (lines[i] == gone) {
                    list->nelts = 0;
                    break;
                }
            continue;
        }
#endif
        auto** known = reinterpret_cast<ngx_table_elt_t**>(field);
        if (h->offset != 0 && *known == gone) *known = nullptr;
    }
}

// known_alone ends the list of one that a known header pointer of 1.23 and later is.
inline void known_alone(ngx_table_elt_t* h) noexcept {
#if nginx_version >= 1023000
    h->next = nullptr;
#else
    (void)h;
#endif
}

// Cache-Control as nginx holds it: an array of pointers before 1.23, a linked list since.
template <class F>
void for_each_cache_control(ngx_http_request_t* r, F f) {
#if nginx_version >= 1023000
    for (auto* h = r->headers_out.cache_control; h != nullptr; h = h->next) f(h);
#else
    auto** lines = static_cast<ngx_table_elt_t**>(r->headers_out.cache_control.elts);
    for (ngx_uint_t i = 0; i < r->headers_out.cache_control.nelts; i++) f(lines[i]);
#endif
}

// add_cache_control pushes one more line; false when memory is short.
inline bool add_cache_control(ngx_http_request_t* r, ngx_str_t value) noexcept {
    auto* h = static_cast<ngx_table_elt_t*>(ngx_list_push(&r->headers_out.headers));
    if (h == nullptr) return false;
    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    h->value = value;
#if nginx_version >= 1023000
    auto** last = &r->headers_out.cache_control;
    while (*last != nullptr) last = &(*last)->next;
    h->next = nullptr;
    *last = h;
    return true;
#else
    auto& list = r->headers_out.cache_control;
    if (list.elts == nullptr &&
        ngx_array_init(&list, r->pool, 1, sizeof(ngx_table_elt_t*)) != NGX_OK)
        return false;
    auto** slot = static_cast<ngx_table_elt_t**>(ngx_array_push(&list));
    if (slot == nullptr) return false;
    *slot = h;
    return true;
#endif
}

}  // namespace authjs::nginx
