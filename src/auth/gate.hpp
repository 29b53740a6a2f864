// The gate: is this request signed in? Asked on every request of a protected location. For JWT
// sessions no coroutine, no exception, no I/O, and no allocation once a token was seen before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/config.hpp"
#include "auth/cookie.hpp"
#include "util/json.hpp"

namespace authjs::auth {

// Why the gate decided as it did: $auth_js_status.
enum class status : unsigned char { ok, none, expired, bad_token, store_error, forbidden };
std::string_view status_name(status s) noexcept;

// One verified session, shared by the worker's cache and the requests that use it.
struct session_view {
    json::value claims;  // JWT: all claims; database: null
    json::value user;    // what $auth_js_claim_ looks at for database sessions, else null
    std::string user_id, name, email, image, provider;
    bool has_name = false, has_email = false, has_image = false;
    instant expires;             // $auth_js_expires: exp for a JWT, the row's for a database one
    std::int64_t not_after = 0;  // unix seconds; INT64_MAX: never. Checked at each use, 15 s grace
    std::int64_t not_before = 0;
};

struct verdict {
    auth::status status = status::none;
    std::shared_ptr<const session_view> session;  // set when status is ok
    bool due = false;        // renewal is due (auth_js_session, Auth.js's rule)
    bool ask_store = false;  // database strategy: load_session decides about `token`
    bool clean = false;      // cookies are there that no longer open: remove
    bool several = false;    // because two of one name differ, or there are too many pieces
    std::string token;       // a database session's cookie
};

// The worker's cache of verified tokens: at most `entries` sessions and `bytes` of cookie text;
// what was used longest ago goes first. Only tokens that opened are kept, so forged ones cost no
// memory.
class token_cache {
public:
    explicit token_cache(std::size_t entries = 16'384, std::size_t bytes = 24u << 20);
    ~token_cache();
    token_cache(const token_cache&) = delete;
    token_cache& operator=(const token_cache&) = delete;
    class impl;
    impl& get() noexcept { return *impl_; }

private:
    std::unique_ptr<impl> impl_;
};

// ask judges the raw Cookie header lines (as nginx has them). noexcept: out of memory is `none`.
// `now` in milliseconds; rings and names come from cf.cookies(https).
verdict ask(const config& cf, bool https, const std::vector<std::string_view>& cookie_lines,
            instant now, token_cache& cache) noexcept;

// renew makes the Set-Cookie list of a JWT session that is due: a new token with the same claims.
std::vector<set_cookie> renew(const config& cf, bool https, const cookie_jar& jar,
                              const session_view& s, io::clock& clock, io::random& random);

// The default session of Auth.js as JSON: {user:{name,email,image}, expires}.
json::value default_session(const config& cf, const session_view& s);

}  // namespace authjs::auth
