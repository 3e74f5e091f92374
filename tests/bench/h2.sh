#!/bin/bash
# h2.sh - HTTP/2 by h2load; sourced by bench.sh. sluice, nginx, h2o (where they are installed) and a floor of nghttp2, over TLS 1.3
# and by prior knowledge: requests from memory, a cold large file, memory of an idle connection and of stalled streams.
h2_sizes=${BENCH_SIZES:-1 16 256} h2_idle_count=${BENCH_IDLE:-1000} h2_stalled_count=100
h2_sets=${BENCH_H2_SETS:-sizes streams idle stalled}

# Four servers each: TLS and h2c, and the same with direct reads.
h2_config() # TLS-PORT H2C-PORT TLS-DIRECT-PORT H2C-DIRECT-PORT LISTEN DIRECTIVES DIRECT-DIRECTIVES
{
    cat <<END
root $dir; open_file_cache max=1000; $6
ssl_protocols TLSv1.3; ssl_certificate $dir/ec.pem; ssl_certificate_key $dir/ec.key;
server { listen 127.0.0.1:$1 ssl$5; }
server { listen 127.0.0.1:$2$5; }
server { listen 127.0.0.1:$3 ssl$5; $7 }
server { listen 127.0.0.1:$4$5; $7 }
END
}

four_ports() # into $tls_port $h2c_port $tls_direct_port $h2c_direct_port
{
    free_port && tls_port=$port
    free_port && h2c_port=$port
    free_port && tls_direct_port=$port
    free_port && h2c_direct_port=$port
}

name_ports() # SERVER
{
    port_of[$1.tls]=$tls_port port_of[$1.h2c]=$h2c_port
    port_of[$1.tls-direct]=$tls_direct_port port_of[$1.h2c-direct]=$h2c_direct_port
}

start_h2_sluice()
{
    four_ports
    start_sluice sluice "$tls_port" "http2 on; $(h2_config "$tls_port" "$h2c_port" "$tls_direct_port" "$h2c_direct_port" "" "" "directio 4m;")"
    name_ports sluice
}

start_h2_nginx()
{
    four_ports
    start_nginx nginx "$tls_port" "$(h2_config "$tls_port" "$h2c_port" "$tls_direct_port" "$h2c_direct_port" " http2" "" \
        "directio 4m; aio threads; output_buffers 2 512k;")"
    name_ports nginx
}

start_h2_h2o()
{
    four_ports
    cat >"$dir/h2o.conf" <<END
num-threads: 1
listen: { host: 127.0.0.1, port: $h2c_port }
listen: { host: 127.0.0.1, port: $tls_port, ssl: { certificate-file: $dir/ec.pem, key-file: $dir/ec.key, minimum-version: TLSv1.3 } }
hosts: { default: { paths: { "/": { file.dir: $dir } } } }
END
    start h2o "$tls_port" h2o -c "$dir/h2o.conf"
    tls_direct_port=$tls_port h2c_direct_port=$h2c_port
    name_ports h2o
}

start_h2_floors() # FILE
{
    free_port
    start floor.h2c "$port" "$TOOLS/h2-floor" "$port" "$dir/$1"
    free_port
    start floor.tls "$port" "$TOOLS/h2-floor" "$port" "$dir/$1" "$dir/ec.pem" "$dir/ec.key"
}
stop_h2_floors() { stop floor.h2c; stop floor.tls; }

# ---- requests ----

# h2load's report on standard input: "requests requests/s mean-ms"; nothing if a request failed.
read_h2load()
{
    awk 'function ms(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
        /^requests:/ { done = $8; bad = $10 + $12 + $14 }
        /^finished/ { rate = $4 }
        /^time for request:/ { mean = ms($6) }
        END { if (done && !bad) printf "%d %.0f %.3f\n", done, rate, mean }'
}

# one_h2_round WAY SIZE CONNECTIONSxSTREAMS SERVER: as one_round. WAY: tls, h2c.
one_h2_round()
{
    local way=$1 size=$2 conns=${3%x*} streams=${3#*x} name=$4 scheme=https pid before after busy report count
    [ "$way" = tls ] || scheme=http
    pid=$(process_of "$name.$way")
    count=$(((size >= 256 ? 6000 : size >= 16 ? 40000 : 100000) * seconds))
    before=$(cpu_ns_of "$pid") busy=$(busy_ticks)
    on_client timeout -k 5 120 h2load -n "$count" -c "$conns" -m "$streams" "$scheme://127.0.0.1:${port_of[$name.$way]}/${size}k.bin" >"$dir/h2load.out" 2>&1
    after=$(cpu_ns_of "$pid") busy=$(($(busy_ticks) - busy))
    report=$(read_h2load <"$dir/h2load.out")
    [ -n "$report" ] || { cat "$dir/h2load.out" >&2; fail "$name does not answer ${size}k.bin well ($way, $3)"; }
    awk -v ns=$((after - before)) -v busy=$busy -v hz="$hz" '{ printf "%.3f %.3f %s %s -\n", ns / 1000 / $1, busy / hz * 1e6 / $1, $2, $3 }' \
        <<<"$report" >>"$dir/samples.$way.$size.$3.$name"
}

run_h2_sizes()
{
    local size name way shape entries
    for size in $h2_sizes; do
        start_h2_floors "${size}k.bin"
        entries=()
        for way in tls h2c; do
            for shape in 64x32 1x100; do
                for name in floor "${h2_names[@]}"; do
                    entries+=("$way $size $shape $name")
                done
            done
        done
        one_round_by=one_h2_round run_group "${entries[@]}"
        stop_h2_floors
    done
}

# ---- a cold file, idle connections, stalled streams ----

run_h2_streams()
{
    local round name way ways=() back scheme drain_tool
    begin_rows h2-streams way server +mb_per_s +cpu_s_per_gib +cached_mib
    for way in tls h2c; do
        for name in "${h2_names[@]}"; do
            ways+=("$name.$way-direct")
        done
    done
    rm -f "$dir"/stream.*
    for round in $(seq "$stream_rounds"); do
        back=()
        for name in "${ways[@]}"; do
            say "h2: a cold file, round $round of $stream_rounds: $name"
            scheme=$([[ $name == *.tls-* ]] && echo https || echo http)
            drain_tool=("$TOOLS/h2-client" drain "$scheme" $((stream_mib << 20)))
            one_stream_round "$name" "$name" "$dir/big1"
            back=("$name" "${back[@]}")
        done
        ways=("${back[@]}")
    done
    for way in tls h2c; do
        for name in "${h2_names[@]}"; do
            row "$way" "$name" "$(column "$dir/stream.$name.$way-direct" 1)" "$(column "$dir/stream.$name.$way-direct" 2)" \
                "$(column "$dir/stream.$name.$way-direct" 3)"
        done
    done
    end_rows "$stream_rounds"
}

# run_h2_held PART COUNT CLIENT-WORD PATH: memory with that held, by servers of their own.
run_h2_held()
{
    local part=$1 idle_count=$2 word=$3 path=$4 name
    begin_rows "$part" server +held +pss_before_kib +pss_after_kib +bytes_each
    for name in "${h2_names[@]}" floor; do
        say "h2: $word: $name"
        if [ "$name" = floor ]; then start_h2_floors "${path#/}"; else start_h2_"$name"; fi
        local idle_tool=("$TOOLS/h2-client" "$word" http)
        idle_path=$path one_idle_of "$name" "${port_of[$name.h2c]}"
        [ "$name" != floor ] || stop floor.tls
    done
    end_rows 1
}

# one_idle of idle.sh, for a server whose port is another's name.
one_idle_of() # SERVER PORT
{
    local name=$1
    [ "$name" != floor ] || { pid_of[floor]=${pid_of[floor.h2c]}; unset 'pid_of[floor.h2c]'; }
    port_of[$name]=$2
    one_idle "$name"
}

bench_h2()
{
    local size set name
    have h2load || fail "no h2load; run: make bench-deps"
    [ -x "$TOOLS/h2-floor" ] || fail "h2: no h2-floor (libnghttp2-dev, libssl-dev)"
    for size in $h2_sizes 1 256; do
        [ -f "$dir/${size}k.bin" ] || head -c $((size * 1024)) /dev/urandom >"$dir/${size}k.bin"
    done
    chmod 644 "$dir"/*k.bin
    make_certificates
    [[ $h2_sets != *streams* ]] || make_big_files 1
    rm -f "$out"/h2*.tsv
    h2_names=(sluice)
    have nginx && h2_names+=(nginx)
    if have h2o; then h2_names+=(h2o); else echo "h2: no h2o; run: make bench-deps" >&2; fi
    for name in "${h2_names[@]}"; do
        start_h2_"$name"
    done
    write_client_cnf
    local -x OPENSSL_CONF=$dir/client.cnf
    if [[ $h2_sets == *sizes* ]]; then
        begin_rows h2 way +size_kib shape server +cpu_us +total_cpu_us +requests_per_s +mean_ms +none
        run_h2_sizes
        end_rows "$rounds"
    fi
    [[ $h2_sets != *streams* ]] || run_h2_streams
    for name in "${h2_names[@]}"; do
        stop "$name"
    done
    [[ $h2_sets != *idle* ]] || run_h2_held h2-idle "$h2_idle_count" idle /1k.bin
    [[ $h2_sets != *stalled* ]] || run_h2_held h2-stalled "$h2_stalled_count" stalled /256k.bin
    # shellcheck disable=SC2046
    awk -f "$here/h2.awk" -v rounds="$rounds" -v stream_rounds="$stream_rounds" -v mib="$stream_mib" $(h2_results) >"$out/h2.md"
    # shellcheck disable=SC2046
    awk -f "$here/targets.awk" $(h2_results) >"$out/h2-targets.md"
    cat "$out/h2.md" "$out/h2-targets.md"
}
h2_results() { find "$out" -maxdepth 1 -name 'h2*.tsv' | sort; }
