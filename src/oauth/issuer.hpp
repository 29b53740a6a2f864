// Comparing issuers, where one server speaks for many (Entra's {tenantid}).
#pragma once

#include "oauth/oauth.hpp"
#include "util/url.hpp"

namespace authjs::oauth {

// is_issuer: `text` is exactly the server's issuer, or that with one segment for its placeholder.
bool is_issuer(const server& as, std::string_view text);
// same_issuer: equal after URL normalisation but for one final slash, and, with `one_may_differ`,
// but for one path segment.
bool same_issuer(const url& a, const url& b, bool one_may_differ);

}  // namespace authjs::oauth
