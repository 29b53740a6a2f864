// Which action a path asks for (spec/http.md section 2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace authjs::auth {

enum class action : unsigned char {
    callback,
    csrf,
    error,
    providers,
    session,
    signin,
    signout,
    verify_request,
    webauthn_options,
    count_
};
std::string_view action_name(action a) noexcept;  // as in the path: "verify-request"

struct route {
    auth::action action;
    std::string provider_id;  // as it stands in the path, not decoded; empty: none
};

// parse_route reads what follows `base_path` in `path`, percent-encoded as sent. Trailing and
// doubled slashes are tolerated; the literal provider `undefined` counts as absent. Empty where
// Auth.js says UnknownAction. base_path is text, not the regular expression it is by accident
// there.
std::optional<route> parse_route(std::string_view path, std::string_view base_path);

// route_name is the same path without what is tolerated; empty where it is no route.
std::string route_name(std::string_view path, std::string_view base_path);

}  // namespace authjs::auth
