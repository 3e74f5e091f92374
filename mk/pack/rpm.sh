#!/bin/bash
# rpm.sh DIR - `make rpm`: the RPM packages of what is committed, in DIR. Where rpm has no packages of its own to build on, as on Debian,
# what is needed is taken as it is there. RPM_TEST=1: unpacked, the binary takes its configuration and serves its page.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD version=$(mk/pack/version.sh)
fail() { echo "make rpm: $1" >&2; exit 1; }
command -v rpmbuild >/dev/null || { echo "make rpm is left out: there is no rpmbuild (package rpm or rpm-build)"; exit 77; }
mkdir -p "$1"
dir=$(cd "$1" && pwd)
top=$dir/work
trap 'rm -rf "$top"' EXIT
rm -rf "$top" "$dir"/*.rpm
mkdir -p "$top/SOURCES"
mk/pack/dist.sh "$top/SOURCES" '' >/dev/null
nodeps=
rpm -q glibc >/dev/null 2>&1 || nodeps=--nodeps
if ! pkg-config --exists libllhttp; then
    [[ -s build/llhttp/package ]] || mk/llhttp.sh build/llhttp
    export LLHTTP=$here/build/llhttp
fi
SOURCE_DATE_EPOCH=$(mk/pack/version.sh --epoch)
export SOURCE_DATE_EPOCH
env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS -u MAKEOVERRIDES rpmbuild -ba $nodeps --define "_topdir $top" --define "sluice_version $version" \
    --define "_buildhost localhost" --define "use_source_date_epoch_as_buildtime 1" packaging/rpm/sluice.spec >"$dir/build.log" 2>&1 ||
    { tail -n 30 "$dir/build.log" >&2; fail "rpmbuild failed; all of it: $dir/build.log"; }
find "$top/RPMS" "$top/SRPMS" -name '*.rpm' -exec mv {} "$dir/" \;
for f in "$dir"/*.rpm; do
    echo "  RPM  ${f#"$here/"}"
done
[[ ${RPM_TEST:-} = 1 ]] || exit 0

# ---- tried ----

tree=$top/tree
mkdir -p "$tree"
rpm2archive - <"$(echo "$dir/sluice-$version"-*."$(uname -m)".rpm)" | tar -xz -C "$tree"
"$tree/usr/sbin/sluice" -v 2>&1 | grep -F "sluice/$version" || fail "the binary does not say $version"
sed -i -e "s|/var/log/sluice|$tree/var/log/sluice|; s|^pid .*|pid off;|; s|^user .*||" "$tree/etc/sluice/sluice.conf"
sed -i -e "s|listen  *\[::\]:80.*||; s|listen  *80\b[^;]*|listen 127.0.0.1:${RPM_TEST_PORT:-18080}|" "$tree/etc/sluice/sites-available/default"
"$tree/usr/sbin/sluice" -t -c "$tree/etc/sluice/sluice.conf" || fail "it does not take its configuration"
"$tree/usr/sbin/sluice" -c "$tree/etc/sluice/sluice.conf" -g 'daemon off;' &
pid=$!
trap 'kill $pid 2>/dev/null; rm -rf "$top"' EXIT
for ((n = 100; n > 0; n--)); do
    ! curl -fs -o /dev/null "http://127.0.0.1:${RPM_TEST_PORT:-18080}/healthz" || break
    sleep 0.1
done
((n > 0)) || fail "the binary does not serve"
echo "ok: the binary of the RPM package serves"
