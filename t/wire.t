# Requests as an attacker writes them: framing, upgrades, early data, NULs, markup in every field.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: an upgrade on our routes is a plain request [sec 20]
--- config
location /auth/ { auth_js_handler; }
--- request eval
["GET /auth/signin", "GET /auth/csrf", "GET /auth/callback/forge"]
--- more_headers eval
["Connection: close, Upgrade, HTTP2-Settings\nUpgrade: h2c\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA", "Upgrade: websocket\nConnection: close, upgrade\nSec-WebSocket-Key: x", "Upgrade: websocket"]
--- error_code eval
[200, 200, 302]

=== TEST 2: what may not be replayed is not answered in early data [sec 21]
--- config
location /auth/ { auth_js_handler; }
--- request eval
["GET /auth/callback/forge?code=a&state=b", "POST /auth/signout\na=b", "POST /auth/signin/forge\na=b", "GET /auth/session", "GET /auth/signin", "GET /auth/signin/forge"]
--- more_headers eval
[("Early-Data: 1") x 6]
--- error_code eval
[425, 425, 425, 200, 200, 425]

=== TEST 3: Content-Length and Transfer-Encoding, two lengths: one reading or 400, and nothing left over [sec 121]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- raw_request eval
"POST /auth/signout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
--- error_code: 400
--- no_error_log
GET /smuggled

=== TEST 4: two Content-Lengths [sec 121]
--- config
location /auth/ { auth_js_handler; }
--- raw_request eval
"POST /auth/signout HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nContent-Length: 40\r\n\r\na=bcGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
--- error_code: 400
--- no_error_log
GET /smuggled

=== TEST 5: chunks with extensions are one body, and the next request is the next [sec 121]
--- config
location /auth/ { auth_js_handler; add_header X-Error "[$auth_js_error]" always; }
--- raw_request eval
"POST /auth/signout HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n"
. "3;ext=\"GET /smuggled HTTP/1.1\"\r\na=b\r\n0\r\n\r\nGET /auth/csrf HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
--- error_code: 302
--- response_headers
X-Error: [MissingCSRF]
--- no_error_log
http uri: "/smuggled

=== TEST 6: NULs, raw and written, overlong UTF-8, %u: refused or literal [sec 124]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request eval
["GET /m/%00", "GET /m/a?x=%00", "GET /m/%c0%af..%c0%afx", "GET /auth/signin?callbackUrl=http%3A%2F%2Flocalhost%00.evil.tld%2F", "GET /auth/signin?callbackUrl=%u002f%u002fevil.tld", "GET /auth/signin?callbackUrl=%2F%c0%af%2Fevil"]
--- error_code eval
[400, 401, 401, 500, 500, 200]
--- raw_response_headers_unlike eval
[("callback-url=[^;]*evil\\.tld%2F") x 6]

=== TEST 7: a raw NUL in a cookie [sec 124]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- raw_request eval
"GET /m/ HTTP/1.1\r\nHost: localhost\r\nCookie: a=b\0; c=d\r\nConnection: close\r\n\r\n"
--- error_code: 400

=== TEST 8: a written NUL in a session cookie is no end of it [sec 124]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request eval
["GET /m/", "GET /m/"]
--- more_headers eval
[session() . '%00', session() . '%00; k=v']
--- error_code eval
[401, 401]

=== TEST 9: a monitor's name opens nothing [sec 34]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request eval
["GET /m/", "GET /m/", "GET /m/"]
--- more_headers eval
["User-Agent: kube-probe/1.27", "User-Agent: ELB-HealthChecker/2.0", "X-Original-URL: /health\nX-Rewrite-URL: /health\nX-Forwarded-Uri: /health"]
--- error_code eval
[401, 401, 401]

=== TEST 10: markup in parameters comes out as text, under a strict policy [sec 114]
--- config
location /auth/ { auth_js_handler; }
--- request eval
['GET /auth/error?error=%3Cscript%3Ealert(1)%3C/script%3E', 'GET /auth/signin?error=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E', 'GET /auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2F%22%3E%3Cscript%3E', 'GET /auth/verify-request?provider=%3Cscript%3E']
--- error_code_like eval
[("200|403|500") x 4]
--- response_body_unlike eval
[("<script|<img src=x") x 4]
--- response_headers_like eval
[("Content-Security-Policy: default-src 'none'.*frame-ancestors 'none'.*
Referrer-Policy: .+
X-Content-Type-Options: nosniff
X-Frame-Options: DENY") x 4]

=== TEST 11: an error page names no version, no path and no reason in cryptography [sec 118]
--- config
location /auth/ { auth_js_handler; }
--- request eval
["GET /auth/error?error=Configuration", "GET /auth/error?error=Verification", "GET /auth/signin?error=CredentialsSignin"]
--- error_code_like eval
[("200|403|500") x 3]
--- response_body_unlike eval
[("nginx|OpenSSL|\\.cpp|/usr/|/etc/|signature|decrypt|does not exist|no such user") x 3]

=== TEST 12: a cookie line of 8 KiB, a thousand cookies: bounded and decided [sec 71] [sec 28]
--- config
location /auth/ { auth_js_handler; }
large_client_header_buffers 4 32k;
location /m/ { auth_js on; }
--- user_files
>>> m/a
member
--- request eval
["GET /m/a", "GET /m/a", "GET /m/a"]
--- more_headers eval
["Cookie: " . CORE::join('; ', map { "c$_=" . 'x' x 10 } 1 .. 1000) . '; ' . substr(session(), 8),
 "Cookie: " . CORE::join('; ', map { "authjs.session-token.$_=x" } 0 .. 200),
 "Cookie: authjs.session-token=" . 'A' x 30000]
--- error_code eval
[200, 401, 401]

=== TEST 14: what stands in a route's own location holds for every path that Auth.js takes for the route
--- http_config
merge_slashes off;
--- config
location /auth/ { auth_js_handler; }
location = /auth/csrf { auth_js_handler; deny all; }
location = /auth/callback/forge { auth_js_handler; deny all; }
--- request eval
["GET /auth/csrf/", "GET /auth//csrf", "GET /auth/csrf///?a=b", "POST /auth/callback//forge/\na=b", "GET http://localhost/auth/csrf/", "GET /auth/csrf;/", "GET /auth/x/../csrf", "GET /auth/x/../csrf/", 'GET /auth/\csrf', 'GET /auth/x\..\csrf', 'POST /auth/callback\forge', 'GET /auth/x/%2e%2e\csrf/%2e', "GET /auth/signin/", "GET /auth//session/"]
--- error_code eval
[403, 403, 403, 403, 403, 400, 403, 403, 403, 403, 403, 403, 200, 200]
