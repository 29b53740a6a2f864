// The question asked on every request, and what follows from its answer (directives.md "Protecting
// locations").
#pragma once

#include "auth/csrf.hpp"
#include "auth/gate.hpp"
#include "nginx/conf.hpp"

namespace authjs::nginx {

// Access phase: main requests. Precontent phase: sub-requests, which skip the access phase, and
// what must happen even where `satisfy any` let an address in before us.
ngx_int_t access_handler(ngx_http_request_t* r);
ngx_int_t precontent_handler(ngx_http_request_t* r);
// Content handler of auth_js_verify.
ngx_int_t verify_handler(ngx_http_request_t* r);

// What is kept of a request's session on its main request, over internal redirects.
struct session_state {
    const auth::config* by = nullptr;  // the configuration that judged last
    auth::verdict verdict;
    auth::status shown = auth::status::none;   // $auth_js_status
    bool accepted = false;                     // by a protected location: it may be renewed
    bool refused = false;                      // the answer under way is a refusal of ours
    bool answered = false;                     // the header filter has been here
    bool cut = false;                          // `lines` hold what the client sent
    std::vector<std::string_view> lines;       // Cookie lines before any was cut
    const void* stripped_by = nullptr;         // the location whose headers rules were applied
    std::optional<auth::csrf_settled> csrf;    // once $auth_js_csrf_token was asked for
    std::vector<ngx_http_request_t*> waiting;  // main or sub-requests whose question is under way
};
session_state* find_state(ngx_http_request_t* r) noexcept;
session_state& state_of(ngx_http_request_t* r);

// judge asks the gate, once per configuration and request. A database session that the worker does
// not remember is left open (verdict.ask_store): ask_store() of question.hpp settles it.
const auth::verdict& judge(ngx_http_request_t* r, const loc_conf& level, session_state& st);

// A refusal under `satisfy any`: only the header filter can give it its form, and it is none if
// somebody else lets the request in.
struct deferred {
    bool refused = false;
    ngx_uint_t status = 0;  // what nginx's 401 becomes: 302 or 400; 0: it stays
    ngx_str_t location = ngx_null_string;
};

// sign_in_url is where a visitor without a session is sent: the sign-in page with the URL to return
// to. Empty without a trusted origin.
std::string sign_in_url(ngx_http_request_t* r, const loc_conf& level, bool with_default_provider);
std::string sign_out_url(ngx_http_request_t* r, const loc_conf& level);

// headers_out.
bool add_header(ngx_http_request_t* r, std::string_view name, std::string_view value);
void refuse_caching(ngx_http_request_t* r);

}  // namespace authjs::nginx
