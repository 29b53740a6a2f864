#include "auth/csrf.hpp"

#include "crypto/crypto.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

std::string hash_of(std::string_view token, const secret& joined) {
    return hex(crypto::digest(crypto::hash::sha256, std::string(token).append(joined.reveal())));
}

}  // namespace

std::string csrf_cookie_value(std::string_view token, const secret& joined) {
    return std::string(token) + '|' + hash_of(token, joined);
}

std::optional<std::string> csrf_token_of(std::string_view cookie, const secret& joined) {
    const auto bar = cookie.find('|');
    if (bar == cookie.npos) return std::nullopt;
    const auto token = cookie.substr(0, bar);
    const auto rest = cookie.substr(bar + 1);
    if (!same_secret(rest.substr(0, rest.find('|')), hash_of(token, joined))) return std::nullopt;
    return std::string(token);
}

csrf_settled csrf_of(const config& cf, bool https, const cookie_jar& jar, io::random& random) {
    const auto& kind = cf.cookies(https)[which::csrf_token];
    const auto* had = jar.find(kind.name);
    if (auto known = had ? csrf_token_of(*had, cf.joined_secret) : std::nullopt)
        return {std::move(*known), true, {}};
    csrf_settled made{hex(io::random_bytes(random, 32)), false, {}};
    made.cookie.emplace(
        set_cookie{kind.name, csrf_cookie_value(made.token, cf.joined_secret), kind.options, {}});
    return made;
}

}  // namespace authjs::auth
