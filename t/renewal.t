# Renewal by the gate, and what goes with it: Set-Cookie, Cache-Control, caches.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: due after update_age: a new cookie, private
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
location /o/ { auth_js optional; }
--- user_files
>>> m/a.txt
member
>>> o/a.txt
open
--- request eval
["GET /m/a.txt", "GET /m/a.txt", "GET /o/a.txt"]
--- more_headers eval
[session(undef, moved => 86000), (session(undef, moved => 87000)) x 2]
--- raw_response_headers_unlike eval
[qr/Set-Cookie/, qr/no-store/, qr/no-store/]
--- response_headers_like eval
["Cache-Control: private", ("Set-Cookie: authjs\\.session-token=[^;]+; Path=/; Expires=[^;]+; HttpOnly; SameSite=Lax
Cache-Control: private") x 2]

=== TEST 2: the times are those of auth_js_session; jwt_max_age counts for the token
--- config
location /auth/ { auth_js_handler; }
location /a/ { auth_js on; auth_js_session max_age=1h update_age=10m; }
location /b/ { auth_js on; auth_js_session update_age=0; }
location /c/ { auth_js on; auth_js_session jwt_max_age=1h update_age=10m; }
location /d/ { auth_js on; auth_js_session update_age=0 renew=off; }
--- user_files
>>> a/a.txt
x
>>> b/a.txt
x
>>> c/a.txt
x
>>> d/a.txt
x
--- request eval
["GET /a/a.txt", "GET /a/a.txt", "GET /b/a.txt", "GET /c/a.txt", "GET /c/a.txt", "GET /d/a.txt"]
--- more_headers eval
[session(undef, age => 3600, moved => 400), session(undef, age => 3600, moved => 700), session(), session(undef, age => 3600, moved => 300),
 session(undef, age => 3600, moved => 900), session()]
--- raw_response_headers_like eval
["200 OK", "Set-Cookie", "Set-Cookie", "200 OK", "Set-Cookie", "200 OK"]
--- raw_response_headers_unlike eval
["Set-Cookie", "no-store", "no-store", "Set-Cookie", "no-store", "Set-Cookie"]

=== TEST 3: chunks: a large session is renewed in chunks, and the cookies that it no longer needs go
--- config
location /auth/ { auth_js_handler; }
large_client_header_buffers 4 16k;
location /m/ { auth_js on; auth_js_session update_age=0; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
my $token = token('{"sub":"1","x":"' . 'y' x 4000 . '"}');
["Cookie: authjs.session-token.0=" . substr($token, 0, 3936) . "; authjs.session-token.1=" . substr($token, 3936),
 "Cookie: authjs.session-token.0=" . token('{"sub":"1"}')]
--- raw_response_headers_like eval
["Set-Cookie: authjs\\.session-token\\.0=[^;]{3936};.*Set-Cookie: authjs\\.session-token\\.1=[^;]+;",
 "Set-Cookie: authjs\\.session-token\\.0=; .*Max-Age=0.*Set-Cookie: authjs\\.session-token=ey"]

=== TEST 4: not where the cookies would not fit nginx's buffer: the old session stays, the log says so
--- config
location /auth/ { auth_js_handler; }
large_client_header_buffers 4 1k;
location /m/ { auth_js on; auth_js_session update_age=0; }
--- user_files
>>> m/a.txt
member
--- request
GET /m/a.txt
--- more_headers eval
my $line = session('{"sub":"1","x":"' . 'y' x 100 . '"}');
$line . '; k=' . 'v' x (1018 - length $line)
--- response_headers
! Set-Cookie
--- error_log eval
qr/auth_js: a session is not renewed: its cookies need a line of \d+ bytes, and large_client_header_buffers allows 1023/

=== TEST 5: not with a 304; once with a 416
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_session update_age=0; }
--- user_files
>>> m/a.txt 201001011000.00
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
[session() . "\nIf-Modified-Since: Fri, 01 Jan 2010 10:00:00 GMT", session() . "\nRange: bytes=100-", session() . "\nRange: bytes=0-1"]
--- error_code eval
[304, 416, 206]
--- raw_response_headers_unlike eval
["Set-Cookie", "Set-Cookie.*Set-Cookie", "Set-Cookie.*Set-Cookie"]
--- raw_response_headers_like eval
["304", "Set-Cookie", "Set-Cookie"]

=== TEST 6: nothing of ours in a cache, and nothing with what a cache delivers [sec 23]
--- http_config
proxy_cache_path cache keys_zone=c:1m;
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_session update_age=0; proxy_cache c; proxy_cache_valid any 1m; add_header X-Cache $upstream_cache_status always;
               proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /up/ { return 200 "up\n"; }
--- request eval
["GET /m/", "GET /m/", "GET /m/", "GET /m/"]
--- more_headers eval
["Accept: text/html", session(), session(), "A: b"]
--- error_code eval
[302, 200, 200, 401]
--- response_headers eval
["! X-Cache", "X-Cache: MISS\nCache-Control: private", "X-Cache: HIT\nCache-Control: private\n! Set-Cookie", "Cache-Control: private, no-cache, no-store"]

=== TEST 7: a public Cache-Control of the upstream does not let a renewed cookie into a shared cache
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_session update_age=0; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /up/ { add_header Cache-Control "public, max-age=60"; return 200 "up\n"; }
--- request
GET /m/
--- more_headers eval
session()
--- raw_response_headers_like: Cache-Control: .*private

=== TEST 8: a token of the second secret is accepted and issued again under the first [sec 70]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_secret fedcba9876543210fedcba9876543210 0123456789abcdef0123456789abcdef; auth_js_session update_age=0; }
location /n/ { auth_js on; auth_js_secret fedcba9876543210fedcba9876543210; }
--- user_files
>>> m/a.txt
member
>>> n/a.txt
member
--- request eval
["GET /m/a.txt", "GET /n/a.txt"]
--- more_headers eval
[session(), session()]
--- error_code eval
[200, 401]
--- raw_response_headers_like eval
["Set-Cookie: authjs\\.session-token=ey", "401"]

=== TEST 9: with auth_js off, and through a page that needs nobody, nothing is renewed
--- config
location /auth/ { auth_js_handler; }
location /off/ { auth_js off; auth_js_session update_age=0; }
location /any/ { satisfy any; allow all; auth_js on; auth_js_session update_age=0; }
--- user_files
>>> off/a.txt
x
>>> any/a.txt
x
--- request eval
["GET /off/a.txt", "GET /any/a.txt"]
--- more_headers eval
[session(), session()]
--- response_headers eval
["! Set-Cookie\n! Cache-Control", "! Set-Cookie"]

=== TEST 10: a 304 and what a cache delivers set the CSRF cookie of a token that they carry, and are private
--- http_config
proxy_cache_path cache keys_zone=c:1m;
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js optional; auth_js_session update_age=0; add_header X-Csrf $auth_js_csrf_token; }
location /c/ { auth_js optional; auth_js_session update_age=0; proxy_cache c; proxy_cache_valid any 1m; add_header X-Csrf $auth_js_csrf_token;
               proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /up/ { return 200 "up\n"; }
--- user_files
>>> m/a.txt 201001011000.00
member
--- request eval
["GET /m/a.txt", "GET /c/", "GET /c/"]
--- more_headers eval
[session() . "\nIf-Modified-Since: Fri, 01 Jan 2010 10:00:00 GMT", "A: b", session()]
--- error_code eval
[304, 200, 200]
--- response_headers eval
[("Cache-Control: private") x 3]
--- raw_response_headers_like eval
[("Set-Cookie: authjs\\.csrf-token=[0-9a-f]{64}%7C") x 3]
--- raw_response_headers_unlike eval
[("session-token") x 3]
