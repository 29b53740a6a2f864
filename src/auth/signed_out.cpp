#include "auth/signed_out.hpp"

#include "crypto/crypto.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

std::string signed_out_key(std::string_view session_token) {
    return "out:" + base64url(crypto::digest(crypto::hash::sha256, session_token));
}

}  // namespace authjs::auth
