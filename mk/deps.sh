#!/bin/sh
# deps.sh [--check] [--no-uring] [--no-aio] [--no-crypt] [--no-crypto] [--no-tls] [--no-zlib] [--no-brotli] [--no-zstd] [--no-http2] [--no-jansson] [--no-qr]
#     [--bench] [--lint] [--scale] [--deb] [--deb-test] [--image] [--image-test] -
# installs the packages that are missing, and nothing when all is there. --check only says what is missing. --deb ...: what
# `make deb`, `make deb-test`, `make image` and `make image-test` need, without the tests' packages.
set -eu
check_only=0 uring=1 aio=1 crypt=1 crypto=1 tls=1 zlib=1 brotli=1 zstd=1 http2=1 jansson=1 qr=1 extra= packages= bench=0 pack=0
for arg; do
    case $arg in
    --check) check_only=1 ;;
    --no-uring) uring=0 ;;
    --no-aio) aio=0 ;;
    --no-crypt) crypt=0 ;;
    --no-crypto) crypto=0 ;;
    --no-tls) tls=0 ;;
    --no-zlib) zlib=0 ;;
    --no-brotli) brotli=0 ;;
    --no-zstd) zstd=0 ;;
    --no-http2) http2=0 ;;
    --no-jansson) jansson=0 ;;
    --no-qr) qr=0 ;;
    --bench) bench=1 extra="$extra wrk:wrk nginx:nginx-light lighttpd:lighttpd fio:fio openssl:openssl h2load:nghttp2-client" ;;
    --deb) pack=1 packages=build-essential extra="$extra dh:debhelper dh_apparmor:dh-apparmor dpkg-buildpackage:dpkg-dev" ;;
    --deb-test) pack=1 extra="$extra mmdebstrap:mmdebstrap lintian:lintian apt-ftparchive:apt-utils gpg:gpg gpg-agent:gpg-agent" ;;
    --image) pack=1 extra="$extra umoci:umoci readelf:binutils" ;;
    --image-test) pack=1 extra="$extra umoci:umoci readelf:binutils crun:crun jq:jq curl:curl" packages=golang-github-containers-common ;;
    --scale) extra="$extra haproxy:haproxy varnishd:varnish curl:curl python3:python3" ;;
    --lint) extra="$extra clang:clang clang-tidy:clang-tidy clang-format:clang-format cppcheck:cppcheck llvm-profdata:llvm valgrind:valgrind" ;;
    *) echo "deps.sh: unknown option $arg" >&2; exit 2 ;;
    esac
done

missing= optional=
need() { missing="$missing $1"; }
has() { command -v "$1" >/dev/null 2>&1; }
module() { pkg-config --exists "$1" 2>/dev/null; }
header() { printf '#include <%s>\n' "$1" | ${CC:-cc} -E -x c - >/dev/null 2>&1; }
# apt knows a version that can be installed.
offered() { apt-cache policy "$1" 2>/dev/null | grep -q 'Candidate: [^(]'; }

has make || need make
has gcc || has cc || need gcc
printf '#include <stdio.h>\n' | ${CC:-cc} -E -x c - >/dev/null 2>&1 || need libc6-dev
has pkg-config || need pkg-config
module 'libevent_core >= 2.1.12' || need libevent-dev
module libpcre2-8 || need libpcre2-dev
[ $uring = 0 ] || module liburing || need liburing-dev
[ $aio = 0 ] || header libaio.h || need libaio-dev
[ $crypt = 0 ] || module libcrypt || need libcrypt-dev
[ $crypto = 0 ] || module 'libcrypto >= 3.0' || need libssl-dev
[ $tls = 0 ] || [ $crypto = 0 ] || module 'libssl >= 3.0' || case $missing in *libssl-dev*) ;; *) need libssl-dev ;; esac
[ $zlib = 0 ] || module zlib || need zlib1g-dev
[ $brotli = 0 ] || module 'libbrotlienc libbrotlidec' || need libbrotli-dev
[ $zstd = 0 ] || module 'libzstd >= 1.4.0' || need libzstd-dev
[ $http2 = 0 ] || module 'libnghttp2 >= 1.50' || need libnghttp2-dev
[ $jansson = 0 ] || module 'jansson >= 2.13' || need libjansson-dev
[ $qr = 0 ] || module libqrencode || need libqrencode-dev
if [ $pack = 1 ]; then
    for p in $packages; do # dpkg-checkbuilddeps asks for the package, and a file has no command
        dpkg-query -W "$p" >/dev/null 2>&1 || need "$p"
    done
    for pair in $extra; do
        has "${pair%%:*}" || need "${pair##*:}"
    done
elif [ $check_only = 0 ]; then
    module check || need check
    module libsubunit || need libsubunit-dev
    has openssl || need openssl
    for pair in $extra; do
        PATH=$PATH:/usr/sbin has "${pair%%:*}" || need "${pair##*:}"
    done
    [ $bench = 0 ] || [ -e /usr/lib/lighttpd/mod_openssl.so ] || need lighttpd-mod-openssl
    [ $bench = 0 ] || [ -e /usr/lib/lighttpd/mod_deflate.so ] || need lighttpd-mod-deflate
fi
# Filesystems for the tests, where those could be mounted; without them these tests say that they are skipped.
if [ $check_only$pack = 00 ] && [ "$(id -u)" = 0 ] && [ -e /dev/loop-control ] && has apt-get; then
    for pair in mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs mksquashfs:squashfs-tools; do
        PATH=$PATH:/usr/sbin:/sbin has "${pair%%:*}" || optional="$optional ${pair##*:}"
    done
fi
llhttp=0
module libllhttp || [ -s build/llhttp/llhttp.h ] || llhttp=1

if [ $check_only = 1 ]; then
    [ -n "$missing" ] || exit 0
    echo "sluice: packages are missing:$missing" >&2
    echo "sluice: run: make deps" >&2
    exit 1
fi
[ -n "$missing$optional" ] || [ $llhttp = 1 ] || exit 0

if ! has apt-get; then
    [ -z "$missing" ] || echo "make deps: missing:$missing (names of Debian's packages)" >&2
    [ $llhttp = 0 ] || echo "make deps: missing: llhttp with its pkg-config file libllhttp.pc" >&2
    echo "make deps: no apt-get here; install them with this system's package manager" >&2
    exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    has sudo || as_root=none
fi
run_as_root()
{
    if [ "$as_root" = none ]; then
        echo "make deps: packages are missing, and this is neither root nor is there sudo. As root run:" >&2
        echo "    apt-get update && apt-get install --no-install-recommends$missing" >&2
        [ $llhttp = 0 ] || echo "and, where there is such a package: apt-get install libllhttp-dev" >&2
        exit 1
    fi
    $as_root env DEBIAN_FRONTEND=noninteractive "$@"
}

updated=0
update()
{
    [ $updated = 0 ] || return 0
    updated=1
    [ "$as_root" = none ] || echo "  APT  update"
    run_as_root apt-get -qq update
}

# Debian 13 has llhttp as a library; Debian 12 and Ubuntu 24.04 have its sources inside node-llhttp.
offered libevent-dev || update
if [ $llhttp = 1 ] && offered libllhttp-dev; then
    need libllhttp-dev
    llhttp=0
fi
if [ -n "$missing" ]; then
    for p in $missing; do
        offered "$p" || update
    done
    [ "$as_root" = none ] || echo "  APT  install$missing"
    # Lists that are too old name files that are gone: update once and try again.
    # shellcheck disable=SC2086
    run_as_root apt-get -qq -y install --no-install-recommends $missing >/dev/null || {
        update
        run_as_root apt-get -qq -y install --no-install-recommends $missing >/dev/null
    } || {
        echo "make deps: could not install:$missing" >&2
        exit 1
    }
fi
wanted=
for p in $optional; do
    offered "$p" && wanted="$wanted $p"
done
if [ -n "$wanted" ]; then
    echo "  APT  install$wanted"
    # shellcheck disable=SC2086
    run_as_root apt-get -qq -y install --no-install-recommends $wanted >/dev/null 2>&1 ||
        echo "make deps: could not install$wanted; the tests that want these will be skipped" >&2
fi
if [ $llhttp = 1 ]; then
    offered node-llhttp || update
    "$(dirname "$0")/llhttp.sh" build/llhttp || {
        update
        "$(dirname "$0")/llhttp.sh" build/llhttp
    }
fi
