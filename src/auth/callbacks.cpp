#include "auth/callbacks.hpp"

#include "auth/redirect.hpp"
#include "providers/mapping.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

constexpr std::string_view callback_names[] = {"signIn", "redirect", "jwt", "session"};
constexpr std::string_view event_names[] = {"signIn",     "signOut",     "createUser",
                                            "updateUser", "linkAccount", "session"};

// The request as a callback's document has it; header names in lower case, as fetch gives them.
json::value request_document(const request& rq) {
    json::value headers{json::object{}};
    for (const auto& f : rq.fields) headers.set(ascii_lower(f.name), latin1_to_utf8(f.value));
    json::value out;
    out.set("url", rq.url());
    out.set("method", rq.method);
    out.set("headers", std::move(headers));
    return out;
}

// ask answers what the callback returned; undefined is null. Any failure is error(unavailable).
task<json::value> ask(context& cx, callback c, json::value document) {
    const auto name = callback_names[static_cast<std::size_t>(c)];
    const auto& to = cx.cf.on(c);
    if (to.filter >= 0) {
        std::optional<std::string> failed;
        try {
            auto out = cx.cf.filters->run(to.filter, document);
            co_return out ? std::move(*out) : json::value{};
        } catch (const error& e) {
            failed = e.message();
        }
        throw error(code::unavailable, "callback failed")
            .with("callback", name)
            .with("cause", *failed);
    }
    document.set("request", request_document(cx.rq));
    auto text = json::stringify(document);
    const auto answer = co_await cx.io.internal.call(to.uri, std::move(text));
    switch (answer.status) {
        case 200:
            if (auto parsed = json::parse(answer.body)) co_return std::move(*parsed);
            throw error(code::unavailable, "callback's answer is no JSON").with("callback", name);
        case 204:
            co_return json::value{};
        case 401:
        case 403:
            co_return json::value{false};
    }
    throw error(code::unavailable, "callback failed")
        .with("callback", name)
        .with("status", std::to_string(answer.status));
}

}  // namespace

task<std::string> ask_redirect(context& cx, std::string target) {
    std::string found;
    if (!cx.cf.on(callback::redirect).set()) {
        auto fine = default_redirect(target, cx.rq.origin, cx.cf.allowed_origins);
        if (!fine)
            throw error(code::invalid_callback_url, "callback URL is neither a path nor a URL");
        found = std::move(*fine);
    } else {
        json::value document;
        document.set("url", target);
        document.set("baseUrl", cx.rq.origin);
        std::optional<error> failed;
        try {
            const auto answer = co_await ask(cx, callback::redirect, std::move(document));
            const auto* text = answer.as_string();
            if (!text) throw error(code::unavailable, "redirect callback gave no text");
            found = *text;
        } catch (const error& e) {
            failed = e;
        }
        if (failed) {
            cx.io.log.write(io::level::error, failed->what());
            found = cx.rq.origin;
        }
    }
    co_return found;
}

task<std::string> ask_sign_in(context& cx, json::value document) {
    if (!cx.cf.on(callback::sign_in).set()) co_return std::string{};
    std::optional<error> failed;
    json::value answer;
    try {
        auto got = co_await ask(cx, callback::sign_in, std::move(document));
        answer = std::move(got);
    } catch (const error& e) {
        failed = e;
    }
    if (failed)
        throw error(code::access_denied, "sign_in callback failed").with("cause", failed->what());
    if (!answer.truthy()) throw error(code::access_denied, "sign_in callback refused");
    const auto* text = answer.as_string();
    if (!text) co_return std::string{};
    auto target = co_await ask_redirect(cx, *text);
    co_return target;
}

task<std::optional<json::value>> ask_jwt(context& cx, json::value document) {
    std::optional<json::value> out;
    if (!cx.cf.on(callback::jwt).set()) {
        if (auto* token = document.find("token")) out = std::move(*token);
        co_return out;
    }
    auto answer = co_await ask(cx, callback::jwt, std::move(document));
    if (!answer.truthy()) co_return out;
    if (!answer.is_object()) throw error(code::unavailable, "jwt callback gave no object");
    out = std::move(answer);
    co_return out;
}

task<json::value> ask_session(context& cx, json::value document, json::value otherwise) {
    if (!cx.cf.on(callback::session).set()) co_return otherwise;
    auto answer = co_await ask(cx, callback::session, std::move(document));
    co_return answer.truthy() ? std::move(answer) : json::value{};
}

void tell(context& cx, event e, json::value message) {
    const auto& uris = cx.cf.events[static_cast<std::size_t>(e)];
    if (uris.empty()) return;
    json::value document;
    document.set("event", event_names[static_cast<std::size_t>(e)]);
    for (auto& m : *message.as_object()) document.set(m.name, std::move(m.val));
    document.set("request", request_document(cx.rq));
    const auto text = json::stringify(document);
    for (const auto& uri : uris) cx.io.internal.post(uri, text);
}

}  // namespace authjs::auth
