// What leaves the request before anybody else sees it: identity headers that a client sent
// (auth_js_clear_headers) and the session cookie (auth_js_pass_cookie off).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nginx/compat.hpp"

namespace authjs::nginx {

// cookie_lines answers the value of every Cookie line as the client sent it, also after the session
// cookie was taken out of what nginx passes on. The views live as long as the main request.
std::vector<std::string_view> cookie_lines(ngx_http_request_t* r);

// without_cookies cuts the cookies that `is_session` names out of one Cookie line's value, in
// place; the rest stays byte for byte. Answers the new length.
std::size_t cut_cookies(char* line, std::size_t length,
                        bool (*is_session)(std::string_view, const void*),
                        const void* data) noexcept;

// strip applies both directives of this location to the request, once per request and location.
// Throws std::bad_alloc when the pool has no memory.
void strip(ngx_http_request_t* r);

}  // namespace authjs::nginx
