// t/vectors/http.json: what the real @auth/core does with paths, redirects, cookies and addresses.
#include <string>

#include "auth/cookie.hpp"
#include "auth/email.hpp"
#include "auth/redirect.hpp"
#include "auth/routes.hpp"
#include "unit.hpp"
#include "util/json.hpp"

namespace {

using namespace authjs;
using json::value;

// Where we differ on purpose: a line break in an address; basePath as a regular expression and
// without a separator.
constexpr std::string_view exceptions[] = {"email-71", "path-5", "path-19"};

std::string text(const value& v, std::string_view name) { return std::string(v.text(name)); }

std::string path(const value& in) {
    const auto r = auth::parse_route(text(in, "pathname"), text(in, "basePath"));
    if (!r) return R"({"error":"UnknownAction"})";
    value out;
    out.set("action", auth::action_name(r->action));
    out.set("providerId", r->provider_id.empty() ? value{} : value{r->provider_id});
    return json::stringify(out);
}

std::string redirect(const value& in) {
    const auto to = auth::default_redirect(text(in, "url"), text(in, "baseUrl"));
    value out;
    if (to)
        out.set("result", *to);
    else
        out.set("error", "TypeError");
    return json::stringify(out);
}

// The header's text as the bytes that a server sees: Latin-1.
std::string latin1(const std::string& utf8) {
    std::string out;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
        const auto c = static_cast<unsigned char>(utf8[i]);
        out +=
            c < 0x80 ? static_cast<char>(c) : static_cast<char>((c & 3) << 6 | (utf8[++i] & 0x3f));
    }
    return out;
}

std::string cookies(const value& in) {
    const auto line = latin1(text(in, "header"));
    const auto jar = auth::cookie_jar::parse({line});
    value out{json::object{}};
    for (const auto& [name, v] : jar.list())
        if (!out.find(name)) out.set(name, v);
    return json::stringify(out);
}

std::string address(const value& in) {
    value out;
    try {
        out.set("result", auth::normalize_identifier(in.text("value")));
    } catch (const error&) {
        out.set("error", "Error");
    }
    return json::stringify(out);
}

auth::which kind_of(std::string_view name) {
    constexpr std::pair<std::string_view, auth::which> rows[] = {
        {"sessionToken", auth::which::session_token},
        {"callbackUrl", auth::which::callback_url},
        {"csrfToken", auth::which::csrf_token},
        {"pkceCodeVerifier", auth::which::pkce_code_verifier},
        {"state", auth::which::state},
        {"nonce", auth::which::nonce},
        {"webauthnChallenge", auth::which::webauthn_challenge},
    };
    for (const auto& [n, w] : rows)
        if (n == name) return w;
    throw error(code::configuration, "unknown cookie");
}

std::string default_cookie(const value& in) {
    const bool secure = *in.find("secure")->as_bool();
    const auto kind = auth::default_cookie(kind_of(in.text("cookie")), secure);
    value out;
    out.set("set", auth::serialize({kind.name, text(in, "value"), kind.options, {}}));
    out.set("remove", auth::serialize(auth::removal(kind.name, kind.options)));
    return json::stringify(out);
}

// The cookie package's options as ours. A fractional Max-Age has no form here: its type refuses it.
std::string raw_cookie(const value& in) {
    auth::set_cookie c{text(in, "name"), text(in, "value"), {}, {}};
    c.options.path = c.options.same_site = "";
    c.options.http_only = false;
    const auto* given = in.find("options");
    value out;
    try {
        for (const auto& m : given && given->as_object() ? *given->as_object() : json::object{}) {
            if (m.name == "path") c.options.path = *m.val.as_string();
            if (m.name == "domain") c.options.domain = *m.val.as_string();
            if (m.name == "priority") c.options.priority = *m.val.as_string();
            if (m.name == "expires") c.expires = from_iso(*m.val.as_string());
            if (m.name == "httpOnly") c.options.http_only = *m.val.as_bool();
            if (m.name == "secure") c.options.secure = *m.val.as_bool();
            if (m.name == "partitioned") c.options.partitioned = *m.val.as_bool();
            if (m.name == "sameSite")
                c.options.same_site = m.val.as_string()  ? *m.val.as_string()
                                      : *m.val.as_bool() ? "Strict"
                                                         : "";
            if (m.name == "maxAge") {
                const double n = m.val.as_number()->value;
                if (n != static_cast<double>(static_cast<std::int64_t>(n)))
                    throw error(code::configuration, "no integer");
                c.options.max_age = static_cast<std::int64_t>(n);
            }
        }
        out.set("result", auth::serialize(c));
    } catch (const error&) {
        out.set("error", "TypeError");
    }
    return json::stringify(out);
}

struct row {
    std::string_view kind;
    std::string (*run)(const value&);
};
constexpr row rows[] = {
    {"path", path},
    {"redirect_callback", redirect},
    {"cookie_parse", cookies},
    {"email_normalize", address},
    {"cookie_serialize", default_cookie},
    {"cookie_serialize_raw", raw_cookie},
};

void test_all_vectors(void**) {
    const auto file = json::parse(test::file_text("t/vectors/http.json"), {1u << 20, 16});
    assert_true(file.has_value());
    const auto& list = *file->find("vectors")->as_array();
    std::size_t run = 0, wrong = 0;
    for (const auto& v : list) {
        const auto id = text(v, "id");
        auto want = *v.find("output");
        want.erase("message");  // wording is free
        for (const auto& r : rows) {
            if (r.kind != v.text("kind")) continue;
            const auto got = r.run(*v.find("input"));
            const bool differs =
                std::find(std::begin(exceptions), std::end(exceptions), id) != std::end(exceptions);
            if ((got == json::stringify(want)) == differs) {
                print_error("%s: got %s, want %s\n", id.c_str(), got.c_str(),
                            json::stringify(want).c_str());
                ++wrong;
            }
            ++run;
        }
    }
    print_message("vectors/http.json: %zu of %zu run\n", run, list.size());
    assert_int_equal(run, list.size());
    assert_int_equal(wrong, 0);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {unit(test_all_vectors)};
    return cmocka_run_group_tests_name("vectors/http", tests, nullptr, nullptr);
}
