#!/bin/bash
# tags.sh [SLUICE] - instructions of a request for 1 KiB in user space, with content tags and digests and without: callgrind's counts
# of 12000 requests less those of 2000. Those from open_file_cache are the same at each run, to a hair. Needs valgrind, h2load, curl.
set -euo pipefail
sluice=$(realpath "${1:-build/sluice}") port=${PORT:-48123} dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir" && mkdir "$dir/html"
head -c 1024 /dev/urandom >"$dir/html/1k.bin"
touch -d 2020-01-01 "$dir/html/1k.bin"
"$sluice" hash -q "$dir/html"

count() # CONFIGURATION REQUESTS
{
    cat >"$dir/sluice.conf" <<CONF
daemon off; master_process off; error_log $dir/error.log; pid $dir/pid;
events { worker_connections 512; }
http { access_log off; keepalive_requests 1000000; $1 server { listen 127.0.0.1:$port; root $dir/html; } }
CONF
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$sluice" -p "$dir" -c "$dir/sluice.conf" 2>"$dir/counts" &
    until curl -sf -o /dev/null "http://127.0.0.1:$port/1k.bin"; do sleep 0.1; done
    h2load --h1 -n "$2" -c 8 -t 1 "http://127.0.0.1:$port/1k.bin" >/dev/null
    kill -QUIT $! && wait $!
    awk '/Collected/ { print $NF }' "$dir/counts"
}

tags="etag content; digest_manifest $dir/html/SHA256SUMS; repr_digest on;"
for cache in "small_file_cache 16k;" "open_file_cache max=100;"; do
    without=$((($(count "$cache" 12000) - $(count "$cache" 2000)) / 10000))
    with=$((($(count "$cache $tags" 12000) - $(count "$cache $tags" 2000)) / 10000))
    echo "$cache $without without, $with with content tags and digests"
done
