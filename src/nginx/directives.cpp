// The table of directives: one row each. A row names the field that its lines fill; duplicates,
// inheritance and merging follow from the field's type.
#include <algorithm>
#include <array>

#include "nginx/access.hpp"
#include "nginx/handler.hpp"
#include "nginx/reading.hpp"
#include "util/bytes.hpp"
#include "util/url.hpp"

namespace authjs::nginx {

std::string quoted(std::string_view s) { return '"' + std::string(s) + '"'; }

std::string meant(std::string_view word, const std::vector<std::string_view>& known) {
    std::string out;
    for (const auto& name : providers::nearest(word, known))
        out += (out.empty() ? ", did you mean " : " or ") + quoted(name);
    if (!out.empty()) return out + "?";
    const auto all = providers::known_are(known);
    return all.empty() ? all : ", " + all;
}

std::vector<std::string> reading::rest(std::size_t from) const {
    std::vector<std::string> out;
    for (std::size_t i = from; i < size(); i++) out.push_back(word(i));
    return out;
}

std::string reading::value(std::string_view word, bool dollars) const {
    bool resolved = false;
    auto text = main.env->resolve(word, from_.at, resolved);
    if (resolved || dollars) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] == '$') {
            if (i + 1 == text.size() || text[i + 1] != '$')
                fail(quoted(text) +
                     " has a \"$\", but takes no variables here: write \"$$\" for "
                     "the character itself");
            i++;
        }
        out += text[i];
    }
    return out;
}

void reading::fail(const std::string& message) const {
    throw conf_error(from_.at, std::string(directive_name()) + ": " + message);
}
void reading::warn(const std::string& message) const {
    nginx::warn(cf, from_.at.text(), std::string(directive_name()) + ": " + message);
}
void reading::duplicate() const { fail("is given twice at this level; keep one of the two lines"); }

void reading::options(std::size_t from, const std::vector<std::string_view>& known,
                      const std::function<void(std::string_view, const std::string&)>& f) const {
    std::vector<std::string_view> seen;
    for (std::size_t i = from; i < size(); i++) {
        const std::string_view all = raw(i);
        const auto equals = all.find('=');
        const auto name = all.substr(0, equals);
        if (std::find(known.begin(), known.end(), name) == known.end())
            fail("knows no option " + quoted(name) + meant(name, known));
        if (equals == all.npos)
            fail("the option " + quoted(name) + " wants a value: " + std::string(name) + "=...");
        if (std::find(seen.begin(), seen.end(), name) != seen.end())
            fail("the option " + quoted(name) + " is given twice");
        seen.push_back(name);
        f(name, value(all.substr(equals + 1)));
    }
}

bool reading::flag(const std::string& word, std::string_view of) const {
    static constexpr std::pair<std::string_view, bool> table[] = {{"on", true}, {"off", false}};
    return choice(word, of, table);
}

namespace {

ngx_int_t parse_time(const std::string& word, bool in_seconds) {
    ngx_str_t s{word.size(), reinterpret_cast<u_char*>(const_cast<char*>(word.data()))};
    return ngx_parse_time(&s, in_seconds);
}

}  // namespace

std::chrono::seconds reading::time(const std::string& word, std::string_view of) const {
    const auto n = parse_time(word, true);
    if (n == NGX_ERROR)
        fail(std::string(of) + " is a time such as 30d, 12h or 90s, not " + quoted(word));
    return std::chrono::seconds(n);
}
milliseconds reading::milli(const std::string& word, std::string_view of) const {
    const auto n = parse_time(word, false);
    if (n == NGX_ERROR)
        fail(std::string(of) + " is a time such as 10s or 500ms, not " + quoted(word));
    return milliseconds(n);
}

void reading::not_one_of(const std::string& word, std::string_view of,
                         const std::vector<std::string_view>& names) const {
    std::string list;
    for (std::size_t i = 0; i < names.size(); i++)
        list += (i == 0 ? "" : i + 1 == names.size() ? " or " : ", ") + std::string(names[i]);
    fail(std::string(of) + " is " + list + ", not " + quoted(word));
}

namespace {

// --- values -------------------------------------------------------------------------------------

void read_gate(gate& to, reading& in) {
    static constexpr std::pair<std::string_view, gate> table[] = {
        {"on", gate::on}, {"off", gate::off}, {"optional", gate::optional}};
    to = in.choice(in.word(0), "it", table);
}

void read_unauthorized(unauthorized& to, reading& in) {
    static constexpr std::pair<std::string_view, unauthorized> table[] = {
        {"auto", unauthorized::automatic},
        {"redirect", unauthorized::redirect},
        {"401", unauthorized::status_401}};
    to = in.choice(in.word(0), "it", table);
}

void read_requirement(requirement& to, reading& in) {
    for (std::size_t i = 0; i < in.size(); i++) {
        if (in.raw(i).starts_with("error=")) {
            static constexpr std::pair<std::string_view, ngx_int_t> table[] = {
                {"401", NGX_HTTP_UNAUTHORIZED}, {"403", NGX_HTTP_FORBIDDEN}};
            to.error = in.choice(in.value(in.raw(i).substr(6)), "error=", table);
            if (i + 1 != in.size()) in.fail("error= stands at the end of the line");
            continue;
        }
        auto text = copy(in.cf->pool, in.value(in.raw(i), true));
        auto* made = static_cast<ngx_http_complex_value_t*>(
            ngx_pcalloc(in.cf->pool, sizeof(ngx_http_complex_value_t)));
        if (text.data == nullptr || made == nullptr) throw std::bad_alloc();
        ngx_http_compile_complex_value_t compile{};
        compile.cf = in.cf;
        compile.value = &text;
        compile.complex_value = made;
        if (ngx_http_compile_complex_value(&compile) != NGX_OK)
            in.fail("the value " + quoted(in.raw(i)) + " cannot be understood");
        if (made->lengths == nullptr)
            in.fail("the value " + quoted(in.raw(i)) +
                    " has no variable, so it says the same of everybody: write one such as "
                    "$auth_js_claim_admin or that of a map");
        to.values.push_back(made);
    }
    if (to.values.empty()) in.fail("names no value to look at, such as $auth_js_claim_admin");
}

void read_flag(bool& to, reading& in) { to = in.flag(in.word(0), "it"); }
void read_word(std::string& to, reading& in) { to = in.word(0); }

void read_header_names(std::vector<std::string>& to, reading& in) {
    for (auto name : in.rest(0)) {
        if (name.empty() || !std::all_of(name.begin(), name.end(), [](unsigned char c) {
                return std::isalnum(c) || c == '-' || c == '_';
            }))
            in.fail(quoted(name) + " is no header name: letters, digits, - and _");
        name = ascii_lower(name);
        std::replace(name.begin(), name.end(), '_', '-');
        if (name == "cookie" || name == "host")
            in.fail(quoted(name) + " is needed by nginx and by sign-in; it cannot be removed");
        to.push_back(std::move(name));
    }
}

void read_base_path(std::string& to, reading& in) {
    to = in.word(0);
    const bool plain = std::all_of(to.begin(), to.end(), [](unsigned char c) {
        return std::isalnum(c) ||
               std::string_view("/-._~").find(static_cast<char>(c)) != std::string_view::npos;
    });
    if (to.size() < 2 || to.front() != '/' || to.back() == '/' || !plain ||
        to.find("//") != to.npos || to.find("/.") != to.npos)
        in.fail("it is a path such as /auth or /api/auth, without a slash at its end, not " +
                quoted(to));
}

void read_secrets(std::vector<secret>& to, reading& in) {
    for (auto& word : in.rest(0)) {
        if (word.empty()) in.fail("the secret is empty; make one with: openssl rand -base64 33");
        if (word.size() < 32)
            in.warn(
                "a secret of under 32 bytes can be guessed; make one with: openssl rand "
                "-base64 33");
        to.emplace_back(std::move(word));
    }
}

void read_trust(trust& to, reading& in) {
    if (in.size() == 1 && (in.raw(0) == "on" || in.raw(0) == "off")) {
        to.everybody = in.raw(0) == "on";
        return;
    }
    for (const auto& word : in.rest(0)) {
        ngx_cidr_t cidr{};
        if (word == "unix:") {
            cidr.family = AF_UNIX;
        } else {
            auto text = copy(in.cf->pool, word);
            const auto rc = text.data ? ngx_ptocidr(&text, &cidr) : NGX_ERROR;
            if (rc == NGX_ERROR)
                in.fail(quoted(word) +
                        " is neither on nor off nor an address such as 10.0.0.0/8, "
                        "2001:db8::/32 or unix:");
            if (rc == NGX_DONE) in.warn("low address bits of " + word + " are meaningless");
        }
        to.peers.push_back(cidr);
    }
}

// An origin with at most one * in front of its host: https://*.example.com.
void read_origins(std::vector<std::string>& to, const reading& in, std::size_t from) {
    for (const auto& word : in.rest(from)) {
        auto plain = word;
        const auto star = plain.find("://*.");
        if (star != plain.npos) plain.replace(star + 3, 1, "x");
        const auto u = parse_url(plain);
        if (!u || !u->is_http() || u->path != "/" || u->query || u->fragment ||
            !u->username.empty() || plain.find('*') != plain.npos)
            in.fail(quoted(word) +
                    " is no origin such as https://app.example.com or https://*.example.com");
        auto origin = u->origin();
        if (star != plain.npos) origin.replace(origin.find("://x.") + 3, 1, "*");
        to.push_back(std::move(origin));
    }
}
void read_allowed(std::vector<std::string>& to, reading& in) { read_origins(to, in, 0); }

void read_proxy(setting<std::string>& to, reading& in, flow_conf& flow) {
    auto& text = in.fresh(to, {});
    text = in.word(0);
    const auto u = parse_url(text);
    if (!u || !u->is_http())
        in.fail(quoted(text) + " is no URL such as https://proxy.example.com/auth");
    read_origins(in.fresh(flow.proxy_origins, {}), in, 1);
}

// `file:` begins an SQLite URL here; of the conventions for values only env: holds.
void read_adapter(std::optional<adapters::store_plan>& to, reading& in) {
    const auto is_option = [](std::string_view word) {
        const auto name = word.substr(0, word.find('='));
        return name.size() < word.size() && !name.empty() && std::ranges::all_of(name, [](char c) {
                   return std::isalpha(static_cast<unsigned char>(c)) || c == '.' || c == '_';
               });
    };
    adapters::declaration d;
    d.name = in.word(0);
    std::size_t next = 1;
    if (in.size() > 1 && !is_option(in.raw(1))) {
        constexpr std::string_view url = "file:";
        const std::string_view given = in.raw(next++);
        d.connection = given.starts_with(url)
                           ? std::string(url) + in.value(given.substr(url.size()))
                           : in.value(given);
    }
    for (; next < in.size(); next++) {
        const std::string_view all = in.raw(next);
        const auto equals = std::min(all.find('='), all.size());
        if (equals == all.size())
            in.fail("has one connection; " + quoted(all) + " is no option=value");
        d.options.emplace_back(all.substr(0, equals), in.value(all.substr(equals + 1)));
    }
    auto planned =
        adapters::plan_store(d, [&](std::string_view name) { return in.main.env->find(name); });
    if (!planned.plan) {
        if (environment::lenient() && d.connection.empty()) throw unseen{};
        in.fail(planned.wrong);
    }
    planned.plan->path = in.main.env->absolute(planned.plan->path);
    to = std::move(planned.plan);
}

void read_session(auth::session_options& to, reading& in) {
    in.options(0, {"strategy", "max_age", "update_age", "jwt_max_age", "renew", "cache"},
               [&](std::string_view name, const std::string& value) {
                   if (name == "strategy") {
                       static constexpr std::pair<std::string_view, auth::strategy> all[] = {
                           {"jwt", auth::strategy::jwt}, {"database", auth::strategy::database}};
                       to.strategy = in.choice(value, name, all);
                       to.strategy_given = true;
                   } else if (name == "renew") {
                       to.renew = in.flag(value, name);
                   } else if (name == "cache") {
                       to.cache = value == "off" ? milliseconds{0} : in.milli(value, name);
                   } else {
                       const auto age = in.time(value, name);
                       if (name == "max_age") to.max_age = age;
                       if (name == "update_age") to.update_age = age;
                       if (name == "jwt_max_age") to.jwt_max_age = age;
                       if (age.count() == 0 && name != "update_age")
                           in.fail(std::string(name) + " of 0 would end every session at once");
                   }
               });
}

void read_cookie(per<auth::which, cookie_change>& to, reading& in, flow_conf&) {
    const auto word = in.word(0);
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < to.size(); i++) {
        names.push_back(auth::which_name(static_cast<auth::which>(i)));
        if (names.back() != word) continue;
        auto& c = in.fresh(to[i], {});
        in.options(1,
                   {"name", "domain", "path", "same_site", "secure", "http_only", "partitioned",
                    "priority", "max_age"},
                   [&](std::string_view name, const std::string& value) {
                       if (name == "name") c.name = value;
                       if (name == "domain") c.domain = value;
                       if (name == "path") c.path = value;
                       if (name == "secure") c.secure = in.flag(value, name);
                       if (name == "http_only") c.http_only = in.flag(value, name);
                       if (name == "partitioned") c.partitioned = in.flag(value, name);
                       if (name == "max_age") c.max_age = in.time(value, name).count();
                       static constexpr std::pair<std::string_view, const char*> sites[] = {
                           {"lax", "Lax"}, {"strict", "Strict"}, {"none", "None"}};
                       static constexpr std::pair<std::string_view, const char*> priorities[] = {
                           {"low", "Low"}, {"medium", "Medium"}, {"high", "High"}};
                       if (name == "same_site")
                           c.same_site = in.choice(ascii_lower(value), name, sites);
                       if (name == "priority")
                           c.priority = in.choice(ascii_lower(value), name, priorities);
                   });
        if (in.size() == 1) in.fail("says nothing about the cookie, such as name= or domain=");
        return;
    }
    in.fail("knows no cookie " + quoted(word) + meant(word, names));
}

void read_secure(auth::config::secure_cookies& to, reading& in) {
    using enum auth::config::secure_cookies;
    static constexpr std::pair<std::string_view, auth::config::secure_cookies> table[] = {
        {"auto", automatic}, {"on", on}, {"off", off}};
    to = in.choice(in.word(0), "it", table);
}

void read_page(per<auth::custom_page, std::string>& to, reading& in, flow_conf&) {
    using enum auth::custom_page;
    static constexpr std::pair<std::string_view, auth::custom_page> table[] = {
        {"sign_in", sign_in},
        {"sign_out", sign_out},
        {"error", error},
        {"verify_request", verify_request},
        {"new_user", new_user}};
    const auto which = in.choice(in.word(0), "the page", table);
    auto& uri = in.fresh(to[static_cast<std::size_t>(which)], {});
    uri = in.word(1);
    const auto u = parse_url(uri);
    if (!(uri.starts_with('/') && !uri.starts_with("//")) && !(u && u->is_http()))
        in.fail(
            "the page is a path such as /login or a URL such as https://login.example.com/, "
            "not " +
            quoted(uri));
}

void read_theme(auth::theme& to, reading& in) {
    const auto colour = [&](std::string_view name, const std::string& value) {
        const bool good = (value.size() == 4 || value.size() == 7) && value.front() == '#' &&
                          std::all_of(value.begin() + 1, value.end(),
                                      [](unsigned char c) { return std::isxdigit(c); });
        if (!good)
            in.fail(std::string(name) + " is a colour such as #1f2430, not " + quoted(value));
        return value;
    };
    in.options(0, {"color_scheme", "logo", "brand_color", "button_text"},
               [&](std::string_view name, const std::string& value) {
                   if (name == "color_scheme") {
                       if (value != "auto" && value != "light" && value != "dark")
                           in.not_one_of(value, name, {"auto", "light", "dark"});
                       to.color_scheme = value;
                   } else if (name == "logo") {
                       to.logo = value;
                   } else {
                       (name == "brand_color" ? to.brand_color : to.button_text) =
                           colour(name, value);
                   }
               });
}

std::string internal_uri(const reading& in, const std::string& uri) {
    if (!uri.starts_with('/') || uri.starts_with("//"))
        in.fail("uri names an internal location such as /internal/callback, not " + quoted(uri));
    return uri;
}

void read_callback(per<auth::callback, auth::callback_to>& to, reading& in, flow_conf&) {
    using enum auth::callback;
    static constexpr std::pair<std::string_view, auth::callback> table[] = {
        {"sign_in", sign_in}, {"redirect", redirect}, {"jwt", jwt}, {"session", session}};
    const auto which = in.choice(in.word(0), "the callback", table);
    auto& c = in.fresh(to[static_cast<std::size_t>(which)], {});
    if (in.raw(1) == "jq")
        c.filter = in.main.loader->filter(in.value(in.raw(2), true), in.whole().at.text());
    else if (in.raw(1) == "uri")
        c.uri = internal_uri(in, in.word(2));
    else
        in.not_one_of(in.raw(1), "what answers it", {"jq 'filter'", "uri /internal"});
}

void read_event(per<auth::event, std::vector<std::string>>& to, reading& in, flow_conf&) {
    using enum auth::event;
    static constexpr std::pair<std::string_view, int> table[] = {
        {"sign_in", static_cast<int>(sign_in)},
        {"sign_out", static_cast<int>(sign_out)},
        {"create_user", static_cast<int>(create_user)},
        {"update_user", static_cast<int>(update_user)},
        {"link_account", static_cast<int>(link_account)},
        {"session", static_cast<int>(session)},
        {"*", -1}};
    const int which = in.choice(in.word(0), "the event", table);
    if (in.raw(1) != "uri") in.not_one_of(in.raw(1), "where it goes", {"uri /internal"});
    const auto uri = internal_uri(in, in.word(2));
    for (std::size_t i = 0; i < to.size(); i++)
        if (which < 0 || which == static_cast<int>(i)) in.more(to[i]).push_back(uri);
}

void read_csrf(auth::csrf_mode& to, reading& in) {
    using enum auth::csrf_mode;
    static constexpr std::pair<std::string_view, auth::csrf_mode> table[] = {
        {"token", token}, {"origin", origin}, {"off", off}};
    to = in.choice(in.word(0), "it", table);
}

void read_milliseconds(milliseconds& to, reading& in) {
    to = in.milli(in.word(0), "it");
    if (to.count() == 0) in.fail("a time of 0 would let no request end");
}

void read_http_proxy(std::string& to, reading& in) {
    to = in.word(0);
    const auto u = parse_url(to);
    if (!u || u->scheme != "http")
        in.fail("the proxy is http://[user:pass@]host:port");  // the value may hold a password
}

void read_certificate(std::string& to, reading& in) {
    // A path, not a value: what libcurl reads in the worker must be there and readable now.
    to = in.main.env->absolute(in.value(in.raw(0)));
    std::string why;
    if (!environment::lenient() && !read_whole(to, why))
        in.fail(quoted(to) + " cannot be read: " + why);
}

void read_url(std::string& to, reading& in) { to = in.word(0); }

void read_zone(std::size_t& to, reading& in, main_conf&) {
    const auto word = in.word(0);
    ngx_str_t s{word.size(), reinterpret_cast<u_char*>(const_cast<char*>(word.data()))};
    const auto size = ngx_parse_size(&s);
    if (size == NGX_ERROR) in.fail("it is a size such as 1m or 512k, not " + quoted(word));
    if (static_cast<std::size_t>(size) < 8 * ngx_pagesize)
        in.fail("the zone needs at least " + std::to_string(8 * ngx_pagesize / 1024) + "k");
    to = static_cast<std::size_t>(size);
}

void read_env_file(main_conf& to, reading& in) {
    bool resolved = false;
    to.env->read_file(in.main.env->resolve(in.raw(0), in.whole().at, resolved), in.whole().at);
}

void read_provider_dir(main_conf& to, reading& in) {
    const auto path = to.env->absolute(in.word(0));
    if (const auto wrong = to.loader->add_folder(path, in.whole().at.text()))
        throw conf_error(wrong->where, wrong->message);
}

// --- rows ---------------------------------------------------------------------------------------

template <class>
struct member_of;
template <class C, class T>
struct member_of<T C::*> {
    using owner = C;
    using type = T;
};
template <class C>
constexpr directive::group group_of = std::is_same_v<C, gate_conf>   ? directive::gate
                                      : std::is_same_v<C, flow_conf> ? directive::flow
                                                                     : directive::whole;

// Read fills a setting's value, the setting itself (lines that add to one another), or a field with
// its owner beside it (rows that are keyed or fill two fields).
template <auto Field, auto Read>
void apply_row(reading& in, void* conf) {
    using owner = typename member_of<decltype(Field)>::owner;
    using type = typename member_of<decltype(Field)>::type;
    auto& whole = *static_cast<owner*>(conf);
    auto& field = whole.*Field;
    if constexpr (std::is_invocable_v<decltype(Read), type&, reading&, owner&>) {
        Read(field, in, whole);
    } else if constexpr (std::is_invocable_v<decltype(Read), type&, reading&>) {
        Read(field, in);
    } else {
        using value = std::remove_cvref_t<decltype(field.value)>;
        value read{};
        Read(read, in);  // throws `unseen` before the setting counts as given
        in.fresh(field, value{}) = std::move(read);
    }
}

constexpr ngx_uint_t http = NGX_HTTP_MAIN_CONF, location = NGX_HTTP_LOC_CONF,
                     anywhere = NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF;

template <auto Field, auto Read>
constexpr directive row(const char* name, ngx_uint_t scopes, std::size_t least, std::size_t most,
                        const char* syntax) {
    return {name,
            scopes,
            least,
            most,
            syntax,
            group_of<typename member_of<decltype(Field)>::owner>,
            apply_row<Field, Read>,
            nullptr};
}
template <auto Read>
constexpr directive whole_row(const char* name, const char* syntax) {
    return {name,
            http,
            1,
            1,
            syntax,
            directive::whole,
            [](reading& in, void* conf) { Read(*static_cast<main_conf*>(conf), in); },
            nullptr};
}

char* act_handler(ngx_conf_t* cf, ngx_command_t*, void* conf);
char* act_verify(ngx_conf_t* cf, ngx_command_t*, void* conf);

using g = gate_conf;
using f = flow_conf;

constexpr directive directives[] = {
    row<&g::protect, read_gate>("auth_js", anywhere, 1, 1, "on | off | optional"),
    row<&g::unauthorized, read_unauthorized>("auth_js_unauthorized", anywhere, 1, 1,
                                             "auto | redirect | 401"),
    row<&g::require, read_requirement>("auth_js_require", anywhere, 1, many,
                                       "$value ... [error=401|403]"),
    row<&g::default_provider, read_word>("auth_js_default_provider", anywhere, 1, 1, "id"),
    row<&g::pass_cookie, read_flag>("auth_js_pass_cookie", anywhere, 1, 1, "on | off"),
    row<&g::clear_headers, read_header_names>("auth_js_clear_headers", anywhere, 1, many,
                                              "name ..."),
    row<&f::base_path, read_base_path>("auth_js_base_path", anywhere, 1, 1, "/path"),
    row<&f::secrets, read_secrets>("auth_js_secret", anywhere, 1, many, "value ..."),
    row<&f::url, read_url>("auth_js_url", anywhere, 1, 1, "https://host[/path]"),
    row<&f::trusted, read_trust>("auth_js_trust_host", anywhere, 1, many, "on | off | address ..."),
    row<&f::allowed_origins, read_allowed>("auth_js_allowed_origins", anywhere, 1, many,
                                           "https://*.example.com ..."),
    row<&f::redirect_proxy_url, read_proxy>("auth_js_redirect_proxy_url", anywhere, 1, many,
                                            "url [origin ...]"),
    row<&f::providers, read_providers>("auth_js_providers", anywhere, 1, many, "id ..."),
    {"auth_js_provider", anywhere, 0, many, "id [as name] { ... }", directive::flow,
     apply_row<&f::providers, read_provider>, read_provider_block},
    whole_row<read_provider_dir>("auth_js_provider_dir", "path"),
    row<&f::store, read_adapter>("auth_js_adapter", anywhere, 1, many,
                                 "name [connection] [option=value ...]"),
    row<&f::session, read_session>("auth_js_session", anywhere, 1, many,
                                   "[strategy=jwt|database] [max_age=30d] [update_age=1d] "
                                   "[jwt_max_age=] [renew=on|off] [cache=1s|off]"),
    row<&f::cookies, read_cookie>("auth_js_cookie", anywhere, 1, many,
                                  "which [name=] [domain=] [path=] [same_site=] [secure=] "
                                  "[http_only=] [partitioned=] [priority=] [max_age=]"),
    row<&f::secure, read_secure>("auth_js_secure_cookies", anywhere, 1, 1, "auto | on | off"),
    row<&f::pages, read_page>("auth_js_page", anywhere, 2, 2,
                              "sign_in|sign_out|error|verify_request|new_user uri"),
    row<&f::theme, read_theme>("auth_js_theme", anywhere, 1, many,
                               "[color_scheme=auto|light|dark] [logo=url] [brand_color=#rrggbb] "
                               "[button_text=#rrggbb]"),
    row<&f::callbacks, read_callback>("auth_js_callback", anywhere, 3, 3,
                                      "sign_in|redirect|jwt|session jq 'filter' | uri /internal"),
    row<&f::events, read_event>("auth_js_event", anywhere, 3, 3,
                                "sign_in|sign_out|create_user|update_user|link_account|session|* "
                                "uri /internal"),
    row<&f::csrf, read_csrf>("auth_js_csrf", anywhere, 1, 1, "token | origin | off"),
    row<&f::http_timeout, read_milliseconds>("auth_js_http_timeout", anywhere, 1, 1, "time"),
    row<&f::http_proxy, read_http_proxy>("auth_js_http_proxy", anywhere, 1, 1, "url"),
    row<&f::trusted_certificate, read_certificate>("auth_js_trusted_certificate", anywhere, 1, 1,
                                                   "file"),
    row<&f::debug, read_flag>("auth_js_debug", anywhere, 1, 1, "on | off"),
    row<&main_conf::zone_size, read_zone>("auth_js_zone", http, 1, 1, "size"),
    whole_row<read_env_file>("auth_js_env_file", "path"),
    {"auth_js_set", http, 2, 2, "$name 'jq filter'", directive::whole, nullptr, read_set},
    {"auth_js_handler", location, 0, 0, "no argument", directive::gate, nullptr, act_handler},
    {"auth_js_verify", location, 0, 1, "[redirect]", directive::gate, nullptr, act_verify},
};

// --- what nginx calls ---------------------------------------------------------------------------

std::vector<std::string> words_of(ngx_conf_t* cf) {
    std::vector<std::string> words;
    const auto* args = static_cast<const ngx_str_t*>(cf->args->elts);
    for (ngx_uint_t i = 1; i < cf->args->nelts; i++) words.emplace_back(view(args[i]));
    return words;
}

const directive& row_of(const ngx_command_t* cmd) {
    return *static_cast<const directive*>(cmd->post);
}

void check_count(ngx_conf_t* cf, const directive& d) {
    const auto n = cf->args->nelts - 1;
    if (n < d.least || n > d.most)
        throw conf_error(here(cf), std::string(d.name) + " takes: " + d.syntax);
}

// record keeps a line until the whole configuration has been read.
char* record(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    return conf_guard(cf, [&] {
        const auto& d = row_of(cmd);
        check_count(cf, d);
        auto* whole = static_cast<main_conf*>(
            ngx_http_conf_get_module_main_conf(cf, ngx_http_auth_js_module));
        auto& lines =
            d.belongs == directive::whole ? whole->lines : static_cast<loc_conf*>(conf)->lines;
        lines.push_back({&d, words_of(cf), {}, here(cf)});
    });
}

// One content handler in a location, whoever brings it.
void take_location(ngx_conf_t* cf, const directive& d, ngx_http_handler_pt handler) {
    auto* core = static_cast<ngx_http_core_loc_conf_t*>(
        ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module));
    check_count(cf, d);
    if (core->handler != nullptr)
        throw conf_error(here(cf), std::string(d.name) +
                                       ": this location has a content handler already (another "
                                       "*_pass, auth_js_handler or auth_js_verify); give each a "
                                       "location of its own");
    core->handler = handler;
}

char* act_handler(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    return conf_guard(cf, [&] {
        take_location(cf, row_of(cmd), content_handler);
        auto* level = static_cast<loc_conf*>(conf);
        level->handler = true;
        level->handler_at = here(cf);
    });
}

char* act_verify(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    return conf_guard(cf, [&] {
        take_location(cf, row_of(cmd), verify_handler);
        auto* level = static_cast<loc_conf*>(conf);
        level->verify = true;
        level->handler_at = here(cf);
        const auto words = words_of(cf);
        if (words.empty()) return;
        if (words[0] != "redirect")
            throw conf_error(here(cf), "auth_js_verify takes: [redirect], not " + quoted(words[0]));
        level->verify_redirects = true;
    });
}

// note_return stands in for rewrite's own `return`, so that a location that answers before any
// check can be asked is warned of (nginx-facts: replacing rewrite's pointer would outlive us).
char* note_return(ngx_conf_t* cf, ngx_command_t* cmd, void* conf) {
    const auto* args = static_cast<const ngx_str_t*>(cf->args->elts);
    if (cf->cmd_type & (NGX_HTTP_LOC_CONF | NGX_HTTP_SRV_CONF)) {
        const auto code = view(args[1]);
        if (code.size() == 3 && code[0] == '2') {
            auto* level = static_cast<loc_conf*>(conf);
            level->has_return = true;
            level->returns = here(cf);
        }
    }
    for (ngx_uint_t m = 0; cf->cycle->modules[m] != nullptr; m++) {
        const auto* module = cf->cycle->modules[m];
        if (std::string_view(module->name) != "ngx_http_rewrite_module") continue;
        for (auto* c = module->commands; c != nullptr && c->name.len != 0; c++)
            if (view(c->name) == view(cmd->name)) {
                auto* ctx = static_cast<ngx_http_conf_ctx_t*>(cf->ctx);
                return c->set(cf, c, ctx->loc_conf[module->ctx_index]);
            }
    }
    return const_cast<char*>("needs ngx_http_rewrite_module");
}

}  // namespace

ngx_command_t* commands() {
    static auto* made = [] {
        static std::array<ngx_command_t, std::size(directives) + 2> list{};
        std::size_t n = 0;
        for (const auto& d : directives)
            list[n++] = {
                {std::string_view(d.name).size(),
                 reinterpret_cast<u_char*>(const_cast<char*>(d.name))},
                d.scopes | NGX_CONF_ANY | (d.act == read_provider_block ? NGX_CONF_BLOCK : 0),
                d.act != nullptr ? d.act : record,
                NGX_HTTP_LOC_CONF_OFFSET,
                0,
                const_cast<directive*>(&d)};
        list[n++] = {ngx_string("return"),
                     NGX_HTTP_SRV_CONF | NGX_HTTP_SIF_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LIF_CONF |
                         NGX_CONF_TAKE12,
                     note_return,
                     NGX_HTTP_LOC_CONF_OFFSET,
                     0,
                     nullptr};
        return list.data();
    }();
    return made;
}

std::vector<std::string_view> directive_names() {
    std::vector<std::string_view> names;
    for (const auto& d : directives) names.emplace_back(d.name);
    return names;
}

const directive* find_directive(std::string_view name) noexcept {
    const auto d = std::ranges::find(directives, name, &directive::name);
    return d == std::end(directives) ? nullptr : d;
}

bool has_lines(const std::vector<line>& lines, directive::group group) noexcept {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const line& l) { return l.of->belongs == group; });
}

void apply_lines(ngx_conf_t* cf, main_conf& main, const std::vector<line>& lines, const void* level,
                 directive::group group, void* conf) {
    for (const auto& l : lines) {
        if (l.of->belongs != group || l.of->apply == nullptr) continue;
        try {
            reading in(cf, main, l, level);
            l.of->apply(in, conf);
        } catch (const unseen&) {  // a signalling process takes it for right
        }
    }
}

}  // namespace authjs::nginx
