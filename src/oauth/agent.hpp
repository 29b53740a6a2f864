// How we name ourselves to providers; some (GitHub) refuse who does not.
#pragma once

#include <string_view>

namespace authjs::oauth {

inline constexpr std::string_view agent = "ngx_http_auth_js_module";

}  // namespace authjs::oauth
