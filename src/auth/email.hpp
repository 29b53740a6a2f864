// What may be the address of a sign-in letter.
#pragma once

#include <string>
#include <string_view>

namespace authjs::auth {

// normalize_identifier is Auth.js's default: NFKC, lower case, trimmed, exactly one "@" with
// something on both sides, no quotes, the domain cut at its first comma; and no control character,
// which Auth.js lets pass into the letter's headers. Throws error(configuration).
std::string normalize_identifier(std::string_view text);

// demand_one_recipient throws error(configuration) unless a mail server takes the text for exactly
// one address and the same one: at most 254 bytes (RFC 5321), no white space, comma, semicolon,
// colon, quote, bracket or backslash, a domain of non-empty labels (sec 89).
void demand_one_recipient(std::string_view address);

}  // namespace authjs::auth
