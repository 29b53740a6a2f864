// Sign-in by what a form asks for (spec/flows.md section 8).
#include "auth/callbacks.hpp"
#include "auth/context.hpp"
#include "auth/htpasswd.hpp"
#include "auth/link.hpp"

namespace authjs::auth {

namespace {

error refused(const context& cx, std::string_view why = "credentials") {
    return error(code::credentials_signin, "credentials were refused")
        .with("provider", cx.provider->id)
        .with("code", why);
}

std::string_view attribute(const providers::field& f, std::string_view name) {
    for (const auto& [n, value] : f.attributes)
        if (n == name) return value;
    return {};
}

// Which two of the form's fields a password file knows: the one of type password, and the first
// other one.
struct login {
    std::string name, password;
};
login read_login(const context& cx) {
    std::string_view name = "username", password = "password";
    bool named = false;
    for (const auto& f : cx.provider->fields) {
        if (attribute(f, "type") == "password" || f.name == "password") {
            password = f.name;
        } else if (!named) {
            name = f.name;
            named = true;
        }
    }
    return {std::string(cx.field(name)), std::string(cx.field(password))};
}

task<json::value> ask_password_file(context& cx) {
    auto who = read_login(cx);
    json::value user;
    const auto name = who.name;
    const bool good = co_await check_password(cx.io.pool, cx.provider->authorize_by.htpasswd_file,
                                              std::move(who.name), std::move(who.password));
    if (!good) throw refused(cx);
    user.set("id", name);
    user.set("name", name);
    co_return user;
}

task<json::value> ask_internal(context& cx) {
    auto text = json::stringify(cx.body.is_object() ? cx.body : json::value{json::object{}});
    const auto answer =
        co_await cx.io.internal.call(cx.provider->authorize_by.internal_uri, std::move(text));
    const auto body = json::parse(answer.body);
    if (answer.status / 100 == 4) {
        const auto why = body ? body->text("code") : std::string_view{};
        if (!why.empty()) throw refused(cx, why);
        if (answer.status == 401 || answer.status == 403) throw refused(cx);
    } else if (answer.status == 204 || (answer.status == 200 && body && !body->truthy())) {
        throw refused(cx);
    } else if (answer.status == 200 && body && body->is_object()) {
        co_return *body;
    }
    throw error(code::callback_route_error, "authorize gave neither a user nor a refusal")
        .with("provider", cx.provider->id)
        .with("status", std::to_string(answer.status));
}

// With the database strategy a user the store knows gets a session there; one that it does not
// know cannot have any.
task<std::optional<adapters::session>> database_session(context& cx, std::string id) {
    auto& store = cx.demand_store();
    auto known = co_await store.get_user(id);
    if (!known)
        throw error(code::callback_route_error, "authorize named a user that the store lacks")
            .with("provider", cx.provider->id);
    auto me = co_await who_is_signed_in(cx);
    cx.io.commit();
    if (me && me->user.id != known->id) {
        auto gone = co_await close_session(cx, me->session->session_token);
    }
    auto made = co_await open_session(cx, known->id);
    co_return made;
}

}  // namespace

task<response> callback_credentials(context& cx) {
    if (!cx.csrf_verified) throw missing_csrf(cx);
    const auto& by = cx.provider->authorize_by;
    json::value user;
    if (by.internal_uri.empty()) {
        auto found = co_await ask_password_file(cx);
        user = std::move(found);
    } else {
        auto found = co_await ask_internal(cx);
        user = std::move(found);
    }
    const auto* id = user.find("id");
    user.set("id", id && !id->is_null() ? json::text_of(*id) : io::random_uuid(cx.io.random));

    json::value account;
    account.set("providerAccountId", std::string(user.text("id")));
    account.set("type", "credentials");
    account.set("provider", cx.provider->id);
    json::value document;
    document.set("user", user);
    document.set("account", account);
    document.set("credentials", cx.body);
    auto elsewhere = co_await ask_sign_in(cx, std::move(document));
    if (!elsewhere.empty()) co_return redirect_to(cx, elsewhere);

    linked found{std::move(user), std::nullopt, false};
    if (cx.cf.session.strategy == strategy::database) {
        std::string known(found.user.text("id"));
        auto session = co_await database_session(cx, std::move(known));
        found.session = std::move(session);
    }
    arrival arrived{std::move(account), std::nullopt};
    auto done = co_await finish_sign_in(cx, std::move(arrived), std::move(found));
    co_return done;
}

}  // namespace authjs::auth
