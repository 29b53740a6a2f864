// Encodings of bytes as text, and comparing secrets.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace authjs {

std::string base64url(std::string_view bytes);  // RFC 4648 section 5, without padding
// Strict: no white space, no padding, no + or /, no left-over bits (a canonical encoding only).
std::optional<std::string> from_base64url(std::string_view text);
// The same into a caller's buffer of at least text.size() / 4 * 3 + 2 bytes, without the heap.
// Answers the number of bytes.
std::optional<std::size_t> from_base64url_into(std::string_view text, std::span<char> out) noexcept;
std::string base64(std::string_view bytes);                     // RFC 4648 section 4, with padding
std::optional<std::string> from_base64(std::string_view text);  // strict, padding demanded
std::string hex(std::string_view bytes);                        // lower case
std::optional<std::string> from_hex(std::string_view text);

// same_secret compares in time that depends on the lengths alone.
bool same_secret(std::string_view a, std::string_view b) noexcept;

bool is_utf8(std::string_view text) noexcept;  // well formed: no overlong forms, no surrogates
// well_formed replaces what is ill-formed by U+FFFD, as the Encoding standard's UTF-8 decoder does.
std::string well_formed(std::string_view text);
// ASCII lower case; equality that ignores ASCII case.
std::string ascii_lower(std::string_view text);
bool iequals(std::string_view a, std::string_view b) noexcept;
// lower is JavaScript's toLowerCase; nfkc is Unicode normalisation form KC. Text that is not UTF-8
// comes back unchanged.
std::string lower(std::string_view utf8);
std::string nfkc(std::string_view utf8);
// Latin-1 bytes as UTF-8, as the fetch standard reads a header value.
std::string latin1_to_utf8(std::string_view bytes);

// percent-encodes control characters and DEL, nothing else: text for a header or a variable.
std::string without_controls(std::string_view text);

}  // namespace authjs
