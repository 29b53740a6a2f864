// What a userinfo endpoint answers: JSON, or a JWT; and what is made of it.
#include "fuzz.hpp"
#include "providers/profile.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::setup();
    const auto answer = fuzz::answer_of(fuzz::text_of(data, size));
    oauth::server as;
    as.issuer = "https://id.example.com";
    fuzz::accepted([&] {
        const auto t = oauth::signed_userinfo(answer, as, "me", "RS256", fuzz::now);
        fuzz::demand(t.alg == "RS256", "the one algorithm");
    });
    static const providers::provider plain;
    fuzz::accepted([&] {
        providers::identity_input in;
        in.profile = providers::userinfo_document(answer);
        in.token = json::make_object({{"access_token", "at"}});
        fuzz::accepted([&] {
            oauth::check_subject(in.profile, json::make_object({{"sub", "ada"}}));
            fuzz::demand(in.profile.text("sub") == "ada", "the same subject");
        });
        fuzz::accepted([&] {
            const auto u = providers::map_profile(plain, in);
            fuzz::demand(!u.account_id.empty() || in.profile.find("sub") || in.profile.find("id"),
                         "an id that the profile holds");
        });
    });
    providers::take_photo(answer);
    return 0;
}
