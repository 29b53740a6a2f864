// handle: Auth.js as a function from a request to a response.
#pragma once

#include <functional>
#include <memory>

#include "auth/config.hpp"
#include "auth/message.hpp"
#include "email/letter.hpp"
#include "io/ports.hpp"
#include "oauth/oauth.hpp"
#include "util/task.hpp"

namespace authjs::oauth {
class metadata;  // discovery documents and key sets of this worker (metadata.hpp)
}

namespace authjs::auth {

// What one flow may use of the world. All of it outlives the flow but `internal`, which answers
// error(unavailable) once its nginx request is gone.
struct ports {
    io::clock& clock;
    io::random& random;
    io::log& log;
    http::client& http;
    io::event_loop& loop;
    io::offload& pool;
    io::internal_call& internal;
    io::shared_cache& shared;
    oauth::metadata& metadata;
    email::mailer& mail;  // SMTP
    // commit is the point of no return: from here on the flow finishes even if the client leaves.
    // Called before the first write or spent code; may be called again.
    std::function<void()> commit;
};

// handle answers every request under the base path; it never throws (the one place where a failure
// becomes an answer). The configuration outlives it; the request is its own copy. A flow has 30 s
// over all its hops.
task<response> handle(request rq, const config& cf, ports io);

// untrusted_level is how a request to a name that is not the site's is logged: a mistake of the
// operator's as often as a stranger's doing, so once a minute as an error, else as information.
io::level untrusted_level(io::shared_cache& shared);

}  // namespace authjs::auth
