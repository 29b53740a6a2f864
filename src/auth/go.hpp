// The `go` token: lets one GET of signin/<id> start a flow, for auth_js_default_provider
// (directives.md). Sealed with the secret under the salt authjs.go, good for 60 s, and only for the
// callback URL and the provider it was made for.
#pragma once

#include <string>
#include <string_view>

#include "auth/config.hpp"
#include "io/ports.hpp"

namespace authjs::auth {

std::string make_go(const config& cf, std::string_view provider_id, std::string_view callback_url,
                    io::clock& clock, io::random& random);
bool check_go(const config& cf, std::string_view token, std::string_view provider_id,
              std::string_view callback_url, instant now);

}  // namespace authjs::auth
