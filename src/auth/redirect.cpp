#include "auth/redirect.hpp"

#include <algorithm>

#include "auth/routes.hpp"
#include "util/url.hpp"

namespace authjs::auth {

bool origin_allowed(std::string_view origin, const std::vector<std::string>& allowed) noexcept {
    return std::ranges::any_of(allowed, [&](std::string_view pattern) {
        const auto star = pattern.find("://*.");
        if (star == pattern.npos) return pattern == origin;
        const auto scheme = pattern.substr(0, star + 3);
        const auto suffix = pattern.substr(star + 4);  // ".example.com[:port]"
        return origin.starts_with(scheme) && origin.ends_with(suffix) &&
               origin.size() > scheme.size() + suffix.size();
    });
}

std::optional<std::string> default_redirect(std::string_view target, std::string_view origin,
                                            const std::vector<std::string>& allowed) {
    if (target.starts_with('/')) return std::string(origin).append(target);
    const auto parsed = parse_url(target);
    if (!parsed) return std::nullopt;
    const auto of = parsed->origin();
    const bool fine = of == origin || (parsed->is_http() && origin_allowed(of, allowed));
    return std::string(fine ? target : origin);
}

namespace {

std::optional<route> own_route(std::string_view target, std::string_view origin,
                               std::string_view base_path, std::optional<url>& parsed) {
    const auto site = parse_url(origin);
    parsed = parse_url(target, site ? &*site : nullptr);
    if (!parsed || parsed->origin() != origin) return std::nullopt;
    return parse_route(parsed->path, base_path);
}

}  // namespace

bool under_base(std::string_view target, std::string_view origin, std::string_view base_path) {
    std::optional<url> parsed;
    own_route(target, origin, base_path, parsed);
    return parsed && parsed->origin() == origin && parsed->path.starts_with(base_path) &&
           (parsed->path.size() == base_path.size() || base_path.ends_with('/') ||
            parsed->path[base_path.size()] == '/');
}

std::string without_loop(std::string target, std::string_view origin, std::string_view base_path,
                         const std::vector<std::string>& allowed) {
    constexpr int most_wraps = 8;
    for (int i = 0; i < most_wraps; ++i) {
        std::optional<url> parsed;
        const auto r = own_route(target, origin, base_path, parsed);
        if (!r || (r->action != action::signin && r->action != action::callback &&
                   r->action != action::signout))
            return target;
        const auto query = params::parse(parsed->query.value_or(""));
        const auto* inner = query.last("callbackUrl");
        if (!inner) break;
        target = default_redirect(*inner, origin, allowed).value_or(std::string(origin));
    }
    return std::string(origin);
}

std::string location_text(std::string_view target) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    const auto is_edge = [](unsigned char c) { return c <= 0x20; };
    while (!target.empty() && is_edge(target.front())) target.remove_prefix(1);
    while (!target.empty() && is_edge(target.back())) target.remove_suffix(1);
    std::string out;
    out.reserve(target.size());
    for (const unsigned char c : target) {
        if (c == '\t' || c == '\n' || c == '\r') continue;
        if (c >= 0x20 && c < 0x7f) {
            out += static_cast<char>(c);
        } else {
            out += '%';
            out += hex[c >> 4];
            out += hex[c & 15];
        }
    }
    return out;
}

bool is_http_url(std::string_view text, std::string_view origin) {
    const auto site = parse_url(origin);
    const auto parsed = parse_url(text, text.starts_with('/') && site ? &*site : nullptr);
    return parsed && parsed->is_http();
}

}  // namespace authjs::auth
