#!/bin/bash
# image-test.sh - `make image-test`: the image is built twice, and is the same; it is small, and its labels and its list of contents are
# right; and it runs (run-test.sh). Exit status 77: this machine cannot do that, and says why. About 4 minutes on two cores.
# IMAGE=FILE.oci.tar: tests that image, and builds none.
set -euo pipefail
cd "$(dirname "$0")/../.."
left_out() { echo "image-test is left out: $1"; exit 77; }
[[ $(id -u) = 0 ]] || left_out "this is not root"
mk/deps.sh --image-test || left_out "its tools cannot be installed here"
unshare --mount --pid --net --ipc --uts --fork --kill-child true 2>/dev/null || left_out "namespaces cannot be made here"

cgroup=
work=$(mktemp -d "${TMPDIR:-/var/tmp}/sluice-image-test.XXXXXX")
ended()
{
    local rc=$?
    rm -rf --one-file-system "$work"
    [[ -z $cgroup ]] || rmdir "$cgroup" || true
    [[ $rc = 0 ]] || echo "image-test failed" >&2
}
trap ended EXIT
trap 'exit 1' INT TERM
step() { echo "-- $1 ($SECONDS s)"; }
fail() { echo "image-test: $1" >&2; exit 1; }

if [[ -n ${IMAGE:-} ]]; then
    image=$IMAGE
else
    step "make image"
    make -j"$(nproc)" image >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; fail "make image"; }
    tail -n 2 "$work/build.log"
    image=$(echo build/image/*.oci.tar)
    step "make image, elsewhere"
    mk/pack/tree.sh "$work/another place"
    mkdir "$work/another place/build"
    [[ ! -d build/llhttp ]] || cp -a build/llhttp "$work/another place/build/"
    (umask 077 && cd "$work/another place" && env TZ=Pacific/Auckland LC_ALL=C SOURCE_DATE_EPOCH="$(git -C "$OLDPWD" log -1 --format=%ct)" \
        GIT_DIR="$(git -C "$OLDPWD" rev-parse --absolute-git-dir)" make -j"$(nproc)" image) >"$work/second.log" 2>&1 ||
        { tail -n 30 "$work/second.log" >&2; fail "the second make image"; }
    for f in "${image%.oci.tar}".*; do
        cmp "$f" "$work/another place/$f" || fail "two builds differ"
        echo "same: ${f##*/} $(sha256sum <"$f" | cut -c1-16)"
    done
    rm -rf "$work/another place"
fi

step "what it says of itself"
size=$(stat -c %s "$image")
((size <= 12 * 1024 * 1024)) || fail "$size bytes are too many"
echo "ok: $((size / 1024)) KiB"
mkdir "$work/oci"
tar -xf "$image" -C "$work/oci"
blob() { jq -r "$2" "$work/oci/blobs/${1/://}"; }
manifest=$(jq -r '.manifests[0].digest' "$work/oci/index.json")
config=$(blob "$manifest" .config.digest)
said=$(blob "$config" '[.os, .config.User, (.config.ExposedPorts | keys | join(",")), .config.StopSignal, (.config.Entrypoint | join(" ")),
    (.config.Volumes | tostring), .config.Labels["org.opencontainers.image.version"]] | join(";")')
[[ $said == "linux;65532:65532;8080/tcp;SIGQUIT;/usr/sbin/sluice -c /etc/sluice/sluice.conf;null;$(mk/pack/version.sh)" ]] || fail "$said"
echo "ok: $said"

umoci unpack --image "$work/oci:$(jq -r '.manifests[0].annotations["org.opencontainers.image.ref.name"]' "$work/oci/index.json")" "$work/bundle" >/dev/null
# Each library is of a package that is listed, with a version, and nothing is listed that is not there.
spdx=${image%.oci.tar}.spdx.json
jq -e '.spdxVersion == "SPDX-2.3" and ([.packages[] | select(.versionInfo == "" or .name == "")] | length) == 0 and
    ([.packages[].SPDXID] | length) == ([.packages[].SPDXID] | unique | length)' "$spdx" >/dev/null || fail "the SPDX document is not right"
find "$work/bundle/rootfs" -name '*.so*' -type f | while read -r lib; do
    # The file of a library that this machine has, too; and then its package.
    path=$(readlink -f "/${lib#"$work"/bundle/rootfs/}")
    package=$(dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}")
    jq -e --arg n "${package%%:*}" --arg v "$(dpkg-query -W -f='${Version}' "${package%%: *}")" \
        'any(.packages[]; .name == $n and .versionInfo == $v)' "$spdx" >/dev/null || fail "${lib##*/} is not listed"
done
echo "ok: $(jq -r '[.packages[] | select(.SPDXID != "SPDXRef-image") | .name + " " + .versionInfo] | join(", ")' "$spdx")"

# A group that may use one CPU, of however many there are.
one_cpu()
{
    local at file=cpu.cfs_quota_us value=100000
    at=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpu(,|$)/ { print $2; exit }' /proc/mounts)
    [[ -n $at ]] || { at=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts) file=cpu.max value="100000 100000"; }
    [[ -n $at && $(nproc) -gt 1 ]] && mkdir "$at/sluice-image-$$" 2>/dev/null || return 0
    cgroup=$at/sluice-image-$$
    [[ -e $cgroup/$file ]] && echo "$value" >"$cgroup/$file" || { rmdir "$cgroup"; cgroup=; }
}

step "it runs"
one_cpu
[[ -n $cgroup ]] || echo "left out: a limit of CPUs, which cannot be set here"
(
    [[ -z $cgroup ]] || echo $BASHPID >"$cgroup/cgroup.procs"
    exec unshare --mount --pid --net --ipc --uts --cgroup --fork --kill-child mk/image/run-test.sh "$work" "$cgroup"
)
echo "image-test: all is well after $SECONDS s"
