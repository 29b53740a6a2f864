// From a declaration to a provider, and what is said of a wrong one.
#include <cstdlib>
#include <filesystem>
#include <map>

#include "providers/catalogue.hpp"
#include "providers/mail_service.hpp"
#include "unit.hpp"

using namespace authjs;
using namespace authjs::providers;

namespace {

using variables = std::map<std::string, std::string, std::less<>>;

// What became of one provider, and what was said about it.
struct outcome {
    std::shared_ptr<provider> made;
    std::string wrong, warned;
};

// `block` is lines of words; a word may stand in single quotes.
std::vector<line> lines_of(std::string_view block) {
    std::vector<line> out;
    while (!block.empty()) {
        const auto end = std::min(block.find('\n'), block.size());
        std::string_view text = block.substr(0, end);
        block.remove_prefix(std::min(end + 1, block.size()));
        std::vector<std::string> words;
        while (!text.empty()) {
            const bool quote = text.front() == '\'';
            if (quote) text.remove_prefix(1);
            const auto stop = std::min(text.find(quote ? '\'' : ' '), text.size());
            words.emplace_back(text.substr(0, stop));
            text.remove_prefix(std::min(stop + 1, text.size()));
            while (text.starts_with(' ')) text.remove_prefix(1);
        }
        if (words.empty()) continue;
        out.push_back({words[0],
                       {words.begin() + 1, words.end()},
                       "conf:" + std::to_string(10 + out.size())});
    }
    return out;
}

outcome make(std::string id, std::string_view block, const variables& env = {}, std::string as = {},
             const std::string& folder = {}, bool lenient = false) {
    outcome out;
    surroundings around;
    around.env = [&](std::string_view name) -> std::optional<std::string> {
        const auto found = env.find(name);
        return found == env.end() ? std::nullopt : std::optional(found->second);
    };
    around.lenient = lenient;
    around.warn = [&](const std::string& where, const std::string& text) {
        out.warned += where + " " + text + "\n";
    };
    loader l(around);
    std::optional<mistake> wrong;
    if (!folder.empty()) wrong = l.add_folder(folder, "conf:1");
    if (!wrong) {
        auto declared = l.declare({std::move(id), std::move(as), lines_of(block), "conf:9"});
        wrong = declared.wrong;
        out.made = declared.made;
    }
    if (!wrong) wrong = l.finish();
    if (wrong) out.wrong = wrong->where + " " + wrong->message;
    return out;
}
constexpr auto keys = "client_id me\nclient_secret s3cret\n";
std::string wrong(const char* id, std::string lines, const char* with = keys) {
    return make(id, with + lines).wrong;
}
const provider& fine(const outcome& o) {
    if (!o.wrong.empty()) throw error(code::configuration, o.wrong);
    return *o.made;
}
std::string param(const provider& p, std::string_view name) {
    const params all(p.authorization_params);
    const auto* found = all.last(name);
    return found ? *found : "(none)";
}

}  // namespace

// --- Where values come from ---
static void test_ids_and_secrets_come_from_the_environment(void**) {
    const auto o = make("github", "", {{"AUTH_GITHUB_ID", "a"}, {"AUTH_GITHUB_SECRET", "b"}});
    assert_text(fine(o).client.id, "a");
    assert_text(fine(o).client.client_secret.reveal(), "b");
}
static void test_the_block_wins_over_the_environment(void**) {
    const auto o = make("github", keys, {{"AUTH_GITHUB_ID", "a"}});
    assert_text(fine(o).client.id, "me");
}
static void test_a_new_id_has_its_own_variables_first(void**) {
    const variables env{{"AUTH_STAFF_KEYCLOAK_ID", "staff"},
                        {"AUTH_KEYCLOAK_ID", "all"},
                        {"AUTH_KEYCLOAK_SECRET", "s"},
                        {"AUTH_KEYCLOAK_ISSUER", "https://kc.example/realms/x"}};
    const auto o = make("keycloak", "", env, "staff-keycloak");
    assert_text(fine(o).id, "staff-keycloak");
    assert_text(fine(o).client.id, "staff");
    assert_text(fine(o).issuer, "https://kc.example/realms/x");
}
static void test_documented_variables_that_auth_js_never_reads_are_aliases(void**) {
    const auto o = make("authentik", "issuer https://a.example/o/x/",
                        {{"AUTH_AUTHENTIK_CLIENT_ID", "a"}, {"AUTH_AUTHENTIK_CLIENT_SECRET", "b"}});
    assert_text(fine(o).client.id, "a");
    const auto azure = make("azure-ad", keys, {{"AUTH_AZURE_AD_TENANT_ID", "t-1"}});
    assert_text(fine(azure).issuer, "https://login.microsoftonline.com/t-1/v2.0");
    const auto entra =
        make("azure-ad", keys,
             {{"AUTH_MICROSOFT_ENTRA_ID_ISSUER", "https://login.microsoftonline.com/t-2/v2.0"}});
    assert_text(fine(entra).issuer, "https://login.microsoftonline.com/t-2/v2.0");
}
static void test_a_missing_id_names_its_variable(void**) {
    assert_text(make("github", "").wrong,
                "conf:9 provider \"github\": client_id is missing: write \"client_id ...;\" in "
                "its block or set the variable AUTH_GITHUB_ID");
    assert_true(make("keycloak", keys).wrong.find("AUTH_KEYCLOAK_ISSUER") != std::string::npos);
}
static void test_a_signalling_process_needs_no_variables(void**) {
    for (const auto id : catalogue_ids())
        assert_text(make(std::string(id), "", {}, "", "", true).wrong, "");
}
static void test_options_have_defaults_that_name_others(void**) {
    assert_text(fine(make("descope", keys)).issuer, "https://api.descope.com/me");
    assert_text(
        param(fine(make("wechat", std::string(keys) + "platform_type WebsiteApp")), "scope"),
        "snsapi_login");
    assert_text(fine(make("github", std::string(keys) + "enterprise_base_url https://g.example"))
                    .userinfo.url,
                "https://g.example/api/v3/user");
}
static void test_a_parameter_without_a_value_is_left_out(void**) {
    const std::string issuer = std::string(keys) + "issuer https://a.example\n";
    assert_text(param(fine(make("fusionauth", issuer)), "tenantId"), "(none)");
    assert_text(param(fine(make("fusionauth", issuer + "tenant_id t")), "tenantId"), "t");
}
static void test_client_values_are_encoded_in_urls_only(void**) {
    const auto o = make("wechat", "client_id a&b\nclient_secret 'c d'");
    assert_text(fine(o).token_url,
                "https://api.weixin.qq.com/sns/oauth2/access_token?appid=a%26b&secret=c%20d");
    assert_text(param(fine(o), "appid"), "a&b");
}

// --- Lines ---
static void test_scope_and_parameters_of_the_block_win(void**) {
    const auto o = make("github", std::string(keys) +
                                      "scope 'a b'\nauthorization_param login ada\n"
                                      "authorization_param allow_signup false");
    assert_text(param(fine(o), "scope"), "a b");
    assert_text(param(fine(o), "login"), "ada");
}
static void test_checks_replace_the_files(void**) {
    const auto both = make("okta", std::string(keys) + "issuer https://o.example\nchecks nonce");
    assert_true(fine(both).check_nonce && !fine(both).check_pkce && !fine(both).check_state);
    const auto none = make("github", std::string(keys) + "checks none");
    assert_false(fine(none).check_pkce);
    assert_text(wrong("github", "checks none state"),
                "conf:12 provider \"github\": \"checks\" none stands alone");
}
static void test_profile_and_account_filters_of_the_block(void**) {
    const auto o = make(
        "github", std::string(keys) + "profile '{id: .node_id, role: \"x\"}'\naccount '{a: 1}'");
    assert_true(fine(o).profile_filter >= 0 && fine(o).account_filter >= 0);
    assert_true(wrong("github", "profile '.a | nosuch'").find("nosuch/0 is not defined") !=
                std::string::npos);
}
static void test_times_are_nginxs(void**) {
    assert_int_equal(
        fine(make("github", std::string(keys) + "max_age 1h30m")).client.max_age->count(), 5400);
    assert_true(wrong("github", "max_age soon").find("is no time") != std::string::npos);
}
static void test_credentials_have_fields_and_one_judge(void**) {
    const auto o = make("credentials",
                        "field username 'label=User name'\nfield password type=password\n"
                        "authorize htpasswd:/etc/users");
    assert_int_equal(fine(o).fields.size(), 2);
    assert_text(fine(o).fields[0].attributes[0].second, "User name");
    assert_text(fine(o).authorize_by.htpasswd_file, "/etc/users");
    assert_true(make("credentials", "field a").wrong.find("authorize is missing") !=
                std::string::npos);
    assert_true(
        make("credentials", "field a onclick=x\nauthorize uri /a").wrong.find("is no attribute") !=
        std::string::npos);
}
static void test_smtp_needs_a_server(void**) {
    assert_text(fine(make("nodemailer", "server smtp://u:p@h:587")).email.text("server"),
                "smtp://u:p@h:587");
    assert_text(fine(make("nodemailer", "server smtp://h")).email.text("from"),
                "Auth.js <no-reply@authjs.dev>");
    assert_true(make("nodemailer", "").wrong.find("AUTH_NODEMAILER_SERVER") != std::string::npos);
    assert_true(make("nodemailer", "server http://h").wrong.find("smtp://") != std::string::npos);
    fine(make("letters", "type email\nsend uri /letter"));
}

static void test_what_the_blocks_url_says_goes_before_the_files_parameters(void**) {
    const auto o = make("apple", std::string(keys) +
                                     "authorization_url https://a.example/go?scope=mine\n"
                                     "authorization_param prompt login");
    std::string sent;
    for (const auto& [name, value] : fine(o).authorization_params) sent += name + "=" + value + " ";
    assert_text(sent, "response_mode=form_post prompt=login ");
}

// --- Custom providers ---
static void test_a_custom_oauth_provider_needs_its_endpoints(void**) {
    const std::string block = std::string(keys) +
                              "type oauth\nauthorization_url https://f.example/authorize\n"
                              "token_url https://f.example/token\n";
    assert_true(make("forge", block).wrong.find("neither issuer nor userinfo_url") !=
                std::string::npos);
    const auto o = make("forge", block + "userinfo_url https://f.example/user");
    assert_text(fine(o).name, "forge");
    assert_true(fine(o).check_pkce);
}
static void test_a_custom_oidc_provider_needs_an_issuer_only(void**) {
    const auto o = make("forge", std::string(keys) + "type oidc\nissuer https://f.example");
    assert_true(fine(o).type == type::oidc);
    assert_text(o.warned, "");
}
static void test_an_own_folder_adds_and_replaces_files(void**) {
    const auto folder = std::filesystem::temp_directory_path() / "authjs-loader-test";
    std::filesystem::create_directories(folder);
    const auto write = [&](const char* name, const char* text) {
        std::ofstream(folder / name) << text;
    };
    write("forge.json", R"({"id":"forge","name":"Forge","type":"oauth",
        "options":{"base_url":{"default":"https://forge.example"}},
        "authorization":{"url":"{base_url}/authorize"},"token":{"url":"{base_url}/token"},
        "userinfo":{"url":"{base_url}/user"},"profile":{"id":".id","login":".login"}})");
    assert_text(fine(make("forge", keys, {}, "", folder.string())).token_url,
                "https://forge.example/token");
    write("forge.json", R"({"id":"forge","name":"Forge","type":"oauth","profil":{}})");
    assert_true(make("forge", keys, {}, "", folder.string())
                    .wrong.find("unknown member \"profil\"; did you mean profile?") !=
                std::string::npos);
    write("forge.json", R"({"id":"smithy","name":"Forge","type":"oauth"})");
    assert_true(make("forge", keys, {}, "", folder.string()).wrong.find("is not its file's name") !=
                std::string::npos);
    std::filesystem::remove_all(folder);
}

// --- Wrong use is explained ---
static void test_wrong_use_is_explained(void**) {
    const struct {
        const char *id, *lines, *says;
    } rows[] = {
        {"gihub", "", "unknown provider \"gihub\"; did you mean github"},
        {"click_up", "", "did you mean click-up"},
        {"clickup", "", "did you mean click-up"},
        {"github", "client_di x", "\"client_di\" is unknown; did you mean client_id"},
        {"github", "entreprise_base_url x", "did you mean enterprise_base_url"},
        {"github", "server x", "is no line of a provider of type oauth"},
        {"github", "scope", "\"scope\" takes: value"},
        {"github", "client_id x", "\"client_id\" is given twice"},
        {"github", "type oidc", "\"type\" is oauth for this provider"},
        {"github", "token_url ftp://x", "is no http or https URL"},
        {"github", "id_token_alg none", "is no algorithm"},
        {"github", "token_auth_method basic", "is none of client_secret_basic"},
        {"github", "token_auth_method private_key_jwt", "needs a private_key line"},
        {"github", "private_key xyz", "neither a PEM private key nor a JWK"},
        {"mastodon", "issuer https://m.example/",
         "issuer must not end with a slash: write \"https://m.example\""},
        {"osso", "issuer https://o.example",
         "issuer must end with a slash: write \"https://o.example/\""},
        {"battlenet", "issuer https://ue.battle.net/oauth",
         "is none of https://oauth.battle.net, "},
        {"battlenet", "issuer https://ue.battle.net/oauth",
         "did you mean https://us.battle.net/oauth"},
        {"apple", "redirect_proxy_url https://x.example/auth", "response_mode=form_post"},
        {"keycloak", "issuer kc.example", "issuer \"kc.example\" is no http or https URL"},
        {"netsuite", "", "account_id is missing"},
        {"passkey", "", "not in this version"},
    };
    for (const auto& row : rows) {
        const auto said = wrong(row.id, row.lines);
        if (said.find(row.says) == std::string::npos) assert_text(said, row.says);
    }
    assert_true(make("x", "type webauthn").wrong.find("not in this version") != std::string::npos);
    assert_true(make("x", "type saml").wrong.find("unknown type \"saml\"") != std::string::npos);
}
static void test_deprecated_providers_name_their_successor(void**) {
    assert_text(make("azure-ad", keys).warned,
                "conf:9 provider \"azure-ad\" is deprecated: use \"microsoft-entra-id\"\n");
    assert_text(make("email", "server smtp://h").warned,
                "conf:9 provider \"email\" is deprecated: use \"nodemailer\"\n");
}
static void test_a_plain_http_issuer_is_warned_of(void**) {
    assert_true(make("keycloak", std::string(keys) + "issuer http://kc.example")
                    .warned.find("plain http") != std::string::npos);
}
static void test_sites_and_proxies_that_a_provider_refuses(void**) {
    const auto slack = make("slack", keys), apple = make("apple", keys);
    assert_true(site_mistake(fine(slack), "http://localhost:3000").has_value());
    assert_false(site_mistake(fine(slack), "https://a.example").has_value());
    assert_false(site_mistake(fine(slack), "").has_value());
    assert_true(proxy_warning(fine(apple), "https://p.example/auth").has_value());
    assert_false(proxy_warning(fine(slack), "https://p.example/auth").has_value());
}

// --- The whole catalogue ---
static void test_all_providers_of_a_configuration_compile_together(void**) {
    variables env;
    for (const auto id : catalogue_ids()) {
        std::string part;
        for (const unsigned char c : id)
            part += c == '-' ? '_' : static_cast<char>(std::toupper(c));
        env["AUTH_" + part + "_ID"] = "me";
        env["AUTH_" + part + "_SECRET"] = env["AUTH_" + part + "_KEY"] = "s3cret";
        env["AUTH_" + part + "_ISSUER"] = part == "OSSO" || part == "WORKOS" ? "https://i.example/"
                                          : part == "BATTLENET" ? "https://oauth.battle.net"
                                                                : "https://i.example";
    }
    for (const char* name :
         {"AUTH_NETSUITE_USERINFO_URL", "AUTH_SAILPOINT_BASE_URL", "AUTH_SAILPOINT_BASE_API_URL"})
        env[name] = "https://o.example";
    env["AUTH_NETSUITE_ACCOUNT_ID"] = "1234567";
    surroundings around;
    around.env = [&](std::string_view name) -> std::optional<std::string> {
        const auto found = env.find(name);
        return found == env.end() ? std::nullopt : std::optional(found->second);
    };
    loader l(around);
    for (const auto id : catalogue_ids()) {
        const auto declared = l.declare({std::string(id), "", {}, "conf:1"});
        assert_text(declared.wrong ? declared.wrong->message : "", "");
    }
    const auto wrong = l.finish();
    assert_text(wrong ? wrong->where + wrong->message : "", "");
    assert_true(catalogue_ids().size() >= 100);
}

// --- Mail services ---
static void test_mail_services_make_their_requests(void**) {
    test::counting_random random;
    const letter_parts letter{"ada@example.com", "Sign in", "<b>\n</b>", "text", "https://u"};
    const auto resend = make("resend", "api_key k\nfrom me@example.com");
    const auto rq = mail_request(fine(resend), letter, random);
    assert_text(rq.url, "https://api.resend.com/emails");
    assert_text(*http::find(rq.fields, "authorization"), "Bearer k");
    assert_text(rq.body, R"({"from":"me@example.com","to":"ada@example.com","subject":"Sign in",)"
                         R"("html":"<b>\n</b>","text":"text"})");
    const auto mailgun = make("mailgun", "api_key k\nregion EU\nfrom me@mg.example.com");
    const auto form = mail_request(fine(mailgun), letter, random);
    assert_text(form.url, "https://api.eu.mailgun.net/v3/mg.example.com/messages");
    assert_true(form.body.find("name=\"from\"\r\n\r\nMailgun <me@mg.example.com>\r\n--") !=
                std::string::npos);
    assert_true(form.body.find("<b>\r\n</b>") != std::string::npos);
}
static void test_mail_services_tell_why_they_cannot(void**) {
    test::counting_random random;
    const auto sent = [&](const char* id, const char* lines) {
        const auto o = make(id, lines);
        const auto& p = fine(o);
        const auto failure = failure_of([&] { mail_request(p, {}, random); });
        return failure ? failure->message() : "";
    };
    assert_text(sent("postmark", ""), "Missing Postmark API Key");
    assert_text(sent("loops", "api_key k"), "Missing Loops API Key or TransactionalId");
    assert_text(sent("mailgun", "api_key k\nfrom me"), "malformed Mailgun domain");
    const auto resend = make("resend", "api_key k");
    assert_text(mail_failure(fine(resend), {403, {}, "{\"a\": 1}"}), "Resend error: {\"a\":1}");
    const auto sendgrid = make("sendgrid", "api_key k");
    assert_text(mail_failure(fine(sendgrid), {403, {}, "no"}), "Sendgrid error: no");
    assert_text(mail_failure(fine(sendgrid), {202, {}, ""}), "");
}

int main() {
    const CMUnitTest tests[] = {
        unit(test_ids_and_secrets_come_from_the_environment),
        unit(test_the_block_wins_over_the_environment),
        unit(test_a_new_id_has_its_own_variables_first),
        unit(test_documented_variables_that_auth_js_never_reads_are_aliases),
        unit(test_a_missing_id_names_its_variable),
        unit(test_a_signalling_process_needs_no_variables),
        unit(test_options_have_defaults_that_name_others),
        unit(test_a_parameter_without_a_value_is_left_out),
        unit(test_client_values_are_encoded_in_urls_only),
        unit(test_scope_and_parameters_of_the_block_win),
        unit(test_checks_replace_the_files),
        unit(test_profile_and_account_filters_of_the_block),
        unit(test_times_are_nginxs),
        unit(test_credentials_have_fields_and_one_judge),
        unit(test_smtp_needs_a_server),
        unit(test_what_the_blocks_url_says_goes_before_the_files_parameters),
        unit(test_a_custom_oauth_provider_needs_its_endpoints),
        unit(test_a_custom_oidc_provider_needs_an_issuer_only),
        unit(test_an_own_folder_adds_and_replaces_files),
        unit(test_wrong_use_is_explained),
        unit(test_deprecated_providers_name_their_successor),
        unit(test_a_plain_http_issuer_is_warned_of),
        unit(test_sites_and_proxies_that_a_provider_refuses),
        unit(test_all_providers_of_a_configuration_compile_together),
        unit(test_mail_services_make_their_requests),
        unit(test_mail_services_tell_why_they_cannot),
    };
    return cmocka_run_group_tests_name("providers/loader", tests, nullptr, nullptr);
}
