#!/bin/bash
# everyday.sh - the price of what every site does; sourced by bench.sh, and by calls.sh for its loads. Nothing is cached by configuration
# (no open_file_cache: every distribution's default), all pages are in memory. sluice and nginx have the same directives.
everyday_seconds=${BENCH_SECONDS:-1} everyday_rounds=${BENCH_ROUNDS:-5} everyday_connections=${BENCH_CONNECTIONS:-64}
everyday_mib=256 page_kib=20

# load NAME TITLE GOAL STATUS HEAD PATH DIRECTIVES LIGHTTPD [WRK-OPTION...]: GOAL: CPU of sluice / nginx at most. HEAD: a pattern that the head
# of the response must match. DIRECTIVES: of a server block. LIGHTTPD: the same for lighttpd; "-": lighttpd cannot.
declare -A load_title load_goal load_status load_head load_path load_text load_lighttpd load_options
everyday_loads=()
load()
{
    everyday_loads+=("$1")
    load_title[$1]=$2 load_goal[$1]=$3 load_status[$1]=$4 load_head[$1]=$5 load_path[$1]=$6 load_text[$1]=$7 load_lighttpd[$1]=$8
    load_options[$1]=$(printf '%s\n' "${@:9}")
}

set_out_loads()
{
    local root=$dir/everyday gzip='gzip on;' deflate='server.modules = ( "mod_deflate" )
deflate.mimetypes = ( "text/html" )
deflate.allowed-encodings = ( "gzip" )
deflate.max-loadavg = "1000.0"
deflate.compression-level = 1' sha='5en6G6MezRroT3XKqkdPOmY/BfQ='
    everyday_loads=()
    load hit.1 "1 KiB" 0.65 200 . /1k.bin "" ""
    load hit.16 "16 KiB" 0.70 200 . /16k.bin "" ""
    load try_files "try_files \$uri \$uri/ /index.html, a name that is not there" 0.70 200 . /app/route \
        "location / { try_files \$uri \$uri/ /index.html; }" 'server.modules = ( "mod_rewrite" )
url.rewrite-if-not-file = ( "" => "/index.html" )'
    load missing.log "404, with its line in the error log" 0.75 404 . /missing "" 'debug.log-file-not-found = "enable"'
    load missing "404, log_not_found off" 0.80 404 . /missing "log_not_found off;" ""
    load redirect "return 301" 0.90 301 . /old "location / { return 301 /new/; }" 'server.modules = ( "mod_redirect" )
url.redirect = ( "" => "/new/" )'
    load text "return 200 text" 0.90 200 . /text "location / { return 200 text; }" -
    load not_modified "304" 0.80 304 . /1k.bin "" "" -H "If-Modified-Since: Wed, 01 Jan 2020 00:00:00 GMT"
    load symlinks "disable_symlinks if_not_owner (lighttpd: follow-symlink = \"disable\")" 0.90 200 . /1k.bin "disable_symlinks if_not_owner;" 'server.follow-symlink = "disable"'
    load gzip.first "gzip on the fly, $page_kib KiB pages, each for the first time" 1.10 200 'content-encoding: gzip' / "$gzip" "$deflate" \
        -H "Accept-Encoding: gzip" -s "$here/many.lua" -- "$dir/pages.paths"
    load gzip "gzip on the fly, one page of $page_kib KiB, again" 0.35 200 'content-encoding: gzip' /page.html "$gzip" "$deflate" -H "Accept-Encoding: gzip"
    load ranges "ranges of 64 KiB in $everyday_mib MiB" 0.85 206 'content-range: bytes' /large.bin "" "" \
        -H "Range: bytes=0-65535" -s "$here/ranges.lua" -- $((everyday_mib << 20)) 65536
    load ranges.pages "the same, from page borders" 0.85 206 'content-range: bytes' /large.bin "" "" \
        -H "Range: bytes=0-65535" -s "$here/ranges.lua" -- $((everyday_mib << 20)) 65536 4096
    load ranges.direct "ranges of 64 KiB in $everyday_mib MiB, directio 4k" 0.75 206 'content-range: bytes' /large.bin "directio 4k;" - \
        -H "Range: bytes=0-65535" -s "$here/ranges.lua" -- $((everyday_mib << 20)) 65536
    load ranges.three "three ranges of 1 KiB in one request" 0.85 206 multipart/byteranges /64k.bin "" "" \
        -H "Range: bytes=0-1023,20000-21023,50000-51023"
    load auth "auth_basic, {SHA}" 0.90 200 . /1k.bin "auth_basic here; auth_basic_user_file $dir/users;" "server.modules = ( \"mod_auth\", \"mod_authn_file\" )
auth.backend = \"htpasswd\"
auth.backend.htpasswd.userfile = \"$dir/users\"
auth.require = ( \"\" => ( \"method\" => \"basic\", \"realm\" => \"here\", \"require\" => \"valid-user\" ) )" -H "Authorization: Basic $(printf bench:secret | base64)"
    load close "connection per request" 0.85 200 . /1k.bin "" "" -H "Connection: close"
    set_out_cached_loads
    echo "bench:{SHA}$sha" >"$dir/users" # of "secret"
    [ -d "$root" ] || make_everyday_files "$root"
}

# What leads with open_file_cache, and what else a site has in its configuration. cached.*: a table of their own.
everyday_http='map $uri $by_name { default 0; ~^/a 1; ~^/b 2; ~^/c 3; ~\.html$ 4; /1k.bin 5; /x 6; /y 7; /z 8; }
map $http_user_agent $by_agent { default plain; ~*bot robot; ~*curl tool; ~*mobile small; }
limit_req_zone $binary_remote_addr zone=requests:1m rate=1000000r/s; limit_conn_zone $binary_remote_addr zone=clients:1m;'
set_out_cached_loads()
{
    local cache='open_file_cache max=1000;' n patterns='' headers=''
    for n in $(seq 10); do
        patterns+="location ~ ^/no$n/.*\.[a-z]+\$ { return 404; } "
    done
    for n in $(seq 5); do
        headers+="add_header X-Header-$n \"\$by_name \$by_agent\"; "
    done
    load cached.1 "1 KiB" 0.66 200 . /1k.bin "$cache" ""
    load cached.index "index, a page of 2 KiB" 0.66 200 . /index/ "$cache" 'index-file.names = ( "index.html" )'
    load cached.regex "1 KiB, behind ten regular expressions" 0.66 200 . /1k.bin "$cache $patterns location ~ \.bin\$ { }" -
    load cached.maps "1 KiB, two maps, five add_header" 0.66 200 x-header-5 /1k.bin "$cache $headers" -
    load cached.rewrite "1 KiB, rewrite" 0.66 200 . /old/1k.bin "$cache location /old/ { rewrite ^/old/(.*)\$ /\$1 last; }" 'server.modules = ( "mod_rewrite" )
url.rewrite-once = ( "^/old/(.*)" => "/$1" )'
    load cached.limits "1 KiB, limit_req, limit_conn" 0.66 200 . /1k.bin "$cache limit_req zone=requests burst=1000 nodelay; limit_conn clients 1000;" -
    load cached.log "1 KiB, access_log combined buffer=64k flush=1s" 0.66 200 . /1k.bin "$cache access_log $dir/LOG combined buffer=64k flush=1s;" \
        "server.modules = ( \"mod_accesslog\" )
accesslog.filename = \"$dir/lighttpd.access\""
    load cached.pipelined "1 KiB, pipelined 16 deep" 0.17 200 . /1k.bin "$cache" - -s "$here/pipeline.lua"
    load cached.listing "listing of 1,000 names" 0.14 200 text/html /names/ "$cache autoindex on;" 'dir-listing.activate = "enable"'
}

# Pages are text: the project's own documentation.
make_everyday_files()
{
    local root=$1 size pages=$((8000 * everyday_seconds))
    say "making files"
    need_space $(((everyday_mib + pages * page_kib / 1024) * 2))
    mkdir "$root" "$dir/pages"
    for size in 1 16 64; do
        head -c ${size}K /dev/urandom >"$root/${size}k.bin"
    done
    head -c ${everyday_mib}M /dev/urandom >"$root/large.bin"
    cat "$here"/../../docs/*.md >"$dir/text"
    head -c ${page_kib}K "$dir/text" >"$root/page.html"
    mkdir "$root/index" "$root/names"
    head -c 2K "$dir/text" | tee "$root/index.html" >"$root/index/index.html"
    (cd "$root/names" && seq -f 'file-%04g.txt' 1000 | xargs touch)
    for _ in $(seq $((pages * page_kib * 1024 / $(stat -c %s "$dir/text") + 1))); do
        cat "$dir/text"
    done | head -c $((pages * page_kib))K | split -a 6 -d -b ${page_kib}k --additional-suffix=.html - "$dir/pages/"
    rm -f "$dir/text"
    mv "$dir/pages" "$root/pages"
    (cd "$root" && printf '/%s\n' pages/*) >"$dir/pages.paths"
    touch -d '2020-01-01 00:00:00 UTC' "$root"/*.bin "$root"/*.html
    chmod -R a+rX "$root"
    chmod 644 "$dir/users"
    sync -f "$dir"
}

# A server for each load in one process of sluice, and of nginx; names like nginx.gzip. nginx-threads has the ranges with aio threads. A buffer
# of nginx holds a whole range: without that its direct reads are dearer.
everyday_servers() # into $servers_of[LOAD]
{
    local name way text first extra
    declare -gA servers_of=()
    for way in sluice nginx nginx-threads; do
        [ "$way" = sluice ] || have nginx || continue
        text='' first=''
        for name in $loads_now; do
            [ "$way" != nginx-threads ] || [[ $name = ranges* ]] || continue
            extra=''
            [[ $way != nginx* || $name != ranges* ]] || extra='output_buffers 2 64k;'
            [ "$way" != nginx-threads ] || extra+=' aio threads;'
            free_port
            first=${first:-$port}
            port_of[$way.$name]=$port
            servers_of[$name]+="$way.$name "
            text+="server { listen 127.0.0.1:$port; $extra ${load_text[$name]//LOG/$way.access} } "
        done
        [ -n "$first" ] || continue
        if [ "$way" = sluice ]; then
            start_sluice sluice "$first" "root $dir/everyday; $everyday_http $text"
        else
            start_nginx $way "$first" "root $dir/everyday; $everyday_http $text"
        fi
    done
    have lighttpd || return 0
    for name in $loads_now; do
        [ "${load_lighttpd[$name]}" != - ] || continue
        free_port
        start_lighttpd "lighttpd.$name" "$port" "${load_lighttpd[$name]}" "$dir/everyday"
        if grep -q 'dlopen() failed' "$dir/lighttpd.$name.log" "$dir/lighttpd.$name.out" 2>/dev/null; then # a package of its own
            echo "everyday: lighttpd has not the module for \"$name\"" >&2
            stop "lighttpd.$name"
            continue
        fi
        servers_of[$name]+="lighttpd.$name "
    done
}

# Does the server answer as the load wants, before many such answers are timed?
check_load() # SERVER LOAD
{
    local options option headers='' head path=${load_path[$2]}
    mapfile -t options <<<"${load_options[$2]}"
    for option in "${options[@]}"; do
        [[ $option != *:\ * ]] || headers+="$option"$'\r\n'
    done
    [ "$path" != / ] || path=/page.html
    exec 3<>"/dev/tcp/127.0.0.1/${port_of[$1]}"
    printf 'GET %s HTTP/1.1\r\nHost: bench\r\n%s\r\n' "$path" "$headers" >&3
    head=$(sed '/^\r*$/q' <&3)
    exec 3<&- 3>&-
    if ! grep -q "^HTTP/1.1 ${load_status[$2]}" <<<"$head" || ! grep -Eqi "${load_head[$2]}" <<<"$head"; then
        fail "$1: not the answer that was to be timed: $head"
    fi
}

run_load() # SERVER LOAD: into $dir/round
{
    local options=() seconds=$everyday_seconds
    [ -z "${load_options[$2]}" ] || mapfile -t options <<<"${load_options[$2]}"
    [[ $2 != ranges* ]] || cat "$dir/everyday/large.bin" >/dev/null # the kernel may have dropped its pages
    if [ "$1" = sluice.gzip.first ]; then # what it keeps is of files as they were; it keeps nothing yet of a file that has just changed
        find "$dir/everyday/pages" -name '*.html' -exec touch {} +
        sleep 2.2
    fi
    wrk_round "$1" "${load_path[$2]}" "$everyday_connections" "${load_status[$2]}" "${options[@]}" || fail "$1 does not answer well"
}

bench_everyday()
{
    local round name server values i loads_now
    have wrk || fail "no wrk; run: make bench-deps"
    set_out_loads
    loads_now=${BENCH_LOADS:-${everyday_loads[*]}}
    everyday_servers
    for name in $loads_now; do
        for server in ${servers_of[$name]}; do
            check_load "$server" "$name"
        done
    done
    for round in $(seq "$everyday_rounds"); do
        for name in $loads_now; do
            for server in ${servers_of[$name]}; do
                say "everyday: round $round of $everyday_rounds: $server"
                run_load "$server" "$name"
                cat "$dir/round" >>"$dir/everyday.$server"
            done
            servers_of[$name]="${servers_of[$name]#* }${servers_of[$name]%% *} " # another one begins
        done
    done
    begin_rows everyday load title +goal server +cpu_us +total_cpu_us +requests_per_s +p50_ms +p99_ms
    for name in $loads_now; do
        for server in sluice nginx nginx-threads lighttpd; do
            [ -s "$dir/everyday.$server.$name" ] || continue
            values=()
            for i in $(seq 5); do
                values+=("$(column "$dir/everyday.$server.$name" "$i")")
            done
            row "$name" "${load_title[$name]}" "${load_goal[$name]}" "$server" "${values[@]}"
        done
    done
    end_rows "$everyday_rounds"
    for server in "${!pid_of[@]}"; do
        stop "$server"
    done
    awk -f "$here/everyday.awk" -v rounds="$everyday_rounds" -v seconds="$everyday_seconds" -v conns="$everyday_connections" "$tsv" >"$out/everyday.md"
    cat "$out/everyday.md"
}
