// jq filters of one configuration, compiled as one program (libjq 1.6 spends about 30 ms on each)
// and chosen at run time by number. Operators write them, never users: there is no time limit.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/json.hpp"

namespace authjs::providers {

// A mistake in what the operator or a catalogue file wrote; `where` is "file:line" or a file's
// name.
struct mistake {
    std::string where, message;
};

class mapping {
public:
    mapping();
    ~mapping();
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;

    // What a filter sees as its input, and the fixed head in front of it.
    enum class sees : unsigned char {
        document,  // the run's input as it is (callbacks, auth_js_set)
        profile,   // .profile of {profile, token, options, photo, callback}; $token, $options, ...
    };
    // add registers a filter before compile(); the number is what run() takes. `env`, `$ENV`,
    // `input`, `inputs`, `debug`, `stderr`, `import`, `include` are refused by compile().
    int add(std::string filter, sees what, std::string where);

    // compile turns all filters into one program. Empty: done. Otherwise the culprit (found by
    // compiling one by one) with jq's own words.
    std::optional<mistake> compile();

    // run applies filter `n` and answers its first result; empty (nullopt) if it produced none.
    // Throws error(oauth_profile_parse_error) with jq's message when it failed. Not reentrant, one
    // thread at a time; safe after fork.
    std::optional<json::value> run(int n, const json::value& input) const;

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace authjs::providers
