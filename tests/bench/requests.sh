#!/bin/bash
# requests.sh - the price of a request from memory; sourced by bench.sh. One table over sizes for four servers, then one
# thing varied at a time: connections, keep-alive, pipelining, the log, workers, and how the head is sent before the body.
rounds=${BENCH_ROUNDS:-5} seconds=${BENCH_SECONDS:-1} sizes=${BENCH_SIZES:-1 4 16 64 256 1024} connections=${BENCH_CONNECTIONS:-64}
request_sets=${BENCH_SETS:-sizes varied head workers}

start_request_servers()
{
    local one_port log_port push_port common
    common="open_file_cache max=1000;"
    free_port && one_port=$port
    free_port && log_port=$port
    free_port && push_port=$port
    start_sluice sluice "$one_port" "$common root $dir; server { listen 127.0.0.1:$one_port; }
        server { listen 127.0.0.1:$log_port; access_log $dir/sluice.access combined; }
        server { listen 127.0.0.1:$push_port; tcp_nopush on; }"
    port_of[sluice.log]=$log_port port_of[sluice.nopush]=$push_port
    servers=sluice
    if have nginx; then
        free_port && one_port=$port
        free_port && log_port=$port
        free_port && push_port=$port
        start_nginx nginx "$one_port" "$common root $dir; server { listen 127.0.0.1:$one_port; }
            server { listen 127.0.0.1:$log_port; access_log $dir/nginx.access combined buffer=64k flush=1s; }
            server { listen 127.0.0.1:$push_port; tcp_nopush on; }"
        port_of[nginx.log]=$log_port port_of[nginx.nopush]=$push_port
        servers="$servers nginx"
    fi
    have lighttpd || return 0
    free_port
    start_lighttpd lighttpd "$port"
    servers="$servers lighttpd"
}

# The process behind a name like nginx.nopush.
process_of() { [ -n "${pid_of[$1]:-}" ] && echo "${pid_of[$1]}" || echo "${pid_of[${1%%.*}]}"; }

# wrk_round NAME PATH CONNECTIONS STATUS WRK-OPTION...: a round of wrk; "cpu-us total-us requests/s p50 p99" into $dir/round. All
# responses are errors where STATUS begins with 4, and none otherwise.
wrk_round()
{
    local name=$1 path=$2 conns=$3 errors='' pid before after busy report
    [[ $4 != 4* ]] || errors=errors
    shift 4
    pid=$(process_of "$name")
    before=$(cpu_ns_of "$pid") busy=$(busy_ticks)
    on_client timeout -k 5 $((seconds + 60)) wrk --latency --timeout 10s -t1 -c"$conns" -d"${seconds}s" "${url_scheme:-http}://127.0.0.1:${port_of[$name]}$path" "$@" >"$dir/wrk.out" 2>&1
    after=$(cpu_ns_of "$pid") busy=$(($(busy_ticks) - busy))
    report=$(read_wrk $errors <"$dir/wrk.out")
    [ -n "$report" ] || { cat "$dir/wrk.out" >&2; return 1; }
    awk -v ns=$((after - before)) -v busy=$busy -v hz="$hz" \
        '{ printf "%.3f %.3f %s %s %s\n", ns / 1000 / $1, busy / hz * 1e6 / $1, $2, $3, $4 }' <<<"$report" >"$dir/round"
}

# one_round SET SIZE CONNECTIONS SERVER [SCRIPT]: appends a round to the samples. wrk has no latency to tell where it pipelines.
one_round()
{
    local set=$1 size=$2 conns=$3 name=$4 script=()
    [ $# -lt 5 ] || script=(-s "$here/$5")
    wrk_round "$name" "/${size}k.bin" "$conns" 200 "${script[@]}" || fail "$name does not answer ${size}k.bin well ($set)"
    awk -v set="$set" '{ if (set == "pipelined") $4 = $5 = "-"; print }' "$dir/round" >>"$dir/samples.$set.$size.$conns.$name"
}

# run_group ENTRY...: interleaved rounds over all of them, then a row of medians for each. An entry: the words of one_round, or of the
# function that one_round_by names.
run_group()
{
    local round entry words at
    for round in $(seq "$rounds"); do
        for entry; do
            read -r -a words <<<"$entry"
            say "requests: round $round of $rounds: ${words[*]:0:4}"
            "${one_round_by:-one_round}" "${words[@]}"
        done
    done
    for entry; do
        read -r -a words <<<"$entry"
        at="$dir/samples.${words[0]}.${words[1]}.${words[2]}.${words[3]}"
        row "${words[@]:0:4}" "$(column "$at" 1)" "$(column "$at" 2)" "$(column "$at" 3)" "$(column "$at" 4)" "$(column "$at" 5)"
    done
}

start_floor() # NAME SIZE WORDS...
{
    local name=$1 size=$2
    shift 2
    free_port
    start "$name" "$port" "$TOOLS/floor" "$port" "$dir/${size}k.bin" "$@"
}

run_sizes()
{
    local size name entries
    for size in $sizes; do
        start_floor floor "$size"
        entries=()
        for name in floor $servers; do
            entries+=("sizes $size $connections $name")
        done
        run_group "${entries[@]}"
        stop floor
    done
}

run_varied()
{
    local name entries=() c
    start_floor floor 1
    start_floor floor.close 1 close
    for c in 1 64 1000; do
        for name in floor sluice nginx; do
            entries+=("connections 1 $c $name")
        done
    done
    entries+=("log 1 64 sluice.log" "log 1 64 nginx.log")
    for name in floor.close sluice nginx; do
        entries+=("close 1 64 $name close.lua")
    done
    for name in sluice nginx; do
        entries+=("pipelined 1 64 $name pipeline.lua")
    done
    have nginx || mapfile -t entries < <(printf '%s\n' "${entries[@]}" | grep -v ' nginx')
    run_group "${entries[@]}"
    stop floor
    stop floor.close
}

# The head, then the body: in one segment with its beginning (MSG_MORE, tcp_nopush) or on its own.
run_head()
{
    local size name entries
    for size in 64 256; do
        start_floor floor "$size" more
        start_floor floor.split "$size" split
        entries=()
        for name in floor floor.split sluice sluice.nopush nginx nginx.nopush; do
            [ -n "$(process_of $name)" ] && entries+=("head $size 64 $name")
        done
        run_group "${entries[@]}"
        stop floor
        stop floor.split
    done
}

# On both CPUs, as the client is.
run_workers()
{
    local entries=("workers 1 64 sluice.two")
    on_cpus=$server_cpu,$client_cpu
    free_port
    start_sluice sluice.two "$port" "open_file_cache max=1000; root $dir; server { listen 127.0.0.1:$port; }" "worker_processes 2;"
    if have nginx; then
        free_port
        start_nginx nginx.two "$port" "open_file_cache max=1000; root $dir; server { listen 127.0.0.1:$port reuseport; }" "worker_processes 2;"
        entries+=("workers 1 64 nginx.two")
    fi
    on_cpus=$server_cpu
    run_group "${entries[@]}"
}

bench_requests()
{
    local size set
    have wrk || fail "no wrk; run: make bench-deps"
    for size in $sizes 1 64 256; do
        [ -f "$dir/${size}k.bin" ] || head -c $((size * 1024)) /dev/urandom >"$dir/${size}k.bin"
    done
    chmod 644 "$dir"/*k.bin
    start_request_servers
    begin_rows requests set +size_kib +connections server +cpu_us +total_cpu_us +requests_per_s +p50_ms +p99_ms
    for set in $request_sets; do
        "run_$set"
    done
    end_rows "$rounds"
    for name in $servers; do
        stop "$name"
    done
    awk -f "$here/requests.awk" -v rounds="$rounds" -v seconds="$seconds" "$tsv" >"$out/requests.md"
    awk -f "$here/chart.awk" "$tsv" >"$out/bench.svg"
    cat "$out/requests.md"
}
