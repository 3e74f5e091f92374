#!/bin/bash
# streams.sh - one and four cold large files; sourced by bench.sh. By sendfile and by direct reads, sluice and nginx, beside what
# fio reads from the same files without a network.
stream_mib=${BENCH_STREAM_MIB:-1024} stream_rounds=${BENCH_STREAM_ROUNDS:-${BENCH_ROUNDS:-3}}

drain_tool=("$TOOLS/drain")

# one_stream_round NAME LABEL FILE...: appends "MB/s CPU-s-per-GiB cached-MiB".
one_stream_round()
{
    local name=$1 label=$2 before after result
    shift 2
    evict "$@"
    before=$(cpu_ns_of "${pid_of[${name%.*}]}")
    result=$(on_client "${drain_tool[@]}" "${port_of[$name]}" "${@/#*\///}") || fail "$label"
    after=$(cpu_ns_of "${pid_of[${name%.*}]}")
    awk -v ns=$((after - before)) -v cached="$(cached_mib "$@")" \
        '{ printf "%.0f %.4f %d\n", $1 / $2 / 1e6, ns / 1e9 / ($1 / 2^30), cached }' <<<"$result" >>"$dir/stream.$label"
}

# What the disk gives; fio's CPU is that of the job alone, by its own account.
one_fio_round()
{
    local count=$#
    evict "$@"
    taskset -c $server_cpu fio --name=read --filename="$(IFS=:; echo "$*")" --rw=read --direct=1 --bs=1M --iodepth=4 \
        --ioengine=io_uring --file_service_type=roundrobin --minimal --output="$dir/fio.out" >/dev/null 2>&1
    awk -F';' -v gib="$(awk -v m="$stream_mib" -v n="$count" 'BEGIN { print m * n / 1024 }')" -v cached="$(cached_mib "$@")" \
        'NF > 89 { printf "%.0f %.4f %d\n", $7 * 1024 / 1e6, ($88 + $89) / 100 * $9 / 1000 / gib, cached; exit }' "$dir/fio.out" >>"$dir/stream.fio"
}

start_stream_servers()
{
    local one
    free_port && one=$port
    free_port
    start_sluice sluice "$one" "root $dir; server { listen 127.0.0.1:$one; } server { listen 127.0.0.1:$port; directio 4m; }"
    port_of[sluice.sendfile]=$one port_of[sluice.direct]=$port
    have nginx || return 0
    free_port && one=$port
    free_port
    start_nginx nginx "$one" "root $dir; server { listen 127.0.0.1:$one; }
        server { listen 127.0.0.1:$port; directio 4m; aio threads; output_buffers 2 512k; }"
    port_of[nginx.sendfile]=$one port_of[nginx.direct]=$port
}

run_streams()
{
    local files=("$@") round how back ways=(fio sluice.sendfile nginx.sendfile sluice.direct nginx.direct)
    rm -f "$dir"/stream.*
    for round in $(seq "$stream_rounds"); do
        say "streams: ${#files[@]}, round $round of $stream_rounds"
        for how in "${ways[@]}"; do
            if [ "$how" = fio ]; then
                have fio && one_fio_round "${files[@]}"
            elif [ -n "${port_of[$how]:-}" ]; then
                one_stream_round "$how" "$how" "${files[@]}"
            fi
        done
        back=()
        for how in "${ways[@]}"; do
            back=("$how" "${back[@]}")
        done
        ways=("${back[@]}") # nobody always comes after the same one: the disk may have to recover
    done
    for how in fio sluice.sendfile nginx.sendfile sluice.direct nginx.direct; do
        [ -s "$dir/stream.$how" ] && row "${#files[@]}" $how "$(column "$dir/stream.$how" 1)" "$(column "$dir/stream.$how" 2)" "$(column "$dir/stream.$how" 3)"
    done
}

bench_streams()
{
    have fincore || fail "no fincore (util-linux)"
    make_big_files
    start_stream_servers
    begin_rows streams +streams how +mb_per_s +cpu_s_per_gib +cached_mib
    run_streams "$dir/big1"
    run_streams "$dir"/big1 "$dir"/big2 "$dir"/big3 "$dir"/big4
    end_rows "$stream_rounds"
    stop sluice
    ! have nginx || stop nginx
    awk -F'\t' -v mib="$stream_mib" -v rounds="$stream_rounds" '
        function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
        BEGIN {
            split("fio|sluice.sendfile|nginx.sendfile|sluice.direct|nginx.direct", k, "|")
            split("fio: O_DIRECT, io_uring, 1 MiB x 4, no network|sluice, sendfile|nginx, sendfile on|sluice, directio 4m|nginx, directio 4m; aio threads; output_buffers 2 512k", v, "|")
            for (i in k)
                title[k[i]] = v[i]
        }
        NR > 1 { speed[$1, $2] = $3; cpu[$1, $2] = $4; line[++n] = $0 }
        END {
            print "### Cold files of " mib " MiB, one connection each; medians of " rounds " interleaved rounds\n"
            print "| streams | how | MB/s | server CPU s per GiB | MiB left in the page cache | speed / fio | speed / nginx direct | CPU / nginx direct |"
            print "|---|---|---|---|---|---|---|---|"
            for (i = 1; i <= n; i++) {
                split(line[i], f, "\t")
                printf "| %d | %s | %.0f | %.2f | %.0f | %s | %s | %s |\n", f[1], title[f[2]], f[3], f[4], f[5],
                    ratio(f[3], speed[f[1], "fio"]), ratio(f[3], speed[f[1], "nginx.direct"]), f[2] == "fio" ? "-" : ratio(f[4], cpu[f[1], "nginx.direct"])
            }
            print ""
        }' "$tsv" >"$out/streams.md"
    cat "$out/streams.md"
}
