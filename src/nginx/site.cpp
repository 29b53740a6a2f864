// From settings to the one immutable auth::config of a site, made when its first location needs it,
// and the checks that Auth.js makes of its configuration at every request (spec/http.md section 4),
// made once, here.
#include <algorithm>

#include "auth/cookie.hpp"
#include "nginx/reading.hpp"
#include "util/error.hpp"
#include "util/url.hpp"

namespace authjs::nginx {

namespace {

// A variable of the environment, and where a mistake in it is reported.
struct variable {
    std::string name, value;
};

std::optional<variable> first_of(main_conf& main, std::initializer_list<std::string_view> names) {
    for (const auto name : names)
        if (auto value = main.env->find(name); value && !value->empty())
            return variable{std::string(name), *value};
    return std::nullopt;
}

void old_name(ngx_conf_t* cf, const variable& v, std::string_view now, const std::string& where) {
    if (v.name.starts_with("NEXTAUTH_"))
        warn(cf, where, v.name + " is the name of an older Auth.js; call it " + std::string(now));
}

struct parsed_url {
    std::string origin, path;
    bool https;
};
parsed_url read_site_url(const std::string& text, const std::string& what,
                         const std::string& where) {
    const auto u = parse_url(text);
    if (!u || !u->is_http() || u->query || u->fragment || !u->username.empty() ||
        !u->password.empty())
        throw conf_error(where, what +
                                    " is the site's address such as https://www.example.com or "
                                    "https://www.example.com/auth, not " +
                                    quoted(text));
    auto path = u->path;
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return {u->origin(), path, u->scheme == "https"};
}

void read_addresses(ngx_conf_t* cf, main_conf& main, site_conf& site, auth::config& c,
                    const std::string& where) {
    const auto& flow = site.flow;
    std::optional<parsed_url> url;
    if (flow.url.given()) {
        url = read_site_url(*flow.url, "auth_js_url", flow.url.at.text());
    } else if (const auto v = first_of(main, {"AUTH_URL", "NEXTAUTH_URL"})) {
        old_name(cf, *v, "AUTH_URL", where);
        url = read_site_url(v->value, "the variable " + v->name, where);
    }
    if (url) {
        site.origin = c.url = url->origin;
        site.origin_https = url->https;
    }
    const bool url_has_path = url && url->path != "/";
    if (flow.base_path.given()) {
        c.base_path = *flow.base_path;
        if (url_has_path && url->path != c.base_path)
            warn(cf, flow.base_path.at.text(),
                 "auth_js_base_path " + c.base_path + " wins over the path " + url->path +
                     " of the site's URL; leave one of them out");
    } else if (url_has_path) {
        c.base_path = url->path;
    }

    if (flow.trusted.given()) {
        site.trusted = *flow.trusted;
    } else if (const auto v = first_of(main, {"AUTH_TRUST_HOST"})) {
        static constexpr std::string_view yes[] = {"1", "true", "on", "yes"},
                                          no[] = {"0", "false", "off", "no"};
        site.trusted.everybody =
            std::find(std::begin(yes), std::end(yes), v->value) != std::end(yes);
        if (!site.trusted.everybody &&
            std::find(std::begin(no), std::end(no), v->value) == std::end(no))
            throw conf_error(where,
                             "the variable AUTH_TRUST_HOST is 1, true, on or yes, or 0, "
                             "false, off or no, not " +
                                 quoted(v->value));
    }

    c.allowed_origins = *flow.allowed_origins;
    c.proxy_origins = *flow.proxy_origins;
    c.redirect_proxy_url = *flow.redirect_proxy_url;
    if (!flow.redirect_proxy_url.given())
        if (const auto v = first_of(main, {"AUTH_REDIRECT_PROXY_URL"})) {
            const auto u = parse_url(v->value);
            if (!u || !u->is_http())
                throw conf_error(where,
                                 "the variable AUTH_REDIRECT_PROXY_URL is no URL such as "
                                 "https://proxy.example.com/auth");
            c.redirect_proxy_url = v->value;
        }
}

void read_secrets(ngx_conf_t* cf, main_conf& main, const flow_conf& flow, auth::config& c,
                  const std::string& where) {
    c.secrets = *flow.secrets;
    if (!flow.secrets.given()) {
        for (const auto name : {"AUTH_SECRET_3", "AUTH_SECRET_2", "AUTH_SECRET_1", "AUTH_SECRET"})
            if (const auto v = first_of(main, {name})) {
                c.secrets.emplace_back(v->value);
                if (main.env->from_process(name) && !main.noticed_secret) {
                    main.noticed_secret = true;
                    warn(cf, where,
                         v->name +
                             " comes from nginx's environment, which a reload does not read "
                             "again; auth_js_env_file would be",
                         NGX_LOG_NOTICE);
                }
            }
        if (c.secrets.empty())
            if (const auto v = first_of(main, {"NEXTAUTH_SECRET"})) {
                old_name(cf, *v, "AUTH_SECRET", where);
                c.secrets.emplace_back(v->value);
            }
        for (const auto& s : c.secrets)
            if (s.reveal().size() < 32)
                warn(cf, where,
                     "a secret of under 32 bytes can be guessed; make one with: openssl rand "
                     "-base64 33");
    }
    if (c.secrets.empty() && environment::lenient()) c.secrets.emplace_back(std::string(32, '-'));
    if (c.secrets.empty())
        throw conf_error(where,
                         "no secret: write auth_js_secret env:AUTH_SECRET; and give the variable, "
                         "in auth_js_env_file or nginx's environment, the output of: openssl rand "
                         "-base64 33");
}

// One opinion on https: Auth.js's cookies with the operator's changes laid over.
auth::cookie_set make_cookies(const flow_conf& flow, bool secure) {
    auth::cookie_set set;
    for (std::size_t i = 0; i < set.kinds.size(); i++) {
        auto& kind = set.kinds[i];
        kind = auth::default_cookie(static_cast<auth::which>(i), secure);
        const auto& change = *flow.cookies[i];
        auto& o = kind.options;
        if (change.name) kind.name = *change.name;
        if (change.domain) o.domain = *change.domain;
        if (change.path) o.path = *change.path;
        if (change.same_site) o.same_site = *change.same_site;
        if (change.priority) o.priority = *change.priority;
        if (change.secure) o.secure = *change.secure;
        if (change.http_only) o.http_only = *change.http_only;
        if (change.partitioned) o.partitioned = *change.partitioned;
        if (change.max_age) o.max_age = *change.max_age;
        if (!flow.cookies[i].given()) continue;
        const auto where = flow.cookies[i].at.text();
        try {
            auth::serialize({kind.name, "x", o, std::nullopt});
        } catch (const authjs::error& e) {
            throw conf_error(where, "auth_js_cookie: browsers would refuse this cookie: " +
                                        e.message() + "; write letters, digits, - and _");
        }
        // RFC 6265bis section 4.1.3: what the prefixes demand.
        if (kind.name.starts_with("__Host-") && secure &&
            (!o.domain.empty() || o.path != "/" || !o.secure))
            throw conf_error(where,
                             "auth_js_cookie: a name that begins with __Host- needs "
                             "secure=on, path=/ and no domain; name it otherwise with name=");
        if (kind.name.starts_with("__Secure-") && secure && !o.secure)
            throw conf_error(where,
                             "auth_js_cookie: a name that begins with __Secure- needs "
                             "secure=on; name it otherwise with name=");
    }
    return set;
}

struct checked {
    const site_conf& site;
    const auth::config& config;
    std::string where;
};

// One check of spec/http.md section 4 each, in its order; those that need the request stay with the
// core, and those of passkeys come with them.
using check = void (*)(const checked& c, const providers::provider& p);

void endpoints(const checked& c, const providers::provider& p) {
    if (!p.is_oauth() || !p.issuer.empty() || !p.well_known.empty()) return;
    const char* missing = p.authorization_url.empty() ? "authorization_url"
                          : p.token_url.empty()       ? "token_url"
                          : p.userinfo.url.empty()    ? "userinfo_url"
                                                      : nullptr;
    if (missing != nullptr)
        throw conf_error(c.where, "the provider " + quoted(p.id) + " has neither issuer nor " +
                                      missing +
                                      "; write one of them in its auth_js_provider block");
}
void credentials(const checked& c, const providers::provider& p) {
    if (p.type != providers::type::credentials) return;
    if (p.authorize_by.htpasswd_file.empty() && p.authorize_by.internal_uri.empty())
        throw conf_error(c.where, "the provider " + quoted(p.id) +
                                      " does not say who may come in: write authorize "
                                      "htpasswd:/path or authorize uri /internal");
}
void email(const checked& c, const providers::provider& p) {
    if (p.type == providers::type::email && !c.config.has_adapter())
        throw conf_error(c.where, "the provider " + quoted(p.id) +
                                      " sends sign-in links, which need a store: auth_js_adapter");
}
void site(const checked& c, const providers::provider& p) {
    if (const auto wrong = providers::site_mistake(p, c.config.url))
        throw conf_error(c.where, *wrong);
}
constexpr check checks[] = {endpoints, credentials, email, site};

// give_proxy: the redirect proxy of a site holds for its providers that name none of their own. A
// provider is shared by all levels that inherit it, so one that changes is copied.
void give_proxy(ngx_conf_t* cf, auth::config& c, const std::string& where) {
    for (auto& p : c.providers) {
        if (!p->is_oauth() || !p->redirect_proxy_url.empty()) continue;
        if (const auto odd = providers::proxy_warning(*p, c.redirect_proxy_url))
            warn(cf, where, *odd);
        else if (!c.redirect_proxy_url.empty()) {
            auto own = std::make_shared<providers::provider>(*p);
            own->redirect_proxy_url = c.redirect_proxy_url;
            p = std::move(own);
        }
    }
}

}  // namespace

void need(ngx_conf_t* cf, main_conf& main, site_conf& site, const std::string& where) {
    if (site.config) return;
    auto made = std::make_unique<auth::config>();
    auto& c = *made;
    const auto& flow = site.flow;
    read_addresses(cf, main, site, c, where);
    read_secrets(cf, main, flow, c, where);
    c.providers = *flow.providers;
    c.session = *flow.session;
    if (flow.store->has_value()) c.adapter = &slot_of(main, **flow.store).open;
    if (!c.session.strategy_given)
        c.session.strategy = c.has_adapter() ? auth::strategy::database : auth::strategy::jwt;
    if (c.session.strategy == auth::strategy::database && !c.has_adapter())
        throw conf_error(flow.session.at.text(),
                         "auth_js_session: strategy=database needs a store; add auth_js_adapter "
                         "sqlite /var/lib/nginx/auth_js/auth.db;");
    c.secure = *flow.secure;
    c.plain = make_cookies(flow, false);
    c.secured = make_cookies(flow, true);
    for (std::size_t i = 0; i < c.pages.size(); i++) c.pages[i] = *flow.pages[i];
    c.theme = *flow.theme;
    c.csrf = *flow.csrf;
    for (std::size_t i = 0; i < c.callbacks.size(); i++) c.callbacks[i] = *flow.callbacks[i];
    for (std::size_t i = 0; i < c.events.size(); i++) c.events[i] = *flow.events[i];
    c.filters = main.loader->filters();
    c.transport = {*flow.http_timeout, *flow.http_proxy, *flow.trusted_certificate};
    c.debug = *flow.debug;
    auth::finish(c);
    site.where = where;
    site.config = std::move(made);
    main.used = true;
}

void check_sites(ngx_conf_t* cf, main_conf& main) {
    if (environment::lenient()) return;  // lines that it could not understand are missing here
    for (const auto& site : main.sites) {
        if (!site->config) continue;
        give_proxy(cf, *site->config, site->where);
        const auto& given = site->flow.providers;
        const checked c{*site, *site->config, given.given() ? given.at.text() : site->where};
        for (const auto& p : site->config->providers)
            for (const auto run : checks) run(c, *p);
    }
    for (const auto& d : main.defaults) {
        std::vector<std::string_view> known;
        const providers::provider* found = nullptr;
        for (const auto& p : d.site->config->providers) {
            known.push_back(p->id);
            if (p->id == d.id) found = p.get();
        }
        if (found == nullptr)
            throw conf_error(d.where, "auth_js_default_provider: no provider " + quoted(d.id) +
                                          " is configured here" + meant(d.id, known));
        if (!found->is_oauth())
            throw conf_error(d.where, "auth_js_default_provider: " + quoted(d.id) +
                                          " asks its questions on the sign-in page, which cannot "
                                          "be skipped; name an oauth or oidc provider");
    }
}

}  // namespace authjs::nginx
