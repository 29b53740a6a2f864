// The two nginx modules of this object. One ngx_module_t cannot be asked right after allow and deny
// and see the headers that add_header and expires have set; two can (design.md).
#include <algorithm>

#include "crypto/crypto.hpp"
#include "nginx/access.hpp"
#include "nginx/filter.hpp"
#include "nginx/handler.hpp"
#include "nginx/pool.hpp"
#include "nginx/reading.hpp"
#include "nginx/runtime.hpp"
#include "nginx/subrequest.hpp"
#include "nginx/warnings.hpp"
#include "nginx/zone.hpp"

namespace authjs::nginx {

namespace {

// An object in an nginx pool, destroyed with it.
template <class T>
void* in_pool(ngx_conf_t* cf) noexcept {
    auto* cleanup = ngx_pool_cleanup_add(cf->pool, sizeof(T));
    if (cleanup == nullptr) return nullptr;
    try {
        auto* made = new (cleanup->data) T();
        cleanup->handler = [](void* data) { static_cast<T*>(data)->~T(); };
        return made;
    } catch (const std::exception&) {
        return nullptr;
    }
}

void* create_main_conf(ngx_conf_t* cf) {
    auto* main = static_cast<main_conf*>(in_pool<main_conf>(cf));
    if (main == nullptr) return nullptr;
    const auto rc = conf_guard(cf, [&] {
        crypto::setup();
        main->env = std::make_unique<environment>(cf);
        main->loader = std::make_unique<providers::loader>(providers::surroundings{
            [main](std::string_view name) { return main->env->find(name); }, environment::lenient(),
            [cf](const std::string& where, const std::string& text) { warn(cf, where, text); }});
    });
    return rc == NGX_CONF_OK ? main : nullptr;
}
void* create_srv_conf(ngx_conf_t* cf) { return in_pool<srv_conf>(cf); }
void* create_loc_conf(ngx_conf_t* cf) { return in_pool<loc_conf>(cf); }

main_conf& main_of(ngx_conf_t* cf) {
    return *static_cast<main_conf*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_auth_js_module));
}

// settle gives a level its settings: its parent's objects, or new ones with its own lines laid
// over.
void settle(ngx_conf_t* cf, main_conf& main, loc_conf& level, const gate_conf& gate,
            site_conf* parent) {
    level.gate = &gate;
    level.site = parent;
    if (has_lines(level.lines, directive::gate)) {
        auto own = std::make_shared<gate_conf>(gate);
        apply_lines(cf, main, level.lines, &level, directive::gate, own.get());
        level.own_gate = own;
        level.gate = own.get();
    }
    if (has_lines(level.lines, directive::flow)) {
        auto own = std::make_shared<site_conf>();
        own->flow = parent->flow;
        main.sites.push_back(own);
        apply_lines(cf, main, level.lines, &level, directive::flow, &own->flow);
        level.site = own.get();
    }
    level.lines = {};
}

char* init_main_conf(ngx_conf_t* cf, void* conf) {
    auto& main = *static_cast<main_conf*>(conf);
    return conf_guard(cf, [&] {
        // The environment file first, wherever it stands: all else may read from it.
        std::stable_partition(main.lines.begin(), main.lines.end(), [](const line& l) {
            return std::string_view(l.of->name) == "auth_js_env_file";
        });
        apply_lines(cf, main, main.lines, &main, directive::whole, &main);
        main.lines = {};
        for (const auto& s : main.sets) try {
                bool resolved = false;
                s->number = main.loader->filter(main.env->resolve(s->filter, s->at, resolved),
                                                s->at.text());
            } catch (const unseen&) {
            }

        static const gate_conf defaults;
        main.sites.push_back(std::make_shared<site_conf>());
        settle(
            cf, main,
            *static_cast<loc_conf*>(ngx_http_conf_get_module_loc_conf(cf, ngx_http_auth_js_module)),
            defaults, main.sites.front().get());
    });
}

// A handler stands in a prefix or exact location under the base path, and nowhere else.
void check_handler(const loc_conf& level, const ngx_http_core_loc_conf_t& core) {
    const auto& base = level.site->config->base_path;
    const auto name = view(core.name);
    const auto where = level.handler_at.text();
#if (NGX_PCRE)
    if (core.regex != nullptr)
        throw conf_error(where,
                         "auth_js_handler cannot stand in a regular expression location; "
                         "write location " +
                             base + "/");
#endif
    if (core.named)
        throw conf_error(
            where,
            "auth_js_handler cannot stand in a named location; write location " + base + "/");
    if (name == base)
        throw conf_error(where, "auth_js_handler: write location " + base +
                                    "/ with a slash at its "
                                    "end, or " +
                                    base + "x would be served too");
    if (!name.starts_with(base + "/"))
        throw conf_error(where, "auth_js_handler: the location " + quoted(name) +
                                    " is not under the base path; write location " + base +
                                    "/, or auth_js_base_path if it is another");
}

char* merge_loc_conf(ngx_conf_t* cf, void* parent, void* child) {
    return conf_guard(cf, [&] {
        const auto& prev = *static_cast<loc_conf*>(parent);
        auto& level = *static_cast<loc_conf*>(child);
        auto& main = main_of(cf);
        auto& core = *static_cast<ngx_http_core_loc_conf_t*>(
            ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
        auto& server =
            *static_cast<srv_conf*>(ngx_http_conf_get_module_srv_conf(cf, ngx_http_auth_js_module));
        settle(cf, main, level, *prev.gate, prev.site);

        // nginx keeps the handler into `if` by itself and loses it into limit_except.
        if (core.noname && core.handler == nullptr && (prev.handler || prev.verify)) {
            if (core.lmt_excpt) core.handler = prev.handler ? content_handler : verify_handler;
            level.handler = prev.handler;
            level.verify = prev.verify;
            level.verify_redirects = prev.verify_redirects;
            level.handler_at = prev.handler_at;
        }

        const auto& gate = *level.gate;
        const bool protects = *gate.protect != nginx::gate::off;
        if (!protects && !level.handler && !level.verify && *gate.pass_cookie) {
            note_unprotected(server, level, core);
            return;
        }
        const auto& at = level.handler || level.verify ? level.handler_at
                         : protects                    ? gate.protect.at
                                                       : gate.pass_cookie.at;
        need(cf, main, *level.site, at.text());
        if (level.handler && !core.noname) {
            check_handler(level, core);
            server.handled.insert(level.site->config->base_path);
        }
        if (gate.default_provider.given())
            main.defaults.push_back(
                {*gate.default_provider, gate.default_provider.at.text(), level.site});
        note_level(cf, server, level, core);
    });
}

ngx_int_t add_phase_handler(ngx_conf_t* cf, ngx_http_phases phase, ngx_http_handler_pt handler) {
    auto* core = static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto* slot = static_cast<ngx_http_handler_pt*>(ngx_array_push(&core->phases[phase].handlers));
    if (slot == nullptr) return NGX_ERROR;
    *slot = handler;
    return NGX_OK;
}

// Whether anything waits in the pool: stores, and the hashes of password files. A worker without
// threads is the cheaper one: with them every system call counts references to its file, and malloc
// and read() lock.
bool waits_in_threads(const main_conf& main) {
    const auto hashes = [](const auto& p) { return !p->authorize_by.htpasswd_file.empty(); };
    return !main.stores.empty() || std::any_of(main.sites.begin(), main.sites.end(), [&](auto& s) {
        return s->config &&
               std::any_of(s->config->providers.begin(), s->config->providers.end(), hashes);
    });
}

ngx_int_t postconfiguration(ngx_conf_t* cf) {
    auto& main = main_of(cf);
    const auto rc = conf_guard(cf, [&] {
        if (const auto wrong = main.loader->finish())
            throw conf_error(wrong->where, wrong->message);
        main.filters = main.loader->filters();
        check_sites(cf, main);
        warn_of_servers(cf);
        main.loader.reset();
    });
    if (rc != NGX_CONF_OK) return NGX_ERROR;
    if (!main.used) return NGX_OK;
    if ((waits_in_threads(main) && declare_pool(cf) != NGX_OK) ||
        add_zone(cf, main.zone_size) == nullptr)
        return NGX_ERROR;
    if (add_phase_handler(cf, NGX_HTTP_REWRITE_PHASE, name_route) != NGX_OK ||
        add_phase_handler(cf, NGX_HTTP_ACCESS_PHASE, access_handler) != NGX_OK)
        return NGX_ERROR;
    return add_phase_handler(cf, NGX_HTTP_PRECONTENT_PHASE, precontent_handler);
}

// Only a configuration that uses us costs its workers anything.
bool used(ngx_cycle_t* cycle) noexcept {
    const auto* main = static_cast<main_conf*>(
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_auth_js_module));
    return main != nullptr && main->used;
}
// In the master, before it forks; `nginx -t` and signalling processes open and make nothing.
ngx_int_t prepare_stores(ngx_cycle_t* cycle) {
    if (ngx_test_config || !used(cycle)) return NGX_OK;
    ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                  "auth_js: ngx_http_auth_js_module " AUTH_JS_VERSION);
    make_folders(*static_cast<main_conf*>(
                     ngx_http_cycle_get_module_main_conf(cycle, ngx_http_auth_js_module)),
                 cycle);
    return NGX_OK;
}
ngx_int_t start_worker(ngx_cycle_t* cycle) { return used(cycle) ? init_process(cycle) : NGX_OK; }
void stop_worker(ngx_cycle_t* cycle) {
    if (used(cycle)) exit_process(cycle);
}

ngx_int_t filter_postconfiguration(ngx_conf_t* cf) {
    init_header_filter();
    return init_capture(cf);
}

ngx_http_module_t context = {add_variables,   postconfiguration, create_main_conf, init_main_conf,
                             create_srv_conf, nullptr,           create_loc_conf,  merge_loc_conf};
ngx_http_module_t filter_context = {
    nullptr, filter_postconfiguration, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

}  // namespace

}  // namespace authjs::nginx

extern "C" {

ngx_module_t ngx_http_auth_js_module = {NGX_MODULE_V1,
                                        &authjs::nginx::context,
                                        authjs::nginx::commands(),
                                        NGX_HTTP_MODULE,
                                        nullptr,
                                        authjs::nginx::prepare_stores,
                                        authjs::nginx::start_worker,
                                        nullptr,
                                        nullptr,
                                        authjs::nginx::stop_worker,
                                        nullptr,
                                        NGX_MODULE_V1_PADDING};

ngx_module_t ngx_http_auth_js_filter_module = {NGX_MODULE_V1, &authjs::nginx::filter_context,
                                               nullptr,       NGX_HTTP_MODULE,
                                               nullptr,       nullptr,
                                               nullptr,       nullptr,
                                               nullptr,       nullptr,
                                               nullptr,       NGX_MODULE_V1_PADDING};
}
