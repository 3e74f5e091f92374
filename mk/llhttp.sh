#!/bin/sh
# llhttp.sh DIR - puts llhttp's C sources and header into DIR, from the distribution's package node-llhttp, which is
# downloaded and unpacked but not installed (installing it would pull in Node.js).
set -eu
dir=$1
fail() { echo "llhttp.sh: $1" >&2; exit 1; }

command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null ||
    fail "no llhttp: install your distribution's llhttp with its pkg-config file (libllhttp.pc)"

mkdir -p "$(dirname "$dir")"
tmp=$(mktemp -d "$(dirname "$dir")/llhttp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT INT TERM
# As root, apt-get would try to become the user _apt, who may not write here.
(cd "$tmp" && apt-get -qq -o APT::Sandbox::User=root download node-llhttp >log 2>&1) ||
    { cat "$tmp/log" >&2; fail "cannot download the package node-llhttp; run: make deps"; }
dpkg-deb -x "$tmp"/node-llhttp_*.deb "$tmp/x"
mkdir -p "$dir"
for f in llhttp.c api.c http.c; do
    cp "$tmp/x/usr/share/llhttp/$f" "$dir/$f"
done
cp "$tmp/x/usr/share/include/llhttp/llhttp.h" "$dir/llhttp.h.new"
mv "$dir/llhttp.h.new" "$dir/llhttp.h" # last: make takes this file for the whole
touch "$dir/llhttp.h"
touch "$dir"/*.c # which make must not find older than what it takes them to come from
echo "  GET  $(basename "$tmp"/node-llhttp_*.deb)"
