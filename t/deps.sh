#!/bin/sh
# What is needed from the distribution (Debian 12), said before it is installed. Called by every
# target, so it costs nothing when nothing is missing. Arguments: build, node, test, deb.
set -eu

build="g++ make nginx nginx-dev libssl-dev libcurl4-openssl-dev libjq-dev libsqlite3-dev
       libcrypt-dev libunistring-dev zlib1g-dev dpkg-dev"
test="libcmocka-dev perl libtest-base-perl libtest-longstring-perl liblist-moreutils-perl libhttp-message-perl
      clang libclang-rt-14-dev clang-format curl openssl
      git sqlite3 jq procps valgrind chromium fonts-dejavu-core libnginx-mod-http-js libnginx-mod-http-lua
      libnginx-mod-http-echo"
deb="curl lintian man-db bsdextrautils sqlite3"

node_is_new() {  # 20.14 or later: what oidc-provider and --test-force-exit ask for
    "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 14) ? 0 : 1)' 2>/dev/null
}

wanted= node=
for part in "$@"; do
    case $part in
        build) wanted="$wanted $build" ;;
        node) node=yes ;;
        test) wanted="$wanted $test"; node=yes ;;
        deb) wanted="$wanted $deb" ;;
        *) echo "usage: $0 [build] [node] [test] [deb]" >&2; exit 2 ;;
    esac
done

if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system: nothing is installed; wanted are, by their names there:" $wanted >&2
    exit 0
fi

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else
        echo "not root and no sudo; as root, run: $*" >&2
        exit 1
    fi
}
installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
            sed -n 's/^installed //p' | tr '\n' ' ')
missing=
for p in $wanted; do
    case " $installed" in *" $p "*) ;; *) missing="$missing $p" ;; esac
done
if [ -n "$node" ]; then
    command -v node >/dev/null || missing="$missing nodejs"
    command -v npm >/dev/null || missing="$missing npm"
fi
if [ -n "$missing" ]; then
    echo "installing from Debian:$missing"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $missing
fi

# Debian's own Node may be too old; the npm package `node` carries a newer one. Its npm goes with it:
# 9.2 cannot read a lock file with an override that names an alias.
dir=${BUILD:-build}/node
if [ -n "$node" ] && ! node_is_new node && ! node_is_new "$dir/node_modules/.bin/node"; then
    echo "installing from npm: node@20 and npm@10, into $dir (the distribution's is $(node --version))"
    mkdir -p "$dir"
    npm install --prefix "$dir" --no-save --no-audit --no-fund node@20 npm@10
fi
