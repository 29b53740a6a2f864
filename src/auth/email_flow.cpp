// Sign-in by a link in a letter (spec/flows.md section 7).
#include "auth/callbacks.hpp"
#include "auth/context.hpp"
#include "auth/email.hpp"
#include "auth/link.hpp"
#include "auth/pages/pages.hpp"
#include "crypto/crypto.hpp"
#include "email/letter.hpp"
#include "providers/mapping.hpp"
#include "util/bytes.hpp"

namespace authjs::auth {

namespace {

constexpr std::size_t most_digits = 32;

// The `normalize` filter, or the default rule. Either way there is one recipient.
std::string identifier_of(const context& cx) {
    const auto& p = *cx.provider;
    const auto given = cx.field("email");
    std::string out;
    if (p.normalize_filter >= 0) {
        const auto made = p.maps->run(p.normalize_filter, given);
        if (made && made->as_string()) out = *made->as_string();
    } else {
        out = normalize_identifier(given);
    }
    demand_one_recipient(out);
    return out;
}

// `digits:N`: every digit as likely as any other, so bytes from 250 on are drawn again.
std::string random_digits(io::random& random, std::size_t n) {
    std::string out;
    while (out.size() < n)
        for (const unsigned char b : io::random_bytes(random, n))
            if (b < 250 && out.size() < n) out += static_cast<char>('0' + b % 10);
    return out;
}

std::string new_token(const context& cx) {
    const auto form = cx.provider->email.text("token");
    if (form == "uuid") return io::random_uuid(cx.io.random);
    constexpr std::string_view digits = "digits:";
    if (form.starts_with(digits)) {
        const auto n = std::strtoul(std::string(form.substr(digits.size())).c_str(), nullptr, 10);
        return random_digits(cx.io.random, std::clamp<std::size_t>(n, 1, most_digits));
    }
    return hex(io::random_bytes(cx.io.random, 32));
}

std::string hash_of(const context& cx, std::string_view token) {
    const auto& own = cx.provider->email_secret;
    const auto& salt = own.empty() ? cx.cf.joined_secret : own;
    return hex(crypto::digest(crypto::hash::sha256, std::string(token).append(salt.reveal())));
}

json::value email_account(const context& cx, const json::value& user, std::string_view address) {
    json::value account;
    account.set("providerAccountId", address);
    account.set("userId", std::string(user.text("id")));
    account.set("type", "email");
    account.set("provider", cx.provider->id);
    return account;
}

// The address's user, or one that is not stored yet.
task<json::value> user_of(context& cx, std::string address) {
    auto known = co_await cx.demand_store().get_user_by_email(address);
    if (known) co_return to_json(*known);
    json::value fresh;
    fresh.set("id", io::random_uuid(cx.io.random));
    fresh.set("email", address);
    fresh.set("emailVerified", nullptr);
    co_return fresh;
}

}  // namespace

task<response> start_email(context& cx) {
    const auto& p = *cx.provider;
    auto& store = cx.demand_store();
    const auto address = identifier_of(cx);
    auto user = co_await user_of(cx, address);
    auto account = email_account(cx, user, address);
    json::value request, document;
    request.set("verificationRequest", true);
    document.set("user", std::move(user));
    document.set("account", std::move(account));
    document.set("email", std::move(request));
    auto elsewhere = co_await ask_sign_in(cx, std::move(document));
    if (!elsewhere.empty()) co_return redirect_to(cx, elsewhere);

    email::letter letter;
    letter.identifier = address;
    letter.token = new_token(cx);
    letter.expires = cx.now() + p.email_max_age;
    params query;
    query.set("callbackUrl", cx.callback_url);
    query.set("token", letter.token);
    query.set("email", address);
    letter.url = cx.base + "/callback/" + p.id + '?' + query.to_string();
    const auto& t = cx.cf.theme;
    letter.theme = {t.color_scheme, t.logo, t.brand_color, t.button_text};

    // The row first: a letter whose link does not work is worse than a row that nobody uses.
    adapters::verification_token row{address, hash_of(cx, letter.token), letter.expires};
    cx.io.commit();
    co_await store.create_verification_token(std::move(row));
    co_await email::send_letter(std::move(letter), p, cx.http(), cx.io.mail, cx.io.internal);
    query = {};
    query.set("provider", p.id);
    query.set("type", "email");
    co_return redirect_to(cx, cx.base + "/verify-request?" + query.to_string());
}

task<response> callback_email(context& cx) {
    const auto& p = *cx.provider;
    auto& store = cx.demand_store();
    const auto* token = cx.query.last("token");
    const auto* address = cx.query.last("email");
    if (!token || token->empty())
        throw error(code::configuration, "the link has no token").with("provider", p.id);
    if (!address || address->empty())
        throw error(code::verification, "the link has no address").with("provider", p.id);
    // Mail scanners follow links; with `confirm on` only a person's click spends one (sec 91).
    const auto* confirm = p.email.find("confirm");
    if (!cx.post() && confirm && confirm->truthy()) co_return pages::confirm(cx);

    cx.io.commit();
    auto used = co_await store.use_verification_token(*address, hash_of(cx, *token));
    if (!used || used->expires < cx.now() || used->identifier != *address)
        throw error(code::verification, "link is unknown, used or expired").with("provider", p.id);

    auto user = co_await user_of(cx, used->identifier);
    auto account = email_account(cx, user, used->identifier);
    json::value document;
    document.set("user", user);
    document.set("account", account);
    auto elsewhere = co_await ask_sign_in(cx, std::move(document));
    if (!elsewhere.empty()) co_return redirect_to(cx, elsewhere);

    auto linked = co_await link_email(cx, std::move(user));
    account.set("userId", std::string(linked.user.text("id")));
    arrival arrived{std::move(account), std::nullopt};
    auto done = co_await finish_sign_in(cx, std::move(arrived), std::move(linked));
    co_return done;
}

}  // namespace authjs::auth
