// Sign-ins by the core alone, many in a second: what the module makes of providers' answers, for
// t/flows/profiles.test.mjs. Reads one JSON object a line, answers each with one:
//
//   {"declare": key, "id", "lines": [[name, value, ...], ...]}   a provider block; all come first
//   {"start": key, "query"}                 the sign-in request: {"location", "outbound"}
//   {"back": key, "params", "answers"}      its callback: {"location", "outbound", "told", "log"}
//
// `answers`: what outside hosts say, [{"url", "status", "headers", "body"}]; a request takes the
// first whose URL it has, else whose URL it has but for the query, else 404. `told`: what the
// signIn callback was given, null if nobody came in. The state is given back as it was sent.
#include <cstdio>
#include <iostream>

#include "fake_world.hpp"
#include "providers/catalogue.hpp"

namespace {

using namespace authjs;

class answering_http final : public http::client {
public:
    task<http::response> send(http::request rq, const http::transport&) override {
        json::value headers = json::object{};
        for (const auto& f : rq.fields) headers.set(lower(f.name), f.value);
        sent.push_back(json::make_object(
            {{"method", rq.method}, {"url", rq.url}, {"headers", headers}, {"body", rq.body}}));
        for (const auto of : {whole, without_query, last_step})
            for (const auto& a : answers)
                if (of(rq.url) == of(std::string(a.text("url")))) co_return answer_of(a);
        co_return http::response{404, {}, ""};
    }
    json::array answers, sent;

private:
    static std::string whole(const std::string& url) { return url; }
    static std::string without_query(const std::string& url) {
        return url.substr(0, url.find('?'));
    }
    static std::string last_step(const std::string& url) {
        auto text = without_query(url);
        if (text.ends_with('/')) text.pop_back();
        return text.substr(text.rfind('/') + 1);
    }
    static http::response answer_of(const json::value& a) {
        http::response out;
        out.status = static_cast<int>(a.find("status")->as_number()->value);
        if (const auto* list = a.find("headers"))
            for (const auto& m : *list->as_object())
                out.fields.push_back({m.name, json::text_of(m.val)});
        const auto* encoded = a.find("base64");
        out.body = encoded ? from_base64(json::text_of(*encoded)).value_or("") : a.text("body");
        return out;
    }
};

// One provider's own world: its configuration, a browser, the hosts outside.
struct stage {
    std::shared_ptr<providers::provider> provider;
    test::world world;
    answering_http outside;
    std::string state;                           // as the last start sent it,
    std::map<std::string, std::string> cookies;  // and what the browser had then

    auth::response ask(std::string method, std::string target, std::string form) {
        if (method == "POST")
            world.extra.push_back({"Content-Type", "application/x-www-form-urlencoded"});
        auto io = auth::ports{world.clock,    world.random, world.log,      outside,
                              world.loop,     world.pool,   world.internal, world.shared,
                              world.metadata, world.mail,   [] {}};
        auto running = auth::handle(
            world.request(std::move(method), std::move(target), std::move(form)), world.cf, io);
        running.start();
        auto rs = running.result();
        world.keep(rs);
        return rs;
    }
    json::value told(const auth::response& rs) {
        json::value out = json::object{};
        out.set("location", test::world::location(rs));
        out.set("outbound", std::exchange(outside.sent, {}));
        json::array said;
        for (const auto& [level, line] : std::exchange(world.log.lines, {})) said.push_back(line);
        out.set("log", std::move(said));
        return out;
    }
    void open(const json::value& asked) {
        world.clock.at =
            std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
        world.shared.keys.clear();
        outside.answers.clear();
        if (const auto* list = asked.find("answers")) outside.answers = *list->as_array();
    }
    json::value start(const json::value& asked) {
        open(asked);
        world.cookies.clear();
        const auto form = ask("GET", "/auth/csrf", "");
        const auto token = std::string(json::parse(form.body)->text("csrfToken"));
        const auto query = std::string(asked.text("query"));
        const auto rs =
            ask("POST", "/auth/signin/" + provider->id + (query.empty() ? "" : "?" + query),
                "csrfToken=" + token);
        const auto to = parse_url(test::world::location(rs));
        const auto sent = params::parse(to ? to->query.value_or("") : "");
        const auto* given = sent.last("state");
        state = given ? *given : "";
        cookies = world.cookies;
        return told(rs);
    }
    json::value back(const json::value& asked) {
        open(asked);
        world.internal.calls.clear();
        world.cookies = cookies;
        params given;
        for (const auto& m : *asked.find("params")->as_object())
            given.set(m.name, json::text_of(m.val));
        if (!given.has("state")) given.set("state", state);
        const auto at = "/auth/callback/" + provider->id;
        const auto rs = provider->form_post ? ask("POST", at, given.to_string())
                                            : ask("GET", at + "?" + given.to_string(), "");
        auto out = told(rs);
        const auto& calls = world.internal.calls;
        auto document = calls.empty()
                            ? std::nullopt
                            : json::parse(calls[0].second, {.bytes = 1 << 20, .depth = 64});
        if (document) document->erase("request");
        out.set("told", document ? std::move(*document) : json::value());
        return out;
    }
};

}  // namespace

int main() {
    std::map<std::string, std::unique_ptr<stage>, std::less<>> stages;
    providers::loader loader(providers::surroundings{});
    bool finished = false;
    const auto finish = [&] {
        if (std::exchange(finished, true)) return std::string();
        const auto wrong = loader.finish();
        return wrong ? wrong->where + ": " + wrong->message : std::string();
    };
    for (std::string line; std::getline(std::cin, line);) {
        json::value said = json::object{};
        try {
            const auto asked = json::parse(line, {.bytes = 1 << 22, .depth = 64});
            if (!asked) throw error(code::configuration, "the line is no JSON");
            if (const auto key = asked->text("declare"); !key.empty()) {
                providers::declaration d{std::string(asked->text("id")), "", {}, std::string(key)};
                for (const auto& words : *asked->find("lines")->as_array()) {
                    std::vector<std::string> values;
                    for (const auto& w : *words.as_array()) values.push_back(json::text_of(w));
                    auto name = values[0];
                    values.erase(values.begin());
                    d.lines.push_back({std::move(name), std::move(values), std::string(key)});
                }
                auto declared = loader.declare(d);
                if (declared.wrong) throw error(code::configuration, declared.wrong->message);
                auto s = std::make_unique<stage>();
                s->provider = declared.made;
                s->world.origin = "https://app.example.com";
                s->world.cf.filters = loader.filters();
                s->world.cf.providers.push_back(declared.made);
                s->world.cf.callbacks[static_cast<std::size_t>(auth::callback::sign_in)].uri =
                    "/told";
                s->world.internal.answers["/told"] = {200, "true"};
                stages[std::string(key)] = std::move(s);
            } else {
                if (const auto wrong = finish(); !wrong.empty())
                    throw error(code::configuration, wrong);
                const bool begins = asked->find("start") != nullptr;
                const auto s = stages.find(asked->text(begins ? "start" : "back"));
                if (s == stages.end()) throw error(code::configuration, "no such provider");
                said = begins ? s->second->start(*asked) : s->second->back(*asked);
            }
        } catch (const std::exception& e) {
            said.set("wrong", e.what());
        }
        std::cout << json::stringify(said) << std::endl;
    }
}
