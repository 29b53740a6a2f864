// URLs as a browser reads them (WHATWG URL, the part that http and https need), and query strings
// as forms (application/x-www-form-urlencoded, the same standard section 5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace authjs {

struct url {
    std::string scheme;  // lower case, without ":"
    std::string username, password;
    std::string host;  // serialised: lower case, IPv4 in dotted form, IPv6 in brackets
    int port = -1;     // -1: the scheme's default, or none
    std::string path;  // begins with "/" for http(s); percent-encoded, dot segments removed
    std::optional<std::string> query, fragment;  // without "?" and "#"
    bool has_host = false;  // "//" stood there: the host of another scheme may be empty

    bool is_http() const noexcept { return scheme == "http" || scheme == "https"; }
    std::string origin() const;  // scheme://host[:port]; "null" for other schemes than http(s)
    std::string href() const;
    std::string host_port() const;  // host[:port]
};

// parse_url reads `text` as `new URL(text, base)` does: leading and trailing C0 and spaces cut,
// tabs and line breaks dropped, "\" taken for "/" in http(s). Empty where the constructor would
// throw.
std::optional<url> parse_url(std::string_view text, const url* base = nullptr);

// An ordered list of names and values: a query or a form, as JavaScript's URLSearchParams.
class params {
public:
    using pair = std::pair<std::string, std::string>;
    params() = default;
    explicit params(std::vector<pair> list) : list_(std::move(list)) {}

    static params parse(std::string_view form);  // "a=b&c=d": + is a space, %xx decoded as UTF-8
    std::string to_string() const;               // form encoding: space as +, *-._ and alnum kept

    const std::string* first(std::string_view name) const noexcept;
    const std::string* last(std::string_view name) const noexcept;
    std::size_t count(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept { return count(name) != 0; }
    // set as URLSearchParams.set: the first of that name keeps its place, further ones go.
    void set(std::string_view name, std::string_view value);
    void append(std::string_view name, std::string_view value);
    void erase(std::string_view name);
    // Object.fromEntries: last value wins, first place kept, array-index names first, ascending.
    params as_object() const;
    const std::vector<pair>& list() const noexcept { return list_; }
    bool empty() const noexcept { return list_.empty(); }

private:
    std::vector<pair> list_;
};

// encode_uri_component keeps A-Za-z0-9-_.!~*'() (ECMAScript encodeURIComponent).
std::string encode_uri_component(std::string_view text);
// decode_uri_component: empty where ECMAScript throws (a bad escape, not UTF-8).
std::optional<std::string> decode_uri_component(std::string_view text);

}  // namespace authjs
