// Discovery documents, with the header that says how long they hold.
#include "fuzz.hpp"
#include "oauth/oauth.hpp"
#include "util/url.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto answer = fuzz::answer_of(fuzz::text_of(data, size));
    const auto held = oauth::fresh_for(answer);
    fuzz::demand(held >= seconds{300} && held <= seconds{86'400}, "5 minutes to a day");
    for (const char* placeholder : {"", "{tenantid}"})
        fuzz::accepted([&] {
            const auto as =
                oauth::discovery_response(answer, "https://id.example.com/v2.0", placeholder);
            for (const auto& e : {as.authorization_endpoint, as.token_endpoint,
                                  as.userinfo_endpoint, as.jwks_uri}) {
                const auto u = parse_url(e);
                fuzz::demand(e.empty() || (u && u->scheme == "https"), "https endpoints");
                fuzz::demand(e.empty() || !oauth::is_private_host(u->host), "public endpoints");
            }
            fuzz::accepted([&] { oauth::issuer_for(as, "tenant"); });
        });
    return 0;
}
