// The actions of a few lines: csrf, providers, verify-request, error, webauthn-options
// (spec/http.md section 7).
#include "auth/context.hpp"
#include "auth/pages/pages.hpp"
#include "auth/redirect.hpp"

namespace authjs::auth {

task<response> do_csrf(context& cx) {
    if (cx.cf.csrf == csrf_mode::off) {
        cx.remove(which::csrf_token);
        response rs;
        rs.status = 404;
        own_headers(rs);
        add_cookies(rs, cx.settled);
        add_cookies(rs, cx.queued);
        co_return rs;
    }
    json::value body;
    body.set("csrfToken", cx.csrf_token);
    auto rs = json_answer(cx, body);
    rs.fields.push_back({"Expires", "0"});
    rs.fields.push_back({"Pragma", "no-cache"});
    co_return rs;
}

task<response> do_providers(context& cx) {
    json::value body{json::object{}};
    for (const auto& p : cx.cf.providers) {
        json::value entry;
        entry.set("id", p->id);
        entry.set("name", p->name);
        entry.set("type", providers::type_name(p->type));
        entry.set("signinUrl", cx.base + "/signin/" + p->id);
        entry.set("callbackUrl", cx.base + "/callback/" + p->id);
        body.set(p->id, std::move(entry));
    }
    cx.settled.clear();  // the one answer that sets no cookies
    co_return json_answer(cx, body);
}

task<response> do_verify_request(context& cx) {
    const auto& custom = cx.cf.page(custom_page::verify_request);
    if (custom.empty()) co_return pages::verify_request(cx);
    auto target = custom;
    if (!cx.rq.query.empty()) target += (custom.find('?') == custom.npos ? '?' : '&') + cx.rq.query;
    co_return redirect_to(cx, target);
}

task<response> do_error(context& cx) {
    const auto* which_error = cx.query.first("error");
    const auto* reason = cx.query.first("reason");
    const auto* ref = cx.query.first("ref");
    const auto& custom = cx.cf.page(custom_page::error);
    if (!custom.empty()) {
        // The name is passed on as it was decoded, as Auth.js does it.
        auto target = custom + (custom.find('?') == custom.npos ? '?' : '&') +
                      "error=" + (which_error ? *which_error : "undefined");
        params query;
        if (reason) query.set("reason", *reason);
        if (ref) query.set("ref", *ref);
        if (!query.empty()) target += '&' + query.to_string();
        co_return redirect_to(cx, target);
    }
    // "Unavailable" is an answer of ours to what happens now, not a page to be asked for.
    const bool plain = !which_error || *which_error == "Unavailable";
    auto rs = pages::error(cx.cf, cx.rq.origin, plain ? "" : *which_error, reason ? *reason : "",
                           ref ? *ref : "");
    add_cookies(rs, cx.settled);
    co_return rs;
}

task<response> do_webauthn_options(context& cx) {
    throw error(code::invalid_provider, "no passkey provider is configured")
        .with("provider", cx.provider ? std::string_view(cx.provider->id) : "none");
    co_return response{};
}

}  // namespace authjs::auth
