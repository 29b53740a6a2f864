// Sign-in by letter and by password, sessions and sign-out.
#include <unistd.h>

#include "auth/htpasswd.hpp"
#include "auth/signed_out.hpp"
#include "fake_world.hpp"

namespace {

using namespace authjs;
using test::contains;
using test::world;

std::string names(const std::vector<std::string>& list) {
    std::string out;
    for (const auto& n : list) out += (out.empty() ? "" : " ") + n;
    return out;
}

// A world whose letters go to an internal location.
struct mail_world : world {
    std::shared_ptr<providers::provider> p = add("mail", providers::type::email);
    mail_world() {
        with_store();
        p->email.set("send_uri", "/send");
        internal.answers["/send"] = {200, ""};
    }
    std::string link() {
        const auto sent = json::parse(internal.calls.back().second);
        return std::string(sent->text("url")).substr(origin.size());
    }
};

void test_a_letter_is_asked_for(void**) {
    mail_world w;
    const auto rs = w.post_csrf("/auth/signin/mail", "email=Ada%40Example.com&callbackUrl=%2Fhome");
    assert_text(w.location(rs), "http://app.test/auth/verify-request?provider=mail&type=email");
    assert_int_equal(w.store.tokens.size(), 1);
    assert_text(w.store.tokens[0].identifier, "ada@example.com");
    assert_true(w.link().starts_with(
        "/auth/callback/mail?callbackUrl=http%3A%2F%2Fapp.test%2Fhome&token="));
    assert_false(contains(w.link(), w.store.tokens[0].token));  // only its hash is stored
    assert_int_equal(w.commits, 1);
}

void test_addresses_that_are_not_exactly_one_are_refused(void**) {  // [sec 89]
    for (const auto* bad : {"a@@b.c", "\"a\"@b.c", "a@b.c,victim@x.y", "user@evil.com,victim@x",
                            "a@b.c\r\nBcc:x@y.z", "a@b.c\n", "a b@c.d", "<a@b.c>", "a,b@c.d",
                            "a;b@c.d", "a@b.c.", "a@.b", "a@b..c", "@b", "a@", "",
                            "a\xEF\xBC\xA0"
                            "b@c.d"}) {
        mail_world w;
        params form;
        form.set("email", bad);
        w.post_csrf("/auth/signin/mail", form.to_string());
        if (std::string_view(bad) == "a@b.c\n") {  // trimmed, as Auth.js does
            assert_text(w.store.tokens[0].identifier, "a@b.c");
            continue;
        }
        assert_int_equal(w.store.tokens.size(), 0);
        assert_int_equal(w.internal.calls.size(), 0);
    }
    mail_world w;
    w.post_csrf("/auth/signin/mail", "email=" + std::string(320, 'a') + "%40b.c");
    w.post_csrf("/auth/signin/mail", "email=a%00%40b.c");
    assert_int_equal(w.store.tokens.size(), 0);
    w.post_csrf("/auth/signin/mail", "email=%EF%BC%A1%EF%BC%A0B.C");  // full width
    assert_text(w.store.tokens.at(0).identifier, "a@b.c");
}

void test_a_link_signs_in_once(void**) {  // [sec 91]
    mail_world w;
    w.post_csrf("/auth/signin/mail", "email=ada%40x.test&callbackUrl=%2Fhome");
    const auto link = w.link();
    w.cookies.clear();  // another browser
    w.store.log.clear();
    auto rs = w.get(link);
    assert_text(w.location(rs), "http://app.test/home");
    assert_text(names(w.store.log),
                "useVerificationToken getUserByEmail getUserByEmail createSignedUp");
    assert_true(w.store.users[0].email_verified.has_value());
    assert_true(w.signed_in());
    w.cookies.clear();
    rs = w.get(link);
    assert_text(w.location(rs), "http://app.test/auth/error?error=Verification");
    assert_false(w.signed_in());
}

void test_a_link_of_another_address_or_time_is_refused(void**) {  // [sec 91]
    mail_world w;
    w.post_csrf("/auth/signin/mail", "email=ada%40x.test");
    const auto link = w.link();
    const auto other = link.substr(0, link.find("&email=")) + "&email=eve%40x.test";
    assert_true(contains(w.location(w.get(other)), "error=Verification"));
    assert_true(
        contains(w.location(w.get(link.substr(0, link.find("&email=")))), "error=Verification"));
    w.clock.at += seconds{86'401};
    assert_true(contains(w.location(w.get(link)), "error=Verification"));
    assert_false(w.signed_in());
}

void test_confirm_spends_a_link_by_post_only(void**) {  // [sec 91]
    mail_world w;
    w.p->email.set("confirm", true);
    w.post_csrf("/auth/signin/mail", "email=ada%40x.test");
    const auto rs = w.get(w.link());
    assert_int_equal(rs.status, 200);
    assert_text(*http::find(rs.fields, "Referrer-Policy"), "no-referrer");
    assert_int_equal(w.store.tokens.size(), 1);
    w.post(w.link(), "");
    assert_int_equal(w.store.tokens.size(), 0);
    assert_true(w.signed_in());
}

void test_a_link_for_a_known_address_is_that_user(void**) {  // [sec 87]
    mail_world w;
    w.store.users.push_back({"old", "Ada", "ada@x.test", {}, {}, {}});
    w.store.accounts.push_back({"old", "oauth", "forge", "u1", {}, {}, {}, {}, {}, {}, {}, {}});
    w.store.users.push_back({"other", {}, {}, {}, {}, {}});
    w.store.sessions["os"] = {"os", "other", w.clock.at + seconds{60}, {}};
    w.post_csrf("/auth/signin/mail", "email=ada%40x.test");
    w.cookies["authjs.session-token"] = "os";
    w.store.log.clear();
    w.get(w.link());
    assert_text(names(w.store.log),
                "useVerificationToken getUserByEmail getSessionAndUser getUserByEmail "
                "deleteSession updateUser createSession");
    assert_true(w.store.users[0].email_verified == w.clock.at);
    assert_int_equal(w.store.accounts.size(), 1);
    assert_text(w.store.sessions[w.cookies["authjs.session-token"]].user_id, "old");
}

void test_a_sign_in_callback_can_refuse_a_letter(void**) {
    mail_world w;
    w.on(auth::callback::sign_in, ".email.verificationRequest | not");
    const auto rs = w.post_csrf("/auth/signin/mail", "email=ada%40x.test");
    assert_true(contains(w.location(rs), "error=AccessDenied"));
    assert_int_equal(w.store.tokens.size(), 0);
}

void test_every_hash_that_htpasswd_writes(void**) {
    // Made with openssl passwd(1) and crypt(3); the password is "myPassword".
    for (const auto* hash :
         {"$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=",
          "$2y$05$abcdefghijklmnopqrstuugwV8qBBvnFAgKU/1lAQTjzoU4mNz2BW",
          "$6$abcdefgh$vd/23X3cwvfSktK8g8ZrCYdcWYlKD1KOv4Gc9wAngWRrkUauykD1U1wxHuTWE0sLAQyZJhLvoMoX"
          "Ovwt3tk020",
          "$5$abcdefgh$Dj7Hs.c2KPj.A3thTJcMTEHg3jDYvo4r9p7V1GGMvlA",
          "$1$abcdefgh$W/8r1SWbVzbnNV3h1/PUK1", "aboDgbkTt9i3.",
          "$y$j9T$abcdefghijklmnop$K57AyUOg/L3tE8iYLVfLKVD58/uz01EBweroXVPWPT1"}) {
        assert_true(auth::matches("myPassword", hash));
        assert_false(auth::matches("myPass", hash));
        assert_false(auth::matches("", hash));
    }
    assert_true(auth::matches("xxxxxxxxxxxxxxxxxxxxxxxx", "$apr1$ab$1KLf1j3ytN9zF6onUepwQ1"));
    assert_false(auth::matches("x", ""));
    assert_false(auth::matches("x", "plain"));
    assert_false(auth::matches("*0", "*0"));
}

struct password_world : world {
    std::string file = "/tmp/authjs-htpasswd-" + std::to_string(getpid());
    std::shared_ptr<providers::provider> p = add("pw", providers::type::credentials);
    password_world() {
        write("ada:$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0\n");
        p->fields = {{"username", {}}, {"password", {{"type", "password"}}}};
        p->authorize_by.htpasswd_file = file;
    }
    ~password_world() { unlink(file.c_str()); }
    void write(const std::string& content) {
        std::ofstream out(file, std::ios::trunc);
        out << content;
    }
    auth::response login(const std::string& name, const std::string& password) {
        params form;
        form.set("username", name);
        form.set("password", password);
        return post_csrf("/auth/callback/pw", form.to_string());
    }
};

void test_a_password_signs_in(void**) {
    password_world w;
    const auto rs = w.login("ada", "myPassword");
    assert_text(w.location(rs), "http://app.test");
    assert_true(w.signed_in());
    assert_text(json::parse(w.get("/auth/session").body)->find("user")->text("name"), "ada");
}

void test_a_wrong_password_and_an_unknown_user_look_alike(void**) {  // [sec 94] [sec 118]
    password_world w;
    auto before = auth::hash_calls();
    const auto wrong = w.login("ada", "nope");
    const auto known = auth::hash_calls() - before;
    before = auth::hash_calls();
    const auto nobody = w.login("eve", "nope");
    assert_int_equal(auth::hash_calls() - before, known);
    assert_int_equal(known, 1);
    assert_text(w.location(wrong),
                "http://app.test/auth/signin?error=CredentialsSignin&code=credentials");
    assert_text(w.location(nobody), w.location(wrong));
    assert_false(w.signed_in());
}

void test_odd_passwords_are_bounded_and_refused(void**) {  // [sec 94]
    password_world w;
    assert_false(auth::matches(std::string(1 << 20, 'a'), "$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0"));
    assert_false(auth::matches(std::string_view("myPassword\0x", 12),
                               "$apr1$qHDFfhPC$nITSVHgYbDAK1Y0acGRnY0"));
    for (const auto& bad :
         {std::string("myPassword\0", 11), std::string("\xff\xfe"), std::string(100'000, 'x')}) {
        w.login("ada", bad);
        assert_false(w.signed_in());
    }
}

void test_a_changed_password_file_is_read_again(void**) {
    password_world w;
    w.login("eve", "myPassword");
    assert_false(w.signed_in());
    w.write("ada:x\neve:{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=\n");
    w.login("eve", "myPassword");
    assert_true(w.signed_in());
}

void test_credentials_need_their_csrf_token(void**) {  // [sec 47]
    password_world w;
    const auto rs = w.post("/auth/callback/pw", "username=ada&password=myPassword");
    assert_true(contains(w.location(rs), "error=MissingCSRF"));
    assert_false(w.signed_in());
    assert_true(contains(w.location(w.get("/auth/callback/pw")), "error=Configuration"));
}

void test_authorize_by_an_internal_location(void**) {
    world w;
    w.add("pw", providers::type::credentials)->authorize_by.internal_uri = "/login";
    const auto answer = [&](int status, std::string body) {
        w.internal.answers["/login"] = {status, std::move(body)};
        return w.location(w.post_csrf("/auth/callback/pw", "pin=1"));
    };
    assert_true(contains(answer(401, ""), "error=CredentialsSignin&code=credentials"));
    assert_true(contains(answer(200, "null"), "error=CredentialsSignin"));
    assert_true(contains(answer(423, R"({"code":"locked out"})"), "code=locked+out"));
    assert_true(contains(answer(500, ""), "error=Configuration"));
    assert_true(contains(answer(200, "\"x\""), "error=Configuration"));
    assert_false(w.signed_in());
    assert_text(answer(200, R"({"id":7,"name":"Ada"})"), "http://app.test");
    assert_text(json::parse(w.internal.calls.back().second)->text("pin"), "1");
    assert_true(w.signed_in());
}

void test_credentials_with_a_store(void**) {  // [sec 45]
    world w;
    w.add("pw", providers::type::credentials)->authorize_by.internal_uri = "/login";
    w.with_store();
    w.internal.answers["/login"] = {200, R"({"id":"u1"})"};
    assert_true(contains(w.location(w.post_csrf("/auth/callback/pw")), "error=Configuration"));
    w.store.users = {{"u1", {}, {}, {}, {}, {}}, {"u2", {}, {}, {}, {}, {}}};
    w.store.sessions["s2"] = {"s2", "u2", w.clock.at + seconds{60}, {}};
    w.cookies["authjs.session-token"] = "s2";
    w.post_csrf("/auth/callback/pw");
    assert_text(w.store.sessions.at(w.cookies["authjs.session-token"]).user_id, "u1");
    assert_false(w.store.sessions.contains("s2"));
}

void test_session_without_a_cookie_is_null(void**) {
    world w;
    const auto rs = w.get("/auth/session");
    assert_text(rs.body, "null");
    assert_text(*http::find(rs.fields, "Expires"), "0");
}

void test_a_jwt_session_is_shown_and_renewed(void**) {
    world w;
    w.forge();
    w.sign_in();
    const auto before = w.cookies["authjs.session-token"];
    const auto rs = w.get("/auth/session");
    assert_text(
        rs.body,
        R"({"user":{"name":"Ada","email":"ada@example.com"},"expires":"2024-01-31T00:00:00.000Z"})");
    assert_false(w.cookies["authjs.session-token"] == before);
}

void test_two_session_cookies_are_none(void**) {  // [sec 71]
    world w;
    w.forge();
    w.sign_in();
    w.extra = {{"Cookie", "authjs.session-token=other"}};
    const auto rs = w.get("/auth/session");
    assert_text(rs.body, "null");
    assert_true(w.log.has("two different session cookies"));
    assert_false(w.signed_in());
}

void test_update_reaches_the_jwt_callback(void**) {
    world w;
    w.forge();
    w.on(auth::callback::jwt,
         "if .trigger == \"update\" then .token + {name: .session.name} else .token end");
    w.sign_in();
    w.extra = {{"Content-Type", "application/json"}};
    const auto token = w.csrf();
    w.extra = {{"Content-Type", "application/json"}};
    const auto rs = w.send(w.request("POST", "/auth/session",
                                     R"({"csrfToken":")" + token + R"(","data":{"name":"Eve"}})"));
    assert_int_equal(rs.status, 200);
    assert_text(json::parse(rs.body)->find("user")->text("name"), "Eve");
}

void test_a_database_session(void**) {  // [sec 97]
    world w;
    w.with_store();
    w.store.users.push_back({"u1", "Ada", {}, {}, {}, {}});
    w.store.sessions["s1"] = {"s1", "u1", w.clock.at + seconds{2'592'000}, {}};
    w.cookies["authjs.session-token"] = "s1";
    w.get("/auth/session");
    assert_text(names(w.store.log), "getSessionAndUser");
    w.clock.at += seconds{86'400};
    w.get("/auth/session");
    assert_text(names(w.store.log), "getSessionAndUser getSessionAndUser updateSession");
    w.store.down = true;
    auto rs = w.get("/auth/session");
    assert_int_equal(rs.status, 503);
    assert_text(rs.body, "null");
    w.store.down = false;
    w.store.users.clear();  // a user without a row is no session
    assert_text(w.get("/auth/session").body, "null");
    assert_false(w.signed_in());
}

void test_an_expired_database_session_is_deleted(void**) {
    world w;
    w.with_store();
    w.store.users.push_back({"u1", {}, {}, {}, {}, {}});
    w.store.sessions["s1"] = {"s1", "u1", w.clock.at - seconds{1}, {}};
    w.cookies["authjs.session-token"] = "s1";
    assert_text(w.get("/auth/session").body, "null");
    assert_int_equal(w.store.sessions.size(), 0);
    assert_false(w.signed_in());
}

void test_sign_out_ends_the_session_everywhere(void**) {
    world w;
    w.with_store();
    w.store.users.push_back({"u1", {}, {}, {}, {}, {}});
    w.store.sessions["s1"] = {"s1", "u1", w.clock.at + seconds{60}, {}};
    w.cookies["authjs.session-token"] = "s1";
    w.cf.events[static_cast<std::size_t>(auth::event::sign_out)] = {"/event"};
    w.store.down = true;
    auto rs = w.post_csrf("/auth/signout");
    assert_int_equal(rs.status, 503);  // a sign-out that did not happen is not claimed
    assert_true(w.signed_in());
    w.store.down = false;
    rs = w.post_csrf("/auth/signout");
    assert_false(w.signed_in());
    assert_int_equal(w.store.sessions.size(), 0);
    assert_true(w.shared.posted_since(auth::signed_out_key("s1"), 0));
    assert_int_equal(w.internal.posts.size(), 1);
}

void test_sign_out_of_a_jwt(void**) {
    world w;
    w.forge();
    w.sign_in();
    const auto rs = w.post_csrf("/auth/signout", "callbackUrl=%2Fbye");
    assert_text(w.location(rs), "http://app.test/bye");
    assert_false(w.signed_in());
    w.cookies["authjs.session-token"] = "broken";
    w.post_csrf("/auth/signout");
    assert_false(w.signed_in());
    assert_true(w.log.has("SignOutError"));
}

}  // namespace

int main() {
    const CMUnitTest tests[] = {
        unit(test_a_letter_is_asked_for),
        unit(test_addresses_that_are_not_exactly_one_are_refused),
        unit(test_a_link_signs_in_once),
        unit(test_a_link_of_another_address_or_time_is_refused),
        unit(test_confirm_spends_a_link_by_post_only),
        unit(test_a_link_for_a_known_address_is_that_user),
        unit(test_a_sign_in_callback_can_refuse_a_letter),
        unit(test_every_hash_that_htpasswd_writes),
        unit(test_a_password_signs_in),
        unit(test_a_wrong_password_and_an_unknown_user_look_alike),
        unit(test_odd_passwords_are_bounded_and_refused),
        unit(test_a_changed_password_file_is_read_again),
        unit(test_credentials_need_their_csrf_token),
        unit(test_authorize_by_an_internal_location),
        unit(test_credentials_with_a_store),
        unit(test_session_without_a_cookie_is_null),
        unit(test_a_jwt_session_is_shown_and_renewed),
        unit(test_two_session_cookies_are_none),
        unit(test_update_reaches_the_jwt_callback),
        unit(test_a_database_session),
        unit(test_an_expired_database_session_is_deleted),
        unit(test_sign_out_ends_the_session_everywhere),
        unit(test_sign_out_of_a_jwt),
    };
    return cmocka_run_group_tests_name("auth/people", tests, nullptr, nullptr);
}
