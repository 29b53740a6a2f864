#include "providers/template.hpp"

#include <algorithm>
#include <cctype>

namespace authjs::providers {

expanded expand(std::string_view text, const lookup& get) {
    expanded out;
    for (std::size_t at = 0; at < text.size();) {
        const auto open = text.find('{', at);
        const auto close = open == text.npos ? text.npos : text.find('}', open);
        if (close == text.npos) {
            out.text += text.substr(at);
            break;
        }
        const auto name = text.substr(open + 1, close - open - 1);
        const bool is_name = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
            return std::isalnum(c) || c == '_' || c == '.';
        });
        out.text += text.substr(at, open - at);
        if (!is_name) {
            out.text += '{';
            at = open + 1;
            continue;
        }
        if (auto value = get(name))
            out.text += *value;
        else if (out.missing.empty())
            out.missing = name;
        at = close + 1;
    }
    return out;
}

}  // namespace authjs::providers
