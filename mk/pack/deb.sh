#!/bin/sh
# deb.sh DIR - `make deb`: the Debian packages sluice and sluice-dbgsym and the source package, in DIR. The version is that of
# include/base/version.h, or DEB_VERSION. DEB_CHECK=1: with the unit tests.
set -eu
umask 022
cd "$(dirname "$0")/../.."
here=$PWD
version=${DEB_VERSION:-$(mk/pack/version.sh)}
SOURCE_DATE_EPOCH=$(mk/pack/version.sh --epoch)
export SOURCE_DATE_EPOCH
mkdir -p "$1"
dir=$(cd "$1" && pwd)
fail() { echo "make deb: $1" >&2; exit 1; }
command -v dh >/dev/null || fail "debhelper is missing: make deb-deps"

profiles=
if [ "${DEB_CHECK:-0}" != 1 ]; then
    profiles=nocheck
    DEB_BUILD_OPTIONS="nocheck ${DEB_BUILD_OPTIONS:-}"
    export DEB_BUILD_OPTIONS
fi
# Debian 12 has llhttp's sources inside node-llhttp alone, which would pull in Node.js.
if ! pkg-config --exists libllhttp && [ ! -s /usr/share/llhttp/llhttp.c ]; then
    [ -s build/llhttp/package ] || mk/llhttp.sh build/llhttp
    LLHTTP=$here/build/llhttp
    export LLHTTP
    profiles=${profiles:+$profiles,}pkg.sluice.llhttp
fi

rm -rf "$dir/work" "$dir"/sluice_* "$dir"/sluice-dbgsym_*
mk/pack/tree.sh "$dir/work/sluice-$version"
# An epoch: Debian has another program of this name, whose version 0.02.15 counts as newer, and apt would upgrade to that.
mk/pack/changelog.sh "1:$version" "$SOURCE_DATE_EPOCH" >"$dir/work/sluice-$version/debian/changelog"
cd "$dir/work/sluice-$version"
find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
# Nothing of an outer make, whose flags would be those of the packages.
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u MAKEOVERRIDES dpkg-buildpackage --no-sign ${profiles:+-P"$profiles"} \
    >"$dir/build.log" 2>&1 || { tail -n 40 "$dir/build.log" >&2; fail "dpkg-buildpackage failed; all of it: $dir/build.log"; }
cd "$dir"
mv work/sluice_* work/sluice-dbgsym_* .
rm -rf work
for f in sluice_* sluice-dbgsym_*; do
    echo "  DEB  ${dir#"$here/"}/$f"
done
