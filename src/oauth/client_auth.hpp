// Client authentication at the token endpoint: RFC 6749 section 2.3.1, RFC 7523 section 2.2,
// OpenID Connect Core section 9.
#pragma once

#include "oauth/oauth.hpp"

namespace authjs::oauth {

// authenticate adds to a token request what `me.method` proves the client with: a header, or fields
// at the end of `form`. Throws error(configuration) where the key that the method needs is missing
// or fits no algorithm.
void authenticate(const server& as, const client& me, params& form, http::headers& fields,
                  io::clock& clock, io::random& random);

}  // namespace authjs::oauth
