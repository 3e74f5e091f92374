#!/bin/bash
# copy.sh - is there a cheaper way for direct reads than into user space and back? Sourced by bench.sh. Bare blocking loops, which
# read nothing ahead, so that their CPU is the question and not their speed; sluice beside them.
bench_copy()
{
    local way round name
    make_big_files
    for way in read splice zerocopy; do
        free_port
        start "copy.$way" "$port" "$TOOLS/copy" "$port" "$dir/big1" $way
    done
    free_port
    start_sluice sluice "$port" "root $dir; server { listen 127.0.0.1:$port; directio 4m; }"
    rm -f "$dir"/stream.*
    for round in $(seq "$stream_rounds"); do
        for name in copy.read copy.splice copy.zerocopy sluice.direct; do
            say "copy: round $round of $stream_rounds: $name"
            port_of[sluice.direct]=${port_of[sluice]} pid_of[copy]=${pid_of[$name]:-}
            one_stream_round "$name" "$name" "$dir/big1"
        done
    done
    begin_rows copy way +mb_per_s +cpu_s_per_gib
    for name in copy.read copy.splice copy.zerocopy sluice.direct; do
        row "$name" "$(column "$dir/stream.$name" 1)" "$(column "$dir/stream.$name" 2)"
    done
    end_rows "$stream_rounds"
    unset 'pid_of[copy]'
    awk -F'\t' -v mib="$stream_mib" -v rounds="$stream_rounds" -v said="$(tail -n 1 "$dir/copy.zerocopy.out")" '
        BEGIN {
            title["copy.read"] = "pread, send"
            title["copy.splice"] = "splice through a pipe of 1 MiB"
            title["copy.zerocopy"] = "pread, send with MSG_ZEROCOPY (" said ")"
            title["sluice.direct"] = "sluice, directio 4m"
            print "### One cold file of " mib " MiB, read with O_DIRECT, 1 MiB at a time; medians of " rounds " interleaved rounds\n"
            print "| way | MB/s | CPU s per GiB |"
            print "|---|---|---|"
        }
        NR > 1 { printf "| %s | %.0f | %.2f |\n", title[$1], $2, $3 }
        END { print "" }' "$tsv" >"$out/copy.md"
    cat "$out/copy.md"
    for name in copy.read copy.splice copy.zerocopy sluice; do
        stop "$name"
    done
}
