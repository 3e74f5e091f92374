#!/bin/bash
# arm64.sh DIR - `make image-arm64`: the image for arm64, cross-built in a fresh Debian that has both architectures. Needs root and
# mmdebstrap. Exit status 77: this machine cannot do it.
set -euo pipefail
cd "$(dirname "$0")/../.."
. mk/pack/fresh.sh
why=$(fresh_works) || { echo "image-arm64: left out: $why"; exit 77; }
dir=$1 work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libraries=$(printf '%s:arm64,' libc6-dev libevent-dev libpcre2-dev liburing-dev libaio-dev libcrypt-dev libssl-dev zlib1g-dev libbrotli-dev \
    libzstd-dev libnghttp2-dev libjansson-dev libqrencode-dev)
fresh_sources >"$work/sources"
apt-config dump | grep '^Acquire::' >"$work/apt.conf"
mmdebstrap --quiet --mode=root --variant=minbase --architectures=amd64,arm64 --aptopt="$work/apt.conf" \
    --include="${libraries}make,gcc,gcc-aarch64-linux-gnu,git,pkg-config,dpkg-dev,umoci" "$FRESH_SUITE" "$work/root" "$work/sources"
make build/llhttp/llhttp.h
git clone -q . "$work/root/src"
mkdir -p "$work/root/src/build" "$dir"
cp -r build/llhttp "$work/root/src/build/"
unshare --mount --pid --fork --kill-child chroot "$work/root" sh -c 'mount -t proc proc /proc && cd /src && git config --global safe.directory /src &&
    ARCH=arm64 TRIPLET=aarch64-linux-gnu CC=aarch64-linux-gnu-gcc STRIP=aarch64-linux-gnu-strip PKG_CONFIG=aarch64-linux-gnu-pkg-config \
        MAKEFLAGS=-j$(nproc) mk/image/image.sh build/image'
cp "$work"/root/src/build/image/sluice-*-arm64.* "$dir/"
