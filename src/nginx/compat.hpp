// nginx's headers, taken in as C, and every difference between the nginx versions that we build
// for: 1.22 (Debian 12) to the current mainline. No other file looks at nginx_version.
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

// link_header makes `h` the only one of its name in a known pointer's list.
inline void alone(ngx_table_elt_t* h) noexcept {
#if nginx_version >= 1023000
    h->next = nullptr;
#else
    (void)h;
#endif
}

}  // namespace authjs::nginx
