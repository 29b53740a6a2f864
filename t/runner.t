# What blocks may say: the runner's dialect, by one block for each kind. It must pass under OpenResty's
# Test::Nginx too (make blocks TEST_NGINX=real).
use Test::Nginx::Socket 'no_plan';
repeat_each(2);
run_tests();
__DATA__
=== TEST 1: a request, its headers, the error log
--- config
location /t { return 200 "hello $arg_x $http_x\n"; }
location /r { return 302 http://localhost:$server_port/x; }
--- request
GET /t?x=1
--- more_headers
X: y
--- response_body
hello 1 y
--- response_headers
Content-Type: text/plain
! X-Foo
--- error_log
http request line
--- no_error_log
[error]

=== TEST 2: several requests, each with its own headers and answer
--- config
location /t { return 200 "hello $arg_x $http_x $request_body\n"; }
location /p { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/t; }
--- request eval
["GET /t?x=1", "POST /p?x=2
a=b"]
--- more_headers eval
["X: 1", "X: 2"]
--- response_body_like eval
["hello 1 1", qr/hello 2 2 /]
--- error_code eval
[200, 200]

=== TEST 3: pipelined requests
--- config
location /t { return 200 "hello $arg_x\n"; }
--- pipelined_requests eval
["GET /t?x=1", "GET /t?x=2"]
--- response_body eval
["hello 1\n", "hello 2\n"]

=== TEST 4: a configuration that nginx must refuse
--- config
location /t { nonsense; }
--- must_die
--- error_log
unknown directive "nonsense"

=== TEST 5: files, one with a date
--- config
--- user_files
>>> a.txt
content of a
>>> d/b.txt 201001011000.00
b
--- request
GET /d/b.txt
--- response_headers
Last-Modified: Fri, 01 Jan 2010 10:00:00 GMT
--- response_body
b
--- raw_response_headers_like: Server: nginx.*?\r\n

=== TEST 6: a request as it stands
--- config
location /t { return 200 "x"; }
--- raw_request eval
"GET /t HTTP/1.0\r\nHost: localhost\r\n\r\n"
--- response_body: x

=== TEST 7: a request in packets
--- config
location /t { client_body_buffer_size 1k; proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/u; }
location /u { return 200 "$http_content_length"; }
--- request eval
[["POST /t\n", "ab", {value => "cd", delay_before => 0.05}]]
--- response_body: 4
