#!/bin/bash
# calls.sh - where the requests of everyday.sh and catalogue.sh spend; sourced by bench.sh. Each load three times: once under strace, which
# counts the system calls; once alone, for the voluntary switches; once under perf, which samples the time by system call.
# Calls and switches per request are nearly the same on a busy machine; shares of the time are not.
calls_files=1000

# strace_begin PID; strace_end FILE: "call calls failed" lines.
strace_begin()
{
    local pid attach=()
    for pid in $(family_of "$1"); do
        attach+=(-p "$pid")
    done
    strace -f -c -o "$dir/strace" "${attach[@]}" 2>/dev/null &
    tracer=$!
    sleep 0.5
}
strace_end()
{
    kill -INT "$tracer"
    wait "$tracer"
    awk '$4 ~ /^[0-9]+$/ && $NF != "total" { print $NF, $4, NF == 6 ? $5 : 0 }' "$dir/strace" >"$1"
}

perf_begin() # PID
{
    perf record -q -e cpu-clock -F 997 -g -p "$(family_of "$1" | paste -sd,)" -o "$dir/perf" >/dev/null 2>&1 &
    tracer=$!
    sleep 0.3
}
perf_end()
{
    kill -INT "$tracer"
    wait "$tracer"
    calls_in_perf "$dir/perf" 100 >"$1"
}

# calls_rows LOAD TITLE SERVER TRACED-REQUESTS REQUESTS SWITCHES: what was counted, from $dir/counted and $dir/shares.
calls_rows()
{
    local call calls failed share
    row "$1" "$2" "$3" switches "$(awk -v s="$6" -v n="$5" 'BEGIN { printf "%.3f", s / n }')" -
    while read -r call calls failed; do
        row "$1" "$2" "$3" "call $call" "$(awk -v c="$calls" -v n="$4" 'BEGIN { printf "%.3f", c / n }')" "$(awk -v c="$failed" -v n="$4" 'BEGIN { printf "%.3f", c / n }')"
    done <"$dir/counted"
    [ -s "$dir/shares" ] || return 0
    while IFS=$'\t' read -r call share; do
        row "$1" "$2" "$3" "time $call" "$share" -
    done <"$dir/shares"
}

wrk_requests() { awk '/ requests in / { print $1 }' "$dir/wrk.out"; }

calls_of_everyday()
{
    local name server pid traced requests switches
    set_out_loads
    loads_now=${BENCH_LOADS:-${everyday_loads[*]}}
    everyday_servers
    for name in $loads_now; do
        for server in ${servers_of[$name]}; do
            say "calls: $server"
            check_load "$server" "$name"
            pid=$(process_of "$server")
            strace_begin "$pid"
            run_load "$server" "$name"
            strace_end "$dir/counted"
            traced=$(wrk_requests)
            switches=$(switches_of "$pid")
            run_load "$server" "$name"
            switches=$(($(switches_of "$pid") - switches)) requests=$(wrk_requests)
            : >"$dir/shares"
            if [ "$sampling" = yes ]; then
                perf_begin "$pid"
                run_load "$server" "$name"
                perf_end "$dir/shares"
            fi
            calls_rows "$name" "${load_title[$name]}" "${server%%.*}" "$traced" "$requests" "$switches"
        done
    done
    for server in "${!pid_of[@]}"; do
        stop "$server"
    done
}

calls_run() # WAY SIZE pages|names: a fresh server, a cold catalogue; the tracer named by $with looks on
{
    local pid
    start_catalogue_server "$1"
    pid=${pid_of[$1]}
    [ "$with" = none ] || "${with}_begin" "$pid"
    evict_set "catalogue$2"
    [ "$3" = pages ] || can_forget_names
    switches=$(switches_of "$pid")
    fetch_set "$port" "catalogue$2" 8 >/dev/null || fail "$1: files of $2 KiB"
    switches=$(($(switches_of "$pid") - switches))
    case $with in
    strace) strace_end "$dir/counted" ;;
    perf) perf_end "$dir/shares" ;;
    esac
    stop "$1"
}

calls_of_catalogue()
{
    local size what whats=pages way with switches
    ! can_forget_names || whats="pages names"
    catalogue_files=$calls_files
    for size in 8 64; do
        make_catalogue $size
        for what in $whats; do
            for way in $catalogue_ways; do
                [[ $way == sluice* ]] || have "${way%%-*}" || continue
                say "calls: catalogue, $size KiB, $what, $way"
                : >"$dir/shares"
                with=strace && calls_run "$way" $size "$what"
                [ "$sampling" != yes ] || { with=perf && calls_run "$way" $size "$what"; }
                with=none && calls_run "$way" $size "$what"
                calls_rows "catalogue.$size.$what" "catalogue, $size KiB, 8 connections$([ "$what" = pages ] || echo ", names")" "$way" $calls_files $calls_files "$switches"
            done
        done
    done
}

bench_calls()
{
    local loads_now sampling=no
    have wrk || fail "no wrk; run: make bench-deps"
    have strace || fail "no strace"
    ! perf_works || sampling=yes
    begin_rows calls load title server what +per_request +failed
    calls_of_everyday
    [ -n "${BENCH_LOADS:-}" ] || calls_of_catalogue
    end_rows
    awk -f "$here/calls.awk" -v table=calls "$tsv" >"$out/calls.md"
    awk -f "$here/calls.awk" -v table=time "$tsv" >"$out/calls-time.md"
    cat "$out/calls.md" "$out/calls-time.md"
}
