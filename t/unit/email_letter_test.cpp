// Letters against what the real Auth.js sent (t/vectors/providers), and against people who would
// like them to be something else [sec 89].
#include <cstring>
#include <map>
#include <tuple>

#include "email/letter.hpp"
#include "email/mime.hpp"
#include "email/text.hpp"
#include "providers/catalogue.hpp"
#include "util/bytes.hpp"
#include "util/url.hpp"
// last
#include "unit.hpp"

namespace authjs::test {

namespace {

struct sent_mail final : email::mailer {
    std::vector<io::smtp_message> list;
    task<void> deliver(io::smtp_message m, const http::transport&) override {
        list.push_back(std::move(m));
        co_return;
    }
};
struct sent_http final : http::client {
    std::vector<http::request> list;
    http::response answer;
    task<http::response> send(http::request rq, const http::transport&) override {
        list.push_back(std::move(rq));
        co_return answer;
    }
};
struct asked_inside final : io::internal_call {
    std::string uri, json;
    int status = 204;
    task<io::internal_answer> call(std::string u, std::string j) override {
        uri = std::move(u), json = std::move(j);
        io::internal_answer a;
        a.status = status;
        co_return a;
    }
    void post(std::string, std::string) override {}
};

struct desk {
    sent_mail smtp;
    sent_http http;
    asked_inside inside;
    http::transport via;

    void send(email::letter l, const providers::provider& by) {
        auto t = email::send_letter(std::move(l), by, {&http, &via}, smtp, inside);
        t.start();
        assert_true(t.done());
        t.result();
    }
};

std::shared_ptr<providers::provider> provider_with(std::string id,
                                                   std::vector<providers::line> lines) {
    providers::surroundings around;
    around.env = [](std::string_view) { return std::nullopt; };
    static std::vector<std::unique_ptr<providers::loader>> kept;
    kept.push_back(std::make_unique<providers::loader>(around));
    auto made = kept.back()->declare({std::move(id), "", std::move(lines), "test:1"});
    if (made.wrong) throw std::runtime_error(made.wrong->message);
    if (const auto wrong = kept.back()->finish()) throw std::runtime_error(wrong->message);
    return made.made;
}

email::letter letter_for(const std::string& id, const std::string& to = "user@example.com") {
    email::letter l;
    l.identifier = to;
    l.token = "fixed-token";
    params query;
    query.set("callbackUrl", "https://app.example.com/dashboard");
    query.set("token", l.token);
    query.set("email", to);
    l.url = "https://app.example.com/auth/callback/" + id + "?" + query.to_string();
    l.expires = instant(milliseconds(1'893'542'400'000));  // 2030-01-02T00:00:00Z
    return l;
}

// A message as a mail program reads it.
struct parsed {
    std::vector<std::pair<std::string, std::string>> headers;
    struct part {
        std::map<std::string, std::string> headers;
        std::string decoded;
    };
    std::vector<part> parts;
    const std::string& header(std::string_view name) const {
        static const std::string none;
        for (const auto& [n, v] : headers)
            if (n == name) return v;
        return none;
    }
};
std::string decode_qp(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '=') {
            out += text[i];
        } else if (text.substr(i, 3) == "=\r\n") {
            i += 2;
        } else {
            out += *from_hex(ascii_lower(text.substr(i + 1, 2)));
            i += 2;
        }
    }
    return out;
}
std::vector<std::pair<std::string, std::string>> headers_of(std::string_view head) {
    std::vector<std::pair<std::string, std::string>> out;
    while (!head.empty()) {
        const auto end = head.find("\r\n");
        const auto line = head.substr(0, end);
        head.remove_prefix(end == head.npos ? head.size() : end + 2);
        if (line.starts_with(' ')) {
            out.back().second += line;
            continue;
        }
        const auto colon = line.find(": ");
        assert_true(colon != line.npos);
        out.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    return out;
}
parsed parse_message(std::string_view data) {
    parsed m;
    assert_true(data.find('\0') == data.npos);
    for (std::size_t i = 0; i < data.size(); ++i)
        if (data[i] == '\n') assert_true(i > 0 && data[i - 1] == '\r');
    const auto blank = data.find("\r\n\r\n");
    m.headers = headers_of(data.substr(0, blank));
    const auto type = m.header("Content-Type");
    const auto open = type.find('"') + 1;
    const auto mark = "--" + type.substr(open, type.find('"', open) - open);
    auto rest = data.substr(blank + 4);
    while (rest.starts_with(mark + "\r\n")) {
        rest.remove_prefix(mark.size() + 2);
        const auto end = rest.find("\r\n" + mark);
        auto one = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        const auto gap = one.find("\r\n\r\n");
        parsed::part p;
        for (auto& [n, v] : headers_of(one.substr(0, gap))) p.headers[ascii_lower(n)] = v;
        for (auto body = one.substr(gap + 4); !body.empty();) {
            const auto nl = body.find("\r\n");
            assert_true(std::min(nl, body.size()) <= 76);  // RFC 2045 section 6.7
            body.remove_prefix(nl == body.npos ? body.size() : nl + 2);
        }
        p.decoded = decode_qp(one.substr(gap + 4));
        m.parts.push_back(std::move(p));
    }
    assert_text(rest, mark + "--\r\n");
    return m;
}

// --- the vectors ---

std::vector<providers::line> lines_of(const json::value& options) {
    static const std::map<std::string, std::string, std::less<>> names = {
        {"apiKey", "api_key"}, {"transactionalId", "transactional_id"}};
    std::vector<providers::line> out;
    for (const auto& o : *options.as_object()) {
        const auto known = names.find(o.name);
        std::string value = *o.val.as_string();
        if (const auto at = value.find("{{port}}"); at != value.npos) value.replace(at, 8, "2525");
        out.push_back({known == names.end() ? o.name : known->second, {value}, "test:2"});
    }
    return out;
}

void check_http(const http::request& got, const json::value& want) {
    assert_text(got.method, want.text("method"));
    assert_text(got.url, want.text("url"));
    std::string boundary;
    for (const auto& h : *want.find("headers")->as_object()) {
        const auto* have = http::find(got.fields, h.name);
        assert_non_null(have);
        std::string value = *h.val.as_string();
        if (const auto at = value.find("{{boundary}}"); at != value.npos) {
            boundary = have->substr(at);
            value.replace(at, 12, boundary);
        }
        assert_text(*have, value);
    }
    if (const auto* body = want.find("body")->find("json")) {
        assert_text(got.body, json::stringify(*body));
        return;
    }
    std::string form;
    for (const auto& pair : *want.find("body")->find("multipart")->as_array())
        form += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" +
                *pair.as_array()->at(0).as_string() + "\"\r\n\r\n" +
                *pair.as_array()->at(1).as_string() + "\r\n";
    assert_text(got.body, form + "--" + boundary + "--\r\n");
}

void check_smtp(const io::smtp_message& got, const json::value& want) {
    assert_text("<" + got.from + ">", want.text("mail_from"));
    assert_text("<" + got.to + ">", *want.find("rcpt_to")->as_array()->at(0).as_string());
    const auto* expected = want.find("message");
    if (!expected) return;  // the server refused it before that
    const auto m = parse_message(got.data);
    const auto& headers = *expected->find("headers")->as_array();
    assert_int_equal(m.headers.size(), headers.size());
    for (std::size_t i = 0; i < headers.size(); ++i) {
        const auto& pair = *headers[i].as_array();
        assert_text(m.headers[i].first, *pair[0].as_string());
        std::string value = *pair[1].as_string();
        const auto open = value.find("{{"), close = value.find("}}");
        if (open == value.npos) {
            assert_text(m.headers[i].second, value);
        } else {
            assert_true(m.headers[i].second.starts_with(value.substr(0, open)));
            assert_true(m.headers[i].second.ends_with(value.substr(close + 2)));
        }
    }
    const auto& parts = *expected->find("parts")->as_array();
    assert_int_equal(m.parts.size(), parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        for (const auto& h : *parts[i].find("headers")->as_object())
            assert_text(m.parts[i].headers.at(h.name), *h.val.as_string());
        assert_text(m.parts[i].decoded, parts[i].text("decoded"));
    }
}

static void letters_are_those_of_authjs(void**) {
    int read = 0;
    for (const std::string id : {"email", "nodemailer", "resend", "sendgrid", "postmark", "mailgun",
                                 "forwardemail", "loops"}) {
        const auto file =
            json::parse(file_text("t/vectors/providers/" + id + ".json"), {1 << 20, 32});
        assert_true(file.has_value());
        for (const auto& v : *file->find("variants")->as_array()) {
            const auto by = provider_with(id, lines_of(*v.find("options")));
            desk d;
            const auto& outbound = *v.find("outbound")->as_array();
            if (!outbound.empty()) {
                const auto& answer = *outbound[0].find("response");
                d.http.answer.status = static_cast<int>(answer.find("status")->as_number()->value);
                const auto* body = answer.find("json");
                d.http.answer.body =
                    body ? json::stringify(*body) : std::string(answer.text("text"));
            }
            const auto failed = failure_of([&] { d.send(letter_for(id), *by); });
            if (!outbound.empty()) {
                assert_int_equal(d.http.list.size(), outbound.size());
                check_http(d.http.list[0], outbound[0]);
                const auto* errors = v.find("errors");
                assert_true(failed.has_value() == (errors != nullptr));
                if (errors) {
                    assert_true(failed->id() == code::email_signin_error);
                    assert_text(failed->message(), errors->as_array()->at(0).text("message"));
                }
            } else {
                assert_int_equal(d.smtp.list.size(), 1);
                assert_text(d.smtp.list[0].url, "smtp://mailer:hunter2@127.0.0.1:2525");
                check_smtp(d.smtp.list[0], v.find("smtp")->as_array()->at(0));
            }
            ++read;
        }
    }
    assert_int_equal(read, 15);
}

// --- what the operator may change ---

static void subject_and_templates_are_filled_and_escaped(void**) {
    auto by = *provider_with(
        "nodemailer", {{"server", {"smtp://h"}, "t:1"}, {"subject", {"{email} at {host}"}, "t:2"}});
    json::value both;
    both.set("text", "{url} {token} {expires} {unknown} {}");
    both.set("html", "<a title='{email}' href=\"{url}\">{host}</a>");
    by.email.set("template", std::move(both));
    auto l = letter_for("nodemailer");
    l.identifier = "o'neill<b>@example.com";
    const auto w = email::write(l, by);
    assert_text(w.subject, "o'neill<b>@example.com at app.example.com");
    assert_text(w.text, l.url + " fixed-token 2030-01-02T00:00:00.000Z {unknown} {}");
    std::string link = l.url;
    for (std::size_t at = 0; (at = link.find('&', at)) != link.npos; at += 5)
        link.replace(at, 1, "&amp;");
    assert_text(w.html, "<a title='o&#39;neill&lt;b&gt;@example.com' href=\"" + link +
                            "\">app.example.com</a>");
}

static void the_theme_colours_the_button(void**) {
    const auto by = provider_with("nodemailer", {{"server", {"smtp://h"}, "t:1"}});
    auto l = letter_for("nodemailer");
    l.theme.brand_color = "#123456";
    l.theme.button_text = "#fedcba";
    const auto w = email::write(l, *by);
    assert_non_null(strstr(w.html.c_str(), "bgcolor=\"#123456\""));
    assert_non_null(strstr(w.html.c_str(), "color: #fedcba;"));
    assert_null(strstr(w.html.c_str(), "#346df1"));
}

static void an_internal_location_gets_everything(void**) {
    const auto by = provider_with("nodemailer", {{"send", {"uri", "/letters"}, "t:1"},
                                                 {"from", {"no-reply@example.com"}, "t:1"}});
    desk d;
    d.send(letter_for("nodemailer"), *by);
    assert_text(d.inside.uri, "/letters");
    const auto got = json::parse(d.inside.json);
    assert_text(got->text("identifier"), "user@example.com");
    assert_text(got->text("token"), "fixed-token");
    assert_text(got->text("expires"), "2030-01-02T00:00:00.000Z");
    assert_text(got->text("url"), letter_for("nodemailer").url);
    assert_text(got->find("provider")->text("id"), "nodemailer");
    assert_text(got->find("theme")->text("colorScheme"), "auto");
    assert_int_equal(d.smtp.list.size(), 0);
    d.inside.status = 500;
    const auto failed = failure_of([&] { d.send(letter_for("nodemailer"), *by); });
    assert_true(failed && failed->id() == code::email_signin_error);
}

static void tls_can_be_demanded(void**) {
    for (const auto& [server, url, demanded] :
         {std::tuple{"smtp://u:p@h:587/?require_tls=1", "smtp://u:p@h:587", true},
          std::tuple{"smtp://h", "smtp://h", false},
          std::tuple{"smtps://u:p@h:465/", "smtps://u:p@h:465", false}}) {
        const auto by = provider_with("nodemailer", {{"server", {server}, "t:1"}});
        desk d;
        d.send(letter_for("nodemailer"), *by);
        assert_text(d.smtp.list[0].url, url);
        assert_true(d.smtp.list[0].require_tls == demanded);
    }
}

// --- one recipient, no header of anybody else's ---

static void only_one_plain_address_is_written_to(void**) {  // [sec 89]
    const auto by = provider_with("nodemailer", {{"server", {"smtp://h"}, "t:1"}});
    for (const std::string to :
         {"", "nobody", "@example.com", "a@", "a@b@c", "a,b@example.com", "a@example.com,b@x",
          "a@example.com\r\nBcc: victim@example.com", "a\n@example.com", "a\r@example.com",
          "u ser@example.com", "<a@example.com>", "Name <a@example.com>", "\"a b\"@example.com",
          "a;b@example.com", "@relay:a@example.com", "a@example.com\t", " a@example.com"}) {
        desk d;
        const auto failed = failure_of([&] { d.send(letter_for("nodemailer", to), *by); });
        if (!failed || failed->id() != code::email_signin_error)
            fail_msg("sent to \"%s\"", to.c_str());
        assert_int_equal(d.smtp.list.size(), 0);
    }
    for (const std::string& to :
         {std::string("nul\0@example.com", 16), std::string(300, 'a') + "@example.com",
          std::string("latin\xe9@example.com")}) {
        desk d;
        assert_true(failure_of([&] { d.send(letter_for("nodemailer", to), *by); }).has_value());
    }
    for (const std::string to : {"a@example.com", "a+b.c@sub.example.com", "o'neill@example.com",
                                 "j\xc3\xb6rg@b\xc3\xbc"
                                 "cher.example"}) {
        desk d;
        d.send(letter_for("nodemailer", to), *by);
        assert_text(d.smtp.list.at(0).to, to);
    }
}

static void no_text_becomes_a_header(void**) {
    auto by = *provider_with("nodemailer", {{"server", {"smtp://h"}, "t:1"}});
    by.email.set("subject", "Hi {host}\r\nBcc: victim@example.com\n\nBody");
    desk d;
    d.send(letter_for("nodemailer"), by);
    const auto m = parse_message(d.smtp.list[0].data);
    assert_int_equal(m.headers.size(), 7);
    assert_text(m.header("Subject"), "Hi app.example.com  Bcc: victim@example.com  Body");
    by.email.set("from", "A <a@example.com>\r\nBcc: victim@example.com");
    assert_true(failure_of([&] { d.send(letter_for("nodemailer"), by); }).has_value());
}

static void names_of_senders(void**) {
    const auto header = [](const std::string& from) {
        email::message m;
        m.from = *email::parse_mailbox(from);
        m.boundary = "b";
        return parse_message(email::compose(m)).header("From");
    };
    assert_text(header("a@example.com"), "a@example.com");
    assert_text(header("Some One <a@example.com>"), "Some One <a@example.com>");
    assert_text(header("Auth.js <a@example.com>"), "\"Auth.js\" <a@example.com>");
    assert_text(header("\"Acme, Inc.\" <a@example.com>"), "\"Acme, Inc.\" <a@example.com>");
    assert_text(header("Bj\xc3\xb6rn <a@example.com>"), "=?UTF-8?B?QmrDtnJu?= <a@example.com>");
}

static void quoted_printable_keeps_every_byte(void**) {
    std::string all;
    for (int c = 1; c < 256; ++c)
        if (c != '\n' && c != '\r') all += static_cast<char>(c);
    for (const std::string& text :
         {all, std::string(500, 'x'), std::string(500, '='),
          std::string("ends with a space \nand\ttab\t"), std::string("a\rb")})
        assert_text(decode_qp(email::quoted_printable(text)), [&] {
            std::string crlf;
            for (const char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
            return crlf;
        }());
    assert_text(email::quoted_printable("x \n"), "x=20\r\n");
}

static void long_subjects_are_encoded_words(void**) {
    std::string text;
    for (int i = 0; i < 60; ++i) text += "\xc3\xa9";
    const auto out = email::header_text(text);
    std::string decoded;
    for (std::size_t at = 0; (at = out.find("=?UTF-8?B?", at)) != out.npos;) {
        const auto end = out.find("?=", at + 10);
        assert_true(end - at + 2 <= 75);
        const auto piece = from_base64(out.substr(at + 10, end - at - 10));
        assert_true(is_utf8(*piece));  // never cut within a character
        decoded += *piece;
        at = end;
    }
    assert_text(decoded, text);
}

}  // namespace

}  // namespace authjs::test

int main() {
    using namespace authjs::test;
    const CMUnitTest tests[] = {unit(letters_are_those_of_authjs),
                                unit(subject_and_templates_are_filled_and_escaped),
                                unit(the_theme_colours_the_button),
                                unit(an_internal_location_gets_everything),
                                unit(tls_can_be_demanded),
                                unit(only_one_plain_address_is_written_to),
                                unit(no_text_becomes_a_header),
                                unit(names_of_senders),
                                unit(quoted_printable_keeps_every_byte),
                                unit(long_subjects_are_encoded_words)};
    return cmocka_run_group_tests_name("email/letter", tests, nullptr, nullptr);
}
