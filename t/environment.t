# Where values come from: env:, file:, auth_js_env_file, nginx's environment; and how levels inherit.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

$ENV{MY_SECRET} = $secret;
$ENV{AUTH_TRUST_HOST} = 'true';
$ENV{AUTH_FORGE_ID} = 'from-environment';
env_to_nginx(qw(MY_SECRET AUTH_TRUST_HOST AUTH_FORGE_ID));
run_tests();
__DATA__
=== TEST 1: env: in a value, and a secret named so
--- config
auth_js_secret env:MY_SECRET;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
["A: b", session()]
--- error_code eval
[401, 200]

=== TEST 2: file: is the content with one newline cut, not resolved again
--- config
auth_js_secret file:../html/secret;
auth_js_cookie session_token name=file:../html/name;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> secret
0123456789abcdef0123456789abcdef
>>> name
env
>>> m/a.txt
member
--- request eval
["GET /m/a.txt"]
--- more_headers eval
[session(undef, name => 'env')]
--- error_code eval
[200]

=== TEST 3: the env file comes first, wherever it stands; a file that others can read is warned of
--- http_config
    server { listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1; auth_js_secret env:MY_SECRET; location /m/ { auth_js on; } }
    auth_js_env_file ../html/env;
--- config
auth_js_secret env:MY_SECRET;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> env
# a comment
export MY_SECRET="fedcba9876543210fedcba9876543210"   # and one behind
EMPTY=
SINGLE='a "b" # c'
PLAIN=x#y # z
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
[session(), session(undef, secret => 'fedcba9876543210fedcba9876543210')]
--- error_code eval
[401, 200]

=== TEST 4: AUTH_SECRET and its numbered kin, the highest first
--- http_config
    auth_js_env_file ../html/env;
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; auth_js_session update_age=0; }
--- user_files
>>> env
AUTH_SECRET=0123456789abcdef0123456789abcdef
AUTH_SECRET_2=fedcba9876543210fedcba9876543210
>>> m/a.txt
member
--- request eval
["GET /m/a.txt", "GET /m/a.txt", "GET /m/a.txt"]
--- more_headers eval
[session(), session(undef, secret => 'fedcba9876543210fedcba9876543210'), session(undef, secret => 'x' x 32)]
--- error_code eval
[200, 200, 401]

=== TEST 5: AUTH_URL, AUTH_TRUST_HOST and a provider's variables
--- http_config
    auth_js_env_file ../html/env;
--- config
location /api/auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> env
AUTH_SECRET=0123456789abcdef0123456789abcdef
AUTH_URL=https://site.example/api/auth
--- request
GET /m/
--- more_headers
Accept: text/html
--- error_code: 302
--- response_headers
Location: https://site.example/api/auth/signin?callbackUrl=https%3A%2F%2Fsite.example%2Fm%2F

=== TEST 6: AUTH_TRUST_HOST of nginx's environment
--- config
auth_js_secret env:MY_SECRET;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
location /n/ { auth_js on; auth_js_trust_host off; }
--- request eval
["GET /m/", "GET /n/"]
--- more_headers eval
[("Accept: text/html\nHost: any.example\nX-Forwarded-Proto: https") x 2]
--- error_code eval
[302, 400]
--- response_headers eval
["Location: https://any.example/auth/signin?callbackUrl=https%3A%2F%2Fany.example%2Fm%2F", "! Location"]

=== TEST 7: $$ is a $, and a value from env: or file: is taken as it is
--- config
auth_js_secret env:MY_SECRET;
auth_js_cookie session_token name=a$$b;
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
--- user_files
>>> m/a.txt
member
--- request
GET /m/a.txt
--- more_headers eval
session(undef, name => 'a$b')
--- response_body
member

=== TEST 8: levels: what is not said is inherited, a list is replaced
--- http_config
auth_js_secret 0123456789abcdef0123456789abcdef;
auth_js on;
auth_js_unauthorized 401;
auth_js_session update_age=0;
auth_js_cookie session_token name=one;
--- config
auth_js_cookie callback_url name=two;
location /auth/ { auth_js_handler; }
location /m/ { auth_js_unauthorized redirect; }
location /n/ { auth_js_secret fedcba9876543210fedcba9876543210 0123456789abcdef0123456789abcdef; location /n/n/ { auth_js_cookie session_token name=three; } }
--- user_files
>>> m/a.txt
x
>>> n/a.txt
x
>>> n/n/a.txt
x
--- request eval
["GET /m/a.txt", "GET /", "GET /m/a.txt", "GET /n/a.txt", "GET /n/n/a.txt", "GET /n/n/a.txt"]
--- more_headers eval
["A: b", "Accept: text/html", (session(undef, name => 'one')) x 3, session(undef, name => 'three')]
--- error_code eval
[302, 401, 200, 200, 401, 200]
--- raw_response_headers_like eval
["302", "401", "Set-Cookie: one=", "Set-Cookie: one=", "401", "Set-Cookie: three="]

=== TEST 9: cookie attributes, each as it is given
--- config
auth_js_secret env:MY_SECRET;
auth_js_session update_age=0;
location /auth/ { auth_js_handler; }
location /a/ { auth_js on; auth_js_cookie session_token domain=example.com path=/a same_site=strict secure=on http_only=off priority=high partitioned=on; }
location /b/ { auth_js on; auth_js_secure_cookies on; }
location /c/ { auth_js on; auth_js_cookie session_token max_age=1h; }
--- user_files
>>> a/x
x
>>> b/x
x
>>> c/x
x
--- request eval
["GET /a/x", "GET /b/x", "GET /c/x"]
--- more_headers eval
[session(), session(undef, name => '__Secure-authjs.session-token'), session()]
--- raw_response_headers_like eval
["Set-Cookie: authjs\\.session-token=[^;]+; Domain=example\\.com; Path=/a; Expires=[^;]+; Secure; Partitioned; Priority=High; SameSite=Strict\r\n",
 "Set-Cookie: __Secure-authjs\\.session-token=[^;]+; Path=/; Expires=[^;]+; HttpOnly; Secure; SameSite=Lax\r\n",
 "Set-Cookie: authjs\\.session-token=[^;]+; Max-Age=3600; Path=/; Expires="]

=== TEST 10: two handlers with base paths of their own, and one route with its own location [sec 122]
--- config
auth_js_secret env:MY_SECRET;
location /auth/ { auth_js_handler; }
location = /auth/session { add_header X-Route 1; auth_js_handler; }
location /api/auth/ { auth_js_base_path /api/auth; auth_js_handler; }
location /m/ { auth_js on; auth_js_base_path /api/auth; }
--- request eval
["GET /auth/session", "GET /auth/csrf", "GET /api/auth/csrf", "GET /m/", "GET /auth"]
--- more_headers eval
[("Accept: text/html") x 5]
--- error_code eval
[200, 200, 200, 302, 404]
--- response_headers eval
["X-Route: 1", "! X-Route", "! X-Route", "Location: http://localhost/api/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2Fm%2F", "! X-Route"]

=== TEST 11: the handler in if and limit_except
--- config
auth_js_secret env:MY_SECRET;
location /auth/ { auth_js_handler; if ($arg_x) { add_header X-If 1; } limit_except GET { allow all; } }
--- request eval
["GET /auth/csrf?x=1", "POST /auth/signout\na=b"]
--- more_headers eval
["A: b", "Content-Type: application/x-www-form-urlencoded"]
--- error_code eval
[200, 302]
