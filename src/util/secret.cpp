#include "util/secret.hpp"

namespace authjs {

void wipe(std::string& text) noexcept {
    // The whole buffer, not only the current length: what was longer once may still stand there.
    // Growing to the capacity never allocates.
    text.resize(text.capacity());
    volatile char* p = text.data();
    for (std::size_t n = text.size(); n > 0; --n) *p++ = 0;
    text.clear();
}

}  // namespace authjs
