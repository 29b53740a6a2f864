// JSON texts: what is read and written again is the same value.
#include "fuzz.hpp"
#include "util/bytes.hpp"

using namespace authjs;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto v = json::parse(fuzz::text_of(data, size));
    if (!v) return 0;
    for (const auto& text : {json::stringify(*v), json::stringify_ascii(*v)}) {
        const auto again = json::parse(text, {std::size_t(-1), 64});
        fuzz::demand(again && json::stringify(*again) == json::stringify(*v), "the same value");
        for (const unsigned char c : text) fuzz::demand(c >= 0x20, "controls are escaped");
    }
    json::text_of(*v);
    return 0;
}
