#!/bin/bash
# tls.sh - HTTP/1.1 over TLS 1.3 with AES-128-GCM; sourced by bench.sh. sluice, nginx, lighttpd and a floor of epoll and OpenSSL, all with
# the same OpenSSL: requests from memory by size, handshakes, cold large files, memory of an idle connection. Tickets resume in all of them.
tls_sizes=${BENCH_SIZES:-1 16 64 256 1024} tls_connections=${BENCH_CONNECTIONS:-64} tls_handshake_connections=16 tls_idle_count=${BENCH_IDLE:-3000}
tls_sets=${BENCH_TLS_SETS:-sizes handshakes streams idle}

make_certificates()
{
    [ ! -f "$dir/rsa.pem" ] || return 0
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=bench -addext subjectAltName=DNS:bench \
        -days 30 -keyout "$dir/ec.key" -out "$dir/ec.pem" 2>/dev/null || fail "tls: no certificate (openssl)"
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=bench -addext subjectAltName=DNS:bench \
        -days 30 -keyout "$dir/rsa.key" -out "$dir/rsa.pem" 2>/dev/null || fail "tls: no certificate (openssl)"
    cat "$dir/ec.pem" "$dir/ec.key" >"$dir/ec.both"
    cat "$dir/rsa.pem" "$dir/rsa.key" >"$dir/rsa.both"
}

# What sluice and nginx have in common; three servers: EC, RSA, and direct reads (with EC).
tls_config() # EC-PORT RSA-PORT DIRECT-PORT DIRECTIVES DIRECT-DIRECTIVES
{
    cat <<END
root $dir; open_file_cache max=1000; $4
ssl_protocols TLSv1.3; ssl_session_timeout 1h;
ssl_certificate $dir/ec.pem; ssl_certificate_key $dir/ec.key;
server { listen 127.0.0.1:$1 ssl; }
server { listen 127.0.0.1:$2 ssl; ssl_certificate $dir/rsa.pem; ssl_certificate_key $dir/rsa.key; }
server { listen 127.0.0.1:$3 ssl; $5 }
END
}

three_ports() # into $ec_port $rsa_port $direct_port
{
    free_port && ec_port=$port
    free_port && rsa_port=$port
    free_port && direct_port=$port
}

start_tls_sluice()
{
    three_ports
    start_sluice sluice "$ec_port" "$(tls_config "$ec_port" "$rsa_port" "$direct_port" "" "directio 4m;")" "${1:-worker_processes 1;}"
    port_of[sluice.rsa]=$rsa_port port_of[sluice.direct]=$direct_port
}

# nginx's best for each. Its default output_buffers (2 32k) are as good as any for what is in the page cache.
start_tls_nginx()
{
    three_ports
    start_nginx nginx "$ec_port" "$(tls_config "$ec_port" "$rsa_port" "$direct_port" "ssl_session_cache shared:tls:10m;" \
        "directio 4m; aio threads; output_buffers 2 512k;")" "${1:-worker_processes 1;}"
    port_of[nginx.rsa]=$rsa_port port_of[nginx.direct]=$direct_port
}

start_tls_lighttpd()
{
    three_ports
    start_lighttpd lighttpd "$ec_port" "server.modules += ( \"mod_openssl\" )
ssl.engine = \"enable\"
ssl.pemfile = \"$dir/ec.both\"
ssl.openssl.ssl-conf-cmd = ( \"MinProtocol\" => \"TLSv1.3\" )
\$SERVER[\"socket\"] == \"127.0.0.1:$rsa_port\" {
    ssl.engine = \"enable\"
    ssl.pemfile = \"$dir/rsa.both\"
    ssl.openssl.ssl-conf-cmd = ( \"MinProtocol\" => \"TLSv1.3\" )
}"
    port_of[lighttpd.rsa]=$rsa_port port_of[lighttpd.direct]=$ec_port
}
have_tls_lighttpd() { have lighttpd && [ -f "$(dirname "$(realpath "$(command -v lighttpd)")")/../lib/lighttpd/mod_openssl.so" ]; }

# start_tls_floor NAME FILE [EC|RSA] [BYTES]
start_tls_floor()
{
    free_port
    start "$1" "$port" "$TOOLS/tls-floor" "$port" "$dir/$2" "$dir/${3:-ec}.pem" "$dir/${3:-ec}.key" ${4:+"$4"}
}

# A build without TLS has no rows.
tls_servers()
{
    tls_names=()
    echo "events { } http { $(tls_config 1 2 3 "" "") }" >"$dir/tls.try"
    # shellcheck disable=SC2086
    if "$SLUICE" -t -q -p "$dir/" -e "$dir/try.log" -c "$dir/tls.try" >"$dir/try.out" 2>&1; then
        tls_names+=(sluice)
    else
        echo "tls: sluice is left out: $(head -1 "$dir/try.out")" >&2
    fi
    have nginx && tls_names+=(nginx)
    if have_tls_lighttpd; then tls_names+=(lighttpd); else echo "tls: no lighttpd with mod_openssl; run: make bench-deps" >&2; fi
}

# ---- requests and handshakes ----

# wrk offers what libssl's defaults are: one cipher, so that it is the same for all. (tls-client does so by itself.)
write_client_cnf()
{
    printf '%s\n' 'openssl_conf = all' '[all]' 'ssl_conf = ssl' '[ssl]' 'system_default = defaults' \
        '[defaults]' 'Ciphersuites = TLS_AES_128_GCM_SHA256' >"$dir/client.cnf"
}

run_tls_sizes()
{
    local size name entries url_scheme=https
    write_client_cnf
    local -x OPENSSL_CONF=$dir/client.cnf
    for size in $tls_sizes; do
        start_tls_floor floor "${size}k.bin"
        entries=()
        for name in floor "${tls_names[@]}"; do
            entries+=("sizes $size $tls_connections $name")
        done
        run_group "${entries[@]}"
        stop floor
    done
}

# one_handshake_round SET SIZE CONNECTIONS SERVER: as one_round. SET: ec.full, ec.resumed, rsa.full, rsa.resumed.
one_handshake_round()
{
    local set=$1 size=$2 conns=$3 name=$4 at=$4 pid before after busy result
    [[ $set != rsa.* ]] || at=$name.rsa
    pid=$(process_of "$at")
    before=$(cpu_ns_of "$pid") busy=$(busy_ticks)
    # shellcheck disable=SC2046
    result=$(on_client "$TOOLS/tls-client" handshakes "${port_of[$at]}" "/${size}k.bin" "$conns" "$seconds" $([[ $set != *.resumed ]] || echo resume)) ||
        fail "$name: handshakes, $set"
    after=$(cpu_ns_of "$pid") busy=$(($(busy_ticks) - busy))
    awk -v ns=$((after - before)) -v busy=$busy -v hz="$hz" '{ printf "%.3f %.3f %.0f - -\n", ns / 1000 / $1, busy / hz * 1e6 / $1, $1 / $2 }' \
        <<<"$result" >>"$dir/samples.$set.$size.$conns.$name"
}

run_tls_handshakes()
{
    local set name entries=()
    start_tls_floor floor 1k.bin
    start_tls_floor floor.rsa 1k.bin rsa
    for set in ec.full ec.resumed rsa.full rsa.resumed; do
        for name in floor "${tls_names[@]}"; do
            entries+=("$set 1 $tls_handshake_connections $name")
        done
    done
    one_round_by=one_handshake_round run_group "${entries[@]}"
    stop floor
    stop floor.rsa
}

# ---- cold files, idle connections ----

# The floor has its file in memory, so it is no row about disks: what encryption and sockets cost alone.
run_tls_streams()
{
    local round name count files ways=() back drain_tool=("$TOOLS/tls-client" drain)
    for name in "${tls_names[@]}"; do
        ways+=("$name.direct")
    done
    ways+=(floor)
    begin_rows tls-streams +streams how +mb_per_s +cpu_s_per_gib +cached_mib
    start_tls_floor floor 1024k.bin ec $((stream_mib << 20))
    for count in 1 4; do
        mapfile -t files < <(seq -f "$dir/big%g" $count)
        rm -f "$dir"/stream.*
        for round in $(seq "$stream_rounds"); do
            back=()
            for name in "${ways[@]}"; do
                say "tls: $count streams, round $round of $stream_rounds: $name"
                one_stream_round "$name" "$name" "${files[@]}"
                back=("$name" "${back[@]}")
            done
            ways=("${back[@]}")
        done
        for name in "${tls_names[@]/%/.direct}" floor; do
            row "$count" "$name" "$(column "$dir/stream.$name" 1)" "$(column "$dir/stream.$name" 2)" "$(column "$dir/stream.$name" 3)"
        done
    done
    end_rows "$stream_rounds"
    stop floor
}

# Servers of their own: what they hold after the load would be counted as what they had before.
run_tls_idle()
{
    local name idle_tool=("$TOOLS/tls-client" idle) idle_count=$tls_idle_count
    begin_rows tls-idle server +connections +pss_before_kib +pss_after_kib +bytes_per_connection
    for name in "${tls_names[@]}" floor; do
        say "tls: $idle_count idle connections: $name"
        if [ "$name" = floor ]; then start_tls_floor floor 1k.bin; else start_tls_$name; fi
        one_idle "$name"
    done
    end_rows 1
}

bench_tls()
{
    local size set name
    have wrk || fail "no wrk; run: make bench-deps"
    have openssl || fail "tls: no openssl"
    [ -x "$TOOLS/tls-floor" ] || fail "tls: no tls-floor (libssl-dev)"
    for size in $tls_sizes 1 1024; do
        [ -f "$dir/${size}k.bin" ] || head -c $((size * 1024)) /dev/urandom >"$dir/${size}k.bin"
    done
    chmod 644 "$dir"/*k.bin
    make_certificates
    [[ $tls_sets != *streams* ]] || make_big_files
    rm -f "$out"/tls*.tsv
    tls_servers
    for name in "${tls_names[@]}"; do
        start_tls_$name
    done
    begin_rows tls set +size_kib +connections server +cpu_us +total_cpu_us +requests_per_s +p50_ms +p99_ms
    for set in $tls_sets; do
        [[ $set != sizes && $set != handshakes ]] || "run_tls_$set"
    done
    end_rows "$rounds"
    [[ $tls_sets != *streams* ]] || run_tls_streams
    for name in "${tls_names[@]}"; do
        stop "$name"
    done
    [[ $tls_sets != *idle* ]] || run_tls_idle
    # shellcheck disable=SC2046
    awk -f "$here/tls.awk" -v rounds="$rounds" -v seconds="$seconds" -v stream_rounds="$stream_rounds" -v mib="$stream_mib" $(tls_results) >"$out/tls.md"
    awk -f "$here/targets.awk" $(tls_results) >"$out/tls-targets.md"
    cat "$out/tls.md" "$out/tls-targets.md"
}
tls_results() { find "$out" -maxdepth 1 -name 'tls*.tsv' | sort; }
