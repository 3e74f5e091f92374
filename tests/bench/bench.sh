#!/bin/bash
# bench.sh [PART...] - sluice beside nginx, lighttpd, fio and a floor that parses nothing (`make bench`). One worker on CPU 0,
# the client on CPU 1; rounds are interleaved; what is printed are medians, as Markdown. Each part also leaves
# PART.md, PART.json and PART.tsv in BENCH_OUT.
#
#   requests  CPU per request, requests/s and latency of files from memory: sizes, connections, keep-alive, pipelining, log, workers
#   streams   one and four cold large files, by sendfile and by direct I/O: speed, CPU, what is left in the page cache
#   hotset    a hot set in a memory cgroup while large files stream
#   cold      a hot set under load while many cold files are fetched
#   everyday  no open_file_cache, try_files, 404, redirects, 304, gzip on the fly, ranges, auth_basic, connection per request
#   catalogue many files, each asked for once, that are not in the page cache
#   scale     a million files in 4,096 folders, two workers, 1,000 connections, open_file_cache off, smaller and larger than that
#   calls     system calls, switches and time of the requests of everyday and catalogue (strace, perf); only when asked for
#   idle      memory of an idle connection
#   copy      direct reads without the copy into user space: splice, MSG_ZEROCOPY
#   tls       HTTP/1.1 over TLS 1.3: sizes, handshakes, cold large files, idle connections
#   h2        HTTP/2 over TLS and by prior knowledge: sizes, a cold large file, idle connections, stalled streams
#   ab        this build beside another one (BENCH_BASE): sizes, connections, keep-alive, pipelining, a cold large file
#
# Environment: SLUICE, BENCH_TOOLS (folder of floor, drain, idle, copy, paths-client, tls-floor, tls-client, h2-floor, h2-client), BENCH_OUT, BENCH_DIR (a folder on the disk to measure),
# BENCH_ROUNDS, BENCH_SECONDS, BENCH_SIZES (KiB), BENCH_SETS (of sizes varied head workers), BENCH_STREAM_MIB, BENCH_STREAM_ROUNDS,
# BENCH_LOADS (of everyday), BENCH_CATALOGUE_FILES, BENCH_CATALOGUE_SIZES (KiB), BENCH_CATALOGUE_CONNECTIONS, BENCH_SCALE_FILES, BENCH_HOT_ROUNDS, BENCH_COLD_ROUNDS, BENCH_COLD_FILES, BENCH_IDLE, BENCH_TLS_SETS (of sizes handshakes streams idle),
# BENCH_H2_SETS (of sizes streams idle stalled), BENCH_BASE (the other sluice of ab).
set -u
for file in common requests streams hotset cold everyday catalogue scale calls idle copy tls h2 ab; do
    # shellcheck disable=SC1090
    . "$(dirname "$0")/$file.sh"
done

parts=${*:-requests streams hotset cold everyday catalogue scale idle tls h2}

# Minutes of each part with its defaults, roughly, on two CPUs.
declare -A minutes=([requests]=7 [streams]=3 [hotset]=4 [cold]=3 [everyday]=9 [catalogue]=6 [scale]=9 [calls]=9 [idle]=1 [copy]=1 [tls]=6 [h2]=6 [ab]=4)
estimate=0
for part in $parts; do
    estimate=$((estimate + ${minutes[$part]:-0}))
done
[ -n "${BENCH_ROUNDS:-}${BENCH_SECONDS:-}${BENCH_LOADS:-}${BENCH_SIZES:-}${BENCH_SCALE_FILES:-}" ] || echo "bench: $parts: about $estimate minutes" >&2

machine
echo
for part in $parts; do
    case $part in
    requests | streams | hotset | cold | everyday | catalogue | scale | calls | idle | copy | tls | h2 | ab) "bench_$part" ;;
    *) fail "no part \"$part\"" ;;
    esac
done
