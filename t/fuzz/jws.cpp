// ID tokens and their claims: the input as a token, and as header and claims that were signed.
#include "fuzz.hpp"
#include "oauth/oauth.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::setup();
    const auto input = fuzz::text_of(data, size);
    oauth::id_token_rules rules;
    rules.issuer = "https://id.example.com";
    rules.client_id = "me";
    rules.server_algs = {"RS256", "ES256", "EdDSA"};
    rules.nonce = "n";
    rules.access_token = "token";
    rules.code = "code";
    const auto judge = [&](const jose::jws& t) {
        fuzz::demand(t.claims.is_object() && t.header.is_object(), "objects");
        fuzz::accepted([&] { oauth::id_token_alg(t, rules); });
        if (fuzz::accepted([&] { oauth::check_id_token(t, rules, fuzz::now); })) {
            fuzz::demand(t.claims.text("iss") == rules.issuer, "iss is exact");
            fuzz::demand(!t.claims.text("sub").empty(), "a subject");
            fuzz::demand(t.claims.text("nonce") == "n", "the nonce");
        }
    };
    if (const auto t = jose::parse_jws(input)) {
        judge(*t);
        fuzz::demand(!jose::verify_hs(*t, "", crypto::sig::hs256), "an empty secret signs nothing");
    }
    auto rest = input;
    const auto header = json::parse(fuzz::next_line(rest));
    const auto claims = json::parse(rest);
    if (!header || !header->is_object() || !claims || !claims->is_object()) return 0;
    const auto made = jose::sign_hs(*header, *claims, "secret", crypto::sig::hs256);
    if (const auto t = jose::parse_jws(made)) {
        judge(*t);
        fuzz::demand(jose::verify_hs(*t, "secret", crypto::sig::hs256) == (t->alg == "HS256"),
                     "what was signed verifies, under its own alg alone");
    }
    return 0;
}
