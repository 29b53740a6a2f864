// What a worker remembers of authorization servers: discovery documents and key sets, so that a
// sign-in asks for each at most once while it is fresh. A cache: losing it costs time only.
#pragma once

#include <memory>
#include <string>

#include "io/http.hpp"
#include "io/ports.hpp"
#include "oauth/oauth.hpp"

namespace authjs::oauth {

class metadata {
public:
    metadata(io::clock& clock, io::shared_cache& shared);
    ~metadata();

    // discover answers the server behind `issuer`: fresh from memory, else fetched; stale up to a
    // day while the provider is down. Parallel callers may fetch in parallel. Throws as
    // discovery_response and http::client::send do, as error(configuration).
    task<std::shared_ptr<const server>> discover(http::sender http, std::string issuer,
                                                 std::string well_known, std::string placeholder);

    // verify checks the signature of an ID token against the issuer's key set: fetched when unknown
    // or old, again for an unknown kid at most once in 30 s per issuer over all workers. Throws
    // error(callback_route_error) when it cannot be checked or is wrong.
    task<void> verify(http::sender http, std::shared_ptr<const server> as, jose::jws token,
                      crypto::sig alg);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace authjs::oauth
