#include "auth/navigation.hpp"

#include <algorithm>

#include "util/bytes.hpp"

namespace authjs::auth {
namespace {

std::string_view trimmed(std::string_view s) noexcept {
    s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
    while (s.ends_with(' ') || s.ends_with('\t')) s.remove_suffix(1);
    return s;
}

// next_of cuts the text before the first `separator` off `rest`, and the separator with it.
std::string_view next_of(std::string_view& rest, char separator) noexcept {
    const auto end = std::min(rest.find(separator), rest.size());
    const auto item = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return item;
}

}  // namespace

bool accepts_html(std::string_view accept) noexcept {
    while (!accept.empty()) {
        auto parameters = next_of(accept, ',');
        const auto type = next_of(parameters, ';');
        if (!iequals(type, "text/html") && !iequals(type, "application/xhtml+xml")) continue;
        bool wanted = true;
        while (!parameters.empty()) {
            const auto p = next_of(parameters, ';');
            if (p.size() > 2 && (p[0] == 'q' || p[0] == 'Q') && p[1] == '=')
                wanted = p.find_first_of("123456789") != p.npos;
        }
        if (wanted) return true;
    }
    return false;
}

bool is_navigation(const navigation_fields& f) noexcept {
    return accepts_html(f.accept) && !iequals(f.requested_with, "XMLHttpRequest") &&
           !f.hx_request && !f.upgrade && f.sec_fetch_mode.value_or("navigate") == "navigate" &&
           !iequals(f.sec_purpose.substr(0, 8), "prefetch");
}

}  // namespace authjs::auth
