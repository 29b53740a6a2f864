// A letter as a message: RFC 5322 headers and two parts, RFC 2046 multipart/alternative, each in
// quoted-printable (RFC 2045 section 6.7). Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "util/time.hpp"

namespace authjs::email {

// A mailbox, `address` or `Name <address>`.
struct mailbox {
    std::string name, address;
};
// Empty unless the text is one mailbox and nothing else: no control characters, one address of
// printable characters with no list and no route in it (RFC 5321 section 4.1.2, without quoted
// strings), at most 254 bytes.
std::optional<mailbox> parse_mailbox(std::string_view text);

struct message {
    mailbox from;
    std::string to;       // a bare address
    std::string subject;  // UTF-8, one line
    std::string text, html;
    std::string id;        // left part of Message-ID: letters and digits
    std::string boundary;  // letters and digits that occur in neither part
    instant date;
};
// compose makes the whole message, with CRLF line ends, no line longer than 998 bytes.
std::string compose(const message& m);

std::string quoted_printable(std::string_view text);  // line ends (\n or \r\n) become CRLF
// An unstructured header's or a display name's text: as it is where it is printable ASCII, else as
// encoded words (RFC 2047).
std::string header_text(std::string_view utf8);

}  // namespace authjs::email
