// Glue between cmocka and C++, included last: cmocka is C and its `fail` macro upsets the headers
// of the standard library. A test is a static function; one that an exception leaves has failed.
#pragma once

#include <algorithm>
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/ports.hpp"
#include "util/error.hpp"

extern "C" {
#include <cmocka.h>
}

namespace authjs::test {

// What a test throws that cannot run here. cmocka's own skip() jumps over destructors.
struct skipped {};

// run calls the test and turns what it throws into a failure; nothing unwinds into cmocka.
template <CMUnitTestFunction Test>
void run(void** state) {
    static std::string what;
    what.clear();
    try {
        Test(state);
        return;
    } catch (const skipped&) {
        what = "skipped";
    } catch (const std::exception& e) {
        what = e.what();
    } catch (...) {
        what = "something that is no std::exception";
    }
    if (what == "skipped") skip();
    fail_msg("threw: %s", what.c_str());
}

#define unit(function) \
    CMUnitTest { #function, authjs::test::run < function>, nullptr, nullptr, nullptr }

// failure_of answers the error that `body` ends with, or nothing if it does not fail.
template <class F>
std::optional<error> failure_of(F&& body) {
    try {
        body();
    } catch (const error& e) {
        return e;
    }
    return std::nullopt;
}

// assert_text compares and shows both when they differ, NULs included in the comparison.
inline void assert_text_at(std::string_view got, std::string_view want, const char* file,
                           int line) {
    if (got == want) return;
    print_error("got:  %.*s\nwant: %.*s\n", static_cast<int>(got.size()), got.data(),
                static_cast<int>(want.size()), want.data());
    _fail(file, line);
}
#define assert_text(got, want) authjs::test::assert_text_at((got), (want), __FILE__, __LINE__)

// A clock that stands where the test put it.
class fixed_clock final : public io::clock {
public:
    explicit fixed_clock(std::int64_t ms = 1'704'067'200'000) : at(milliseconds(ms)) {}
    instant now() override { return at; }
    instant at;
};

// Bytes 0, 1, 2, ..., continued over all draws, unless a draw was prepared with `next`.
class counting_random final : public io::random {
public:
    void fill(std::span<unsigned char> out) override {
        if (!prepared_.empty() && prepared_.front().size() == out.size()) {
            std::copy(prepared_.front().begin(), prepared_.front().end(), out.begin());
            prepared_.erase(prepared_.begin());
            return;
        }
        for (auto& b : out) b = counter_++;
    }
    void next(std::string bytes) { prepared_.push_back(std::move(bytes)); }

private:
    unsigned char counter_ = 0;
    std::vector<std::string> prepared_;
};

inline std::string file_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace authjs::test

using authjs::test::failure_of;
