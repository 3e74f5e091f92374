#!/bin/bash
# hotset.sh - does a huge download evict what is hot? Sourced by bench.sh. The server runs in a memory cgroup that is smaller than
# the streams: 3,000 small files are asked for while four large files are fetched again and again. Needs root.
hot_rounds=${BENCH_HOT_ROUNDS:-${BENCH_ROUNDS:-3}} hot_seconds=${BENCH_HOT_SECONDS:-3} hot_connections=8
hot_files=3000 hot_kib=64 hot_limit_mb=500

# A cgroup below our own, or else as near to it as one can be made; into $cgroup. Version 2 first, then 1.
make_cgroup()
{
    local base mount limit=$((hot_limit_mb * 1000 * 1000))
    [ "$(id -u)" = 0 ] || return 1
    mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    base=$(awk -F: '$1 == 0 { print $3 }' /proc/self/cgroup)
    while [ -n "$mount" ]; do
        if grep -qw memory "$mount$base/cgroup.subtree_control" 2>/dev/null && mkdir "$mount$base/sluice-bench.$$" 2>/dev/null; then
            cgroup=$mount${base%/}/sluice-bench.$$
            echo $limit >"$cgroup/memory.max" && return 0
        fi
        [ "$base" != / ] || break
        base=${base%/*} base=${base:-/}
    done
    mount=$(awk '$3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ { print $2; exit }' /proc/mounts)
    base=$(awk -F: '$2 == "memory" { print $3 }' /proc/self/cgroup)
    [ -n "$mount" ] && mkdir "$mount$base/sluice-bench.$$" 2>/dev/null || return 1
    cgroup=$mount${base%/}/sluice-bench.$$
    echo $limit >"$cgroup/memory.limit_in_bytes"
}

hot_wrk() # PORT SECONDS: "requests requests/s p50 p99"
{
    local report
    on_client timeout -k 5 $(($2 + 60)) wrk --latency --timeout 30s -t1 -c$hot_connections -d"${2}s" -s "$here/many.lua" "http://127.0.0.1:$1/" -- "$dir/hot.paths" >"$dir/wrk.out" 2>&1
    report=$(read_wrk <"$dir/wrk.out")
    [ -n "$report" ] || { cat "$dir/wrk.out" >&2; return 1; }
    echo "$report"
}
hot_resident() { find "$dir/hot" -type f -print0 | xargs -0 fincore -b -n -o RES 2>/dev/null | awk '{ s += $1 } END { printf "%.1f", s / 1048576 }'; }

start_hot_server()
{
    local cache="open_file_cache max=10000 inactive=600s; open_file_cache_valid 60s; root $dir;"
    free_port
    case $1 in
    sluice) start_sluice sluice "$port" "$cache directio 4m; server { listen 127.0.0.1:$port; }" ;;
    nginx.plain) start_nginx nginx.plain "$port" "$cache server { listen 127.0.0.1:$port; }" ;;
    nginx.direct) start_nginx nginx.direct "$port" "$cache aio threads; directio 4m; output_buffers 2 512k; server { listen 127.0.0.1:$port; }" ;;
    esac
}

# The pages belong to the cgroup of whoever reads them first: evicted, then fetched from the server.
one_hot_round()
{
    local name=$1 idle loaded before streams drain
    evict_set hot
    evict "$dir"/big?
    into_cgroup=$cgroup
    start_hot_server "$name"
    into_cgroup=
    fetch_set "${port_of[$name]}" hot 4 >/dev/null || fail "$name: hot set"
    fetch_set "${port_of[$name]}" hot 4 >/dev/null
    idle=$(hot_wrk "${port_of[$name]}" "$hot_seconds") || fail "$name, idle"
    before=$(hot_resident)
    # The streams' client gives way to the hot set's on their common CPU: what is measured is the server's waiting.
    on_client chrt --idle 0 "$TOOLS/drain" -t $((hot_seconds * 2 + 2)) "${port_of[$name]}" /big1 /big2 /big3 /big4 >"$dir/drain.out" &
    drain=$!
    sleep 1
    loaded=$(hot_wrk "${port_of[$name]}" $((hot_seconds * 2))) || fail "$name, streaming"
    streams=$(hot_resident)
    wait $drain || fail "$name, streams"
    awk -v idle="$idle" -v loaded="$loaded" -v before="$before" -v after="$streams" '
        { split(idle, a, " "); split(loaded, b, " ")
          print a[2], a[3], a[4], b[2], b[3], b[4], b[2] / a[2], $1 / $2 / 1e6, before, after }' "$dir/drain.out" >>"$dir/hot.$name"
    stop "$name"
}

bench_hotset()
{
    local round name names=sluice values i
    have fincore || fail "no fincore (util-linux)"
    if ! make_cgroup; then
        echo "hotset: skipped: no memory cgroup can be made here (root?)" | tee "$out/hotset.md"
        return
    fi
    ! have nginx || names="sluice nginx.plain nginx.direct"
    make_big_files
    make_small_files hot $hot_files $hot_kib
    begin_rows hotset server +idle_requests_per_s +idle_p50_ms +idle_p99_ms +requests_per_s +p50_ms +p99_ms +kept +streams_mb_per_s \
        +resident_before_mib +resident_after_mib
    for round in $(seq "$hot_rounds"); do
        for name in $names; do
            say "hotset: round $round of $hot_rounds: $name"
            one_hot_round "$name"
        done
    done
    for name in $names; do
        values=()
        for i in $(seq 10); do
            values+=("$(column "$dir/hot.$name" "$i")")
        done
        row "$name" "${values[@]}"
    done
    end_rows "$hot_rounds"
    rmdir "$cgroup" 2>/dev/null && cgroup=
    awk -F'\t' -v rounds="$hot_rounds" -v files="$hot_files" -v kib="$hot_kib" -v mb="$hot_limit_mb" -v c="$hot_connections" '
        BEGIN {
            title["sluice"] = "sluice, directio 4m"
            title["nginx.plain"] = "nginx, sendfile on"
            title["nginx.direct"] = "nginx, sendfile on; aio threads; directio 4m; output_buffers 2 512k"
            print "### A hot set in a memory cgroup of " mb " MB: " files " files of " kib " KiB, " c " connections, four large streams in a loop; medians of " rounds " rounds\n"
            print "| server | hot requests/s idle | p50, ms | p99, ms | while streaming | p50, ms | p99, ms | kept | streams MB/s | hot MiB resident before | after |"
            print "|---|---|---|---|---|---|---|---|---|---|---|"
        }
        NR > 1 { printf "| %s | %.0f | %.2f | %.2f | %.0f | %.2f | %.2f | %.2f | %.0f | %.0f | %.0f |\n", title[$1], $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 }
        END { print "" }' "$tsv" >"$out/hotset.md"
    cat "$out/hotset.md"
}
