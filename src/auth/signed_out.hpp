// Sessions that ended: what sign-out tells the other workers of this master, so that none serves a
// database session from its memory any more (auth_js_session cache=).
#pragma once

#include <string>
#include <string_view>

namespace authjs::auth {

// The key of the notice: io::shared_cache::post() is called with it when a session is deleted,
// posted_since() asked before a remembered session is served. A hash, so that shared memory holds
// no session id.
std::string signed_out_key(std::string_view session_token);

}  // namespace authjs::auth
