#!/bin/sh
# The package as `apt install` would unpack it, in a root of its own that holds Debian's nginx and the
# libraries it needs: t/package.sh <package> <version>. dpkg runs the maintainer scripts there; nginx
# then loads what they linked. As root it runs inside the root, else with its paths.
set -eu
package=$(realpath "$1") version=$2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
fail() { echo "package: $*" >&2; exit 1; }

mkdir -p "$root/etc/nginx/modules-enabled" "$root/var/lib/dpkg" "$root/var/log/nginx" "$root/run" \
    "$root/var/lib/nginx" "$root/dev" "$root/etc/auth"
touch "$root/var/lib/dpkg/status"
dpkg="dpkg --root=$root --force-depends --force-not-root --force-script-chrootless --force-bad-path
      --log=/dev/null"
$dpkg -i "$package" >"$root/dpkg.out" 2>&1 || { cat "$root/dpkg.out"; fail "dpkg refused it"; }

link=$root/etc/nginx/modules-enabled/50-mod-http-auth-js.conf
[ "$(readlink "$link")" = /usr/share/nginx/modules-available/mod-http-auth-js.conf ] ||
    fail "is not linked into modules-enabled"
for f in usr/lib/nginx/modules/ngx_http_auth_js_module.so usr/share/man/man7/nginx-auth-js.7.gz \
    usr/share/doc/libnginx-mod-http-auth-js/examples/one-site.conf; do
    [ -s "$root/$f" ] || fail "lacks /$f"
done
[ "$(dpkg-deb -f "$package" Version)" = "$version-1" ] || fail "has another version"
grep -q "ngx_http_auth_js_module $version" "$root/usr/lib/nginx/modules/ngx_http_auth_js_module.so" ||
    fail "the object names another version"

cat >"$root/etc/nginx/nginx.conf" <<EOF
user root;
pid /run/nginx.pid;
error_log stderr notice;
include /etc/nginx/modules-enabled/*.conf;
events { }
http {
    auth_js_secret 0123456789abcdef0123456789abcdef;
    auth_js_provider github { client_id a; client_secret b; }
    server {
        listen unix:/run/site.sock;
        server_name localhost;
        add_header X-Version \$auth_js_version;
        location /auth/ { auth_js_handler; }
        location / { auth_js on; }
    }
}
EOF
if [ "$(id -u)" = 0 ]; then
    nginx=$(command -v nginx)
    for f in "$nginx" $(ldd "$nginx" "$root/usr/lib/nginx/modules/ngx_http_auth_js_module.so" |
                        sed -n 's/.*=> //; s/^[[:space:]]*\(\/[^ ]*\) (.*/\1/p' | sort -u); do
        [ -e "$root$f" ] || { mkdir -p "$root$(dirname "$f")" && cp -L "$f" "$root$f"; }
    done
    printf 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
    printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
    ln -s /usr/lib/nginx/modules "$root/usr/share/nginx/modules"  # as nginx-common has it
    : >"$root/dev/null"
    said=$(chroot "$root" "$nginx" -t 2>&1) || fail "nginx -t: $said"
    chroot "$root" "$nginx" -g 'daemon off;' 2>"$root/log" &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        [ -S "$root/run/site.sock" ] && break
        sleep 0.25
    done
    answer=$(curl -si --unix-socket "$root/run/site.sock" http://localhost/auth/csrf)
    refused=$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$root/run/site.sock" http://localhost/x)
    kill -QUIT $pid
    wait $pid || fail "nginx ended with an error: $(cat "$root/log")"
    case $answer in *"X-Version: $version"*csrfToken*) ;; *) fail "answers $answer" ;; esac
    [ "$refused" = 401 ] || fail "a protected page answers $refused"
    first=$(grep -m1 auth_js: "$root/log" || :)
    case $first in *"ngx_http_auth_js_module $version"*) ;; *) fail "the first log line is: $first" ;; esac
fi

$dpkg -r libnginx-mod-http-auth-js >/dev/null 2>&1 || fail "cannot be removed"
[ ! -L "$link" ] || fail "stays linked after its removal"
$dpkg -i "$package" >/dev/null 2>&1 && [ -L "$link" ] || fail "is not linked when it comes back"
$dpkg -P libnginx-mod-http-auth-js >/dev/null 2>&1 || fail "cannot be purged"
[ -z "$(ls "$root/etc/nginx/modules-enabled")" ] || fail "leaves links behind"
echo "package: $(basename "$package") installs, loads, answers and goes"
