#include "auth/cookie.hpp"

#include <algorithm>
#include <cctype>

#include "auth/chunk_order.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/url.hpp"

namespace authjs::auth {
namespace {

constexpr std::size_t chunk_size = 4096 - 160;  // what Auth.js leaves a cookie's value

// Name (without the prefix of secure ones), that prefix, and how long it lives by Max-Age.
struct kind_row {
    which id;
    std::string_view word, name, prefix;
    std::optional<std::int64_t> max_age;
};
constexpr kind_row kinds[] = {
    {which::session_token, "session_token", "authjs.session-token", "__Secure-", {}},
    {which::callback_url, "callback_url", "authjs.callback-url", "__Secure-", {}},
    {which::csrf_token, "csrf_token", "authjs.csrf-token", "__Host-", {}},
    {which::pkce_code_verifier, "pkce_code_verifier", "authjs.pkce.code_verifier", "__Secure-",
     900},
    {which::state, "state", "authjs.state", "__Secure-", 900},
    {which::nonce, "nonce", "authjs.nonce", "__Secure-", {}},
    {which::webauthn_challenge, "webauthn_challenge", "authjs.challenge", "__Secure-", 900},
};
const kind_row& row_of(which w) noexcept { return kinds[static_cast<std::size_t>(w)]; }

bool is_alnum(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 9110 section 5.6.2.
bool is_token(std::string_view name) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [marks](char c) {
        return is_alnum(c) || marks.find(c) != marks.npos;
    });
}

// Labels of letters, digits and inner hyphens, at most 63 each; a leading dot is allowed.
bool is_domain(std::string_view domain) {
    if (domain.starts_with('.')) domain.remove_prefix(1);
    for (;;) {
        const auto dot = domain.find('.');
        const auto label = domain.substr(0, dot);
        if (label.empty() || label.size() > 63 || !is_alnum(label.front()) ||
            !is_alnum(label.back()) || !std::all_of(label.begin(), label.end(), [](char c) {
                return is_alnum(c) || c == '-';
            }))
            return false;
        if (dot == domain.npos) return true;
        domain.remove_prefix(dot + 1);
    }
}

bool is_path(std::string_view path) {
    return std::all_of(path.begin(), path.end(),
                       [](char c) { return c >= 0x20 && c <= 0x7e && c != ';' && c != '<'; });
}

[[noreturn]] void refuse(const char* what, std::string_view value) {
    throw error(code::configuration, std::string("a cookie's ") + what + " is invalid")
        .with(what, value);
}

// One of a few words in any case, written as attributes spell them; empty: left out.
std::string_view spelled(std::string_view word, std::initializer_list<std::string_view> known,
                         const char* what) {
    for (const auto k : known)
        if (iequals(word, k)) return k;
    refuse(what, word);
}

}  // namespace

std::string_view which_name(which w) noexcept { return row_of(w).word; }

cookie_kind default_cookie(which w, bool secure) {
    const auto& row = row_of(w);
    cookie_kind out;
    out.name = std::string(secure ? row.prefix : "").append(row.name);
    out.options.secure = secure;
    out.options.max_age = row.max_age;
    return out;
}

std::string serialize(const set_cookie& c) {
    const auto& o = c.options;
    if (!is_token(c.name)) refuse("name", c.name);
    std::string out = c.name + "=" + encode_uri_component(c.value);
    if (o.max_age) out += "; Max-Age=" + std::to_string(*o.max_age);
    if (!o.domain.empty()) {
        if (!is_domain(o.domain)) refuse("domain", o.domain);
        out += "; Domain=" + o.domain;
    }
    if (!o.path.empty()) {
        if (!is_path(o.path)) refuse("path", o.path);
        out += "; Path=" + o.path;
    }
    if (c.expires) out += "; Expires=" + http_date(*c.expires);
    if (o.http_only) out += "; HttpOnly";
    if (o.secure) out += "; Secure";
    if (o.partitioned) out += "; Partitioned";
    if (!o.priority.empty())
        out.append("; Priority=")
            .append(spelled(o.priority, {"Low", "Medium", "High"}, "priority"));
    if (!o.same_site.empty())
        out.append("; SameSite=")
            .append(spelled(o.same_site, {"Strict", "Lax", "None"}, "same_site"));
    return out;
}

set_cookie removal(std::string name, const cookie_options& options) {
    set_cookie out{std::move(name), "", options, std::nullopt};
    out.options.max_age = 0;
    return out;
}

std::string cookie_value(std::string_view raw) {
    auto text = latin1_to_utf8(raw);
    if (text.find('%') == text.npos) return text;
    return decode_uri_component(text).value_or(text);
}

cookie_jar cookie_jar::parse(const std::vector<std::string_view>& lines) {
    cookie_jar out;
    each_cookie(lines, [&out](std::string_view name, std::string_view raw) {
        out.list_.emplace_back(latin1_to_utf8(name), cookie_value(raw));
        return true;
    });
    return out;
}

const std::string* cookie_jar::find(std::string_view name) const noexcept {
    for (const auto& [n, value] : list_)
        if (n == name) return &value;
    return nullptr;
}

session_chunks read_chunks(const cookie_jar& jar, std::string_view name) {
    session_chunks out;
    std::vector<chunk> pieces;
    for (const auto& [n, value] : jar.list()) {
        if (!n.starts_with(name)) continue;
        const auto had = std::find_if(pieces.begin(), pieces.end(),
                                      [&n = n](const chunk& c) { return c.name == n; });
        if (had == pieces.end())
            pieces.push_back({n, value, chunk_number(n)});
        else if (had->value != value)
            out.conflicting = true;
    }
    std::erase_if(pieces, [](const chunk& c) { return c.value.empty(); });
    for (const auto& c : pieces) out.names.emplace_back(c.name);
    order_chunks(pieces);
    for (const auto& c : pieces) out.value += c.value;
    return out;
}

std::vector<set_cookie> write_chunks(const session_chunks& had, const cookie_kind& kind,
                                     std::string_view value, std::optional<instant> expires) {
    std::vector<set_cookie> out;
    for (const auto& name : had.names) out.push_back(removal(name, kind.options));
    const auto put = [&](std::string name, std::string_view part) {
        set_cookie c{std::move(name), std::string(part), kind.options, expires};
        const auto at = std::find_if(out.begin(), out.end(),
                                     [&c](const set_cookie& o) { return o.name == c.name; });
        if (at != out.end())
            *at = std::move(c);
        else
            out.push_back(std::move(c));
    };
    if (value.size() <= chunk_size) {
        if (!value.empty()) put(kind.name, value);
        return out;
    }
    for (std::size_t i = 0; i * chunk_size < value.size(); ++i)
        put(kind.name + "." + std::to_string(i), value.substr(i * chunk_size, chunk_size));
    return out;
}

std::size_t cookie_line_after(const cookie_jar& jar, const std::vector<set_cookie>& changes) {
    std::vector<std::pair<std::string_view, std::size_t>> sizes;
    const auto put = [&](std::string_view name, std::size_t size) {
        for (auto& s : sizes) {
            if (s.first == name) {
                s.second = size;
                return;
            }
        }
        sizes.emplace_back(name, size);
    };
    const auto pair_size = [](std::string_view name, std::string_view value) {
        return name.size() + 1 + encode_uri_component(value).size() + 2;  // "=" and "; "
    };
    for (const auto& [name, value] : jar.list()) put(name, pair_size(name, value));
    for (const auto& c : changes) put(c.name, c.value.empty() ? 0 : pair_size(c.name, c.value));
    std::size_t sum = std::string_view("Cookie: \r\n").size();
    for (const auto& s : sizes) sum += s.second;
    return sum;
}

}  // namespace authjs::auth
