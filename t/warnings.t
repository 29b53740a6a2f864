# What nginx accepts and `nginx -t` warns of.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';
use AuthJS;

add_block_preprocessor(\&with_site);
run_tests();
__DATA__
=== TEST 1: a return of a 2xx in the protected block itself [sec 6]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; return 200 "everybody"; }
--- request
GET /m/
--- response_body: everybody
--- error_log eval
qr/\[warn\].*this return answers before auth_js on can be asked, so everybody sees it; put what is to be protected into a file or behind a \*_pass in .*nginx\.conf:\d+/

=== TEST 2: no warning: the protection is inherited, the return is a redirect, or in an if [sec 6]
--- config
auth_js on;
location /auth/ { auth_js_handler; }
location = /health { return 200 "well"; }
location /r/ { auth_js on; return 302 /x; }
location /i/ { auth_js on; if ($arg_x) { return 200; } }
--- request
GET /health
--- response_body: well
--- no_error_log
[warn]

=== TEST 3: a page for 401 that is protected itself, in a server and in a location [sec 9]
--- config
auth_js on;
location /auth/ { auth_js_handler; }
error_page 401 /m/login.html;
location /m/ { }
location /n/ { error_page 401 /n/open/login.html; location /n/open/ { auth_js off; } }
location /o/ { error_page 401 /o/login.html; }
--- request
GET /auth/csrf
--- error_log eval
[qr/\[warn\].*error_page 401 leads to \/m\/login\.html, which is protected itself and so refused again; write auth_js off in its location in .*nginx\.conf:\d+/,
 qr/\[warn\].*error_page 401 leads to \/o\/login\.html, which/]
--- no_error_log
leads to /n/open

=== TEST 4: an alias off by a slash beside what is protected [sec 5]
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; }
location /static { alias html/; }
--- request
GET /auth/csrf
--- error_log eval
qr/\[warn\].*location \/static with alias \S+html\/ serves files outside of it \(\/static\.\.\/ reaches the folder above\): end the location's name with a slash/

=== TEST 5: protected, and nowhere to sign in
--- config
location /m/ { auth_js on; }
--- request
GET /m/
--- error_code: 401
--- error_log eval
qr/\[warn\].*the server "localhost" sends visitors to sign in at \/auth\/signin, but has no handler there; add location \/auth\/ \{ auth_js_handler; \} in .*nginx\.conf:\d+/

=== TEST 6: a server that does not know its name
--- server_name: _
--- config
location /auth/ { auth_js_handler; }
--- request
GET /auth/csrf
--- error_code: 500
--- error_log eval
qr/\[warn\].*sign-in needs to know its own address: give the server a server_name, or write auth_js_url https:\/\/\.\.\.; else every request is answered UntrustedHost in .*nginx\.conf:\d+/

=== TEST 7: a short secret [sec 73]
--- config
auth_js_secret short;
location /auth/ { auth_js_handler; }
--- request
GET /auth/csrf
--- error_log eval
qr/\[warn\].*auth_js_secret: a secret of under 32 bytes can be guessed; make one with: openssl rand -base64 33 in .*nginx\.conf:\d+/

=== TEST 8: an environment file that everybody reads
--- http_config
    auth_js_env_file ../html/env;
--- config
location /auth/ { auth_js_handler; }
--- user_files
>>> env
A=b
--- init
chmod 0644, server_root() . '/html/env';
--- request
GET /auth/csrf
--- error_log eval
qr/\[warn\].*auth_js_env_file "\S+env" can be read by everybody; chmod 600 it in .*nginx\.conf:\d+/

=== TEST 9: a usual configuration has none
--- config
location /auth/ { auth_js_handler; }
location /m/ { auth_js on; error_page 401 /login.html; }
location = /login.html { }
--- request
GET /auth/csrf
--- no_error_log
[warn]
