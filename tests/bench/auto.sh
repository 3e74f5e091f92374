#!/bin/bash
# auto.sh - `directio auto` beside fixed thresholds, in a memory cgroup (`make bench-auto`). Server on CPU 0, clients on
# CPU 1; the ways take turns in every round; what is printed are medians, as Markdown. Needs root and a memory cgroup
# (version 2 or 1); says so and ends well where there is none.
#
# zipf: many files of 5 MiB, asked for by rank. crawl: as many bytes again, each file once. mixed: both, and a hot set of
# small files (asked for at a fixed pace) whose latency is the question. paced: the same, but large files are asked for at
# a fixed pace too, so that the latency is not that of a worker who is busy because it sends more.
#
# Environment: SLUICE, CROWD (binaries), AUTO_ROUNDS, AUTO_SECONDS, AUTO_WARM, AUTO_FILES, AUTO_CRAWL (files), AUTO_MEMORY
# (MiB of the cgroup), AUTO_WAYS (values of directio), AUTO_WORKLOADS, AUTO_USER (of the worker; "nobody nogroup" does not own the files, so that
# newer kernels do not tell it what is in the page cache), BENCH_DIR (a folder on the disk to measure), BENCH_OUT (of auto.md).
set -u
SLUICE=${SLUICE:-build/sluice} CROWD=${CROWD:-build/release/crowd}
rounds=${AUTO_ROUNDS:-1} seconds=${AUTO_SECONDS:-10} warm=${AUTO_WARM:-5} files=${AUTO_FILES:-300} crawl=${AUTO_CRAWL:-700}
memory=${AUTO_MEMORY:-300} user=${AUTO_USER:-root} hot=400 out=${BENCH_OUT:-build/bench}
read -r -a ways <<<"${AUTO_WAYS:-auto 4m off}"
read -r -a workloads <<<"${AUTO_WORKLOADS:-zipf crawl mixed paced}"

fail() { echo "bench-auto: $*" >&2; exit 1; }
skip() { echo "bench-auto: skipped: $*"; exit 0; }
[ -x "$SLUICE" ] || fail "no $SLUICE"
[ -x "$CROWD" ] || fail "no $CROWD"
[ "$(id -u)" = 0 ] || skip "a memory cgroup needs root"

# A group below the root one, with a limit: $group.
make_group()
{
    local folder limit
    for folder in /sys/fs/cgroup /sys/fs/cgroup/memory; do
        group=$folder/sluice-auto.$$
        mkdir "$group" 2>/dev/null || continue
        for limit in memory.max memory.limit_in_bytes; do
            [ -e "$group/$limit" ] && echo $((memory << 20)) >"$group/$limit" && return 0
        done
        rmdir "$group"
    done
    return 1
}

pid= group= dir=
stop_server()
{
    [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    pid=
}
clean_up()
{
    stop_server
    [ -n "$group" ] && for _ in 1 2 3 4 5 6 7 8 9 10; do rmdir "$group" 2>/dev/null && break; sleep 0.1; done
    [ -n "$dir" ] && rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
make_group || { group=; skip "no memory cgroup can be made here"; }
rmdir "$group"
dir=$(mktemp -d "${BENCH_DIR:-build}/auto.XXXXXX") && dir=$(cd "$dir" && pwd) || exit 1
chmod 755 "$dir"

cpus=$(nproc)
client_cpu=$((cpus > 1 ? 1 : 0))
port=$((20000 + $$ % 10000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done

make_files()
{
    mkdir "$dir/zipf" "$dir/crawl" "$dir/hot" || exit 1
    "$CROWD" make "$dir/zipf" "$files" $((5 << 20)) && "$CROWD" make "$dir/crawl" "$crawl" $((5 << 20)) &&
        "$CROWD" make "$dir/hot" $hot $((64 << 10)) || exit 1
    sync -f "$dir"
}

evict()
{
    "$CROWD" evict "$dir/zipf" "$files" && "$CROWD" evict "$dir/crawl" "$crawl" && "$CROWD" evict "$dir/hot" $hot
}

# start WAY: with a cold page cache, in a fresh group.
start()
{
    cat >"$dir/sluice.conf" <<END
user $user; daemon off; worker_processes 1; pid $dir/sluice.pid; error_log $dir/sluice.log warn;
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 1000000000; open_file_cache max=4000;
    server { listen 127.0.0.1:$port; root $dir; directio $1; }
}
END
    evict
    make_group || fail "no memory cgroup"
    (echo "$BASHPID" >"$group/cgroup.procs" && exec taskset -c 0 "$SLUICE" -p "$dir/" -e "$dir/sluice.log" -c "$dir/sluice.conf") &
    pid=$!
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.02
    done
    cat "$dir/sluice.log" >&2
    fail "sluice does not start"
}

stop()
{
    stop_server
    for _ in $(seq 50); do rmdir "$group" 2>/dev/null && return; sleep 0.05; done
}

# What the server's processes have read from disks, bytes.
disk_bytes()
{
    local p total=0 n
    for p in $(cat "$group/cgroup.procs"); do
        n=$(awk '/^read_bytes/ { print $2 }' "/proc/$p/io" 2>/dev/null)
        total=$((total + ${n:-0}))
    done
    echo $total
}

# run WAY WORKLOAD: appends samples.
run()
{
    local kinds warm_here=$warm out before after
    case $2 in
        zipf) kinds="zipf:8:$files" ;;
        crawl) kinds="crawl:4:$crawl" warm_here=0 ;;
        mixed) kinds="hot:8:$hot:5 zipf:4:$files crawl:2:$crawl" ;;
        *) kinds="hot:8:$hot:5 zipf:4:$files:50 crawl:2:$crawl:50" ;; # 400 and 200 MiB/s, where the machine keeps up
    esac
    start "$1"
    before=$(disk_bytes)
    # shellcheck disable=SC2086
    out=$(taskset -c $client_cpu "$CROWD" "$port" "$seconds" "$warm_here" $kinds) || fail "$1, $2: crowd failed"
    after=$(disk_bytes)
    while read -r kind requests bytes time p50 p99; do
        echo "$requests" >>"$dir/$2.$kind.requests.$1"
        awk -v b="$bytes" -v t="$time" 'BEGIN { print (t > 0 ? b / t / 1048576 : 0) }' >>"$dir/$2.$kind.rate.$1"
        echo "$p50" >>"$dir/$2.$kind.p50.$1"
        echo "$p99" >>"$dir/$2.$kind.p99.$1"
    done <<<"$out"
    echo $(((after - before) >> 20)) >>"$dir/$2.disk.$1"
    stop
}

median() { sort -g "$@" | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

# row TITLE SAMPLES FORMAT
row()
{
    local way line="| $1 |"
    [ -e "$dir/$2.${ways[0]}" ] || return
    for way in "${ways[@]}"; do
        line="$line $(printf "$3" "$(median "$dir/$2.$way")") |"
    done
    echo "$line"
}

report()
{
    echo "$(uname -sr), $cpus CPUs, $(df -T "$dir" | awk 'NR == 2 { print $2 }'); cgroup of $memory MiB; $files and $crawl files of 5 MiB," \
        "$hot of 64 KiB; worker as $user; $seconds s after $warm s; medians of $rounds"
    echo
    printf '| |'; printf ' directio %s |' "${ways[@]}"; echo
    printf '|---|'; printf -- '---:|%.0s' "${ways[@]}"; echo
    row "Zipf, MiB/s" zipf.zipf.rate %.0f
    row "Zipf, p50 ms" zipf.zipf.p50 %.1f
    row "Zipf, MiB read from the disk" zipf.disk %.0f
    row "crawl, MiB/s" crawl.crawl.rate %.0f
    row "mixed: Zipf, MiB/s" mixed.zipf.rate %.0f
    row "mixed: crawl, MiB/s" mixed.crawl.rate %.0f
    row "mixed: hot p50, ms" mixed.hot.p50 %.2f
    row "mixed: hot p99, ms" mixed.hot.p99 %.2f
    row "mixed: MiB read from the disk" mixed.disk %.0f
    row "paced: Zipf, MiB/s" paced.zipf.rate %.0f
    row "paced: crawl, MiB/s" paced.crawl.rate %.0f
    row "paced: Zipf p99, ms" paced.zipf.p99 %.1f
    row "paced: hot p50, ms" paced.hot.p50 %.2f
    row "paced: hot p99, ms" paced.hot.p99 %.2f
    row "paced: MiB read from the disk" paced.disk %.0f
}

make_files
for _ in $(seq "$rounds"); do
    for workload in "${workloads[@]}"; do
        for way in "${ways[@]}"; do
            echo "$workload, directio $way" >&2
            run "$way" "$workload"
        done
    done
done
mkdir -p "$out" && report | tee "$out/auto.md"
