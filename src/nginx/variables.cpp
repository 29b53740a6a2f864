// The variables, one row each; not cacheable, decided on first use, in any phase.
#include <algorithm>

#include "nginx/access.hpp"
#include "nginx/handler.hpp"
#include "nginx/headers_in.hpp"
#include "nginx/reading.hpp"
#include "nginx/runtime.hpp"
#include "util/bytes.hpp"

namespace authjs::nginx {

namespace {

constexpr std::string_view claim_prefix = "auth_js_claim_";
// Its name cannot be written in a configuration.
constexpr std::string_view state_name = "auth_js state";

// What a row sees: the session if there is one, and where it is asked.
struct asked {
    ngx_http_request_t* r;
    const loc_conf& level;
    const session_state* state;         // null: nothing was opened
    const auth::session_view* session;  // null: no session
    const void* data;
};

std::string json_text(const json::value& v) {
    if (const auto* s = v.as_string()) return *s;
    if (v.is_null()) return {};
    if (v.is_array() || v.is_object()) return json::stringify(v);
    return json::text_of(v);
}

// Member `name` of an object, without case: the exact spelling wins, else there must be just one.
const json::value* member(const json::value& from, std::string_view name) {
    if (const auto* exact = from.find(name)) return exact;
    const json::value* found = nullptr;
    if (const auto* members = from.as_object())
        for (const auto& m : *members)
            if (iequals(m.name, name)) {
                if (found != nullptr) return nullptr;
                found = &m.val;
            }
    return found;
}

std::string claim(const asked& a) {
    const auto name = view(*static_cast<const ngx_str_t*>(a.data)).substr(claim_prefix.size());
    const auto& from = a.session->claims.is_null() ? a.session->user : a.session->claims;
    const auto* found = member(from, name);
    return found != nullptr ? json_text(*found) : std::string();
}

std::string token(const asked& a) {
    return a.session->claims.is_null() ? std::string() : json::stringify_ascii(a.session->claims);
}

std::string session(const asked& a) {
    return json::stringify_ascii(auth::default_session(*a.state->by, *a.session));
}

std::string filtered(const asked& a) {
    const auto& set = *static_cast<const set_variable*>(a.data);
    const auto whole = auth::default_session(*a.state->by, *a.session);
    const auto* user = whole.find("user");
    const auto input = json::make_object({{"token", a.session->claims},
                                          {"user", user != nullptr ? *user : json::value()},
                                          {"expires", iso_text(a.session->expires)}});
    const auto result = main_of(a.r)->filters->run(set.number, input);
    return result ? json_text(*result) : std::string();
}

std::string status(const asked& a) {
    return a.state != nullptr && a.state->by != nullptr
               ? std::string(auth::status_name(a.state->shown))
               : std::string();
}

// A new token needs its cookie: none once the headers are out, or where the handler sets its own.
std::string csrf_token(const asked& a) {
    const auto& cf = *config_of(a.r);
    if (cf.csrf == auth::csrf_mode::off) return {};
    auto& st = state_of(a.r);
    if (!st.csrf) {
        auto made = auth::csrf_of(cf, https_of(a.r), auth::cookie_jar::parse(cookie_lines(a.r)),
                                  worker::current().random);
        if (!made.known && (a.r->main->header_sent || st.answered || a.level.handler)) return {};
        st.csrf = std::move(made);
    }
    return st.csrf->token;
}

// What must be there for a row to say anything.
enum class needs : unsigned char { session, judgement, config, nothing };
struct variable {
    std::string_view name;
    needs what;
    std::string (*text)(const asked& a);
};

constexpr variable variables[] = {
    {"auth_js_user_id", needs::session, [](const asked& a) { return a.session->user_id; }},
    {"auth_js_name", needs::session, [](const asked& a) { return a.session->name; }},
    {"auth_js_email", needs::session, [](const asked& a) { return a.session->email; }},
    {"auth_js_image", needs::session, [](const asked& a) { return a.session->image; }},
    {"auth_js_expires", needs::session,
     [](const asked& a) { return iso_text(a.session->expires); }},
    {"auth_js_provider", needs::session, [](const asked& a) { return a.session->provider; }},
    {"auth_js_session", needs::session, session},
    {"auth_js_token", needs::session, token},
    {claim_prefix, needs::session, claim},
    {"auth_js_status", needs::judgement, status},
    {"auth_js_csrf_token", needs::config, csrf_token},
    {"auth_js_signin_url", needs::config,
     [](const asked& a) { return sign_in_url(a.r, a.level, false); }},
    {"auth_js_signout_url", needs::config,
     [](const asked& a) { return sign_out_url(a.r, a.level); }},
    {"auth_js_error", needs::nothing, [](const asked& a) { return std::string(error_of(a.r)); }},
    {"auth_js_version", needs::nothing, [](const asked&) { return std::string(AUTH_JS_VERSION); }},
};
constexpr variable set_row{"auth_js_set", needs::session, filtered};

// What a location knows of the session: judged here if it is protected, else what an earlier one of
// the same request found; `auth_js off` opens nothing.
session_state* look(ngx_http_request_t* r, const loc_conf& level) {
    if (level.site == nullptr || !level.site->config ||
        (*level.gate->protect == gate::off && !level.verify))
        return find_state(r);
    auto& st = state_of(r);
    judge(r, level, st);
    return &st;
}

ngx_int_t answer(ngx_http_request_t* r, ngx_http_variable_value_t* v, const variable& row,
                 const void* data) noexcept {
    *v = {};
    v->not_found = 1;
    return guard(r->connection->log, ngx_int_t{NGX_ERROR}, [&]() -> ngx_int_t {
        auto* level = level_of(r);
        if (level == nullptr || level->gate == nullptr) return NGX_OK;
        if (row.what == needs::config && config_of(r) == nullptr) return NGX_OK;
        const auto* st =
            row.what == needs::session || row.what == needs::judgement ? look(r, *level) : nullptr;
        if (st != nullptr && st->verdict.ask_store) {
            if (!std::exchange(level->asked_early, true))
                ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                              "auth_js: a variable of a database session was asked for before the "
                              "access phase and is empty; a map of it must be volatile");
            return NGX_OK;
        }
        const auto* s = st != nullptr && st->verdict.status == auth::status::ok
                            ? st->verdict.session.get()
                            : nullptr;
        if (row.what == needs::session && s == nullptr) return NGX_OK;
        const auto text = copy(r->pool, without_controls(row.text({r, *level, st, s, data})));
        if (text.data == nullptr) return NGX_ERROR;
        v->len = static_cast<unsigned>(text.len);
        v->data = text.data;
        v->valid = 1;
        v->not_found = 0;
        return NGX_OK;
    });
}

ngx_int_t get(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    return answer(r, v, *reinterpret_cast<const variable*>(data), nullptr);
}
ngx_int_t get_claim(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    const auto row = std::find_if(std::begin(variables), std::end(variables),
                                  [](const auto& x) { return x.name == claim_prefix; });
    return answer(r, v, *row, reinterpret_cast<const void*>(data));
}
ngx_int_t get_set(ngx_http_request_t* r, ngx_http_variable_value_t* v, uintptr_t data) {
    return answer(r, v, set_row, reinterpret_cast<const void*>(data));
}
ngx_int_t get_nothing(ngx_http_request_t*, ngx_http_variable_value_t* v, uintptr_t) {
    v->not_found = 1;
    return NGX_OK;
}

ngx_http_variable_t* add(ngx_conf_t* cf, std::string_view name, ngx_uint_t flags) {
    auto text = copy(cf->pool, name);
    return text.data != nullptr ? ngx_http_add_variable(cf, &text, flags) : nullptr;
}

}  // namespace

ngx_int_t add_variables(ngx_conf_t* cf) {
    give_hints(cf);
    for (const auto& row : variables) {
        const bool prefix = row.name == claim_prefix;
        auto* v = add(cf, row.name, NGX_HTTP_VAR_NOCACHEABLE | (prefix ? NGX_HTTP_VAR_PREFIX : 0));
        if (v == nullptr) return NGX_ERROR;
        v->get_handler = prefix ? get_claim : get;
        v->data = reinterpret_cast<uintptr_t>(&row);
    }
    auto* hidden = add(cf, state_name, NGX_HTTP_VAR_NOCACHEABLE | NGX_HTTP_VAR_NOHASH);
    if (hidden == nullptr) return NGX_ERROR;
    hidden->get_handler = get_nothing;
    auto name = copy(cf->pool, state_name);
    auto* main =
        static_cast<main_conf*>(ngx_http_conf_get_module_main_conf(cf, ngx_http_auth_js_module));
    main->state_index = name.data != nullptr ? ngx_http_get_variable_index(cf, &name) : NGX_ERROR;
    return main->state_index == NGX_ERROR ? NGX_ERROR : NGX_OK;
}

char* read_set(ngx_conf_t* cf, ngx_command_t*, void*) {
    return conf_guard(cf, [&] {
        const auto* args = static_cast<const ngx_str_t*>(cf->args->elts);
        if (cf->args->nelts != 3 || args[1].len < 2 || args[1].data[0] != '$')
            throw conf_error(here(cf), "auth_js_set takes: $name 'jq filter'");
        const auto name = view(args[1]).substr(1);
        if (name.starts_with("auth_js_"))
            throw conf_error(here(cf),
                             "auth_js_set: names that begin with auth_js_ are the "
                             "module's own; take another for " +
                                 quoted(view(args[1])));
        auto* v = add(cf, name, NGX_HTTP_VAR_NOCACHEABLE);
        if (v == nullptr)
            throw conf_error(here(cf), "auth_js_set: the variable " + quoted(view(args[1])) +
                                           " is taken; give it another name");
        auto& main = *static_cast<main_conf*>(
            ngx_http_conf_get_module_main_conf(cf, ngx_http_auth_js_module));
        main.sets.push_back(std::make_unique<set_variable>());
        auto& set = *main.sets.back();
        set.filter = text(args[2]);
        set.at = here(cf);
        v->get_handler = get_set;
        v->data = reinterpret_cast<uintptr_t>(&set);
    });
}

}  // namespace authjs::nginx
