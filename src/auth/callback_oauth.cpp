// The authorization code flow from the moment the browser comes back: RFC 6749 section 4.1, steps
// (C) to (E), then OpenID Connect Core section 3.1.3.7 or 5.3 for who it is.
#include "auth/callbacks.hpp"
#include "auth/checks.hpp"
#include "auth/context.hpp"
#include "auth/link.hpp"
#include "auth/redirect.hpp"
#include "crypto/crypto.hpp"
#include "oauth/metadata.hpp"
#include "providers/profile.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

constexpr milliseconds codes_remembered{900'000};  // as long as check cookies live

// The proxy's own callback URL, where the flow's code is sent to a redirect proxy
// (spec/http.md section 12); form_post providers do without.
std::string proxy_callback(const context& cx) {
    const auto& p = *cx.provider;
    if (p.redirect_proxy_url.empty() || p.form_post) return {};
    const auto parsed = parse_url(p.redirect_proxy_url + "/callback/" + p.id);
    if (!parsed || !parsed->is_http())
        throw error(code::configuration, "redirect proxy URL is none").with("provider", p.id);
    return parsed->href();
}

// Where this callback belongs if another deployment began it and we are its proxy.
std::string handed_over(context& cx, const params& given) {
    const auto proxy = proxy_callback(cx);
    const auto* state = given.last("state");
    if (proxy.empty() || !state || parse_url(proxy)->origin() != cx.rq.origin) return {};
    const auto to = checks::proxied_to(cx, *state);
    const auto parsed = parse_url(to);
    if (to.empty() || !parsed || parsed->origin() == cx.rq.origin) return {};
    if (!cx.cf.proxy_origins.empty() && !origin_allowed(parsed->origin(), cx.cf.proxy_origins))
        throw error(code::invalid_check, "the proxy does not hand callbacks to this origin")
            .with("origin", parsed->origin());
    return to + '?' + given.as_object().to_string();
}

// As a list, so that what came twice is seen; a body of another type holds no field.
params callback_parameters(const context& cx) {
    if (!cx.provider->form_post) return cx.query;
    const auto* type = cx.rq.field("Content-Type");
    const bool is_form =
        cx.post() && type && type->find("application/x-www-form-urlencoded") != std::string::npos;
    return is_form ? params::parse(cx.rq.body) : params{};
}

// Key sets hang on discovery: also where the endpoints were configured by hand.
task<std::shared_ptr<const oauth::server>> keys_of(context& cx,
                                                   std::shared_ptr<const oauth::server> known) {
    const auto& p = *cx.provider;
    if (known && !known->jwks_uri.empty()) co_return known;
    auto found =
        co_await cx.io.metadata.discover(cx.http(), p.issuer, p.well_known, p.issuer_placeholder);
    co_return found;
}

task<void> verify_signature(context& cx, std::shared_ptr<const oauth::server> known,
                            jose::jws token, crypto::sig alg) {
    if (alg == crypto::sig::hs256 || alg == crypto::sig::hs384 || alg == crypto::sig::hs512) {
        if (!jose::verify_hs(token, cx.provider->client.client_secret.reveal(), alg))
            throw error(code::callback_route_error, "ID token does not verify");
        co_return;
    }
    if (!cx.provider->id_token_keys) co_return;
    auto as = co_await keys_of(cx, std::move(known));
    co_await cx.io.metadata.verify(cx.http(), std::move(as), std::move(token), alg);
}

// check_identity judges the ID token and answers its claims: signature, then claims.
task<json::value> check_identity(context& cx, const oauth::server& as,
                                 std::shared_ptr<const oauth::server> found,
                                 const oauth::token_set& tokens, const checks::kept& kept,
                                 std::string code_sent) {
    const auto& p = *cx.provider;
    if (!tokens.id_token)
        throw error(code::callback_route_error, "no ID token came").with("provider", p.id);
    auto token = jose::parse_jws(*tokens.id_token);
    if (!token)
        throw error(code::callback_route_error, "ID token is no JWS").with("provider", p.id);
    oauth::id_token_rules rules;
    rules.issuer = providers::expected_issuer(p, as, token->claims);
    rules.client_id = p.client.id;
    rules.alg = p.client.id_token_alg;
    rules.server_algs = as.id_token_algs;
    rules.nonce = kept.nonce;
    rules.max_age = p.client.max_age;
    if (tokens.access_token.size() >= p.hashed_from) rules.access_token = tokens.access_token;
    if (code_sent.size() >= p.hashed_from) rules.code = std::move(code_sent);
    const auto alg = oauth::id_token_alg(*token, rules);
    auto copy = *token;
    co_await verify_signature(cx, std::move(found), std::move(copy), alg);
    oauth::check_id_token(*token, rules, cx.now());
    co_return std::move(token->claims);
}

// The userinfo document; a signed one (OIDC Core section 5.3.2) after its signature was checked.
task<json::value> userinfo(context& cx, const oauth::server& as,
                           std::shared_ptr<const oauth::server> found,
                           const oauth::token_set& tokens) {
    const auto& p = *cx.provider;
    auto request = oauth::kept_outside(as, providers::userinfo_request_for(p, as, tokens));
    const auto answer = co_await cx.io.http.send(std::move(request), cx.cf.transport);
    if (p.type == providers::type::oidc && answer.status != 200)  // OIDC Core section 5.3.2
        throw error(code::callback_route_error, "userinfo was refused")
            .with("provider", p.id)
            .with("status", std::to_string(answer.status));
    if (p.userinfo.signed_alg.empty()) co_return providers::userinfo_document(answer, p.type);
    auto token = oauth::signed_userinfo(answer, as, p.client.id, p.userinfo.signed_alg, cx.now());
    const auto alg = crypto::sig_from(token.alg);
    if (!alg) throw error(code::callback_route_error, "userinfo has an unknown algorithm");
    auto copy = token;
    co_await verify_signature(cx, std::move(found), std::move(copy), *alg);
    co_return std::move(token.claims);
}

struct identity {
    json::value profile;
    providers::mapped_user mapped;
};

task<identity> read_identity(context& cx, const oauth::server& as,
                             std::shared_ptr<const oauth::server> found,
                             const oauth::token_set& tokens, const checks::kept& kept, params given,
                             std::string code_sent) {
    const auto& p = *cx.provider;
    providers::identity_input in;
    in.token = tokens.all;
    in.callback = json::object{};
    const auto names = given.as_object();
    for (const auto& [name, value] : names.list()) in.callback.set(name, value);

    // The ID token of a plain OAuth provider is kept unread: there is no key set to check it with.
    json::value claims;
    if (p.type == providers::type::oidc || p.check_nonce) {
        auto checked = co_await check_identity(cx, as, found, tokens, kept, std::move(code_sent));
        claims = std::move(checked);
    }
    if (p.type == providers::type::oidc && p.id_token) {
        in.profile = std::move(claims);
    } else {
        auto document = co_await userinfo(cx, as, found, tokens);
        if (p.type == providers::type::oidc) oauth::check_subject(document, claims);
        in.profile = std::move(document);
    }
    in.profile = providers::select_profile(p, in);
    auto further = providers::further_request(p, in);
    if (further) {
        const auto answer = co_await cx.io.http.send(std::move(*further), cx.cf.transport);
        in.profile = providers::merge_further(p, in, answer);
    }
    auto photo = providers::photo_request(p, in);
    if (photo) {
        const auto answer = co_await cx.io.http.send(std::move(*photo), cx.cf.transport);
        in.photo = providers::take_photo(answer);
    }
    identity who;
    who.mapped = providers::map_profile(p, in);
    who.profile = std::move(in.profile);
    co_return who;
}

// getUserAndAccount's last lines: a new id, the address in lower case.
json::value new_user(context& cx, const json::value& mapped) {
    auto user = mapped;
    user.set("id", io::random_uuid(cx.io.random));
    const auto* email = user.find("email");
    if (!email) return user;
    if (email->is_null()) {
        user.erase("email");
    } else if (const auto* text = email->as_string()) {
        user.set("email", lower(*text));
    } else {
        throw error(code::oauth_profile_parse_error, "the mapping's email is no text");
    }
    return user;
}

json::value new_account(const context& cx, const oauth::token_set& tokens,
                        const providers::mapped_user& mapped) {
    auto account = tokens.all;
    account.set("provider", cx.provider->id);
    account.set("type", providers::type_name(cx.provider->type));
    const auto* id = mapped.user.find("id");
    account.set("providerAccountId",
                mapped.account_id_is_number && id ? *id : json::value{mapped.account_id});
    return account;
}

}  // namespace

std::string redirect_uri_of(const context& cx) {
    auto proxy = proxy_callback(cx);
    const auto own = cx.base + "/callback/" + cx.provider->id;
    return proxy.empty() || parse_url(proxy)->origin() == cx.rq.origin ? own : proxy;
}

task<response> callback_oauth(context& cx) {
    const auto& p = *cx.provider;
    const auto given = callback_parameters(cx);
    const auto elsewhere = handed_over(cx, given);
    if (!elsewhere.empty()) co_return redirect_to(cx, elsewhere);

    std::shared_ptr<const oauth::server> found;
    if (providers::discovery_at_callback(p)) {
        auto as = co_await cx.io.metadata.discover(cx.http(), p.issuer, p.well_known,
                                                   p.issuer_placeholder);
        found = std::move(as);
    }
    const auto as = providers::server_of(p, found.get());

    // A callback that another tab has overtaken, or that comes a second time, ends at the target
    // if somebody is signed in (sec 44, 52).
    const auto kept = checks::use(cx);
    const auto& lost = kept.lost;
    const auto* state = given.last("state");
    const bool other_state = !lost && kept.state && (!state || *state != *kept.state);
    std::optional<std::string_view> expected;
    if (kept.state) expected = *kept.state;
    std::optional<error> failed = lost;
    if (lost && !kept.state_lost) {
        // Auth.js asks for the other cookies only after it has judged the answer: where the person
        // said no at the provider, that is what the sign-in page says.
        try {
            oauth::authorization_response(as, given, expected, redirect_uri_of(cx));
        } catch (const error& e) {
            if (e.id() == code::oauth_callback_error) throw;
            failed = e;
        }
    }
    if ((lost || other_state) && given.count("state") < 2) {
        auto answer = co_await still_signed_in(cx);
        if (answer) co_return std::move(*answer);
    }
    if (failed) throw *failed;
    auto grant = [&] {
        try {
            return oauth::authorization_response(as, given, expected, redirect_uri_of(cx));
        } catch (const error& e) {
            if (!other_state) throw;
            throw error(e).because("lost_signin");  // most often another tab of this browser
        }
    }();

    // A code that was sent once is never sent again, whichever worker asks (RFC 6749 section 10.5).
    const auto key =
        "code:" + base64url(crypto::digest(crypto::hash::sha256, p.id + ' ' + grant.code));
    if (!cx.io.shared.once(key, codes_remembered)) {
        auto answer = co_await still_signed_in(cx);
        if (answer) co_return std::move(*answer);
        throw error(code::callback_route_error, "this code was sent before")
            .with("provider", p.id)
            .because("lost_signin");
    }
    cx.io.commit();
    auto request = oauth::token_request(as, p.client, grant, kept.verifier, p.token_params,
                                        cx.io.clock, cx.io.random);
    request = oauth::kept_outside(as, std::move(request));
    const auto answer = co_await cx.io.http.send(std::move(request), cx.cf.transport);
    const auto tokens = oauth::token_response(answer, cx.io.clock, !p.issuer_claim.empty());

    auto who = co_await read_identity(cx, as, found, tokens, kept, given, grant.code);
    auto user = new_user(cx, who.mapped.user);
    auto account = new_account(cx, tokens, who.mapped);

    // The callback sees the stored user where the account is known.
    json::value seen = user;
    if (cx.cf.has_adapter()) {
        auto known = co_await cx.demand_store().get_user_by_account(p.id, who.mapped.account_id);
        if (known) seen = to_json(*known);
    }
    json::value document;
    document.set("user", std::move(seen));
    document.set("account", account);
    document.set("profile", who.profile);
    auto elsewhere_to = co_await ask_sign_in(cx, std::move(document));
    if (!elsewhere_to.empty()) co_return redirect_to(cx, elsewhere_to);

    auto mapped = user;
    auto linked = co_await link_oauth(cx, std::move(user), account, std::move(mapped));
    arrival arrived{std::move(account), std::move(who.profile)};
    auto done = co_await finish_sign_in(cx, std::move(arrived), std::move(linked));
    co_return done;
}

}  // namespace authjs::auth
