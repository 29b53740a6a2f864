// auth_js_providers and auth_js_provider: two ways to add to one list.
#include <algorithm>
#include <array>

#include "nginx/reading.hpp"

namespace authjs::nginx {

namespace {

using provider_list = setting<std::vector<std::shared_ptr<const providers::provider>>>;

// Lines whose last word is a jq filter, where $ is jq's own.
constexpr std::array<std::string_view, 3> jq_lines{"profile", "account", "normalize"};
// Lines with key=value words, whose values may be env: and file: too.
constexpr std::array<std::string_view, 4> keyed_lines{"field", "style", "private_key",
                                                      "relying_party"};
template <std::size_t N>
bool has(const std::array<std::string_view, N>& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::string resolved_word(const reading& in, const std::string& name, std::string_view word) {
    const auto equals = word.find('=');
    if (equals != word.npos && has(keyed_lines, name)) {
        const auto value = word.substr(equals + 1);
        if (value.starts_with("env:") || value.starts_with("file:"))
            return std::string(word.substr(0, equals + 1)) + in.value(value);
    }
    return in.value(word, has(jq_lines, name));
}

void add(provider_list& to, reading& in, const providers::declaration& d) {
    auto made = in.main.loader->declare(d);
    if (made.wrong) throw conf_error(made.wrong->where, made.wrong->message);
    auto& list = in.more(to);
    for (const auto& p : list)
        if (p->id == made.made->id)
            throw conf_error(d.where, "the provider " + quoted(p->id) +
                                          " is there twice; give this one an id of its own: "
                                          "auth_js_provider " +
                                          d.id + " as another { ... }");
    list.push_back(std::move(made.made));
}

char* collect(ngx_conf_t* cf, ngx_command_t*, void* conf) {
    return conf_guard(cf, [&] {
        const auto* args = static_cast<const ngx_str_t*>(cf->args->elts);
        providers::line l{text(args[0]), {}, here(cf).text()};
        for (ngx_uint_t i = 1; i < cf->args->nelts; i++) l.values.push_back(text(args[i]));
        static_cast<std::vector<providers::line>*>(conf)->push_back(std::move(l));
    });
}

}  // namespace

char* read_provider_block(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    line made{static_cast<const directive*>(cmd->post), {}, {}, here(cf)};
    char* rc = conf_guard(cf, [&] {
        const auto* args = static_cast<const ngx_str_t*>(cf->args->elts);
        for (ngx_uint_t i = 1; i < cf->args->nelts; i++) made.words.push_back(text(args[i]));
        if (made.words.size() != 1 && !(made.words.size() == 3 && made.words[1] == "as"))
            throw conf_error(made.at, "auth_js_provider takes: id [as name] { ... }");
    });
    if (rc != NGX_CONF_OK) return rc;

    ngx_conf_t saved = *cf;
    cf->handler = collect;
    cf->handler_conf = reinterpret_cast<char*>(&made.block);
    rc = ngx_conf_parse(cf, nullptr);
    *cf = saved;
    if (rc != NGX_CONF_OK) return rc;
    return conf_guard(cf, [&] { static_cast<loc_conf*>(conf)->lines.push_back(std::move(made)); });
}

void read_providers(provider_list& to, reading& in) {
    for (const auto& id : in.rest(0)) add(to, in, {id, {}, {}, in.whole().at.text()});
}

void read_provider(provider_list& to, reading& in) {
    providers::declaration d{
        in.word(0), in.size() == 3 ? in.word(2) : "", {}, in.whole().at.text()};
    for (const auto& l : in.whole().block) {
        providers::line resolved{l.name, {}, l.where};
        try {
            for (const auto& word : l.values)
                resolved.values.push_back(resolved_word(in, l.name, word));
        } catch (const conf_error& e) {
            throw conf_error(l.where, e.what());
        }
        d.lines.push_back(std::move(resolved));
    }
    add(to, in, d);
}

}  // namespace authjs::nginx
