// The configuration of one nginx level: immutable, made when directives are read, shared by every
// level that changes nothing. At run time nothing parses or derives anything.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/adapter.hpp"
#include "auth/cookie.hpp"
#include "io/http.hpp"
#include "providers/provider.hpp"
#include "util/secret.hpp"
#include "util/time.hpp"

namespace authjs::auth {

enum class strategy : unsigned char { jwt, database };
enum class csrf_mode : unsigned char { token, origin, off };
enum class custom_page : unsigned char {
    sign_in,
    sign_out,
    error,
    verify_request,
    new_user,
    count_
};
enum class callback : unsigned char { sign_in, redirect, jwt, session, count_ };
enum class event : unsigned char {
    sign_in,
    sign_out,
    create_user,
    update_user,
    link_account,
    session,
    count_
};

// One callback: a filter of `filters`, or an internal location; neither: Auth.js's default.
struct callback_to {
    int filter = -1;
    std::string uri;
    bool set() const noexcept { return filter >= 0 || !uri.empty(); }
};

struct theme {
    std::string color_scheme = "auto", logo, brand_color, button_text;
};

// Cookies for one opinion on https, with the keys that their names give.
struct cookie_set {
    std::array<cookie_kind, static_cast<std::size_t>(which::count_)> kinds;
    const cookie_kind& operator[](which w) const noexcept {
        return kinds[static_cast<std::size_t>(w)];
    }
};

struct session_options {
    auth::strategy strategy = strategy::jwt;
    bool strategy_given = false;  // named in the configuration (matters to configuration checks)
    seconds max_age{2'592'000};
    seconds update_age{86'400};
    std::optional<seconds> jwt_max_age;
    bool renew = true;
    milliseconds cache{1'000};  // 0: off
    seconds token_age() const noexcept { return jwt_max_age ? *jwt_max_age : max_age; }
};

struct config {
    std::string base_path = "/auth";
    std::string url;  // auth_js_url's origin, or empty
    std::vector<secret> secrets;
    secret joined_secret;  // the secrets joined by commas: CSRF and e-mail hashes
    std::vector<std::string> allowed_origins;
    std::string redirect_proxy_url;
    std::vector<std::string> proxy_origins;  // that this host may hand a callback to; empty: any

    std::vector<std::shared_ptr<const providers::provider>> providers;
    session_options session;
    enum class secure_cookies : unsigned char {
        automatic,
        on,
        off
    } secure = secure_cookies::automatic;
    cookie_set plain, secured;      // without and with Secure
    jose::key_ring state_ring;      // salt encodedState
    jose::key_ring challenge_ring;  // salt encodedWebauthnChallenge
    jose::key_ring go_ring;         // salt authjs.go
    std::array<std::string, static_cast<std::size_t>(custom_page::count_)>
        pages;  // empty: built in
    auth::theme theme;
    csrf_mode csrf = csrf_mode::token;
    std::array<callback_to, static_cast<std::size_t>(callback::count_)> callbacks;
    std::array<std::vector<std::string>, static_cast<std::size_t>(event::count_)> events;  // uris
    std::shared_ptr<const providers::mapping> filters;  // of callbacks and auth_js_set
    http::transport transport;
    bool debug = false;
    // The store of this configuration in this worker, or null: no adapter. Set by the glue in the
    // worker, after fork (stores hold connections); the pointer itself is fixed at configuration.
    adapters::adapter* const* adapter = nullptr;
    bool has_adapter() const noexcept { return adapter != nullptr; }

    const cookie_set& cookies(bool https) const noexcept {
        const bool on =
            secure == secure_cookies::on || (secure == secure_cookies::automatic && https);
        return on ? secured : plain;
    }
    const providers::provider* provider(std::string_view id) const noexcept {
        for (const auto& p : providers)
            if (p->id == id) return p.get();
        return nullptr;
    }
    const std::string& page(custom_page p) const noexcept {
        return pages[static_cast<std::size_t>(p)];
    }
    const callback_to& on(callback c) const noexcept {
        return callbacks[static_cast<std::size_t>(c)];
    }
};

// finish computes what follows from the rest (joined secret, key rings, cookie keys), once, at the
// end of reading a level. Cookie names and options stand in plain/secured by then.
void finish(config& cf);

}  // namespace authjs::auth
