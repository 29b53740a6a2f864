// GET and POST session (spec/flows.md section 10).
#include "auth/callbacks.hpp"
#include "auth/context.hpp"
#include "auth/link.hpp"

namespace authjs::auth {

namespace {

// {user: {name, email, image}, expires}: members that are absent stay so.
json::value default_answer(const json::value& from, std::string_view image_name,
                           const std::string& expires) {
    json::value user{json::object{}};
    if (const auto* v = from.find("name")) user.set("name", *v);
    if (const auto* v = from.find("email")) user.set("email", *v);
    if (const auto* v = from.find(image_name)) user.set("image", *v);
    json::value out;
    out.set("user", std::move(user));
    out.set("expires", expires);
    return out;
}

// What an update brings goes to the callbacks, unchecked: they decide what to take of it.
const json::value* update_of(const context& cx) {
    return cx.post() ? cx.body.find("data") : nullptr;
}

task<json::value> jwt_session(context& cx, const session_chunks& cookie) {
    const auto opened = jose::decode(cx.cookies[which::session_token].ring, cookie.value, cx.now());
    if (!opened.claims) {
        cx.io.log.write(io::level::info,
                        error(code::jwt_session_error, "session cookie does not open").what());
        cx.remove_session();
        co_return json::value{};
    }
    json::value document;
    document.set("token", *opened.claims);
    if (cx.post()) document.set("trigger", "update");
    if (const auto* data = update_of(cx)) document.set("session", *data);
    auto token = co_await ask_jwt(cx, std::move(document));
    if (!token) {
        cx.remove_session();
        co_return json::value{};
    }
    auto answer = default_answer(*token, "picture", iso_text(cx.now() + cx.cf.session.max_age));
    json::value asked;
    asked.set("session", answer);
    asked.set("token", *token);
    auto session = co_await ask_session(cx, std::move(asked), std::move(answer));
    write_token(cx, *token);
    json::value message;
    message.set("session", session);
    message.set("token", std::move(*token));
    tell(cx, event::session, std::move(message));
    co_return session;
}

task<json::value> database_session(context& cx, const session_chunks& cookie) {
    auto& store = cx.demand_store();
    auto found = co_await store.get_session_and_user(cookie.value);
    if (!found || found->session.expires < cx.now()) {
        if (found) {
            cx.io.commit();
            auto gone = co_await store.delete_session(cookie.value);
        }
        cx.remove_session();
        co_return json::value{};
    }
    const auto& options = cx.cf.session;
    const auto expires = cx.now() + options.max_age;
    if (found->session.expires - options.max_age + options.update_age <= cx.now()) {
        cx.io.commit();
        co_await store.update_session(cookie.value, expires);
    }
    const auto user = to_json(found->user);
    auto row = to_json(found->session);
    row.set("user", user);
    auto answer = default_answer(user, "image", iso_text(found->session.expires));
    json::value document;
    document.set("session", std::move(row));
    document.set("user", user);
    if (const auto* data = update_of(cx)) document.set("newSession", *data);
    if (cx.post()) document.set("trigger", "update");
    auto session = co_await ask_session(cx, std::move(document), std::move(answer));
    cx.set_session(cookie.value, expires);
    json::value message;
    message.set("session", session);
    tell(cx, event::session, std::move(message));
    co_return session;
}

}  // namespace

task<response> do_session(context& cx) {
    if (cx.post() && !cx.csrf_verified)
        throw error(code::missing_csrf, "session update without its token");
    const auto cookie = cx.session_cookie();
    json::value body;
    if (cookie.conflicting) {
        // Somebody set a second session cookie from a neighbouring domain or path (sec 71).
        cx.io.log.write(
            io::level::warn,
            error(code::session_token_error, "two different session cookies, both removed").what());
        cx.remove_session();
    } else if (!cookie.value.empty() && cx.cf.session.strategy == strategy::jwt) {
        auto session = co_await jwt_session(cx, cookie);
        body = std::move(session);
    } else if (!cookie.value.empty()) {
        std::optional<error> failed;
        try {
            auto session = co_await database_session(cx, cookie);
            body = std::move(session);
        } catch (const error& e) {
            failed = e;
        }
        // A store that refuses leaves the cookie; one that cannot be asked is 503.
        if (failed && failed->id() != code::adapter_error) throw *failed;
        if (failed)
            cx.io.log.write(io::level::error,
                            error(code::session_token_error, failed->what()).what());
    }
    auto rs = json_answer(cx, body);
    if (!cx.post()) {
        rs.fields.push_back({"Expires", "0"});
        rs.fields.push_back({"Pragma", "no-cache"});
    }
    co_return rs;
}

}  // namespace authjs::auth
