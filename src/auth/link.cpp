#include "auth/link.hpp"

#include <algorithm>
#include <array>

#include "auth/callbacks.hpp"
#include "auth/circle.hpp"
#include "auth/redirect.hpp"
#include "auth/signed_out.hpp"
#include "providers/profile.hpp"

namespace authjs::auth {

namespace {

json::value text_or_null(const std::optional<std::string>& t) {
    return t ? json::value{*t} : json::value{};
}

std::optional<std::string> text_in(const json::value& from, std::string_view name) {
    const auto* v = from.find(name);
    if (!v || v->is_null()) return std::nullopt;
    return json::text_of(*v);
}

// The members of an account that the token set's default filter keeps, with their fields.
struct account_field {
    std::string_view name;
    std::optional<std::string> adapters::account::*text;
};
constexpr std::array<account_field, 6> account_fields{{
    {"access_token", &adapters::account::access_token},
    {"id_token", &adapters::account::id_token},
    {"refresh_token", &adapters::account::refresh_token},
    {"scope", &adapters::account::scope},
    {"token_type", &adapters::account::token_type},
    {"session_state", &adapters::account::session_state},
}};

adapters::session fresh_session(context& cx, std::string user_id) {
    adapters::session s;
    s.session_token = io::random_uuid(cx.io.random);
    s.user_id = std::move(user_id);
    s.expires = cx.now() + cx.cf.session.max_age;
    return s;
}

bool in_database(const context& cx) { return cx.cf.session.strategy == strategy::database; }

json::value link_message(const adapters::user& user, const json::value& account,
                         const json::value& mapped) {
    json::value m;
    m.set("user", to_json(user));
    m.set("account", account);
    m.set("profile", mapped);
    return m;
}

json::value user_message(const adapters::user& user) {
    json::value m;
    m.set("user", to_json(user));
    return m;
}

// Empty where another worker was first with the same account or address: look again.
task<std::optional<adapters::adapter::signed_up>> first_sign_in(
    context& cx, adapters::user user, std::optional<adapters::account> account,
    std::optional<adapters::session> session) {
    std::optional<adapters::adapter::signed_up> out;
    try {
        out = co_await cx.demand_store().create_signed_up(std::move(user), std::move(account),
                                                          std::move(session));
    } catch (const error& e) {
        if (e.reason() != "taken") throw;
    }
    co_return out;
}

}  // namespace

json::value to_json(const adapters::user& u) {
    json::value out;
    out.set("id", u.id);
    out.set("name", text_or_null(u.name));
    out.set("email", text_or_null(u.email));
    out.set("emailVerified", u.email_verified ? json::value{iso_text(*u.email_verified)} : nullptr);
    out.set("image", text_or_null(u.image));
    for (const auto& m : u.more) out.set(m.name, m.val);
    return out;
}

json::value to_json(const adapters::session& s) {
    json::value out;
    out.set("sessionToken", s.session_token);
    out.set("userId", s.user_id);
    out.set("expires", iso_text(s.expires));
    for (const auto& m : s.more) out.set(m.name, m.val);
    return out;
}

adapters::user user_row(const json::value& u) {
    adapters::user row;
    if (const auto* members = u.as_object()) {
        for (const auto& m : *members) {
            if (m.name == "id")
                row.id = json::text_of(m.val);
            else if (m.name == "name")
                row.name = text_in(u, "name");
            else if (m.name == "email")
                row.email = text_in(u, "email");
            else if (m.name == "image")
                row.image = text_in(u, "image");
            else if (m.name == "emailVerified")
                row.email_verified = from_iso(u.text("emailVerified"));
            else
                row.more.push_back(m);
        }
    }
    return row;
}

json::value stored_account(const context& cx, const json::value& account) {
    json::value tokens = account;
    for (const auto name : {"provider", "type", "providerAccountId"}) tokens.erase(name);
    auto kept = providers::map_account(*cx.provider, tokens);
    for (const auto name : {"providerAccountId", "provider", "type"})
        if (const auto* v = account.find(name)) kept.set(name, *v);
    return kept;
}

adapters::account account_row(const json::value& kept) {
    adapters::account row;
    row.provider = kept.text("provider");
    row.type = kept.text("type");
    row.provider_account_id = text_in(kept, "providerAccountId").value_or("");
    const auto* members = kept.as_object();
    if (!members) return row;
    for (const auto& m : *members) {
        const auto field = std::ranges::find(account_fields, m.name, &account_field::name);
        if (field != account_fields.end()) {
            row.*field->text = text_in(kept, m.name);
        } else if (m.name == "expires_at") {
            if (const auto* n = m.val.as_number())
                row.expires_at = static_cast<std::int64_t>(n->value);
        } else if (m.name != "provider" && m.name != "type" && m.name != "providerAccountId" &&
                   m.name != "userId") {
            row.more.push_back(m);
        }
    }
    return row;
}

task<std::optional<adapters::session>> open_session(context& cx, std::string user_id) {
    std::optional<adapters::session> out;
    if (!in_database(cx)) co_return out;
    auto wanted = fresh_session(cx, std::move(user_id));
    auto made = co_await cx.demand_store().create_session(std::move(wanted));
    out = std::move(made);
    co_return out;
}

task<std::optional<adapters::session>> close_session(context& cx, std::string token) {
    auto gone = co_await cx.demand_store().delete_session(token);
    cx.io.shared.post(signed_out_key(token));
    co_return gone;
}

task<std::optional<signed_in>> who_is_signed_in(context& cx) {
    std::optional<signed_in> out;
    const auto cookie = cx.session_cookie();
    if (cookie.value.empty() || cookie.conflicting) co_return out;
    if (in_database(cx)) {
        auto found = co_await cx.demand_store().get_session_and_user(cookie.value);
        // Auth.js does not ask whether it has expired; here what has ended is nobody's.
        if (found && found->session.expires > cx.now())
            out = signed_in{std::move(found->user), std::move(found->session)};
        co_return out;
    }
    const auto opened = jose::decode(cx.cookies[which::session_token].ring, cookie.value, cx.now());
    if (!opened.claims || opened.claims->text("sub").empty()) co_return out;
    std::string sub(opened.claims->text("sub"));
    auto user = co_await cx.demand_store().get_user(std::move(sub));
    if (user) out = signed_in{std::move(*user), std::nullopt};
    co_return out;
}

namespace {

task<linked> welcome_back(context& cx, adapters::user known) {
    cx.io.commit();
    auto session = co_await open_session(cx, known.id);
    co_return linked{to_json(known), std::move(session), false};
}

}  // namespace

task<linked> link_oauth(context& cx, json::value user, json::value account, json::value mapped) {
    if (!cx.cf.has_adapter()) co_return linked{std::move(user), std::nullopt, std::nullopt};
    auto& store = cx.demand_store();
    auto me = co_await who_is_signed_in(cx);
    const auto kept = stored_account(cx, account);
    auto row = account_row(kept);
    auto known = co_await store.get_user_by_account(row.provider, row.provider_account_id);

    if (known && me) {
        if (known->id != me->user.id)
            throw error(code::oauth_account_not_linked, "account belongs to another user")
                .with("provider", row.provider);
        co_return linked{to_json(*known), std::move(me->session), false};
    }
    if (known) co_return co_await welcome_back(cx, std::move(*known));
    if (me) {
        cx.io.commit();
        row.user_id = me->user.id;
        co_await store.link_account(std::move(row));
        tell(cx, event::link_account, link_message(me->user, kept, mapped));
        co_return linked{to_json(me->user), std::move(me->session), false};
    }

    auto wanted = user_row(user);
    if (wanted.email && !wanted.email->empty()) {
        auto owner = co_await store.get_user_by_email(*wanted.email);
        if (owner) {
            // Another worker may have made both since the account was looked for.
            known = co_await store.get_user_by_account(row.provider, row.provider_account_id);
            if (known) co_return co_await welcome_back(cx, std::move(*known));
            // The provider may not have verified the address: never by itself (sec 86).
            if (!cx.provider->allow_dangerous_email_account_linking)
                throw error(code::oauth_account_not_linked, "another account has this address")
                    .with("provider", row.provider);
            cx.io.commit();
            row.user_id = owner->id;
            co_await store.link_account(std::move(row));
            tell(cx, event::link_account, link_message(*owner, kept, mapped));
            auto session = co_await open_session(cx, owner->id);
            co_return linked{to_json(*owner), std::move(session), false};
        }
    }
    wanted.email_verified.reset();
    std::optional<adapters::session> session;
    if (in_database(cx)) session = fresh_session(cx, {});
    std::optional<adapters::account> its{std::move(row)};
    const auto provider = its->provider, subject = its->provider_account_id;
    cx.io.commit();
    auto made = co_await first_sign_in(cx, std::move(wanted), std::move(its), std::move(session));
    if (!made) {
        auto winner = co_await store.get_user_by_account(provider, subject);
        if (!winner)
            throw error(code::oauth_account_not_linked, "another account has this address")
                .with("provider", provider);
        co_return co_await welcome_back(cx, std::move(*winner));
    }
    tell(cx, event::create_user, user_message(made->user));
    tell(cx, event::link_account, link_message(made->user, kept, mapped));
    co_return linked{to_json(made->user), std::move(made->session), true};
}

task<linked> link_email(context& cx, json::value user) {
    auto& store = cx.demand_store();
    auto me = co_await who_is_signed_in(cx);
    auto wanted = user_row(user);
    const auto address = wanted.email.value_or("");
    auto known = co_await store.get_user_by_email(address);
    if (!known) {
        wanted.email_verified = cx.now();
        std::optional<adapters::session> session;
        if (in_database(cx)) session = fresh_session(cx, {});
        auto made = co_await first_sign_in(cx, std::move(wanted), std::nullopt, std::move(session));
        if (made) {
            tell(cx, event::create_user, user_message(made->user));
            co_return linked{to_json(made->user), std::move(made->session), true};
        }
        known = co_await store.get_user_by_email(address);
    }
    if (!known) throw error(code::adapter_error, "the user of this address is not to be had");
    const auto cookie = cx.session_cookie();
    if (in_database(cx) && !cookie.value.empty() && (!me || me->user.id != known->id)) {
        auto gone = co_await close_session(cx, cookie.value);
    }
    adapters::user changes;
    changes.id = known->id;
    changes.email_verified = cx.now();
    auto updated = co_await store.update_user(std::move(changes));
    tell(cx, event::update_user, user_message(updated));
    auto session = co_await open_session(cx, updated.id);
    co_return linked{to_json(updated), std::move(session), false};
}

json::value new_claims(const json::value& user) {
    json::value token{json::object{}};
    const auto copy = [&](std::string_view from, std::string_view to) {
        if (const auto* v = user.find(from)) token.set(to, *v);
    };
    copy("name", "name");
    copy("email", "email");
    copy("image", "picture");
    if (auto id = text_in(user, "id")) token.set("sub", *id);
    return token;
}

void write_token(context& cx, json::value claims) {
    const auto text = jose::encode(cx.cookies[which::session_token].ring, std::move(claims),
                                   cx.cf.session.token_age(), cx.io.clock, cx.io.random);
    cx.set_session(text, cx.now() + cx.cf.session.max_age);
}

task<response> finish_sign_in(context& cx, arrival who, linked found) {
    if (found.session) {
        cx.set_session(found.session->session_token, found.session->expires);
    } else {
        json::value document;
        document.set("token", new_claims(found.user));
        document.set("user", found.user);
        document.set("account", who.account);
        if (who.profile) document.set("profile", *who.profile);
        if (found.is_new) document.set("isNewUser", *found.is_new);
        document.set("trigger", found.is_new.value_or(false) ? "signUp" : "signIn");
        auto claims = co_await ask_jwt(cx, std::move(document));
        if (claims)
            write_token(cx, std::move(*claims));
        else
            cx.remove_session();
    }
    note_signed_in(cx);
    const bool is_new = found.is_new.value_or(false);
    json::value message;
    message.set("user", std::move(found.user));
    message.set("account", std::move(who.account));
    if (who.profile) message.set("profile", std::move(*who.profile));
    if (found.is_new) message.set("isNewUser", *found.is_new);
    tell(cx, event::sign_in, std::move(message));

    // Whoever has just signed in is not sent to the sign-in page again (sec 40).
    auto target =
        without_loop(cx.callback_url, cx.rq.origin, cx.cf.base_path, cx.cf.allowed_origins);
    const auto& welcome = cx.cf.page(custom_page::new_user);
    if (is_new && !welcome.empty()) {
        params query;
        query.set("callbackUrl", cx.callback_url);
        target = welcome + (welcome.find('?') == welcome.npos ? '?' : '&') + query.to_string();
    }
    co_return redirect_to(cx, target);
}

task<std::optional<response>> still_signed_in(context& cx) {
    std::optional<response> out;
    const auto cookie = cx.session_cookie();
    if (cookie.value.empty() || cookie.conflicting) co_return out;
    bool valid = false;
    if (in_database(cx)) {
        auto me = co_await who_is_signed_in(cx);
        valid = me.has_value();
    } else {
        valid = jose::decode(cx.cookies[which::session_token].ring, cookie.value, cx.now())
                    .claims.has_value();
    }
    if (!valid) co_return out;
    cx.queued.clear();  // another tab's flow keeps its cookies
    const bool ours = under_base(cx.callback_url, cx.rq.origin, cx.cf.base_path);
    out = redirect_to(cx, ours ? cx.rq.origin : cx.callback_url);
    co_return out;
}

}  // namespace authjs::auth
