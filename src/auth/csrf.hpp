// The CSRF token and its cookie (spec/tokens.md section 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "auth/config.hpp"
#include "io/ports.hpp"
#include "util/secret.hpp"

namespace authjs::auth {

// The cookie's value for a token: token|hash, the hash being hex SHA-256 of token and secret.
std::string csrf_cookie_value(std::string_view token, const secret& joined);
// The token of a cookie whose hash is right. An empty token with its hash is one, as in Auth.js:
// only who holds the secret can make that hash.
std::optional<std::string> csrf_token_of(std::string_view cookie, const secret& joined);

// The token of this browser: its cookie's, or a new one with the cookie that must be set for it.
struct csrf_settled {
    std::string token;
    bool known = false;
    std::optional<set_cookie> cookie;  // unless known
};
csrf_settled csrf_of(const config& cf, bool https, const cookie_jar& jar, io::random& random);

}  // namespace authjs::auth
