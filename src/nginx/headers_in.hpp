// What leaves the request before anybody else sees it: identity headers that a client sent
// (auth_js_clear_headers) and the session cookie (auth_js_pass_cookie off).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/config.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

// cookie_lines answers the value of every Cookie line as the client sent it, also after the session
// cookie was taken out of what nginx passes on. The views live as long as the main request.
std::vector<std::string_view> cookie_lines(ngx_http_request_t* r);
// read_cookie_lines puts them in place of what `lines` holds: a list that is kept allocates once.
void read_cookie_lines(ngx_http_request_t* r, std::vector<std::string_view>& lines);

// cookie_room is how long a Cookie line this server takes (large_client_header_buffers), name and
// line end included.
std::size_t cookie_room(const ngx_http_request_t* r) noexcept;

// without_session is one Cookie line without the session cookie and its chunks; what stays is the
// same byte for byte. `changed` is set if something went.
std::string without_session(std::string_view line, const auth::config& cf, bool& changed);

// strip applies both directives of this location to the request. Throws std::bad_alloc when the
// pool has no memory.
void strip(ngx_http_request_t* r);

}  // namespace authjs::nginx
