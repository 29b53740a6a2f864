// The content handler of auth_js_handler: an nginx request becomes Auth.js's, its response nginx's.
#pragma once

#include "auth/message.hpp"
#include "nginx/ngx.hpp"

namespace authjs::nginx {

ngx_int_t content_handler(ngx_http_request_t* r);

// name_route, in the rewrite phase: Auth.js takes /auth/callback/x/ and /auth/callback\x for
// /auth/callback/x, and nginx does not. What stands in the route's own location (limit_req, deny)
// must hold for both, so nginx looks for the location once more, by the route's name.
ngx_int_t name_route(ngx_http_request_t* r);

// respond sends an answer of Auth.js's; the result finalizes the request.
ngx_int_t respond(ngx_http_request_t* r, const auth::response& rs);

// error_of is the public name of the error that the handler's answer stands for, or empty
// ($auth_js_error).
std::string_view error_of(ngx_http_request_t* r) noexcept;

}  // namespace authjs::nginx
