# auth_js, auth_js_unauthorized, auth_js_require, auth_js_default_provider: who is let in, and what a
# refusal looks like.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: on: no session, a program: 401, not to be cached
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request
GET /m/a.txt
--- error_code: 401
--- response_headers
Cache-Control: private, no-cache, no-store
! Location
! Set-Cookie
--- response_body_unlike: member

=== TEST 2: on: no session, a navigation: to the sign-in page, coming back here
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request
GET /m/a.txt?x=1&y=%2F
--- more_headers
Accept: text/html,application/xhtml+xml,*/*;q=0.8
--- error_code: 302
--- response_headers
Location: http://localhost/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2Fm%2Fa.txt%3Fx%3D1%26y%3D%252F
Cache-Control: private, no-cache, no-store
Content-Length: 0
! Content-Type
--- response_body

=== TEST 3: on: a valid session goes on; the answer is private
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request
GET /m/a.txt
--- more_headers eval
session()
--- response_headers
Cache-Control: private
! Set-Cookie
--- response_body
member

=== TEST 4: a Cache-Control of the location's own stays [sec 23]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; add_header Cache-Control "max-age=5"; }
--- user_files
>>> m/a.txt
member
--- request
GET /m/a.txt
--- more_headers eval
session()
--- response_headers
Cache-Control: max-age=5

=== TEST 5: forged, expired, of another secret, empty, and under another name: none is a session [sec 67]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; add_header X-Status $auth_js_status always; }
--- request eval
[("GET /m/a.txt") x 5]
--- more_headers eval
[tampered(session()), session(undef, age => 60, moved => 200), session(undef, secret => 'x' x 32),
 "Cookie: authjs.session-token=", session(undef, name => '__Secure-authjs.session-token')]
--- error_code eval
[401, 401, 401, 401, 401]
--- response_headers eval
["X-Status: bad_token", "X-Status: expired", "X-Status: bad_token", "X-Status: none", "X-Status: none"]

=== TEST 6: a cookie that does not open is removed, with its chunks
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request
GET /m/a.txt
--- more_headers
Cookie: a=b; authjs.session-token.0=xx; authjs.session-token.1=yy
--- error_code: 401
--- raw_response_headers_like: (?s)Set-Cookie: authjs\.session-token\.0=; .*Max-Age=0.*Set-Cookie: authjs\.session-token\.1=; .*Max-Age=0
--- error_log eval
qr/\[info\].*auth_js: JWTSessionError: session cookie does not open$/m

=== TEST 7: two different values of one name: signed out and removed [sec 71]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request
GET /m/a.txt
--- more_headers eval
session() . '; authjs.session-token=other'
--- error_code: 401
--- raw_response_headers_like: Set-Cookie: authjs\.session-token=; .*Max-Age=0
--- error_log eval
qr/\[warn\].*auth_js: SessionTokenError: two different session cookies, or too many pieces: removed$/m

=== TEST 8: what counts as a navigation
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request eval
["GET /m/", "HEAD /m/", "POST /m/\na=b", "PUT /m/\nx", "DELETE /m/", "OPTIONS /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/",
 "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/", "GET /m/"]
--- more_headers eval
[("Accept: text/html") x 6,
 "Accept: */*", "Accept: application/xhtml+xml", "Accept: text/html;q=0, */*", "Accept: text/html;level=1;q=0.1",
 "Accept: TEXT/HTML; q=0.000", "Accept: text/htmlx",
 "Accept: text/html\nX-Requested-With: XMLHttpRequest", "Accept: text/html\nX-Requested-With: other",
 "Accept: text/html\nHX-Request: true", "Accept: text/html\nUpgrade: websocket",
 "Accept: text/html\nSec-Fetch-Mode: cors", "Accept: text/html\nSec-Fetch-Mode: navigate",
 "Accept: text/html\nSec-Purpose: prefetch;prerender", "Accept: text/html\nSec-Purpose: Prefetch", "X: y"]
--- error_code eval
[302, 302, 401, 401, 401, 401, 401, 302, 401, 302, 401, 401, 401, 302, 401, 401, 401, 302, 401, 401, 401]

=== TEST 9: redirect and 401 force one of them
--- config
location /auth/ { auth_js_handler; }
location /r/ { auth_js on; auth_js_unauthorized redirect; }
location /p/ { auth_js on; auth_js_unauthorized 401; }
--- request eval
["POST /r/\nx", "GET /r/", "GET /p/"]
--- more_headers eval
["A: b", "Accept: */*", "Accept: text/html"]
--- error_code eval
[302, 302, 401]

=== TEST 10: error_page 401 shows its page, with the status or another
--- config
location /auth/ { auth_js_handler; }
location /a/ { auth_js on; error_page 401 /login.html; }
location /b/ { auth_js on; error_page 401 =200 /login.html; }
location /c/ { auth_js on; error_page 401 = @named; }
location @named { return 418 "named"; }
--- user_files
>>> login.html
sign in here
--- request eval
["GET /a/", "GET /b/", "GET /c/"]
--- error_code eval
[401, 200, 418]
--- response_body_like eval
["sign in here", "sign in here", "named"]
--- response_headers eval
[("Cache-Control: private, no-cache, no-store") x 3]

=== TEST 11: optional never refuses and never grants
--- config
location /auth/ { auth_js_handler; }
location /o/ { auth_js optional; add_header X-Name "[$auth_js_name]"; }
location /any/ { satisfy any; deny all; auth_js optional; }
--- user_files
>>> o/a.txt
open
>>> any/a.txt
open
--- request eval
["GET /o/a.txt", "GET /o/a.txt", "GET /o/a.txt", "GET /any/a.txt", "GET /any/a.txt"]
--- more_headers eval
["A: b", session(), tampered(session()), "A: b", session()]
--- error_code eval
[200, 200, 200, 403, 403]
--- response_headers eval
["X-Name: []", "X-Name: [Ada]", "X-Name: []", "! X-Name", "! X-Name"]

=== TEST 12: satisfy any with addresses: an allowed one gets in without a redirect, a refused one is sent to sign in [sec 16]
--- config
location /auth/ { auth_js_handler; }
location /in/ { satisfy any; allow 127.0.0.1; deny all; auth_js on; }
location /out/ { satisfy any; deny all; auth_js on; }
--- user_files
>>> in/a.txt
in
>>> out/a.txt
out
--- request eval
["GET /in/a.txt", "GET /out/a.txt", "GET /out/a.txt", "GET /out/a.txt"]
--- more_headers eval
["Accept: text/html", "Accept: text/html", "A: b", session()]
--- error_code eval
[200, 302, 401, 200]
--- response_headers eval
["Cache-Control: private\n! Location", "Location: http://localhost/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2Fout%2Fa.txt
Content-Length: 0", "! Location", "! Location"]

=== TEST 13: satisfy all: deny is asked first, and ends it [sec 17]
--- config
location /auth/ { auth_js_handler; }
location /m/ { deny all; auth_js on; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
["Accept: text/html", session()]
--- error_code eval
[403, 403]

=== TEST 14: with auth_basic: all wants both, any wants one; a redirect names no realm [sec 17]
--- config
location /auth/ { auth_js_handler; }
location /all/ { auth_js on; auth_basic realm; auth_basic_user_file ../html/passwd; }
location /any/ { satisfy any; auth_js on; auth_basic realm; auth_basic_user_file ../html/passwd; }
--- user_files
>>> passwd
user:{PLAIN}pass
>>> all/a.txt
all
>>> any/a.txt
any
--- request eval
["GET /all/a.txt", "GET /all/a.txt", "GET /all/a.txt", "GET /any/a.txt", "GET /any/a.txt", "GET /any/a.txt", "GET /any/a.txt"]
--- more_headers eval
["Authorization: Basic dXNlcjpwYXNz", session(), session() . "\nAuthorization: Basic dXNlcjpwYXNz",
 "Authorization: Basic dXNlcjpwYXNz", session(), "Accept: text/html", "A: b"]
--- error_code eval
[401, 401, 200, 200, 200, 302, 401]
--- response_headers eval
["! WWW-Authenticate", "WWW-Authenticate: Basic realm=\"realm\"", "! WWW-Authenticate", "Cache-Control: private",
 "Cache-Control: private", "! WWW-Authenticate", "WWW-Authenticate: Basic realm=\"realm\""]

=== TEST 15: require: allowed only if every value is there and not 0
--- http_config
map $auth_js_email $staff { volatile; ~@example\.com$ 1; default 0; }
--- config
location /auth/ { auth_js_handler; }
location /s/ { auth_js on; auth_js_require $staff $auth_js_claim_admin; }
location /u/ { auth_js on; auth_js_require $auth_js_claim_admin error=401; }
--- user_files
>>> s/a.txt
staff
--- request eval
[("GET /s/a.txt") x 6, "GET /u/a.txt"]
--- more_headers eval
["Accept: text/html", session('{"sub":"1","email":"a@example.com"}'), session('{"sub":"1","email":"a@example.com","admin":0}'),
 session('{"sub":"1","email":"a@other.com","admin":true}'), session('{"sub":"1","email":"a@example.com","admin":true}'),
 session('{"sub":"1","email":"a@example.com","admin":""}'), session('{"sub":"1"}') . "\nAccept: text/html"]
--- error_code eval
[302, 403, 403, 403, 200, 403, 401]

=== TEST 16: who is signed in and not allowed is never redirected, even by force; the status says forbidden
--- config
location /auth/ { auth_js_handler; }
location /s/ { auth_js on; auth_js_unauthorized redirect; auth_js_require $auth_js_claim_admin; add_header X-Status $auth_js_status always; }
--- request
GET /s/a.txt
--- more_headers eval
session() . "\nAccept: text/html"
--- error_code: 403
--- response_headers
! Location
X-Status: forbidden
Cache-Control: private, no-cache, no-store

=== TEST 17: default_provider skips the chooser, with a sealed go
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_default_provider forge; }
location /f/ { auth_js on; auth_js_default_provider forge; auth_js_unauthorized redirect; }
--- request eval
["GET /m/", "GET /m/", "POST /f/\nx"]
--- more_headers eval
["Accept: text/html", "Accept: */*", "A: b"]
--- error_code eval
[302, 401, 302]
--- response_headers_like eval
["Location: http://localhost/auth/signin/forge\\?callbackUrl=http%3A%2F%2Flocalhost%2Fm%2F&go=[A-Za-z0-9_.-]+", "",
 "Location: http://localhost/auth/signin\\?callbackUrl=http%3A%2F%2Flocalhost%2Ff%2F"]

=== TEST 18: never refused whatever is inherited: handler, verify, own pages
--- config
auth_js on;
auth_js_page sign_in /login;
auth_js_page error /oops?x=1;
location /auth/ { auth_js_handler; }
location = /verify { auth_js_verify; }
location /login { return 418; }
location /oops { try_files /oops.txt =404; }
--- user_files
>>> oops.txt
oops
--- request eval
["GET /auth/session", "GET /verify", "GET /oops", "GET /oopsx", "GET /"]
--- more_headers eval
[("Accept: text/html") x 5]
--- error_code eval
[200, 401, 200, 302, 302]
--- response_headers eval
["! Location", "! Location", "! Location", "Location: http://localhost/login?callbackUrl=http%3A%2F%2Flocalhost%2Foopsx",
 "Location: http://localhost/login?callbackUrl=http%3A%2F%2Flocalhost%2F"]

=== TEST 19: off inside on, nested, regex over prefix, ^~: exactly the configured one [sec 18]
--- config
auth_js on;
location /auth/ { auth_js_handler; }
location /m/ {
    location /m/open/ { auth_js off; }
    location ~ \.css$ { auth_js off; }
    location ^~ /m/strict/ { }
}
location /open/ { auth_js off; location ~ \.key$ { auth_js on; } }
--- user_files
>>> m/open/a.txt
x
>>> m/a.css
x
>>> m/strict/a.css
x
>>> open/a.txt
x
>>> open/a.key
x
--- request eval
["GET /m/open/a.txt", "GET /m/a.css", "GET /m/strict/a.css", "GET /open/a.txt", "GET /open/a.key", "GET /m/a.txt"]
--- error_code eval
[200, 200, 401, 200, 401, 401]

=== TEST 20: if and limit_except inherit the protection, the exception too [sec 7]
--- config
location /auth/ { auth_js_handler; }
location /if/ { auth_js on; if ($arg_x) { add_header X-If 1; } }
location /le/ { auth_js on; limit_except GET { } }
location /off/ { auth_js off; if ($arg_x) { add_header X-If 1; } limit_except GET { } }
--- user_files
>>> if/a.txt
x
>>> le/a.txt
x
>>> off/a.txt
x
--- request eval
["GET /if/a.txt?x=1", "GET /if/a.txt?x=1", "POST /le/a.txt\nx", "POST /le/a.txt\nx", "GET /le/a.txt", "GET /off/a.txt?x=1", "POST /off/a.txt\nx"]
--- more_headers eval
["A: b", session(), "A: b", session(), "A: b", "A: b", "A: b"]
--- error_code eval
[401, 200, 401, 405, 401, 200, 405]

=== TEST 21: the same path in other spellings: one decision, that of the location that is served [sec 1] [sec 2] [sec 3]
--- config
auth_js off;
location /auth/ { auth_js_handler; }
location /admin { auth_js on; }
location /public { }
location ~ ^/health$ { }
--- user_files
>>> admin/x
secret
>>> public/x
public
>>> health
well
--- request eval
["GET //admin/x", "GET /./admin/x", "GET /a/../admin/x", "GET /%61dmin/x", "GET /public/..%2fadmin/x", "GET /public/%2e%2e/admin/x",
 "GET /admin/x?/health", "GET /health?/admin", "GET /public/../admin/x", "GET /admin%2f..%2fadmin/x", "GET /public/x", "GET /admin%23/health"]
--- error_code eval
[401, 401, 401, 401, 401, 401, 401, 200, 401, 401, 200, 401]

=== TEST 22: the same with merge_slashes off
--- http_config
merge_slashes off;
--- config
location /auth/ { auth_js_handler; }
location /admin { auth_js on; }
--- user_files
>>> admin/x
secret
--- request eval
["GET //admin/x", "GET /./admin/x", "GET /%61dmin//x"]
--- error_code eval
[200, 401, 401]

=== TEST 23: methods that nginx does not know, WebDAV's, TRACE: refused like GET [sec 14] [sec 15]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /up/ { return 200 "reached\n"; }
--- request eval
["PROPFIND /m/", "MOVE /m/", "COPY /m/", "FROBNICATE /m/", "OPTIONS /m/", "PATCH /m/\nx", "FROBNICATE /m/"]
--- more_headers eval
["A: b", "Destination: http://localhost/m/b", "Destination: http://localhost/m/b", "A: b",
 "Access-Control-Request-Method: GET\nOrigin: https://evil.example", "A: b", session()]
--- error_code eval
[401, 401, 401, 401, 401, 401, 200]

=== TEST 24: after sign-out no 304 and no 206 of a protected file [sec 22]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt 201001011000.00
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
["If-Modified-Since: Fri, 01 Jan 2010 10:00:00 GMT", "Range: bytes=0-1", "If-None-Match: *",
 session() . "\nIf-Modified-Since: Fri, 01 Jan 2010 10:00:00 GMT"]
--- error_code eval
[401, 401, 401, 304]

=== TEST 25: a pipelined connection: each request is judged by its own cookie [sec 123]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; add_header X-Name $auth_js_name; }
--- user_files
>>> m/a.txt
member
--- pipelined_requests eval
["GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
[session(), "A: b", session('{"sub":"2","name":"Bob"}')]
--- error_code eval
[200, 401, 200]
--- response_headers eval
["X-Name: Ada", "! X-Name", "X-Name: Bob"]

=== TEST 26: the body of a refused POST is no second request [sec 121]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- raw_request eval
"POST /m/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 35\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\nxx"
. "GET /m/b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
--- ignore_response
--- no_error_log
/nowhere

=== TEST 27: a redirect into a protected location by error_page: refused there, and the redirect keeps its status [sec 9]
--- config
location /auth/ { auth_js_handler; }
location /missing/ { error_page 404 /m/a.txt; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /missing/x", "GET /missing/x", "GET /missing/x"]
--- more_headers eval
["A: b", "Accept: text/html", session()]
--- error_code eval
[401, 302, 404]
--- response_body_like eval
["401", "^\$", "member"]

=== TEST 28: never refused: a page given as a URL of the site's own origin, and of no other
--- config
auth_js on;
auth_js_url http://localhost;
auth_js_page sign_in http://LOCALHOST:80/login?x=1;
auth_js_page error https://localhost/oops;
auth_js_page sign_out http://localhost;
location /auth/ { auth_js_handler; }
location /login { try_files /login.txt =404; }
location = / { try_files /login.txt =404; }
--- user_files
>>> login.txt
login
--- request eval
["GET /login", "GET /", "GET /loginx", "GET /oops"]
--- error_code eval
[200, 200, 401, 401]

=== TEST 29: another site's page opens nothing here, whatever a trusted Host says [sec 32]
--- config
auth_js on;
auth_js_trust_host on;
auth_js_page sign_in http://login.example/portal;
auth_js_page error http://login.example;
auth_js_page sign_out http://localhost/out;
location /auth/ { auth_js_handler; }
location = / { try_files /open.txt =404; }
location ~ ^/(portal|out) { try_files /open.txt =404; }
--- user_files
>>> open.txt
member
--- request eval
["GET /portal", "GET /", "GET /portal", "GET /out", "GET /out"]
--- more_headers eval
[("X-Forwarded-Host: login.example") x 2, "A: b", "A: b", "X-Forwarded-Host: login.example"]
--- error_code eval
[401, 401, 401, 200, 401]
