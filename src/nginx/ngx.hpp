// What every file that runs on nginx's loop shares: nginx's headers as C, the module's two names,
// and guard.
#pragma once

#include "nginx/compat.hpp"

extern "C" {
#include <ngx_event.h>
#include <ngx_thread_pool.h>

// Both modules of this object (module.cpp). The request context of the first belongs to directives,
// variables and the access phase; that of the filter module to the content handler's answer.
extern ngx_module_t ngx_http_auth_js_module;
extern ngx_module_t ngx_http_auth_js_filter_module;
}

#include <exception>
#include <string_view>

namespace authjs::nginx {

// copy puts `text` into the pool, NUL-terminated; data is null when memory is short.
inline ngx_str_t copy(ngx_pool_t* pool, std::string_view text) noexcept {
    ngx_str_t s{text.size(), static_cast<u_char*>(ngx_pnalloc(pool, text.size() + 1))};
    if (s.data) *ngx_cpymem(s.data, text.data(), text.size()) = '\0';
    return s;
}

// Every function that nginx calls runs inside guard: nothing unwinds into its C.
template <class R, class F>
R guard(ngx_log_t* log, R failed, F&& body) noexcept {
    try {
        return body();
    } catch (const std::exception& e) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "auth_js: %s", e.what());
        return failed;
    }
}
template <class F>
void guard(ngx_log_t* log, F&& body) noexcept {
    try {
        body();
    } catch (const std::exception& e) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "auth_js: %s", e.what());
    }
}

}  // namespace authjs::nginx
