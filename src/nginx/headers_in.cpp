#include "nginx/headers_in.hpp"

#include <algorithm>

#include "nginx/access.hpp"
#include "nginx/compat.hpp"
#include "util/bytes.hpp"

namespace authjs::nginx {

namespace {

// Equal but for case, and for "_" against "-": upstreams take them for one (CGI's
// HTTP_X_AUTH_USER).
bool same_name(std::string_view sent, std::string_view listed) noexcept {
    if (sent.size() != listed.size()) return false;
    for (std::size_t i = 0; i < sent.size(); i++) {
        char c = sent[i];
        if (c == '_') c = '-';
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (c != listed[i]) return false;
    }
    return true;
}

// Whether `name` is the session cookie's or one of its chunks', with or without https.
bool is_session_cookie(const auth::config& cf, std::string_view name) noexcept {
    for (const auto* set : {&cf.plain, &cf.secured}) {
        const std::string_view own = (*set)[auth::which::session_token].name;
        if (!name.starts_with(own)) continue;
        const auto rest = name.substr(own.size());
        if (rest.empty()) return true;
        if (rest.size() > 1 && rest.front() == '.' &&
            rest.find_first_not_of("0123456789", 1) == rest.npos)
            return true;
    }
    return false;
}

ngx_table_elt_t* push(ngx_list_t& list) {
    auto* h = static_cast<ngx_table_elt_t*>(ngx_list_push(&list));
    if (h == nullptr) throw std::bad_alloc();
    return h;
}

}  // namespace

std::string without_session(std::string_view line, const auth::config& cf, bool& changed) {
    std::string out;
    bool dropped_before = false;
    for (std::size_t at = 0; at < line.size();) {
        const auto end = std::min(line.find(';', at), line.size());
        const auto whole = line.substr(at, std::min(end + 1, line.size()) - at);
        auto name = line.substr(at, end - at);
        name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
        name = name.substr(0, name.find('='));
        while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
        at = end + 1;
        if (is_session_cookie(cf, name)) {
            changed = dropped_before = true;
            continue;
        }
        auto kept = whole;
        if (out.empty() && dropped_before)
            kept.remove_prefix(std::min(kept.find_first_not_of(" \t"), kept.size()));
        out += kept;
    }
    // What stood before a last cookie that went must not end in its separator.
    if (changed && !line.ends_with(';') && out.ends_with(';')) out.pop_back();
    return out;
}

void read_cookie_lines(ngx_http_request_t* r, std::vector<std::string_view>& lines) {
    lines.clear();
    if (const auto* st = find_state(r); st != nullptr && st->cut)
        lines = st->lines;
    else
        for_each_cookie(r->main,
                        [&](const ngx_table_elt_t* h) { lines.push_back(view(h->value)); });
}

std::vector<std::string_view> cookie_lines(ngx_http_request_t* r) {
    std::vector<std::string_view> lines;
    read_cookie_lines(r, lines);
    return lines;
}

std::size_t cookie_room(const ngx_http_request_t* r) noexcept {
    const auto* server = static_cast<const ngx_http_core_srv_conf_t*>(
        ngx_http_get_module_srv_conf(r, ngx_http_core_module));
    return server->large_client_header_buffers.size - 1;  // nginx wants a byte behind the line
}

void strip(ngx_http_request_t* r) {
    const auto& level = *level_of(r);
    const auto& gate = *level.gate;
    if (level.handler || level.verify) return;
    const bool clears = *gate.protect != gate::off;
    const auto* cf = *gate.pass_cookie ? nullptr : level.site->config.get();
    if (!clears && cf == nullptr) return;
    // Once for a request and a location, so that what the operator's own modules set afterwards
    // stays; a sub-request has its own copy of the headers.
    if (auto* st = r == r->main ? find_state(r) : nullptr; st != nullptr) {
        if (st->stripped_by == &level) return;
        st->stripped_by = &level;
    }

    const auto goes = [&](const ngx_table_elt_t& h) {
        return clears && std::any_of(gate.clear_headers->begin(), gate.clear_headers->end(),
                                     [&](const auto& n) { return same_name(view(h.key), n); });
    };
    const auto is_cookie = [&](const ngx_table_elt_t& h) {
        return cf != nullptr && iequals(view(h.key), "cookie");
    };
    // Most requests carry nothing of it: look before a new list is made.
    bool any = false;
    const auto each = [&](auto f) {
        for (auto* part = &r->headers_in.headers.part; part != nullptr; part = part->next) {
            auto* h = static_cast<ngx_table_elt_t*>(part->elts);
            for (ngx_uint_t i = 0; i < part->nelts; i++) f(h[i]);
        }
    };
    each([&](const ngx_table_elt_t& h) {
        if (any) return;
        if (is_cookie(h)) without_session(view(h.value), *cf, any);
        if (goes(h)) any = true;
    });
    if (!any) return;

    // A new list, never a shift inside the old one: nginx's known pointers, and those of the parent
    // of a sub-request, lead into it.
    if (cf != nullptr && !state_of(r).cut) {
        auto& st = state_of(r);
        st.lines = cookie_lines(r);
        st.cut = true;
    }
    ngx_list_t kept{};
    if (ngx_list_init(&kept, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK)
        throw std::bad_alloc();
    std::vector<ngx_table_elt_t*> cookies;
    each([&](ngx_table_elt_t& h) {
        if (goes(h)) {
            forget_header(r, &h);
            return;
        }
        if (is_cookie(h)) {
            bool changed = false;
            const auto value = without_session(view(h.value), *cf, changed);
            if (changed && value.find_first_not_of(" \t;") == value.npos) return;
            auto* line = push(kept);
            *line = h;
            if (changed) {
                line->value = copy(r->pool, value);
                if (line->value.data == nullptr) throw std::bad_alloc();
            }
            cookies.push_back(line);
            return;
        }
        *push(kept) = h;
    });
    r->headers_in.headers = kept;
    if (kept.last == &kept.part) r->headers_in.headers.last = &r->headers_in.headers.part;
    if (cf != nullptr && !set_cookies(r, cookies)) throw std::bad_alloc();
}

}  // namespace authjs::nginx
