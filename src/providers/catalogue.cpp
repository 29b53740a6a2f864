#include "providers/catalogue.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

#include "providers/catalogue_data.hpp"
#include "util/bytes.hpp"

namespace authjs::providers {

std::vector<std::string_view> catalogue_ids() {
    std::vector<std::string_view> ids;
    for (const auto& file : embedded_files()) ids.push_back(file.id);
    std::ranges::sort(ids);
    return ids;
}

namespace {

// distance counts insertions, deletions, replacements and swaps of neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    std::iota(last.begin(), last.end(), 0);
    for (std::size_t i = 1; i <= a.size(); i++) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); j++) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before = std::exchange(last, now);
    }
    return last[b.size()];
}

// What is compared: lower case, without the dashes and underscores that people forget.
std::string essence(std::string_view word) {
    std::string out;
    for (const unsigned char c : word)
        if (std::isalnum(c)) out += static_cast<char>(std::tolower(c));
    return out;
}

}  // namespace

std::vector<std::string> nearest(std::string_view word,
                                 const std::vector<std::string_view>& known) {
    const std::string meant = essence(word);
    std::vector<std::pair<std::size_t, std::string_view>> found;
    for (const auto name : known) {
        const std::string is = essence(name);
        const bool inside = meant.size() >= 4 && (is.starts_with(meant) || is.ends_with(meant) ||
                                                  (is.size() >= 4 && meant.starts_with(is)));
        const auto far = inside ? 1 : distance(meant, is);
        if (far <= std::max<std::size_t>(1, meant.size() / 3)) found.emplace_back(far, name);
    }
    std::ranges::stable_sort(found, {}, &std::pair<std::size_t, std::string_view>::first);
    std::vector<std::string> out;
    for (const auto& [far, name] : found)
        if (out.size() < 3) out.emplace_back(name);
    return out;
}

std::string known_are(const std::vector<std::string_view>& known) {
    std::string out;
    if (known.size() > 50) return out;
    for (const auto name : known) out.append(out.empty() ? "known are " : ", ").append(name);
    return out;
}

}  // namespace authjs::providers
