// Text with {name} in it, as the files of the catalogue have it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace authjs::providers {

// Answers the text to put in place of a name; empty: it has no value.
using lookup = std::function<std::optional<std::string>(std::string_view name)>;

struct expanded {
    std::string text;
    std::string missing;  // the first name without a value; empty: none
};
// expand fills every {name}, a name being letters, digits, "_" and "."; other braces stay.
expanded expand(std::string_view text, const lookup& get);

}  // namespace authjs::providers
