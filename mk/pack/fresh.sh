# fresh.sh - fresh minimal Debians, with and without a systemd that runs in them. Sourced by bash scripts; needs root,
# mmdebstrap, unshare, nsenter. The archive is the one that this machine's own apt uses.

# shellcheck shell=bash
FRESH_SUITE=${FRESH_SUITE:-bookworm}

# Says what is missing, and returns 1.
fresh_works()
{
    [[ $(id -u) = 0 ]] || { echo "this is not root"; return 1; }
    command -v mmdebstrap >/dev/null || { echo "there is no mmdebstrap"; return 1; }
    unshare --mount --pid --net --uts --ipc --fork --kill-child true 2>/dev/null || { echo "namespaces cannot be made here"; return 1; }
}

fresh_sources()
{
    apt-get indextargets --format '$(ORIGIN)|deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' | sed -n 's/^Debian|//p'
}

# fresh_base TAR: a minbase, unless one that is less than a day old is there already. 15 to 60 s.
fresh_base()
{
    local tar=$1 work
    [[ -z $(find "$tar" -mmin -1440 2>/dev/null) ]] || return 0
    work=$(mktemp -d)
    fresh_sources >"$work/sources"
    apt-config dump | grep '^Acquire::' >"$work/apt.conf"
    [[ -s $work/sources ]] || { echo "apt has no Debian archive here" >&2; rm -rf "$work"; return 1; }
    mkdir -p "${tar%/*}"
    mmdebstrap --quiet --mode=root --variant=minbase --aptopt="$work/apt.conf" "$FRESH_SUITE" "${tar%.tar}.new.tar" "$work/sources" &&
        mv "${tar%.tar}.new.tar" "$tar"
    local rc=$?
    rm -rf "$work"
    return $rc
}

# fresh_root TAR DIR PACKAGES...: unpacks it, and installs these, with this machine's network.
fresh_root()
{
    local tar=$1 dir=$2
    shift 2
    mkdir -p "$dir"
    tar -xf "$tar" -C "$dir"
    cp -L /etc/resolv.conf "$dir/etc/resolv.conf" 2>/dev/null || true
    printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
    chmod 755 "$dir/usr/sbin/policy-rc.d"
    fresh_chroot "$dir" sh -c 'apt-get -qq update && apt-get -qq -y install --no-install-recommends "$@" >/dev/null' sh "$@"
    rm -f "$dir/usr/sbin/policy-rc.d"
}

# fresh_chroot DIR COMMAND...: with the network of this machine and a /proc of its own; all that it started ends with it.
fresh_chroot()
{
    local dir=$1
    shift
    # shellcheck disable=SC2016
    unshare --mount --pid --fork --kill-child -- sh -c '
        mount --make-rprivate /
        mount -t proc proc "$1/proc"
        mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
        mount --rbind /dev "$1/dev"
        dir=$1
        shift
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} chroot "$dir" "$@"' sh "$dir" "$@"
}

# A cgroup of our own in the unified hierarchy, wherever that is mounted.
fresh_cgroup()
{
    local at
    at=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    [[ -n $at ]] || { echo "there is no unified cgroup hierarchy" >&2; return 1; }
    mkdir "$at/sluice-fresh-$$" && echo "$at/sluice-fresh-$$"
}

# fresh_boot DIR: starts DIR's systemd, without a network but lo. Sets FRESH_PID, its first process as we see it.
fresh_boot()
{
    local dir=$1 tries
    FRESH_CGROUP=$(fresh_cgroup) || return 1
    ln -sf /dev/null "$dir/etc/systemd/system/console-getty.service"
    ln -sf /dev/null "$dir/etc/systemd/system/apt-daily.timer"
    ln -sf /dev/null "$dir/etc/systemd/system/apt-daily-upgrade.timer"
    : >"$dir/etc/machine-id"
    # shellcheck disable=SC2016
    (
        echo $BASHPID >"$FRESH_CGROUP/cgroup.procs"
        exec unshare --mount --pid --net --uts --ipc --cgroup --fork --kill-child -- sh -ec '
            dir=$1
            mount --make-rprivate /
            mount --bind "$dir" "$dir"
            ip link set lo up 2>/dev/null || true
            hostname fresh
            mount -t proc proc "$dir/proc"
            mount -t sysfs -o ro sysfs "$dir/sys"
            mount -t cgroup2 cgroup2 "$dir/sys/fs/cgroup"
            mount -t tmpfs -o mode=755 tmpfs "$dir/run"
            mount -t tmpfs -o mode=1777 tmpfs "$dir/tmp"
            mount -t tmpfs -o mode=755 tmpfs "$dir/dev"
            mkdir "$dir/dev/shm" "$dir/dev/pts"
            for d in null zero full random urandom tty; do
                : >"$dir/dev/$d"
                mount --bind "/dev/$d" "$dir/dev/$d"
            done
            mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$dir/dev/pts"
            ln -s pts/ptmx "$dir/dev/ptmx"
            ln -s /proc/self/fd "$dir/dev/fd"
            ln -s /proc/self/fd/0 "$dir/dev/stdin"
            ln -s /proc/self/fd/1 "$dir/dev/stdout"
            ln -s /proc/self/fd/2 "$dir/dev/stderr"
            cd "$dir"
            mkdir -p old
            pivot_root . old
            umount -l /old
            rmdir /old
            exec env -i container=x PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target </dev/null >/dev/null 2>&1
        ' sh "$dir"
    ) &
    FRESH_UNSHARE=$!
    for ((tries = 300; tries > 0; tries--)); do
        read -r FRESH_PID _ 2>/dev/null <"/proc/$FRESH_UNSHARE/task/$FRESH_UNSHARE/children" || true
        [[ -n $FRESH_PID ]] && fresh_in systemctl is-active --quiet multi-user.target 2>/dev/null && return 0
        sleep 0.1
    done
    echo "systemd did not start in $dir" >&2
    return 1
}

# fresh_in COMMAND...: in the Debian that fresh_boot started.
fresh_in()
{
    nsenter -t "$FRESH_PID" -a -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

fresh_stop()
{
    [[ -n ${FRESH_UNSHARE:-} ]] || return 0
    [[ -z ${FRESH_PID:-} ]] || kill -KILL "$FRESH_PID" 2>/dev/null || true
    kill -KILL "$FRESH_UNSHARE" 2>/dev/null || true
    wait "$FRESH_UNSHARE" 2>/dev/null || true
    FRESH_UNSHARE='' FRESH_PID=''
    local cg tries
    for ((tries = 50; tries > 0; tries--)); do
        for cg in $(find "$FRESH_CGROUP" -depth -type d 2>/dev/null); do
            rmdir "$cg" 2>/dev/null || true
        done
        [[ -d $FRESH_CGROUP ]] || return 0
        sleep 0.1
    done
}
