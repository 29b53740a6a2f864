// The HTTP surface: routes, CSRF, callback URL, errors, headers, pages.
#include "fake_world.hpp"

namespace {

using namespace authjs;
using test::contains;
using test::world;

std::string header(const auth::response& rs, std::string_view name) {
    const auto* v = http::find(rs.fields, name);
    return v ? *v : "";
}

void test_an_unknown_path_is_a_bad_request(void**) {
    world w;
    for (const auto* path : {"/auth", "/auth/", "/auth/nothing", "/auth/csrf/x", "/auth/a/b/c"}) {
        const auto rs = w.get(path);
        assert_int_equal(rs.status, 400);
        assert_text(rs.body, "\"Bad request.\"");
    }
    assert_int_equal(w.send(w.request("PUT", "/auth/csrf")).status, 400);
}

void test_a_body_that_is_no_json_is_a_bad_request(void**) {  // [sec 51]
    world w;
    w.extra = {{"Content-Type", "application/json"}};
    assert_int_equal(w.send(w.request("POST", "/auth/session", "{")).status, 400);
    w.extra = {{"Content-Type", "text/plain"}};  // a body of another type holds no field
    const auto rs = w.send(w.request("POST", "/auth/signout", "csrfToken=" + w.csrf()));
    assert_true(contains(w.location(rs), "error=MissingCSRF"));
}

void test_csrf_gives_the_token_of_the_cookie(void**) {
    world w;
    const auto rs = w.get("/auth/csrf");
    assert_int_equal(rs.status, 200);
    assert_text(header(rs, "Content-Type"), "application/json");
    const auto token = std::string(json::parse(rs.body)->text("csrfToken"));
    assert_int_equal(token.size(), 64);
    assert_text(w.csrf(), token);
    assert_int_equal(w.set_cookies(w.get("/auth/csrf")).size(), 0);
    assert_text(header(rs, "Cache-Control"), "private, no-cache, no-store");
}

void test_providers_in_order_and_without_cookies(void**) {
    world w;
    w.forge("b");
    w.forge("a");
    const auto rs = w.get("/auth/providers");
    assert_true(rs.body.starts_with(
        R"({"b":{"id":"b","name":"Forge","type":"oauth","signinUrl":"http://app.test/auth/signin/b",)"
        R"("callbackUrl":"http://app.test/auth/callback/b"},"a":)"));
    assert_int_equal(w.set_cookies(rs).size(), 0);
}

void test_a_host_that_is_not_ours_reaches_no_redirect(void**) {  // [sec 32]
    world w;
    w.origin = "";
    auto rs = w.get("/auth/signin");
    assert_int_equal(rs.status, 500);
    assert_text(std::string(rs.error), "UntrustedHost");
    assert_int_equal(w.set_cookies(rs).size(), 0);
    rs = w.get("/auth/csrf");
    assert_true(contains(rs.body, "problem with the server configuration"));
    // The operator sees it, and a flood does not fill the log at that level.
    assert_int_equal(w.log.lines.size(), 2);
    assert_true(w.log.lines[0].first == io::level::error &&
                w.log.lines[1].first == io::level::info);
}

void test_post_without_its_token_is_refused(void**) {  // [sec 47]
    world w;
    w.forge();
    for (const auto* path : {"/auth/signin/forge", "/auth/signout"}) {
        auto rs = w.post(path, "");
        assert_int_equal(rs.status, 302);
        assert_true(w.location(rs).starts_with("http://app.test/auth/signin?error=MissingCSRF"));
        const auto token = w.csrf();
        rs = w.post(path, "csrfToken=" + token + "x");
        assert_true(contains(w.location(rs), "error=MissingCSRF"));
        rs = w.post(std::string(path) + "?csrfToken=" + token, "");
        assert_true(contains(w.location(rs), "error=MissingCSRF"));
    }
    world other;  // another browser's token
    const auto foreign = other.post("/auth/signout", "csrfToken=" + w.csrf());
    assert_true(contains(w.location(foreign), "reason=cookies_blocked"));
    assert_int_equal(w.post("/auth/session", "").status, 400);
}

void test_csrf_by_origin(void**) {  // [sec 47]
    world w;
    w.cf.csrf = auth::csrf_mode::origin;
    const auto out = [&](const char* name, const char* value) {
        w.extra = {{name, value}};
        return w.location(w.post("/auth/signout", ""));
    };
    assert_text(out("Sec-Fetch-Site", "same-origin"), "http://app.test");
    assert_text(out("Origin", "http://app.test"), "http://app.test");
    for (const auto* site : {"cross-site", "same-site"})
        assert_true(contains(out("Sec-Fetch-Site", site), "MissingCSRF"));
    assert_true(contains(out("Origin", "null"), "MissingCSRF"));
    assert_true(contains(out("Origin", "http://evil.test"), "MissingCSRF"));
    assert_true(contains(out("X-Nothing", ""), "MissingCSRF"));
}

void test_csrf_off_has_no_token(void**) {
    world w;
    w.cf.csrf = auth::csrf_mode::off;
    const auto rs = w.get("/auth/csrf");
    assert_int_equal(rs.status, 404);
    assert_true(contains(w.set_cookies(rs).back(), "authjs.csrf-token=; Max-Age=0"));
    assert_text(w.location(w.post("/auth/signout", "")), "http://app.test");
}

void test_a_get_of_signout_changes_nothing(void**) {  // [sec 47]
    world w;
    w.cookies["authjs.session-token"] = "x";
    const auto rs = w.get("/auth/signout");
    assert_int_equal(rs.status, 200);
    for (const auto& c : w.set_cookies(rs)) assert_false(contains(c, "session-token"));
}

// What a sign-out with this callbackUrl leads to.
std::string target(const std::string& callback_url, std::vector<std::string> allowed = {}) {
    world w;
    w.cf.allowed_origins = std::move(allowed);
    params form;
    form.set("callbackUrl", callback_url);
    return w.location(w.post_csrf("/auth/signout", form.to_string()));
}

void test_foreign_targets_end_at_the_site(void**) {  // [sec 36] [sec 38]
    for (const auto* evil :
         {"https://evil", "https:evil", "http:/\\evil", "javascript:alert(1)", "data:text/html,x",
          " https://evil", "https://good@evil", "https://app.test.evil", "https://evil/#app.test",
          "https://app.test:443@evil",
          "http://app\xEF\xBC\x8E"
          "test.evil",
          "http://[::1]", "http://2130706433", "HTTPS://APP.TEST@evil/"})
        assert_text(target(evil), "http://app.test");
    // These stay on the site, whatever they look like.
    for (const auto* odd : {"//evil", "/\\evil", "/%09/evil", "/%5cevil", "/..//evil"}) {
        const auto parsed = parse_url(target(odd));
        assert_text(parsed->origin(), "http://app.test");
    }
    const auto split = target("/x\r\nSet-Cookie:x=1");
    assert_text(split, "http://app.test/xSet-Cookie:x=1");
    const auto big = "/" + std::string(8000, 'a');
    assert_text(target(big), "http://app.test" + big);
    assert_text(target(big + std::string(192, 'a')), "http://app.test");  // [sec 39]
    assert_true(contains(target("..//evil"), "error=Configuration"));
    assert_true(contains(target("\\/evil"), "error=Configuration"));
}

void test_allowed_origins_and_no_others(void**) {  // [sec 36]
    const std::vector<std::string> list{"https://*.example.com", "https://one.test"};
    assert_text(target("https://a.example.com/x", list), "https://a.example.com/x");
    assert_text(target("https://one.test/", list), "https://one.test/");
    for (const auto* evil :
         {"https://example.com/", "http://a.example.com/", "https://aexample.com/",
          "https://a.example.com.evil/", "https://a.example.com:8443/", "https://one.test:444/"})
        assert_text(target(evil, list), "http://app.test");
}

void test_a_tossed_callback_cookie_is_judged_again(void**) {  // [sec 37]
    world w;
    const auto token = w.csrf();
    w.cookies["authjs.callback-url"] = "https%3A%2F%2Fevil.test%2F";
    assert_text(w.location(w.post("/auth/signout", "csrfToken=" + token)), "http://app.test");
    w.cookies["authjs.callback-url"] = "javascript%3Ax";
    assert_int_equal(w.post("/auth/signout", "csrfToken=" + token).status, 500);
}

void test_a_sign_out_may_end_at_the_sign_in_page(void**) {
    assert_text(target("/auth/signin?callbackUrl=%2Fdeep"),
                "http://app.test/auth/signin?callbackUrl=%2Fdeep");
    assert_text(target("/authors"), "http://app.test/authors");
}

void test_a_failed_redirect_callback_is_the_root(void**) {
    world w;
    w.on(auth::callback::redirect, "error(\"no\")");
    const auto rs = w.post_csrf("/auth/signout", "callbackUrl=%2Fx");
    assert_text(w.location(rs), "http://app.test");
}

void test_return_redirect_header_makes_json(void**) {
    world w;
    const auto token = w.csrf();
    w.extra = {{"X-Auth-Return-Redirect", ""}};
    auto rs = w.post("/auth/signout", "callbackUrl=%2Fx&csrfToken=" + token);
    assert_int_equal(rs.status, 200);
    assert_text(rs.body, R"({"url":"http://app.test/x"})");
    assert_text(w.location(rs), "http://app.test/x");
    w.extra = {{"X-Auth-Return-Redirect", "1"}};
    rs = w.post("/auth/signout", "");
    assert_int_equal(rs.status, 200);
    assert_true(contains(rs.body, "error=MissingCSRF"));
    assert_int_equal(w.set_cookies(rs).size(), 0);
}

void test_errors_say_no_more_than_their_name(void**) {  // [sec 118]
    world w;
    const auto rs = w.get("/auth/signin/nobody");
    assert_text(w.location(rs), "http://app.test/auth/error?error=Configuration&ref=r1");
    assert_text(std::string(rs.error), "InvalidProvider");
    assert_true(w.log.has("InvalidProvider"));
    assert_true(w.log.has("ref=r1"));
    assert_true(contains(w.location(w.get("/auth/webauthn-options/x")), "error=Configuration"));
}

// What any stranger can bring about fills no log at the level of errors.
void test_a_strangers_nonsense_is_no_error_of_the_sites(void**) {
    world w;
    w.post_csrf("/auth/signout", "callbackUrl=..%2F%2Fevil");
    w.get("/auth/signin?callbackUrl=javascript%3Ax");
    w.get("/auth/nothing");
    w.get("/auth/signin/nobody");
    w.post("/auth/signout", "csrfToken=x");
    assert_int_equal(w.log.lines.size(), 5);
    for (const auto& [lv, line] : w.log.lines) assert_true(lv == io::level::info);
}

void test_error_page_statuses(void**) {
    world w;
    constexpr std::pair<const char*, int> rows[] = {
        {"Configuration", 500},
        {"AccessDenied", 403},
        {"Verification", 403},
        {"OAuthCallbackError", 200},
        {"", 200},
        {"constructor", 200},
        {"Unavailable", 200},
    };
    for (const auto& [name, status] : rows)
        assert_int_equal(w.get(std::string("/auth/error?error=") + name).status, status);
    assert_true(
        contains(w.get("/auth/error?error=Configuration&reason=lost_signin").body, "Start again"));
}

void test_pages_reflect_nothing_unescaped(void**) {  // [sec 114] [sec 49]
    world w;
    auto p = w.forge();
    p->name = "<b>\"&";
    const std::string bad = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    for (const auto& path :
         {"/auth/signin?error=" + bad + "&email=" + bad + "&callbackUrl=/" + bad,
          "/auth/error?error=" + bad + "&reason=" + bad + "&ref=" + bad,
          "/auth/signout?callbackUrl=/" + bad, "/auth/verify-request?provider=" + bad}) {
        const auto rs = w.get(path);
        assert_false(contains(rs.body, "<script"));
        assert_false(contains(rs.body, "<b>"));
    }
}

void test_pages_carry_a_strict_policy(void**) {  // [sec 114] [sec 115]
    world w;
    w.forge()->authorization_url = "http://old.test/authorize";
    for (const auto* path : {"/auth/signin", "/auth/signout", "/auth/verify-request", "/auth/error",
                             "/auth/error?error=AccessDenied"}) {
        const auto rs = w.get(path);
        assert_text(header(rs, "Content-Type"), "text/html");
        assert_text(header(rs, "Cache-Control"), "private, no-cache, no-store");
        assert_text(header(rs, "X-Frame-Options"), "DENY");
        assert_text(header(rs, "X-Content-Type-Options"), "nosniff");
        assert_false(header(rs, "Referrer-Policy").empty());
        const auto csp = header(rs, "Content-Security-Policy");
        assert_true(contains(csp, "default-src 'none'"));
        assert_true(contains(csp, "frame-ancestors 'none'"));
        assert_true(contains(csp, "form-action 'self' https: http://old.test;"));
        assert_false(contains(csp, "unsafe"));
        const auto from = rs.body.find("<style>") + 7;
        const auto style = rs.body.substr(from, rs.body.find("</style>") - from);
        assert_true(contains(csp, base64(crypto::digest(crypto::hash::sha256, style))));
        assert_false(contains(rs.body, " style="));
        assert_false(contains(rs.body, "<script"));
        assert_true(rs.body.size() < 20'000);
        assert_true(contains(rs.body, "<html lang=\"en\">"));
    }
}

void test_sign_in_page_has_the_hooks(void**) {
    world w;
    w.forge();
    auto p = w.add("pw", providers::type::credentials);
    p->fields = {{"login", {{"label", "Your name"}, {"autocomplete", "username"}}},
                 {"password", {{"type", "password"}}}};
    const auto body = w.get("/auth/signin?error=CredentialsSignin").body;
    for (const auto* part :
         {"class=\"page\"", "class=\"signin\"", "class=\"card\"", "class=\"provider\"",
          "name=\"csrfToken\"", "name=\"callbackUrl\"", "<hr/>", "Sign in with Forge",
          "id=\"input-login-for-pw-provider\"", "for=\"input-login-for-pw-provider\"", "Your name",
          "type=\"password\"", "id=\"submitButton\"", "Sign in failed.",
          "action=\"http://app.test/auth/signin/forge\"",
          "action=\"http://app.test/auth/callback/pw\""})
        assert_true(contains(body, part));
}

void test_custom_pages(void**) {
    world w;
    w.cf.pages = {"/in?x=1", "/out", "/oops", "/sent", "/welcome"};
    assert_text(w.location(w.get("/auth/signin?callbackUrl=/a&error=X")),
                "/in?x=1&callbackUrl=http%3A%2F%2Fapp.test%2Fa&error=X");
    assert_text(w.location(w.get("/auth/signout")), "/out");
    assert_text(w.location(w.get("/auth/verify-request?a=b")), "/sent?a=b");
    assert_text(w.location(w.get("/auth/error?error=X")), "/oops?error=X");
    assert_true(
        w.location(w.post("/auth/signout", "")).starts_with("http://app.test/in?x=1&error="));
}

void test_head_looks_and_spends_nothing(void**) {
    world w;
    w.add("mail", providers::type::email);
    w.with_store();
    assert_int_equal(w.send(w.request("HEAD", "/auth/signin")).status, 200);
    assert_int_equal(w.send(w.request("HEAD", "/auth/csrf")).status, 200);
    assert_int_equal(w.send(w.request("HEAD", "/auth/session")).status, 400);
    assert_int_equal(w.send(w.request("HEAD", "/auth/callback/mail?token=t&email=a%40b.c")).status,
                     400);
    assert_int_equal(w.store.log.size(), 0);
}

void test_early_data_is_not_acted_on(void**) {  // [sec 21]
    world w;
    w.forge();
    const auto early = [&](const char* method, const char* path) {
        auto rq = w.request(method, path);
        rq.early_data = true;
        return w.send(std::move(rq)).status;
    };
    assert_int_equal(early("GET", "/auth/signin"), 200);
    assert_int_equal(early("GET", "/auth/session"), 200);
    assert_int_equal(early("GET", "/auth/callback/forge"), 425);
    assert_int_equal(early("POST", "/auth/signout"), 425);
}

void test_go_starts_one_flow_and_only_it(void**) {
    world w;
    w.forge();
    const std::string back = "http://app.test/x";
    const auto token = auth::make_go(w.cf, "forge", back, w.clock, w.random);
    const auto path = [&](const std::string& url) {
        return "/auth/signin/forge?callbackUrl=" + encode_uri_component(url) + "&go=" + token;
    };
    const auto rs = w.get(path(back));
    assert_true(w.location(rs).starts_with("https://forge.test/authorize?"));
    assert_false(contains(w.location(rs), "go="));
    assert_false(contains(w.location(rs), "callbackUrl"));
    assert_true(contains(w.location(w.get(path("http://app.test/y"))), "error=Configuration"));
    assert_true(contains(w.location(w.get("/auth/signin/forge")), "error=Configuration"));
    w.clock.at += seconds{61};
    assert_true(contains(w.location(w.get(path(back))), "error=Configuration"));
}

void test_a_flow_that_waits_too_long_is_dropped(void**) {
    world w;
    auto p = w.add("slow", providers::type::oidc);
    p->issuer = "https://slow.test";
    w.http.hangs = true;
    const auto token = w.csrf();
    w.extra.push_back({"Content-Type", "application/x-www-form-urlencoded"});
    w.running =
        auth::handle(w.request("POST", "/auth/signin/slow", "csrfToken=" + token), w.cf, w.ports());
    w.running.start();
    assert_false(w.running.done());
    w.loop.fire_all();
    assert_true(w.running.done());
    const auto rs = w.running.result();
    assert_int_equal(rs.status, 503);
    assert_false(header(rs, "Retry-After").empty());
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        unit(test_an_unknown_path_is_a_bad_request),
        unit(test_a_body_that_is_no_json_is_a_bad_request),
        unit(test_csrf_gives_the_token_of_the_cookie),
        unit(test_providers_in_order_and_without_cookies),
        unit(test_a_host_that_is_not_ours_reaches_no_redirect),
        unit(test_post_without_its_token_is_refused),
        unit(test_csrf_by_origin),
        unit(test_csrf_off_has_no_token),
        unit(test_a_get_of_signout_changes_nothing),
        unit(test_foreign_targets_end_at_the_site),
        unit(test_allowed_origins_and_no_others),
        unit(test_a_tossed_callback_cookie_is_judged_again),
        unit(test_a_sign_out_may_end_at_the_sign_in_page),
        unit(test_a_failed_redirect_callback_is_the_root),
        unit(test_return_redirect_header_makes_json),
        unit(test_errors_say_no_more_than_their_name),
        unit(test_a_strangers_nonsense_is_no_error_of_the_sites),
        unit(test_error_page_statuses),
        unit(test_pages_reflect_nothing_unescaped),
        unit(test_pages_carry_a_strict_policy),
        unit(test_sign_in_page_has_the_hooks),
        unit(test_custom_pages),
        unit(test_head_looks_and_spends_nothing),
        unit(test_early_data_is_not_acted_on),
        unit(test_go_starts_one_flow_and_only_it),
        unit(test_a_flow_that_waits_too_long_is_dropped),
    };
    return cmocka_run_group_tests_name("auth/handle", tests, nullptr, nullptr);
}
