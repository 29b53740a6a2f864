// The HTTP mail services: a letter as the request that a provider's file (`send`) makes of it, and
// what a refusal says. Pure functions; the letter itself is email/'s.
#pragma once

#include <string>
#include <string_view>

#include "io/http.hpp"
#include "io/ports.hpp"
#include "providers/provider.hpp"

namespace authjs::providers {

// True if letters leave by this provider's own HTTP service.
bool has_mail_service(const provider& p) noexcept;

// What a letter is made of, besides the provider's own options.
struct letter_parts {
    std::string to, subject, html, text, url;
};
// mail_request throws error(email_signin_error) where an option that the service needs is missing
// (the file's `missing` text) or a value cannot be made. `random` draws the multipart boundary.
http::request mail_request(const provider& p, const letter_parts& letter, io::random& random);
// Empty if the service took the letter (2xx); else the error's text, as Auth.js words it.
std::string mail_failure(const provider& p, const http::response& answer);

}  // namespace authjs::providers
