// Whether a request is somebody going to a page, so that a refusal may lead to sign-in; a script,
// a prefetch or an image gets 401 (directives.md, auth_js_unauthorized).
#pragma once

#include <optional>
#include <string_view>

namespace authjs::auth {

// Whether Accept names HTML with q > 0; */* alone does not count.
bool accepts_html(std::string_view accept) noexcept;

// The fields of a GET or HEAD that tell; absent ones are empty.
struct navigation_fields {
    std::string_view accept, requested_with, sec_purpose;
    std::optional<std::string_view> sec_fetch_mode;
    bool hx_request = false, upgrade = false;
};
bool is_navigation(const navigation_fields& f) noexcept;

}  // namespace authjs::auth
