# auth_js_verify: the answer for other proxies.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: yes with the five headers, or 401, or 403; none of it to be cached
--- config
location /auth/ { auth_js_handler; }
location = /verify { auth_js_verify; }
location = /admin { auth_js_verify; auth_js_require $auth_js_claim_admin; }
--- request eval
["GET /verify", "GET /verify", "GET /admin", "POST /verify\nabc"]
--- more_headers eval
["Accept: text/html", session(), session(), session()]
--- error_code eval
[401, 200, 403, 200]
--- response_headers eval
["Cache-Control: private, no-cache, no-store\n! X-Auth-User\n! Location",
 "Cache-Control: private, no-cache, no-store\nX-Auth-User: u1\nX-Auth-Name: Ada\nX-Auth-Email: ada\@example.com\nX-Auth-Image: https://img.example/a.png",
 "! X-Auth-User", "X-Auth-User: u1"]

=== TEST 2: values are UTF-8, controls percent-encoded, over 1 KiB left out, none where none is [sec 29]
--- config
location /auth/ { auth_js_handler; }
location = /verify { auth_js_verify; }
--- request
GET /verify
--- more_headers eval
session('{"sub":"a\u000d\u000aSet-Cookie: x=1\u0000\u007f","name":"Zo\u00eb \ud83d\ude00\u2028","email":"' . 'x' x 1025 . '"}')
--- response_headers eval
"X-Auth-User: a%0D%0ASet-Cookie: x=1%00%7F
X-Auth-Name: Zo\xc3\xab \xf0\x9f\x98\x80\xe2\x80\xa8
! X-Auth-Email
! X-Auth-Image
! Set-Cookie"

=== TEST 3: auth_request and auth_request_set
--- config
location /auth/ { auth_js_handler; }
location = /verify { internal; auth_js_verify; }
location /app/ { auth_request /verify; auth_request_set $who $sent_http_x_auth_user; add_header X-Who $who; }
--- user_files
>>> app/a.txt
app
--- request eval
["GET /app/a.txt", "GET /app/a.txt"]
--- more_headers eval
["X-Auth-User: root", session()]
--- error_code eval
[401, 200]
--- response_headers eval
["! X-Who", "X-Who: u1"]

=== TEST 4: error_page cannot turn its no into a yes [sec 10]
--- config
location /auth/ { auth_js_handler; }
location = /verify { auth_js_verify; error_page 401 =200 /ok.txt; }
error_page 401 =200 /ok.txt;
location /app/ { auth_request /verify; error_page 401 =418 /ok.txt; }
location = /ok.txt { }
--- user_files
>>> ok.txt
ok
>>> app/a.txt
app
--- request eval
["GET /verify", "GET /app/a.txt"]
--- error_code eval
[401, 418]

=== TEST 5: redirect: to the sign-in page, coming back to what a trusted peer names [sec 31]
--- config
auth_js_url https://app.example.com;
location /auth/ { auth_js_handler; }
location = /trusting { auth_js_verify redirect; auth_js_trust_host 127.0.0.0/8; }
location = /wary { auth_js_verify redirect; auth_js_trust_host 10.0.0.0/8; }
--- request eval
[("GET /trusting") x 5, "GET /wary", "GET /wary", "GET /trusting"]
--- more_headers eval
["X-Forwarded-Proto: https\nX-Forwarded-Host: app.example.com\nX-Forwarded-Uri: /a?b=c", "X-Original-URL: https://app.example.com/x", "A: b",
 "X-Forwarded-Uri: javascript:alert(1)", "X-Original-URL: https://u:p\@evil.example/",
 "X-Forwarded-Host: evil.example\nX-Forwarded-Uri: /a", "X-Original-URL: https://evil.example/", session(undef, name => '__Secure-authjs.session-token')]
--- error_code eval
[(302) x 7, 200]
--- response_headers eval
["Location: https://app.example.com/auth/signin?callbackUrl=https%3A%2F%2Fapp.example.com%2Fa%3Fb%3Dc",
 "Location: https://app.example.com/auth/signin?callbackUrl=https%3A%2F%2Fapp.example.com%2Fx",
 ("Location: https://app.example.com/auth/signin?callbackUrl=https%3A%2F%2Fapp.example.com%2F") x 5, "! Location"]

=== TEST 6: redirect in a sub-request stays 401
--- config
location /auth/ { auth_js_handler; }
location = /verify { internal; auth_js_verify redirect; }
location /app/ { auth_request /verify; }
--- user_files
>>> app/a.txt
app
--- request
GET /app/a.txt
--- more_headers
Accept: text/html
--- error_code: 401

=== TEST 7: redirect without a trusted origin is 400, at once [sec 32]
--- config
location /auth/ { auth_js_handler; }
location = /verify { auth_js_verify redirect; }
--- request
GET /verify
--- more_headers
Host: evil.example
--- error_code: 400
--- response_headers
! Location
--- error_log eval
qr/\[error\].*auth_js: UntrustedHost: no origin to come back to after sign-in host=evil.example: add it to server_name/
