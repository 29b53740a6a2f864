// Addresses that letters are sent to: what passes is one recipient, in one header line.
#include "auth/email.hpp"

#include "fuzz.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::accepted([&] {
        const auto address = auth::normalize_identifier(fuzz::text_of(data, size));
        fuzz::demand(!fuzz::has_controls(address), "no control characters");
        auth::demand_one_recipient(address);
        fuzz::demand(address.size() <= 254, "RFC 5321's length");
        fuzz::demand(address.find_first_of(" ,;:<>\"\\") == address.npos, "one recipient");
    });
    return 0;
}
