#include "auth/config.hpp"

#include <map>

namespace authjs::auth {
namespace {

// The cookies whose values are tokens; each name is the salt of its keys.
constexpr which encrypted[] = {which::session_token, which::pkce_code_verifier, which::state,
                               which::nonce, which::webauthn_challenge};

}  // namespace

void finish(config& cf) {
    std::string joined;
    for (const auto& s : cf.secrets) {
        if (&s != &cf.secrets.front()) joined += ',';
        joined += s.reveal();
    }
    cf.joined_secret = secret(joined);
    wipe(joined);

    // Two cookies of one name share their keys.
    std::map<std::string, jose::key_ring, std::less<>> known;
    const auto ring = [&](const std::string& salt) -> const jose::key_ring& {
        const auto at = known.find(salt);
        if (at != known.end()) return at->second;
        return known.emplace(salt, jose::key_ring(cf.secrets, salt)).first->second;
    };
    for (auto* set : {&cf.plain, &cf.secured})
        for (const which w : encrypted) {
            auto& kind = set->kinds[static_cast<std::size_t>(w)];
            kind.ring = ring(kind.name);
        }
    cf.state_ring = ring("encodedState");
    cf.challenge_ring = ring("encodedWebauthnChallenge");
    cf.go_ring = ring("authjs.go");
}

}  // namespace authjs::auth
