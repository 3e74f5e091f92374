# requests.awk - the rows of requests.sh as Markdown tables.
BEGIN { FS = "\t" }
NR > 1 {
    key = $1 SUBSEP $2 SUBSEP $3 SUBSEP $4
    order[$1, ++count[$1]] = key
    cpu[key] = $5
    line[key] = $0
}
function of(set, size, conns, server) { return cpu[set, size, conns, server] }
function ms(v) { return v == "-" ? v : sprintf("%.2f", v) }
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function size_name(kib) { return kib >= 1024 ? kib / 1024 " MiB" : kib " KiB" }
function title(s)
{
    sub(/^floor\.split$/, "floor, head on its own", s)
    sub(/^floor\.close$/, "floor", s)
    sub(/\.log$/, "", s)
    sub(/\.two$/, "", s)
    sub(/\.nopush$/, ", tcp_nopush on", s)
    return s
}
function sizes_table(    i, f)
{
    print "### Sizes: 64 keep-alive connections, one worker, access log off"
    print ""
    print "| file | server | CPU per request, us | total CPU, us | requests/s | p50, ms | p99, ms | CPU / floor | / lighttpd | / nginx |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["sizes"]; i++) {
        split(line[order["sizes", i]], f, "\t")
        printf "| %s | %s | %.1f | %.0f | %.0f | %.2f | %.2f | %s | %s | %s |\n", size_name(f[2]), f[4], f[5], f[6], f[7], f[8], f[9],
            ratio(f[5], of("sizes", f[2], f[3], "floor")), ratio(f[5], of("sizes", f[2], f[3], "lighttpd")), ratio(f[5], of("sizes", f[2], f[3], "nginx"))
    }
    print ""
}
function varied_rows(set, what,    i, f, s, peer)
{
    for (i = 1; i <= count[set]; i++) {
        split(line[order[set, i]], f, "\t")
        s = f[4]
        sub(/\..*/, "", s)
        peer = f[4]
        sub(/^(floor|sluice)/, "nginx", peer)
        sub(/\.close$/, "", peer)
        printf "| %s | %s | %.1f | %.0f | %s | %s | %s | %s |\n", set == "connections" ? f[3] (f[3] == 1 ? " connection" : " connections") : what,
            title(f[4]), f[5], f[7], ms(f[8]), ms(f[9]), ratio(f[5], of("connections", 1, 64, s)), ratio(f[5], of(set, 1, f[3], peer))
    }
}
function varied_table()
{
    print "### One thing varied, 1 KiB; 64 connections where nothing else is said"
    print ""
    print "| what | server | CPU per request, us | requests/s | p50, ms | p99, ms | CPU / its own at 64 | CPU / nginx |"
    print "|---|---|---|---|---|---|---|---|"
    varied_rows("connections")
    varied_rows("close", "connection per request")
    varied_rows("pipelined", "pipelined 16 deep")
    varied_rows("log", "access_log combined (nginx: buffer=64k flush=1s)")
    varied_rows("workers", "two workers, on the client's CPU too")
    print ""
}
function head_table(    i, f)
{
    print "### The head and the body: together, or the head on its own"
    print ""
    print "| file | server | CPU per request, us | total CPU, us | requests/s | p50, ms | p99, ms | p99 / floor | CPU / floor | total / floor |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["head"]; i++) {
        split(line[order["head", i]], f, "\t")
        if (f[4] == "floor") {
            p99 = f[9]
            total = f[6]
        }
        printf "| %s | %s | %.1f | %.0f | %.0f | %.2f | %.2f | %s | %s | %s |\n", size_name(f[2]), title(f[4]), f[5], f[6], f[7], f[8], f[9],
            ratio(f[9], p99), ratio(f[5], of("head", f[2], f[3], "floor")), ratio(f[6], total)
    }
    print ""
}
END {
    print "Medians of " rounds " interleaved rounds of " seconds " s. *CPU*: the server's threads. *Total*: both CPUs, softirqs included, and so the client too."
    print ""
    if (count["sizes"]) sizes_table()
    if (count["connections"]) varied_table()
    if (count["head"]) head_table()
}
