// The check cookies: state, PKCE and nonce (spec/tokens.md section 6), and how `state` is bound
// where it is not a check (design.md, differences).
#pragma once

#include <optional>
#include <string>

#include "auth/context.hpp"

namespace authjs::auth::checks {

// What a sign-in sends to the provider; the cookies are queued on the context, in Auth.js's order.
struct sent {
    std::string state;
    std::optional<std::string> code_challenge, nonce;
};
// create draws state, PKCE, nonce in this order. `proxy_origin`: this deployment's callback URL,
// sealed into the state when another host will receive the code; empty: not.
sent create(context& cx, const std::string& proxy_origin);

// What came back with the browser. Each cookie that is read is queued for removal. `lost` is the
// error(invalid_check), reason lost_signin, of the first that is a check and is missing, does not
// open or was made for another provider; `state_lost`: it is the state of a provider that checks
// it.
struct kept {
    std::optional<std::string> state;  // to be compared; empty: begun elsewhere without one
    std::string verifier;              // empty: PKCE is no check
    std::optional<std::string> nonce;
    std::optional<error> lost;
    bool state_lost = false;
};
kept use(context& cx);

// proxied_to opens the state parameter on a redirect proxy: the URL of the deployment that began
// the flow, or empty: this one did. Throws error(invalid_check) if it does not open.
std::string proxied_to(context& cx, const std::string& state);

}  // namespace authjs::auth::checks
