// Cookies: names and attributes, reading a Cookie header and writing Set-Cookie, as Auth.js does
// (spec: cookies, tokens, hashes, sections 1 to 3).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jose/jwe.hpp"
#include "util/time.hpp"

namespace authjs::auth {

enum class which : unsigned char {
    session_token,
    callback_url,
    csrf_token,
    pkce_code_verifier,
    state,
    nonce,
    webauthn_challenge,
    count_
};
std::string_view which_name(which w) noexcept;  // the directive's word: "session_token" ...

struct cookie_options {
    std::string domain, path = "/", same_site = "Lax", priority;  // empty: left out
    bool secure = false, http_only = true, partitioned = false;
    std::optional<std::int64_t> max_age;  // seconds
};

struct cookie_kind {
    std::string name;
    cookie_options options;
    jose::key_ring ring;  // keys whose salt is the name (session and check cookies)
};

// The seven kinds for one opinion on https. default_cookie gives name and attributes without keys.
cookie_kind default_cookie(which w, bool secure);

// One cookie to set; value empty and remove: Max-Age=0 with the kind's attributes.
struct set_cookie {
    std::string name, value;
    cookie_options options;
    std::optional<instant> expires;
};
// The header's value. Throws error(configuration) where the `cookie` package would.
std::string serialize(const set_cookie& c);
set_cookie removal(std::string name, const cookie_options& options);

// All cookies of a request, in order; the first of equal names wins in find().
class cookie_jar {
public:
    static cookie_jar parse(const std::vector<std::string_view>& lines);
    const std::string* find(std::string_view name) const noexcept;
    const std::vector<std::pair<std::string, std::string>>& list() const noexcept { return list_; }

private:
    std::vector<std::pair<std::string, std::string>> list_;
};

// cookie_line_after is the length of the Cookie line that a browser will send after `changes`, name
// and line end included: what it sent and is not replaced or removed, and what is new.
std::size_t cookie_line_after(const cookie_jar& jar, const std::vector<set_cookie>& changes);

// The session cookie's pieces (3936 characters each).
struct session_chunks {
    std::vector<std::string> names;  // every cookie that takes part, in request order
    std::string value;               // joined
    bool conflicting = false;        // two different values of one name: signed out (sec 71)
};
session_chunks read_chunks(const cookie_jar& jar, std::string_view name);
// The Set-Cookie list for a new value, after Auth.js: request order first, then new names.
std::vector<set_cookie> write_chunks(const session_chunks& had, const cookie_kind& kind,
                                     std::string_view value, std::optional<instant> expires);

}  // namespace authjs::auth
