#include "auth/checks.hpp"

#include "crypto/crypto.hpp"
#include "util/bytes.hpp"

namespace authjs::auth::checks {

namespace {

constexpr seconds lifetime{900};

// `state` is a check of its own cookie where the provider says so, where a redirect proxy reads it,
// and where there is no other check to bind it to.
struct plan {
    bool state_asked, state, pkce, nonce;  // asked: Auth.js has the cookie as well
    explicit plan(const providers::provider& p)
        : state_asked(p.check_state || !p.redirect_proxy_url.empty()),
          state(state_asked || (!p.check_pkce && !p.check_nonce)),
          pkce(p.check_pkce),
          nonce(p.check_nonce) {}
};

std::string draw(context& cx) { return base64url(io::random_bytes(cx.io.random, 32)); }

// The query of the sign-in request may change a configured authorization URL's response_mode.
bool answers_by_post(const context& cx) {
    const auto* asked = cx.query.last("response_mode");
    if (!asked || cx.provider->authorization_url.empty()) return cx.provider->form_post;
    return *asked == "form_post";
}

void queue(context& cx, which w, std::string_view value, const std::string& bound_state) {
    const auto& kind = cx.cookies[w];
    json::value payload;
    payload.set("value", value);
    payload.set("provider", cx.provider->id);
    if (!bound_state.empty()) payload.set("state", bound_state);
    set_cookie c{kind.name, {}, kind.options, {}};
    c.value = jose::encode(kind.ring, std::move(payload), lifetime, cx.io.clock, cx.io.random);
    c.expires = cx.now() + lifetime;
    // A form_post is a cross-site POST, to which a browser attaches SameSite=None alone. The PKCE
    // cookie stays as it is: such providers do without PKCE.
    if (answers_by_post(cx) && w != which::pkce_code_verifier) {
        c.options.same_site = "None";
        c.options.secure = true;
    }
    cx.queued.push_back(std::move(c));
}

struct content {
    std::string value, state;
};
std::optional<content> open(context& cx, which w) {
    const auto& kind = cx.cookies[w];
    const auto* text = cx.jar.find(kind.name);
    if (!text) return std::nullopt;
    const auto opened = jose::decode(kind.ring, *text, cx.now());
    if (!opened.claims || opened.claims->text("value").empty() ||
        opened.claims->text("provider") != cx.provider->id)
        return std::nullopt;
    cx.remove(w);
    return content{std::string(opened.claims->text("value")),
                   std::string(opened.claims->text("state"))};
}

error missing(const context& cx, which w) {
    // The form of another site brings no Lax cookie, so only a GET tells (RFC 6265bis section 5.5).
    const bool blocked = !cx.post() && cx.jar.list().empty();
    return error(code::invalid_check,
                 blocked ? "no cookie came back: the browser blocks them or is another one, or "
                           "auth_js_url, auth_js_trust_host or auth_js_secure_cookies say https "
                           "where it speaks http"
                         : "check cookie is missing, old or another flow's")
        .with("cookie", which_name(w))
        .with("provider", cx.provider->id)
        .because(blocked ? "cookies_blocked" : "lost_signin");
}

}  // namespace

sent create(context& cx, const std::string& proxy_origin) {
    const plan to(*cx.provider);
    sent out;
    std::string bound;
    json::value inner;
    if (!proxy_origin.empty()) inner.set("origin", proxy_origin);
    inner.set("random", draw(cx));
    out.state =
        jose::encode(cx.cf.state_ring, std::move(inner), lifetime, cx.io.clock, cx.io.random);
    if (to.state)
        queue(cx, which::state, out.state, {});
    else
        bound = out.state;
    if (to.pkce) {
        const auto verifier = draw(cx);  // RFC 7636 section 4.1
        out.code_challenge = base64url(crypto::digest(crypto::hash::sha256, verifier));
        queue(cx, which::pkce_code_verifier, verifier, bound);
    }
    if (to.nonce) {
        out.nonce = draw(cx);  // OIDC Core section 3.1.2.1
        queue(cx, which::nonce, *out.nonce, bound);
    }
    return out;
}

kept use(context& cx) {
    const plan to(*cx.provider);
    kept out;
    const auto take = [&](which w) {
        auto found = open(cx, w);
        if (!found && !out.lost) out.lost = missing(cx, w);
        if (found && !to.state && !out.state && !found->state.empty()) out.state = found->state;
        return found ? std::move(found->value) : std::string{};
    };
    if (to.state) {
        auto value = take(which::state);
        if (!out.lost) out.state = std::move(value);
    }
    out.state_lost = to.state_asked && out.lost;
    if (to.pkce) out.verifier = take(which::pkce_code_verifier);
    if (to.nonce) out.nonce = take(which::nonce);
    return out;
}

std::string proxied_to(context& cx, const std::string& state) {
    const auto opened = jose::decode(cx.cf.state_ring, state, cx.now());
    if (!opened.claims)
        throw error(code::invalid_check, "state does not open on the redirect proxy")
            .with("provider", cx.provider->id)
            .because("lost_signin");
    return std::string(opened.claims->text("origin"));
}

}  // namespace authjs::auth::checks
