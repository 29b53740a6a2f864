#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "providers/catalogue.hpp"
#include "providers/catalogue_data.hpp"
#include "providers/template.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::providers {

std::string_view type_name(type t) noexcept {
    static constexpr std::string_view names[] = {"oauth", "oidc", "email", "credentials",
                                                 "webauthn"};
    return names[static_cast<int>(t)];
}

namespace {

using namespace std::string_literals;

std::optional<type> type_from(std::string_view name) {
    for (const auto t : {type::oauth, type::oidc, type::email, type::credentials, type::webauthn})
        if (type_name(t) == name) return t;
    return std::nullopt;
}

// Built-in types that have no file: there is nothing about them but a name.
struct built_in {
    std::string_view id, name;
    providers::type type;
    std::string_view successor;  // of a deprecated id
};
constexpr built_in built_ins[] = {
    {"credentials", "Credentials", type::credentials, ""},
    {"email", "Email", type::email, "nodemailer"},
    {"nodemailer", "Nodemailer", type::email, ""},
    {"passkey", "Passkey", type::webauthn, ""},
    {"webauthn", "WebAuthn", type::webauthn, ""},
};

constexpr std::string_view file_members[] = {
    "id",       "name",         "type",          "style",           "options",       "vars",
    "issuer",   "issuer_claim", "authorization", "token",           "userinfo",      "photo",
    "id_token", "id_token_alg", "id_token_keys", "id_token_hashes", "callback_json", "checks",
    "require",  "profile",      "send",          "missing",         "env",           "deprecated",
    "https",    "doc",          "notes"};

std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
    std::string out;
    for (const auto& name : nearest(word, known)) out += (out.empty() ? "" : ", ") + name;
    if (!out.empty()) return "; did you mean " + out + "?";
    const auto all = known_are(known);
    return all.empty() ? all : "; " + all;
}

// AUTH_<this>_ID
std::string variable_part(std::string_view id) {
    std::string out;
    for (const unsigned char c : id)
        out += std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
    return out;
}

bool is_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](unsigned char c) {
        return std::isalnum(c) || c == '-' || c == '_' || c == '.';
    }) && std::isalnum(static_cast<unsigned char>(id[0]));
}

// nginx's times: a number of seconds, or numbers with units, largest first.
std::optional<seconds> time_from(std::string_view text) {
    static constexpr struct {
        char unit;
        std::int64_t seconds;
    } units[] = {{'y', 31'536'000}, {'M', 2'592'000}, {'w', 604'800}, {'d', 86'400},
                 {'h', 3'600},      {'m', 60},        {'s', 1}};
    std::int64_t total = 0;
    auto next = std::begin(units);
    for (std::size_t i = 0; i < text.size();) {
        std::int64_t n = 0;
        const auto begin = i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9' && n < 10'000'000'000)
            n = n * 10 + (text[i++] - '0');
        if (i == begin) return std::nullopt;
        const char unit = i < text.size() ? text[i++] : 's';
        next = std::find_if(next, std::end(units), [&](auto& u) { return u.unit == unit; });
        if (next == std::end(units)) return std::nullopt;
        total += n * next++->seconds;
    }
    return text.empty() ? std::nullopt : std::optional(seconds{total});
}

std::optional<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(in), {});
}

const json::value& nothing() {
    static const json::value null;
    return null;
}
const json::value& at(const json::value& v, std::string_view name) {
    const auto* found = v.find(name);
    return found ? *found : nothing();
}
const json::object& members(const json::value& v) {
    static const json::object none;
    const auto* o = v.as_object();
    return o ? *o : none;
}
const json::array& items(const json::value& v) {
    static const json::array none;
    const auto* a = v.as_array();
    return a ? *a : none;
}

// A provider on its way: its file, and what block and environment say about it.
struct draft {
    std::shared_ptr<provider> p = std::make_shared<provider>();
    json::value file;
    std::string where;      // of the declaration
    std::string file_name;  // where the file's own filters stand

    std::map<std::string, std::string, std::less<>> set;    // options, client_id, issuer, from ...
    std::map<std::string, std::string, std::less<>> value;  // the same with defaults, and vars
    std::string authorization_url, token_url, userinfo_url;
    std::vector<params::pair> authorization_params, token_params;
    std::string auth_method, kid, key_text, profile, account, normalize;
    std::vector<std::string> checks;
    std::vector<std::pair<std::string, int>> vars;

    const json::value& option(std::string_view name) const { return at(at(file, "options"), name); }
    bool has_option(std::string_view name) const { return !option(name).is_null(); }
};

// --- Lines of a provider block ---

enum kinds : unsigned { oauth_kinds = 1, email_kind = 2, credentials_kind = 4, any_kind = 7 };
kinds kind_of(type t) {
    return t == type::email ? email_kind : t == type::credentials ? credentials_kind : oauth_kinds;
}

using words = std::vector<std::string>;
struct known_line {
    std::string_view name;
    unsigned kinds;
    std::size_t least, most;
    bool repeatable;
    std::string_view usage;
    // take answers what is wrong, or nothing.
    std::string (*take)(draft&, const words&);
};

std::string flag(const std::string& word, bool& to) {
    if (word != "on" && word != "off") return "takes on or off";
    to = word == "on";
    return {};
}
std::string http_url(const std::string& word, std::string& to) {
    const auto parsed = parse_url(word);
    if (!parsed || !parsed->is_http()) return in_quotes(word) + " is no http or https URL";
    to = word;
    return {};
}
std::string age(const std::string& word, seconds& to) {
    const auto t = time_from(word);
    if (!t || t->count() == 0) return in_quotes(word) + " is no time (30s, 10m, 1d)";
    to = *t;
    return {};
}
template <const char* Name>
std::string take_text(draft& d, const words& w) {
    d.set[Name] = w[0];
    return {};
}
// key=value words of a line, each key known.
std::string pairs(const words& w, std::size_t from, const std::vector<std::string_view>& known,
                  const std::function<void(std::string_view, std::string)>& take) {
    for (std::size_t i = from; i < w.size(); i++) {
        const auto equal = w[i].find('=');
        const auto key = std::string_view(w[i]).substr(0, equal);
        if (equal == std::string::npos || std::ranges::find(known, key) == known.end())
            return "does not know " + in_quotes(w[i]) + did_you_mean(key, known);
        take(key, w[i].substr(equal + 1));
    }
    return {};
}

constexpr char client_id[] = "client_id", client_secret[] = "client_secret", issuer[] = "issuer",
               server[] = "server", from[] = "from", api_key[] = "api_key", subject[] = "subject";

const known_line lines[] = {
    {"name", any_kind, 1, 1, false, "text",
     [](draft& d, const words& w) {
         d.p->name = w[0];
         return ""s;
     }},
    {"type", any_kind, 1, 1, false, "oauth|oidc|email|credentials",
     [](draft& d, const words& w) {
         return type_from(w[0]) == d.p->type
                    ? ""s
                    : "is " + std::string(type_name(d.p->type)) + " for this provider";
     }},
    {"style", any_kind, 1, 4, false, "[bg=] [text=] [brand=] [logo=]",
     [](draft& d, const words& w) {
         return pairs(w, 0, {"bg", "text", "brand", "logo"},
                      [&](std::string_view key, std::string value) {
                          auto& s = d.p->style;
                          (key == "bg"     ? s.bg
                           : key == "text" ? s.text
                           : key == "logo" ? s.logo
                                           : s.brand_color) = std::move(value);
                      });
     }},

    {"client_id", oauth_kinds, 1, 1, false, "value", take_text<client_id>},
    {"client_secret", oauth_kinds, 1, 1, false, "value", take_text<client_secret>},
    {"issuer", oauth_kinds, 1, 1, false, "url", take_text<issuer>},
    {"scope", oauth_kinds, 1, 1, false, "value",
     [](draft& d, const words& w) {
         d.authorization_params.emplace_back("scope", w[0]);
         if (d.has_option("scope")) d.set["scope"] = w[0];
         return ""s;
     }},
    {"authorization_url", oauth_kinds, 1, 1, false, "url",
     [](draft& d, const words& w) { return http_url(w[0], d.authorization_url); }},
    {"authorization_param", oauth_kinds, 2, 2, true, "name value",
     [](draft& d, const words& w) {
         d.authorization_params.emplace_back(w[0], w[1]);
         return ""s;
     }},
    {"token_url", oauth_kinds, 1, 1, false, "url",
     [](draft& d, const words& w) { return http_url(w[0], d.token_url); }},
    {"token_param", oauth_kinds, 2, 2, true, "name value",
     [](draft& d, const words& w) {
         d.token_params.emplace_back(w[0], w[1]);
         return ""s;
     }},
    {"token_auth_method", oauth_kinds, 1, 1, false,
     "client_secret_basic|client_secret_post|client_secret_jwt|private_key_jwt|none",
     [](draft& d, const words& w) {
         d.auth_method = w[0];
         return oauth::auth_method_from(w[0])
                    ? ""s
                    : in_quotes(w[0]) +
                          " is none of client_secret_basic, client_secret_post, "
                          "client_secret_jwt, private_key_jwt, none";
     }},
    {"private_key", oauth_kinds, 1, 2, false, "file:path [kid=]",
     [](draft& d, const words& w) {
         d.key_text = w[0];
         return pairs(w, 1, {"kid"},
                      [&](std::string_view, std::string value) { d.kid = std::move(value); });
     }},
    {"userinfo_url", oauth_kinds, 1, 1, false, "url",
     [](draft& d, const words& w) {
         if (d.has_option("userinfo_url")) d.set["userinfo_url"] = w[0];
         return http_url(w[0], d.userinfo_url);
     }},
    {"well_known", oauth_kinds, 1, 1, false, "url",
     [](draft& d, const words& w) { return http_url(w[0], d.p->well_known); }},
    {"checks", oauth_kinds, 1, 3, false, "pkce state nonce | none",
     [](draft& d, const words& w) {
         static const std::vector<std::string_view> known{"pkce", "state", "nonce", "none"};
         for (const auto& word : w)
             if (std::ranges::find(known, word) == known.end())
                 return "does not know " + in_quotes(word) + did_you_mean(word, known);
         if (w.size() > 1 && std::ranges::find(w, "none") != w.end()) return "none stands alone"s;
         d.checks = w;
         return ""s;
     }},
    {"id_token", oauth_kinds, 1, 1, false, "on|off",
     [](draft& d, const words& w) { return flag(w[0], d.p->id_token); }},
    {"id_token_alg", oauth_kinds, 1, 1, false, "NAME",
     [](draft& d, const words& w) {
         d.p->client.id_token_alg = w[0];
         return crypto::sig_from(w[0])
                    ? ""s
                    : in_quotes(w[0]) + " is no algorithm for signatures (RS256, ES256, EdDSA ...)";
     }},
    {"max_age", oauth_kinds | email_kind, 1, 1, false, "time",
     [](draft& d, const words& w) {
         seconds t{0};
         auto wrong = age(w[0], t);
         if (d.p->type == type::email)
             d.p->email_max_age = t;
         else
             d.p->client.max_age = t;
         return wrong;
     }},
    {"profile", oauth_kinds, 1, 1, false, "'jq filter'",
     [](draft& d, const words& w) {
         d.profile = w[0];
         return ""s;
     }},
    {"account", oauth_kinds, 1, 1, false, "'jq filter'",
     [](draft& d, const words& w) {
         d.account = w[0];
         return ""s;
     }},
    {"allow_dangerous_email_account_linking", oauth_kinds, 1, 1, false, "on|off",
     [](draft& d, const words& w) {
         return flag(w[0], d.p->allow_dangerous_email_account_linking);
     }},
    {"redirect_proxy_url", oauth_kinds, 1, 1, false, "url",
     [](draft& d, const words& w) { return http_url(w[0], d.p->redirect_proxy_url); }},

    {"field", credentials_kind, 1, 32, true, "name [attribute=value ...]",
     [](draft& d, const words& w) {
         field f{w[0], {}};
         for (std::size_t i = 1; i < w.size(); i++) {
             const auto equal = w[i].find('=');
             const std::string attribute = w[i].substr(0, equal);
             if (equal == std::string::npos || attribute.empty() ||
                 attribute.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") != std::string::npos ||
                 attribute.starts_with("on"))
                 return in_quotes(w[i]) +
                        " is no attribute (a name of a-z and -, not on..., then =)";
             f.attributes.emplace_back(attribute, w[i].substr(equal + 1));
         }
         d.p->fields.push_back(std::move(f));
         return ""s;
     }},
    {"authorize", credentials_kind, 1, 2, false, "htpasswd:/path | uri /internal",
     [](draft& d, const words& w) {
         auto& by = d.p->authorize_by;
         if (w.size() == 1 && w[0].starts_with("htpasswd:") && w[0].size() > 9)
             by.htpasswd_file = w[0].substr(9);
         else if (w.size() == 2 && w[0] == "uri" && w[1].starts_with("/"))
             by.internal_uri = w[1];
         else
             return "takes htpasswd:/path or uri /internal"s;
         return ""s;
     }},

    {"server", email_kind, 1, 1, false, "smtp://user:pass@host:port | smtps://...",
     take_text<server>},
    {"from", email_kind, 1, 1, false, "address", take_text<from>},
    {"api_key", email_kind, 1, 1, false, "value", take_text<api_key>},
    {"subject", email_kind, 1, 1, false, "text", take_text<subject>},
    {"secret", email_kind, 1, 1, false, "value",
     [](draft& d, const words& w) {
         d.p->email_secret = secret(w[0]);
         return ""s;
     }},
    {"token", email_kind, 1, 1, false, "hex|uuid|digits:N",
     [](draft& d, const words& w) {
         d.p->email.set("token", w[0]);
         if (w[0] == "hex" || w[0] == "uuid") return ""s;
         const auto n = std::string_view(w[0]).substr(std::min<std::size_t>(7, w[0].size()));
         const bool digits = w[0].starts_with("digits:") && !n.empty() && n.size() <= 2 &&
                             std::ranges::all_of(n, [](char c) { return c >= '0' && c <= '9'; });
         return digits && std::stoi(std::string(n)) >= 4 && std::stoi(std::string(n)) <= 32
                    ? ""s
                    : "takes hex, uuid or digits:N with N from 4 to 32"s;
     }},
    {"normalize", email_kind, 1, 1, false, "'jq filter'",
     [](draft& d, const words& w) {
         d.normalize = w[0];
         return ""s;
     }},
    {"template", email_kind, 2, 2, true, "text|html file",
     [](draft& d, const words& w) {
         if (w[0] != "text" && w[0] != "html") return "takes text or html, then a file"s;
         auto content = read_file(w[1]);
         if (!content) return "cannot read " + in_quotes(w[1]);
         auto& all = d.p->email.set("template", at(d.p->email, "template"));
         all.set(w[0], std::move(*content));
         return ""s;
     }},
    {"confirm", email_kind, 1, 1, false, "on|off",
     [](draft& d, const words& w) {
         bool on = false;
         auto wrong = flag(w[0], on);
         d.p->email.set("confirm", on);
         return wrong;
     }},
    {"send", email_kind, 2, 2, false, "uri /internal",
     [](draft& d, const words& w) {
         d.p->email.set("send_uri", w[1]);
         return w[0] == "uri" && w[1].starts_with("/") ? ""s : "takes uri /internal"s;
     }},
};

std::vector<std::string_view> lines_for(const draft& d) {
    std::vector<std::string_view> out;
    for (const auto& l : lines)
        if (l.kinds & kind_of(d.p->type)) out.push_back(l.name);
    for (const auto& m : members(at(d.file, "options"))) out.push_back(m.name);
    return out;
}

}  // namespace

bool is_filter_line(std::string_view name) noexcept {
    return name == "profile" || name == "account" || name == "normalize";
}

std::optional<std::string> site_mistake(const provider& p, std::string_view site_url) {
    if (!p.https_only || !site_url.starts_with("http://")) return std::nullopt;
    return "provider " + in_quotes(p.id) +
           " accepts only https callback URLs, even for localhost;"
           " auth_js_url is " +
           in_quotes(site_url);
}

std::optional<std::string> proxy_warning(const provider& p, std::string_view redirect_proxy_url) {
    if (redirect_proxy_url.empty() || !p.form_post) return std::nullopt;
    return "provider " + in_quotes(p.id) +
           " answers with a form (response_mode=form_post) and cannot "
           "go through auth_js_redirect_proxy_url: it will use this host's own callback URL";
}

struct loader::impl {
    surroundings around;
    std::map<std::string, json::value, std::less<>> own;  // files of auth_js_provider_dir
    std::map<std::string, std::string, std::less<>> own_path;
    std::shared_ptr<mapping> filters = std::make_shared<mapping>();
    std::vector<draft> drafts;

    void warn(const std::string& where, const std::string& text) const {
        if (around.warn) around.warn(where, text);
    }

    // from_environment looks at the provider's variables for one option.
    std::optional<std::string> from_environment(const draft& d, std::string_view name,
                                                std::string_view base_id) const {
        for (const auto& variable : variables(d, name, base_id))
            if (auto found = around.env ? around.env(variable) : std::nullopt;
                found && !found->empty())
                return found;
        return std::nullopt;
    }
    static std::vector<std::string> variables(const draft& d, std::string_view name,
                                              std::string_view base_id) {
        std::vector<std::string> out, suffixes;
        if (name == "client_id")
            suffixes = {"ID"};
        else if (name == "client_secret")
            suffixes = {"SECRET"};
        else if (name == "api_key")
            suffixes = {"KEY", "API_KEY"};
        else
            suffixes = {variable_part(name)};
        std::vector<std::string_view> ids{d.p->id};
        if (base_id != d.p->id) ids.push_back(base_id);
        for (const auto id : ids)
            for (const auto& suffix : suffixes)
                out.push_back("AUTH_" + variable_part(id) + "_" + suffix);
        for (const auto& alias : items(at(at(d.file, "env"), name)))
            if (const auto* text = alias.as_string()) out.push_back(*text);
        return out;
    }

    std::optional<mistake> find_file(const declaration& d, draft& to) const;
    std::optional<mistake> take_lines(const declaration& d, draft& to) const;
    std::optional<mistake> fill_options(const declaration& d, draft& to) const;
    std::optional<mistake> judge(draft& d) const;
    void add_filters(draft& d);
    std::optional<mistake> complete(draft& d) const;

    mistake wrong(const draft& d, const std::string& text) const {
        return {d.where, "provider " + in_quotes(d.p->id) + ": " + text};
    }
};

loader::loader(surroundings around) : impl_(std::make_unique<impl>()) {
    impl_->around = std::move(around);
}
loader::~loader() = default;

std::shared_ptr<const mapping> loader::filters() const { return impl_->filters; }
int loader::filter(std::string jq, std::string where) {
    return impl_->filters->add(std::move(jq), mapping::sees::document, std::move(where));
}

namespace {
// A file of the catalogue, as far as its form goes; what it means is seen when it is used.
std::optional<std::string> judge_file(const json::value& file, std::string_view id) {
    if (!file.is_object()) return "is no JSON object (strict: no name twice, no comments)";
    if (file.text("id") != id)
        return "its id " + in_quotes(file.text("id")) + " is not its file's name, " + in_quotes(id);
    const auto t = type_from(file.text("type"));
    if (!t || *t == type::credentials || *t == type::webauthn)
        return "its type is none of oauth, oidc, email";
    const std::vector<std::string_view> known(std::begin(file_members), std::end(file_members));
    for (const auto& m : members(file))
        if (std::ranges::find(known, m.name) == known.end())
            return "unknown member " + in_quotes(m.name) + did_you_mean(m.name, known);
    return std::nullopt;
}
}  // namespace

std::optional<mistake> loader::add_folder(const std::string& path, const std::string& where) {
    namespace fs = std::filesystem;
    std::error_code failed;
    std::set<fs::path> files;
    for (fs::directory_iterator it(path, failed), end; !failed && it != end; it.increment(failed))
        if (it->path().extension() == ".json") files.insert(it->path());
    if (failed) {
        if (impl_->around.lenient) return std::nullopt;
        return mistake{where,
                       "cannot read the folder " + in_quotes(path) + ": " + failed.message()};
    }
    for (const auto& file : files) {
        const std::string id = file.stem().string();
        const auto text = read_file(file.string());
        if (!text) return mistake{where, "cannot read " + in_quotes(file.string())};
        auto content = json::parse(*text);
        if (auto why = judge_file(content ? *content : nothing(), id))
            return mistake{file.string(), *why};
        impl_->own[id] = std::move(*content);
        impl_->own_path[id] = file.string();
    }
    return std::nullopt;
}

std::optional<mistake> loader::impl::find_file(const declaration& d, draft& to) const {
    std::string type_line;
    for (const auto& l : d.lines)
        if (l.name == "type" && l.values.size() == 1) type_line = l.values[0];
    constexpr auto passkeys = "passkeys (type webauthn) are not in this version";

    const auto embedded = embedded_files();
    const auto in = std::ranges::find(embedded, d.id, &embedded_file::id);
    const auto row = std::ranges::find(built_ins, d.id, &built_in::id);
    if (const auto mine = own.find(d.id); mine != own.end()) {
        to.file = mine->second;
        to.file_name = own_path.at(d.id);
    } else if (in != embedded.end()) {
        to.file_name = "providers/" + d.id + ".json";
        auto content = json::parse(in->text);
        if (auto why = judge_file(content ? *content : nothing(), d.id))
            return mistake{to.file_name, *why};
        to.file = std::move(*content);
    } else if (row != std::end(built_ins)) {
        to.file = json::make_object({{"id", row->id},
                                     {"name", row->name},
                                     {"type", type_name(row->type)},
                                     {"deprecated", row->successor}});
    } else {
        std::vector<std::string_view> known = catalogue_ids();
        for (const auto& b : built_ins) known.push_back(b.id);
        for (const auto& o : own) known.push_back(o.first);
        if (type_line.empty())
            return mistake{d.where, "unknown provider " + in_quotes(d.id) +
                                        did_you_mean(d.id, known) +
                                        " (one that is not in the catalogue needs a type line: "
                                        "type oauth, oidc, email or credentials)"};
        if (!type_from(type_line))
            return mistake{d.where, "provider " + in_quotes(d.id) + ": unknown type " +
                                        in_quotes(type_line) +
                                        "; it is oauth, oidc, email or credentials"};
        to.file = json::make_object({{"id", d.id}, {"name", d.id}, {"type", type_line}});
    }
    to.where = d.where;
    to.p->id = d.as.empty() ? d.id : d.as;
    to.p->type = *type_from(to.file.text("type"));
    to.p->name = to.file.text("name");
    if (to.p->type == type::webauthn) return wrong(to, passkeys);
    if (!is_id(to.p->id))
        return wrong(to, "an id is letters, digits, \"-\", \"_\" and \".\", at most 64");
    return std::nullopt;
}

std::optional<mistake> loader::impl::take_lines(const declaration& d, draft& to) const {
    const auto& style = at(to.file, "style");
    to.p->style = {std::string(style.text("bg")), std::string(style.text("text")),
                   std::string(style.text("brandColor")), std::string(style.text("logo"))};
    std::set<std::string_view> seen;
    for (const auto& l : d.lines) {
        const auto known = std::ranges::find_if(lines, [&](const known_line& k) {
            return k.name == l.name && (k.kinds & kind_of(to.p->type));
        });
        std::string why;
        const bool twice = !seen.insert(l.name).second;
        if (known != std::end(lines)) {
            if (l.values.size() < known->least || l.values.size() > known->most)
                why = "takes: " + std::string(known->usage);
            else if (twice && !known->repeatable)
                why = "is given twice";
            else
                why = known->take(to, l.values);
        } else if (to.has_option(l.name)) {
            if (l.values.size() != 1)
                why = "takes one value";
            else if (twice)
                why = "is given twice";
            else
                to.set[l.name] = l.values[0];
        } else {
            const auto elsewhere = std::ranges::find(lines, l.name, &known_line::name);
            why = elsewhere == std::end(lines)
                      ? "is unknown" + did_you_mean(l.name, lines_for(to))
                      : "is no line of a provider of type " + std::string(type_name(to.p->type));
        }
        if (!why.empty())
            return mistake{
                l.where.empty() ? d.where : l.where,
                "provider " + in_quotes(to.p->id) + ": " + in_quotes(l.name) + " " + why};
    }
    return std::nullopt;
}

std::optional<mistake> loader::impl::fill_options(const declaration& d, draft& to) const {
    std::vector<std::string> wanted;
    if (to.p->is_oauth())
        wanted = {"client_id", "client_secret", "issuer"};
    else if (to.p->type == type::email)
        wanted = {"server", "from", "api_key"};
    for (const auto& m : members(at(to.file, "options")))
        if (std::ranges::find(wanted, m.name) == wanted.end()) wanted.push_back(m.name);

    const auto method =
        to.auth_method.empty() ? std::string(at(to.file, "token").text("auth")) : to.auth_method;
    for (const auto& name : wanted) {
        if (!to.set.contains(name))
            if (auto found = from_environment(to, name, d.id)) to.set[name] = std::move(*found);
        const auto& spec = to.option(name);
        const bool needed =
            name == "client_id" ||
            (name == "client_secret" && method != "none" && method != "private_key_jwt") ||
            (at(spec, "required").truthy() && !spec.find("default"));
        const auto value = to.set.find(name);
        if (value == to.set.end()) {
            if (!needed) continue;
            if (around.lenient) {
                to.set[name] = name == "client_id" ? "missing" : "https://missing.invalid/";
                continue;
            }
            const std::string text = name + " is missing: write \"" + name +
                                     " ...;\" in its block"
                                     " or set the variable " +
                                     variables(to, name, d.id)[0];
            // A mail service without its key refuses the letter, with its own text, as Auth.js
            // does.
            if (to.p->type != type::email) return wrong(to, text);
            warn(to.where, "provider " + in_quotes(to.p->id) + ": " + text);
            continue;
        }
        if (const auto& list = items(at(spec, "enum")); !list.empty() && !around.lenient) {
            std::vector<std::string_view> known;
            std::string all;
            for (const auto& item : list) {
                known.push_back(*item.as_string());
                all += (all.empty() ? "" : ", ") + *item.as_string();
            }
            if (std::ranges::find(known, value->second) == known.end())
                return wrong(to, name + " " + in_quotes(value->second) + " is none of " + all +
                                     did_you_mean(value->second, known));
        }
        const auto slash = spec.text("slash");
        if (slash == "required" && !value->second.ends_with('/'))
            return wrong(to,
                         name + " must end with a slash: write " + in_quotes(value->second + "/"));
        if (slash == "forbidden" && value->second.ends_with('/'))
            return wrong(to, name + " must not end with a slash: write " +
                                 in_quotes(value->second.substr(
                                     0, value->second.find_last_not_of('/') + 1)));
    }
    return std::nullopt;
}

// judge finds what would only fail at the first sign-in, before anything is computed.
std::optional<mistake> loader::impl::judge(draft& d) const {
    auto& p = *d.p;
    if (const auto successor = d.file.text("deprecated"); !successor.empty())
        warn(d.where, "provider " + in_quotes(d.file.text("id")) + " is deprecated: " +
                          (successor.find(' ') == successor.npos ? "use " + in_quotes(successor)
                                                                 : std::string(successor)));
    if (p.type == type::credentials) {
        if (p.authorize_by.htpasswd_file.empty() && p.authorize_by.internal_uri.empty())
            return wrong(d,
                         "authorize is missing: write \"authorize htpasswd:/path;\" or "
                         "\"authorize uri /internal;\"");
        return std::nullopt;
    }
    if (p.type == type::email) {
        p.send = at(d.file, "send");
        if (const auto* text = d.file.find("missing")) p.email.set("missing", *text);
        const auto server_line = d.set.find("server");
        const bool internal = p.email.find("send_uri") != nullptr;
        if (p.send.is_null() && server_line == d.set.end() && !internal && !around.lenient)
            return wrong(d,
                         "server is missing: write \"server smtp://user:password@host:587;\" in "
                         "its block or set the variable " +
                             variables(d, "server", p.id)[0]);
        if (server_line != d.set.end() && !server_line->second.starts_with("smtp://") &&
            !server_line->second.starts_with("smtps://") && !around.lenient)
            return wrong(d, "server must begin with smtp:// or smtps://");
        return std::nullopt;
    }

    const auto method = d.auth_method.empty() ? at(d.file, "token").text("auth") : d.auth_method;
    if (!method.empty()) {
        const auto known = oauth::auth_method_from(method);
        if (!known) return mistake{d.file_name, "unknown token.auth " + in_quotes(method)};
        p.client.method = *known;
    }
    if (!d.key_text.empty()) {
        auto key = jose::read_signing_key(d.key_text);
        if (!key && !around.lenient)
            return wrong(d,
                         "private_key is neither a PEM private key nor a JWK; write "
                         "\"private_key file:/path;\"");
        if (key && !d.kid.empty()) key->kid = d.kid;
        p.client.private_key = std::move(key);
    }
    if (p.client.method == oauth::auth_method::private_key_jwt && d.key_text.empty())
        return wrong(d, "token_auth_method private_key_jwt needs a private_key line");

    if (!d.checks.empty()) {
        p.check_pkce = p.check_state = p.check_nonce = false;
    } else if (const auto* list = d.file.find("checks")) {
        for (const auto& item : items(*list))
            if (const auto* name = item.as_string()) d.checks.push_back(*name);
        p.check_pkce = false;
    }
    for (const auto& name : d.checks) {
        if (name == "pkce") p.check_pkce = true;
        if (name == "state") p.check_state = true;
        if (name == "nonce") p.check_nonce = true;
    }
    if (const auto* on = at(d.file, "id_token").as_bool(); on && !*on) p.id_token = false;
    if (const auto* on = at(d.file, "id_token_keys").as_bool()) p.id_token_keys = *on;
    if (d.file.text("id_token_hashes") == "long") p.hashed_from = 22;  // of 6 bits each
    if (p.client.id_token_alg.empty()) p.client.id_token_alg = d.file.text("id_token_alg");
    p.callback_json = d.file.text("callback_json");
    p.issuer_placeholder = at(d.file, "issuer_claim").text("placeholder");
    p.issuer_claim = at(d.file, "issuer_claim").text("claim");
    p.https_only = at(d.file, "https").truthy();
    return std::nullopt;
}

namespace {
// The file's `require` and `profile` as one filter: a member is left out where its path leads to
// nothing.
std::string profile_filter(const json::value& file) {
    std::string out;
    for (const auto& item : items(at(file, "require")))
        if (const auto* f = item.as_string()) out += "must(" + *f + "\n) as $must | ";
    std::string sum;
    for (const auto& m : members(at(file, "profile")))
        if (const auto* f = m.val.as_string())
            sum += (sum.empty() ? "" : " + ") + ("field(" + json::stringify(m.name) + "; " + *f) +
                   "\n)";
    return sum.empty() ? sum : out + sum;
}
}  // namespace

void loader::impl::add_filters(draft& d) {
    auto& p = *d.p;
    using sees = mapping::sees;
    const auto add = [&](std::string_view text, const std::string& where, sees what) {
        return text.empty() ? -1 : filters->add(std::string(text), what, where);
    };
    for (const auto& m : members(at(d.file, "vars")))
        if (const auto* f = m.val.as_string())
            d.vars.emplace_back(m.name, add(*f, d.file_name, sees::document));
    const auto& userinfo = at(d.file, "userinfo");
    p.select_filter = add(userinfo.text("select"), d.file_name, sees::profile);
    p.userinfo.has_select = p.select_filter >= 0;
    p.when_filter = add(at(userinfo, "then").text("when"), d.file_name, sees::profile);
    p.merge_filter = add(at(userinfo, "then").text("merge"), d.file_name, sees::profile);
    p.profile_filter = d.profile.empty() ? add(profile_filter(d.file), d.file_name, sees::profile)
                                         : add(d.profile, d.where, sees::profile);
    p.account_filter = add(d.account, d.where, sees::profile);
    p.normalize_filter = add(d.normalize, d.where, sees::document);
    p.maps = filters;
}

// complete expands everything of the file, now that vars can be computed.
std::optional<mistake> loader::impl::complete(draft& d) const {
    auto& p = *d.p;
    d.value = d.set;
    const auto get = [&d](std::string_view name) -> std::optional<std::string> {
        if (name == "callback_url" || name.starts_with("token."))
            return "{" + std::string(name) + "}";
        const auto found = d.value.find(name);
        return found == d.value.end() ? std::nullopt : std::optional(found->second);
    };
    const auto get_for_url = [&](std::string_view name) {
        auto text = get(name);
        return text && name.starts_with("client_") ? encode_uri_component(*text) : text;
    };
    std::optional<mistake> failed;

    // Options that were not given have their default, which may name other options.
    for (const auto& m : members(at(d.file, "options"))) {
        if (d.value.contains(m.name)) continue;
        const auto* text = at(m.val, "default").as_string();
        if (text == nullptr) continue;
        auto filled = expand(*text, get);
        if (filled.missing.empty()) d.value[m.name] = std::move(filled.text);
    }
    if (p.type == type::email) d.value.try_emplace("from", "Auth.js <no-reply@authjs.dev>");
    d.value.try_emplace("name", p.name);

    json::value options = json::object{};
    for (const auto& m : members(at(d.file, "options")))
        if (const auto found = d.value.find(m.name); found != d.value.end())
            options.set(m.name, found->second);
    for (const auto* name : {"issuer", "from"})
        if (const auto found = d.value.find(name); found != d.value.end())
            options.set(name, found->second);
    json::value seen = options;
    for (const auto& [name, number] : d.vars) {
        try {
            const auto made = filters->run(number, seen);
            if (!made || made->is_null()) continue;
            d.value[name] = json::text_of(*made);
            seen.set(name, *made);
        } catch (const error& e) {
            // What a mail service cannot be asked is told when a letter is sent, as Auth.js does.
            if (p.type != type::email) return wrong(d, name + ": " + e.message());
            warn(d.where, "provider " + in_quotes(p.id) + ": " + e.message());
            p.email.set("refused", e.message());
        }
    }
    d.value.try_emplace("issuer", "");
    if (d.value["issuer"].empty() && !d.file.text("issuer").empty())
        d.value["issuer"] = expand(d.file.text("issuer"), get).text;
    if (d.value["issuer"].empty()) d.value.erase("issuer");

    if (p.type == type::email) {
        for (const auto& [name, text] : d.value) p.email.set(name, text);
        p.options = std::move(options);
        return std::nullopt;
    }
    if (p.type == type::credentials) return std::nullopt;

    if (const auto i = get("issuer")) {
        const auto parsed = parse_url(*i);
        if (!parsed || !parsed->is_http())
            return wrong(d, "issuer " + in_quotes(*i) + " is no http or https URL");
        if (parsed->scheme == "http")
            warn(d.where, "provider " + in_quotes(p.id) + ": issuer " + in_quotes(*i) +
                              " is plain http: what it says can be forged on the way");
        p.issuer = *i;
        options.set("issuer", *i);
    }
    p.options = std::move(options);
    p.client.id = d.set["client_id"];
    p.client.client_secret = secret(d.set["client_secret"]);

    const auto endpoint = [&](const std::string& given, std::string_view text,
                              std::string_view what) -> std::string {
        if (!given.empty() || text.empty()) return given;
        auto filled = expand(text, get_for_url);
        const auto parsed = parse_url(filled.text);
        if (!filled.missing.empty())
            failed = wrong(d, std::string(what) + " needs " + in_quotes(filled.missing));
        else if (!parsed || !parsed->is_http())
            failed = wrong(
                d, std::string(what) + " " + in_quotes(filled.text) + " is no http or https URL");
        return std::move(filled.text);
    };
    const auto fill_params = [&](const json::value& from, params& to) {
        for (const auto& m : members(from)) {
            const auto* text = m.val.as_string();
            if (text == nullptr) {
                to.set(m.name, json::stringify(m.val));
            } else if (auto filled = expand(*text, get); filled.missing.empty()) {
                to.set(m.name, filled.text);
            }
        }
    };
    const auto fill_headers = [&](const json::value& from) {
        std::vector<templated_header> out;
        for (const auto& m : members(from)) {
            const auto* text = m.val.as_string();
            if (text == nullptr) {
                out.push_back({m.name, std::nullopt});
            } else if (auto filled = expand(*text, get); filled.missing.empty()) {
                out.push_back({m.name, std::move(filled.text)});
            }
        }
        return out;
    };

    const auto& authorization = at(d.file, "authorization");
    p.authorization_url =
        endpoint(d.authorization_url, authorization.text("url"), "the authorization URL");
    const auto own_url = parse_url(p.authorization_url);
    const params own_query = params::parse(own_url ? own_url->query.value_or("") : "");
    params sent;
    fill_params(at(authorization, "params"), sent);
    // What the block says goes before what the file says, also in the query of its URL.
    if (!d.authorization_url.empty())
        for (const auto& [name, value] : own_query.list()) sent.erase(name);
    for (const auto& [name, value] : d.authorization_params) sent.set(name, value);
    p.authorization_params = sent.list();
    p.has_authorization = !p.authorization_url.empty() || !sent.empty();
    const auto* mode = sent.last("response_mode");
    p.form_post = (mode                             ? *mode
                   : own_query.has("response_mode") ? *own_query.last("response_mode")
                                                    : "") == "form_post";
    if (p.form_post && !p.redirect_proxy_url.empty())
        return wrong(d, "redirect_proxy_url cannot be used with response_mode=form_post");

    const auto& token = at(d.file, "token");
    p.token_url = endpoint(d.token_url, token.text("url"), "the token URL");
    fill_params(at(token, "params"), p.token_params);
    for (const auto& [name, value] : d.token_params) p.token_params.set(name, value);

    const auto& userinfo = at(d.file, "userinfo");
    p.userinfo.url = endpoint(d.userinfo_url, userinfo.text("url"), "the userinfo URL");
    if (!userinfo.text("method").empty()) p.userinfo.method = userinfo.text("method");
    p.userinfo.headers = fill_headers(at(userinfo, "headers"));
    if (const auto* body = userinfo.find("json")) p.userinfo.json = *body;
    p.userinfo.signed_alg = userinfo.text("signed");
    if (const auto& then = at(userinfo, "then"); !then.is_null())
        p.userinfo.then = userinfo_endpoint::further{
            endpoint({}, then.text("url"), "the further URL"), fill_headers(at(then, "headers"))};
    p.photo_url = endpoint({}, at(d.file, "photo").text("url"), "the photo URL");
    if (failed) return failed;

    if (p.issuer.empty() && p.well_known.empty()) {
        const std::pair<const std::string&, const char*> endpoints[] = {
            {p.authorization_url, "authorization_url"},
            {p.token_url, "token_url"},
            {p.userinfo.url, "userinfo_url"}};
        for (const auto& [url, name] : endpoints)
            if (url.empty() && (name != "userinfo_url"s || p.type == type::oauth || !p.id_token))
                return wrong(d, "it has neither issuer nor "s + name + "; write one of them");
    }
    return std::nullopt;
}

loader::declared loader::declare(const declaration& given) {
    draft d;
    if (auto m = impl_->find_file(given, d)) return {nullptr, std::move(m)};
    if (auto m = impl_->take_lines(given, d)) return {nullptr, std::move(m)};
    if (auto m = impl_->fill_options(given, d)) return {nullptr, std::move(m)};
    if (auto m = impl_->judge(d)) return {nullptr, std::move(m)};
    impl_->add_filters(d);
    auto made = d.p;
    impl_->drafts.push_back(std::move(d));
    return {std::move(made), std::nullopt};
}

std::optional<mistake> loader::finish() {
    if (auto m = impl_->filters->compile()) return m;
    for (auto& d : impl_->drafts)
        if (auto m = impl_->complete(d)) return m;
    impl_->drafts.clear();
    return std::nullopt;
}

}  // namespace authjs::providers
