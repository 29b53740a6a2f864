// What a sign-in letter says. Pure functions.
#pragma once

#include <string>

#include "email/letter.hpp"

namespace authjs::email {

// The letter after the provider's `subject` and `template`, else as Auth.js writes it. Lines end
// with \n. {url}, {host}, {email}, {token} and {expires} (ISO 8601) are filled; in HTML they are
// escaped, in the subject line breaks and other controls become spaces.
struct wording {
    std::string subject, text, html;
};
wording write(const letter& l, const providers::provider& by);

}  // namespace authjs::email
