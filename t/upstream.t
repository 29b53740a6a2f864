# What an application behind sees: auth_js_clear_headers and auth_js_pass_cookie.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
add_block_preprocessor(sub {
    my $block = shift;
    my $config = $block->config;
    $block->set_value(config => $config . q(
        location /auth/ { auth_js_handler; }
        location /up/ { return 200 "user=$http_x_auth_user name=$http_x_auth_name other=$http_x_other cookie=$http_cookie\n"; }
    ));
});
run_tests();
__DATA__
=== TEST 1: identity headers that a client sent are gone, in every spelling [sec 25]
--- config
underscores_in_headers on;
location /m/ { auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /o/ { auth_js optional; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /n/ { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- request eval
["GET /m/", "GET /m/", "GET /m/", "OPTIONS /o/", "GET /o/", "GET /n/"]
--- more_headers eval
[session() . "\nX-Auth-User: evil\nX-Other: stays", session() . "\nx_auth_user: evil", session() . "\nX-AUTH-USER: evil\nX-Auth-User: evil2\nX-Auth-NAME: evil",
 "X-Auth-User: evil", "X-Auth_User: evil\nX-Other: b", "X-Auth-User: free"]
--- response_body_like eval
["user= name= other=stays", "user= name= other= ", "user= name= other= ", "user= name= other= ", "user= name= other=b ", "user=free"]

=== TEST 2: what nginx itself passes on is there, and only that; a claim that is missing is no header [sec 26] [sec 27]
--- config
location /m/ { auth_js on; proxy_set_header X-Auth-User $auth_js_user_id; proxy_set_header X-Auth-Name $auth_js_name;
               proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- request eval
["GET /m/", "GET /m/"]
--- more_headers eval
[session() . "\nX-Auth-User: evil", session('{"sub":"7"}') . "\nX-Auth-Name: evil\nConnection: close, X-Auth-User"]
--- response_body_like eval
["user=u1 name=Ada ", "user=7 name= "]

=== TEST 3: a list of one's own replaces the inherited one
--- config
auth_js_clear_headers X-Other;
location /m/ { auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- request
GET /m/
--- more_headers eval
session() . "\nX-Auth-User: passes\nX-Other: gone"
--- response_body_like: user=passes name= other= 

=== TEST 4: forty headers more, and the known ones still mean what they did [sec 28]
--- config
large_client_header_buffers 8 16k;
location /m/ { auth_js on; auth_js_clear_headers X-Auth-User User-Agent; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up2/; }
location /up2/ { return 200 "ua=$http_user_agent host=$http_host ref=$http_referer last=$http_x_40 cl=$http_content_length body=$request_body\n"; }
--- request
GET /m/
--- more_headers eval
session() . "\nX-Auth-User: a\n" . CORE::join("", map { "X-$_: $_\n" } 1 .. 40) . "User-Agent: me\nReferer: there\nX-Auth-User: " . 'y' x 9000
--- response_body_like: ua= host=127\.0\.0\.1:\d+ ref=there last=40 

=== TEST 5: pass_cookie off takes the session cookie and its chunks; others stay byte for byte [sec 35]
--- config
location /m/ { auth_js on; auth_js_pass_cookie off; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /d/ { auth_js on; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
location /f/ { auth_js off; auth_js_pass_cookie off; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- request eval
["GET /m/", "GET /m/", "GET /m/", "GET /d/", "GET /f/", "GET /f/"]
--- more_headers eval
[session() . '; a=b; c="d;e"; xauthjs.session-token=x; x=authjs.session-token', "Cookie:  a = b;c=d; " . substr(session(), 8), session(),
 session(), "Cookie: authjs.session-token.0=x; authjs.session-token.1=y; authjs.session-token.x=z; __Secure-authjs.session-token=q; k=v", "Cookie: k=v;;l"]
--- response_body_like eval
['cookie=a=b; c="d;e"; xauthjs\.session-token=x; x=authjs\.session-token\n', 'cookie=a = b;c=d\n', 'cookie=\n',
 'cookie=authjs\.session-token=ey', 'cookie=authjs\.session-token\.x=z; k=v\n', 'cookie=k=v;;l\n']

=== TEST 6: two Cookie lines, and a cut cookie is still read after an internal redirect
--- config
location /m/ { auth_js on; auth_js_pass_cookie off; try_files $uri /n/; }
location /n/ { auth_js on; auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_pass_cookie off; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- request
GET /m/x
--- more_headers eval
"Cookie: a=b\n" . session()
--- response_body_like: cookie=a=b\n

=== TEST 7: FastCGI parameters lack them too [sec 25]
--- config
underscores_in_headers on;
location /m/ { auth_js on; auth_js_pass_cookie off; fastcgi_pass 127.0.0.1:1; error_page 502 =200 /done.txt; }
--- user_files
>>> done.txt
done
--- request
GET /m/
--- more_headers eval
session() . "; k=v\nX-Auth-User: evil\nx_auth_user: evil\nX-Kept: kept"
--- error_log eval
[qr/fastcgi param: "HTTP_X_KEPT: kept"/, qr/fastcgi param: "HTTP_COOKIE: k=v"/]
--- no_error_log eval
[qr/fastcgi param: "HTTP_X_AUTH_USER/, qr/fastcgi param: "HTTP_COOKIE: .*session-token/]

=== TEST 8: sub-requests below a protected page are rid of them as well [sec 25]
--- config
location = /page.html { auth_js optional; ssi on; ssi_types *; }
location /m/ { auth_js optional; auth_js_pass_cookie off; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- user_files
>>> page.html
<!--# include virtual="/m/" -->
--- request
GET /page.html
--- more_headers eval
session() . "\nX-Auth-User: evil"
--- response_body_like: user= name= other= cookie=\n

=== TEST 9: satisfy any lets an address in: the headers and the cookie go all the same
--- config
location /m/ { satisfy any; allow all; auth_js on; auth_js_pass_cookie off; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/up/; }
--- request
GET /m/
--- more_headers eval
session() . "\nX-Auth-User: evil"
--- response_body_like: user= name= other= cookie=\n
