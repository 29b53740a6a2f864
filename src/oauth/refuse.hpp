// What an authorization server answered wrongly ends the callback under one name: which check
// failed stands in the log, never in what the browser is told.
#pragma once

#include <string>

#include "util/error.hpp"

namespace authjs::oauth {

[[noreturn]] inline void refuse(std::string why) {
    throw error(code::callback_route_error, std::move(why));
}
inline void demand(bool holds, const char* why) {
    if (!holds) refuse(why);
}

// A provider's own words for the log: bounded, since anybody may have written them.
inline std::string_view excerpt(std::string_view text) noexcept { return text.substr(0, 200); }

}  // namespace authjs::oauth
