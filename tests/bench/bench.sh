#!/bin/bash
# bench.sh [requests] [streams] - sluice beside nginx, lighttpd and the floor (`make bench`). One worker on CPU 0, the client
# on CPU 1; rounds are interleaved; what is printed are medians, as Markdown.
#
# requests: CPU per request and requests/s of small files from memory. streams: one and four cold large files, by sendfile
# and by direct I/O: speed, CPU, and what is left in the page cache.
#
# Environment: SLUICE, FLOOR, DRAIN (binaries), BENCH_ROUNDS, BENCH_SECONDS, BENCH_SIZES (KiB), BENCH_CONNECTIONS,
# BENCH_STREAM_MIB, BENCH_STREAM_ROUNDS, BENCH_DIR (a folder on the disk to measure).
set -u
SLUICE=${SLUICE:-build/sluice} FLOOR=${FLOOR:-build/release/floor} DRAIN=${DRAIN:-build/release/drain}
rounds=${BENCH_ROUNDS:-5} seconds=${BENCH_SECONDS:-2} sizes=${BENCH_SIZES:-1 16 64 256} connections=${BENCH_CONNECTIONS:-64}
stream_mib=${BENCH_STREAM_MIB:-1024} stream_rounds=${BENCH_STREAM_ROUNDS:-3}
PATH=$PATH:/usr/sbin:/sbin
parts=${*:-requests streams}

fail() { echo "bench: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
have taskset || fail "no taskset (util-linux)"
[ -x "$SLUICE" ] || fail "no $SLUICE"

dir=$(mktemp -d "${BENCH_DIR:-build}/bench.XXXXXX") || exit 1
dir=$(cd "$dir" && pwd)
chmod 755 "$dir"
pids=()
clean_up()
{
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

cpus=$(nproc)
server_cpu=0 client_cpu=$((cpus > 1 ? 1 : 0))

next_port=$((20000 + $$ % 10000))
free_port() # into $port
{
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do
        next_port=$((next_port + 1))
    done
    port=$next_port
    next_port=$((next_port + 1))
}

# start NAME COMMAND...: on the server's CPU; waits until it listens on $port.
declare -A pid_of port_of
start()
{
    local name=$1
    shift
    taskset -c $server_cpu "$@" >"$dir/$name.out" 2>&1 &
    pid_of[$name]=$! port_of[$name]=$port
    pids+=($!)
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && return 0
        kill -0 "${pid_of[$name]}" 2>/dev/null || break
        sleep 0.02
    done
    cat "$dir/$name.out" >&2
    fail "$name does not start"
}

# CPU seconds of a process and its children, all threads, in clock ticks.
ticks_of()
{
    local pid total=0 stat fields
    for pid in "$1" $(cat "/proc/$1/task/"*/children 2>/dev/null); do
        read -r stat 2>/dev/null <"/proc/$pid/stat" || continue
        read -r -a fields <<<"${stat##*) }"
        total=$((total + fields[11] + fields[12]))
    done
    echo $total
}
hz=$(getconf CLK_TCK)

# The median of the numbers on standard input.
median() { sort -g | awk '{ v[NR] = $1 } END { if (NR) print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }

write_confs()
{
    local temp="client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;"
    cat >"$dir/sluice.conf" <<END
daemon off; worker_processes 1; pid $dir/sluice.pid; error_log $dir/sluice.log warn;
events { worker_connections 4096; }
http {
    access_log off; keepalive_requests 1000000000; open_file_cache max=1000; etag on;
    server { listen 127.0.0.1:$1; root $dir; location /direct/ { alias $dir/; directio 4m; } }
}
END
    # nginx keys open_file_cache by path alone: with one cache, whichever way a file is asked for first is the way it goes.
    cat >"$dir/nginx.conf" <<END
daemon off; worker_processes 1; pid $dir/nginx.pid; error_log $dir/nginx.log warn;
events { worker_connections 4096; }
http {
    $temp
    access_log off; keepalive_requests 1000000000; open_file_cache max=1000; sendfile on;
    server { listen 127.0.0.1:$2; root $dir; location /direct/ { alias $dir/; open_file_cache off; directio 4m; aio threads; output_buffers 2 512k; } }
}
END
    cat >"$dir/lighttpd.conf" <<END
server.document-root = "$dir"
server.bind = "127.0.0.1"
server.port = $3
server.max-keep-alive-requests = 1000000000
server.max-connections = 4096
server.errorlog = "$dir/lighttpd.log"
mimetype.assign = ( "" => "application/octet-stream" )
END
}

start_servers()
{
    local sluice_port nginx_port
    free_port && sluice_port=$port
    free_port && nginx_port=$port
    free_port
    write_confs "$sluice_port" "$nginx_port" "$port"
    servers="sluice"
    have lighttpd && start lighttpd lighttpd -D -f "$dir/lighttpd.conf" && servers="$servers lighttpd"
    port=$nginx_port
    have nginx && start nginx nginx -p "$dir" -e "$dir/nginx.log" -c "$dir/nginx.conf" && servers="$servers nginx"
    port=$sluice_port
    start sluice "$SLUICE" -p "$dir/" -e "$dir/sluice.log" -c "$dir/sluice.conf"
}

machine()
{
    echo "$(uname -sr), $cpus CPUs ($(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)), $(df -T "$dir" | awk 'NR == 2 { print $2 }');" \
        "$("$SLUICE" -v 2>&1 | sed 's/.*: //')$(have nginx && nginx -v 2>&1 | sed 's/.*: /, /')$(have lighttpd && lighttpd -v | sed 's/ .*//; s/^/, /; q')"
}

# --- Requests ---------------------------------------------------------------------------------------------------------

# one NAME PATH: appends "microseconds requests/s p99-in-ms" to the samples of NAME.
one_request_round()
{
    local name=$1 path=$2 before after out
    before=$(ticks_of "${pid_of[$name]}")
    out=$(taskset -c $client_cpu wrk --latency -t1 -c"$connections" -d"${seconds}s" "http://127.0.0.1:${port_of[$name]}/$path" 2>&1)
    after=$(ticks_of "${pid_of[$name]}")
    awk -v ticks=$((after - before)) -v hz="$hz" -v seconds="$seconds" '
        / requests in / { requests = $1 }
        /Non-2xx/ { bad = 1 }
        /Socket errors/ { bad = $0 !~ /connect 0, read 0, write 0, timeout 0/ }
        /^Requests\/sec/ { rate = $2 }
        $1 == "99%" { p = $2; ms = p ~ /us$/ ? p / 1000 : p ~ /ms$/ ? p + 0 : p * 1000 }
        END { if (bad || !requests) exit 1; printf "%.3f %.0f %.3f\n", ticks / hz * 1e6 / requests, rate, ms }' <<<"$out" >>"$dir/samples.$name" ||
        { echo "$out" >&2; fail "$name does not answer /$path well"; }
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (a > 0 && b > 0) printf "%.2f", a / b; else printf "-" }'; }

request_rows()
{
    local size=$1 name path="$1k.bin" all
    all="floor $servers"
    head -c $((size * 1024)) /dev/urandom >"$dir/$path"
    chmod 644 "$dir/$path"
    free_port
    start floor "$FLOOR" "$port" "$dir/$path"
    for name in $all; do
        rm -f "$dir/samples.$name"
    done
    for _ in $(seq "$rounds"); do
        for name in $all; do
            one_request_round "$name" "$path"
        done
    done
    kill "${pid_of[floor]}"
    wait "${pid_of[floor]}" 2>/dev/null
    declare -A cpu
    for name in $all; do
        cpu[$name]=$(awk '{ print $1 }' "$dir/samples.$name" | median)
    done
    for name in $all; do
        printf '| %s KiB | %s | %.1f | %.0f | %.2f | %s | %s | %s |\n' "$size" "$name" "${cpu[$name]}" \
            "$(awk '{ print $2 }' "$dir/samples.$name" | median)" "$(awk '{ print $3 }' "$dir/samples.$name" | median)" \
            "$(ratio "${cpu[$name]}" "${cpu[floor]}")" "$(ratio "${cpu[$name]}" "${cpu[lighttpd]:-0}")" \
            "$(ratio "${cpu[$name]}" "${cpu[nginx]:-0}")"
    done
}

bench_requests()
{
    have wrk || fail "no wrk; run: make bench-deps"
    local size
    echo "### From memory: $connections keep-alive connections, access log off, $rounds rounds of $seconds s, medians"
    echo
    echo "| file | server | CPU per request, us | requests/s | p99, ms | CPU / floor | CPU / lighttpd | CPU / nginx |"
    echo "|---|---|---|---|---|---|---|---|"
    for size in $sizes; do
        request_rows "$size"
    done
    echo
}

# --- Streams ----------------------------------------------------------------------------------------------------------

evict() { for f; do dd if="$f" iflag=nocache count=0 status=none; done; }
cached_mib() { fincore -b -n -o RES "$@" 2>/dev/null | awk '{ s += $1 } END { printf "%.0f", s / 1048576 }'; }

# one_stream_round NAME PREFIX LABEL FILE...: appends "MB/s CPU-s-per-GiB cached-MiB".
one_stream_round()
{
    local name=$1 prefix=$2 label=$3 before after out f
    shift 3
    evict "$@"
    before=$(ticks_of "${pid_of[$name]}")
    out=$(taskset -c $client_cpu "$DRAIN" "${port_of[$name]}" "${@/#*\//$prefix}") || fail "$label"
    after=$(ticks_of "${pid_of[$name]}")
    awk -v ticks=$((after - before)) -v hz="$hz" -v cached="$(cached_mib "$@")" \
        '{ printf "%.0f %.3f %d\n", $1 / $2 / 1e6, ticks / hz / ($1 / 1073741824), cached }' <<<"$out" >>"$dir/stream.$label"
}

# What the disk gives; fio's CPU is that of the job alone, by its own account.
one_fio_round()
{
    local label=$1 count=$2
    shift 2
    evict "$@"
    taskset -c $server_cpu fio --name=read --filename="$(IFS=:; echo "$*")" --rw=read --direct=1 --bs=1M --iodepth=4 \
        --ioengine=io_uring --file_service_type=roundrobin --minimal --output="$dir/fio.out" >/dev/null 2>&1
    awk -F';' -v gib="$(awk -v m="$stream_mib" -v n="$count" 'BEGIN { print m * n / 1024 }')" -v cached="$(cached_mib "$@")" \
        'NF > 89 { printf "%.0f %.3f %d\n", $7 * 1024 / 1e6, ($88 + $89) / 100 * $9 / 1000 / gib, cached; exit }' \
        "$dir/fio.out" >>"$dir/stream.$label"
}

stream_rows()
{
    local count=$1 files=() f how name prefix
    shift
    files=("${@:1:count}")
    rm -f "$dir"/stream.*
    for _ in $(seq "$stream_rounds"); do
        have fio && one_fio_round fio "$count" "${files[@]}"
        for how in sluice:/:sendfile sluice:/direct/:direct nginx:/:sendfile nginx:/direct/:direct; do
            IFS=: read -r name prefix f <<<"$how"
            [ -n "${pid_of[$name]:-}" ] && one_stream_round "$name" "$prefix" "$name.$f" "${files[@]}"
        done
    done
    for how in fio sluice.sendfile nginx.sendfile sluice.direct nginx.direct; do
        [ -f "$dir/stream.$how" ] || continue
        case $how in
        fio) name="fio, O_DIRECT, io_uring, 1 MiB x 4, no network" ;;
        nginx.direct) name="nginx, directio 4m; aio threads; output_buffers 2 512k" ;;
        sluice.direct) name="sluice, directio 4m" ;;
        *) name="${how%.*}, sendfile" ;;
        esac
        printf '| %d | %s | %.0f | %.2f | %.0f |\n' "$count" "$name" "$(awk '{ print $1 }' "$dir/stream.$how" | median)" \
            "$(awk '{ print $2 }' "$dir/stream.$how" | median)" "$(awk '{ print $3 }' "$dir/stream.$how" | median)"
    done
}

bench_streams()
{
    have fincore || fail "no fincore (util-linux)"
    local n
    [ "$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')" -gt $((stream_mib * 5)) ] || fail "not enough space in $dir"
    head -c "${stream_mib}M" /dev/urandom >"$dir/big1"
    for n in 2 3 4; do
        cp "$dir/big1" "$dir/big$n"
    done
    chmod 644 "$dir"/big?
    sync "$dir"/big?
    echo "### Cold files of $stream_mib MiB, $stream_rounds rounds, medians"
    echo
    echo "| streams | how | MB/s | server CPU s per GiB | MiB left in the page cache |"
    echo "|---|---|---|---|---|"
    for n in 1 4; do
        stream_rows $n "$dir"/big1 "$dir"/big2 "$dir"/big3 "$dir"/big4
    done
    echo
}

start_servers
machine
echo
for part in $parts; do
    case $part in
    requests) bench_requests ;;
    streams) bench_streams ;;
    *) fail "no part \"$part\"" ;;
    esac
done
