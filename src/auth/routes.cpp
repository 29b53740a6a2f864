#include "auth/routes.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace authjs::auth {

namespace {

struct row {
    std::string_view name;
    bool takes_provider;
};
constexpr std::array<row, static_cast<std::size_t>(action::count_)> rows{{
    {"callback", true},
    {"csrf", false},
    {"error", false},
    {"providers", false},
    {"session", false},
    {"signin", true},
    {"signout", false},
    {"verify-request", false},
    {"webauthn-options", true},
}};

}  // namespace

std::string_view action_name(action a) noexcept { return rows[static_cast<std::size_t>(a)].name; }

std::optional<route> parse_route(std::string_view path, std::string_view base_path) {
    while (base_path.ends_with('/')) base_path.remove_suffix(1);
    if (!path.starts_with(base_path)) return std::nullopt;
    path.remove_prefix(base_path.size());
    if (!path.starts_with('/')) return std::nullopt;

    std::vector<std::string_view> parts;
    while (!path.empty()) {
        const auto end = std::min(path.find('/'), path.size());
        if (end > 0) parts.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    if (parts.empty() || parts.size() > 2) return std::nullopt;

    const auto found = std::ranges::find(rows, parts[0], &row::name);
    if (found == rows.end() || (parts.size() == 2 && !found->takes_provider)) return std::nullopt;
    route r{static_cast<action>(found - rows.begin()), {}};
    if (parts.size() == 2 && parts[1] != "undefined") r.provider_id = parts[1];
    return r;
}

std::string route_name(std::string_view path, std::string_view base_path) {
    const auto r = parse_route(path, base_path);
    if (!r) return {};
    while (base_path.ends_with('/')) base_path.remove_suffix(1);
    auto name = std::string(base_path).append("/").append(action_name(r->action));
    return r->provider_id.empty() ? name : name.append("/").append(r->provider_id);
}

}  // namespace authjs::auth
