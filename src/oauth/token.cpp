#include <charconv>
#include <cmath>

#include "oauth/agent.hpp"
#include "oauth/client_auth.hpp"
#include "oauth/oauth.hpp"
#include "oauth/refuse.hpp"
#include "util/bytes.hpp"

namespace authjs::oauth {
namespace {

// JavaScript's parseFloat: white space, then the longest beginning that is a number.
std::optional<double> parse_float(std::string_view text) {
    while (!text.empty() && std::string_view(" \t\n\v\f\r").find(text[0]) != text.npos)
        text.remove_prefix(1);
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto digits = text.starts_with('-') ? text.substr(1) : text;
    if (digits.empty() || std::string_view(".0123456789").find(digits[0]) == digits.npos)
        return std::nullopt;  // from_chars would take "inf" and "nan", parseFloat takes neither
    double value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failure == std::errc() ? std::optional(value) : std::nullopt;
}

bool is_filled(const json::value* v) { return v && v->as_string() && !v->as_string()->empty(); }

std::string joined(const json::array& list) {
    std::string out;
    for (const auto& item : list)
        if (const auto* text = item.as_string(); text && !text->empty())
            out += (out.empty() ? "" : " ") + *text;
    return out;
}

// The provider's own `error` and its reason (RFC 6749 section 5.2; Twitch calls it `message`).
error with_reason(code id, std::string message, const json::value& body) {
    error failure(id, std::move(message));
    if (const auto what = body.text("error"); !what.empty()) failure.with("error", excerpt(what));
    auto why = body.text("error_description");
    if (why.empty()) why = body.text("message");
    if (!why.empty()) failure.with("error_description", excerpt(why));
    return failure;
}

constexpr double longest = 9007199254740991;  // 2^53 - 1: where expires_at stops growing

void read_expiry(json::value& all, io::clock& clock) {
    auto* given = all.find("expires_in");
    if (!given) return;
    const auto* exact = given->as_number();
    const auto* text = given->as_string();
    const auto lasts = exact  ? std::optional(exact->value)
                       : text ? parse_float(*text)
                              : std::nullopt;
    demand(lasts && std::isfinite(*lasts) && *lasts >= 0,
           "token answer: \"expires_in\" is no number of seconds");
    *given = json::value(*lasts);
    if (*lasts != 0) {
        const auto now = static_cast<double>(unix_seconds(clock.now()));
        all.set("expires_at", std::min(now + *lasts, longest));
    }
}

// Null and other oddities where a scope should be are what Mailchimp and Medium send.
void read_scope(json::value& all) {
    auto* given = all.find("scope");
    if (!given || given->is_string()) return;
    if (const auto* list = given->as_array())
        *given = json::value(joined(*list));
    else
        all.erase("scope");
}

// RFC 6749 section 5.1 wants a type; foursquare, Instagram, Mailchimp and others send none.
void read_type(json::value& all) {
    auto* given = all.find("token_type");
    if (!given || given->is_null()) {
        all.set("token_type", "bearer");
        return;
    }
    demand(is_filled(given), "token answer: \"token_type\" is no text");
    *given = json::value(ascii_lower(*given->as_string()));
}

}  // namespace

http::request token_request(const server& as, const client& me, const grant& g,
                            std::string_view verifier, const params& extra, io::clock& clock,
                            io::random& random) {
    params form;
    form.append("redirect_uri", g.redirect_uri);
    form.append("code", g.code);
    if (!verifier.empty()) form.append("code_verifier", verifier);
    form.append("grant_type", "authorization_code");
    for (const auto& [name, value] : extra.list()) form.set(name, value);

    http::request rq;
    rq.method = "POST";
    rq.url = as.token_endpoint;
    rq.fields = {{"Accept", "application/json"},
                 {"Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"},
                 {"User-Agent", std::string(agent)}};
    authenticate(as, me, form, rq.fields, clock, random);
    rq.body = form.to_string();
    return rq;
}

token_set token_response(const http::response& answer, io::clock& clock, bool error_is_told) {
    auto body = json::parse(answer.body);
    const bool readable = body && body->is_object();
    if (error_is_told && readable)
        if (const auto* failure = body->find("error"); failure && failure->truthy())
            throw with_reason(code::oauth_callback_error, "OAuth Provider returned an error",
                              *body);
    if (answer.status != 200)
        throw with_reason(
            code::callback_route_error,
            "the token endpoint answered with status " + std::to_string(answer.status),
            readable ? *body : json::value());
    demand(readable, "the token endpoint's answer is no JSON object");
    if (!is_filled(body->find("access_token")))
        throw with_reason(code::callback_route_error, "token answer without an access token",
                          *body);

    for (const char* name : {"refresh_token", "id_token"})
        if (const auto* given = body->find(name))
            if (!is_filled(given)) refuse("token answer: \"" + std::string(name) + "\" is no text");
    read_type(*body);
    read_scope(*body);
    read_expiry(*body, clock);

    token_set tokens;
    tokens.access_token = body->text("access_token");
    if (const auto* given = body->find("id_token")) tokens.id_token = *given->as_string();
    tokens.all = std::move(*body);
    return tokens;
}

}  // namespace authjs::oauth
