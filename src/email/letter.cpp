#include "email/letter.hpp"

#include "crypto/crypto.hpp"
#include "email/mime.hpp"
#include "email/text.hpp"
#include "providers/mail_service.hpp"
#include "util/bytes.hpp"
#include "util/error.hpp"

namespace authjs::email {

namespace {

error refused(const providers::provider& by, std::string text) {
    return error(code::email_signin_error, std::move(text)).with("provider", by.id);
}

bool is_2xx(int status) { return status >= 200 && status < 300; }

// What `send uri` gets: all that a letter is made of, and of the provider what everybody may know.
std::string document(const letter& l, const providers::provider& by) {
    json::value theme, provider, all;
    theme.set("colorScheme", l.theme.color_scheme);
    if (!l.theme.logo.empty()) theme.set("logo", l.theme.logo);
    if (!l.theme.brand_color.empty()) theme.set("brandColor", l.theme.brand_color);
    if (!l.theme.button_text.empty()) theme.set("buttonText", l.theme.button_text);
    provider.set("id", by.id);
    provider.set("type", providers::type_name(by.type));
    provider.set("name", by.name);
    provider.set("from", by.email.text("from"));
    all.set("identifier", l.identifier);
    all.set("token", l.token);
    all.set("expires", iso_text(l.expires));
    all.set("url", l.url);
    all.set("provider", std::move(provider));
    all.set("theme", std::move(theme));
    return json::stringify(all);
}

// smtp://user:pass@host:port?require_tls=1 without what is not libcurl's: the path of an SMTP URL
// would be the name to say HELO with.
io::smtp_message addressed(const providers::provider& by) {
    io::smtp_message m;
    const auto server = by.email.text("server");
    const auto query = server.find('?');
    m.url = server.substr(0, query);
    while (m.url.ends_with('/')) m.url.pop_back();
    const auto options = params::parse(query == server.npos ? "" : server.substr(query + 1));
    const auto* tls = options.last("require_tls");
    m.require_tls = tls && !tls->empty() && *tls != "0" && *tls != "false";
    return m;
}

}  // namespace

task<void> send_letter(letter l, const providers::provider& by, http::sender http, mailer& smtp,
                       io::internal_call& internal) {
    const auto to = parse_mailbox(l.identifier);
    if (!to || to->address != l.identifier)
        throw refused(by, "the address is not exactly one recipient");

    if (const auto uri = by.email.text("send_uri"); !uri.empty()) {
        std::string where(uri), what = document(l, by);
        const auto answer = co_await internal.call(std::move(where), std::move(what));
        if (!is_2xx(answer.status))
            throw refused(by, "the location that sends letters did not take it")
                .with("status", std::to_string(answer.status));
        co_return;
    }

    crypto::system_random random;
    wording words = write(l, by);
    if (providers::has_mail_service(by)) {
        providers::letter_parts parts;
        parts.to = to->address;
        parts.subject = std::move(words.subject);
        parts.html = std::move(words.html);
        parts.text = std::move(words.text);
        parts.url = l.url;
        auto request = providers::mail_request(by, parts, random);
        const auto answer = co_await http.send(std::move(request));
        auto failure = providers::mail_failure(by, answer);
        if (!failure.empty()) throw refused(by, std::move(failure));
        co_return;
    }

    auto from = parse_mailbox(by.email.text("from"));
    if (!from) throw refused(by, "`from` is neither an address nor \"Name <address>\"");
    auto letter = addressed(by);
    letter.from = from->address;
    letter.to = to->address;
    message m;
    m.from = std::move(*from);
    m.to = to->address;
    m.subject = std::move(words.subject);
    m.text = std::move(words.text);
    m.html = std::move(words.html);
    m.id = hex(io::random_bytes(random, 16));
    m.boundary = hex(io::random_bytes(random, 16));
    m.date = l.expires - by.email_max_age;
    letter.data = compose(m);
    co_await smtp.deliver(std::move(letter), *http.via);
}

}  // namespace authjs::email
