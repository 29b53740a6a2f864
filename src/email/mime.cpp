#include "email/mime.hpp"

#include <algorithm>

#include "util/bytes.hpp"

namespace authjs::email {

namespace {

constexpr std::size_t longest_address = 254;  // RFC 5321 section 4.5.3.1, erratum 1690
constexpr std::size_t longest_line = 76;      // RFC 2045 section 6.7 (5)

bool is_control(char c) noexcept {
    const auto b = static_cast<unsigned char>(c);
    return b < 0x20 || b == 0x7f;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    return text;
}

bool is_address(std::string_view text) {
    const auto at = text.find('@');
    return text.size() <= longest_address && at != 0 && at != text.npos && at + 1 < text.size() &&
           text.find('@', at + 1) == text.npos && text.find_first_of(" ,;:<>()[]\\\"") == text.npos;
}

// A display name: words of atoms as they are, else a quoted string (RFC 5322 section 3.2.4).
std::string phrase(std::string_view name) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view(" !#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
    };
    if (std::all_of(name.begin(), name.end(), plain)) return std::string(name);
    const std::string encoded = header_text(name);
    if (encoded != name) return encoded;
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

// Tue, 01 Jan 2030 00:00:00 +0000 (RFC 5322 section 3.3).
std::string date_text(instant t) {
    std::string out = http_date(t);
    return out.replace(out.size() - 3, 3, "+0000");
}

std::string domain_of(std::string_view address) {
    return std::string(address.substr(address.find('@') + 1));
}

}  // namespace

std::optional<mailbox> parse_mailbox(std::string_view text) {
    if (std::any_of(text.begin(), text.end(), is_control) || !is_utf8(text)) return std::nullopt;
    text = trimmed(text);
    mailbox box;
    if (text.ends_with('>')) {
        const auto open = text.rfind('<');
        if (open == text.npos) return std::nullopt;
        box.address = text.substr(open + 1, text.size() - open - 2);
        auto name = trimmed(text.substr(0, open));
        if (name.size() >= 2 && name.front() == '"' && name.back() == '"')
            name = name.substr(1, name.size() - 2);
        box.name = name;
    } else {
        box.address = text;
    }
    if (!is_address(box.address)) return std::nullopt;
    return box;
}

std::string header_text(std::string_view utf8) {
    const auto printable = [](char c) { return c >= 0x20 && c < 0x7f; };
    if (std::all_of(utf8.begin(), utf8.end(), printable)) return std::string(utf8);
    // Encoded words of at most 75 characters, 45 bytes each, cut between characters.
    std::string out;
    while (!utf8.empty()) {
        std::size_t n = std::min<std::size_t>(utf8.size(), 45);
        while (n > 1 && n < utf8.size() && (utf8[n] & 0xc0) == 0x80) --n;
        if (!out.empty()) out += "\r\n ";
        out += "=?UTF-8?B?" + base64(utf8.substr(0, n)) + "?=";
        utf8.remove_prefix(n);
    }
    return out;
}

std::string quoted_printable(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    std::size_t line = 0;  // characters in this line
    const auto put = [&](std::string_view piece) {
        if (line + piece.size() > longest_line - 1) {
            out += "=\r\n";
            line = 0;
        }
        out += piece;
        line += piece.size();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (c == '\n') {
            out += "\r\n";
            line = 0;
            continue;
        }
        const bool ends = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
        const bool literal =
            (c > 0x20 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !ends);
        if (literal) {
            put({&c, 1});
        } else {
            const auto b = static_cast<unsigned char>(c);
            const char escape[] = {'=', digits[b >> 4], digits[b & 15]};
            put({escape, 3});
        }
    }
    return out;
}

std::string compose(const message& m) {
    std::string out;
    const auto line = [&](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    const auto part = [&](std::string_view type, std::string_view content) {
        out.append("--").append(m.boundary).append("\r\n");
        line("Content-Type", std::string(type) + "; charset=utf-8");
        line("Content-Transfer-Encoding", "quoted-printable");
        out.append("\r\n").append(quoted_printable(content)).append("\r\n");
    };
    line("From",
         m.from.name.empty() ? m.from.address : phrase(m.from.name) + " <" + m.from.address + ">");
    line("To", m.to);
    line("Subject", header_text(m.subject));
    line("Message-ID", "<" + m.id + "@" + domain_of(m.from.address) + ">");
    line("Date", date_text(m.date));
    line("MIME-Version", "1.0");
    line("Content-Type", "multipart/alternative; boundary=\"" + m.boundary + "\"");
    out += "\r\n";
    part("text/plain", m.text);
    part("text/html", m.html);
    out.append("--").append(m.boundary).append("--\r\n");
    return out;
}

}  // namespace authjs::email
