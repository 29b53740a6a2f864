#include <openssl/rand.h>

#include "crypto/openssl.hpp"
#include "util/error.hpp"

namespace authjs::crypto {

void system_random::fill(std::span<unsigned char> out) {
    const quiet errors;
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        throw error(code::auth_error, "the system has no random bytes");
}

}  // namespace authjs::crypto
