#!/bin/sh
# The package as `apt install` would unpack it, in a root of its own that holds Debian's nginx and the
# libraries it needs: t/package.sh <package> <version>. dpkg runs the maintainer scripts there; nginx
# then loads what they linked. As root it runs inside the root, else only what needs no nginx is asked.
set -eu
package=$(realpath "$1") version=$2 name=libnginx-mod-http-auth-js
root=$(mktemp -d)
nginx_pid=
trap '[ -z "$nginx_pid" ] || { kill $nginx_pid; wait $nginx_pid || :; }; rm -rf "$root"' EXIT
fail() { echo "package: $*" >&2; exit 1; }

mkdir -p "$root/etc/nginx/modules-enabled" "$root/var/lib/dpkg" "$root/var/log/nginx" "$root/run" \
    "$root/var/lib/nginx/auth_js" "$root/dev"
touch "$root/var/lib/dpkg/status"
dpkg_root() {
    dpkg --root="$root" --force-depends --force-not-root --force-script-chrootless --force-bad-path \
        --log=/dev/null "$@" >"$root/dpkg.out" 2>&1
}
dpkg_root -i "$package" || { cat "$root/dpkg.out"; fail "dpkg refused it"; }

link=$root/etc/nginx/modules-enabled/50-mod-http-auth-js.conf
object=$root/usr/lib/nginx/modules/ngx_http_auth_js_module.so
page=$root/usr/share/man/man7/nginx-auth-js.7.gz
is_linked() { [ "$(readlink "$link")" = /usr/share/nginx/modules-available/mod-http-auth-js.conf ]; }
is_linked || fail "is not linked into modules-enabled"
for f in "$object" "$page" "$root/usr/share/doc/$name/copyright"; do [ -s "$f" ] || fail "lacks $f"; done
for f in conf.examples/* sql/*; do
    cmp -s "$f" "$root/usr/share/doc/$name/examples/${f##*/}" || fail "lacks the example $f"
done
[ "$(dpkg-deb -f "$package" Version)" = "$version-1" ] || fail "has another version"
grep -q "ngx_http_auth_js_module $version" "$object" || fail "the object names another version"

# The page: no word for roff that roff does not know, and every directive and variable in it.
complaints=$(MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l "$page" 2>&1 >"$root/page")
[ -z "$complaints" ] || fail "man says: $complaints"
for word in $(grep -ohE '\{"auth_js[a-z_]*"' src/nginx/directives.cpp | tr -d '{"') \
    $(sed -n 's/^| `\(\$auth_js[a-z_]*\).*/\1/p' README.md); do
    col -bx <"$root/page" | grep -qF -- "$word" || fail "the manual page lacks $word"
done

# The administrator's own: a secret, a store, a site.
printf 0123456789abcdef0123456789abcdef >"$root/etc/nginx/auth_js.secret"
cat >"$root/etc/nginx/nginx.conf" <<EOF
user root;
pid /run/nginx.pid;
error_log stderr notice;
include /etc/nginx/modules-enabled/*.conf;
events { }
http { include /etc/nginx/sites-enabled/*; }
EOF
mkdir "$root/etc/nginx/sites-enabled"
cat >"$root/etc/nginx/sites-enabled/site" <<EOF
auth_js_secret file:auth_js.secret;
auth_js_adapter sqlite /var/lib/nginx/auth_js/auth.db;
auth_js_session strategy=database cache=0s;
auth_js_provider github { client_id a; client_secret b; }
server {
    listen unix:/run/site.sock;
    server_name localhost;
    add_header X-Version \$auth_js_version;
    location /auth/ { auth_js_handler; }
    location / { auth_js on; }
}
EOF

start() {
    chroot "$root" "$nginx" -g 'daemon off;' 2>"$root/log" &
    nginx_pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        ! curl -s -o "$root/answer" --unix-socket "$root/run/site.sock" http://localhost/ || return 0
        sleep 0.25
    done
    fail "nginx did not start: $(cat "$root/log")"
}
stop() {
    kill -QUIT $nginx_pid
    wait $nginx_pid || fail "nginx ended with an error: $(cat "$root/log")"
    nginx_pid=
}
ask() {  # a path, and options for curl
    path=$1
    shift
    curl -s --unix-socket "$root/run/site.sock" "$@" "http://localhost$path"
}
knows_ann() {  # whoever is in the store and whatever the secret made are still good
    case $(ask /auth/session -H 'Cookie: authjs.session-token=ann-in-one-browser') in
        *'"name":"Ann"'*) ;;
        *) fail "$1, the store's session is not known" ;;
    esac
    again=$(ask /auth/csrf -H "Cookie: authjs.csrf-token=$csrf")
    [ "$again" = "{\"csrfToken\":\"${csrf%%%7C*}\"}" ] || fail "$1, the secret is another: $again"
}

if [ "$(id -u)" = 0 ]; then
    nginx=$(command -v nginx)
    for f in "$nginx" $(ldd "$nginx" "$object" |
                        sed -n 's/.*=> //; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u); do
        [ -e "$root$f" ] || { mkdir -p "$root$(dirname "$f")" && cp -L "$f" "$root$f"; }
    done
    printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    ln -s /usr/lib/nginx/modules "$root/usr/share/nginx/modules"  # as nginx-common has it
    : >"$root/dev/null"
    said=$(chroot "$root" "$nginx" -t 2>&1) || fail "nginx -t: $said"
    start
    first=$(grep -m1 auth_js: "$root/log" || :)
    case $first in *"[notice]"*"ngx_http_auth_js_module $version"*) ;; *) fail "the first log line is: $first" ;; esac
    answer=$(ask /auth/csrf -i)
    case $answer in *"X-Version: $version"*csrfToken*) ;; *) fail "answers $answer" ;; esac
    csrf=$(echo "$answer" | sed -n 's/^Set-Cookie: authjs.csrf-token=\([^;]*\).*/\1/p')
    refused=$(ask /x -o "$root/answer" -w '%{http_code}')
    [ "$refused" = 401 ] || fail "a protected page answers $refused"
    ask /auth/session -H 'Cookie: authjs.session-token=nobody' >/dev/null   # makes the tables
    sqlite3 "$root/var/lib/nginx/auth_js/auth.db" "
        INSERT INTO user (id, name, email) VALUES ('u1', 'Ann', 'ann@example.com');
        INSERT INTO session VALUES ('ann-in-one-browser', 'u1', $(($(date +%s) + 86400))000);"
    knows_ann "before the upgrade"

    dpkg_root -i "$package" || fail "cannot be upgraded: $(cat "$root/dpkg.out")"
    is_linked || fail "is not linked after an upgrade"
    knows_ann "with the object replaced under nginx"
    kill -HUP $nginx_pid
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        ! grep -q 'gracefully shutting down' "$root/log" || break
        sleep 0.25
    done
    knows_ann "reloaded after the upgrade"
    stop
    start
    knows_ann "started after the upgrade"
    stop
fi

# Gone means that nginx starts without it and that nothing but the administrator's own is left.
rm "$root/etc/nginx/sites-enabled/site"
loads_nothing() {
    [ "$(id -u)" != 0 ] || said=$(chroot "$root" "$nginx" -t 2>&1) || fail "$1, nginx -t: $said"
}
dpkg_root -r $name || fail "cannot be removed"
[ ! -L "$link" ] || fail "stays linked after its removal"
loads_nothing "after its removal"
dpkg_root -i "$package" && is_linked || fail "is not linked when it comes back"
rm "$link"
dpkg_root -i "$package" && [ ! -L "$link" ] || fail "is linked again though the administrator took it out"
dpkg_root -P $name || fail "cannot be purged"
loads_nothing "after its purge"
[ -z "$(ls "$root/etc/nginx/modules-enabled")" ] || fail "leaves links behind"
left=$(dpkg-deb --fsys-tarfile "$package" | tar -t | while read -r f; do
    case $f in */) ;; *) [ ! -e "$root/$f" ] || echo "$f" ;; esac; done)
[ -z "$left$(find "$root" -name '*auth?js*' -path '*/usr/*')" ] || fail "leaves behind: $left"
echo "package: $(basename "$package") installs, loads, answers, is upgraded, and goes"
