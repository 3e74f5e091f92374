#!/bin/sh
# llhttp.sh [--local] DIR - puts llhttp's C sources and header into DIR: from the folder that LLHTTP names, from the package
# node-llhttp where it is installed, else from that package downloaded and unpacked, but not installed (that would pull in
# Node.js). --local: nothing is downloaded. DIR/package says which version of the package it was.
set -eu
fail() { echo "llhttp.sh: $1" >&2; exit 1; }
local_only=
[ "$1" != --local ] || { local_only=1; shift; }
dir=$1

if [ -n "${LLHTTP:-}" ]; then
    [ -s "$LLHTTP/llhttp.h" ] || fail "there is no llhttp.h in $LLHTTP"
    mkdir -p "$dir"
    cp -p "$LLHTTP"/llhttp.[ch] "$LLHTTP/api.c" "$LLHTTP/http.c" "$LLHTTP/package" "$dir/"
    exit 0
fi

mkdir -p "$(dirname "$dir")"
tmp=$(mktemp -d "$(dirname "$dir")/llhttp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
if [ -s /usr/share/llhttp/llhttp.c ] && [ -s /usr/share/include/llhttp/llhttp.h ]; then
    root=
    dpkg-query -W -f='${source:Package} (= ${source:Version})\n' node-llhttp >"$tmp/package" 2>/dev/null || : >"$tmp/package"
else
    [ -z "$local_only" ] || fail "neither libllhttp nor node-llhttp is installed, and LLHTTP names no folder"
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
        fail "no llhttp: install your distribution's llhttp with its pkg-config file (libllhttp.pc)"
    # As root, apt-get would try to become the user _apt, who may not write here.
    (cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download node-llhttp >log 2>&1) ||
        { cat "$tmp/log" >&2; fail "cannot download the package node-llhttp; run: make deps"; }
    deb=$(echo "$tmp"/node-llhttp_*.deb)
    dpkg-deb -x "$deb" "$tmp/x"
    dpkg-deb -W --showformat='${source:Package} (= ${source:Version})\n' "$deb" >"$tmp/package"
    root=$tmp/x
    echo "  GET  $(basename "$deb")"
fi
mkdir -p "$dir"
for f in llhttp.c api.c http.c; do
    cp "$root/usr/share/llhttp/$f" "$dir/$f"
done
cp "$tmp/package" "$dir/package"
cp "$root/usr/share/include/llhttp/llhttp.h" "$dir/llhttp.h.new"
mv "$dir/llhttp.h.new" "$dir/llhttp.h" # last: make takes this file for the whole
touch "$dir/llhttp.h"
touch "$dir"/*.c # which make must not find older than what it takes them to come from
