#!/bin/bash
# cold.sh - does the loop wait for a disk? Sourced by bench.sh. A few hot files under load, with and without other clients that
# fetch many small files whose pages are not in memory.
cold_rounds=${BENCH_COLD_ROUNDS:-${BENCH_ROUNDS:-3}} cold_seconds=${BENCH_COLD_SECONDS:-2} cold_files=${BENCH_COLD_FILES:-20000}
cold_kib=64 cold_connections=16 warm_files=200 warm_kib=16 warm_connections=16

start_cold_server()
{
    local cache="open_file_cache max=1000; root $dir;"
    free_port
    case $1 in
    sluice) start_sluice sluice "$port" "$cache server { listen 127.0.0.1:$port; }" ;;
    nginx.plain) start_nginx nginx.plain "$port" "$cache server { listen 127.0.0.1:$port; }" ;;
    nginx.threads) start_nginx nginx.threads "$port" "$cache aio threads; server { listen 127.0.0.1:$port; }" ;;
    esac
}

# Hot requests for a while, or until the cold ones are done: "requests requests/s p50 p99".
warm_wrk() # PORT [COLD-RESULT]
{
    local load report
    # Not by on_client: the signal below is for wrk itself, not for a subshell.
    taskset -c "$client_cpu" wrk --latency --timeout 30s -t1 -c$warm_connections -d"$([ $# -gt 1 ] && echo 120 || echo "$cold_seconds")s" -s "$here/many.lua" \
        "http://127.0.0.1:$1/" -- "$dir/warm.paths" >"$dir/wrk.out" 2>&1 &
    load=$!
    if [ $# -gt 1 ]; then
        sleep 0.2
        fetch_set "$1" cold $cold_connections >"$2" || { kill $load; fail "cold files"; }
        kill -INT $load
    fi
    wait $load
    report=$(read_wrk <"$dir/wrk.out")
    [ -n "$report" ] || { cat "$dir/wrk.out" >&2; return 1; }
    echo "$report"
}

# Names and inodes are forgotten too, where this is allowed: a cold open is a wait as well.
forget()
{
    evict_set cold
    (echo 2 >/proc/sys/vm/drop_caches) 2>/dev/null
}

one_cold_round()
{
    local name=$1 alone loaded
    start_cold_server "$name"
    fetch_set "${port_of[$name]}" warm 4 >/dev/null || fail "$name: hot files"
    alone=$(warm_wrk "${port_of[$name]}") || fail "$name, alone"
    forget
    loaded=$(warm_wrk "${port_of[$name]}" "$dir/cold.result") || fail "$name, with cold files"
    awk -v alone="$alone" -v loaded="$loaded" '
        { split(alone, a, " "); split(loaded, b, " "); print a[2], a[3], a[4], b[2], b[3], b[4], $1 / $2 / 65536, $1 / $2 / 2^20 }' "$dir/cold.result" >>"$dir/cold.$name"
    stop "$name"
}

bench_cold()
{
    local round name names=sluice values i
    have wrk || fail "no wrk; run: make bench-deps"
    ! have nginx || names="sluice nginx.plain nginx.threads"
    make_small_files warm $warm_files $warm_kib
    make_small_files cold "$cold_files" $cold_kib
    begin_rows cold server +alone_requests_per_s +alone_p50_ms +alone_p99_ms +requests_per_s +p50_ms +p99_ms +cold_files_per_s +cold_mib_per_s
    for round in $(seq "$cold_rounds"); do
        for name in $names; do
            say "cold: round $round of $cold_rounds: $name"
            one_cold_round "$name"
        done
    done
    for name in $names; do
        values=()
        for i in $(seq 8); do
            values+=("$(column "$dir/cold.$name" "$i")")
        done
        row "$name" "${values[@]}"
    done
    end_rows "$cold_rounds"
    rm -rf "$dir/cold"
    awk -F'\t' -v rounds="$cold_rounds" -v files="$cold_files" -v c="$cold_connections" -v w="$warm_connections" '
        BEGIN {
            title["sluice"] = "sluice"
            title["nginx.plain"] = "nginx, sendfile on"
            title["nginx.threads"] = "nginx, sendfile on; aio threads"
            print "### Hot files of 16 KiB (" w " connections) while " files " cold files of 64 KiB are fetched (" c " connections); medians of " rounds " rounds\n"
            print "| server | hot requests/s alone | p50, ms | p99, ms | with the cold load | p50, ms | p99, ms | cold files/s | cold MiB/s |"
            print "|---|---|---|---|---|---|---|---|---|"
        }
        NR > 1 { printf "| %s | %.0f | %.2f | %.2f | %.0f | %.2f | %.2f | %.0f | %.0f |\n", title[$1], $2, $3, $4, $5, $6, $7, $8, $9 }
        END { print "" }' "$tsv" >"$out/cold.md"
    cat "$out/cold.md"
}
