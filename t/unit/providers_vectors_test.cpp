// What the real Auth.js does for each provider (t/vectors/providers), as far as it can be seen
// below the flow: parameters, requests beside the token's, profile, user and account.
#include <filesystem>
#include <functional>
#include <set>

#include "providers/catalogue.hpp"
#include "providers/profile.hpp"
#include "unit.hpp"
#include "util/bytes.hpp"

using namespace authjs;
using namespace authjs::providers;

namespace {

const json::value& at(const json::value& v, std::string_view name) {
    static const json::value null;
    const auto* found = v.find(name);
    return found ? *found : null;
}
json::value read(const std::string& path) {
    auto content = json::parse(test::file_text(path), {.bytes = 1 << 22, .depth = 64});
    if (!content) throw error(code::configuration, path + " is no JSON");
    return std::move(*content);
}

struct sample {
    std::string name;
    json::value file, variant;
};

// Auth.js's options as lines of a block.
declaration block_for(const sample& s) {
    declaration d{std::string(s.file.text("id")), "", {}, "conf:1"};
    const auto line = [&](std::string name, std::vector<std::string> values) {
        d.lines.push_back({std::move(name), std::move(values), "conf:2"});
    };
    const auto data = read("providers/" + d.id + ".json");
    for (const auto& option : *at(s.variant, "options").as_object()) {
        if (option.name == "clientId")
            line("client_id", {json::text_of(option.val)});
        else if (option.name == "clientSecret")
            line("client_secret", {json::text_of(option.val)});
        else if (option.name == "issuer" && d.id != "netsuite")
            line("issuer", {json::text_of(option.val)});
        else if (option.name == "authorization") {
            for (const auto& p : *at(option.val, "params").as_object())
                line("authorization_param", {p.name, json::text_of(p.val)});
        } else if (const auto* all = at(data, "options").as_object()) {
            for (const auto& o : *all)
                if (o.val.text("js") == option.name || o.name == option.name)
                    line(o.name, {json::text_of(option.val)});
        }
    }
    return d;
}

void each_sample(const std::function<void(const sample&, const provider&)>& check) {
    std::set<std::filesystem::path> files;
    for (const auto& f : std::filesystem::directory_iterator("t/vectors/providers"))
        files.insert(f.path());
    assert_true(files.size() >= 105);
    std::vector<sample> samples;
    std::vector<std::shared_ptr<provider>> made;
    loader l(surroundings{});
    for (const auto& path : files) {
        const auto file = read(path.string());
        if (file.text("type") != "oauth" && file.text("type") != "oidc") continue;
        for (const auto& variant : *at(file, "variants").as_array()) {
            sample s{path.stem().string() + ": " + std::string(variant.text("title")), file,
                     variant};
            auto declared = l.declare(block_for(s));
            if (declared.wrong) throw error(code::configuration, declared.wrong->message);
            made.push_back(declared.made);
            samples.push_back(std::move(s));
        }
    }
    if (const auto wrong = l.finish())
        throw error(code::configuration, wrong->where + " " + wrong->message);
    for (std::size_t i = 0; i < samples.size(); i++) {
        try {
            check(samples[i], *made[i]);
        } catch (const error& e) {
            throw error(e.id(), samples[i].name + ": " + e.message());
        }
    }
}

void same(const sample& s, const char* what, const std::string& got, const std::string& want) {
    if (got != want)
        throw error(code::configuration,
                    s.name + ", " + what + ":\n  got  " + got + "\n  want " + want);
}
// Members in one order, so that text can be compared.
json::value sorted(json::value v) {
    if (auto* o = v.as_object()) {
        for (auto& m : *o) m.val = sorted(m.val);
        std::ranges::sort(*o, {}, &json::member::name);
    }
    if (auto* a = v.as_array())
        for (auto& item : *a) item = sorted(item);
    return v;
}
std::string text(const json::value& v) { return json::stringify(sorted(v)); }

const json::value* outbound(const sample& s, std::string_view role) {
    for (const auto& rq : *at(at(s.variant, "callback"), "outbound").as_array())
        if (rq.text("role") == role) return &rq;
    return nullptr;
}
json::value answer_of(const json::value& rq) { return at(at(rq, "response"), "json"); }

void same_request(const sample& s, const http::request& got, const json::value& want) {
    same(s, "method", got.method, std::string(want.text("method")));
    same(s, "url", got.url, std::string(want.text("url")));
    for (const auto& h : *at(want, "headers").as_object()) {
        if (h.name == "user-agent" && json::text_of(h.val).starts_with("oauth4webapi")) continue;
        const auto* field = http::find(got.fields, h.name);
        same(s, h.name.c_str(), field ? *field : "(none)", json::text_of(h.val));
    }
    if (!at(want, "headers").find("authorization"))
        same(s, "authorization", http::find(got.fields, "authorization") ? "there" : "none",
             "none");
    const auto* body = at(want, "body").find("json");
    same(s, "body", got.body, body ? json::stringify(*body) : "");
}

// Everything from the token response to the mapped user.
identity_input identity(const sample& s, const provider& p) {
    identity_input in;
    const auto* token = outbound(s, "token");
    in.token = answer_of(*token);
    const auto& request = at(at(s.variant, "callback"), "request");
    in.callback = request.find("form") ? at(request, "form") : at(request, "query");
    const json::value id_token = at(at(at(in.token, "id_token"), "$jwt"), "claims");
    in.token.set("id_token", "{{id_token}}");
    if (const auto* rq = outbound(s, "userinfo")) {
        oauth::token_set tokens;
        tokens.all = in.token;
        tokens.access_token = in.token.text("access_token");
        oauth::server as;
        as.userinfo_endpoint = rq->text("url");
        same_request(s, userinfo_request_for(p, as, tokens), *rq);
        const auto& response = at(*rq, "response");
        in.profile = response.find("jwt")
                         ? at(at(at(response, "jwt"), "$jwt"), "claims")
                         : userinfo_document({200, {}, json::stringify(answer_of(*rq))});
    } else {
        in.profile = id_token;
    }
    in.profile = select_profile(p, in);
    if (const auto further = further_request(p, in)) {
        const auto* rq = outbound(s, "emails");
        same(s, "a further request", rq ? "" : further->url, "");
        same_request(s, *further, *rq);
        const auto& response = at(*rq, "response");
        in.profile = merge_further(p, in,
                                   {static_cast<int>(at(response, "status").as_number()->value),
                                    {},
                                    json::stringify(answer_of(*rq))});
    }
    if (const auto photo = photo_request(p, in)) {
        const auto* rq = outbound(s, "photo");
        same_request(s, *photo, *rq);
        in.photo = take_photo({200, {}, *from_base64(at(*rq, "response").text("base64"))});
    }
    return in;
}

}  // namespace

static void test_authorization_parameters(void**) {
    each_sample([](const sample& s, const provider& p) {
        const auto& location = at(at(at(s.variant, "signin"), "response"), "location");
        const std::string callback = "https://app.example.com/auth/callback/" + p.id;
        params sent;
        if (!p.authorization_url.empty()) {
            const auto url = parse_url(p.authorization_url);
            same(s, "origin", url->origin(), std::string(location.text("origin")));
            same(s, "path", url->path, std::string(location.text("path")));
            sent = params::parse(url->query.value_or(""));
        }
        sent.set("response_type", "code");
        sent.set("client_id", p.client.id);
        sent.set("redirect_uri", callback);
        const auto own = authorization_params_for(p, callback);
        for (const auto& [name, value] : own.list()) sent.set(name, value);
        if (const auto* query = at(at(s.variant, "signin"), "request").find("query"))
            for (const auto& m : *query->as_object()) sent.set(m.name, json::text_of(m.val));
        if (!sent.has("scope")) sent.set("scope", "openid profile email");
        json::value got = json::object{}, want = at(location, "query");
        for (const auto& [name, value] : sent.list()) got.set(name, value);
        for (const auto* made : {"state", "nonce", "code_challenge", "code_challenge_method"})
            want.erase(made);
        same(s, "authorization request", text(got), text(want));
        same(s, "checks", text(json::array{p.check_pkce, p.check_state, p.check_nonce}),
             text(json::array{at(location, "query").find("code_challenge") != nullptr,
                              at(location, "query").find("state") != nullptr,
                              at(location, "query").find("nonce") != nullptr}));
    });
}
static void test_token_requests(void**) {
    each_sample([](const sample& s, const provider& p) {
        const auto* rq = outbound(s, "token");
        if (!p.token_url.empty()) same(s, "token URL", p.token_url, std::string(rq->text("url")));
        const auto& form = at(at(*rq, "body"), "form");
        for (const auto& [name, value] : p.token_params.list())
            same(s, name.c_str(), value, std::string(form.text(name)));
        for (const auto& m : *form.as_object()) {
            static const std::set<std::string_view> known{"client_id",  "client_secret",
                                                          "code",       "code_verifier",
                                                          "grant_type", "redirect_uri"};
            if (!known.contains(m.name) && !p.token_params.has(m.name))
                same(s, "an unknown parameter", m.name, "");
        }
        const bool post = p.client.method == oauth::auth_method::client_secret_post;
        same(s, "secret in the body", form.find("client_secret") ? "yes" : "no",
             post ? "yes" : "no");
    });
}
static void test_profile_user_and_account(void**) {
    each_sample([](const sample& s, const provider& p) {
        auto in = identity(s, p);
        const auto& result = at(s.variant, "result");
        same(s, "profile", text(in.profile), text(at(result, "profile")));
        auto mapped = map_profile(p, in);
        json::value want = at(result, "user");
        mapped.user.set("id", "{{user_id}}");
        if (const auto email = mapped.user.text("email"); !email.empty())
            mapped.user.set("email", lower(email));
        same(s, "user", text(mapped.user), text(want));
        const auto& id = at(at(result, "account"), "providerAccountId");
        same(s, "account id", mapped.account_id, json::text_of(id));
        same(s, "kind of id", mapped.account_id_is_number ? "number" : "text",
             id.is_number() ? "number" : "text");
    });
}
static void test_style_and_name(void**) {
    each_sample([](const sample& s, const provider& p) {
        same(s, "name", p.name, std::string(s.file.text("name")));
        const auto& style = at(s.file, "style");
        same(s, "style", p.style.bg + p.style.text + p.style.brand_color + p.style.logo,
             std::string(style.text("bg")) + std::string(style.text("text")) +
                 std::string(style.text("brandColor")) + std::string(style.text("logo")));
    });
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_authorization_parameters),
        unit(test_token_requests),
        unit(test_profile_user_and_account),
        unit(test_style_and_name),
    };
    return cmocka_run_group_tests_name("providers/vectors", tests, nullptr, nullptr);
}
