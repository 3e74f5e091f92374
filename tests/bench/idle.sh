#!/bin/bash
# idle.sh - what an idle keep-alive connection costs in process memory; sourced by bench.sh. Each connection has had one answer.
idle_count=${BENCH_IDLE:-10000} idle_tool=("$TOOLS/idle")

# Memory of the process and its children that is no file's, in KiB: what they share is divided among them. Pages of libraries do not
# count, since a client that has the same ones takes its share of these.
pss_of()
{
    local pid
    for pid in $(family_of "$1"); do
        cat "/proc/$pid/smaps_rollup" 2>/dev/null
    done | awk '$1 == "Pss_Anon:" || $1 == "Pss_Shmem:" { s += $2 } END { print s + 0 }'
}

one_idle()
{
    local name=$1 before after held
    before=$(pss_of "${pid_of[$name]}")
    coproc HOLD { exec taskset -c $client_cpu "${idle_tool[@]}" "${port_of[$name]}" "${idle_path:-/1k.bin}" "$idle_count" 2>"$dir/idle.err"; }
    if ! read -r -t 60 held <&"${HOLD[0]}"; then
        cat "$dir/idle.err" >&2
        fail "$name: connections"
    fi
    sleep 0.5
    after=$(pss_of "${pid_of[$name]}")
    row "$name" "$held" "$before" "$after" "$(awk -v d=$((after - before)) -v n="$held" 'BEGIN { printf "%.0f", d * 1024 / n }')"
    exec {HOLD[1]}>&-
    wait "$HOLD_PID" 2>/dev/null
    stop "$name"
}

bench_idle()
{
    local connections_limit=$((idle_count + 100)) limit
    limit=$(ulimit -n)
    if [ "$limit" -lt $((idle_count + 200)) ]; then
        idle_count=$((limit - 200)) connections_limit=$((limit - 100))
        echo "idle: the limit of open files allows $idle_count connections" >&2
    fi
    [ -f "$dir/1k.bin" ] || { head -c 1024 /dev/urandom >"$dir/1k.bin" && chmod 644 "$dir/1k.bin"; }
    begin_rows idle server +connections +pss_before_kib +pss_after_kib +bytes_per_connection
    say "idle: $idle_count connections"
    free_port
    start_sluice sluice "$port" "root $dir; server { listen 127.0.0.1:$port; }" "worker_processes 1; worker_rlimit_nofile $limit;"
    one_idle sluice
    if have nginx; then
        free_port
        start_nginx nginx "$port" "root $dir; server { listen 127.0.0.1:$port; }" "worker_processes 1; worker_rlimit_nofile $limit;"
        one_idle nginx
    fi
    end_rows 1
    awk -F'\t' '
        BEGIN {
            print "### Idle keep-alive connections, each after one answer\n"
            print "| server | connections | process memory before, KiB | with them, KiB | bytes per connection |"
            print "|---|---|---|---|---|"
        }
        NR > 1 { printf "| %s | %d | %d | %d | %d |\n", $1, $2, $3, $4, $5 }
        END { print "" }' "$tsv" >"$out/idle.md"
    cat "$out/idle.md"
}
