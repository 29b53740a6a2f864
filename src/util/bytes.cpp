#include "util/bytes.hpp"

#include <unicase.h>
#include <uninorm.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "util/owned.hpp"

namespace authjs {
namespace {

constexpr char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr char std_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> reverse_of(const char* alphabet) {
    std::array<std::int8_t, 256> table{};
    table.fill(-1);
    for (int i = 0; i < 64; ++i)
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return table;
}
constexpr auto url_reverse = reverse_of(url_alphabet);
constexpr auto std_reverse = reverse_of(std_alphabet);

std::string encode(std::string_view bytes, const char* alphabet, bool pad) {
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t acc = 0;
    int bits = 0;
    for (const char c : bytes) {
        acc = acc << 8 | static_cast<unsigned char>(c);
        for (bits += 8; bits >= 6;) {
            bits -= 6;
            out += alphabet[acc >> bits & 63];
        }
    }
    if (bits > 0) out += alphabet[acc << (6 - bits) & 63];
    while (pad && out.size() % 4 != 0) out += '=';
    return out;
}

// Four characters at a time: the gate decodes every token it has not seen yet.
std::optional<std::size_t> decode_into(std::string_view text,
                                       const std::array<std::int8_t, 256>& reverse,
                                       char* out) noexcept {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    const auto* const end = p + text.size();
    char* const start = out;
    for (; end - p >= 4; p += 4) {
        const int a = reverse[p[0]], b = reverse[p[1]], c = reverse[p[2]], d = reverse[p[3]];
        if ((a | b | c | d) < 0) return std::nullopt;
        *out++ = static_cast<char>(a << 2 | b >> 4);
        *out++ = static_cast<char>(b << 4 | c >> 2);
        *out++ = static_cast<char>(c << 6 | d);
    }
    if (p == end) return out - start;
    if (end - p == 1) return std::nullopt;
    const int a = reverse[p[0]], b = reverse[p[1]], c = end - p == 3 ? reverse[p[2]] : 0;
    const int left_over = end - p == 3 ? c & 3 : b & 15;
    if ((a | b | c) < 0 || left_over != 0) return std::nullopt;
    *out++ = static_cast<char>(a << 2 | b >> 4);
    if (end - p == 3) *out++ = static_cast<char>(b << 4 | c >> 2);
    return out - start;
}

std::optional<std::string> decode(std::string_view text,
                                  const std::array<std::int8_t, 256>& reverse) {
    std::string out(text.size() / 4 * 3 + 2, '\0');
    const auto n = decode_into(text, reverse, out.data());
    if (!n) return std::nullopt;
    out.resize(*n);
    return out;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

constexpr char lower_ascii(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Length of the well-formed character at `at`, or the negative length of its maximal ill-formed
// part (Unicode 15, table 3-7; the part that one U+FFFD replaces).
int utf8_step(std::string_view s, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) -> unsigned {
        return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0;
    };
    const unsigned lead = byte(0);
    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return -1;
    const int length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const unsigned low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < low || byte(1) > high) return -1;
    for (int i = 2; i < length; ++i)
        if ((byte(static_cast<std::size_t>(i)) & 0xc0) != 0x80) return -i;
    return length;
}

// libunistring answers from malloc, or null (ill-formed input, no memory).
template <class F>
std::string through_unistring(std::string_view utf8, F convert) {
    if (utf8.empty() || !is_utf8(utf8)) return std::string(utf8);
    std::size_t n = 0;
    const owned<std::uint8_t, std::free> out{
        convert(reinterpret_cast<const std::uint8_t*>(utf8.data()), utf8.size(), &n)};
    return out ? std::string(reinterpret_cast<const char*>(out.get()), n) : std::string(utf8);
}

}  // namespace

std::string base64url(std::string_view bytes) { return encode(bytes, url_alphabet, false); }
std::optional<std::string> from_base64url(std::string_view text) {
    return decode(text, url_reverse);
}
std::optional<std::size_t> from_base64url_into(std::string_view text,
                                               std::span<char> out) noexcept {
    if (out.size() < text.size() / 4 * 3 + 2) return std::nullopt;
    return decode_into(text, url_reverse, out.data());
}
std::string base64(std::string_view bytes) { return encode(bytes, std_alphabet, true); }
std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
    return decode(text, std_reverse);
}

std::string hex(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        out += "0123456789abcdef"[static_cast<unsigned char>(c) >> 4];
        out += "0123456789abcdef"[c & 15];
    }
    return out;
}
std::optional<std::string> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) return std::nullopt;
        out += static_cast<char>(high << 4 | low);
    }
    return out;
}

bool same_secret(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    volatile unsigned char differ = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        differ = static_cast<unsigned char>(differ | (a[i] ^ b[i]));
    return differ == 0;
}

bool is_utf8(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const int n = utf8_step(text, at);
        if (n < 0) return false;
        at += static_cast<std::size_t>(n);
    }
    return true;
}

std::string well_formed(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const int n = utf8_step(text, at);
        const auto length = static_cast<std::size_t>(n < 0 ? -n : n);
        out += n < 0 ? std::string_view("\xef\xbf\xbd") : text.substr(at, length);
        at += length;
    }
    return out;
}

std::string ascii_lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = lower_ascii(c);
    return out;
}
bool iequals(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower_ascii(a[i]) != lower_ascii(b[i])) return false;
    return true;
}

std::string lower(std::string_view utf8) {
    return through_unistring(utf8, [](const std::uint8_t* s, std::size_t n, std::size_t* out) {
        return u8_tolower(s, n, "", nullptr, nullptr, out);
    });
}
std::string nfkc(std::string_view utf8) {
    return through_unistring(utf8, [](const std::uint8_t* s, std::size_t n, std::size_t* out) {
        return u8_normalize(UNINORM_NFKC, s, n, nullptr, out);
    });
}

std::string latin1_to_utf8(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size());
    for (const char c : bytes) {
        const auto b = static_cast<unsigned char>(c);
        if (b < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xc0 | b >> 6);
            out += static_cast<char>(0x80 | (b & 0x3f));
        }
    }
    return out;
}

std::string without_controls(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto b = static_cast<unsigned char>(c);
        if (b < 0x20 || b == 0x7f) {
            out += '%';
            out += "0123456789ABCDEF"[b >> 4];
            out += "0123456789ABCDEF"[b & 15];
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace authjs
