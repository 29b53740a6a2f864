#include "util/url.hpp"

#include <unictype.h>
#include <unistr.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <vector>

#include "util/bytes.hpp"

namespace authjs {
namespace {

// --- percent encoding (URL standard section 1.3) -------------------------------------------------

// What each part of a URL encodes beyond control characters and everything above '~'.
constexpr std::string_view in_fragment = " \"<>`";
constexpr std::string_view in_query = " \"#<>";
constexpr std::string_view in_special_query = " \"#<>'";
constexpr std::string_view in_path = " \"#<>?`{}";
constexpr std::string_view in_userinfo = " \"#<>?`{}/:;=@[\\]^|";
constexpr std::string_view in_opaque = "";

void percent(std::string& out, char c) {
    out += '%';
    out += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4];
    out += "0123456789ABCDEF"[c & 15];
}

void encode_into(std::string& out, std::string_view text, std::string_view set) {
    for (const char c : text) {
        const auto b = static_cast<unsigned char>(c);
        if (b < 0x20 || b > 0x7e || set.find(c) != set.npos)
            percent(out, c);
        else
            out += c;
    }
}
std::string encoded(std::string_view text, std::string_view set) {
    std::string out;
    out.reserve(text.size());
    encode_into(out, text, set);
    return out;
}

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
bool is_alpha(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alnum(char c) noexcept { return is_digit(c) || is_alpha(c); }
int hex_digit(char c) noexcept {
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// A "%" that no two hexadecimal digits follow stays as it is; `all_good` tells.
std::string percent_decode(std::string_view text, bool& all_good) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high << 4 | low);
                i += 2;
                continue;
            }
            all_good = false;
        }
        out += text[i];
    }
    return out;
}

// --- hosts (URL standard section 3) --------------------------------------------------------------

// Punycode, RFC 3492 section 6.3. Empty on overflow.
std::optional<std::string> punycode(const std::vector<std::uint32_t>& label) {
    constexpr std::uint32_t base = 36, t_min = 1, t_max = 26, skew = 38, damp = 700;
    std::string out;
    for (const auto c : label)
        if (c < 0x80) out += static_cast<char>(c);
    const auto basic = static_cast<std::uint32_t>(out.size());
    if (basic > 0) out += '-';

    std::uint64_t n = 128, delta = 0;
    std::uint32_t bias = 72, handled = basic;
    while (handled < label.size()) {
        std::uint64_t next = 0x110000;
        for (const auto c : label)
            if (c >= n) next = std::min<std::uint64_t>(next, c);
        delta += (next - n) * (handled + 1);
        if (delta > 0xffffffff) return std::nullopt;
        n = next;
        for (const auto c : label) {
            if (c < n) ++delta;
            if (c != n) continue;
            std::uint64_t q = delta;
            for (std::uint32_t k = base;; k += base) {
                const std::uint32_t t = k <= bias ? t_min : std::min(k - bias, t_max);
                const std::uint64_t digit = q < t ? q : t + (q - t) % (base - t);
                out += "abcdefghijklmnopqrstuvwxyz0123456789"[digit];
                if (q < t) break;
                q = (q - t) / (base - t);
            }
            std::uint64_t d = handled == basic ? delta / damp : delta / 2;
            d += d / (handled + 1);
            std::uint32_t k = 0;
            for (; d > (base - t_min) * t_max / 2; k += base) d /= base - t_min;
            bias = static_cast<std::uint32_t>(k + (base - t_min + 1) * d / (d + skew));
            delta = 0;
            ++handled;
        }
        ++delta;
        ++n;
    }
    return out;
}

std::optional<std::vector<std::uint32_t>> code_points(std::string_view utf8) {
    std::vector<std::uint32_t> out;
    auto* p = reinterpret_cast<const std::uint8_t*>(utf8.data());
    for (std::size_t left = utf8.size(); left > 0;) {
        ucs4_t c = 0;
        const int n = u8_mbtoucr(&c, p, left);
        if (n <= 0) return std::nullopt;
        out.push_back(c);
        p += n;
        left -= static_cast<std::size_t>(n);
    }
    return out;
}

// Characters that UTS 46 drops before anything else.
bool is_ignored(std::uint32_t c) noexcept {
    return c == 0xad || c == 0x34f || (c >= 0x180b && c <= 0x180d) || c == 0x200b || c == 0x2060 ||
           c == 0x2064 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
           (c >= 0xe0100 && c <= 0xe01ef);
}

bool is_dot(std::uint32_t c) noexcept { return c == '.' || c == 0x3002; }

// domain to ASCII, close to UTS 46: drop what is ignored, NFKC and lower case, then each label that
// is not ASCII in Punycode. Characters without a place in a name (controls, unassigned, private,
// space) and labels that begin with a combining mark are refused.
std::optional<std::string> domain_to_ascii(std::string_view domain) {
    const auto raw = code_points(domain);
    if (!raw) return std::nullopt;
    std::string kept;
    for (const auto c : *raw) {
        if (is_ignored(c)) continue;
        std::uint8_t buf[6];
        const int n = u8_uctomb(buf, c, sizeof buf);
        kept.append(reinterpret_cast<const char*>(buf), static_cast<std::size_t>(n));
    }
    const auto mapped = code_points(nfkc(lower(nfkc(kept))));
    if (!mapped) return std::nullopt;

    const auto out_of_place =
        uc_general_category_or(uc_general_category_or(UC_OTHER, UC_SEPARATOR), UC_UNASSIGNED);
    std::string out;
    std::vector<std::uint32_t> label;
    for (std::size_t i = 0; i <= mapped->size(); ++i) {
        if (i < mapped->size() && !is_dot((*mapped)[i])) {
            label.push_back((*mapped)[i]);
            continue;
        }
        if (std::all_of(label.begin(), label.end(), [](auto c) { return c < 0x80; })) {
            for (const auto c : label) out += static_cast<char>(c);
        } else {
            if (uc_is_general_category(label.front(), UC_MARK)) return std::nullopt;
            for (const auto c : label)
                if (c == 0xfffd || (c >= 0x80 && uc_is_general_category(c, out_of_place)))
                    return std::nullopt;
            const auto coded = punycode(label);
            if (!coded || coded->size() > 59) return std::nullopt;
            out += "xn--" + *coded;
        }
        if (i < mapped->size()) out += '.';
        label.clear();
    }
    return out;
}

constexpr std::string_view forbidden_in_host("\0\t\n\r #/:<>?@[\\]^|", 17);

bool forbidden_in_domain(char c) noexcept {
    const auto b = static_cast<unsigned char>(c);
    return b <= 0x1f || b == 0x7f || c == '%' ||
           forbidden_in_host.find(c) != std::string_view::npos;
}

// One part of an IPv4 address: decimal, 0 octal, 0x hexadecimal. Saturates beyond 2^40.
std::optional<std::uint64_t> ipv4_number(std::string_view part) {
    if (part.empty()) return std::nullopt;
    int base = 10;
    if (part.size() >= 2 && part[0] == '0' && (part[1] == 'x' || part[1] == 'X')) {
        base = 16;
        part.remove_prefix(2);
    } else if (part.size() >= 2 && part[0] == '0') {
        base = 8;
        part.remove_prefix(1);
    }
    std::uint64_t n = 0;
    for (const char c : part) {
        const int d = hex_digit(c);
        if (d < 0 || d >= base) return std::nullopt;
        n = std::min<std::uint64_t>(n * static_cast<unsigned>(base) + static_cast<unsigned>(d),
                                    std::uint64_t{1} << 40);
    }
    return n;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto i = text.find(at);
        parts.push_back(text.substr(0, i));
        if (i == text.npos) return parts;
        text.remove_prefix(i + 1);
    }
}

bool ends_in_number(std::string_view host) {
    auto parts = split(host, '.');
    if (parts.back().empty()) {
        if (parts.size() == 1) return false;
        parts.pop_back();
    }
    const auto last = parts.back();
    if (!last.empty() && std::all_of(last.begin(), last.end(), is_digit)) return true;
    return ipv4_number(last).has_value();
}

std::optional<std::string> ipv4(std::string_view host) {
    auto parts = split(host, '.');
    if (parts.back().empty() && parts.size() > 1) parts.pop_back();
    if (parts.size() > 4) return std::nullopt;
    std::uint64_t address = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto n = ipv4_number(parts[i]);
        const bool last = i + 1 == parts.size();
        // The last part fills all bytes that are left.
        if (!n || (last ? *n >> (8 * (5 - parts.size())) != 0 : *n > 255)) return std::nullopt;
        address |= last ? *n : *n << (8 * (3 - i));
    }
    std::string out;
    for (int shift = 24; shift >= 0; shift -= 8) {
        out += std::to_string(address >> shift & 255);
        if (shift > 0) out += '.';
    }
    return out;
}

using ipv6_pieces = std::array<std::uint16_t, 8>;

// The IPv4 form at the end of an IPv6 address: four plain decimal parts.
bool ipv4_tail(std::string_view text, ipv6_pieces& pieces, std::size_t at) {
    const auto parts = split(text, '.');
    if (parts.size() != 4 || at > 6) return false;
    for (std::size_t i = 0; i < 4; ++i) {
        unsigned n = 0;
        const auto part = parts[i];
        if (part.empty() || part.size() > 3 || (part[0] == '0' && part.size() > 1)) return false;
        for (const char c : part) {
            if (!is_digit(c)) return false;
            n = n * 10 + static_cast<unsigned>(c - '0');
        }
        if (n > 255) return false;
        pieces[at + i / 2] = static_cast<std::uint16_t>(pieces[at + i / 2] << 8 | n);
    }
    return true;
}

std::optional<ipv6_pieces> ipv6(std::string_view text) {
    ipv6_pieces pieces{};
    std::size_t count = 0;
    std::optional<std::size_t> gap;
    if (text.starts_with("::")) {
        gap = 0;
        text.remove_prefix(2);
    }
    while (!text.empty()) {
        if (count == 8) return std::nullopt;
        if (text[0] == ':') {
            if (gap) return std::nullopt;
            gap = count;
            text.remove_prefix(1);
            continue;
        }
        std::size_t length = 0;
        unsigned n = 0;
        for (; length < 4 && length < text.size() && hex_digit(text[length]) >= 0; ++length)
            n = n << 4 | static_cast<unsigned>(hex_digit(text[length]));
        if (length < text.size() && text[length] == '.') {
            if (length == 0 || !ipv4_tail(text, pieces, count)) return std::nullopt;
            count += 2;
            break;
        }
        if (length == 0) return std::nullopt;
        pieces[count++] = static_cast<std::uint16_t>(n);
        text.remove_prefix(length);
        if (text.empty()) break;
        if (text[0] != ':' || text.size() == 1) return std::nullopt;
        text.remove_prefix(1);
    }
    if (gap) {
        if (count == 8) return std::nullopt;
        std::rotate(pieces.begin() + static_cast<std::ptrdiff_t>(*gap),
                    pieces.begin() + static_cast<std::ptrdiff_t>(count), pieces.end());
    } else if (count != 8) {
        return std::nullopt;
    }
    return pieces;
}

std::string ipv6_text(const ipv6_pieces& pieces) {
    std::size_t best = 8, best_length = 1;  // the first longest run of two or more zeros
    for (std::size_t i = 0; i < 8; ++i) {
        std::size_t n = 0;
        while (i + n < 8 && pieces[i + n] == 0) ++n;
        if (n > best_length) {
            best = i;
            best_length = n;
        }
    }
    std::string out = "[";
    for (std::size_t i = 0; i < 8; ++i) {
        if (i == best) {
            out += i == 0 ? "::" : ":";
            i += best_length - 1;
            continue;
        }
        char buf[4];
        const auto r = std::to_chars(buf, buf + sizeof buf, pieces[i], 16);
        out.append(buf, r.ptr);
        if (i < 7) out += ':';
    }
    return out + "]";
}

std::optional<std::string> parse_host(std::string_view text, bool special) {
    if (text.starts_with('[')) {
        if (!text.ends_with(']')) return std::nullopt;
        const auto pieces = ipv6(text.substr(1, text.size() - 2));
        if (!pieces) return std::nullopt;
        return ipv6_text(*pieces);
    }
    if (!special) {
        if (text.find_first_of(forbidden_in_host) != text.npos) return std::nullopt;
        return encoded(text, in_opaque);
    }
    bool ignored = true;
    const auto ascii = domain_to_ascii(percent_decode(text, ignored));
    if (!ascii || ascii->empty() || std::any_of(ascii->begin(), ascii->end(), forbidden_in_domain))
        return std::nullopt;
    return ends_in_number(*ascii) ? ipv4(*ascii) : ascii;
}

// --- the parser (URL standard section 4.4) -------------------------------------------------------

int default_port(std::string_view scheme) noexcept {
    if (scheme == "http" || scheme == "ws") return 80;
    if (scheme == "https" || scheme == "wss") return 443;
    return scheme == "ftp" ? 21 : -1;
}
bool is_special(std::string_view scheme) noexcept { return default_port(scheme) >= 0; }

bool is_single_dot(std::string_view s) { return s == "." || iequals(s, "%2e"); }
bool is_double_dot(std::string_view s) {
    return s == ".." || iequals(s, ".%2e") || iequals(s, "%2e.") || iequals(s, "%2e%2e");
}

void pop_segment(std::string& path) {
    const auto slash = path.rfind('/');
    path.erase(slash == path.npos ? 0 : slash);
}

// Appends the segments of `text` (which begins after a slash) to `path`, dots resolved.
void add_segments(std::string& path, std::string_view text, bool special) {
    for (bool last = false; !last;) {
        const auto slash = text.find_first_of(special ? "/\\" : "/");
        last = slash == text.npos;
        const auto segment = text.substr(0, slash);
        if (is_double_dot(segment)) {
            pop_segment(path);
            if (last) path += '/';
        } else if (is_single_dot(segment)) {
            if (last) path += '/';
        } else {
            path += '/';
            encode_into(path, segment, in_path);
        }
        if (!last) text.remove_prefix(slash + 1);
    }
}

bool parse_authority(std::string_view text, url& u, bool special) {
    const auto at = text.rfind('@');
    if (at != text.npos) {
        const auto user = text.substr(0, at);
        const auto colon = user.find(':');
        u.username = encoded(user.substr(0, colon), in_userinfo);
        if (colon != user.npos) u.password = encoded(user.substr(colon + 1), in_userinfo);
        text.remove_prefix(at + 1);
        if (text.empty()) return false;
    }
    // The port's colon is the first one outside brackets.
    const auto bracket = text.starts_with('[') ? text.find(']') : 0;
    const auto colon = text.find(':', bracket == text.npos ? text.size() : bracket);
    const auto name = text.substr(0, colon);
    if (name.empty() && (special || colon != text.npos)) return false;
    const auto host = parse_host(name, special);
    if (!host) return false;
    u.host = *host;
    u.has_host = true;
    if (colon == text.npos || colon + 1 == text.size()) return true;
    int port = 0;
    for (const char c : text.substr(colon + 1)) {
        if (!is_digit(c)) return false;
        port = port * 10 + (c - '0');
        if (port > 65535) return false;
    }
    u.port = port == default_port(u.scheme) ? -1 : port;
    return true;
}

// The part of `text` before the first of `stops`, which is cut off.
std::string_view cut(std::string_view& text, std::string_view stops) {
    const auto i = std::min(text.find_first_of(stops), text.size());
    const auto head = text.substr(0, i);
    text.remove_prefix(i);
    return head;
}

}  // namespace

std::optional<url> parse_url(std::string_view text, const url* base) {
    const auto is_edge = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
    while (!text.empty() && is_edge(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_edge(text.back())) text.remove_suffix(1);
    std::string clean(text);
    std::erase_if(clean, [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
    std::string_view rest = clean;

    url u;
    std::optional<std::string_view> query, fragment;
    if (const auto hash = rest.find('#'); hash != rest.npos) {
        fragment = rest.substr(hash + 1);
        rest = rest.substr(0, hash);
    }
    const auto scheme_end = std::find_if_not(rest.begin(), rest.end(), [](char c) {
        return is_alnum(c) || c == '+' || c == '-' || c == '.';
    });
    const bool absolute =
        !rest.empty() && is_alpha(rest.front()) && scheme_end != rest.end() && *scheme_end == ':';
    if (absolute) {
        const auto n = static_cast<std::size_t>(scheme_end - rest.begin());
        u.scheme = ascii_lower(rest.substr(0, n));
        rest.remove_prefix(n + 1);
    } else if (base == nullptr) {
        return std::nullopt;
    } else {
        u.scheme = base->scheme;
    }
    const bool special = is_special(u.scheme);
    if (const auto mark = rest.find('?'); mark != rest.npos) {
        query = rest.substr(mark + 1);
        rest = rest.substr(0, mark);
    }
    const auto finish = [&] {
        if (query) u.query = encoded(*query, special ? in_special_query : in_query);
        if (fragment) u.fragment = encoded(*fragment, in_fragment);
        return u;
    };
    const auto slash_at = [&](std::size_t i) {
        return i < rest.size() && (rest[i] == '/' || (special && rest[i] == '\\'));
    };

    // An absolute URL of a special scheme always has an authority, whatever slashes precede it;
    // unless the base has the same scheme: then "https:x" is relative.
    const bool relative = !absolute || (special && base != nullptr && base->scheme == u.scheme &&
                                        !rest.starts_with("//"));
    const bool opaque =
        relative && !base->path.starts_with('/') && !base->has_host && !is_special(base->scheme);
    if (opaque && !(rest.empty() && !query && fragment)) return std::nullopt;
    bool authority = slash_at(0) && slash_at(1);
    if (special && !relative) {
        while (slash_at(0)) rest.remove_prefix(1);
        authority = true;
    } else if (authority) {
        rest.remove_prefix(2);
        if (special)
            while (slash_at(0)) rest.remove_prefix(1);
    }
    if (authority) {
        if (!parse_authority(cut(rest, special ? "/\\" : "/"), u, special)) return std::nullopt;
        if (!rest.empty())
            add_segments(u.path, rest.substr(1), special);
        else if (special)
            u.path = "/";
        return finish();
    }
    if (!relative) {
        if (slash_at(0))
            add_segments(u.path, rest.substr(1), special);
        else
            u.path = encoded(rest, in_opaque);  // "javascript:...", "mailto:..."
        return finish();
    }

    u.username = base->username;
    u.password = base->password;
    u.host = base->host;
    u.has_host = base->has_host;
    u.port = base->port;
    if (slash_at(0)) {
        add_segments(u.path, rest.substr(1), special);
    } else if (!rest.empty()) {
        u.path = base->path;
        pop_segment(u.path);
        add_segments(u.path, rest, special);
    } else {
        u.path = base->path;
        if (!query) u.query = base->query;
    }
    return finish();
}

std::string url::host_port() const { return port < 0 ? host : host + ":" + std::to_string(port); }
std::string url::origin() const { return is_http() ? scheme + "://" + host_port() : "null"; }
std::string url::href() const {
    std::string out = scheme + ":";
    if (has_host || !host.empty()) {
        out += "//" + username;
        if (!password.empty()) out += ":" + password;
        if (!username.empty() || !password.empty()) out += '@';
        out += host_port();
    } else if (path.starts_with("//")) {
        out += "/.";  // else the path would read as an authority
    }
    out += path;
    if (query) out += "?" + *query;
    if (fragment) out += "#" + *fragment;
    return out;
}

// --- forms (URL standard section 5) --------------------------------------------------------------

params params::parse(std::string_view form) {
    params out;
    while (!form.empty()) {
        const auto piece = cut(form, "&");
        if (!form.empty()) form.remove_prefix(1);
        if (piece.empty()) continue;
        const auto decoded = [](std::string_view text) {
            std::string spaced(text);
            std::replace(spaced.begin(), spaced.end(), '+', ' ');
            bool ignored = true;
            return well_formed(percent_decode(spaced, ignored));
        };
        const auto eq = piece.find('=');
        out.list_.emplace_back(decoded(piece.substr(0, eq)),
                               eq == piece.npos ? "" : decoded(piece.substr(eq + 1)));
    }
    return out;
}

std::string params::to_string() const {
    std::string out;
    const auto encode = [&out](std::string_view text) {
        for (const char c : well_formed(text)) {
            if (is_alnum(c) || c == '*' || c == '-' || c == '.' || c == '_')
                out += c;
            else if (c == ' ')
                out += '+';
            else
                percent(out, c);
        }
    };
    for (const auto& [name, value] : list_) {
        if (!out.empty()) out += '&';
        encode(name);
        out += '=';
        encode(value);
    }
    return out;
}

const std::string* params::first(std::string_view name) const noexcept {
    for (const auto& p : list_)
        if (p.first == name) return &p.second;
    return nullptr;
}
const std::string* params::last(std::string_view name) const noexcept {
    for (auto p = list_.rbegin(); p != list_.rend(); ++p)
        if (p->first == name) return &p->second;
    return nullptr;
}
std::size_t params::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        list_.begin(), list_.end(), [name](const pair& p) { return p.first == name; }));
}
void params::set(std::string_view name, std::string_view value) {
    const auto is_it = [name](const pair& p) { return p.first == name; };
    const auto at = std::find_if(list_.begin(), list_.end(), is_it);
    if (at == list_.end()) return append(name, value);
    at->second = value;
    list_.erase(std::remove_if(at + 1, list_.end(), is_it), list_.end());
}
void params::append(std::string_view name, std::string_view value) {
    list_.emplace_back(name, value);
}
void params::erase(std::string_view name) {
    std::erase_if(list_, [name](const pair& p) { return p.first == name; });
}

params params::as_object() const {
    params out;
    for (const auto& [name, value] : list_) out.set(name, value);
    // ECMAScript lists properties that look like array indices first.
    const auto index = [](const std::string& name) -> std::uint64_t {
        std::uint32_t n = 0;
        const auto r = std::from_chars(name.data(), name.data() + name.size(), n);
        const bool whole = r.ec == std::errc() && r.ptr == name.data() + name.size();
        return whole && n != 0xffffffffu && (name[0] != '0' || name.size() == 1)
                   ? n
                   : std::uint64_t{0xffffffffu};
    };
    std::stable_sort(out.list_.begin(), out.list_.end(),
                     [&](const pair& a, const pair& b) { return index(a.first) < index(b.first); });
    return out;
}

std::string encode_uri_component(std::string_view text) {
    constexpr std::string_view kept = "-_.!~*'()";
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_alnum(c) || kept.find(c) != kept.npos)
            out += c;
        else
            percent(out, c);
    }
    return out;
}
std::optional<std::string> decode_uri_component(std::string_view text) {
    bool good = true;
    auto out = percent_decode(text, good);
    if (!good || !is_utf8(out)) return std::nullopt;
    return out;
}

}  // namespace authjs
