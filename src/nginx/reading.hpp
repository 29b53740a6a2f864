// Understanding one recorded line: its words with env:, file: and $ resolved, its key=value
// options, and mistakes that say what to write instead.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nginx/conf.hpp"

namespace authjs::nginx {

// A row of the table of directives. `apply` is null for those that act when nginx reads them.
struct directive {
    const char* name;
    ngx_uint_t scopes;  // NGX_HTTP_MAIN_CONF | ...
    std::size_t least, most;
    const char* syntax;  // what a wrong number of words is answered with
    enum group : unsigned char { gate, flow, whole } belongs;
    void (*apply)(class reading& in, void* conf);
    char* (*act)(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
};

constexpr std::size_t many = 1000;

class reading {
public:
    // `level` identifies the nginx level that the line belongs to.
    reading(ngx_conf_t* cf, main_conf& main, const line& from, const void* level)
        : cf(cf), main(main), from_(from), level_(level) {}

    ngx_conf_t* cf;
    main_conf& main;

    std::size_t size() const noexcept { return from_.words.size(); }
    const std::string& raw(std::size_t i) const { return from_.words.at(i); }
    std::string word(std::size_t i) const { return value(raw(i)); }
    std::vector<std::string> rest(std::size_t from) const;
    const line& whole() const noexcept { return from_; }
    std::string_view directive_name() const noexcept { return from_.of->name; }

    // value resolves one word; a literal $ must be $$ (directives.md), unless `dollars`.
    std::string value(std::string_view word, bool dollars = false) const;

    [[noreturn]] void fail(const std::string& message) const;
    void warn(const std::string& message) const;

    // fresh: the setting as this line will fill it; a second one at the same level is a mistake.
    template <class T>
    T& fresh(setting<T>& s, const T& initial) const {
        if (s.level == level_) duplicate();
        s.value = initial;
        return mark(s);
    }
    // more: the same for what several lines of one level fill together, replacing what is
    // inherited.
    template <class T>
    T& more(setting<T>& s) const {
        if (s.level != level_) s.value = T{};
        return mark(s);
    }

    // options calls f(name, value) for every key=value word from `from` on; unknown names and those
    // given twice are mistakes.
    void options(
        std::size_t from, const std::vector<std::string_view>& known,
        const std::function<void(std::string_view name, const std::string& value)>& f) const;

    bool flag(const std::string& word, std::string_view of) const;  // on | off
    std::chrono::seconds time(const std::string& word, std::string_view of) const;
    milliseconds milli(const std::string& word, std::string_view of) const;

    // choice: the row of `table` that `word` names.
    template <class T, std::size_t N>
    T choice(const std::string& word, std::string_view of,
             const std::pair<std::string_view, T> (&table)[N]) const {
        std::vector<std::string_view> names;
        for (const auto& [name, v] : table) {
            if (name == word) return v;
            names.push_back(name);
        }
        not_one_of(word, of, names);
    }
    [[noreturn]] void not_one_of(const std::string& word, std::string_view of,
                                 const std::vector<std::string_view>& names) const;

private:
    template <class T>
    T& mark(setting<T>& s) const {
        s.at = from_.at;
        s.level = level_;
        return s.value;
    }
    [[noreturn]] void duplicate() const;

    const line& from_;
    const void* level_;
};

// meant: `, did you mean "a" or "b"?`, or when no known name is near, what they are if they are
// few.
std::string meant(std::string_view word, const std::vector<std::string_view>& known);
std::string quoted(std::string_view s);

// The table (directives.cpp), and nginx's commands made from it.
ngx_command_t* commands();
std::vector<std::string_view> directive_names();
const directive* find_directive(std::string_view name) noexcept;  // or null
// apply_lines lays a level's lines over inherited settings. Throws conf_error.
void apply_lines(ngx_conf_t* cf, main_conf& main, const std::vector<line>& lines, const void* level,
                 directive::group group, void* conf);
bool has_lines(const std::vector<line>& lines, directive::group group) noexcept;

// conf_guard runs what nginx calls while it reads its configuration.
template <class F>
char* conf_guard(ngx_conf_t* cf, F&& body) noexcept {
    try {
        body();
        return NGX_CONF_OK;
    } catch (const conf_error& e) {
        warn(cf, e.where(), e.what(), NGX_LOG_EMERG);
    } catch (const std::exception& e) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "auth_js: %s", e.what());
    }
    return static_cast<char*>(NGX_CONF_ERROR);
}

// provider_block.cpp
char* read_provider_block(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
void read_providers(setting<std::vector<std::shared_ptr<const providers::provider>>>& s,
                    reading& in);
void read_provider(setting<std::vector<std::shared_ptr<const providers::provider>>>& s,
                   reading& in);

// hint.cpp: while http { } is read, what nginx says of a directive of ours that it does not know or
// does not allow there is preceded by what to write instead.
void give_hints(ngx_conf_t* cf) noexcept;

// variables.cpp
char* read_set(ngx_conf_t* cf, ngx_command_t* cmd, void* conf);
ngx_int_t add_variables(ngx_conf_t* cf);

// site.cpp: makes the auth::config of a site when its first location needs it. Throws conf_error.
void need(ngx_conf_t* cf, main_conf& main, site_conf& site, const std::string& where);
// check_sites judges what can only be judged when every provider is complete.
void check_sites(ngx_conf_t* cf, main_conf& main);

}  // namespace authjs::nginx
