// The sign-in letter: what a flow hands to whoever writes and delivers it (SMTP, an HTTP mail
// service, or an internal location of the operator's).
#pragma once

#include <string>

#include "io/curl_client.hpp"
#include "io/http.hpp"
#include "io/ports.hpp"
#include "providers/provider.hpp"
#include "util/task.hpp"
#include "util/time.hpp"

namespace authjs::email {

// Who carries SMTP messages: the worker's curl_client, or a test's list.
class mailer {
public:
    virtual ~mailer() = default;
    // Awaits the server's final yes. Throws error(email_signin_error) with its words.
    virtual task<void> deliver(io::smtp_message m, const http::transport& via) = 0;
};

// The one that delivers for real. The client outlives it.
class curl_mailer final : public mailer {
public:
    explicit curl_mailer(io::curl_client& client) : client_(client) {}
    task<void> deliver(io::smtp_message m, const http::transport& via) override {
        return client_.deliver(std::move(m), via);
    }

private:
    io::curl_client& client_;
};

struct theme {
    std::string color_scheme = "auto", logo, brand_color, button_text;
};

struct letter {
    std::string identifier;  // one recipient, normalised and checked (no control characters)
    std::string url;         // the link, absolute; its host is the letter's {host}
    std::string token;       // as in the link, not its hash
    instant expires;         // the provider's email_max_age after the letter's date
    email::theme theme;
};

// send_letter writes the letter after provider `by` (its `email` options, subject, template) and
// delivers it: by `send uri` (`internal`), the mail service's HTTP API (`http`) or SMTP (`smtp`).
// Throws error(email_signin_error) with the service's words when it was not taken,
// error(unavailable) when an internal location does not answer. Everything by reference outlives
// it.
task<void> send_letter(letter l, const providers::provider& by, http::sender http, mailer& smtp,
                       io::internal_call& internal);

}  // namespace authjs::email
