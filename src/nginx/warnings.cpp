#include "nginx/warnings.hpp"

#include "nginx/reading.hpp"

namespace authjs::nginx {

namespace {

std::string location_text(const ngx_http_core_loc_conf_t& core) {
    return "location " + std::string(core.exact_match ? "= " : "") + text(core.name);
}

const loc_conf& level_in(void** loc_confs) {
    return *static_cast<loc_conf*>(loc_confs[ngx_http_auth_js_module.ctx_index]);
}

// The location that nginx would find for `uri`, regular expressions aside: the longest prefix of
// the static tree, or null.
const ngx_http_core_loc_conf_t* find_static(const ngx_http_location_tree_node_t* node,
                                            std::string_view uri) {
    const ngx_http_core_loc_conf_t* found = nullptr;
    while (node != nullptr) {
        const std::string_view name(reinterpret_cast<const char*>(node->name), node->len);
        const auto n = std::min(name.size(), uri.size());
        const auto order =
            ngx_filename_cmp(reinterpret_cast<u_char*>(const_cast<char*>(uri.data())),
                             const_cast<u_char*>(node->name), n);
        if (order != 0) {
            node = order < 0 ? node->left : node->right;
        } else if (uri.size() > name.size()) {
            if (node->inclusive != nullptr) {
                found = node->inclusive;
                uri.remove_prefix(name.size());
                node = node->tree;
            } else {
                node = node->right;
            }
        } else if (uri.size() == name.size()) {
            return node->exact != nullptr ? node->exact : node->inclusive;
        } else {
            node = node->left;
        }
    }
    return found;
}

// error_page 401 into a location that is protected itself would be refused again.
void warn_of_error_pages(ngx_conf_t* cf, const ngx_http_core_srv_conf_t& server,
                         const ngx_http_core_loc_conf_t& top, const ngx_array_t& list) {
    const auto* pages = static_cast<const ngx_http_err_page_t*>(list.elts);
    for (ngx_uint_t i = 0; i < list.nelts; i++) {
        const auto& value = pages[i].value;
        if (pages[i].status != NGX_HTTP_UNAUTHORIZED || value.lengths != nullptr) continue;
        const auto uri = view(value.value);
        const ngx_http_core_loc_conf_t* target = nullptr;
        if (uri.starts_with('@')) {
            for (auto** named = server.named_locations; named != nullptr && *named; named++)
                if (view((*named)->name) == uri) target = *named;
        } else if (uri.starts_with('/')) {
            target = &top;
            while (const auto* inner = find_static(target->static_locations, uri)) target = inner;
        }
        if (target == nullptr) continue;
        const auto& level = level_in(target->loc_conf);
        if (*level.gate->protect == gate::on && !level.handler && !level.verify)
            warn(cf, level.gate->protect.at.text(),
                 "error_page 401 leads to " + std::string(uri) +
                     ", which is protected itself and so refused again; write auth_js off in its "
                     "location");
    }
}

}  // namespace

void note_unprotected(srv_conf& server, const loc_conf&, const ngx_http_core_loc_conf_t& core) {
    const auto root = view(core.root), name = view(core.name);
    if (core.alias == 0 || core.alias != name.size() || core.noname || core.exact_match) return;
#if (NGX_PCRE)
    if (core.regex != nullptr) return;
#endif
    if (root.ends_with('/') && !name.ends_with('/'))
        server.loose_aliases.push_back(location_text(core) + " with alias " + std::string(root));
}

void note_level(ngx_conf_t* cf, srv_conf& server, const loc_conf& level,
                const ngx_http_core_loc_conf_t& core) {
    const auto& gate = *level.gate;
    const auto& config = *level.site->config;
    if (*gate.protect == gate::off && !level.handler) note_unprotected(server, level, core);
    if (*gate.protect == gate::on) {
        if (core.error_pages != nullptr) server.error_pages.insert(core.error_pages);
        if (level.has_return && gate.protect.level == &level)
            warn(cf, level.returns.text(),
                 "this return answers before auth_js on can be asked, so everybody sees it; put "
                 "what is to be protected into a file or behind a *_pass");
        if (!server.protects && *gate.unauthorized != unauthorized::status_401 &&
            config.page(auth::custom_page::sign_in).empty())
            server.protects = {gate.protect.at.text(), config.base_path};
    }
    if (level.handler && level.site->origin.empty() && !level.site->trusted.everybody &&
        level.site->trusted.peers.empty() && server.nameless_handler.empty())
        server.nameless_handler = level.handler_at.text();
}

void warn_of_servers(ngx_conf_t* cf) {
    const auto& core = *static_cast<ngx_http_core_main_conf_t*>(
        ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module));
    auto** servers = static_cast<ngx_http_core_srv_conf_t**>(core.servers.elts);
    for (ngx_uint_t i = 0; i < core.servers.nelts; i++) {
        const auto& server = *servers[i];
        auto& ours =
            *static_cast<srv_conf*>(server.ctx->srv_conf[ngx_http_auth_js_module.ctx_index]);
        const auto& top = *static_cast<ngx_http_core_loc_conf_t*>(
            server.ctx->loc_conf[ngx_http_core_module.ctx_index]);
        ours.names = names_of(server);
        if (ours.protects && !ours.handled.contains(ours.protects->base_path))
            warn(cf, ours.protects->where,
                 "the server " + quoted(view(server.server_name)) +
                     " sends visitors to sign in at " + ours.protects->base_path +
                     "/signin, but has no handler there; add location " + ours.protects->base_path +
                     "/ { auth_js_handler; }");
        if (!ours.nameless_handler.empty() && !has_usable_name(ours.names))
            warn(cf, ours.nameless_handler,
                 "sign-in needs to know its own address: give the server a server_name, or write "
                 "auth_js_url https://...; else every request is answered UntrustedHost");
        if (ours.protects)
            for (const auto& what : ours.loose_aliases)
                warn(cf, ours.protects->where,
                     what +
                         " serves files outside of it ("
                         "/static../ reaches the folder above): "
                         "end the location's name with a slash");
        for (const auto* list : ours.error_pages) warn_of_error_pages(cf, server, top, *list);
    }
}

}  // namespace authjs::nginx
