// What a token endpoint answers.
#include "fuzz.hpp"
#include "oauth/oauth.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::still_clock clock;
    auto answer = fuzz::answer_of(fuzz::text_of(data, size));
    for (const int status : {200, 201, 400, 500})
        for (const bool told : {false, true}) {
            answer.status = status;
            fuzz::accepted([&] {
                const auto t = oauth::token_response(answer, clock, told);
                fuzz::demand(t.all.is_object(), "an object");
                fuzz::demand(status / 100 == 2, "no tokens from a failure");
            });
        }
    return 0;
}
