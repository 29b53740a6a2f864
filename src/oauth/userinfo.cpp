#include "oauth/agent.hpp"
#include "oauth/claims.hpp"
#include "oauth/issuer.hpp"
#include "oauth/refuse.hpp"

namespace authjs::oauth {

http::request userinfo_request(std::string_view endpoint, std::string_view access_token,
                               std::string_view signed_alg) {
    http::request rq;
    rq.url = endpoint;
    rq.fields = {
        {"Authorization", "Bearer " + std::string(access_token)},
        {"Accept", signed_alg.empty() ? "application/json, application/jwt" : "application/jwt"},
        {"User-Agent", std::string(agent)}};
    return rq;
}

jose::jws signed_userinfo(const http::response& answer, const server& as,
                          std::string_view client_id, std::string_view signed_alg, instant now) {
    if (answer.status < 200 || answer.status > 299)
        refuse("userinfo was answered with status " + std::to_string(answer.status));
    auto token = jose::parse_jws(answer.body);
    if (!token) refuse("the userinfo document is no signed token");
    demand(!signed_alg.empty() && token->alg == signed_alg,
           "signed userinfo: not the configured algorithm");
    const auto& claims = token->claims;
    if (claims.find("iss"))
        demand(is_issuer(as, claims.text("iss")), "signed userinfo: \"iss\" is another issuer");
    if (const auto* aud = claims.find("aud"))
        demand(has_audience(*aud, client_id), "signed userinfo: \"aud\" is not this client");
    check_times(claims, now);
    return std::move(*token);
}

void check_subject(const json::value& userinfo, const json::value& id_token_claims) {
    const auto sub = userinfo.text("sub");
    demand(!sub.empty() && sub == id_token_claims.text("sub"),
           "userinfo is about another subject than the ID token");
}

}  // namespace authjs::oauth
