#include "auth/go.hpp"

#include "jose/jwe.hpp"

namespace authjs::auth {

std::string make_go(const config& cf, std::string_view provider_id, std::string_view callback_url,
                    io::clock& clock, io::random& random) {
    json::value claims;
    claims.set("provider", provider_id);
    claims.set("callbackUrl", callback_url);
    return jose::encode(cf.go_ring, std::move(claims), seconds{60}, clock, random);
}

bool check_go(const config& cf, std::string_view token, std::string_view provider_id,
              std::string_view callback_url, instant now) {
    const auto opened = jose::decode(cf.go_ring, token, now);
    if (!opened.claims) return false;
    // decode forgives 15 s of clock difference; a link that works by itself gets none of it.
    const auto* exp = opened.claims->find("exp");
    return exp && exp->as_number() &&
           exp->as_number()->value > static_cast<double>(unix_seconds(now)) &&
           opened.claims->text("provider") == provider_id &&
           opened.claims->text("callbackUrl") == callback_url;
}

}  // namespace authjs::auth
