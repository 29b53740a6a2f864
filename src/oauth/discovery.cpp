#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "oauth/agent.hpp"
#include "oauth/issuer.hpp"
#include "oauth/oauth.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::oauth {
namespace {

[[noreturn]] void unusable(std::string why) { throw error(code::configuration, std::move(why)); }

// --- Addresses that a document of the public internet has no business to name (RFC 6890) ---

struct net4 {
    std::uint32_t prefix;
    int bits;
};
constexpr net4 private4[] = {
    {0x00000000, 8},   // this network
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // behind a carrier's NAT; a cloud's metadata
    {0x7f000000, 8},   // loopback
    {0xa83f8110, 32},  // a cloud's wire server
    {0xa9fe0000, 16},  // link-local; metadata of most clouds
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xe0000000, 3},   // multicast, reserved, broadcast
};

struct net6 {
    std::array<unsigned char, 12> prefix;
    int bits;
    int v4_at;  // where an IPv4 address is embedded, in bytes; -1: the whole net is meant
};
constexpr net6 special6[] = {
    {{}, 96, 12},                                          // ::, ::1, IPv4-compatible
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12},  // IPv4-mapped
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, 96, 12},  // IPv4-translated
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},                    // NAT64
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, -1},        // NAT64, local
    {{0x01, 0x00}, 64, -1},                                // discard
    {{0x20, 0x01, 0x00, 0x00}, 32, -1},                    // Teredo
    {{0x20, 0x02}, 16, 2},                                 // 6to4
    {{0xfc}, 7, -1},                                       // unique local
    {{0xfe, 0x80}, 9, -1},                                 // link-local, site-local
    {{0xff}, 8, -1},                                       // multicast
};

bool is_private4(const unsigned char* a) {
    const std::uint32_t address = std::uint32_t{a[0]} << 24 | std::uint32_t{a[1]} << 16 |
                                  std::uint32_t{a[2]} << 8 | std::uint32_t{a[3]};
    return std::any_of(std::begin(private4), std::end(private4), [address](const net4& n) {
        return ((address ^ n.prefix) >> (32 - n.bits)) == 0;
    });
}

bool in_net(const unsigned char* a, const net6& n) {
    for (int bit = 0; bit < n.bits; ++bit)
        if (((a[bit / 8] ^ n.prefix[static_cast<std::size_t>(bit / 8)]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

bool is_private6(const unsigned char* a) {
    return std::any_of(std::begin(special6), std::end(special6), [a](const net6& n) {
        return in_net(a, n) && (n.v4_at < 0 || is_private4(a + n.v4_at));
    });
}

constexpr std::string_view private_zones[] = {".localhost", ".localdomain", ".local", ".internal",
                                              ".home.arpa"};

// --- The document ---

std::string endpoint(const json::value& document, std::string_view name, const url& issuer) {
    const auto* given = document.find(name);
    if (!given || given->is_null()) return {};
    const auto* text = given->as_string();
    const auto where = text ? parse_url(*text) : std::nullopt;
    const std::string what(name);
    if (!where || !where->is_http()) unusable("discovered " + what + " is no URL");
    if (issuer.scheme == "https" && where->scheme != "https")
        unusable("discovered " + what + " is not https");
    if (is_private_host(where->host) && !is_private_host(issuer.host))
        unusable("discovered " + what + " points into a private network");
    return where->href();
}

std::vector<std::string> texts(const json::value& document, std::string_view name) {
    std::vector<std::string> out;
    const auto* given = document.find(name);
    if (const auto* list = given ? given->as_array() : nullptr)
        for (const auto& item : *list)
            if (const auto* text = item.as_string()) out.push_back(*text);
    return out;
}

// A directive of Cache-Control with a number of seconds (RFC 9111 section 1.2.2); one too large to
// hold counts as the largest.
std::optional<std::int64_t> max_age(std::string_view directives) {
    while (!directives.empty()) {
        const auto comma = std::min(directives.find(','), directives.size());
        auto one = directives.substr(0, comma);
        directives.remove_prefix(std::min(comma + 1, directives.size()));
        while (one.starts_with(' ') || one.starts_with('\t')) one.remove_prefix(1);
        constexpr std::string_view name = "max-age=";
        if (one.size() <= name.size() || !iequals(one.substr(0, name.size()), name)) continue;
        one.remove_prefix(name.size());
        if (one.starts_with('"')) one.remove_prefix(1);
        std::int64_t value = 0;
        const auto [end, failure] = std::from_chars(one.data(), one.data() + one.size(), value);
        if (failure == std::errc::result_out_of_range) return INT64_MAX;
        if (failure == std::errc() && value >= 0) return value;
    }
    return std::nullopt;
}

}  // namespace

bool is_private_host(std::string_view host) {
    unsigned char address[16];
    if (host.starts_with('[')) {
        const std::string inner(
            host.substr(1, host.size() - std::min<std::size_t>(2, host.size())));
        return inet_pton(AF_INET6, inner.c_str(), address) != 1 || is_private6(address);
    }
    std::string name = ascii_lower(host);
    if (inet_pton(AF_INET, name.c_str(), address) == 1) return is_private4(address);
    if (name.ends_with('.')) name.pop_back();
    if (name.find('.') == std::string::npos) return true;  // completed by a search list, or local
    return std::any_of(std::begin(private_zones), std::end(private_zones),
                       [&name](std::string_view zone) { return name.ends_with(zone); });
}

std::string well_known_url(std::string_view issuer) {
    auto where = parse_url(issuer);
    if (!where || !where->is_http()) unusable("the issuer is no http(s) URL");
    if (where->path.ends_with('/')) where->path.pop_back();
    where->path += "/.well-known/openid-configuration";
    where->fragment.reset();
    return where->href();
}

http::request discovery_request(std::string_view url) {
    http::request rq;
    rq.url = url;
    rq.fields = {{"Accept", "application/json"}, {"User-Agent", std::string(agent)}};
    return rq;
}

server discovery_response(const http::response& answer, std::string_view issuer,
                          std::string_view placeholder) {
    if (answer.status != 200)
        unusable("discovery was answered with status " + std::to_string(answer.status));
    const auto document = json::parse(answer.body);
    if (!document || !document->is_object()) unusable("the discovery document is no JSON object");

    server as;
    as.issuer = document->text("issuer");
    const auto expected = parse_url(issuer), told = parse_url(as.issuer);
    if (!expected || !expected->is_http()) unusable("the issuer is no http(s) URL");
    if (!told || !same_issuer(*told, *expected, !placeholder.empty()))
        throw error(code::configuration, "the discovery document is of another issuer")
            .with("expected", issuer)
            .with("found", as.issuer);
    if (!placeholder.empty() && as.issuer.find(placeholder) != std::string::npos)
        as.placeholder = placeholder;

    as.authorization_endpoint = endpoint(*document, "authorization_endpoint", *expected);
    as.token_endpoint = endpoint(*document, "token_endpoint", *expected);
    as.userinfo_endpoint = endpoint(*document, "userinfo_endpoint", *expected);
    as.jwks_uri = endpoint(*document, "jwks_uri", *expected);
    as.id_token_algs = texts(*document, "id_token_signing_alg_values_supported");
    const bool is_public =
        !answer.peer.empty() && !is_private_host(answer.peer) && !is_private_host(expected->host);
    if (is_public) as.outside = {as.token_endpoint, as.userinfo_endpoint, as.jwks_uri};
    const auto* announced = document->find("authorization_response_iss_parameter_supported");
    as.iss_parameter = announced && announced->truthy();
    return as;
}

http::request kept_outside(const server& as, http::request rq) {
    if (std::find(as.outside.begin(), as.outside.end(), rq.url) != as.outside.end())
        rq.refuses = is_private_host;
    return rq;
}

seconds fresh_for(const http::response& answer) {
    constexpr std::int64_t shortest = 5 * 60, longest = 24 * 60 * 60, usual = 60 * 60;
    for (const auto& field : answer.fields)
        if (iequals(field.name, "Cache-Control"))
            if (const auto age = max_age(field.value))
                return seconds(std::clamp(*age, shortest, longest));
    return seconds(usual);
}

}  // namespace authjs::oauth
