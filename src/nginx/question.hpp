// A database session that has to be asked for while a request waits in a phase, or in
// auth_js_verify.
#pragma once

#include "nginx/access.hpp"

namespace authjs::nginx {

// ask_store asks who the session in the request's cookie belongs to. True: st.verdict is settled,
// nothing waits. False: the request has to wait (NGX_AGAIN or NGX_DONE); once the verdict is there
// `then(r)` is called from the loop, unless the request has gone. A request that is waiting already
// gets false again.
bool ask_store(ngx_http_request_t* r, const loc_conf& level, session_state& st,
               void (*then)(ngx_http_request_t* r));

// run_phases is the `then` of a phase handler: it is called once more.
void run_phases(ngx_http_request_t* r);

}  // namespace authjs::nginx
