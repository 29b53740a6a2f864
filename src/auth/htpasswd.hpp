// Password files of htpasswd(1) and crypt(3).
#pragma once

#include <string>
#include <string_view>

#include "io/ports.hpp"
#include "util/task.hpp"

namespace authjs::auth {

// check_password is whether `file` has the user with this password. Reading the file (again, when
// it changed) and hashing happen in the pool, never on the loop. A name that the file does not have
// costs as much as any other: every attempt hashes once for each kind of hash in the file (sec 94).
// Throws error(unavailable) when 64 attempts of this process are waiting or the pool is full,
// error(configuration) when the file cannot be read.
task<bool> check_password(io::offload& pool, std::string file, std::string name,
                          std::string password);

// matches compares a password with one hash of such a file: $apr1$, {SHA}, and what crypt(3)
// knows ($2y$, $5$, $6$, $y$, $1$, DES). Unknown kinds match nothing. Slow on purpose.
bool matches(std::string_view password, const std::string& hash);

// hash_calls counts calls of matches() in this process, for tests of the rule above.
unsigned long hash_calls() noexcept;

}  // namespace authjs::auth
