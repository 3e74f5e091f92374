#!/bin/bash
# deb-test.sh - `make deb-test`: the Debian package on bare machines. A fresh minimal Debian with git, make and gcc builds it twice
# from a clone, and both times the same; a second one, with a systemd that runs, installs it, runs debian/tests, purges it, and
# has nothing left; a third one installs and upgrades it from an APT repository that the second serves. Exit status 77: this machine
# cannot do that, and says why. About 5 minutes on two cores. DEB=FILE.deb: tests that package, and builds none.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=mk/pack/fresh.sh
. mk/pack/fresh.sh
# shellcheck source=mk/pack/apt-test.sh
. mk/pack/apt-test.sh
reason=$(fresh_works) || { echo "deb-test is left out: $reason"; exit 77; }

base=$PWD/build/fresh/base.tar
work=$(mktemp -d "${TMPDIR:-/var/tmp}/sluice-deb-test.XXXXXX")
builder=$work/builder machine=$work/machine customer=$work/customer debs=$work/debs
second=
ended()
{
    local rc=$?
    fresh_stop
    [[ -z $second ]] || { kill "$second" 2>/dev/null; wait "$second" 2>/dev/null; } || true
    [[ ! -d $work/gnupg ]] || GNUPGHOME=$work/gnupg gpgconf --kill all || true
    rm -rf --one-file-system "$work"
    [[ $rc = 0 || $rc = 77 ]] || echo "deb-test failed" >&2
}
trap ended EXIT
trap 'exit 1' INT TERM

step() { echo "-- $1 ($SECONDS s)"; }
fail() { echo "deb-test: $1" >&2; exit 1; }

# ---- built ----

# build FOLDER COMMAND...: a clone there, and the packages from it.
build()
{
    local folder=$1
    shift
    mkdir -p "$builder${folder%/*}"
    git clone -q --no-hardlinks "$PWD" "$builder$folder"
    fresh_chroot "$builder" "$@" sh -c 'cd "$1" && git config --global --add safe.directory "*" && make deb' sh "$folder"
}

step "a fresh Debian"
fresh_base "$base" || { echo "deb-test is left out: no Debian archive can be reached"; exit 77; }
mkdir -p "$debs"
if [[ -n ${DEB:-} ]]; then
    cp "$DEB" "$debs/"
else
    git diff --quiet HEAD -- || echo "changes that are not committed are not in the test" >&2
    step "make deb in a Debian with git, make and gcc"
    fresh_root "$base" "$builder" git ca-certificates make gcc libc6-dev
    build /work/sluice env
    cp "$builder"/work/sluice/build/deb/* "$debs/"
    if command -v lintian >/dev/null; then
        step "lintian"
        lintian --allow-root --pedantic --fail-on error,warning,pedantic "$debs"/*.changes
    else
        echo "left out: lintian, which is not installed"
    fi
    step "the second build runs beside the tests"
    (umask 077 && build "/srv/another place/sluice" env TZ=Pacific/Auckland) >"$work/second.log" 2>&1 &
    second=$!
fi
deb=$(echo "$debs"/sluice_*.deb)
[[ -e $deb ]] || fail "no package was made"
! command -v apparmor_parser >/dev/null || apparmor_parser --skip-kernel-load --skip-cache -I /etc/apparmor.d conf/dist/sluice.apparmor 2>/dev/null ||
    fail "the AppArmor profile is not right"

# ---- installed, tested, purged ----

# What a package could leave behind. Caches and logs of the system itself are none.
files()
{
    (cd "$machine" && find etc lib opt srv usr var run home root -xdev ! -path 'var/cache/*' ! -path 'var/log/journal*' \
        ! -path 'var/lib/apt/*' ! -path 'var/lib/logrotate/status' ! -path 'var/lib/dpkg/*' ! -path 'var/log/apt*' ! -path 'var/log/dpkg.log' \
        ! -path 'var/log/alternatives.log' ! -path 'usr/share/doc/*' ! -path 'var/tmp/*' ! -path 'etc/ld.so.cache' \
        ! -path '*/__pycache__*' ! -name '*-' 2>/dev/null | LC_ALL=C sort)
}

step "a machine with systemd"
fresh_root "$base" "$machine" systemd curl logrotate openssl
cp "$deb" "$machine/var/tmp/sluice.deb"
cp -a debian/tests "$machine/var/tmp/tests"
# What it depends on comes from the archive, now: the machine will have no network.
fresh_chroot "$machine" apt-get -qq -y install --no-install-recommends --download-only /var/tmp/sluice.deb >/dev/null
fresh_boot "$machine"
dependencies=$(fresh_in apt-get -qq -y install --no-install-recommends --simulate /var/tmp/sluice.deb | sed -n 's/^Inst \([^ ]*\).*/\1/p' | grep -vx sluice)
# shellcheck disable=SC2086
fresh_in apt-get -qq -y install --no-install-recommends $dependencies >/dev/null
files >"$work/before"
step "apt-get install"
fresh_in apt-get -qq -y install /var/tmp/sluice.deb || fail "apt-get install"
fresh_in systemd-analyze verify --man=no sluice.service sluice.socket || fail "units that are not right"

for t in $(sed -n 's/^Tests: //p' debian/tests/control | tr -d ,); do
    step "debian/tests/$t"
    fresh_in sh -c 'rm -rf /var/tmp/autopkgtest && mkdir -p /var/tmp/autopkgtest'
    fresh_in env AUTOPKGTEST_TMP=/var/tmp/autopkgtest timeout 180 "/var/tmp/tests/$t" || fail "debian/tests/$t"
done
fresh_in rm -rf /var/tmp/autopkgtest
files >"$work/after"
diff "$work/before" "$work/after" || fail "the package left something behind"
echo "ok: nothing is left"

# ---- from a repository ----

if command -v apt-ftparchive >/dev/null && command -v gpg >/dev/null; then
    step "an APT repository"
    apt_test
else
    echo "left out: the APT repository; there is no apt-ftparchive, or no gpg"
fi

# ---- built twice ----

if [[ -n $second ]]; then
    step "both builds"
    wait "$second" || { tail -n 30 "$work/second.log"; second=; fail "the second build"; }
    second=
    for f in "$debs"/*.deb "$debs"/*.dsc "$debs"/*.tar.*; do
        cmp "$f" "$builder/srv/another place/sluice/build/deb/${f##*/}" || fail "two builds differ"
        echo "same: ${f##*/} $(sha256sum <"$f" | cut -c1-16)"
    done
    mkdir -p build/deb-tested
    cp "$debs"/* build/deb-tested/
fi
echo "deb-test: all is well after $SECONDS s"
