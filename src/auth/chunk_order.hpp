// Walking Cookie lines and ordering the session cookie's pieces: shared by the jar and by the gate,
// which does both without the heap.
#pragma once

#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace authjs::auth {

// each_cookie calls `see(name, raw value)` for every pair of the lines, in order, trimmed, as the
// `cookie` package cuts them; it stops when `see` answers false.
template <class Lines, class F>
void each_cookie(const Lines& lines, F&& see) {
    const auto trim = [](std::string_view s) {
        while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
        while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
        return s;
    };
    for (std::string_view line : lines) {
        while (!line.empty()) {
            const auto end = line.find(';');
            const auto pair = line.substr(0, end);
            line.remove_prefix(end == line.npos ? line.size() : end + 1);
            const auto eq = pair.find('=');
            if (eq == pair.npos) continue;
            if (!see(trim(pair.substr(0, eq)), trim(pair.substr(eq + 1)))) return;
        }
    }
}

// What a raw value means: percent-decoded as a whole, or as it is where that fails; Latin-1 before.
std::string cookie_value(std::string_view raw);

// One cookie that takes part in the session: `number` is what JavaScript's parseInt makes of the
// text after the last dot ("" counts as 0); NaN where it makes none.
struct chunk {
    std::string_view name, value;
    double number;
};

inline double chunk_number(std::string_view name) noexcept {
    const auto dot = name.rfind('.');
    if (dot != name.npos) name.remove_prefix(dot + 1);
    if (name.empty()) return 0;
    const bool negative = name.front() == '-';
    if (negative || name.front() == '+') name.remove_prefix(1);
    double n = 0;
    std::size_t digits = 0;
    for (; digits < name.size() && name[digits] >= '0' && name[digits] <= '9'; ++digits)
        n = n * 10 + (name[digits] - '0');
    if (digits == 0) return std::nan("");
    return negative ? -n : n;
}

// Stable and ascending, by binary insertion as V8 sorts short arrays, where a NaN equals anything:
// so a mix of numbered and other names comes out as it does in Node.
template <class Chunks>
void order_chunks(Chunks& list) noexcept {
    for (std::size_t i = 1; i < list.size(); ++i) {
        const chunk pivot = list[i];
        std::size_t low = 0, high = i;
        while (low < high) {
            const auto mid = (low + high) / 2;
            if (pivot.number - list[mid].number < 0)
                high = mid;
            else
                low = mid + 1;
        }
        for (std::size_t k = i; k > low; --k) list[k] = list[k - 1];
        list[low] = pivot;
    }
}

}  // namespace authjs::auth
