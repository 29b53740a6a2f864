#include "nginx/origin.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

#include "nginx/conf.hpp"
#include "util/bytes.hpp"
#include "util/url.hpp"

namespace authjs::nginx {

namespace {

bool connection_https([[maybe_unused]] const ngx_http_request_t* r) noexcept {
#if (NGX_HTTP_SSL)
    return r->connection->ssl != nullptr;
#else
    return false;
#endif
}

// The value of the one header of that name; null if there is none, `several` if there are more.
const ngx_str_t* header_in(const ngx_http_request_t* r, std::string_view name,
                           bool* several = nullptr) noexcept {
    const ngx_str_t* found = nullptr;
    for (const auto* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
        const auto* h = static_cast<const ngx_table_elt_t*>(part->elts);
        for (ngx_uint_t i = 0; i < part->nelts; i++) {
            if (h[i].hash == 0 || !iequals(view(h[i].key), name)) continue;
            if (found != nullptr && several != nullptr) *several = true;
            if (found == nullptr) found = &h[i].value;
        }
    }
    return found;
}

// The port that the client reached, or 0 on a Unix socket.
in_port_t listening_port(ngx_connection_t* c) noexcept {
    if (ngx_connection_local_sockaddr(c, nullptr, 0) != NGX_OK) return 0;
    return ngx_inet_get_port(c->local_sockaddr);
}

// What stands behind nginx's parsed host in the request: "" or ":port". Empty optional when it is
// anything else (nginx takes `app.test:80@evil` for app.test).
std::optional<std::string> asked_port(const ngx_http_request_t* r, std::string_view host) {
    std::string_view raw;
    if (r->host_start != nullptr && r->host_end != nullptr) {  // GET http://host:port/ HTTP/1.1
        const auto* begin = reinterpret_cast<const char*>(r->host_start);
        const auto* end = reinterpret_cast<const char*>(r->request_line.data) + r->request_line.len;
        raw = {begin, static_cast<std::size_t>(end - begin)};
        raw = raw.substr(0, raw.find_first_of("/? "));
    } else if (r->headers_in.host != nullptr) {
        raw = view(r->headers_in.host->value);
    }
    if (raw.size() < host.size() || !iequals(raw.substr(0, host.size()), host)) return std::nullopt;
    raw.remove_prefix(host.size());
    if (raw.starts_with('.')) raw.remove_prefix(1);  // the root's dot, which nginx drops
    if (raw.empty()) return "";
    if (raw.size() < 2 || raw.size() > 6 || raw.front() != ':' ||
        raw.find_first_not_of("0123456789", 1) != raw.npos)
        return std::nullopt;
    return std::string(raw);
}

// A forwarded or raw authority as an origin: exactly host or host:port, or empty.
std::string origin_of(std::string_view scheme, std::string_view authority) {
    if (authority.empty() || authority.find_first_of("/?#@\\, \t%") != authority.npos) return {};
    const auto u = parse_url(std::string(scheme) + "://" + std::string(authority) + "/");
    return u && u->path == "/" && !u->host.empty() ? u->origin() : std::string();
}

bool matches(const ngx_http_server_name_t& name, std::string_view host) noexcept {
#if (NGX_PCRE)
    if (name.regex != nullptr) {
        ngx_str_t s{host.size(), reinterpret_cast<u_char*>(const_cast<char*>(host.data()))};
        return ngx_regex_exec(name.regex->regex, &s, nullptr, 0) >= 0;
    }
#endif
    const auto n = view(name.name);
    if (n.empty() || n == "_") return false;
    if (n.starts_with('.')) return host.ends_with(n) || host == n.substr(1);
    if (n.starts_with("*.")) return host.size() > n.size() - 1 && host.ends_with(n.substr(1));
    if (n.ends_with(".*"))
        return host.size() > n.size() - 1 && host.starts_with(n.substr(0, n.size() - 1));
    return host == n;
}

struct forwarded {
    bool trusted = false;
    bool bad = false;  // a list, or repeated
    std::string_view proto, host;
};
forwarded forwarded_of(ngx_http_request_t* r, const trust& t) noexcept {
    forwarded f;
    f.trusted = trusts_peer(t, r);
    if (!f.trusted) return f;
    if (const auto* v = header_in(r, "X-Forwarded-Proto", &f.bad)) f.proto = view(*v);
    if (const auto* v = header_in(r, "X-Forwarded-Host", &f.bad)) f.host = view(*v);
    if (!f.proto.empty() && !iequals(f.proto, "https") && !iequals(f.proto, "http")) f.bad = true;
    return f;
}

}  // namespace

bool trusts_peer(const trust& t, ngx_http_request_t* r) noexcept {
    if (t.everybody) return true;
    if (t.peers.empty()) return false;
    auto* c = r->connection;
    sockaddr_storage peer{};
    socklen_t length = sizeof(peer);
    auto* address = reinterpret_cast<sockaddr*>(&peer);
    // The kernel's word: realip and proxy_protocol change what nginx calls the client. A QUIC
    // connection has no socket of its own.
    if (c->type == SOCK_DGRAM || getpeername(c->fd, address, &length) != 0) address = c->sockaddr;
    ngx_array_t cidrs{const_cast<ngx_cidr_t*>(t.peers.data()), t.peers.size(), sizeof(ngx_cidr_t),
                      t.peers.size(), nullptr};
    return ngx_cidr_match(address, &cidrs) == NGX_OK;
}

server_names names_of(const ngx_http_core_srv_conf_t& server) {
    const auto* names = static_cast<const ngx_http_server_name_t*>(server.server_names.elts);
    return {names, names + server.server_names.nelts};
}

bool is_own_name(const server_names& names, std::string_view host) noexcept {
    return std::any_of(names.begin(), names.end(),
                       [&](const auto& name) { return matches(name, host); });
}

bool has_usable_name(const server_names& names) noexcept {
    return std::any_of(names.begin(), names.end(), [](const auto& name) {
#if (NGX_PCRE)
        if (name.regex != nullptr) return true;
#endif
        return name.name.len != 0 && view(name.name) != "_";
    });
}

bool https_of(ngx_http_request_t* r) noexcept {
    const auto* level = level_of(r);
    if (level == nullptr || level->site == nullptr) return connection_https(r);
    const auto& conf = *level->site;
    if (!conf.origin.empty()) return conf.origin_https;
    const auto f = forwarded_of(r, conf.trusted);
    return f.proto.empty() ? connection_https(r) : iequals(f.proto, "https");
}

site site_of(ngx_http_request_t* r) {
    site out;
    out.asked_host = text(r->headers_in.server);
    out.https = https_of(r);
    const auto* level = level_of(r);
    if (level == nullptr || level->site == nullptr) return out;
    const auto& conf = *level->site;
    if (!conf.origin.empty()) {
        out.origin = conf.origin;
        return out;
    }
    const std::string_view scheme = out.https ? "https" : "http";
    const auto f = forwarded_of(r, conf.trusted);
    if (f.trusted && !f.host.empty()) {
        out.asked_host = f.host;
        if (!f.bad) out.origin = origin_of(scheme, f.host);
        return out;
    }
    if (f.bad) return out;
    const auto host = view(r->headers_in.server);
    const auto port = asked_port(r, host);
    if (!port || host.empty()) return out;
    if (!f.trusted) {
        const auto* server =
            static_cast<srv_conf*>(ngx_http_get_module_srv_conf(r, ngx_http_auth_js_module));
        if (!is_own_name(server->names, host)) return out;
        if (!port->empty() && std::atoi(port->c_str() + 1) != listening_port(r->connection))
            return out;
    }
    out.origin = origin_of(scheme, std::string(host) + *port);
    return out;
}

}  // namespace authjs::nginx
