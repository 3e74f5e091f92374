#!/bin/bash
# profile.sh - where the instructions and the time of a small request go (`make profile`): 1 KiB, keep-alive, cache hit. Two
# tables: instructions per request by step, counted by callgrind (the same at each run, to a hair), and CPU time by system call,
# sampled by perf, beside the floor. What is not installed is left out, and says so.
#
# Environment: as bench.sh; PROFILE_REQUESTS (under callgrind), PROFILE_SECONDS (of sampling).
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/common.sh"
requests=${PROFILE_REQUESTS:-20000} seconds=${PROFILE_SECONDS:-4}

start_profiled() # NAME LOG COMMAND-PREFIX...
{
    local name=$1 log=$2
    shift 2
    free_port
    cat >"$dir/$name.conf" <<END
daemon off; worker_processes 1; pid $dir/$name.pid; error_log $dir/$name.log warn; $([ "$(id -u)" != 0 ] || echo "user root;")
events { worker_connections 1024; }
http {
    access_log $log; keepalive_requests 1000000000; open_file_cache max=1000; root $dir; aio off;
    server { listen 127.0.0.1:$port; }
}
END
    start "$name" "$port" "$@" "$SLUICE" -p "$dir/" -e "$dir/$name.log" -c "$dir/$name.conf"
}

# ---- instructions ----

# count NAME LOG: instructions by file and function, "instructions file function", of the worker.
count()
{
    local name=$1 worker
    start_profiled "$name" "$2" valgrind -q --tool=callgrind --trace-children=yes --callgrind-out-file="$dir/$name.%p"
    sleep 0.5
    worker=$(family_of "${pid_of[$name]}" | tail -1)
    for _ in $(seq "$requests"); do
        echo 1k.bin
    done | on_client "$TOOLS/paths-client" fetch "${port_of[$name]}" 8 / >/dev/null || fail "$name: requests"
    stop "$name"
    sleep 0.2
    callgrind_annotate --threshold=100 --auto=no "$dir/$name.$worker" 2>/dev/null |
        awk '$1 ~ /^[0-9,]+$/ && !/PROGRAM TOTALS/ && match($0, /\) +[^ ]/) {
            where = substr($0, RSTART + RLENGTH - 1)
            gsub(/,/, "", $1)
            sub(/ \[.*/, "", where)
            i = match(where, /:[^:]*$/)
            print $1 "\t" substr(where, 1, i - 1) "\t" substr(where, i + 1) "\t" ($0 ~ /libevent/ ? "libevent" : "")
        }' >"$dir/$name.counts"
    [ -s "$dir/$name.counts" ] || fail "callgrind gave nothing"
}

instructions()
{
    if ! have valgrind || ! have callgrind_annotate; then
        echo "Instructions by step: not counted; valgrind is not installed."
        return
    fi
    say "profile: counting instructions"
    count off off
    say "profile: counting instructions, with the log"
    count log "$dir/access.log combined"
    awk -F'\t' -v requests="$requests" -f "$here/profile.awk" "$dir/off.counts" "$dir/off.counts" "$dir/log.counts" "$dir/log.counts"
}

# ---- time ----

# sample NAME PID PORT: "what us-per-request" lines in $dir/NAME.time.
sample()
{
    local name=$1 pid=$2 before after recorder report
    before=$(cpu_ns_of "$pid")
    (sleep 0.5 && exec perf record -q -e cpu-clock -F 2999 -g -p "$pid" -o "$dir/$name.perf" sleep $((seconds - 1))) >/dev/null 2>&1 &
    recorder=$!
    on_client wrk --latency -t1 -c64 -d"${seconds}s" "http://127.0.0.1:$3/1k.bin" >"$dir/wrk.out" 2>&1
    after=$(cpu_ns_of "$pid")
    wait $recorder
    report=$(read_wrk <"$dir/wrk.out")
    [ -n "$report" ] || fail "$name: wrk"
    calls_in_perf "$dir/$name.perf" "$(awk -v ns=$((after - before)) '{ print ns / 1000 / $1 }' <<<"$report")" >"$dir/$name.time"
    [ -s "$dir/$name.time" ]
}

times()
{
    local worker
    if ! have wrk || ! perf_works; then
        echo "CPU time by system call: not sampled; perf or wrk is not installed, or not allowed."
        return
    fi
    say "profile: sampling"
    start_profiled sampled off
    worker=$(family_of "${pid_of[sampled]}" | tail -1)
    free_port
    start floor "$port" "$TOOLS/floor" "$port" "$dir/1k.bin"
    { sample sampled "$worker" "${port_of[sampled]}" && sample floor "${pid_of[floor]}" "${port_of[floor]}"; } || { echo "CPU time by system call: perf gave nothing."; return; }
    awk -F'\t' -v seconds="$seconds" '
        function group(w) { return w ~ /page faults/ ? "entry, exit, interrupts" : w ~ /^recv/ ? "recv" : w ~ /^(send|write)/ ? "send" : w ~ /^epoll_p?wait/ ? "epoll_wait" : w ~ /user|entry/ ? w : "other system calls" }
        { us[FILENAME, group($1)] += $2; sum[FILENAME] += $2 }
        FNR == 1 { file[++files] = FILENAME }
        END {
            print "### CPU time of one request of 1 KiB, us, sampled by perf: 64 connections, log off\n"
            print "| in | sluice | floor | difference |"
            print "|---|---|---|---|"
            k = split("recv|send|epoll_wait|other system calls|entry, exit, interrupts|user space", order, "|")
            for (i = 1; i <= k; i++) {
                a = us[file[1], order[i]]
                b = us[file[2], order[i]]
                printf "| %s | %.2f | %.2f | %.2f |\n", order[i], a, b, a - b
            }
            printf "| all | %.2f | %.2f | %.2f |\n\n", sum[file[1]], sum[file[2]], sum[file[1]] - sum[file[2]]
        }' "$dir/sampled.time" "$dir/floor.time"
}

head -c 1024 /dev/urandom >"$dir/1k.bin"
chmod 644 "$dir/1k.bin"
{ instructions && times; } >"$dir/profile.md"
mv "$dir/profile.md" "$out/profile.md"
say ""
cat "$out/profile.md"
