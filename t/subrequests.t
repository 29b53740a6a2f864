# Protected locations that are reached by other ways than a request of their own. nginx skips its
# access phase for sub-requests; the same decision is made in the precontent phase.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: SSI: nothing of a protected part for who is not signed in [sec 13]
--- config
location /auth/ { auth_js_handler; }
location = /page.html { ssi on; ssi_types *; }
location /m/ { auth_js on; }
--- user_files
>>> page.html
[<!--# include virtual="/m/a.txt" -->]
>>> m/a.txt
member
--- request eval
["GET /page.html", "GET /page.html", "GET /page.html"]
--- more_headers eval
["A: b", session(), tampered(session())]
--- response_body eval
["[]\n", "[member\n]\n", "[]\n"]

=== TEST 2: SSI: the upstream of a protected part does not hear of it [sec 13]
--- config
location /auth/ { auth_js_handler; }
location = /page.html { ssi on; ssi_types *; }
location /m/ { auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /up/ { access_log off; return 200 "upstream"; }
--- user_files
>>> page.html
[<!--# include virtual="/m/a.txt" -->]
--- request
GET /page.html
--- response_body
[]
--- no_error_log
GET /up/

=== TEST 3: an internal page that is protected, asked through SSI by a page of the same person
--- config
location /auth/ { auth_js_handler; }
location = /page.html { auth_js on; ssi on; ssi_types *; }
location /m/ { internal; auth_js on; auth_js_require $auth_js_claim_admin; }
--- user_files
>>> page.html
[<!--# include virtual="/m/a.txt" -->]
>>> m/a.txt
admin
--- request eval
["GET /page.html", "GET /page.html"]
--- more_headers eval
[session(), session('{"sub":"1","admin":1}')]
--- response_body eval
["[]\n", "[admin\n]\n"]

=== TEST 4: mirror: a refused original is not mirrored, a protected mirror is not asked [sec 13]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; mirror /copy; }
location /open/ { mirror /protected; }
location = /copy { internal; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sink/copy; }
location = /protected { internal; auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sink/protected; }
location /sink/ { return 204; }
--- user_files
>>> m/a.txt
x
>>> open/a.txt
x
--- request eval
["GET /m/a.txt", "GET /open/a.txt"]
--- error_code eval
[401, 200]
--- no_error_log
http request line: "GET /sink/

=== TEST 5: mirror: an original with a session is mirrored
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; mirror /copy; }
location /open/ { mirror /protected; }
location = /copy { internal; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sink/copy; }
location = /protected { internal; auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sink/protected; }
location /sink/ { return 204; }
--- user_files
>>> m/a.txt
x
>>> open/a.txt
x
--- request
GET /m/a.txt
--- more_headers eval: session()
--- error_log
http request line: "GET /sink/copy

=== TEST 6: mirror: a protected mirror is asked with a session
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; mirror /copy; }
location /open/ { mirror /protected; }
location = /copy { internal; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sink/copy; }
location = /protected { internal; auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/sink/protected; }
location /sink/ { return 204; }
--- user_files
>>> m/a.txt
x
>>> open/a.txt
x
--- request
GET /open/a.txt
--- more_headers eval: session()
--- error_log
http request line: "GET /sink/protected

=== TEST 7: addition and a slice of a protected location [sec 13]
--- config
location /auth/ { auth_js_handler; }
location = /page.txt { addition_types *; add_before_body /m/a.txt; }
location /m/ { auth_js on; }
--- user_files
>>> page.txt
page
>>> m/a.txt
member
--- request eval
["GET /page.txt", "GET /page.txt"]
--- more_headers eval
["A: b", session()]
--- response_body eval
["page\n", "member\npage\n"]

=== TEST 8: auth_request to a protected location: its no is a no, error_page or not [sec 10]
--- config
location /auth/ { auth_js_handler; }
location /app/ { auth_request /check; }
location = /check { internal; auth_js on; try_files /yes.txt =404; }
error_page 401 =200 /ok.txt;
location = /ok.txt { }
--- user_files
>>> yes.txt
yes
>>> ok.txt
ok
>>> app/a.txt
app
--- request eval
["GET /app/a.txt", "GET /app/a.txt", "GET /app/a.txt"]
--- more_headers eval
["A: b", session(), "Accept: text/html"]
--- response_body eval
["ok\n", "app\n", "ok\n"]

=== TEST 9: auth_request to a location whose error page is auth_js_verify: the no stays a no [sec 10]
--- config
location /auth/ { auth_js_handler; }
location /app/ { auth_request /check; }
location = /check { error_page 404 =200 /verify; return 404; }
location = /verify { auth_js_verify; }
--- user_files
>>> app/a.txt
app
--- request eval
["GET /app/a.txt", "GET /app/a.txt"]
--- more_headers eval
["A: b", session()]
--- error_code eval
[401, 200]

=== TEST 10: try_files, index, rewrite, named locations: the last location decides [sec 8] [sec 12]
--- config
location /auth/ { auth_js_handler; }
location /try/ { try_files $uri /m/a.txt; }
location /named/ { try_files $uri @m; }
location @m { auth_js on; rewrite ^ /m/a.txt break; }
location /last/ { rewrite ^ /m/a.txt last; }
location /idx/ { index /m/a.txt; }
location /m/ { auth_js on; }
location /mtry/ { auth_js on; try_files $uri /open.txt; }
--- user_files
>>> m/a.txt
member
>>> open.txt
open
>>> idx/keep
x
--- request eval
["GET /try/x", "GET /named/x", "GET /last/x", "GET /idx/", "GET /mtry/x", "GET /try/x", "GET /named/x", "GET /last/x", "GET /idx/", "GET /mtry/x"]
--- more_headers eval
[("A: b") x 5, (session()) x 5]
--- error_code eval
[(401) x 5, (200) x 5]
--- response_body_like eval
[("401") x 5, ("member") x 4, "open"]

=== TEST 11: X-Accel-Redirect into a protected location [sec 11]
--- config
location /auth/ { auth_js_handler; }
location /x/ { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /up/ { add_header X-Accel-Redirect /m/a.txt; return 200; }
location /m/ { internal; auth_js on; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /x/", "GET /x/", "GET /x/", "GET /m/a.txt"]
--- more_headers eval
["A: b", "Accept: text/html", session(), session()]
--- error_code eval
[401, 302, 200, 404]
--- response_headers eval
["! Location", "Location: http://localhost/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2Fx%2F", "! Location", "! Location"]

=== TEST 12: auth_js on at http level: the handler can be reached, auth_request does not recurse [sec 122]
--- http_config
auth_js on;
--- config
location /auth/ { auth_js_handler; }
location /app/ { auth_request /verify; }
location = /verify { auth_js_verify; }
--- user_files
>>> app/a.txt
app
--- request eval
["GET /auth/csrf", "GET /app/a.txt", "GET /app/a.txt", "GET /auth/signin"]
--- more_headers eval
["A: b", "A: b", session(), "Accept: text/html"]
--- error_code eval
[200, 401, 200, 200]

=== TEST 13: a sub-request's answer sets no cookie and does not renew
--- config
location /auth/ { auth_js_handler; }
location = /page.html { ssi on; ssi_types *; }
location /m/ { auth_js on; }
--- user_files
>>> page.html
[<!--# include virtual="/m/a.txt" -->]
>>> m/a.txt
member
--- request
GET /page.html
--- more_headers eval
session()
--- response_headers
! Set-Cookie
--- response_body
[member
]
