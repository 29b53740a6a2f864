#!/bin/sh
# Rules that no compiler checks: floors, formatting, traces of a machine. Says each offence as
# file:line, and ends with a count.
set -u
report=$(mktemp)
trap 'rm -f "$report"' EXIT
offences() { sed "s|^|  $1: |" >>"$report"; }  # standard input: offences against rule $1

# A folder includes its own and lower ones. Two on one floor may not include each other.
floor() {
    case $1 in
        util) echo 0 ;; crypto | io) echo 1 ;; adapters) echo 2 ;; jose) echo 3 ;;
        oauth | webauthn) echo 4 ;; providers | email) echo 5 ;; auth) echo 6 ;; nginx) echo 7 ;;
        *) echo none ;;
    esac
}
for dir in src/*/; do
    [ "$(floor "$(basename "$dir")")" != none ] || echo "$dir"
done | offences "no floor"
includes=$(grep -rnE '^[[:space:]]*#[[:space:]]*include "[a-z_]+/' src |
           sed -nE 's|^src/([a-z_]+)/([^:]*:[0-9]+):.*include "([a-z_]+)/.*|\1 \3 src/\1/\2|p')
echo "$includes" | cut -d' ' -f1,2 | sort -u | while read -r from to; do
    mine=$(floor "$from") theirs=$(floor "$to")
    if [ "$theirs" = none ] || [ "$theirs" -gt "$mine" ] ||
       { [ "$theirs" = "$mine" ] && [ "$from" != "$to" ] && echo "$includes" | grep -q "^$to $from "; }
    then
        echo "$includes" | sed -n "s/^$from $to //p"
    fi
done | offences "include that points up"
find src -name '*.[ch]pp' ! -path 'src/nginx/*' -exec grep -nHE '\bngx_([a-z_]*_t\b|[a-z_0-9]*\(|[a-z_0-9]*\.h)' {} + |
    offences "nginx below src/nginx"
find src -name '*.[ch]pp' ! -path 'src/nginx/*' \
    ! -path 'src/crypto/*' -exec grep -nHE '#[[:space:]]*include <openssl/' {} + |
    offences "OpenSSL outside src/crypto and src/nginx"

git ls-files '*.cpp' '*.hpp' | xargs -r clang-format --dry-run 2>&1 |
    sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: warning: .*/\1/p' | sort -u |
    offences "not as .clang-format has it (clang-format -i)"
git grep -nE '^ *// -{5,}$' -- '*.cpp' '*.hpp' | offences "heading torn by clang-format"
git grep -nIE '/home/[a-z]+/|/root/|/work/|registry\.npmjs|"resolved": *"http' -- ':!t/lint.sh' |
    cut -c1-160 | offences "path or host of somebody's machine"
git grep -nI '[[:space:]]$' -- '*.cpp' '*.hpp' '*.mjs' '*.pm' '*.sh' Makefile config config.make |
    offences "white space at the end of a line"

cat "$report"
echo "lint: $(wc -l <"$report") offences"
[ ! -s "$report" ]
