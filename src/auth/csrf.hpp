// The CSRF token and its cookie (spec/tokens.md section 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "util/secret.hpp"

namespace authjs::auth {

// The cookie's value for a token: token|hash, the hash being hex SHA-256 of token and secret.
std::string csrf_cookie_value(std::string_view token, const secret& joined);
// The token of a cookie whose hash is right. An empty token with its hash is one, as in Auth.js:
// only who holds the secret can make that hash.
std::optional<std::string> csrf_token_of(std::string_view cookie, const secret& joined);

}  // namespace authjs::auth
