// A world for flows: everything that Auth.js talks to, scripted and in memory, and a browser that
// keeps cookies. Nothing waits unless the test says so, so a request is over when ask() returns.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "auth/config.hpp"
#include "auth/go.hpp"
#include "auth/handle.hpp"
#include "auth/link.hpp"
#include "crypto/crypto.hpp"
#include "oauth/metadata.hpp"
#include "providers/mapping.hpp"
#include "unit.hpp"
#include "util/bytes.hpp"
#include "util/url.hpp"

namespace authjs::test {

class kept_log final : public io::log {
public:
    void write(io::level lv, std::string_view line) override {
        lines.emplace_back(lv, std::string(line));
    }
    bool has(std::string_view words) const {
        for (const auto& [lv, line] : lines)
            if (line.find(words) != line.npos) return true;
        return false;
    }
    std::vector<std::pair<io::level, std::string>> lines;
};

// Timers fire when the test says so.
class still_loop final : public io::event_loop {
    struct slot {
        std::function<void()> call;
    };
    struct handle final : io::timer {
        std::shared_ptr<slot> of;
        explicit handle(std::shared_ptr<slot> s) : of(std::move(s)) {}
        ~handle() override { of->call = nullptr; }
    };

public:
    std::unique_ptr<io::timer> after(milliseconds, bool, std::function<void()> call) override {
        auto s = std::make_shared<slot>(slot{std::move(call)});
        timers_.push_back(s);
        return std::make_unique<handle>(s);
    }
    std::unique_ptr<io::watch> on_ready(int, std::function<void(bool, bool)>) override {
        throw std::logic_error("nothing to watch");
    }
    void fire_all() {
        for (auto& s : std::exchange(timers_, {}))
            if (auto call = std::exchange(s->call, nullptr)) call();
    }

private:
    std::vector<std::shared_ptr<slot>> timers_;
};

class inline_pool final : public io::offload {
public:
    bool post(std::function<void()> work, std::function<void()> done) override {
        work();
        done();
        return true;
    }
};

// An answer that never comes.
struct forever {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<>) const noexcept {}
    void await_resume() const noexcept {}
};

class scripted_http final : public http::client {
public:
    task<http::response> send(http::request rq, const http::transport&) override {
        sent.push_back(rq);
        if (hangs) co_await forever{};
        const auto it = answers.find(rq.url);
        if (it == answers.end()) throw error(code::callback_route_error, "no such host");
        co_return it->second;
    }
    std::size_t count(std::string_view url) const {
        return static_cast<std::size_t>(
            std::count_if(sent.begin(), sent.end(), [&](const auto& r) { return r.url == url; }));
    }
    std::map<std::string, http::response> answers;
    std::vector<http::request> sent;
    bool hangs = false;
};

class scripted_internal final : public io::internal_call {
public:
    task<io::internal_answer> call(std::string uri, std::string json) override {
        calls.emplace_back(uri, json);
        const auto it = answers.find(uri);
        if (it == answers.end()) throw error(code::unavailable, "nobody answers");
        co_return it->second;
    }
    void post(std::string uri, std::string json) override { posts.emplace_back(uri, json); }
    std::map<std::string, io::internal_answer> answers;
    std::vector<std::pair<std::string, std::string>> calls, posts;
};

class memory_cache final : public io::shared_cache {
public:
    bool once(std::string_view key, milliseconds) override {
        return keys.insert(std::string(key)).second;
    }
    std::uint64_t notices() override { return posted.size(); }
    void post(std::string_view key) override { posted.emplace_back(key); }
    bool posted_since(std::string_view key, std::uint64_t count) override {
        return std::find(posted.begin() + static_cast<std::ptrdiff_t>(count), posted.end(), key) !=
               posted.end();
    }
    std::set<std::string> keys;
    std::vector<std::string> posted;
};

class letter_box final : public email::mailer {
public:
    task<void> deliver(io::smtp_message m, const http::transport&) override {
        letters.push_back(std::move(m));
        co_return;
    }
    std::vector<io::smtp_message> letters;
};

// The store in memory; `log` names the calls, `down` makes every one of them fail.
class memory_adapter final : public adapters::adapter {
public:
    using user = adapters::user;
    using account = adapters::account;
    using session = adapters::session;

    task<user> create_user(user u) override {
        called("createUser");
        users.push_back(u);
        co_return u;
    }
    task<std::optional<user>> get_user(std::string id) override {
        called("getUser");
        co_return find([&](const user& u) { return u.id == id; });
    }
    task<std::optional<user>> get_user_by_email(std::string email) override {
        called("getUserByEmail");
        co_return find([&](const user& u) { return u.email == email; });
    }
    task<std::optional<user>> get_user_by_account(std::string provider, std::string id) override {
        called("getUserByAccount");
        for (const auto& a : accounts)
            if (a.provider == provider && a.provider_account_id == id)
                co_return find([&](const user& u) { return u.id == a.user_id; });
        co_return std::nullopt;
    }
    task<user> update_user(user changes) override {
        called("updateUser");
        for (auto& u : users) {
            if (u.id != changes.id) continue;
            u.email_verified = changes.email_verified;
            co_return u;
        }
        throw error(code::adapter_error, "no such user");
    }
    task<void> delete_user(std::string) override { co_return; }
    task<void> link_account(account a) override {
        called("linkAccount");
        accounts.push_back(a);
        co_return;
    }
    task<void> unlink_account(std::string, std::string) override { co_return; }
    task<session> create_session(session s) override {
        called("createSession");
        sessions[s.session_token] = s;
        co_return s;
    }
    task<std::optional<adapters::session_and_user>> get_session_and_user(
        std::string token) override {
        called("getSessionAndUser");
        const auto it = sessions.find(token);
        if (it == sessions.end()) co_return std::nullopt;
        auto u = find([&](const user& x) { return x.id == it->second.user_id; });
        if (!u) co_return std::nullopt;
        co_return adapters::session_and_user{it->second, *u};
    }
    task<void> update_session(std::string token, instant expires) override {
        called("updateSession");
        const auto it = sessions.find(token);
        if (it != sessions.end()) it->second.expires = expires;
        co_return;
    }
    task<std::optional<session>> delete_session(std::string token) override {
        called("deleteSession");
        const auto it = sessions.find(token);
        if (it == sessions.end()) co_return std::nullopt;
        auto gone = it->second;
        sessions.erase(it);
        co_return gone;
    }
    task<void> create_verification_token(adapters::verification_token t) override {
        called("createVerificationToken");
        tokens.push_back(t);
        co_return;
    }
    task<std::optional<adapters::verification_token>> use_verification_token(
        std::string identifier, std::string token) override {
        called("useVerificationToken");
        for (auto it = tokens.begin(); it != tokens.end(); ++it) {
            if (it->identifier != identifier || it->token != token) continue;
            auto used = *it;
            tokens.erase(it);
            co_return used;
        }
        co_return std::nullopt;
    }
    task<signed_up> create_signed_up(user u, std::optional<account> a,
                                     std::optional<session> s) override {
        called("createSignedUp");
        users.push_back(u);
        if (a) {
            a->user_id = u.id;
            accounts.push_back(*a);
        }
        if (s) {
            s->user_id = u.id;
            sessions[s->session_token] = *s;
        }
        co_return signed_up{u, s};
    }

    std::vector<user> users;
    std::vector<account> accounts;
    std::map<std::string, session> sessions;
    std::vector<adapters::verification_token> tokens;
    std::vector<std::string> log;
    bool down = false;
    std::function<void(std::string_view call)> before;  // what others do meanwhile

private:
    void called(const char* name) {
        if (down) throw error(code::unavailable, "the store is down");
        if (before) before(name);
        log.emplace_back(name);
    }
    template <class F>
    std::optional<user> find(F&& fits) const {
        for (const auto& u : users)
            if (fits(u)) return u;
        return std::nullopt;
    }
};

struct world {
    fixed_clock clock;
    counting_random random;
    kept_log log;
    scripted_http http;
    still_loop loop;
    inline_pool pool;
    scripted_internal internal;
    memory_cache shared;
    oauth::metadata metadata{clock, shared};
    letter_box mail;
    memory_adapter store;
    adapters::adapter* store_ptr = &store;
    auth::config cf;
    std::shared_ptr<providers::mapping> filters = std::make_shared<providers::mapping>();
    int commits = 0;
    std::map<std::string, std::string> cookies;  // the browser's
    std::string origin = "http://app.test";
    http::headers extra;  // of the next request
    std::size_t cookie_room = 0;
    task<auth::response> running;

    world() {
        static const bool ready = (crypto::setup(), true);
        (void)ready;
        cf.secrets = {secret("0123456789abcdef0123456789abcdef")};
        for (std::size_t i = 0; i < cf.plain.kinds.size(); ++i) {
            cf.plain.kinds[i] = auth::default_cookie(static_cast<auth::which>(i), false);
            cf.secured.kinds[i] = auth::default_cookie(static_cast<auth::which>(i), true);
        }
        auth::finish(cf);
        cf.filters = filters;
    }

    std::shared_ptr<providers::provider> add(std::string id, providers::type type) {
        auto p = std::make_shared<providers::provider>();
        p->id = std::move(id);
        p->name = "Forge";
        p->type = type;
        p->maps = filters;
        cf.providers.push_back(p);
        return p;
    }
    // A plain OAuth provider whose every endpoint is configured; userinfo is the answer's profile.
    std::shared_ptr<providers::provider> forge(std::string id = "forge") {
        auto p = add(std::move(id), providers::type::oauth);
        p->client.id = "me";
        p->client.client_secret = secret("s3cret");
        p->authorization_url = "https://forge.test/authorize";
        p->has_authorization = true;
        p->token_url = "https://forge.test/token";
        p->userinfo.url = "https://forge.test/user";
        http.answers["https://forge.test/token"] = {
            200, {}, R"({"access_token":"at","token_type":"bearer"})"};
        http.answers["https://forge.test/user"] = {
            200, {}, R"({"sub":"u1","name":"Ada","email":"Ada@Example.com"})"};
        return p;
    }
    void with_store(auth::strategy s = auth::strategy::database) {
        cf.adapter = &store_ptr;
        cf.session.strategy = s;
    }
    int filter(const std::string& jq) {
        return filters->add(jq, providers::mapping::sees::document, "test");
    }
    void on(auth::callback c, const std::string& jq) {
        cf.callbacks[static_cast<std::size_t>(c)].filter = filter(jq);
        assert_false(filters->compile().has_value());
    }

    auth::request request(std::string method, std::string target, std::string body = {}) {
        auth::request rq;
        rq.method = std::move(method);
        rq.origin = origin;
        rq.https = origin.starts_with("https");
        const auto mark = target.find('?');
        rq.path = target.substr(0, mark);
        if (mark != target.npos) rq.query = target.substr(mark + 1);
        rq.body = std::move(body);
        rq.id = "r1";
        rq.cookie_room = cookie_room;
        rq.fields = std::exchange(extra, {});
        std::string line;
        for (const auto& [name, value] : cookies)
            line += (line.empty() ? "" : "; ") + name + "=" + value;
        if (!line.empty()) rq.fields.push_back({"Cookie", line});
        for (const auto& f : rq.fields)
            if (f.name == "Cookie") rq.cookies.push_back(f.value);
        return rq;
    }
    auth::ports ports() {
        return {clock,
                random,
                log,
                http,
                loop,
                pool,
                internal,
                shared,
                metadata,
                mail,
                [this] { ++commits; }};
    }
    auth::response send(auth::request rq) {
        running = auth::handle(std::move(rq), cf, ports());
        running.start();
        assert_true(running.done());
        auto rs = running.result();
        keep(rs);
        return rs;
    }
    auth::response get(std::string target) { return send(request("GET", std::move(target))); }
    auth::response post(std::string target, std::string form) {
        extra.push_back({"Content-Type", "application/x-www-form-urlencoded"});
        return send(request("POST", std::move(target), std::move(form)));
    }
    // A POST with the token that the browser got first.
    auth::response post_csrf(std::string target, const std::string& form = {}) {
        return post(std::move(target), "csrfToken=" + csrf() + (form.empty() ? "" : "&" + form));
    }
    std::string csrf() {
        const auto rs = get("/auth/csrf");
        const auto body = json::parse(rs.body);
        return std::string(body->text("csrfToken"));
    }
    // Starts a sign-in and answers the authorization URL's query.
    params start(const std::string& id = "forge", const std::string& form = {}) {
        const auto rs = post_csrf("/auth/signin/" + id, form);
        const auto parsed = parse_url(location(rs));
        assert_true(parsed.has_value());
        return params::parse(parsed->query.value_or(""));
    }
    auth::response come_back(const params& sent, const std::string& id = "forge",
                             const std::string& grant = "c0de") {
        params back;
        back.set("code", grant);
        back.set("state", *sent.first("state"));
        return get("/auth/callback/" + id + "?" + back.to_string());
    }
    auth::response sign_in() { return come_back(start()); }

    static std::string location(const auth::response& rs) {
        const auto* l = http::find(rs.fields, "Location");
        return l ? *l : "";
    }
    static std::vector<std::string> set_cookies(const auth::response& rs) {
        std::vector<std::string> out;
        for (const auto& f : rs.fields)
            if (f.name == "Set-Cookie") out.push_back(f.value);
        return out;
    }
    void keep(const auth::response& rs) {
        for (const auto& line : set_cookies(rs)) {
            const auto eq = line.find('=');
            const auto name = line.substr(0, eq);
            const auto value = line.substr(eq + 1, line.find(';') - eq - 1);
            if (value.empty())
                cookies.erase(name);
            else
                cookies[name] = value;
        }
    }
    bool signed_in() const { return cookies.contains("authjs.session-token"); }
};

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace authjs::test
