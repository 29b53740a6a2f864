// What nginx hands to the core and what it gets back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/http.hpp"

namespace authjs::auth {

struct request {
    std::string method;
    // scheme://host[:port] that may stand in redirects and letters, judged by the glue after
    // directives.md "Origin of the site"; empty: this host is not trusted (UntrustedHost).
    std::string origin;
    std::string asked_host;  // as the client named it, for the log only
    bool https = false;      // the site's scheme is https: decides `auto` secure cookies
    std::string path;        // percent-encoded, as sent, without query
    std::string query;       // without "?"
    bool asks = false;       // the URL has a "?", be it before nothing
    http::headers fields;    // all request headers, in order
    std::vector<std::string_view> cookies;  // every Cookie line's value; points into `fields`
    std::string body;
    std::string id;               // $request_id
    bool early_data = false;      // came in TLS early data: may be a replay
    std::size_t cookie_room = 0;  // bytes a Cookie line may have here (large_client_header_buffers)

    const std::string* field(std::string_view name) const noexcept {
        return http::find(fields, name);
    }
    std::string url() const { return origin + path + (asks || !query.empty() ? "?" : "") + query; }
};

struct response {
    int status = 200;
    http::headers fields;  // Content-Type, Location, Set-Cookie ... in order
    std::string body;
    std::string_view error;  // the error's public name, for $auth_js_error; static storage
};

}  // namespace authjs::auth
