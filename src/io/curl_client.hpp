// http::client through libcurl's multi-socket interface on a worker's event loop. One per worker,
// made after fork; connections and DNS are kept between requests. It also sends letters over SMTP.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/http.hpp"
#include "io/ports.hpp"

namespace authjs::io {

struct smtp_message {
    std::string url;  // smtp://user:pass@host:port or smtps://
    bool require_tls = false;
    std::string from, to;  // bare addresses, already checked: no control characters, one recipient
    std::string data;      // the whole message, CRLF line ends
};

class curl_client final : public http::client {
public:
    explicit curl_client(event_loop& loop);
    ~curl_client() override;  // tasks of send and deliver are gone by then; connections are closed
    task<http::response> send(http::request rq, const http::transport& via) override;
    // deliver awaits the server's final yes. Throws error(email_signin_error) with its words.
    task<void> deliver(smtp_message m, const http::transport& via);
    // close_idle is for a worker that exits: connections that no transfer uses are closed, now and
    // as soon as the last transfer ends; later ones keep none.
    void close_idle() noexcept;
    std::size_t running() const noexcept;

    class impl;

private:
    std::unique_ptr<impl> impl_;
};

}  // namespace authjs::io
