// What a browser brings back from the provider, in a query or a posted form.
#include "fuzz.hpp"
#include "oauth/oauth.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto given = params::parse(fuzz::text_of(data, size));
    oauth::server as;
    as.issuer = "https://id.example.com";
    for (const bool told : {false, true}) {
        as.iss_parameter = told;
        fuzz::accepted([&] {
            const auto g = oauth::authorization_response(as, given, "s", "https://app/cb");
            fuzz::demand(given.count("state") == 1 && *given.first("state") == "s", "the state");
            fuzz::demand(given.count("code") == 1 && g.code == *given.first("code"), "one code");
            fuzz::demand(!told || *given.first("iss") == as.issuer, "the issuer");
        });
    }
    return 0;
}
