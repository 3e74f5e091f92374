#!/bin/bash
# run-test.sh WORK CGROUP - runs WORK/bundle, the unpacked image, as a stranger would be run in a cluster: read-only, without capabilities,
# io_uring and Landlock. For image-test.sh, which calls it in namespaces of its own, and in CGROUP,
# which may use one CPU ("": there is no such group).
set -euo pipefail
work=$1 cgroup=$2
fail() { echo "image-test: $1" >&2; tail -n 20 "$work"/err >&2 2>/dev/null || true; exit 1; }

mount --make-rprivate /
mount -t proc proc /proc
mkdir -p "$work/cgroup/cpu"
[[ -z $cgroup ]] || mount --bind "$cgroup" "$work/cgroup/cpu"
# crun takes the hierarchy of version 2 alone.
umount -R /sys/fs/cgroup 2>/dev/null || true
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up 2>/dev/null || ifconfig lo up

srv=$work/srv at=http://127.0.0.1:8080
mkdir -p "$srv/folder" "$work/state"
chmod 755 "$work" "$srv" "$srv/folder"
: >"$srv/empty.txt"
echo "hello" >"$srv/index.html"
head -c 100003 /dev/urandom >"$srv/folder/middle.bin"
head -c 33554437 /dev/urandom >"$srv/folder/large.bin"
chmod 644 "$srv"/*.* "$srv"/folder/*
echo 'events { } http { server { listen 8080; root /srv; location = /healthz { health; } } }' >"$work/own.conf"
cp "$work/bundle/config.json" "$work/config.json"

runtime() { crun --root "$work/state" --cgroup-manager=disabled "$@"; }
get() { curl -sS --max-time 60 "$@"; }

# start UID GID [CONF]
start()
{
    jq --argjson uid "$1" --argjson gid "$2" --arg machine "$(uname -m)" --arg cgroup "$work/cgroup" --arg srv "$srv" --arg conf "${3:-}" --slurpfile profile /usr/share/containers/seccomp.json \
        -f "${0%/*}/bundle.jq" "$work/config.json" >"$work/bundle/config.json"
    runtime run --bundle "$work/bundle" --pid-file "$work/pid" it </dev/null > >(cat >"$work/out") 2> >(cat >"$work/err") &
    container=$!
    curl -s --retry 20 --retry-delay 1 --retry-connrefused --max-time 60 -o /dev/null "$at/healthz" || fail "it does not serve"
    pid=$(cat "$work/pid")
}

confined()
{
    local status=/proc/$pid/status
    grep -qP "^Uid:\t$1\t$1\t" $status && grep -qP "^Gid:\t$2\t$2\t" $status || fail "$(grep -E '^[UG]id' $status)"
    grep -qP '^CapEff:\t0+$' $status && grep -qP '^NoNewPrivs:\t1$' $status && grep -qP '^Seccomp:\t2$' $status || fail "it is not confined"
    ! awk '$2 !~ /^\/(proc|dev|sys)/ && $4 !~ /^ro(,|$)/' "/proc/$pid/mounts" | grep . || fail "something can be written"
    # Of the workers, too.
    for task in $(cat "/proc/$pid/task/$pid/children"); do
        grep -qP '^Seccomp:\t2$' "/proc/$task/status" || fail "a worker is not confined"
    done
}

served()
{
    for f in index.html empty.txt folder/middle.bin folder/large.bin; do
        get -f "$at/$f" | cmp - "$srv/$f" || fail "/$f is not as it is"
    done
    [[ $(get -f "$at/") == hello ]] || fail "the index page"
    get -f -r 20000001-29999999 "$at/folder/large.bin" | cmp - <(tail -c +20000002 "$srv/folder/large.bin" | head -c 9999999) || fail "a range"
    get -f -I "$at/folder/large.bin" | grep -qi '^content-length: 33554437' || fail "HEAD"
    [[ $(get -o /dev/null -w '%{http_code}' "$at/nothing") == 404 ]] || fail "404"
}

healthy()
{
    runtime exec it /usr/sbin/sluice healthcheck >"$work/health" || fail "healthcheck says no: $(cat "$work/health")"
    grep -q '^healthy: .*:8080/healthz: 200' "$work/health" || fail "$(cat "$work/health")"
    rc=0
    runtime exec it sluice healthcheck http://127.0.0.1:1/ 2>/dev/null || rc=$?
    [[ $rc = 1 ]] || fail "healthcheck of nothing ends with $rc"
}

# QUIT while a client has some of a file: it gets the rest, others get nothing, and the end is exit status 0.
ends_well()
{
    exec 3< <(get "$at/folder/large.bin")
    head -c 1000 <&3 >"$work/got"
    runtime kill it QUIT
    while curl -s --max-time 10 -o /dev/null "$at/healthz"; do :; done
    cat <&3 >>"$work/got"
    exec 3<&-
    cmp "$work/got" "$srv/folder/large.bin" || fail "the download was cut"
    rc=0
    wait "$container" || rc=$?
    [[ $rc = 0 ]] || fail "it ended with $rc"
}

# Lines of both logs leave as the container's output.
logged()
{
    grep -q '"GET /folder/middle.bin HTTP/1.1" 200 100003' "$work/out" || fail "standard output has no access log"
    ! grep -q healthz "$work/out" || [[ -n ${1:-} ]] || fail "health checks are logged"
    [[ -n ${1:-} ]] || grep -q 'start worker process' "$work/err" || fail "standard error has no error log"
    [[ -n ${1:-} || -z $cgroup || $(grep -c 'start worker process [0-9]' "$work/err") = 1 ]] || fail "more than one worker, where there is one CPU"
    ! grep -E '\[(error|crit|alert|emerg)\]' "$work/err" | grep -v '/srv/nothing' || fail "errors"
}

for who in $((100000 + RANDOM)):0 65532:65532 0:0; do
    start "${who%:*}" "${who#*:}"
    confined "${who%:*}" "${who#*:}"
    served
    healthy
    ends_well
    logged
    echo "ok: as $who, $(grep -o 'io_uring[^,]*' "$work/err" | head -n 1)"
done
# A configuration that says nothing of logs, pid files and the background.
start 65532 0 "$work/own.conf"
served
healthy
ends_well
logged own
echo "ok: with a configuration of four lines' worth"
