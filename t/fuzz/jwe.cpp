// Session tokens: the input as a token, and as what a key holder sealed.
#include "jose/jwe.hpp"
#include "fuzz.hpp"
#include "util/bytes.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::setup();
    static const jose::key_ring ring(
        {secret("0123456789abcdef0123456789abcdef"), secret("an older one")},
        "authjs.session-token");
    const auto input = fuzz::text_of(data, size);
    const auto judge = [](const jose::opened& o) {
        fuzz::demand((o.why == jose::refusal::none) == o.claims.has_value(), "claims or a reason");
        fuzz::demand(!o.claims || o.claims->is_object(), "claims are an object");
    };
    judge(jose::decode(ring, input, fuzz::now));

    // First line: a header; the rest: the plaintext under the first key.
    auto rest = input;
    const auto header = base64url(fuzz::next_line(rest));
    const std::string iv(16, 'i');
    for (const auto& [h, plain] :
         {std::pair{std::string_view(header), rest}, {std::string_view(ring.header()), input}}) {
        const auto out = crypto::cbc_hs512_seal(ring.keys().front().cbc.reveal(), iv, h, plain);
        judge(jose::decode(ring,
                           std::string(h) + ".." + base64url(iv) + "." + base64url(out.ciphertext) +
                               "." + base64url(out.tag),
                           fuzz::now));
    }
    return 0;
}
