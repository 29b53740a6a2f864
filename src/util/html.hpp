// Text and attributes of pages and letters, escaped as the built-in pages of Auth.js are:
// & < " become entities, nothing else.
#pragma once

#include <string>
#include <string_view>

namespace authjs::html {

std::string escape(std::string_view text);

}  // namespace authjs::html
