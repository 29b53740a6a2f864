#include "nginx/log.hpp"

#include <string>

#include "util/bytes.hpp"

namespace authjs::nginx {
namespace {

constexpr ngx_uint_t levels[] = {NGX_LOG_ERR, NGX_LOG_WARN, NGX_LOG_NOTICE, NGX_LOG_INFO,
                                 NGX_LOG_DEBUG};  // in io::level's order

}  // namespace

void log::write(io::level lv, std::string_view line) {
    if (lv == io::level::debug && !debug_) return;
    // A copy without the handler that appends the request line; the connection's number stays.
    ngx_log_t own = to_ ? *to_ : *ngx_cycle->log;
    own.handler = nullptr;
    own.action = nullptr;
    std::string text = without_controls(line);
    ngx_str_t s{text.size(), reinterpret_cast<u_char*>(text.data())};
    ngx_log_error(levels[static_cast<std::size_t>(lv)], &own, 0, "auth_js: %V", &s);
}

}  // namespace authjs::nginx
