#include "providers/mail_service.hpp"

#include <algorithm>

#include "providers/template.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/url.hpp"

namespace authjs::providers {
namespace {

// fill expands every string of a JSON value.
json::value fill(const json::value& v, const lookup& get, std::string& missing) {
    if (const auto* text = v.as_string()) {
        auto done = expand(*text, get);
        if (missing.empty()) missing = done.missing;
        return std::move(done.text);
    }
    if (const auto* a = v.as_array()) {
        json::array out;
        for (const auto& item : *a) out.push_back(fill(item, get, missing));
        return out;
    }
    if (const auto* o = v.as_object()) {
        json::object out;
        for (const auto& m : *o) out.push_back({m.name, fill(m.val, get, missing)});
        return out;
    }
    return v;
}

// Line ends of a multipart value are CRLF, as browsers and fetch send them.
std::string crlf(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
        if (text[i] == '\r' || text[i] == '\n')
            out += "\r\n";
        else
            out += text[i];
    }
    return out;
}

}  // namespace

bool has_mail_service(const provider& p) noexcept { return p.send.is_object(); }

http::request mail_request(const provider& p, const letter_parts& letter, io::random& random) {
    const auto fail = [&](std::string text) {
        return error(code::email_signin_error, std::move(text)).with("provider", p.id);
    };
    if (const auto refused = p.email.text("refused"); !refused.empty())
        throw fail(std::string(refused));
    const std::pair<std::string_view, const std::string&> parts[] = {{"to", letter.to},
                                                                     {"subject", letter.subject},
                                                                     {"html", letter.html},
                                                                     {"text", letter.text},
                                                                     {"url", letter.url}};
    const lookup get = [&](std::string_view name) -> std::optional<std::string> {
        for (const auto& [part, value] : parts)
            if (part == name) return value;
        const auto* v = p.email.find(name);
        return v ? std::optional(json::text_of(*v)) : std::nullopt;
    };

    std::string missing;
    const json::value send = fill(p.send, get, missing);
    if (!missing.empty()) {
        const auto own_words = p.email.text("missing");
        throw fail(own_words.empty() ? missing + " is missing" : std::string(own_words));
    }
    http::request rq;
    rq.method = "POST";
    const auto url = parse_url(send.text("url"));
    if (!url) throw fail("the service's URL cannot be made");
    rq.url = url->href();
    if (const auto* headers = send.find("headers"))
        for (const auto& m : *headers->as_object())
            rq.fields.push_back({m.name, std::string(json::text_of(m.val))});
    if (const auto* basic = send.find("basic"))
        rq.fields.push_back(
            {"authorization", "Basic " + base64(json::text_of(basic->as_array()->at(0)) + ":" +
                                                json::text_of(basic->as_array()->at(1)))});
    if (const auto* body = send.find("json")) {
        rq.fields.push_back({"content-type", "application/json"});
        rq.body = json::stringify(*body);
    } else if (const auto* form = send.find("multipart")) {
        unsigned char bytes[16];
        random.fill(bytes);
        const std::string boundary =
            "authjs-" + hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
        for (const auto& m : *form->as_object())
            rq.body += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + m.name +
                       "\"\r\n\r\n" + crlf(json::text_of(m.val)) + "\r\n";
        rq.body += "--" + boundary + "--\r\n";
        rq.fields.push_back({"content-type", "multipart/form-data; boundary=" + boundary});
    }
    return rq;
}

std::string mail_failure(const provider& p, const http::response& answer) {
    if (answer.status >= 200 && answer.status < 300) return {};
    std::string body = answer.body;
    if (p.send.text("error_body") == "json") {
        const auto read = json::parse(answer.body);
        body = read ? json::stringify(*read) : "the answer is no JSON";
    }
    return std::string(p.send.text("error")) + body;
}

}  // namespace authjs::providers
