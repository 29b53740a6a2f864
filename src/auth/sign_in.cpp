// signin: the page, and the start of a flow (spec/flows.md sections 1 and 2).
#include "auth/checks.hpp"
#include "auth/context.hpp"
#include "auth/go.hpp"
#include "auth/pages/pages.hpp"
#include "oauth/metadata.hpp"
#include "providers/profile.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

response custom_sign_in_page(context& cx, const std::string& page) {
    params query;
    query.set("callbackUrl", cx.callback_url);
    if (const auto* e = cx.query.first("error"); e && !e->empty()) query.set("error", *e);
    return redirect_to(cx, page + (page.find('?') == page.npos ? '?' : '&') + query.to_string());
}

// Parameters that decide where a code goes and for whom: the query of a sign-in request may add to
// the authorization URL (prompt, login_hint), never replace these; nor may it through a request
// object, whose parameters go before those of the URL (OpenID Connect Core section 6, RFC 9101).
// `__proto__` gets lost in Auth.js, as it does in every Object.assign.
bool is_ours(std::string_view name) {
    constexpr std::string_view kept[] = {"client_id",   "redirect_uri", "response_type",
                                         "state",       "nonce",        "request",
                                         "request_uri", "go",           "__proto__"};
    if (name.starts_with("code_challenge")) return true;
    for (const auto k : kept)
        if (name == k) return true;
    return false;
}

}  // namespace

task<response> start_oauth(context& cx) {
    const auto& p = *cx.provider;
    std::shared_ptr<const oauth::server> found;
    if (providers::discovery_at_signin(p)) {
        auto as = co_await cx.io.metadata.discover(cx.http(), p.issuer, p.well_known,
                                                   p.issuer_placeholder);
        found = std::move(as);
    }
    const auto as = providers::server_of(p, found.get());
    auto target = parse_url(as.authorization_endpoint);
    if (!target)
        throw error(code::configuration, "no authorization endpoint").with("provider", p.id);

    const auto own = cx.base + "/callback/" + p.id;
    const auto redirect_uri = redirect_uri_of(cx);
    auto query = params::parse(target->query.value_or(""));
    const auto given = providers::authorization_params_for(p, redirect_uri);
    const bool scoped = query.has("scope") || given.has("scope");
    constexpr std::string_view usual_scope = "openid profile email";
    // Parameters of a configured URL are part of it; a discovered one is followed by them.
    if (!p.authorization_url.empty()) {
        for (const auto& [name, value] : given.list()) query.set(name, value);
        if (!scoped) query.set("scope", usual_scope);
    }
    params all;
    all.set("response_type", "code");
    all.set("client_id", p.client.id);
    all.set("redirect_uri", redirect_uri);
    for (const auto& [name, value] : given.list()) all.set(name, value);
    if (p.has_authorization && !scoped) all.set("scope", usual_scope);
    if (p.client.max_age && !query.has("max_age") && !all.has("max_age"))
        all.set("max_age", std::to_string(p.client.max_age->count()));
    for (const auto& [name, value] : cx.query.list())
        if (!is_ours(name) && (cx.post() || name != "callbackUrl")) all.set(name, value);
    const auto ordered = all.as_object();
    for (const auto& [name, value] : ordered.list()) query.set(name, value);

    const auto sent = checks::create(cx, redirect_uri == own ? std::string{} : own);
    query.set("state", sent.state);  // RFC 6749 section 10.12
    if (sent.code_challenge) {       // RFC 7636 section 4.3
        query.set("code_challenge", *sent.code_challenge);
        query.set("code_challenge_method", "S256");
    }
    if (sent.nonce) query.set("nonce", *sent.nonce);
    if (p.type == providers::type::oidc && !query.has("scope")) query.set("scope", usual_scope);
    target->query = query.to_string();
    co_return redirect_to(cx, target->href());
}

task<response> do_sign_in(context& cx) {
    const auto* p = cx.provider;
    if (!cx.post()) {
        if (!p) {
            const auto& custom = cx.cf.page(custom_page::sign_in);
            if (!custom.empty()) co_return custom_sign_in_page(cx, custom);
            co_return pages::sign_in(cx);
        }
        // A link that starts a flow is a forged sign-in waiting to happen, unless we made it just
        // now for this page (auth_js_default_provider).
        const auto* go = cx.query.last("go");
        const auto* back = cx.query.last("callbackUrl");
        const bool whole = go && back;
        if (whole && !check_go(cx.cf, *go, p->id, *back, cx.now()))
            throw error(code::unknown_action,
                        "the link of auth_js_default_provider is over 60 s old or does not open: "
                        "auth_js_secret must be the same where the site protects and where it "
                        "signs in")
                .with("provider", p->id);
        if (!whole)
            throw error(code::unknown_action, "a GET starts no sign-in").with("provider", p->id);
    } else if (!cx.csrf_verified) {
        throw missing_csrf(cx);
    }
    if (p && p->is_oauth()) {
        auto answer = co_await start_oauth(cx);
        co_return answer;
    }
    if (p && cx.post() && p->type == providers::type::email) {
        auto answer = co_await start_email(cx);
        co_return answer;
    }
    co_return redirect_to(cx, cx.base + "/signin");
}

}  // namespace authjs::auth
