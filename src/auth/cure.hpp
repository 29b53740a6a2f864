// What an operator does about a failure that the log reports.
#pragma once

#include <string_view>

#include "util/error.hpp"

namespace authjs::auth {

// cure_of is half a sentence that names what to look at or change, or empty where the failure is
// the visitor's. Static storage.
std::string_view cure_of(const error& e) noexcept;

}  // namespace authjs::auth
