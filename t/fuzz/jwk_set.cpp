// Key sets, and verifying under whatever keys they hold.
#include "fuzz.hpp"
#include "jose/jws.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::setup();
    const auto set = jose::jwk_set::parse(fuzz::text_of(data, size));
    if (!set) return 0;
    fuzz::demand(set->size() <= 64, "a bounded number of keys");
    for (int i = 0; i <= static_cast<int>(crypto::sig::eddsa); ++i) {
        const auto alg = static_cast<crypto::sig>(i);
        jose::jws t;
        t.alg = crypto::sig_name(alg);
        t.signing_input = "e30.e30";
        for (const std::size_t length : {64u, 256u}) {
            t.signature.assign(length, '\1');
            fuzz::demand(!jose::verify(t, *set, alg), "nothing vouches for what it did not sign");
        }
    }
    return 0;
}
