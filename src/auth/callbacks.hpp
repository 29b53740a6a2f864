// The operator's callbacks and events (directives.md "Callbacks", spec/http.md sections 15, 16): a
// jq filter run here, or an internal location asked. What a failed one means is decided here too.
#pragma once

#include <optional>
#include <string>

#include "auth/context.hpp"

namespace authjs::auth {

// ask_sign_in: empty means go on; text is where to go instead, already judged by `redirect`. A
// refusal and a failure are error(access_denied).
task<std::string> ask_sign_in(context& cx, json::value document);

// ask_redirect: the `redirect` callback with its default. A failed one is the site's root; throws
// error(configuration) where Auth.js's default throws. The result leads to no loop (sec 40).
task<std::string> ask_redirect(context& cx, std::string target);

// ask_jwt: the claims to store (default: document.token), or empty: the session ends. A failed one
// is error(unavailable).
task<std::optional<json::value>> ask_jwt(context& cx, json::value document);

// ask_session: the session endpoint's answer; `otherwise` is Auth.js's default. A failed one is
// error(unavailable).
task<json::value> ask_session(context& cx, json::value document, json::value otherwise);

// tell posts an event to its locations; nothing waits for it.
void tell(context& cx, event e, json::value message);

}  // namespace authjs::auth
