#include "auth/context.hpp"

#include "auth/redirect.hpp"
#include "crypto/crypto.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

adapters::adapter* context::store() const { return cf.adapter ? *cf.adapter : nullptr; }

adapters::adapter& context::demand_store() const {
    if (auto* s = store()) return *s;
    if (!cf.has_adapter()) throw error(code::missing_adapter, "no store is configured");
    throw error(code::unavailable, "the store is not open in this worker");
}

void context::remove(which w) {
    const auto& kind = cookies[w];
    queued.push_back(removal(kind.name, kind.options));
}

void context::remove_session() {
    for (auto& name : session_cookie().names)
        queued.push_back(removal(std::move(name), cookies[which::session_token].options));
}

void context::set_session(std::string_view value, instant expires) {
    auto list = write_chunks(session_cookie(), cookies[which::session_token], value, expires);
    auto all = settled;
    all.insert(all.end(), queued.begin(), queued.end());
    all.insert(all.end(), list.begin(), list.end());
    const auto needed = cookie_line_after(jar, all);
    if (rq.cookie_room != 0 && needed > rq.cookie_room)
        throw error(code::auth_error,
                    "the session's cookies need a larger buffer in large_client_header_buffers")
            .with("needed", std::to_string(needed))
            .with("available", std::to_string(rq.cookie_room))
            .because("cookies_too_large");
    queued.insert(queued.end(), std::make_move_iterator(list.begin()),
                  std::make_move_iterator(list.end()));
}

error missing_csrf(const context& cx) {
    error e(code::missing_csrf, "POST without its token");
    if (!cx.jar.find(cx.cookies[which::csrf_token].name))
        return std::move(e).because("cookies_blocked");
    return e;
}

void add_cookies(response& rs, const std::vector<set_cookie>& list) {
    for (const auto& c : list) rs.fields.push_back({"Set-Cookie", serialize(c)});
}

void own_headers(response& rs) {
    rs.fields.push_back({"Cache-Control", "private, no-cache, no-store"});
}

response redirect_to(context& cx, std::string_view target) {
    response rs;
    const auto location = location_text(target);
    rs.fields.push_back({"Location", location});
    // signIn() and signOut() of the JavaScript client ask with this header and go there themselves.
    if (cx.rq.field("X-Auth-Return-Redirect")) {
        json::value body;
        body.set("url", location);
        rs.fields.push_back({"Content-Type", "application/json"});
        rs.body = json::stringify(body);
    } else {
        rs.status = 302;
    }
    own_headers(rs);
    add_cookies(rs, cx.settled);
    add_cookies(rs, cx.queued);
    return rs;
}

response json_answer(context& cx, const json::value& body, int status) {
    response rs;
    rs.status = status;
    rs.fields.push_back({"Content-Type", "application/json"});
    rs.body = json::stringify(body);
    own_headers(rs);
    add_cookies(rs, cx.settled);
    add_cookies(rs, cx.queued);
    return rs;
}

response page_answer(const config& cf, int status, std::string html, std::string_view style) {
    // Chromium asks form-action for every hop of the redirects that follow a POST, so providers
    // that are configured over http have to be named.
    std::string forms = "'self' https:", images = "'self'";
    const auto name_origin = [](std::string& list, std::string_view address, bool http_only) {
        const auto parsed = parse_url(address);
        if (!parsed || !parsed->is_http() || (http_only && parsed->scheme != "http")) return;
        const auto origin = parsed->origin();
        if (list.find(' ' + origin) == list.npos) list += ' ' + origin;
    };
    for (const auto& p : cf.providers) {
        if (p->is_oauth()) {
            name_origin(forms, p->authorization_url.empty() ? p->issuer : p->authorization_url,
                        true);
            name_origin(images, p->style.logo, false);
        }
    }
    name_origin(images, cf.theme.logo, false);

    response rs;
    rs.status = status;
    rs.fields.push_back({"Content-Type", "text/html"});
    own_headers(rs);
    rs.fields.push_back(
        {"Content-Security-Policy", "default-src 'none'; style-src 'sha256-" +
                                        base64(crypto::digest(crypto::hash::sha256, style)) +
                                        "'; img-src " + images + "; form-action " + forms +
                                        "; base-uri 'none'; frame-ancestors 'none'"});
    rs.fields.push_back({"Referrer-Policy", "same-origin"});
    rs.fields.push_back({"X-Frame-Options", "DENY"});
    rs.fields.push_back({"X-Content-Type-Options", "nosniff"});
    rs.body = std::move(html);
    return rs;
}

}  // namespace authjs::auth
