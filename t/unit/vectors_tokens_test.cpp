// Every vector of t/vectors/tokens.json, which the real @auth/core wrote under a fixed clock and
// fixed randomness: the same inputs must give the same bytes. What whole requests answer is looked
// at here as far as tokens, hashes and cookies go.
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "auth/config.hpp"
#include "auth/cookie.hpp"
#include "auth/csrf.hpp"
#include "auth/gate.hpp"
#include "crypto/crypto.hpp"
#include "jose/jwe.hpp"
#include "jose/jws.hpp"
#include "util/bytes.hpp"
#include "util/json.hpp"
#include "util/url.hpp"

#include "unit.hpp"

using namespace authjs;
using json::value;

namespace {

constexpr std::int64_t usual_now = 1'704'067'200'000;
constexpr const char* usual_secret = "0123456789abcdef0123456789abcdef";
const value* all = nullptr;

std::vector<secret> secrets_of(const value& input) {
    const auto* s = input.find("secret");
    std::vector<secret> out;
    if (s == nullptr) return {secret(usual_secret)};
    if (s->is_string()) return {secret(*s->as_string())};
    for (const auto& one : *s->as_array()) out.emplace_back(*one.as_string());
    return out;
}
jose::key_ring ring_of(const value& input, std::string_view salt) {
    return jose::key_ring(secrets_of(input), salt);
}
secret joined_of(const value& input) {
    auth::config cf;
    cf.secrets = secrets_of(input);
    auth::finish(cf);
    return cf.joined_secret;
}
instant now_of(const value& v) {
    const auto* at = v.find("now_ms");
    return instant{milliseconds{at != nullptr ? static_cast<std::int64_t>(at->as_number()->value)
                                              : usual_now}};
}

// The draws that the vector lists, in order. Random bytes fit as they are; a UUID's sixteen are
// those that its text stands for.
struct listed_random final : io::random {
    explicit listed_random(const value& v) {
        if (const auto* list = v.find("random"))
            for (const auto& draw : *list->as_array()) {
                std::string text(draw.text(draw.text("call") == "uuid" ? "value" : "hex"));
                std::erase(text, '-');
                draws.push_back(*from_hex(text));
            }
    }
    void fill(std::span<unsigned char> out) override {
        if (next == draws.size() || draws[next].size() != out.size()) fail_msg("unlisted draw");
        std::copy(draws[next].begin(), draws[next].end(), out.begin());
        ++next;
    }
    std::string bytes() {
        std::string out(draws.at(next).size(), '\0');
        fill({reinterpret_cast<unsigned char*>(out.data()), out.size()});
        return out;
    }
    std::vector<std::string> draws;
    std::size_t next = 0;
};

const value& vector_of(std::string_view id) {
    for (const auto& v : *all->as_array())
        if (v.text("id") == id) return v;
    fail_msg("no vector %s", std::string(id).c_str());
    std::abort();
}

void same_json(const value& got, const value& want) {
    assert_text(json::stringify(got), json::stringify(want));
}

// --- one function per kind -----------------------------------------------------------------------

void derived_key(const value&, const value& in, const value& out) {
    const auto ring = ring_of(in, in.text("salt"));
    const auto& key = ring.keys().front();
    const bool cbc = in.text("enc") == "A256CBC-HS512";
    assert_text(hex((cbc ? key.cbc : key.gcm).reveal()), out.text("key_hex"));
    assert_text(cbc ? key.cbc_kid : key.gcm_kid, out.text("kid"));
}

void encoded(const value& v, const value& in, const value& out) {
    const auto ring = ring_of(in, in.text("salt"));
    test::fixed_clock clock(now_of(v).time_since_epoch().count());
    listed_random random(v);
    const auto* age = in.find("maxAge");
    const seconds max_age{age != nullptr ? static_cast<int>(age->as_number()->value) : 2'592'000};
    const auto token = jose::encode(ring, *in.find("token"), max_age, clock, random);
    assert_text(token, out.text("token"));
    const auto opened = jose::decode(ring, token, clock.now());
    assert_text(json::stringify(*opened.claims), out.text("plaintext"));
}

void decoded(const value&, const value& in, const value& out) {
    const auto opened = jose::decode(ring_of(in, in.text("salt")), in.text("token"), now_of(in));
    const auto* ok = out.find("ok");
    if (ok != nullptr && ok->is_null()) return assert_true(opened.why == jose::refusal::empty);
    assert_int_equal(opened.why == jose::refusal::none, ok != nullptr);
    if (ok != nullptr) return same_json(*opened.claims, *ok);
    if (out.text("error") == "JWTExpired") assert_true(opened.why == jose::refusal::expired);
}

void csrf(const value& v, const value& in, const value& out) {
    const auto joined = joined_of(in);
    const auto known = auth::csrf_token_of(in.text("cookieValue"), joined);
    const auto want = out.text("csrfToken");
    if (const auto fresh = out.text("set_cookie_value"); !fresh.empty()) {
        listed_random random(v);
        assert_false(known.has_value());
        const auto token = hex(random.bytes());
        assert_text(token, want);
        return assert_text(auth::csrf_cookie_value(token, joined), fresh);
    }
    assert_true(known.has_value());
    assert_text(*known, want);
    const bool post = *in.find("isPost")->as_bool();
    assert_int_equal(post && in.text("bodyValue") == *known,
                     *out.find("csrfTokenVerified")->as_bool());
}

void email_token_hash(const value&, const value& in, const value& out) {
    const auto joined = joined_of(in);
    std::string text(in.text("token"));
    text.append(joined.reveal());
    assert_text(hex(crypto::digest(crypto::hash::sha256, text)), out.text("stored"));
}

void email_token_new(const value& v, const value&, const value& out) {
    listed_random random(v);
    assert_text(hex(random.bytes()), out.text("token"));
}

auth::which kind_named(std::string_view name, bool secure) {
    for (int i = 0; i < static_cast<int>(auth::which::count_); ++i)
        if (auth::default_cookie(static_cast<auth::which>(i), secure).name == name)
            return static_cast<auth::which>(i);
    fail_msg("no cookie %s", std::string(name).c_str());
    std::abort();
}

void check_cookie(const value& v, const value& in, const value& out) {
    listed_random random(v);
    test::fixed_clock clock(now_of(v).time_since_epoch().count());
    const seconds age{900};
    const bool secure = *in.find("secure")->as_bool();
    const auto which = kind_named(out.text("cookie_name"), secure);
    const auto kind = auth::default_cookie(which, secure);

    value payload;
    std::string sent;
    if (which == auth::which::state) {
        value inner;
        if (!in.text("origin").empty()) inner.set("origin", in.text("origin"));
        inner.set("random", base64url(random.bytes()));
        sent = jose::encode(ring_of(in, "encodedState"), inner, age, clock, random);
        payload.set("value", sent);
    } else if (which == auth::which::webauthn_challenge) {
        value inner;
        inner.set("challenge", in.text("challenge"));
        if (const auto* data = in.find("registerData")) inner.set("registerData", *data);
        payload.set("value", jose::encode(ring_of(in, "encodedWebauthnChallenge"), inner, age,
                                          clock, random));
    } else {
        const auto drawn = base64url(random.bytes());
        payload.set("value", drawn);
        sent = which == auth::which::nonce ? drawn
                                           : base64url(crypto::digest(crypto::hash::sha256, drawn));
    }
    payload.set("provider", in.text("provider"));
    const auto token = jose::encode(ring_of(in, kind.name), payload, age, clock, random);
    assert_text(sent, out.text("value"));
    assert_text(token, out.text("cookie_value"));
    const auth::set_cookie cookie{kind.name, token, kind.options, clock.now() + age};
    assert_text(auth::serialize(cookie), out.text("set_cookie"));
    same_json(*jose::decode(ring_of(in, kind.name), token, clock.now()).claims,
              *out.find("cookie_payload"));
}

void check_cookie_read(const value&, const value& in, const value& out) {
    const auto kind = auth::default_cookie(auth::which::state, false);
    const auto opened = jose::decode(ring_of(in, kind.name), in.text("cookie_value"), now_of(in));
    const bool fits = opened.claims && !opened.claims->text("value").empty() &&
                      opened.claims->text("provider") == in.text("provider");
    assert_int_equal(fits, out.find("error") == nullptr);
    if (!fits) return;
    assert_text(opened.claims->text("value"), out.text("value"));
    assert_text(auth::serialize(auth::removal(kind.name, kind.options)),
                *out.find("set_cookie")->as_array()->front().as_string());
}

void state_parameter(const value& v, const value& in, const value& out) {
    same_json(*jose::decode(ring_of(in, in.text("salt")), in.text("state"), now_of(v)).claims, out);
}

void webauthn_challenge(const value& v, const value& in, const value& out) {
    const auto& outer = vector_of("check-webauthn-register");
    const auto cookie = outer.find("output")->find("cookie_payload")->text("value");
    same_json(*jose::decode(ring_of(in, in.text("salt")), cookie, now_of(v)).claims, out);
}

void pkce_challenge(const value&, const value& in, const value& out) {
    assert_text(base64url(crypto::digest(crypto::hash::sha256, in.text("verifier"))),
                out.text("challenge"));
}

void client_auth(const value& v, const value& in, const value& out) {
    listed_random random(v);
    const auto now = unix_seconds(now_of(v));
    const auto header = json::make_object({{"alg", "HS256"}});
    const auto claims = json::make_object({{"jti", base64url(random.bytes())},
                                           {"aud", in.text("issuer")},
                                           {"exp", now + 60},
                                           {"iat", now},
                                           {"nbf", now},
                                           {"iss", in.text("client_id")},
                                           {"sub", in.text("client_id")}});
    params body;
    body.append("client_id", in.text("client_id"));
    body.append("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    body.append("client_assertion",
                jose::sign_hs(header, claims, in.text("client_secret"), crypto::sig::hs256));
    assert_text(body.to_string(), out.text("body"));
}

// The request's cookies, from an array of names or an object of names and values.
auth::cookie_jar jar_of(const value& in) {
    std::string line;
    const auto* list = in.find("request_cookies");
    if (list == nullptr) return {};
    if (const auto* names = list->as_array())
        for (const auto& n : *names) line += *n.as_string() + "=x;";
    else
        for (const auto& m : *list->as_object()) line += m.name + "=" + *m.val.as_string() + ";";
    return auth::cookie_jar::parse({line});
}

void chunking(const value&, const value& in, const value& out) {
    const auto kind = auth::default_cookie(auth::which::session_token, false);
    const auto had = auth::read_chunks(jar_of(in), kind.name);
    const std::string fresh(static_cast<std::size_t>(in.find("length")->as_number()->value), 'v');
    value got{json::array{}};
    for (const auto& c : auth::write_chunks(had, kind, fresh, std::nullopt)) {
        json::array row{c.name, static_cast<int>(c.value.size())};
        if (in.find("request_cookies") != nullptr)
            row.push_back(c.options.max_age ? value(*c.options.max_age) : value());
        got.as_array()->push_back(std::move(row));
    }
    same_json(got, *out.find("cookies"));
}

void chunk_join(const value&, const value& in, const value& out) {
    const auto got = auth::read_chunks(jar_of(in), "authjs.session-token");
    assert_text(got.value, out.text("value"));
    value cleaned{json::array{}};
    for (const auto& n : got.names) cleaned.as_array()->emplace_back(n);
    same_json(cleaned, *out.find("cleaned"));
}

// A whole sign-in: its two check cookies hold what the location says.
void signin(const value& v, const value& in, const value& out) {
    const auto location = parse_url(out.text("location"));
    const auto query = params::parse(*location->query);
    for (const auto& line : *out.find("set_cookie")->as_array()) {
        const auto& text = *line.as_string();
        const auto name = text.substr(0, text.find('='));
        const auto which = kind_named(name, false);
        if (which == auth::which::callback_url) continue;
        const auto jar =
            auth::cookie_jar::parse({std::string_view(text).substr(0, text.find(';'))});
        const auto opened = jose::decode(ring_of(in, name), *jar.find(name), now_of(v));
        assert_text(opened.claims->text("provider"), in.find("provider")->text("id"));
        const auto held = opened.claims->text("value");
        if (which == auth::which::state)
            assert_text(held, *query.first("state"));
        else
            assert_text(base64url(crypto::digest(crypto::hash::sha256, held)),
                        *query.first("code_challenge"));
    }
}

// Answers of two end points: the CSRF cookie, and a session issued again.
void http_answer(const value& v, const value& in, const value& out) {
    const auto& first = *out.find("set_cookie")->as_array()->front().as_string();
    auth::config cf;
    cf.secrets = secrets_of(in);
    for (int i = 0; i < static_cast<int>(auth::which::count_); ++i) {
        const auto n = static_cast<std::size_t>(i);
        cf.plain.kinds[n] = auth::default_cookie(static_cast<auth::which>(i), false);
        cf.secured.kinds[n] = auth::default_cookie(static_cast<auth::which>(i), true);
    }
    auth::finish(cf);
    listed_random random(v);
    test::fixed_clock clock(now_of(v).time_since_epoch().count());
    if (in.text("session_token").empty()) {
        const auto& kind = cf.secured[auth::which::csrf_token];
        const auto value = auth::csrf_cookie_value(hex(random.bytes()), cf.joined_secret);
        return assert_text(auth::serialize({kind.name, value, kind.options, {}}), first);
    }
    const auto line = "authjs.session-token=" + std::string(in.text("session_token"));
    auth::token_cache cache;
    const auto judged = auth::ask(cf, false, {line}, clock.now(), cache);
    assert_true(judged.status == auth::status::ok);
    assert_text(json::stringify(auth::default_session(cf, *judged.session)), out.text("body"));
    const auto jar = auth::cookie_jar::parse({line});
    const auto again = auth::renew(cf, false, jar, *judged.session, clock, random);
    assert_text(auth::serialize(again.front()), first);
}

constexpr struct {
    std::string_view kind;
    void (*check)(const value& v, const value& input, const value& output);
} rows[] = {
    {"derived_key", derived_key},
    {"session_token_encode", encoded},
    {"session_token_decode", decoded},
    {"csrf", csrf},
    {"verification_token_hash", email_token_hash},
    {"verification_token_new", email_token_new},
    {"check_cookie", check_cookie},
    {"check_cookie_read", check_cookie_read},
    {"state_parameter", state_parameter},
    {"webauthn_challenge", webauthn_challenge},
    {"pkce_challenge", pkce_challenge},
    {"client_auth", client_auth},
    {"chunking", chunking},
    {"chunk_join", chunk_join},
    {"signin", signin},
    {"http", http_answer},
};

}  // namespace

static void test_every_vector_holds(void**) {
    const auto text = test::file_text("t/vectors/tokens.json");
    const auto doc = json::parse(text, {1 << 20, 32});
    if (!doc) fail_msg("t/vectors/tokens.json cannot be read: run this from the repository's root");
    all = doc->find("vectors");
    std::size_t read = 0;
    for (const auto& v : *all->as_array()) {
        const auto row = std::find_if(std::begin(rows), std::end(rows),
                                      [&](const auto& r) { return r.kind == v.text("kind"); });
        if (row == std::end(rows)) fail_msg("unknown kind in %s", v.text("id").data());
        print_message("%s\n", std::string(v.text("id")).c_str());
        row->check(v, *v.find("input"), *v.find("output"));
        ++read;
    }
    print_message("%zu vectors read\n", read);
    assert_int_equal(read, 85);
}

int main() {
    crypto::setup();
    const CMUnitTest tests[] = {unit(test_every_vector_holds)};
    return cmocka_run_group_tests_name("vectors/tokens", tests, nullptr, nullptr);
}
