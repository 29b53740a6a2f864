// What the fuzz targets share. A target is one function over a stranger's bytes; what must hold of
// every input is demanded, and a broken demand aborts, which libFuzzer and the replay report alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/crypto.hpp"
#include "io/http.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/time.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace authjs::fuzz {

inline void demand(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// next_line cuts the first line off: inputs of several parts are lines.
inline std::string_view next_line(std::string_view& rest) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return line;
}

inline void setup() {
    static const bool once = (crypto::setup(), true);
    (void)once;
}

// An authjs::error is the one way in which an input may be refused; anything else is a finding.
template <class F>
bool accepted(F&& body) {
    try {
        body();
        return true;
    } catch (const error& e) {
        demand(std::string_view(e.what()).find('\n') == std::string_view::npos, "one log line");
        return false;
    }
}

// The answer of a server: first line a header field, the rest the body.
inline http::response answer_of(std::string_view input) {
    http::response rs;
    rs.status = 200;
    const auto field = next_line(input);
    if (const auto colon = field.find(':'); colon != field.npos)
        rs.fields.push_back(
            {std::string(field.substr(0, colon)), std::string(field.substr(colon + 1))});
    rs.body = input;
    return rs;
}

inline constexpr instant now{seconds(1'704'067'200)};

class still_clock final : public io::clock {
public:
    instant now() override { return fuzz::now; }
};
class same_random final : public io::random {
public:
    void fill(std::span<unsigned char> out) override {
        for (auto& b : out) b = 7;
    }
};

inline bool has_controls(std::string_view s) {
    for (const unsigned char c : s)
        if (c < 0x20 || c == 0x7f) return true;
    return false;
}

}  // namespace authjs::fuzz
