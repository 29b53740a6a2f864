#!/bin/sh
# The distribution's own nginx as it came from upstream, unpacked into a folder: sanitizers need the
# whole program built with them, and Debian's nginx-dev carries no more than what modules need. The
# tarball lies in the same pool folder as that package, which apt knows; apt fetches it.
set -eu
to=${1:?usage: $0 folder}
[ -f "$to/configure" ] && exit 0

uri=$(apt-get download --print-uris nginx-dev | sed -n "1s/^'\([^']*\)'.*/\1/p")
version=$(echo "${uri##*/nginx-dev_}" | sed 's/-.*//')
tarball=nginx_$version.orig.tar.gz
mkdir -p "$to"
rm -f "$to/$tarball"
/usr/lib/apt/apt-helper -q download-file "${uri%/*}/$tarball" "$to/$tarball"
tar -xzf "$to/$tarball" -C "$to" --strip-components=1
