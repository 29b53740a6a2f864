// The environment of a configuration: auth_js_env_file first, then what nginx was started with.
// Whatever is read from the latter goes onto nginx's `env` list, so that a binary upgrade keeps it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>

#include "nginx/ngx.hpp"

namespace authjs::nginx {

// Where a line stands. The file's name lives in the configuration's pool.
struct place {
    ngx_str_t file = ngx_null_string;
    ngx_uint_t line = 0;
    std::string text() const;  // file:line
};
place here(ngx_conf_t* cf) noexcept;

// A mistake in the configuration: what to write instead, and where it stands ("file:line").
class conf_error : public std::runtime_error {
public:
    conf_error(const place& at, const std::string& message) : conf_error(at.text(), message) {}
    conf_error(std::string where, const std::string& message)
        : std::runtime_error(message), where_(std::move(where)) {}
    const std::string& where() const noexcept { return where_; }

private:
    std::string where_;
};

// What a signalling process (nginx -s) meets instead of a value that it cannot see: its line is
// taken for right.
struct unseen {};

void warn(ngx_conf_t* cf, std::string_view where, std::string_view message,
          ngx_uint_t level = NGX_LOG_WARN);

class environment {
public:
    explicit environment(ngx_conf_t* cf) : cf_(cf) {}

    // read_file takes NAME=value lines in (`export`, # comments, quotes; no expansion); a later
    // file and a later line win. Throws conf_error; warns when others can read the file.
    void read_file(std::string_view path, const place& at);

    // find answers a variable, or empty. A value that only nginx's own environment has is noted.
    std::optional<std::string> find(std::string_view name);
    // from_process is whether the last find() of `name` was answered by the process's environment.
    bool from_process(std::string_view name) const { return noted_.contains(std::string(name)); }

    // resolve turns env:NAME and file:PATH into what they name; anything else comes back as it is.
    // `resolved` tells which. Throws conf_error when it is missing, unseen in a signalling process.
    std::string resolve(std::string_view word, const place& at, bool& resolved);

    // absolute puts a relative path under the configuration's prefix.
    std::string absolute(std::string_view path) const;
    // lenient: nginx -s, which must work from an empty environment.
    static bool lenient() noexcept;

private:
    ngx_conf_t* cf_;
    std::map<std::string, std::string, std::less<>> file_;
    std::set<std::string, std::less<>> noted_;
};

// The whole content of a file, or why not. At most 1 MiB.
std::optional<std::string> read_whole(const std::string& path, std::string& why);

}  // namespace authjs::nginx
