// What ID tokens and signed userinfo have in common: registered claims, RFC 7519 section 4.1.
#pragma once

#include "oauth/oauth.hpp"

namespace authjs::oauth {

inline constexpr double clock_tolerance = 30;  // seconds that two clocks may be apart

// check_times judges exp and nbf, and that iat is a number, where they are present. Compared as
// doubles: no value wraps. Throws error(callback_route_error).
void check_times(const json::value& claims, instant now);
// has_audience: `aud` is the client id, or a list with it.
bool has_audience(const json::value& aud, std::string_view client_id);

}  // namespace authjs::oauth
