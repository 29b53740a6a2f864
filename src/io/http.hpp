// HTTP as a value: a request, its answer, and the client port that carries one to the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "util/task.hpp"
#include "util/time.hpp"

namespace authjs::http {

struct header {
    std::string name, value;
};
using headers = std::vector<header>;

// find compares names without case; null if there is none. Of several, the first.
const std::string* find(const headers& list, std::string_view name) noexcept;

struct request {
    std::string method = "GET";
    std::string url;  // absolute, http or https
    headers fields;   // Host, Content-Length and Accept-Encoding are the client's business
    std::string body;
    std::size_t body_limit = 64 * 1024;  // bytes of the answer's body, decoded
    // Asked with each address that the host's name stands for, as a URL writes it, before it is
    // connected to. Null: any will do. Behind a proxy, which looks names up itself, nobody asks.
    bool (*refuses)(std::string_view address) = nullptr;
};

struct response {
    int status = 0;
    headers fields;
    std::string body;
    std::string peer{};  // the address that answered, as a URL writes it; empty behind a proxy
    const std::string* field(std::string_view name) const noexcept { return find(fields, name); }
};

// How requests of one configuration travel.
struct transport {
    milliseconds timeout{10'000};  // connect and whole transfer, each
    std::string proxy;             // http://user:pass@host:port, or empty: none
    std::string ca_file;           // PEM bundle, or empty: the system's store
    bool operator==(const transport&) const = default;
};

class client {
public:
    virtual ~client() = default;
    // send awaits the whole answer, whatever its status. Redirects are not followed, TLS is always
    // verified, http and https only. Throws error(callback_route_error) whose message says what
    // failed (time-out, name not found, TLS, reset, body too large). A request with a body is sent
    // once at most, on a connection of its own; a GET that dies on a kept connection before any
    // answer is sent again. Dropping the task takes the transfer off the loop at once.
    virtual task<response> send(request rq, const transport& via) = 0;
};

// A client with its transport: what flows are handed. Both outlive it.
struct sender {
    client* by = nullptr;
    const transport* via = nullptr;
    task<response> send(request rq) const { return by->send(std::move(rq), *via); }
};

}  // namespace authjs::http
