#!/bin/bash
# ab.sh - one build beside another (`make bench BENCH=ab BASE=path/to/old/sluice`); sourced by bench.sh. Two binaries with the same
# configuration take turns on the same CPU, and who begins changes from round to round. Each round has new processes, so that the
# luck of one process's memory layout is not taken for a difference. The ratio is the median of the rounds' ratios: both sides of
# one round saw the same machine. Beside it is the middle half of these ratios: a difference that is smaller than that is noise.
ab_rounds=${BENCH_ROUNDS:-9} ab_base=${BENCH_BASE:-} ab_least=9

# Entries as those of one_round() without the server: SET SIZE CONNECTIONS [SCRIPT].
ab_entries=(
    "sizes 1 64" "sizes 16 64" "sizes 64 64"
    "sizes 1 1000" "sizes 16 1000" "sizes 64 1000"
    "close 1 64 close.lua"
    "pipelined 1 64 pipeline.lua"
)
ab_streams="sendfile direct"

ab_start() # NAME BINARY
{
    local keep_alive direct
    free_port && keep_alive=$port
    free_port && direct=$port
    SLUICE=$2 start_sluice "$1" "$keep_alive" "open_file_cache max=1000; root $dir; server { listen 127.0.0.1:$keep_alive; directio off; }
        server { listen 127.0.0.1:$direct; directio 4m; }"
    port_of[$1.sendfile]=$keep_alive port_of[$1.direct]=$direct
}

ab_one_round()
{
    local order=$1 round=$2 entry words name how
    for name in $order; do
        if [ "$name" = old ]; then ab_start old "$ab_base"; else ab_start new "$SLUICE"; fi
    done
    for entry in "${ab_entries[@]}"; do
        read -r -a words <<<"$entry"
        for name in $order; do
            say "ab: round $round of $ab_rounds: ${words[*]:0:3}, $name"
            one_round "${words[@]:0:3}" "$name" "${words[@]:3}"
        done
    done
    for how in $ab_streams; do
        for name in $order; do
            say "ab: round $round of $ab_rounds: cold file, $how, $name"
            one_stream_round "$name.$how" "$name.$how" "$dir/big1"
        done
    done
    for name in $order; do
        stop "$name"
    done
}

# ab_row WHAT SIZE CONNECTIONS CPU-COLUMN RATE-COLUMN OLD-SAMPLES NEW-SAMPLES
ab_row()
{
    local at="$dir/ab.pairs" cpu quartiles
    paste -d' ' <(awk -v c="$4" -v r="$5" '{ print $c, $r }' "$6") <(awk -v c="$4" -v r="$5" '{ print $c, $r }' "$7") |
        awk 'function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.4f", a / b) : "-" }
            { print $1, $2, $3, $4, ratio($3, $1), ratio($4, $2) }' >"$at"
    quartiles=$(awk '$5 != "-" { print $5 }' "$at" | sort -g | awk '{ v[NR] = $1 }
        END { if (NR) print v[int((NR + 3) / 4)] "\t" v[NR + 1 - int((NR + 3) / 4)]; else print "-\t-" }')
    cpu=$(printf '%s\t%s\t%s' "$(column "$at" 1)" "$(column "$at" 3)" "$(column "$at" 5)")
    row "$1" "$2" "$3" "$cpu" "$quartiles" "$(column "$at" 2)" "$(column "$at" 4)" "$(column "$at" 6)"
}

ab_table()
{
    awk -F'\t' -v rounds="$ab_rounds" -v least="$ab_least" -v seconds="$seconds" -v mib="$stream_mib" '
        function number(v, digits) { return v == "-" ? v : sprintf("%." digits "f", v) }
        function title(what, kib, conns)
        {
            if (what ~ /^cold/)
                return what == "cold.direct" ? "cold file of " mib " MiB, directio 4m" : "cold file of " mib " MiB, sendfile"
            return kib " KiB, " (what == "sizes" ? conns " connections" : what == "close" ? "connection per request" : "pipelined 16 deep")
        }
        NR == 1 {
            print "### The new build beside the old one; medians of " rounds " interleaved rounds of " seconds " s\n"
            if (rounds < least)
                print "Fewer than " least " rounds: a trial, not a measurement.\n"
            print "| what | server CPU, old | new | new / old | middle half of the rounds | speed, old | new | new / old |"
            print "|---|---|---|---|---|---|---|---|"
            next
        }
        {
            stream = $1 ~ /^cold/
            printf "| %s | %s %s | %s | %s | %s-%s | %s %s | %s | %s |\n", title($1, $2, $3), number($4, stream ? 3 : 2),
                stream ? "s/GiB" : "us/request", number($5, stream ? 3 : 2), number($6, 3), number($7, 3), number($8, 3),
                number($9, 0), stream ? "MB/s" : "requests/s", number($10, 0), number($11, 3)
        }
        END { print "" }' "$tsv"
}

bench_ab()
{
    local size round entry words how order="old new"
    [ -n "$ab_base" ] || fail "ab: say which binary is the old one: make bench BENCH=ab BASE=path/to/old/sluice"
    [ -x "$ab_base" ] || fail "ab: no program \"$ab_base\" (BASE)"
    ab_base=$(realpath "$ab_base")
    have wrk || fail "no wrk; run: make bench-deps"
    have fincore || fail "no fincore (util-linux)"
    for size in 1 16 64; do
        [ -f "$dir/${size}k.bin" ] || head -c $((size * 1024)) /dev/urandom >"$dir/${size}k.bin"
    done
    chmod 644 "$dir"/*k.bin
    make_big_files 1
    rm -f "$dir"/samples.* "$dir"/stream.*
    for round in $(seq "$ab_rounds"); do
        ab_one_round "$order" "$round"
        [ "$order" = "old new" ] && order="new old" || order="old new"
    done
    begin_rows ab what +size_kib +connections +old_cpu +new_cpu +cpu_ratio +cpu_ratio_low +cpu_ratio_high +old_speed +new_speed +speed_ratio
    for entry in "${ab_entries[@]}"; do
        read -r -a words <<<"$entry"
        ab_row "${words[@]:0:3}" 1 3 "$dir/samples.${words[0]}.${words[1]}.${words[2]}.old" "$dir/samples.${words[0]}.${words[1]}.${words[2]}.new"
    done
    for how in $ab_streams; do
        ab_row "cold.$how" $((stream_mib * 1024)) 1 2 1 "$dir/stream.old.$how" "$dir/stream.new.$how"
    done
    end_rows "$ab_rounds"
    ab_table >"$out/ab.md"
    cat "$out/ab.md"
}
