// Sign-in with OAuth providers: start, callback, linking, and what an attacker brings.
#include "fake_world.hpp"

namespace {

using namespace authjs;
using test::contains;
using test::world;

const std::string token_url = "https://forge.test/token";

std::string error_of(const auth::response& rs) {
    const auto parsed = parse_url(world::location(rs));
    if (!parsed) return "";
    const auto query = params::parse(parsed->query.value_or(""));
    const auto* e = query.first("error");
    return e ? *e : "";
}

std::string names(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& n : list) out += (out.empty() ? "" : " ") + n;
    return out;
}

void test_the_authorization_url_in_its_order(void**) {
    world w;
    w.forge();
    const auto rs = w.post_csrf("/auth/signin/forge?prompt=login");
    const auto to = w.location(rs);
    assert_true(to.starts_with(
        "https://forge.test/authorize?scope=openid+profile+email&response_type=code&client_id=me"
        "&redirect_uri=http%3A%2F%2Fapp.test%2Fauth%2Fcallback%2Fforge&prompt=login&state="));
    assert_true(contains(to, "&code_challenge_method=S256"));
    const auto set = w.set_cookies(rs);
    assert_int_equal(set.size(), 1);  // state is bound inside the PKCE cookie
    assert_true(set[0].starts_with("authjs.pkce.code_verifier="));
}

void test_the_query_never_replaces_what_is_ours(void**) {
    world w;
    w.forge();
    const auto rs = w.post_csrf(
        "/auth/signin/forge?client_id=evil&redirect_uri=https://evil&response_type=token"
        "&state=evil&nonce=evil&code_challenge=evil&code_challenge_method=plain&go=x"
        "&request=evil&request_uri=https://evil");
    assert_false(contains(w.location(rs), "evil"));
    assert_false(contains(w.location(rs), "plain"));
    assert_false(contains(w.location(rs), "go="));
}

void test_discovered_endpoints_are_kept_outside(void**) {  // [sec 80]
    world w;
    auto p = w.forge();
    p->issuer = "https://forge.test";
    p->token_url = p->userinfo.url = "";
    const std::string document_url = "https://forge.test/.well-known/openid-configuration";
    w.http.answers[document_url] = {
        200,
        {},
        R"({"issuer":"https://forge.test","token_endpoint":"https://forge.test/token",)"
        R"("userinfo_endpoint":"https://forge.test/user"})",
        "93.184.216.34"};
    w.sign_in();
    assert_true(w.signed_in());
    assert_int_equal(w.http.sent.size(), 3);
    for (const auto& rq : w.http.sent)
        assert_int_equal(rq.refuses != nullptr, rq.url != document_url);
}

void test_state_is_sent_even_without_any_check(void**) {  // [sec 41]
    world w;
    auto p = w.forge();
    p->check_pkce = false;
    const auto sent = w.start();
    assert_true(sent.has("state"));
    assert_true(w.cookies.contains("authjs.state"));
    auto forged = sent;
    forged.set("state", "forged");
    assert_text(error_of(w.come_back(forged)), "Configuration");
    assert_int_equal(w.http.count(token_url), 0);
}

void test_form_post_cookies_survive_a_cross_site_post(void**) {
    world w;
    auto p = w.forge();
    p->form_post = p->check_state = p->check_nonce = true;
    p->check_pkce = false;
    const auto rs = w.post_csrf("/auth/signin/forge");
    for (const auto& c : w.set_cookies(rs)) {
        assert_true(contains(c, "SameSite=None"));
        assert_true(contains(c, "Secure"));
    }
}

void test_a_sign_in_ends_with_a_session(void**) {
    world w;
    w.forge();
    const auto rs = w.come_back(w.start("forge", "callbackUrl=%2Fhome"));
    assert_int_equal(rs.status, 302);
    assert_text(w.location(rs), "http://app.test/home");
    assert_true(w.signed_in());
    assert_false(w.cookies.contains("authjs.pkce.code_verifier"));
    assert_int_equal(w.commits, 1);
    const auto session = json::parse(w.get("/auth/session").body);
    assert_text(session->find("user")->text("email"), "ada@example.com");
}

void test_foreign_or_no_state_sends_no_token_request(void**) {  // [sec 41] [sec 46]
    world w, attacker;
    w.forge();
    attacker.forge();
    attacker.random.next(std::string(32, 'x'));
    const auto theirs = attacker.start();
    auto mine = w.start();
    assert_text(error_of(w.come_back(theirs)), "Configuration");
    assert_text(error_of(w.get("/auth/callback/forge?code=c0de")), "Configuration");
    assert_int_equal(w.http.count(token_url), 0);
    assert_false(w.signed_in());
    w.clock.at += seconds{916};  // expired
    assert_text(error_of(w.come_back(mine)), "Configuration");
    assert_true(w.log.has("InvalidCheck"));
    assert_int_equal(w.http.count(token_url), 0);
}

void test_replayed_state_after_the_flow_is_refused(void**) {  // [sec 41] [sec 52]
    world w;
    w.forge();
    const auto sent = w.start();
    w.come_back(sent);
    w.cookies.erase("authjs.session-token");
    const auto rs = w.come_back(sent);
    assert_text(error_of(rs), "Configuration");
    assert_true(contains(w.location(rs), "reason=lost_signin"));
    assert_int_equal(w.http.count(token_url), 1);
}

void test_a_cookie_of_another_provider_is_refused(void**) {  // [sec 42]
    world w;
    w.forge("a");
    w.forge("b");
    const auto sent = w.start("a");
    assert_text(error_of(w.come_back(sent, "b")), "Configuration");
    assert_int_equal(w.http.count(token_url), 0);
    assert_true(w.log.has("InvalidCheck"));
}

void test_check_and_session_cookies_do_not_stand_for_each_other(void**) {  // [sec 68]
    world w;
    w.forge();
    const auto sent = w.start();
    w.cookies["authjs.session-token"] = w.cookies["authjs.pkce.code_verifier"];
    assert_text(w.get("/auth/session").body, "null");
    assert_false(w.signed_in());
}

void test_doubled_parameters_are_refused(void**) {  // [sec 48]
    for (const auto* twice : {"code", "state", "iss", "error"}) {
        world w;
        w.forge();
        const auto state = *w.start().first("state");
        const auto rs = w.get("/auth/callback/forge?code=c&state=" + state + "&" + twice + "=1&" +
                              twice + "=2");
        assert_text(error_of(rs), "Configuration");
        assert_int_equal(w.http.count(token_url), 0);
        assert_int_equal(w.commits, 0);
    }
    world w;
    w.forge();
    const auto rs = w.get("/auth/callback/forge?code[]=c&state=" + *w.start().first("state"));
    assert_text(error_of(rs), "Configuration");
}

void test_the_providers_error_is_not_reflected(void**) {  // [sec 49]
    world w;
    w.forge();
    const auto state = *w.start().first("state");
    const auto rs = w.get(
        "/auth/callback/forge?error=%3Cevil%3E%0d%0a&error_description=evil"
        "&state=" +
        state);
    assert_text(error_of(rs), "OAuthCallbackError");
    for (const auto& f : rs.fields) assert_false(contains(f.value, "evil"));
}

void test_a_wrong_iss_is_refused(void**) {  // [sec 50]
    world w;
    w.forge()->issuer = "https://forge.test";
    const auto state = *w.start().first("state");
    const auto rs = w.get("/auth/callback/forge?code=c&iss=https%3A%2F%2Fevil&state=" + state);
    assert_text(error_of(rs), "Configuration");
    assert_int_equal(w.http.count(token_url), 0);
}

void test_a_sign_in_does_not_end_at_the_sign_in_page(void**) {  // [sec 40]
    const auto lands = [](const std::string& target) {
        world w;
        w.forge();
        params form;
        form.set("callbackUrl", target);
        return w.location(w.come_back(w.start("forge", form.to_string())));
    };
    assert_text(lands("/auth/signin?callbackUrl=%2Fdeep"), "http://app.test/deep");
    assert_text(lands("/auth/signin/forge"), "http://app.test");
    assert_text(lands("/auth/signout?callbackUrl=%2Fauth%2Fcallback%2Fx"), "http://app.test");
    assert_text(lands("/authors"), "http://app.test/authors");
    auto loop = std::string("/auth/signin?callbackUrl=");
    for (int i = 0; i < 20; ++i) loop += encode_uri_component("/auth/signin?callbackUrl=");
    assert_text(lands(loop), "http://app.test");
}

void test_a_code_is_never_sent_twice(void**) {  // [sec 52]
    world w;
    w.forge();
    w.come_back(w.start("forge", "callbackUrl=%2Fa"));
    auto rs = w.come_back(w.start("forge", "callbackUrl=%2Fa"));  // the same code again
    assert_text(w.location(rs), "http://app.test/a");
    assert_int_equal(w.http.count(token_url), 1);
    w.cookies.erase("authjs.session-token");
    rs = w.come_back(w.start());
    assert_text(error_of(rs), "Configuration");
    assert_int_equal(w.http.count(token_url), 1);
}

void test_a_lost_tab_with_a_session_goes_to_its_target(void**) {  // [sec 43] [sec 44]
    world w;
    w.forge();
    const auto first = w.start("forge", "callbackUrl=%2Fone");
    const auto second = w.start("forge", "callbackUrl=%2Ftwo");
    assert_text(w.location(w.come_back(second)), "http://app.test/two");
    const auto before = w.cookies["authjs.session-token"];
    const auto rs = w.come_back(first);
    assert_text(w.location(rs), "http://app.test/two");
    assert_text(w.cookies["authjs.session-token"], before);
    assert_int_equal(w.http.count(token_url), 1);
}

void test_a_lost_tab_keeps_the_flow_of_another(void**) {  // [sec 44]
    world w;
    w.forge();
    w.sign_in();
    const auto lost = w.start();
    const auto open = w.start();
    w.come_back(lost, "forge", "c2");
    assert_true(w.cookies.contains("authjs.pkce.code_verifier"));
    w.come_back(open, "forge", "c3");
    assert_int_equal(w.http.count(token_url), 2);
}

void test_hundred_tabs_stay_small(void**) {  // [sec 43]
    world w;
    auto p = w.forge();
    p->check_state = p->check_nonce = true;
    for (int i = 0; i < 100; ++i) w.start();
    const auto rq = w.request("GET", "/");
    assert_true(http::find(rq.fields, "Cookie")->size() < 4096);
}

void test_the_redirect_proxy_hands_over_to_whom_it_may(void**) {
    world w;
    auto p = w.forge();
    p->redirect_proxy_url = "http://proxy.test/auth";
    const auto sent = w.start();
    assert_text(*sent.first("redirect_uri"), "http://proxy.test/auth/callback/forge");

    world proxy;
    proxy.origin = "http://proxy.test";
    proxy.forge()->redirect_proxy_url = "http://proxy.test/auth";
    auto rs = proxy.come_back(sent);
    assert_true(w.location(rs).starts_with("http://app.test/auth/callback/forge?code=c0de&state="));
    assert_int_equal(proxy.http.sent.size(), 0);
    proxy.cf.proxy_origins = {"https://other.test"};
    assert_text(error_of(proxy.come_back(sent)), "Configuration");
    auto forged = sent;
    forged.set("state", "x");
    assert_text(error_of(proxy.come_back(forged)), "Configuration");

    rs = w.come_back(sent);
    assert_true(w.signed_in());
    assert_true(contains(w.http.sent[0].body,
                         "redirect_uri=http%3A%2F%2Fproxy.test%2Fauth%2Fcallback%2Fforge"));
}

void test_a_mapping_that_fails_goes_back_to_sign_in(void**) {
    world w;
    w.forge();
    w.http.answers["https://forge.test/user"].body = R"({"message":"Bad credentials"})";
    const auto rs = w.sign_in();
    assert_text(w.location(rs), "http://app.test/auth/signin");
    assert_true(w.log.has("OAuthProfileParseError"));
    assert_false(w.cookies.contains("authjs.pkce.code_verifier"));
    assert_false(w.signed_in());
}

void test_an_error_leaves_cookies_alone(void**) {
    world w;
    w.forge();
    w.http.answers[token_url].status = 500;
    const auto rs = w.sign_in();
    assert_text(error_of(rs), "Configuration");
    assert_text(std::string(rs.error), "CallbackRouteError");
    assert_int_equal(w.set_cookies(rs).size(), 0);
    assert_true(w.cookies.contains("authjs.pkce.code_verifier"));
}

void test_no_secret_reaches_the_log(void**) {  // [sec 116]
    world w;
    w.forge();
    w.http.answers[token_url].body = R"({"access_token":"canary-at","token_type":"bearer"})";
    const auto sent = w.start();
    w.come_back(sent, "forge", "canary-code");
    w.http.answers[token_url].status = 400;
    w.come_back(w.start(), "forge", "canary-code2");
    w.get("/auth/callback/forge?code=canary-code3&state=canary-state");
    for (const auto& [lv, line] : w.log.lines) {
        assert_false(contains(line, "canary"));
        assert_false(contains(line, "s3cret"));
    }
}

void test_a_session_that_does_not_fit_is_not_made(void**) {
    world w;
    w.forge();
    w.sign_in();
    const auto before = w.cookies["authjs.session-token"];
    w.cookie_room = 600;
    const auto rs = w.come_back(w.start(), "forge", "c2");
    assert_text(error_of(rs), "Configuration");
    assert_true(contains(w.location(rs), "reason=cookies_too_large"));
    assert_true(w.log.has("large_client_header_buffers"));
    assert_text(w.cookies["authjs.session-token"], before);
}

void test_sign_in_callback_decides(void**) {
    world w;
    w.forge();
    w.on(auth::callback::sign_in, "if .profile.name == \"Ada\" then false else true end");
    assert_text(error_of(w.sign_in()), "AccessDenied");
    world there;
    there.forge();
    there.on(auth::callback::sign_in, "\"/elsewhere\"");
    assert_text(there.location(there.sign_in()), "http://app.test/elsewhere");
    assert_false(there.signed_in());
    world failing;
    failing.forge();
    failing.cf.callbacks[static_cast<std::size_t>(auth::callback::sign_in)].uri = "/gone";
    assert_text(error_of(failing.sign_in()), "AccessDenied");
}

void test_internal_callbacks_and_their_answers(void**) {
    world w;
    w.forge();
    w.cf.callbacks[static_cast<std::size_t>(auth::callback::jwt)].uri = "/jwt";
    w.internal.answers["/jwt"] = {200, R"({"sub":"u","role":"admin"})"};
    w.sign_in();
    const auto asked = json::parse(w.internal.calls[0].second);
    assert_text(asked->text("trigger"), "signIn");
    assert_text(asked->find("request")->text("method"), "GET");
    assert_text(asked->find("account")->text("provider"), "forge");
    assert_true(w.signed_in());
    w.internal.answers["/jwt"] = {500, ""};
    const auto rs = w.get("/auth/session");
    assert_int_equal(rs.status, 503);
    assert_text(rs.body, "null");
    assert_true(w.signed_in());
    w.internal.answers["/jwt"] = {403, ""};
    assert_text(w.get("/auth/session").body, "null");
    assert_false(w.signed_in());
}

void test_calls_of_a_new_user(void**) {
    world w;
    w.forge();
    w.with_store();
    w.cf.events[static_cast<std::size_t>(auth::event::link_account)] = {"/event"};
    w.cf.pages[static_cast<std::size_t>(auth::custom_page::new_user)] = "/welcome";
    const auto rs = w.sign_in();
    assert_text(names(w.store.log),
                "getUserByAccount getUserByAccount getUserByEmail createSignedUp");
    assert_text(w.location(rs), "/welcome?callbackUrl=http%3A%2F%2Fapp.test");
    assert_int_equal(w.store.users.size(), 1);
    assert_text(*w.store.users[0].email, "ada@example.com");
    assert_text(w.store.accounts[0].provider_account_id, "u1");
    assert_text(*w.store.accounts[0].access_token, "at");
    assert_true(w.store.sessions.contains(w.cookies["authjs.session-token"]));
    assert_int_equal(w.internal.posts.size(), 1);
    w.store.log.clear();
    w.cookies.erase("authjs.session-token");
    w.come_back(w.start(), "forge", "c2");
    assert_text(names(w.store.log), "getUserByAccount getUserByAccount createSession");
    assert_int_equal(w.store.users.size(), 1);
}

void test_an_address_of_another_is_not_linked(void**) {  // [sec 86]
    for (const auto* verified : {"true", "1", "null", "\"true\"", "false"}) {
        world w;
        w.forge();
        w.with_store();
        w.store.users.push_back({"old", {}, "ada@example.com", {}, {}, {}});
        w.http.answers["https://forge.test/user"].body =
            std::string(R"({"sub":"u1","email":"ada@example.com","email_verified":)") + verified +
            "}";
        const auto rs = w.sign_in();
        assert_true(
            w.location(rs).starts_with("http://app.test/auth/signin?error=OAuthAccountNotLinked"));
        assert_int_equal(w.store.accounts.size(), 0);
        assert_false(w.signed_in());
    }
    world w;
    w.forge()->allow_dangerous_email_account_linking = true;
    w.with_store();
    w.store.users.push_back({"old", {}, "ada@example.com", {}, {}, {}});
    w.sign_in();
    assert_text(w.store.accounts[0].user_id, "old");
}

// Another worker makes the person's user and account after the account, and before the address, was
// looked for.
void test_a_first_sign_in_elsewhere_meanwhile_is_no_stranger(void**) {
    world w;
    w.forge();
    w.with_store();
    w.store.before = [&](std::string_view call) {
        if (call != "getUserByEmail" || !w.store.users.empty()) return;
        w.store.users.push_back({"first", {}, "ada@example.com", {}, {}, {}});
        adapters::account a;
        a.user_id = "first";
        a.type = "oauth";
        a.provider = "forge";
        a.provider_account_id = "u1";
        w.store.accounts.push_back(a);
    };
    const auto rs = w.sign_in();
    assert_text(w.location(rs), "http://app.test");
    assert_int_equal(w.store.users.size(), 1);
    assert_int_equal(w.store.accounts.size(), 1);
    assert_text(w.store.sessions[w.cookies["authjs.session-token"]].user_id, "first");
}

void test_signed_in_people_link_and_strangers_do_not(void**) {  // [sec 45]
    world w;
    w.forge("a");
    w.forge("b");
    w.with_store();
    w.come_back(w.start("a"), "a", "c1");
    const auto session = w.cookies["authjs.session-token"];
    w.http.answers["https://forge.test/user"].body = R"({"sub":"u2","email":"else@x.test"})";
    w.come_back(w.start("b"), "b", "c2");
    assert_int_equal(w.store.users.size(), 1);
    assert_int_equal(w.store.accounts.size(), 2);
    assert_text(w.cookies["authjs.session-token"], session);
    // The same account from a browser that is somebody else: refused.
    w.store.users.push_back({"other", {}, {}, {}, {}, {}});
    w.store.sessions["os"] = {"os", "other", w.clock.at + seconds{60}, {}};
    w.cookies["authjs.session-token"] = "os";
    assert_text(error_of(w.come_back(w.start("b"), "b", "c3")), "OAuthAccountNotLinked");
}

void test_a_planted_session_id_is_never_kept(void**) {  // [sec 45]
    world w;
    w.forge();
    w.with_store();
    w.cookies["authjs.session-token"] = "planted";
    w.sign_in();
    assert_false(w.cookies["authjs.session-token"] == "planted");
    // An expired session of somebody does not link.
    world e;
    e.forge();
    e.with_store();
    e.store.users.push_back({"old", {}, {}, {}, {}, {}});
    e.store.sessions["es"] = {"es", "old", e.clock.at - seconds{1}, {}};
    e.cookies["authjs.session-token"] = "es";
    e.sign_in();
    assert_int_equal(e.store.users.size(), 2);
    assert_false(e.cookies["authjs.session-token"] == "es");
}

void test_a_store_that_is_down_is_503(void**) {
    world w;
    w.forge();
    w.with_store();
    w.store.down = true;
    const auto rs = w.sign_in();
    assert_int_equal(rs.status, 503);
    assert_int_equal(w.set_cookies(rs).size(), 0);
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        unit(test_the_authorization_url_in_its_order),
        unit(test_the_query_never_replaces_what_is_ours),
        unit(test_discovered_endpoints_are_kept_outside),
        unit(test_state_is_sent_even_without_any_check),
        unit(test_form_post_cookies_survive_a_cross_site_post),
        unit(test_a_sign_in_ends_with_a_session),
        unit(test_foreign_or_no_state_sends_no_token_request),
        unit(test_replayed_state_after_the_flow_is_refused),
        unit(test_a_cookie_of_another_provider_is_refused),
        unit(test_check_and_session_cookies_do_not_stand_for_each_other),
        unit(test_doubled_parameters_are_refused),
        unit(test_the_providers_error_is_not_reflected),
        unit(test_a_wrong_iss_is_refused),
        unit(test_a_sign_in_does_not_end_at_the_sign_in_page),
        unit(test_a_code_is_never_sent_twice),
        unit(test_a_lost_tab_with_a_session_goes_to_its_target),
        unit(test_a_lost_tab_keeps_the_flow_of_another),
        unit(test_hundred_tabs_stay_small),
        unit(test_the_redirect_proxy_hands_over_to_whom_it_may),
        unit(test_a_mapping_that_fails_goes_back_to_sign_in),
        unit(test_an_error_leaves_cookies_alone),
        unit(test_no_secret_reaches_the_log),
        unit(test_a_session_that_does_not_fit_is_not_made),
        unit(test_sign_in_callback_decides),
        unit(test_internal_callbacks_and_their_answers),
        unit(test_calls_of_a_new_user),
        unit(test_an_address_of_another_is_not_linked),
        unit(test_a_first_sign_in_elsewhere_meanwhile_is_no_stranger),
        unit(test_signed_in_people_link_and_strangers_do_not),
        unit(test_a_planted_session_id_is_never_kept),
        unit(test_a_store_that_is_down_is_503),
    };
    return cmocka_run_group_tests_name("auth/oauth", tests, nullptr, nullptr);
}
