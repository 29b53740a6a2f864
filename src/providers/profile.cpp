#include "providers/profile.hpp"

#include <algorithm>

#include "providers/mapping.hpp"
#include "providers/template.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::providers {
namespace {

error unmapped(std::string why) { return error(code::oauth_profile_parse_error, std::move(why)); }

bool is_2xx(const http::response& answer) { return answer.status >= 200 && answer.status < 300; }

// What filters see (mapping::sees::profile).
json::value seen(const provider& p, const identity_input& in, json::value profile) {
    json::value out;
    out.set("profile", std::move(profile));
    out.set("token", in.token);
    out.set("options", p.options);
    out.set("photo", in.photo ? json::value(*in.photo) : json::value());
    out.set("callback", in.callback);
    return out;
}

// answer_of runs a filter that stands for asking a provider, not for reading what it said: where it
// fails, the callback has failed, not the mapping.
std::optional<json::value> answer_of(const provider& p, int filter, json::value input) {
    try {
        return p.maps->run(filter, input);
    } catch (const error& e) {
        throw error(code::callback_route_error, "userinfo: " + e.message()).with("provider", p.id);
    }
}

// fill puts members of the token response where a template has {token.name}, percent-encoded for
// URLs: they come from outside.
std::string fill(const std::string& text, const json::value& token, bool for_url) {
    auto done = expand(text, [&](std::string_view name) -> std::optional<std::string> {
        if (!name.starts_with("token.")) return "{" + std::string(name) + "}";
        const auto* v = token.find(name.substr(6));
        if (v == nullptr || !(v->is_string() || v->is_number())) return std::nullopt;
        const auto plain = json::text_of(*v);
        return for_url ? encode_uri_component(plain) : plain;
    });
    if (!done.missing.empty())
        throw unmapped("the token response has no " + done.missing.substr(6));
    return std::move(done.text);
}

std::string fill_url(const std::string& text, const json::value& token) {
    auto filled = fill(text, token, true);
    const auto parsed = parse_url(filled);
    return parsed ? parsed->href() : filled;
}

void set_field(http::headers& list, std::string_view name, std::optional<std::string> value) {
    std::erase_if(list, [&](const http::header& h) { return iequals(h.name, name); });
    if (value) list.push_back({std::string(name), std::move(*value)});
}

void lay_over(http::headers& list, const std::vector<templated_header>& own,
              const json::value& token) {
    for (const auto& h : own)
        set_field(list, h.name,
                  h.value ? std::optional(fill(*h.value, token, false)) : std::nullopt);
}

http::request bearer_request(const std::string& url, const json::value& token, bool json_wanted) {
    http::request rq;
    rq.url = fill_url(url, token);
    if (json_wanted) rq.fields.push_back({"Accept", "application/json"});
    rq.fields.push_back({"Authorization", "Bearer " + std::string(token.text("access_token"))});
    return rq;
}

// first is JavaScript's a ?? b ?? c over members: the last one counts even if it is null, and null
// (the pointer) is undefined.
const json::value* first(const json::value& from, std::initializer_list<std::string_view> names) {
    const json::value* found = nullptr;
    for (const auto name : names) {
        found = from.find(name);
        if (found != nullptr && !found->is_null()) break;
    }
    return found;
}

json::value default_profile(const json::value& document) {
    json::value user = json::object{};
    const auto put = [&](std::string_view name, const json::value* v) {
        if (v != nullptr) user.set(name, *v);
    };
    put("id", first(document, {"sub", "id"}));
    put("name", first(document, {"name", "nickname", "preferred_username"}));
    put("email", document.find("email"));
    put("image", document.find("picture"));
    return user;
}

// An integer of the document that a double does not hold, and whose rounded text is `id`: two
// people could have it.
bool lost_in(const json::value& v, const std::string& id) {
    if (const auto* n = v.as_number()) return n->lost_digits && json::number_text(n->value) == id;
    if (const auto* a = v.as_array())
        return std::ranges::any_of(*a, [&](const auto& item) { return lost_in(item, id); });
    if (const auto* o = v.as_object())
        return std::ranges::any_of(*o, [&](const auto& m) { return lost_in(m.val, id); });
    return false;
}

}  // namespace

bool discovery_at_signin(const provider& p) noexcept { return p.authorization_url.empty(); }
bool discovery_at_callback(const provider& p) noexcept {
    const bool asks_userinfo = p.type == type::oauth || !p.id_token;
    return p.token_url.empty() || (asks_userinfo && p.userinfo.url.empty()) ||
           !p.issuer_placeholder.empty();
}

oauth::server server_of(const provider& p, const oauth::server* discovered) {
    oauth::server as = discovered ? *discovered : oauth::server{};
    if (!discovered) as.issuer = p.issuer;
    if (!p.authorization_url.empty()) as.authorization_endpoint = p.authorization_url;
    if (!p.token_url.empty()) as.token_endpoint = p.token_url;
    if (!p.userinfo.url.empty()) as.userinfo_endpoint = p.userinfo.url;
    return as;
}

std::string expected_issuer(const provider& p, const oauth::server& as, const json::value& claims) {
    return oauth::issuer_for(as, claims.text(p.issuer_claim));
}

params authorization_params_for(const provider& p, std::string_view callback_url) {
    params out;
    for (const auto& [name, value] : p.authorization_params)
        out.append(name, expand(value, [&](std::string_view word) -> std::optional<std::string> {
                             return word == "callback_url" ? std::string(callback_url)
                                                           : "{" + std::string(word) + "}";
                         }).text);
    return out;
}

http::request userinfo_request_for(const provider& p, const oauth::server& as,
                                   const oauth::token_set& tokens) {
    const auto& own = p.userinfo;
    auto rq = oauth::userinfo_request(
        own.url.empty() ? as.userinfo_endpoint : fill_url(own.url, tokens.all), tokens.access_token,
        own.signed_alg);
    rq.method = own.method;
    if (own.json) {
        rq.body = json::stringify(*own.json);
        set_field(rq.fields, "Content-Type", "application/json");
    }
    lay_over(rq.fields, own.headers, tokens.all);
    return rq;
}

json::value userinfo_document(const http::response& answer, type of) {
    if (!is_2xx(answer)) throw unmapped("userinfo was answered " + std::to_string(answer.status));
    auto document = json::parse(answer.body);
    if (!document) throw error(code::callback_route_error, "userinfo is no JSON");
    if (of == type::oidc && !document->is_object())  // OpenID Connect Core section 5.3.2
        throw error(code::callback_route_error, "userinfo is no object");
    if (!document->is_object() && !document->is_array()) throw unmapped("userinfo is no object");
    return std::move(*document);
}

json::value select_profile(const provider& p, const identity_input& in) {
    json::value profile = in.profile;
    if (!p.callback_json.empty() && profile.is_object())
        if (auto given = json::parse(in.callback.text(p.callback_json)))
            profile.set(p.callback_json, std::move(*given));
    if (p.select_filter < 0) return profile;
    auto selected = answer_of(p, p.select_filter, seen(p, in, std::move(profile)));
    return selected ? std::move(*selected) : json::value();
}

std::optional<http::request> further_request(const provider& p, const identity_input& in) {
    if (!p.userinfo.then) return std::nullopt;
    if (p.when_filter >= 0) {
        const auto wanted = answer_of(p, p.when_filter, seen(p, in, in.profile));
        if (!wanted || wanted->is_null() || *wanted == json::value(false)) return std::nullopt;
    }
    auto rq = bearer_request(p.userinfo.then->url, in.token, true);
    lay_over(rq.fields, p.userinfo.then->headers, in.token);
    return rq;
}

json::value merge_further(const provider& p, const identity_input& in,
                          const http::response& answer) {
    auto body = is_2xx(answer) ? json::parse(answer.body) : std::nullopt;
    if (!body || p.merge_filter < 0) return in.profile;
    json::value both;
    both.set("profile", in.profile);
    both.set("body", std::move(*body));
    auto merged = answer_of(p, p.merge_filter, seen(p, in, std::move(both)));
    return merged ? std::move(*merged) : in.profile;
}

std::optional<http::request> photo_request(const provider& p, const identity_input& in) {
    if (p.photo_url.empty()) return std::nullopt;
    auto rq = bearer_request(p.photo_url, in.token, false);
    rq.body_limit = 256 * 1024;
    return rq;
}

std::optional<std::string> take_photo(const http::response& answer) {
    return is_2xx(answer) ? std::optional(base64(answer.body)) : std::nullopt;
}

mapped_user map_profile(const provider& p, const identity_input& in) {
    mapped_user out;
    if (p.profile_filter < 0) {
        out.user = default_profile(in.profile);
    } else {
        auto mapped = p.maps->run(p.profile_filter, seen(p, in, in.profile));
        if (!mapped) throw unmapped("the mapping gave nothing");
        out.user = std::move(*mapped);
    }
    if (!out.user.is_object()) throw unmapped("the mapping gave no object");

    const auto* email = out.user.find("email");
    if (email != nullptr && email->is_null())
        out.user.erase("email");  // null?.toLowerCase()
    else if (email != nullptr && !email->is_string())
        throw unmapped("the address is no text");

    const auto* id = out.user.find("id");
    if (id == nullptr || id->is_null()) throw unmapped("the mapping gave no id");
    out.account_id_is_number = id->is_number();
    if (!id->truthy())  // what JavaScript takes for none comes through Auth.js's mapping, no
                        // further
        throw error(code::callback_route_error, "the provider gave an empty id")
            .with("provider", p.id);
    if (!id->is_string() && !id->is_number()) throw unmapped("the id is no text and no number");
    out.account_id = json::text_of(*id);
    if (lost_in(*id, out.account_id) || lost_in(in.profile, out.account_id) ||
        lost_in(in.token, out.account_id))
        throw unmapped("the id is a number with more digits than a double holds");
    return out;
}

json::value map_account(const provider& p, const json::value& token) {
    json::value account = json::object{};
    if (p.account_filter >= 0) {
        identity_input in;
        in.token = token;
        auto mapped = p.maps->run(p.account_filter, seen(p, in, token));
        if (!mapped || mapped->is_null()) return account;
        if (!mapped->is_object()) throw unmapped("the account filter gave no object");
        return std::move(*mapped);
    }
    for (const auto* name : {"access_token", "id_token", "refresh_token", "expires_at", "scope",
                             "token_type", "session_state"})
        if (const auto* v = token.find(name)) account.set(name, *v);
    return account;
}

}  // namespace authjs::providers
