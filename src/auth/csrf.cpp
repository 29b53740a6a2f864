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

}  // namespace authjs::auth
