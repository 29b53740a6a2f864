// nginx refuses a directive that no module has, or not there, by itself; no module is asked. What
// it says goes through the log that the configuration is read with, so that log is where we listen.
#include <algorithm>

#include "nginx/reading.hpp"

namespace authjs::nginx {

namespace {

// What stands between `before` and `after`, or nothing.
std::string_view between(std::string_view text, std::string_view before, std::string_view after) {
    const auto at = text.find(before);
    if (at == text.npos) return {};
    text.remove_prefix(at + before.size());
    const auto end = text.find(after);
    return end == text.npos ? std::string_view{} : text.substr(0, end);
}

std::string places_of(const directive& d) {
    static constexpr std::pair<ngx_uint_t, std::string_view> table[] = {
        {NGX_HTTP_MAIN_CONF, "http"},
        {NGX_HTTP_SRV_CONF, "server"},
        {NGX_HTTP_LOC_CONF, "location"}};
    std::string list;
    for (const auto& [scope, name] : table)
        if (d.scopes & scope) list += (list.empty() ? "" : ", ") + std::string(name);
    return list;
}

struct cure {
    std::string_view before, after;  // of the directive's name, in what nginx says
    std::string (*text)(std::string_view name);
};
constexpr cure cures[] = {
    {"unknown directive \"", "\"",
     [](std::string_view name) {
         auto known = directive_names();
         std::erase(known, "auth_js");  // the beginning of every name is near to none
         return "there is no directive " + quoted(name) + meant(name, known);
     }},
    {": \"", "\" directive is not allowed here",
     [](std::string_view name) {
         const auto* d = find_directive(name);
         return d == nullptr ? std::string()
                             : std::string(name) + " stands in " + places_of(*d) + ", not here";
     }},
    {"directive \"", "\" has no opening \"{\"",
     [](std::string_view name) {
         return std::string(name) +
                " opens a block { }; for providers that need none write auth_js_providers";
     }},
};

// The writer sees the whole line: time, level, process, message, and " in FILE:LINE".
void listen(ngx_log_t* log, ngx_uint_t level, u_char* text, size_t length) noexcept {
    if (level != NGX_LOG_EMERG) return;
    guard(log->next, [&] {
        std::string_view line(reinterpret_cast<const char*>(text), length);
        while (line.ends_with('\n')) line.remove_suffix(1);
        for (const auto& c : cures) {
            const auto name = between(line, c.before, c.after);
            const auto in = line.rfind(" in ");
            if (!name.starts_with("auth_js") || in == line.npos) continue;
            const auto said = c.text(name) + std::string(line.substr(in));
            ngx_log_error(NGX_LOG_EMERG, log->next, 0, "%*s", said.size(), said.data());
        }
    });
}

}  // namespace

void give_hints(ngx_conf_t* cf) noexcept {
    auto* ours = static_cast<ngx_log_t*>(ngx_palloc(cf->pool, sizeof(ngx_log_t)));
    if (ours == nullptr) return;
    *ours = *cf->log;
    ours->writer = listen;
    ours->next = cf->log;
    cf->log = ours;  // ngx_http_block puts its own back
}

}  // namespace authjs::nginx
