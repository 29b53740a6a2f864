# Configurations that are wrong in ways in which people get them wrong: each refused by nginx with what
# to write instead, and the place in the file.
use lib 't/lib';
use Test::Nginx::Socket 'no_plan';

run_tests();
__DATA__
=== TEST 1: a misspelt directive
--- config
auth_js_providr github;
--- must_die
--- error_log eval
qr/\[emerg\].*there is no directive "auth_js_providr", did you mean "auth_js_provider" or "auth_js_providers" or "auth_js_provider_dir"\? in .*nginx\.conf:\d+/

=== TEST 2: a directive where it does not belong
--- config
auth_js_zone 1m;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_zone stands in http, not here in .*nginx\.conf:\d+/

=== TEST 3: a handler in a server
--- config
auth_js_handler;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler stands in location, not here in .*nginx\.conf:\d+/

=== TEST 4: a provider without its block
--- config
auth_js_provider github;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_provider opens a block \{ \}; for providers that need none write auth_js_providers in .*nginx\.conf:\d+/

=== TEST 5: a value that is none of the three
--- config
auth_js yes;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js: it is on, off or optional, not "yes" in .*nginx\.conf:\d+/

=== TEST 6: given twice
--- config
auth_js on; auth_js off;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js: is given twice at this level; keep one of the two lines in .*nginx\.conf:\d+/

=== TEST 7: too many words
--- config
auth_js_base_path /a /b;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_base_path takes: \/path in .*nginx\.conf:\d+/

=== TEST 8: none
--- config
auth_js_require;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_require takes: \$value \.\.\. \[error=401\|403\] in .*nginx\.conf:\d+/

=== TEST 9: unauthorized
--- config
auth_js_unauthorized 403;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_unauthorized: it is auto, redirect or 401, not "403" in .*nginx\.conf:\d+/

=== TEST 10: require without a variable
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /m/ { auth_js on; auth_js_require admin; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_require: the value "admin" has no variable, so it says the same of everybody: write one such as \$auth_js_claim_admin or that of a map in .*nginx\.conf:\d+/

=== TEST 11: require with an error only
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /m/ { auth_js on; auth_js_require error=403; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_require: names no value to look at, such as \$auth_js_claim_admin in .*nginx\.conf:\d+/

=== TEST 12: require with another error
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /m/ { auth_js on; auth_js_require $auth_js_name error=404; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_require: error= is 401 or 403, not "404" in .*nginx\.conf:\d+/

=== TEST 13: no secret
--- config
location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*no secret: write auth_js_secret env:AUTH_SECRET; and give the variable, in auth_js_env_file or nginx's environment, the output of: openssl rand -base64 33 in .*nginx\.conf:\d+/

=== TEST 14: an empty secret
--- config
auth_js_secret "";
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_secret: the secret is empty; make one with: openssl rand -base64 33 in .*nginx\.conf:\d+/

=== TEST 15: a variable that is not there
--- config
auth_js_secret env:NO_SUCH_VARIABLE;
--- must_die
--- error_log eval
qr/\[emerg\].*the variable NO_SUCH_VARIABLE \(env:NO_SUCH_VARIABLE\) is neither in auth_js_env_file nor in nginx's environment in .*nginx\.conf:\d+/

=== TEST 16: a file that is not there
--- config
auth_js_secret file:../html/none;
--- must_die
--- error_log eval
qr/\[emerg\].*"file:\.\.\/html\/none" cannot be read: No such file or directory in .*nginx\.conf:\d+/

=== TEST 17: a lone dollar
--- config
auth_js_cookie session_token name=a$b;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_cookie: "a\$b" has a "\$", but takes no variables here: write "\$\$" for the character itself in .*nginx\.conf:\d+/

=== TEST 18: a handler outside of its base path
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /login/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler: the location "\/login\/" is not under the base path; write location \/auth\/, or auth_js_base_path if it is another in .*nginx\.conf:\d+/

=== TEST 19: a handler without the slash
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /auth { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler: write location \/auth\/ with a slash at its end, or \/authx would be served too in .*nginx\.conf:\d+/

=== TEST 20: a handler in a regular expression
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location ~ ^/auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler cannot stand in a regular expression location; write location \/auth\/ in .*nginx\.conf:\d+/

=== TEST 21: a handler in a named location
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location @auth { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler cannot stand in a named location; write location \/auth\/ in .*nginx\.conf:\d+/

=== TEST 22: two content handlers
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /auth/ { proxy_pass http://127.0.0.1:1; auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler: this location has a content handler already \(another \*_pass, auth_js_handler or auth_js_verify\); give each a location of its own in .*nginx\.conf:\d+/

=== TEST 23: a handler and a verify
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location /auth/ { auth_js_verify; auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_handler: this location has a content handler already \(another \*_pass, auth_js_handler or auth_js_verify\); give each a location of its own in .*nginx\.conf:\d+/

=== TEST 24: verify with another word
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; location = /v { auth_js_verify redirekt; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_verify takes: \[redirect\], not "redirekt" in .*nginx\.conf:\d+/

=== TEST 25: a base path with a slash at its end
--- config
auth_js_base_path /auth/;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_base_path: it is a path such as \/auth or \/api\/auth, without a slash at its end, not "\/auth\/" in .*nginx\.conf:\d+/

=== TEST 26: a site address without a scheme
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_url www.example.com; location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_url is the site's address such as https:\/\/www\.example\.com or https:\/\/www\.example\.com\/auth, not "www\.example\.com" in .*nginx\.conf:\d+/

=== TEST 27: trust in a name
--- config
auth_js_trust_host proxy.example;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_trust_host: "proxy\.example" is neither on nor off nor an address such as 10\.0\.0\.0\/8, 2001:db8::\/32 or unix: in .*nginx\.conf:\d+/

=== TEST 28: an origin with a path
--- config
auth_js_allowed_origins https://app.example.com/x;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_allowed_origins: "https:\/\/app\.example\.com\/x" is no origin such as https:\/\/app\.example\.com or https:\/\/\*\.example\.com in .*nginx\.conf:\d+/

=== TEST 29: an unknown provider
--- config
auth_js_providers githb;
--- must_die
--- error_log eval
qr/\[emerg\].*unknown provider "githb"; did you mean github\? \(one that is not in the catalogue needs a type line: type oauth, oidc, email or credentials\) in .*nginx\.conf:\d+/

=== TEST 30: a provider that is not in the catalogue and has no type
--- config
auth_js_provider forge { client_id a; }
--- must_die
--- error_log eval
qr/\[emerg\].*unknown provider "forge" \(one that is not in the catalogue needs a type line: type oauth, oidc, email or credentials\) in .*nginx\.conf:\d+/

=== TEST 31: a provider without its id
--- config
auth_js_providers github;
--- must_die
--- error_log eval
qr/\[emerg\].*provider "github": client_id is missing: write "client_id \.\.\.;" in its block or set the variable AUTH_GITHUB_ID in .*nginx\.conf:\d+/

=== TEST 32: the same provider twice
--- config
auth_js_provider f { type oauth; client_id a; client_secret b; authorization_url https://f.example/a; token_url https://f.example/t; userinfo_url https://f.example/u; profile '{id}'; } auth_js_provider f { type oauth; client_id a; client_secret b; authorization_url https://f.example/a; token_url https://f.example/t; userinfo_url https://f.example/u; profile '{id}'; }
--- must_die
--- error_log eval
qr/\[emerg\].*the provider "f" is there twice; give this one an id of its own: auth_js_provider f as another \{ \.\.\. \} in .*nginx\.conf:\d+/

=== TEST 33: an unknown line of a provider
--- config
auth_js_provider f { client_idd a; type oauth; }
--- must_die
--- error_log eval
qr/\[emerg\].*provider "f": "client_idd" is unknown; did you mean client_id\? in .*nginx\.conf:\d+/

=== TEST 34: a provider without endpoints
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_provider f { type oauth; client_id a; client_secret b; } location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*provider "f": it has neither issuer nor authorization_url; write one of them in .*nginx\.conf:\d+/

=== TEST 35: credentials that nobody judges
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_provider c { type credentials; field user; } location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*provider "c": authorize is missing: write "authorize htpasswd:\/path;" or "authorize uri \/internal;" in .*nginx\.conf:\d+/

=== TEST 36: a store of a later version
--- config
auth_js_adapter pg postgres://x;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_adapter: adapter "pg" is not in this version: it has sqlite/

=== TEST 37: passkeys
--- config
auth_js_provider c { type webauthn; }
--- must_die
--- error_log eval
qr/\[emerg\].*provider "c": passkeys \(type webauthn\) are not in this version in .*nginx\.conf:\d+/

=== TEST 38: a check in an if
--- config
location / { if ($arg_x) { auth_js on; } }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js stands in http, server, location, not here in .*nginx\.conf:\d+/

=== TEST 39: words after the provider
--- config
auth_js_provider f called g { type oauth; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_provider takes: id \[as name\] \{ \.\.\. \} in .*nginx\.conf:\d+/

=== TEST 40: a session that ends at once
--- config
auth_js_session max_age=0;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: max_age of 0 would end every session at once in .*nginx\.conf:\d+/

=== TEST 41: an unknown option of a session
--- config
auth_js_session maxage=1d;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: knows no option "maxage", did you mean "max_age" or "jwt_max_age"\? in .*nginx\.conf:\d+/

=== TEST 42: an option without a value
--- config
auth_js_session max_age;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: the option "max_age" wants a value: max_age=\.\.\. in .*nginx\.conf:\d+/

=== TEST 43: an option twice
--- config
auth_js_session max_age=1d max_age=2d;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: the option "max_age" is given twice in .*nginx\.conf:\d+/

=== TEST 44: a time that is none
--- config
auth_js_session max_age=soon;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: max_age is a time such as 30d, 12h or 90s, not "soon" in .*nginx\.conf:\d+/

=== TEST 45: database sessions without a store
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_session strategy=database; location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: strategy=database needs a store; add auth_js_adapter sqlite \/var\/lib\/nginx\/auth_js\/auth\.db; in .*nginx\.conf:\d+/

=== TEST 46: an unknown cookie
--- config
auth_js_cookie session name=x;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_cookie: knows no cookie "session", did you mean "session_token"\? in .*nginx\.conf:\d+/

=== TEST 47: a cookie with nothing to say
--- config
auth_js_cookie state;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_cookie: says nothing about the cookie, such as name= or domain= in .*nginx\.conf:\d+/

=== TEST 48: a __Host- cookie with a domain
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_cookie session_token name=__Host-s domain=example.com secure=on; location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_cookie: a name that begins with __Host- needs secure=on, path=\/ and no domain; name it otherwise with name= in .*nginx\.conf:\d+/

=== TEST 49: a cookie name that browsers refuse
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_cookie session_token "name=a b"; location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_cookie: browsers would refuse this cookie/

=== TEST 50: an unknown page
--- config
auth_js_page login /x;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_page: the page is sign_in, sign_out, error, verify_request or new_user, not "login" in .*nginx\.conf:\d+/

=== TEST 51: a page that is no path
--- config
auth_js_page sign_in login;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_page: the page is a path such as \/login or a URL such as https:\/\/login\.example\.com\/, not "login" in .*nginx\.conf:\d+/

=== TEST 52: a colour that is none
--- config
auth_js_theme brand_color=blue;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_theme: brand_color is a colour such as \#1f2430, not "blue" in .*nginx\.conf:\d+/

=== TEST 53: an unknown callback
--- config
auth_js_callback signin jq .;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_callback: the callback is sign_in, redirect, jwt or session, not "signin" in .*nginx\.conf:\d+/

=== TEST 54: a callback that is neither
--- config
auth_js_callback jwt js x;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_callback: what answers it is jq 'filter' or uri \/internal, not "js" in .*nginx\.conf:\d+/

=== TEST 55: an internal address that is none
--- config
auth_js_event sign_in uri http://x/;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_event: uri names an internal location such as \/internal\/callback, not "http:\/\/x\/" in .*nginx\.conf:\d+/

=== TEST 56: a filter that does not compile
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_callback jwt jq ".a |"; location /auth/ { auth_js_handler; }
--- must_die
--- error_log eval
qr/\[emerg\].*jq filter: syntax error/

=== TEST 57: csrf
--- config
auth_js_csrf on;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_csrf: it is token, origin or off, not "on" in .*nginx\.conf:\d+/

=== TEST 58: a timeout of none
--- config
auth_js_http_timeout 0;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_http_timeout: a time of 0 would let no request end in .*nginx\.conf:\d+/

=== TEST 59: a proxy without a scheme
--- config
auth_js_http_proxy proxy:3128;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_http_proxy: the proxy is http:\/\/\[user:pass\@\]host:port in .*nginx\.conf:\d+/

=== TEST 60: a certificate that is not there
--- config
auth_js_trusted_certificate none.pem;
--- must_die
--- error_log eval
qr/\[emerg\].*none\.pem" cannot be read: No such file or directory in .*nginx\.conf:\d+/

=== TEST 61: an unknown default provider
--- config
auth_js_secret 0123456789abcdef0123456789abcdef; auth_js_provider forge { type oauth; client_id a; client_secret b; authorization_url https://f.example/a; token_url https://f.example/t; userinfo_url https://f.example/u; profile '{id}'; } location /auth/ { auth_js_handler; } location /m/ { auth_js on; auth_js_default_provider forg; }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_default_provider: no provider "forg" is configured here, did you mean "forge"\? in .*nginx\.conf:\d+/

=== TEST 62: a header that cannot go
--- config
auth_js_clear_headers Cookie;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_clear_headers: "cookie" is needed by nginx and by sign-in; it cannot be removed in .*nginx\.conf:\d+/

=== TEST 63: a header name with a space
--- config
auth_js_clear_headers "X User";
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_clear_headers: "X User" is no header name: letters, digits, - and _ in .*nginx\.conf:\d+/

=== TEST 64: a zone too small
--- http_config
auth_js_zone 8k;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_zone: the zone needs at least 32k in .*nginx\.conf:\d+/

=== TEST 65: a zone that is no size
--- http_config
auth_js_zone big;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_zone: it is a size such as 1m or 512k, not "big" in .*nginx\.conf:\d+/

=== TEST 66: an env file that is not there
--- http_config
auth_js_env_file none.env;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*none\.env" cannot be read: No such file or directory in .*nginx\.conf:\d+/

=== TEST 67: a variable of the module's own
--- http_config
auth_js_set $auth_js_x .;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_set: names that begin with auth_js_ are the module's own; take another for "\$auth_js_x" in .*nginx\.conf:\d+/

=== TEST 68: a variable that nginx has
--- http_config
auth_js_set $uri .;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_set: the variable "\$uri" is taken; give it another name in .*nginx\.conf:\d+/

=== TEST 69: a variable without its dollar
--- http_config
auth_js_set x .;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_set takes: \$name 'jq filter' in .*nginx\.conf:\d+/

=== TEST 70: a provider folder that is not there
--- http_config
auth_js_provider_dir none;
--- config
location /x { }
--- must_die
--- error_log eval
qr/\[emerg\].*none": No such file or directory in .*nginx\.conf:\d+/


=== TEST 71: words like none that are known are answered with those that are
--- config
auth_js_provider people { type credentials; htpasswd /etc/nginx/people; }
--- must_die
--- error_log eval
qr/\[emerg\].*provider "people": "htpasswd" is unknown; known are name, type, style, field, authorize in .*nginx\.conf:\d+/

=== TEST 72: and so are options
--- config
auth_js_session lifetime=1h;
--- must_die
--- error_log eval
qr/\[emerg\].*auth_js_session: knows no option "lifetime", known are strategy, max_age, update_age, jwt_max_age, renew, cache in .*nginx\.conf:\d+/
