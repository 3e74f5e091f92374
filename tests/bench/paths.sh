#!/bin/bash
# paths.sh - the ways that bytes can take, over the same files (`make paths`): read and write, mmap and write, sendfile, direct and
# asynchronous, and the policy that chooses by size. Each is forced with io_method in one running sluice with one worker
# on CPU 0; the client on CPU 1 throws the bytes away. Rounds are interleaved; what is printed are medians, as Markdown.
# Also writes docs/performance-paths.md and docs/paths.svg.
#
# System calls are counted in runs of their own (perf, else strace). Cold: the files' pages are dropped before.
#
# Environment: SLUICE, PATHS (binaries), PATHS_ROUNDS, PATHS_MIB (of large files in all), PATHS_DIR (a folder on the disk to measure),
# PATHS_OUT (where the documents go), PATHS_SECONDS (no new round is begun after them).
set -u
SLUICE=${SLUICE:-build/sluice} CLIENT=${PATHS:-build/release/paths-client}
rounds=${PATHS_ROUNDS:-3} mib=${PATHS_MIB:-1024} out=${PATHS_OUT:-docs} most_seconds=${PATHS_SECONDS:-100}
large_files=4 small_kib=64 directio=4m
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

fail() { echo "paths: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
for tool in taskset fincore awk; do
    have $tool || fail "no $tool"
done
[ -x "$SLUICE" ] || fail "no $SLUICE"
[ -x "$CLIENT" ] || fail "no $CLIENT"
SLUICE=$(realpath "$SLUICE") CLIENT=$(realpath "$CLIENT")

dir=$(mktemp -d "${PATHS_DIR:-build}/paths.XXXXXX") && dir=$(realpath "$dir") || exit 1
chmod 755 "$dir"
server='' counter=''
clean_up()
{
    [ -z "$counter" ] || kill -INT "$counter" 2>/dev/null
    [ -z "$server" ] || kill -TERM "$server" 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM
say() { [ ! -t 2 ] || printf '\r%-78s' "$*" >&2; }

# ---- files and server ----

make_files()
{
    local i small=$((mib * 1024 / 4 / small_kib))
    [ "$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')" -gt $((mib * 2)) ] || fail "not enough space in $dir"
    [ "$(awk '/^MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)" -gt $((mib * 2)) ] ||
        fail "not enough memory to keep $((mib * 5 / 4)) MiB of files in the page cache; try PATHS_MIB=256"
    mkdir "$dir/large" "$dir/small"
    say "making files"
    for i in $(seq $large_files); do
        head -c $((mib / large_files))M /dev/urandom >"$dir/large/$i"
        echo "$i" >>"$dir/large.names"
    done
    head -c $((mib / 4))M /dev/urandom | split -a 5 -d -b ${small_kib}k - "$dir/small/"
    (cd "$dir/small" && printf '%s\n' *) >"$dir/small.names"
    [ "$(wc -l <"$dir/small.names")" = $small ] || fail "cannot make the files"
    chmod -R a+rX "$dir"
    sync -f "$dir"
}

next_port=$((20000 + $$ % 10000))
start_server()
{
    local way locations=
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do
        next_port=$((next_port + 1))
    done
    port=$next_port
    for way in buffered mmap sendfile direct; do
        locations="$locations location /$way/ { alias $dir/; io_method $way; }"
    done
    cat >"$dir/sluice.conf" <<END
daemon off; worker_processes 1; pid $dir/sluice.pid; error_log $dir/sluice.log warn; $([ "$(id -u)" != 0 ] || echo "user root;")
events { worker_connections 1024; }
http {
    access_log off; keepalive_requests 1000000000; open_file_cache max=100000 inactive=600s; aio on;
    server { listen 127.0.0.1:$port; $locations location /policy/ { alias $dir/; directio $directio; } }
}
END
    taskset -c 0 "$SLUICE" -p "$dir/" -e "$dir/sluice.log" -c "$dir/sluice.conf" >"$dir/out" 2>&1 &
    server=$!
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
        sleep 0.02
    done
    # It is the worker that answers; before it, a child that is soon gone tries the disk readers.
    { exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /answer HTTP/1.0\r\n\r\n' >&3 && read -r -t 10 _ <&3; exec 3>&-; } 2>/dev/null
    read -r worker _ 2>/dev/null <"/proc/$server/task/$server/children"
    [ -n "${worker:-}" ] || { cat "$dir/out" "$dir/sluice.log" >&2; fail "sluice does not start"; }
}

ways="buffered mmap sendfile direct policy"
title()
{
    case $1 in
    buffered) echo "read + write" ;;
    mmap) echo "mmap + write" ;;
    sendfile) echo "sendfile" ;;
    direct) echo "direct, asynchronous" ;;
    policy) echo "policy (directio $directio)" ;;
    esac
}

# ---- measuring ----

# Nanoseconds of CPU, and voluntary context switches, of all threads of the worker.
cpu_now()
{
    local ns total=0 file
    for file in /proc/"$worker"/task/*/schedstat; do
        read -r ns _ 2>/dev/null <"$file" && total=$((total + ns))
    done
    echo $total
}
switches_now() { cat /proc/"$worker"/task/*/status 2>/dev/null | awk '/^voluntary_ctxt_switches/ { s += $2 } END { print s + 0 }'; }
cached_mib() { fincore -b -n -o RES "$dir/$1"/* 2>/dev/null | awk '{ s += $1 } END { printf "%.0f", s / 1048576 }'; }
connections_of() { [ "$1" = large ] && echo 1 || echo 8; }
fetch() { taskset -c "$client_cpu" "$CLIENT" fetch "$port" "$(connections_of "$2")" "/$1/$2/" <"$3"; }
# What sluice saw in memory less than a second ago it does not ask about again.
evict() { "$CLIENT" evict "$dir/$1" <"$dir/$1.names" && sleep 1.1; }
warm() { (cd "$dir/$1" && xargs cat <"$dir/$1.names" >/dev/null); }

# one WAY SET TEMPERATURE: appends "MiB/s CPU-s-per-GiB switches-per-GiB cached-MiB".
one()
{
    local way=$1 set=$2 names="$dir/$2.names" cpu switches result
    [ "$3/$set" != warm/small ] || names=$dir/small.names.thrice
    cpu=$(cpu_now) switches=$(switches_now)
    result=$(fetch "$way" "$set" "$names") || fail "$way, $set files, $3"
    awk -v cpu=$(($(cpu_now) - cpu)) -v switches=$(($(switches_now) - switches)) -v cached="$(cached_mib "$set")" \
        '{ gib = $1 / 2^30; printf "%.0f %.4f %.1f %d\n", $1 / 2^20 / $2, cpu / 1e9 / gib, switches / gib, cached }' <<<"$result" \
        >>"$dir/$set.$way.$3"
}

counter_works() { have perf && perf stat -x, -e raw_syscalls:sys_enter true 2>&1 | grep -Eq '^[0-9]+,'; }

# System calls of the worker per MiB, by a run with the pages in memory or not, as the page cache is.
calls()
{
    local way=$1 set=$2 count result
    if [ "$counting" = perf ]; then
        perf stat -x, -o "$dir/calls" -e raw_syscalls:sys_enter -p "$worker" 2>/dev/null &
    else
        strace -f -c -o "$dir/calls" -p "$worker" 2>/dev/null &
    fi
    counter=$!
    sleep 0.5
    result=$(fetch "$way" "$set" "$dir/$set.names") || fail "$way, $set files"
    kill -INT "$counter"
    wait "$counter" 2>/dev/null
    counter=
    if [ "$counting" = perf ]; then
        count=$(awk -F, '$1 ~ /^[0-9]+$/ { print $1 }' "$dir/calls")
    else
        count=$(awk '$4 ~ /^[0-9]+$/ && $NF != "total" { s += $4 } END { print s + 0 }' "$dir/calls")
    fi
    awk -v count="${count:-0}" '{ printf "%.2f\n", count / ($1 / 2^20) }' <<<"$result" >>"$dir/$set.$way.calls"
}

count_calls()
{
    local way set
    if counter_works; then
        counting=perf
    elif have strace && strace -c true 2>/dev/null; then
        counting=strace
    else
        counting=
        echo "paths: neither perf nor strace works here: system calls are not counted" >&2
        return
    fi
    for set in large small; do
        for way in $ways; do
            say "counting system calls: $way, $set files"
            evict $set
            calls "$way" $set
        done
    done
}

measure()
{
    local round set way started=$SECONDS order=$ways
    done_rounds=0
    for round in $(seq "$rounds"); do
        [ $((SECONDS - started)) -lt "$most_seconds" ] || break
        order="${order#* } ${order%% *}" # none is always the first after the others' pages are gone
        for set in large small; do
            for way in $order; do
                say "round $round of $rounds: $way, $set files, cold"
                evict $set
                one "$way" $set cold
            done
            for way in $order; do
                say "round $round of $rounds: $way, $set files, warm"
                warm $set
                one "$way" $set warm
            done
        done
        done_rounds=$round
    done
}

# ---- what comes out ----

median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2; else print "-" }'; }
column() { awk -v n="$2" '{ print $n }' "$dir/$1" 2>/dev/null | median; }

# set, way, then: calls per MiB, switches cold and warm, CPU cold and warm, MiB/s cold and warm, MiB cached.
collect()
{
    local set way at
    for set in large small; do
        for way in $ways; do
            at=$set.$way
            printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' $set "$(title "$way")" "$(column "$at.calls" 1)" \
                "$(column "$at.cold" 3)" "$(column "$at.warm" 3)" "$(column "$at.cold" 2)" \
                "$(column "$at.warm" 2)" "$(column "$at.cold" 1)" "$(column "$at.warm" 1)" "$(column "$at.cold" 4)"
        done
    done
}

table()
{
    echo "| way | system calls per MiB | voluntary switches per GiB, cold | warm | server CPU s per GiB, cold | warm | MiB/s, cold | warm | MiB left in the page cache |"
    echo "|---|---|---|---|---|---|---|---|---|"
    awk -F'\t' -v set="$1" '$1 == set {
        printf "| %s | %s | %.0f | %.0f | %.2f | %.2f | %.0f | %.0f | %.0f |\n", $2, $3 == "-" ? "-" : sprintf("%.1f", $3), $4, $5, $6, $7, $8, $9, $10
    }' "$dir/medians"
}

# Rows of panels (one per quantity), two columns (large and small files), horizontal bars; colours follow the reader's scheme.
chart()
{
    awk -F'\t' -v large="$large_title" -v small="$small_title" '
        { row[$1, ++count[$1]] = $0 }
        function panel(set, x, y, name, column, digits, i, f, most) {
            printf "<text class=\"h\" x=\"%d\" y=\"%d\">%s</text>\n", x, y + 14, name
            for (i = 1; i <= count[set]; i++) {
                split(row[set, i], f, "\t")
                if (f[column] + 0 > most)
                    most = f[column] + 0
            }
            for (i = 1; i <= count[set]; i++) {
                split(row[set, i], f, "\t")
                width = most > 0 ? f[column] / most * 200 : 0
                printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", x + 150, y + 14 + i * 20, f[2]
                printf "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" rx=\"2\"/>", i == count[set] ? "p" : "b", x + 158, y + 3 + i * 20, width < 1 ? 1 : width
                printf "<text x=\"%.1f\" y=\"%d\">%s</text>\n", x + 164 + width, y + 14 + i * 20, f[column] == "-" ? "-" : sprintf("%." digits "f", f[column])
            }
        }
        END {
            n = split("8 9 6 7 3 10", columns, " ")
            split("MiB/s, cold|MiB/s, warm|Server CPU seconds per GiB, cold|Server CPU seconds per GiB, warm|System calls per MiB|MiB left in the page cache", names, "|")
            split("0 0 2 2 1 0", digits, " ")
            height = 40 + n * 140
            printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 %d\" width=\"860\" height=\"%d\" role=\"img\">\n", height, height
            print "<title>What each way of moving bytes costs</title>"
            print "<style>text { font: 12px system-ui, sans-serif; fill: #1f2328 } .h { font-weight: 600 } .t { font: 600 14px system-ui, sans-serif } .b { fill: #8c959f } .p { fill: #0969da }"
            print "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .b { fill: #6e7681 } .p { fill: #4493f8 } }</style>"
            printf "<text class=\"t\" x=\"10\" y=\"22\">%s</text><text class=\"t\" x=\"440\" y=\"22\">%s</text>\n", large, small
            for (k = 1; k <= n; k++) {
                panel("large", 10, 36 + (k - 1) * 140, names[k], columns[k], digits[k])
                panel("small", 440, 36 + (k - 1) * 140, names[k], columns[k], digits[k])
            }
            print "</svg>"
        }' "$dir/medians"
}

machine()
{
    echo "$(uname -sr), $(nproc) CPUs ($(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)), $(df -T "$dir" | awk 'NR == 2 { print $2 }'), $("$SLUICE" -v 2>&1 | sed 's/.*: //')"
}

tables()
{
    machine
    echo
    echo "Medians; interleaved rounds: $done_rounds. System calls: $([ -n "$counting" ] && echo "counted with $counting, cold." || echo "not counted; neither perf nor strace works here.")"
    echo
    echo "### $large_title, one after another"
    echo
    table large
    echo
    echo "### $small_title, 8 connections"
    echo
    table small
}

document()
{
    cat <<END
# What each way of moving bytes costs

The textbook's table, measured: the same files from the same running server, with each way forced by \`io_method\`, and last the
policy, which chooses by size. \`make paths\` makes this page and its chart again, on your machine, in about two minutes.

$(tables)

![The same as bars](paths.svg)

How to read it:

- *cold*: the pages of the files were dropped before. *warm*: all of them were in the page cache; the direct way reads the
  disk all the same, each time.
- *MiB left in the page cache*, after the cold run: a large file that goes through the page cache fills it, at the cost of what
  many clients ask for; one that is read directly leaves nothing. This is why the policy reads large files directly, and
  why it sends small ones, which are likely to be asked for again, through the page cache.
- *voluntary switches*: how often a thread of the server went to sleep, the threads that read cold files included.
- CPU is that of all threads of the worker. Kernel threads that the disk or the network keep busy are not in it. The client runs on a
  processor of its own, where there are two.
END
}

client_cpu=$(($(nproc) > 1 ? 1 : 0))
make_files
for _ in 1 2 3; do cat "$dir/small.names"; done >"$dir/small.names.thrice"
large_title="$large_files files of $((mib / large_files)) MiB" small_title="$(wc -l <"$dir/small.names") files of $small_kib KiB"
start_server
count_calls
measure
say ""
collect >"$dir/medians"
mkdir -p "$out"
chart >"$out/paths.svg"
document >"$out/performance-paths.md"
tables
