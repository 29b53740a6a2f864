#include "nginx/environment.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace authjs::nginx {

std::string place::text() const { return std::string(view(file)) + ":" + std::to_string(line); }

place here(ngx_conf_t* cf) noexcept {
    if (cf->conf_file == nullptr) return {ngx_string("command line"), 0};
    return {cf->conf_file->file.name, cf->conf_file->line};
}

void warn(ngx_conf_t* cf, std::string_view where, std::string_view message, ngx_uint_t level) {
    const auto m = copy(cf->pool, message), w = copy(cf->pool, where);
    if (m.data && w.data) ngx_log_error(level, cf->log, 0, "%V in %V", &m, &w);
}

std::optional<std::string> read_whole(const std::string& path, std::string& why) {
    constexpr std::size_t limit = 1u << 20;
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        why = std::strerror(errno);
        return std::nullopt;
    }
    std::string all(limit + 1, '\0');
    in.read(all.data(), static_cast<std::streamsize>(all.size()));
    if (in.bad()) {
        why = "it cannot be read";
        return std::nullopt;
    }
    all.resize(static_cast<std::size_t>(in.gcount()));
    if (all.size() > limit) {
        why = "it is larger than 1 MiB";
        return std::nullopt;
    }
    return all;
}

bool environment::lenient() noexcept { return ngx_process == NGX_PROCESS_SIGNALLER; }

std::string environment::absolute(std::string_view path) const {
    ngx_str_t name = copy(cf_->pool, path);
    if (name.data == nullptr || ngx_conf_full_name(cf_->cycle, &name, 1) != NGX_OK)
        throw std::bad_alloc();
    return std::string(view(name));
}

namespace {

bool is_name(std::string_view s) {
    if (s.empty() || std::isdigit(static_cast<unsigned char>(s.front()))) return false;
    for (const char c : s)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return false;
    return true;
}

std::string_view trim(std::string_view s) {
    const auto blank = " \t\r";
    const auto from = s.find_first_not_of(blank);
    if (from == s.npos) return {};
    return s.substr(from, s.find_last_not_of(blank) - from + 1);
}

// One value: quoted, or up to a comment that a blank sets off. Empty on a quote that does not end.
std::optional<std::string> env_value(std::string_view s) {
    if (!s.empty() && (s.front() == '\'' || s.front() == '"')) {
        const char quote = s.front();
        std::string out;
        for (std::size_t i = 1; i < s.size(); i++) {
            if (s[i] == quote) {
                const auto rest = trim(s.substr(i + 1));
                if (!rest.empty() && rest.front() != '#') return std::nullopt;
                return out;
            }
            if (quote == '"' && s[i] == '\\' && i + 1 < s.size()) {
                const char c = s[++i];
                out += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
            } else {
                out += s[i];
            }
        }
        return std::nullopt;
    }
    for (std::size_t i = 0; i < s.size(); i++)
        if (s[i] == '#' && (i == 0 || s[i - 1] == ' ' || s[i - 1] == '\t')) {
            s = s.substr(0, i);
            break;
        }
    return std::string(trim(s));
}

}  // namespace

void environment::read_file(std::string_view path, const place& at) {
    const auto name = absolute(path);
    std::string why;
    const auto all = read_whole(name, why);
    if (!all) {
        if (lenient()) return;
        throw conf_error(at, "auth_js_env_file \"" + name + "\" cannot be read: " + why);
    }
    struct stat st {};
    if (stat(name.c_str(), &st) == 0 && (st.st_mode & S_IROTH))
        warn(cf_, at.text(),
             "auth_js_env_file \"" + name + "\" can be read by everybody; chmod 600 it");

    std::size_t number = 0;
    for (std::string_view rest = *all; !rest.empty();) {
        const auto end = rest.find('\n');
        auto text = trim(rest.substr(0, end));
        rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
        number++;
        if (text.empty() || text.front() == '#') continue;
        if (text.starts_with("export ") || text.starts_with("export\t"))
            text = trim(text.substr(7));
        const auto equals = text.find('=');
        const auto key = trim(text.substr(0, equals));
        const auto value =
            equals == text.npos ? std::nullopt : env_value(trim(text.substr(equals + 1)));
        if (!is_name(key) || !value)
            throw conf_error(name + ":" + std::to_string(number),
                             "a line of auth_js_env_file is NAME=value, NAME='value' or a # "
                             "comment; this one is none of them");
        file_[std::string(key)] = *value;
    }
}

std::optional<std::string> environment::find(std::string_view name) {
    if (const auto it = file_.find(name); it != file_.end()) return it->second;
    const std::string key(name);
    const char* value = std::getenv(key.c_str());
    if (value == nullptr) return std::nullopt;
    if (noted_.insert(key).second) {
        // nginx looks at data[len]: the name must end in NUL or "=".
        auto* core =
            reinterpret_cast<ngx_core_conf_t*>(ngx_get_conf(cf_->cycle->conf_ctx, ngx_core_module));
        auto* slot = static_cast<ngx_str_t*>(ngx_array_push(&core->env));
        const auto entry = copy(cf_->cycle->pool, name);
        if (slot == nullptr || entry.data == nullptr) throw std::bad_alloc();
        *slot = entry;
    }
    return value;
}

std::string environment::resolve(std::string_view word, const place& at, bool& resolved) {
    resolved = true;
    if (word.starts_with("env:")) {
        const auto name = word.substr(4);
        if (auto value = find(name)) return *value;
        if (lenient()) throw unseen{};
        throw conf_error(at, "the variable " + std::string(name) + " (" + std::string(word) +
                                 ") is neither in auth_js_env_file nor in nginx's environment");
    }
    if (word.starts_with("file:")) {
        const auto name = absolute(word.substr(5));
        std::string why;
        auto all = read_whole(name, why);
        if (!all) {
            if (lenient()) throw unseen{};
            throw conf_error(at, "\"" + std::string(word) + "\" cannot be read: " + why);
        }
        if (all->ends_with('\n')) all->pop_back();
        return *all;
    }
    resolved = false;
    return std::string(word);
}

}  // namespace authjs::nginx
