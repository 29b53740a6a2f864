#include "nginx/log.hpp"

#include <algorithm>
#include <string>

#include "util/bytes.hpp"

namespace authjs::nginx {
namespace {

constexpr ngx_uint_t levels[] = {NGX_LOG_ERR, NGX_LOG_WARN, NGX_LOG_NOTICE, NGX_LOG_INFO,
                                 NGX_LOG_DEBUG};  // in io::level's order

// What a terminal would obey is written as %XX: controls, those that UTF-8 has beyond ASCII (U+0080
// to U+009F) too, and every byte of what is no UTF-8.
std::string harmless(std::string_view line) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const bool utf8 = is_utf8(line);
    const auto text = without_controls(line);
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0, written = 0; i < text.size(); ++i) {
        const auto b = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(text[std::min(i + 1, text.size() - 1)]);
        if (utf8 ? b == 0xc2 && next < 0xa0 : b >= 0x80) written = i + (utf8 ? 2 : 1);
        if (i < written)
            out.append({'%', digits[b >> 4], digits[b & 15]});
        else
            out += text[i];
    }
    return out;
}

}  // namespace

void log::write(io::level lv, std::string_view line) {
    if (lv == io::level::debug && !debug_) return;
    // A copy without the handler that appends the request line; the connection's number stays.
    ngx_log_t own = to_ ? *to_ : *ngx_cycle->log;
    own.handler = nullptr;
    own.action = nullptr;
    std::string text = harmless(line);
    ngx_str_t s{text.size(), reinterpret_cast<u_char*>(text.data())};
    ngx_log_error(levels[static_cast<std::size_t>(lv)], &own, 0, "auth_js: %V", &s);
}

}  // namespace authjs::nginx
