#!/bin/bash
# scale.sh - what a request costs among a million files: by how many different ones are asked for, and by how many open_file_cache may hold;
# sourced by bench.sh. Two workers on both CPUs, 1,000 connections. Then how long the loop stops while the cache's table grows.
scale_files=${BENCH_SCALE_FILES:-1000000} scale_folders=4096 scale_bytes=1000 scale_connections=1000 scale_seconds=${BENCH_SECONDS:-3}
scale_caches="off 10000 1500000" scale_warm_rate=30000 # files/s at which a cache is filled, the two workers' turns included
scale_warm_most=60

# Small files take a block and an inode each.
make_scale_files()
{
    local inodes
    say "making $scale_files files"
    need_space $((scale_files * 4 / 1024 * 11 / 10 + 256))
    inodes=$(df -Pi "$dir" | awk 'NR == 2 { print $4 }')
    [[ ! $inodes =~ ^[1-9] ]] || [ "$inodes" -gt $((scale_files + scale_folders)) ] || fail "not enough inodes in $dir: $scale_files"
    "$TOOLS/tree" "$dir/scale" $scale_files $scale_folders $scale_bytes || fail "no files"
    sync -f "$dir"
}

scale_servers() # into $names: SERVER.CACHE, each with a port
{
    local cache server text limit
    limit=$(ulimit -Hn)
    names=''
    on_cpus=$server_cpu,$client_cpu
    for cache in $scale_caches; do
        for server in sluice nginx; do
            [ $server = sluice ] || have nginx || continue
            [ $server = sluice ] || [ "$cache" = off ] || [ "$cache" -lt $((limit - scale_connections)) ] || continue # it would run out of descriptors
            free_port
            text="root $dir/scale; open_file_cache $([ "$cache" = off ] || echo max=)$cache; server { listen 127.0.0.1:$port reuseport;"
            if [ $server = sluice ]; then
                start_sluice "sluice.$cache" "$port" "$text location = /status { status; } }" "worker_processes 2; worker_rlimit_nofile $limit;"
            else
                start_nginx "nginx.$cache" "$port" "$text }" "worker_processes 2; worker_rlimit_nofile $limit;"
            fi
            names+="$server.$cache "
        done
    done
    on_cpus=$server_cpu
}

scale_metric() # PORT NAME
{
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET /status?format=prometheus HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n' >&3
    awk -v name="$2" '$1 == name { print $2 + 0 }' <&3
    exec 3<&- 3>&-
}

scale_run() # NAME FILES SECONDS STATUS FOLDERS: into $dir/round
{
    local seconds=$3 # wrk_round's
    wrk_round "$1" / $scale_connections "$4" -s "$here/scale.lua" -- "$2" "$5" || fail "$1 does not answer well"
}

# One cache after the other, each from few files to all. Where there is one, every file is asked for before anything is measured.
one_scale_server() # NAME
{
    local name=$1 files warm before entries values
    before=$(pss_of "${pid_of[$name]}")
    for files in 1000 10000 100000 $scale_files; do
        [ "$files" -le "$scale_files" ] || continue
        warm=$scale_seconds # a thousand connections are not made in less
        [[ $name = *.off ]] || warm=$((files * 2 / scale_warm_rate + scale_seconds))
        say "scale: $name, $files files"
        scale_run "$name" "$files" $((warm < scale_warm_most ? warm : scale_warm_most)) 200 $scale_folders
        scale_run "$name" "$files" "$scale_seconds" 200 $scale_folders
        read -r -a values <"$dir/round"
        entries=-
        [[ $name != sluice.* ]] || entries=$(scale_metric "${port_of[$name]}" sluice_file_cache_entries)
        row "${name%%.*}" "${name#*.}" "$files" "${values[@]}" "$entries" $(($(pss_of "${pid_of[$name]}") - before))
        [ "$files" != "$scale_files" ] || break
    done
    stop "$name"
}

# Names that are not there are kept without a descriptor: the table grows as far as it would with files, whatever the limit of those is.
scale_growth()
{
    local values longest seconds=$((scale_files / 40000 + 1)) what names
    free_port
    start_sluice growth "$port" "root $dir; open_file_cache max=$((scale_files * 4)); open_file_cache_errors on; log_not_found off;
        server { listen 127.0.0.1:$port; location = /status { status; } }"
    for what in growing grown; do
        say "scale: the table, $what"
        names=1000
        [ $what = grown ] || names=$((scale_files * 4)) # more than are asked for
        scale_run growth $names "$seconds" 404 0
        read -r -a values <"$dir/round"
        longest=$(awk '$1 == "Latency" { t = $4; print t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000; exit }' "$dir/wrk.out")
        row table "$what" "$(scale_metric "$port" sluice_file_cache_entries)" "${values[@]}" "$longest" -
    done
    stop growth
}

bench_scale()
{
    local connections_limit=2048 name names
    have wrk || fail "no wrk; run: make bench-deps"
    make_scale_files
    begin_rows scale server cache +files +cpu_us +total_cpu_us +requests_per_s +p50_ms +p99_ms +entries +pss_kib
    scale_servers
    for name in $names; do
        one_scale_server "$name"
    done
    scale_growth
    end_rows 1
    awk -f "$here/scale.awk" -v seconds="$scale_seconds" -v conns=$scale_connections "$tsv" >"$out/scale.md"
    cat "$out/scale.md"
    say "removing $scale_files files"
    rm -rf "$dir/scale"
}
