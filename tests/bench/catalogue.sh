#!/bin/bash
# catalogue.sh - a catalogue larger than memory: mirrors, package archives, tiles; sourced by bench.sh. Each file is asked for once, in no
# order; its pages are not in memory ("names": nor are directory entries and inodes; needs root). A fresh server for each run, so that
# it has nothing from the run before.
catalogue_rounds=${BENCH_ROUNDS:-5} catalogue_files=${BENCH_CATALOGUE_FILES:-2500}
catalogue_sizes=${BENCH_CATALOGUE_SIZES:-8 64} catalogue_connections=${BENCH_CATALOGUE_CONNECTIONS:-8 64}
catalogue_ways="sluice sluice-direct nginx nginx-threads nginx-direct lighttpd"

start_catalogue_server() # WAY
{
    local text=''
    free_port
    case $1 in
    nginx-threads) text='aio threads;' ;;
    nginx-direct) text='directio 4k; aio threads; output_buffers 2 64k;' ;; # without either it is dearer
    sluice-direct) text='directio 4k;' ;;
    esac
    case $1 in
    sluice*) start_sluice "$1" "$port" "root $dir; $text server { listen 127.0.0.1:$port; }" ;;
    nginx*) start_nginx "$1" "$port" "root $dir; $text server { listen 127.0.0.1:$port; }" ;;
    lighttpd) start_lighttpd "$1" "$port" ;;
    esac
}

can_forget_names() { (echo 2 >/proc/sys/vm/drop_caches) 2>/dev/null; }

# one_catalogue_round WAY SIZE CONNECTIONS pages|names: appends "cpu-us requests/s p50 p99 switches".
one_catalogue_round()
{
    local way=$1 set=catalogue$2 cpu switches result
    start_catalogue_server "$way"
    evict_set "$set"
    [ "$4" = pages ] || can_forget_names
    cpu=$(cpu_ns_of "${pid_of[$way]}") switches=$(switches_of "${pid_of[$way]}")
    result=$(fetch_set "${port_of[$way]}" "$set" "$3") || fail "$way: files of $2 KiB"
    cpu=$(($(cpu_ns_of "${pid_of[$way]}") - cpu)) switches=$(($(switches_of "${pid_of[$way]}") - switches))
    stop "$way"
    awk -v cpu=$cpu -v switches=$switches -v n="$catalogue_files" \
        '{ printf "%.2f %.0f %s %s %.3f\n", cpu / 1000 / n, n / $2, $3, $4, switches / n }' <<<"$result" >>"$dir/catalogue.$2.$3.$4.$way"
}

make_catalogue() # SIZE
{
    [ ! -d "$dir/catalogue$1" ] || return 0
    make_small_files "catalogue$1" "$catalogue_files" "$1"
    shuf --random-source="$dir/catalogue$1.paths" "$dir/catalogue$1.names" >"$dir/names" && mv "$dir/names" "$dir/catalogue$1.names"
}

bench_catalogue()
{
    local round size conns what way ways='' order values i entries=() entry words whats=pages
    for way in $catalogue_ways; do
        [[ $way != sluice* ]] && ! have "${way%%-*}" || ways+="$way "
    done
    ! can_forget_names || whats="pages names"
    for size in $catalogue_sizes; do
        make_catalogue "$size"
        for conns in $catalogue_connections; do
            for what in $whats; do
                entries+=("$size $conns $what")
            done
        done
    done
    order=$ways
    for round in $(seq "$catalogue_rounds"); do
        for entry in "${entries[@]}"; do
            read -r -a words <<<"$entry"
            for way in $order; do
                say "catalogue: round $round of $catalogue_rounds: $entry, $way"
                one_catalogue_round "$way" "${words[@]}"
            done
        done
        order="${order#* }${order%% *} "
    done
    begin_rows catalogue +size_kib +connections dropped server +cpu_us +requests_per_s +p50_ms +p99_ms +switches
    for entry in "${entries[@]}"; do
        read -r -a words <<<"$entry"
        for way in $ways; do
            values=()
            for i in $(seq 5); do
                values+=("$(column "$dir/catalogue.${words[0]}.${words[1]}.${words[2]}.$way" "$i")")
            done
            row "${words[@]}" "$way" "${values[@]}"
        done
    done
    end_rows "$catalogue_rounds"
    for size in $catalogue_sizes; do
        rm -rf "$dir/catalogue$size"
    done
    awk -f "$here/catalogue.awk" -v rounds="$catalogue_rounds" -v files="$catalogue_files" "$tsv" >"$out/catalogue.md"
    cat "$out/catalogue.md"
}
