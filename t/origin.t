# The origin of the site: auth_js_url, auth_js_trust_host, server_name, and what no Host can do.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: only the server's own names count, with the listening port or none [sec 32]
--- config
server_name app.test *.wild.test www.x.*;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request eval
[("GET /m/") x 11]
--- more_headers eval
[map { "Accept: text/html\nHost: $_" } "app.test", "APP.test", "app.test.", "a.wild.test", "www.x.org", "app.test:$ENV{TEST_NGINX_SERVER_PORT}",
 "app.test:8", "evil.tld", "app.test:80\@evil.tld", "wild.test", "app.test:00080"]
--- error_code eval
[302, 302, 302, 302, 302, 302, 400, 400, 400, 400, 400]
--- response_headers_like eval
["Location: http://app\\.test/auth/signin.*", "Location: http://app\\.test/auth/signin.*", "Location: http://app\\.test/auth/signin.*", "Location: http://a\\.wild\\.test/auth.*",
 "Location: http://www\\.x\\.org/auth.*", "Location: http://app\\.test:\\d+/auth/signin\\?callbackUrl=http%3A%2F%2Fapp\\.test%3A\\d+%2Fm%2F", ("") x 5]

=== TEST 2: a session is judged whatever the host; a program gets 401, a navigation 400
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
location /any/ { satisfy any; deny all; auth_js on; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt", "GET /any/", "GET /any/"]
--- more_headers eval
[map { "Host: evil.tld\n$_" } session(), "A: b", "Accept: text/html", "Accept: text/html", "A: b"]
--- error_code eval
[200, 401, 400, 400, 401]
--- response_headers eval
[("! Location") x 5]

=== TEST 3: the handler answers an untrusted host with an error, and sets no cookie [sec 32]
--- config
location /auth/ { auth_js_handler; }
--- request eval
["GET /auth/session", "GET /auth/signin", "POST /auth/signin/forge\na=b"]
--- more_headers eval
[("Host: evil.tld") x 3]
--- error_code eval
[500, 500, 500]
--- raw_response_headers_unlike eval
[("Set-Cookie|Location|evil") x 3]
--- error_log eval
qr/\[(error|info)\].*auth_js: UntrustedHost: this host is not the site's host=evil.tld: add it to server_name/

=== TEST 4: forwarded headers count from trusted peers only [sec 31]
--- config
location /auth/ { auth_js_handler; }
location /no/ { auth_js on; }
location /other/ { auth_js on; auth_js_trust_host 10.0.0.0/8; }
location /all/ { auth_js on; auth_js_trust_host on; }
location /net/ { auth_js on; auth_js_trust_host 127.0.0.0/8; }
--- request eval
["GET /no/", "GET /other/", "GET /all/", "GET /net/", "GET /all/", "GET /net/", "GET /net/", "GET /net/"]
--- more_headers eval
[map { "Accept: text/html\n$_" } ("X-Forwarded-Proto: https\nX-Forwarded-Host: pub.example") x 4, "Host: any.example", "X-Forwarded-Host: a.example, b.example",
 "X-Forwarded-Host: a.example\nX-Forwarded-Host: b.example", "X-Forwarded-Host: a.example/x"]
--- error_code eval
[302, 302, 302, 302, 302, 400, 400, 400]
--- response_headers_like eval
["Location: http://localhost/auth.*", "Location: http://localhost/auth.*", "Location: https://pub\\.example/auth.*callbackUrl=https%3A%2F%2Fpub.example%2Fall%2F", "Location: https://pub\\.example/auth.*",
 "Location: http://any\\.example/auth.*", "", "", ""]

=== TEST 5: what realip or a forwarded-for says does not make a peer trusted [sec 33]
--- config
set_real_ip_from 127.0.0.1;
real_ip_header X-Forwarded-For;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_trust_host 10.0.0.0/8; }
location /n/ { auth_js on; auth_js_trust_host 127.0.0.1; }
--- request eval
["GET /m/", "GET /n/"]
--- more_headers eval
[("Accept: text/html\nX-Forwarded-For: 10.0.0.1\nX-Forwarded-Host: pub.example") x 2]
--- response_headers_like eval
["Location: http://localhost/auth.*", "Location: http://pub\\.example/auth.*"]
--- error_code eval
[302, 302]

=== TEST 6: auth_js_url decides alone; its path is the base path, its scheme names the cookie
--- config
auth_js_url https://www.example.com/api/auth;
location /api/auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
["Accept: text/html\nHost: evil.tld", session(), session(undef, name => '__Secure-authjs.session-token')]
--- error_code eval
[302, 401, 200]
--- response_headers eval
["Location: https://www.example.com/api/auth/signin?callbackUrl=https%3A%2F%2Fwww.example.com%2Fm%2Fa.txt", "! Location", "! Location"]

=== TEST 7: absolute request line, two hosts, HTTP/1.0 without one [sec 4] [sec 19]
--- config
server_name app.test;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- raw_request eval
["GET http://app.test/m/ HTTP/1.1\r\nHost: evil.tld\r\nAccept: text/html\r\nConnection: close\r\n\r\n"]
--- error_code: 302
--- response_headers
Location: http://app.test/auth/signin?callbackUrl=http%3A%2F%2Fapp.test%2Fm%2F

=== TEST 8: two Host headers are nginx's 400 [sec 19]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- raw_request eval
["GET /m/ HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n"]
--- error_code: 400

=== TEST 9: HTTP/1.0 without a Host: 401 for a program, 400 for a navigation [sec 19]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- raw_request eval
["GET /m/ HTTP/1.0\r\nAccept: text/html\r\n\r\n"]
--- error_code: 400

=== TEST 10: allowed_origins: where one may come back to
--- config
auth_js_allowed_origins https://*.example.com http://other.test;
location /auth/ { auth_js_handler; add_header X-Cookie $http_cookie; }
--- request eval
["GET /auth/signin?callbackUrl=https%3A%2F%2Fa.example.com%2Fx", "GET /auth/signin?callbackUrl=https%3A%2F%2Fexample.org%2F",
 "GET /auth/signin?callbackUrl=http%3A%2F%2Fa.example.com%2F", "GET /auth/signin?callbackUrl=https%3A%2F%2Fa.example.com.evil.tld%2F", "GET /auth/signin?callbackUrl=http%3A%2F%2Fother.test%2Fy"]
--- raw_response_headers_like eval
["callback-url=https%3A%2F%2Fa\\.example\\.com%2Fx;", ("callback-url=http%3A%2F%2Flocalhost;") x 3, "callback-url=http%3A%2F%2Fother\\.test%2Fy;"]

=== TEST 11: a poisoned host with a regular expression name: what does not match is not trusted
--- config
server_name "~^(?<sub>[a-z]+)\.re\.test$";
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- request eval
["GET /m/", "GET /m/"]
--- more_headers eval
["Accept: text/html\nHost: abc.re.test", "Accept: text/html\nHost: a1.re.test"]
--- error_code eval
[302, 400]
