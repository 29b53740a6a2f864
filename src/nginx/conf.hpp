// What directives become. A line is recorded when nginx reads it and understood when the whole
// configuration has been read (the environment file may come last): then each level's settings are
// its parent's with its own lines laid over, and a level that changes nothing shares its parent's
// objects, so that 2,000 servers cost no more than one.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "auth/config.hpp"
#include "nginx/environment.hpp"
#include "nginx/ngx.hpp"
#include "nginx/origin.hpp"
#include "nginx/stores.hpp"
#include "providers/catalogue.hpp"

namespace authjs::nginx {

// One value with its default, where it was given, and at which level (so that a second one there
// is a duplicate, and one further down an override).
template <class T>
struct setting {
    T value{};
    place at;
    const void* level = nullptr;
    bool given() const noexcept { return level != nullptr; }
    const T& operator*() const noexcept { return value; }
    const T* operator->() const noexcept { return &value; }
};

enum class gate : unsigned char { off, on, optional };
enum class unauthorized : unsigned char { automatic, redirect, status_401 };

struct requirement {
    std::vector<ngx_http_complex_value_t*> values;  // in the configuration's pool
    ngx_int_t error = NGX_HTTP_FORBIDDEN;
};

// How a location is protected.
struct gate_conf {
    setting<gate> protect{gate::off, {}, nullptr};
    setting<nginx::unauthorized> unauthorized;
    setting<requirement> require;
    setting<std::string> default_provider;
    setting<bool> pass_cookie{true, {}, nullptr};
    setting<std::vector<std::string>> clear_headers{
        // lower case, "_" as "-"
        {"x-auth-user", "x-auth-name", "x-auth-email", "x-auth-image", "x-auth-expires"},
        {},
        nullptr};
};

// Attributes that auth_js_cookie gives; what is absent stays Auth.js's.
struct cookie_change {
    std::optional<std::string> name, domain, path, same_site, priority;
    std::optional<bool> secure, http_only, partitioned;
    std::optional<std::int64_t> max_age;
};

template <class E, class T>
using per = std::array<setting<T>, static_cast<std::size_t>(E::count_)>;

// What the flows of a site need: everything that auth::config is made from.
struct flow_conf {
    setting<std::string> base_path;
    setting<std::vector<secret>> secrets;
    setting<std::string> url;  // as given: https://host[/path]
    setting<trust> trusted;
    setting<std::vector<std::string>> allowed_origins;
    setting<std::string> redirect_proxy_url;
    setting<std::vector<std::string>> proxy_origins;
    setting<std::vector<std::shared_ptr<const providers::provider>>> providers;
    setting<std::optional<adapters::store_plan>> store;
    setting<auth::session_options> session;
    per<auth::which, cookie_change> cookies;
    setting<auth::config::secure_cookies> secure;
    per<auth::custom_page, std::string> pages;
    setting<auth::theme> theme;
    per<auth::callback, auth::callback_to> callbacks;
    per<auth::event, std::vector<std::string>> events;
    setting<auth::csrf_mode> csrf{auth::csrf_mode::token, {}, nullptr};
    setting<milliseconds> http_timeout{milliseconds{10'000}, {}, nullptr};
    setting<std::string> http_proxy, trusted_certificate;
    setting<bool> debug;
};

// A site: the settings of every level that shares them, and the configuration made from them when
// the first location needs one.
struct site_conf {
    flow_conf flow;
    trust trusted;       // auth_js_trust_host, else AUTH_TRUST_HOST
    std::string origin;  // auth_js_url's or AUTH_URL's; empty: none
    bool origin_https = false;
    std::unique_ptr<auth::config> config;  // null until needed
    std::string where;                     // the line that first needed it
};

struct directive;

// One line as nginx read it.
struct line {
    const directive* of;
    std::vector<std::string> words;      // after the directive's name
    std::vector<providers::line> block;  // auth_js_provider { ... }
    place at;
};

// A variable made by auth_js_set.
struct set_variable {
    std::string filter;
    place at;
    int number = -1;  // in main_conf::loader's mapping
};

struct main_conf {
    std::unique_ptr<nginx::environment> env;
    std::unique_ptr<providers::loader> loader;
    std::shared_ptr<const providers::mapping> filters;
    std::vector<line> lines;  // those of the http level alone
    std::vector<std::shared_ptr<site_conf>> sites;
    std::vector<std::unique_ptr<store_slot>> stores;
    std::vector<std::unique_ptr<set_variable>> sets;
    std::size_t zone_size = 1u << 20;
    ngx_int_t state_index = NGX_ERROR;  // the hidden variable that carries state (state.hpp)
    bool noticed_secret = false;
    struct default_provider {
        std::string id, where;
        const site_conf* site;
    };
    std::vector<default_provider> defaults;  // auth_js_default_provider, checked at the end
    bool used = false;                       // some location protects, handles or verifies
};

// A server: its names, and what is noted while its locations are merged, for the warnings at the
// end.
struct srv_conf {
    server_names names;
    struct protected_at {
        std::string where, base_path;
    };
    std::optional<protected_at> protects;  // the first location that may redirect to <base>/signin
    std::set<std::string> handled;         // base paths that have a handler
    std::string nameless_handler;          // a handler that knows its origin by server_name alone
    std::vector<std::string> loose_aliases;
    std::set<const ngx_array_t*> error_pages;  // of protected locations
};

struct loc_conf {
    std::vector<line> lines;  // emptied once understood
    const gate_conf* gate = nullptr;
    site_conf* site = nullptr;
    std::shared_ptr<const gate_conf> own_gate;
    bool handler = false, verify = false, verify_redirects = false;
    place handler_at;
    place returns;  // an unconditional `return` of a 2xx in this very block
    bool has_return = false;
    bool asked_early = false;  // in a worker: a variable was, before the session was known
};

inline loc_conf* level_of(ngx_http_request_t* r) noexcept {
    return static_cast<loc_conf*>(ngx_http_get_module_loc_conf(r, ngx_http_auth_js_module));
}
inline main_conf* main_of(ngx_http_request_t* r) noexcept {
    return static_cast<main_conf*>(ngx_http_get_module_main_conf(r, ngx_http_auth_js_module));
}
// config_of is the configuration of the request's location, or null where nothing needs one.
inline const auth::config* config_of(ngx_http_request_t* r) noexcept {
    const auto* level = level_of(r);
    return level != nullptr && level->site != nullptr ? level->site->config.get() : nullptr;
}

}  // namespace authjs::nginx
