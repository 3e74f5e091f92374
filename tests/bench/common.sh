#!/bin/bash
# common.sh - what the parts of `make bench` share; sourced by bench.sh. A folder for files, servers that are started and
# ended, CPU time from /proc, medians, and the three forms of a result: rows (tab-separated), JSON, Markdown.
SLUICE=${SLUICE:-build/sluice} TOOLS=${BENCH_TOOLS:-build/release} here=$(dirname "${BASH_SOURCE[0]}")
out=${BENCH_OUT:-build/bench}
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C

fail() { echo "bench: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
say() { [ ! -t 2 ] || printf '\r%-78.78s' "$*" >&2; }
for tool in taskset awk getconf; do
    have $tool || fail "no $tool"
done
[ -x "$SLUICE" ] || fail "no $SLUICE"
SLUICE=$(realpath "$SLUICE") TOOLS=$(realpath "$TOOLS") here=$(realpath "$here")
mkdir -p "$out" && out=$(realpath "$out") || exit 1

dir=$(mktemp -d "${BENCH_DIR:-build}/bench.XXXXXX") && dir=$(realpath "$dir") || exit 1
chmod 755 "$dir"
pids=() cgroup=''
clean_up()
{
    local pid
    say ""
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    [ -z "$cgroup" ] || rmdir "$cgroup" 2>/dev/null
    [ -n "${BENCH_KEEP:-}" ] || rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

cpus=$(nproc) server_cpu=0
client_cpu=$((cpus > 1 ? 1 : 0))
on_client() { taskset -c $client_cpu "$@"; }

# ---- servers ----

next_port=$((20000 + $$ % 10000))
free_port() # into $port
{
    while (exec 3<>"/dev/tcp/127.0.0.1/$next_port") 2>/dev/null; do
        next_port=$((next_port + 1))
    done
    port=$next_port
    next_port=$((next_port + 1))
}

# start NAME PORT COMMAND...: on the server's CPU; waits until it listens. into_cgroup and on_cpus may be set by the caller.
declare -A pid_of port_of
into_cgroup='' on_cpus=$server_cpu
start()
{
    local name=$1 at=$2
    shift 2
    (
        [ -z "$into_cgroup" ] || echo $BASHPID >"$into_cgroup/cgroup.procs" || exit 1
        exec taskset -c "$on_cpus" "$@" >"$dir/$name.out" 2>&1
    ) &
    pid_of[$name]=$! port_of[$name]=$at
    pids+=($!)
    for _ in $(seq 200); do
        (exec 3<>"/dev/tcp/127.0.0.1/$at") 2>/dev/null && return 0
        kill -0 "${pid_of[$name]}" 2>/dev/null || break
        sleep 0.02
    done
    cat "$dir/$name.out" >&2
    fail "$name does not start"
}
stop()
{
    kill -TERM "${pid_of[$1]}" 2>/dev/null
    wait "${pid_of[$1]}" 2>/dev/null
    unset "pid_of[$1]"
}

# start_sluice NAME PORT HTTP-DIRECTIVES [MAIN-DIRECTIVES]; the text of the http block has the servers in it. The same for nginx.
start_sluice()
{
    cat >"$dir/$1.conf" <<END
daemon off; ${4:-worker_processes 1;} pid $dir/$1.pid; error_log $dir/$1.log warn;
events { worker_connections ${connections_limit:-4096}; }
http { access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; $3 }
END
    start "$1" "$2" "$SLUICE" -p "$dir/" -e "$dir/$1.log" -c "$dir/$1.conf"
}
start_nginx()
{
    cat >"$dir/$1.conf" <<END
daemon off; ${4:-worker_processes 1;} pid $dir/$1.pid; error_log $dir/$1.log warn;
events { worker_connections ${connections_limit:-4096}; }
http {
    client_body_temp_path $dir/t1; proxy_temp_path $dir/t2; fastcgi_temp_path $dir/t3; uwsgi_temp_path $dir/t4; scgi_temp_path $dir/t5;
    access_log off; keepalive_requests 1000000000; keepalive_timeout 600s; sendfile on; $3
}
END
    start "$1" "$2" nginx -p "$dir" -e "$dir/$1.log" -c "$dir/$1.conf"
}

# start_lighttpd NAME PORT [DIRECTIVES] [ROOT]
start_lighttpd()
{
    cat >"$dir/$1.conf" <<END
server.document-root = "${4:-$dir}"
server.bind = "127.0.0.1"
server.port = $2
server.max-keep-alive-requests = 1000000000
server.max-connections = 4096
server.max-fds = 8192
server.errorlog = "$dir/$1.log"
mimetype.assign = ( ".html" => "text/html", "" => "application/octet-stream" )
${3:-}
END
    start "$1" "$2" lighttpd -D -f "$dir/$1.conf"
}

machine()
{
    echo "$(uname -sr), $cpus CPUs ($(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo)), $(df -T "$dir" | awk 'NR == 2 { print $2 }')," \
        "$(cat /proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null); $("$SLUICE" -v 2>&1 | sed 's/.*: //')$(have nginx && nginx -v 2>&1 | sed 's/.*: /, /')$(have lighttpd && lighttpd -v | sed 's/ .*//; s/^/, /; q')"
}

# ---- measuring ----

# The process, its children and theirs.
family_of()
{
    local pid child
    for pid; do
        echo "$pid"
        for child in $(cat "/proc/$pid/task/"*/children 2>/dev/null); do
            family_of "$child"
        done
    done
}

# CPU time of all threads, user and system, in ns: the account that utime and stime of /proc/PID/stat round to ticks.
cpu_ns_of()
{
    local pid file ns total=0
    for pid in $(family_of "$1"); do
        for file in "/proc/$pid/task/"*/schedstat; do
            read -r ns _ 2>/dev/null <"$file" && total=$((total + ns))
        done
    done
    echo $total
}

# Voluntary context switches of all threads: how often one of them went to sleep, to be woken up.
switches_of()
{
    local pid
    for pid in $(family_of "$1"); do
        cat "/proc/$pid/task/"*/status 2>/dev/null
    done | awk '/^voluntary_ctxt_switches/ { s += $2 } END { print s + 0 }'
}

# What the server's and the client's CPU did beside idling, softirqs included, in ticks.
busy_ticks() { awk -v a="cpu$server_cpu" -v b="cpu$client_cpu" '$1 == a || $1 == b { s += $2 + $3 + $4 + $7 + $8 } END { print s }' /proc/stat; }
hz=$(getconf CLK_TCK)

# read_wrk [errors]: wrk's report on standard input: "requests requests/s p50-ms p99-ms", nothing if a request failed, or, with
# "errors", if one did not.
read_wrk()
{
    awk -v errors="${1:-}" 'function ms(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t ~ /m$/ ? t * 60000 : t * 1000 }
        / requests in / { requests = $1 }
        /Non-2xx/ { failed = $NF }
        /Socket errors/ { bad = $0 !~ /connect 0, read 0, write 0, timeout 0/ }
        /^Requests\/sec/ { rate = $2 }
        $1 == "50%" { p50 = ms($2) }
        $1 == "99%" { p99 = ms($2) }
        END { if (!bad && requests && failed + 0 == (errors ? requests : 0)) printf "%d %.0f %.3f %.3f\n", requests, rate, p50, p99 }'
}

perf_works() { have perf && perf record -q -e cpu-clock -o "$dir/try" true >/dev/null 2>&1; }

# calls_in_perf FILE US: samples with their stacks, by system call: "what us" lines; US is the time of all.
calls_in_perf()
{
    perf script -i "$1" -F ip,sym,dso 2>/dev/null | awk -v us="$2" '
        function finish(    what) {
            if (!depth)
                return
            what = call != "" ? call : fault ? "page faults" : kernel ? "entry, exit, interrupts" : "user space"
            n[what]++
            all++
            depth = fault = 0
            call = ""
        }
        NF == 0 { finish(); next }
        {
            if (++depth == 1)
                kernel = $1 ~ /^ffff/
            if (match($0, /(__x64_sys|__do_sys|ksys)_[a-z0-9_]+| do_(readv|writev|preadv|pwritev) /)) {
                call = substr($0, RSTART, RLENGTH)
                gsub(/__x64_sys_|__do_sys_|ksys_|do_| /, "", call)
            }
            if (/asm_exc_page_fault/)
                fault = 1
        }
        END {
            finish()
            for (what in n)
                printf "%s\t%.3f\n", what, n[what] / all * us
        }'
}

median() { sort -g | awk '$1 != "-" { v[++n] = $1 } END { if (n) print n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2; else print "-" }'; }
column() { awk -v n="$2" '{ print $n }' "$1" 2>/dev/null | median; }

evict() { local f; for f; do dd if="$f" iflag=nocache count=0 status=none; done; }
cached_mib() { fincore -b -n -o RES "$@" 2>/dev/null | awk '{ s += $1 } END { printf "%.0f", s / 1048576 }'; }
need_space() { [ "$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')" -gt "$1" ] || fail "not enough space in $dir: $1 MiB"; }

# make_big_files [COUNT]: big1 to big4, or fewer, of $stream_mib MiB.
make_big_files()
{
    local n count=${1:-4}
    [ ! -f "$dir/big$count" ] || return 0
    say "making large files"
    need_space $((stream_mib * (count + 1)))
    head -c "${stream_mib}M" /dev/urandom >"$dir/big1"
    for n in $(seq 2 "$count"); do
        cp "$dir/big1" "$dir/big$n"
    done
    chmod 644 "$dir"/big?
    sync "$dir"/big?
}

# make_small_files SET COUNT KIB: files in $dir/SET, their names in $dir/SET.names, their paths in $dir/SET.paths.
make_small_files()
{
    say "making $2 files"
    need_space $(($2 * $3 / 1024 * 2))
    mkdir "$dir/$1"
    head -c $(($2 * $3))K /dev/urandom | split -a 6 -d -b "$3k" - "$dir/$1/"
    (cd "$dir/$1" && printf '%s\n' *) >"$dir/$1.names"
    sed "s|^|/$1/|" "$dir/$1.names" >"$dir/$1.paths"
    chmod -R a+rX "$dir/$1"
    sync -f "$dir"
}
evict_set() { "$TOOLS/paths-client" evict "$dir/$1" <"$dir/$1.names"; }
fetch_set() { on_client "$TOOLS/paths-client" fetch "$1" "$3" "/$2/" <"$dir/$2.names"; } # PORT SET CONNECTIONS: "bytes seconds"

# ---- results ----

# begin_rows PART COLUMN...; row FIELD...; end_rows: the JSON beside it. Column names with a leading + are numbers.
begin_rows()
{
    part_now=$1 tsv=$out/$1.tsv
    shift
    (IFS=$'\t'; echo "$*") >"$tsv.new"
}
row() { (IFS=$'\t'; echo "$*") >>"$tsv.new"; }
end_rows()
{
    sed '1s/+//g' "$tsv.new" >"$tsv"
    awk -F'\t' -v part="$part_now" -v machine="$(machine)" -v date="$(date -u +%Y-%m-%dT%H:%M:%SZ)" -v rounds="${1:-1}" '
        function text(s) { gsub(/[\\"]/, "\\\\&", s); return "\"" s "\"" }
        function value(i, s) { return name[i] !~ /^\+/ ? text(s) : s ~ /^-?[0-9.]+$/ ? s : "null" }
        NR == 1 {
            for (i = 1; i <= NF; i++)
                name[i] = $i
            printf "{\n  \"part\": %s, \"machine\": %s, \"date\": %s, \"rounds\": %d,\n  \"rows\": [", text(part), text(machine), text(date), rounds
            next
        }
        {
            printf "%s\n    {", (NR > 2 ? "," : "")
            for (i = 1; i <= NF; i++)
                printf "%s\"%s\": %s", (i > 1 ? ", " : ""), substr(name[i], 1 + (name[i] ~ /^\+/)), value(i, $i)
            printf "}"
        }
        END { print "\n  ]\n}" }' "$tsv.new" >"$out/$part_now.json"
    rm -f "$tsv.new"
}
