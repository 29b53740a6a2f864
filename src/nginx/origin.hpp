// The origin of the site as this request may name it, after directives.md "Origin of the site":
// built from auth_js_url, from a trusted peer's forwarded headers, or from nginx's parsed host
// when that is one of the server's own names. Never from the raw header.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nginx/ngx.hpp"

namespace authjs::nginx {

struct site {
    std::string origin;      // scheme://host[:port], or empty: this host is not trusted
    bool https = false;      // the site's scheme, known even where the host is not trusted
    std::string asked_host;  // as the client named it, for the log only
};
site site_of(ngx_http_request_t* r);

// https_of is site_of(r).https without the rest: the gate's question, no allocation.
bool https_of(ngx_http_request_t* r) noexcept;

// Whom auth_js_trust_host trusts.
struct trust {
    bool everybody = false;
    std::vector<ngx_cidr_t> peers;  // TCP peers, not what realip made of them; unix: is AF_UNIX
};
bool trusts_peer(const trust& t, ngx_http_request_t* r) noexcept;

// The names of a server, copied when the configuration is read (nginx drops its own list then).
using server_names = std::vector<ngx_http_server_name_t>;
server_names names_of(const ngx_http_core_srv_conf_t& server);
// is_own_name: whether `host` (nginx's parsed one: lower case, no port, no trailing dot) is one of
// them by nginx's rules; "" and "_" do not count.
bool is_own_name(const server_names& names, std::string_view host) noexcept;
// has_usable_name: whether there is any name that is_own_name could answer yes for.
bool has_usable_name(const server_names& names) noexcept;

}  // namespace authjs::nginx
