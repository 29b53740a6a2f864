# The variables, and auth_js_set.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: who is there
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js optional; return 200 "$auth_js_user_id|$auth_js_name|$auth_js_email|$auth_js_image|$auth_js_provider|$auth_js_status\n"; }
--- request eval
["GET /v", "GET /v", "GET /v"]
--- more_headers eval
["A: b", session(), session('{"sub":"9","provider":"github"}')]
--- response_body eval
["|||||none\n", "u1|Ada|ada\@example.com|https://img.example/a.png||ok\n", "9||||github|ok\n"]

=== TEST 2: expiry, session and token as pure ASCII JSON
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js optional; return 200 "$auth_js_expires $auth_js_session $auth_js_token\n"; }
--- request
GET /v
--- more_headers eval
session('{"sub":"9","name":"Zo\u00eb \ud83d\ude00","email":null}')
--- response_body_like
^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z) \{"user":\{"name":"Zo\\u00eb \\ud83d\\ude00","email":null\},"expires":"\1"\} \{"sub":"9","name":"Zo\\u00eb \\ud83d\\ude00","email":null,"iat":\d+,"exp":\d+,"jti":"[0-9a-f-]+"\}$

=== TEST 3: claims: by name without case, numbers and booleans as JSON, the rest compact [sec 30]
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js optional; return 200 "$auth_js_claim_n|$auth_js_claim_t|$auth_js_claim_a|$auth_js_claim_o|$auth_js_claim_nil|$auth_js_claim_mixed|$auth_js_claim_two|$auth_js_claim_Three|$auth_js_claim___proto__|$auth_js_claim_none\n"; }
--- request
GET /v
--- more_headers eval
session('{"n":1.5,"t":true,"a":[1, "x,y"],"o":{"k": {}},"nil":null,"MIXED":"m","Two":1,"TWO":2,"three":3,"THREE":4,"__proto__":"p"}')
--- response_body
1.5|true|[1,"x,y"]|{"k":{}}||m||3|p|

=== TEST 4: control characters never pass, in no variable [sec 29]
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js optional; add_header X-Name $auth_js_name; add_header X-Claim $auth_js_claim_c; return 200 "$auth_js_session\n"; }
--- request
GET /v
--- more_headers eval
session('{"sub":"1","name":"a\u000d\u000aSet-Cookie: b=c","c":"\u0000\u001f\u007f"}')
--- response_headers
X-Name: a%0D%0ASet-Cookie: b=c
X-Claim: %00%1F%7F
! Set-Cookie
--- response_body_like: "name":"a\\r\\nSet-Cookie: b=c"

=== TEST 5: with auth_js off they are empty, and nothing is opened
--- config
location /auth/ { auth_js_handler; }
location /v { return 200 "[$auth_js_name][$auth_js_status][$auth_js_session]\n"; }
location /m/ { auth_js on; }
--- request
GET /v
--- more_headers eval
session()
--- response_body
[][][]

=== TEST 6: error_page, try_files and the access log still see the user
--- http_config
log_format who "who=$auth_js_user_id";
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; error_page 404 /gone; try_files $uri =404; access_log logs/who.log who; }
location = /gone { access_log logs/who.log who; return 200 "no such page, $auth_js_name\n"; }
location = /log { alias logs/who.log; }
--- request eval
["GET /m/x", "GET /log"]
--- more_headers eval
[session(), "A: b"]
--- error_code eval
[404, 200]
--- response_body eval
["no such page, Ada\n", "who=u1\n"]

=== TEST 7: sign-in and sign-out addresses are absolute and come back here
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js optional; return 200 "$auth_js_signin_url $auth_js_signout_url\n"; }
location /p { auth_js optional; auth_js_page sign_in /login?x=1; auth_js_page sign_out https://id.example.com/bye; return 200 "$auth_js_signin_url $auth_js_signout_url\n"; }
--- request eval
["GET /v?a=b", "GET /p"]
--- response_body eval
["http://localhost/auth/signin?callbackUrl=http%3A%2F%2Flocalhost%2Fv%3Fa%3Db http://localhost/auth/signout?callbackUrl=http%3A%2F%2Flocalhost%2Fv%3Fa%3Db\n",
 "http://localhost/login?x=1&callbackUrl=http%3A%2F%2Flocalhost%2Fp https://id.example.com/bye?callbackUrl=http%3A%2F%2Flocalhost%2Fp\n"]

=== TEST 8: the CSRF token of the cookie, or a new one that sets it
--- config
location /auth/ { auth_js_handler; }
location /c/ { auth_js optional; add_header X-Csrf $auth_js_csrf_token; add_header X-Again $auth_js_csrf_token; }
location /off/ { auth_js optional; auth_js_csrf off; add_header X-Csrf "[$auth_js_csrf_token]"; }
--- user_files
>>> c/a.txt
x
>>> off/a.txt
x
--- request eval
["GET /c/a.txt", "GET /c/a.txt", "GET /c/a.txt", "GET /off/a.txt"]
--- more_headers eval
use Digest::SHA;
my $token = 'ab' x 32;
["A: b", "Cookie: authjs.csrf-token=$token%7C" . Digest::SHA::sha256_hex($token . $secret), "Cookie: authjs.csrf-token=$token%7C" . 'cd' x 32, "A: b"]
--- raw_response_headers_like eval
[qr/Set-Cookie: authjs\.csrf-token=([0-9a-f]{64})%7C[0-9a-f]{64}; .*X-Csrf: \1\r\nX-Again: \1|X-Csrf: ([0-9a-f]{64})\r\nX-Again: \2\r\n.*Set-Cookie: authjs\.csrf-token=\2%7C[0-9a-f]{64}; /s,
 "X-Csrf: " . 'ab' x 32, "Set-Cookie: authjs\\.csrf-token=[0-9a-f]{64}%7C", "X-Csrf: \\[\\]"]
--- raw_response_headers_unlike eval
["no-store", "Set-Cookie", "X-Csrf: abab", "Set-Cookie"]

=== TEST 9: once the headers are out there is no new CSRF token
--- config
location /auth/ { auth_js_handler; }
location = /page.html { auth_js optional; ssi on; ssi_types *; }
--- user_files
>>> page.html
[<!--# echo var="auth_js_csrf_token" -->]
--- request
GET /page.html
--- response_body
[]

=== TEST 10: error and version
--- config
location /auth/ { auth_js_handler; add_header X-Error "[$auth_js_error]" always; }
location /v { return 200 "$auth_js_version\n"; }
--- request eval
["GET /auth/nonsense", "GET /auth/session", "GET /v"]
--- error_code eval
[400, 200, 200]
--- response_headers eval
["X-Error: [UnknownAction]", "X-Error: []", "! X-Error"]
--- response_body_like eval
["Bad request", "null", "^\\d+\\.\\d+\\.\\d+"]

=== TEST 11: auth_js_set: a filter over token, user and expires, when it is used
--- http_config
auth_js_set $roles '.token.roles // [] | join(",")';
auth_js_set $who   '.user.name + " until " + .expires[0:2]';
auth_js_set $many  '{roles: .token.roles, n: (.token.roles|length)}';
auth_js_set $fails '.token.roles.x';
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js optional; return 200 "$roles|$who|$many|$fails\n"; }
location /r { auth_js on; auth_js_require $roles; }
--- request eval
["GET /v", "GET /v", "GET /r", "GET /r"]
--- more_headers eval
["A: b", session('{"name":"Ada","roles":["a","b"]}'), session('{"roles":["a"]}'), session('{"roles":[]}')]
--- error_code eval
[200, 200, 404, 403]
--- response_body_like eval
["^\\|\\|\\|\n\$", '^a,b\|Ada until 20\|\{"roles":\["a","b"\],"n":2\}\|' . "\n\$", "404", "403"]

=== TEST 12: a value set early is that of the request, in any phase
--- config
location /auth/ { auth_js_handler; }
location /v { auth_js on; set $early $auth_js_name; if ($auth_js_claim_admin) { return 200 "admin $early\n"; } return 200 "user $early\n"; }
--- request eval
["GET /v", "GET /v", "GET /v"]
--- more_headers eval
[session(), session('{"name":"Eve","admin":true}'), "A: b"]
--- response_body eval
["user Ada\n", "admin Eve\n", "user \n"]
