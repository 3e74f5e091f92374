# tls.awk - the rows of tls.sh as Markdown tables. Reads tls.tsv, tls-streams.tsv, tls-idle.tsv (those that are there).
BEGIN { FS = "\t" }
FNR == 1 {
    part = FILENAME
    sub(/.*\//, "", part)
    sub(/\.tsv$/, "", part)
    next
}
{ line[part, ++count[part]] = $0 }
part == "tls" { cpu[$1, $2, $4] = $5 }
part == "tls-streams" { speed[$1, $2] = $3; per_gib[$1, $2] = $4 }
part == "tls-idle" { bytes[$1] = $5 }
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function ms(v) { return v == "-" ? v : sprintf("%.2f", v) }
function size_name(kib) { return kib >= 1024 ? kib / 1024 " MiB" : kib " KiB" }
function sizes_table(    i, f)
{
    print "### Sizes: 64 keep-alive connections, one worker, access log off\n"
    print "| file | server | CPU per request, us | total CPU, us | requests/s | p50, ms | p99, ms | CPU / floor | / lighttpd | / nginx |"
    print "|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["tls"]; i++) {
        split(line["tls", i], f, "\t")
        if (f[1] == "sizes")
            printf "| %s | %s | %.1f | %.0f | %.0f | %s | %s | %s | %s | %s |\n", size_name(f[2]), f[4], f[5], f[6], f[7], ms(f[8]), ms(f[9]),
                ratio(f[5], cpu[f[1], f[2], "floor"]), ratio(f[5], cpu[f[1], f[2], "lighttpd"]), ratio(f[5], cpu[f[1], f[2], "nginx"])
    }
    print ""
}
function handshakes_table(    i, f, title)
{
    title["ec.full"] = "ECDSA P-256, full"
    title["ec.resumed"] = "ECDSA P-256, resumed"
    title["rsa.full"] = "RSA 2048, full"
    title["rsa.resumed"] = "RSA 2048, resumed"
    print "### Handshakes: connection, handshake, one request of 1 KiB, close\n"
    print "| handshake | server | CPU each, us | total CPU, us | handshakes/s | CPU / floor | / lighttpd | / nginx |"
    print "|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["tls"]; i++) {
        split(line["tls", i], f, "\t")
        if (f[1] in title)
            printf "| %s | %s | %.0f | %.0f | %.0f | %s | %s | %s |\n", title[f[1]], f[4], f[5], f[6], f[7],
                ratio(f[5], cpu[f[1], f[2], "floor"]), ratio(f[5], cpu[f[1], f[2], "lighttpd"]), ratio(f[5], cpu[f[1], f[2], "nginx"])
    }
    print ""
}
function streams_table(    i, f, title)
{
    title["sluice.direct"] = "sluice, directio 4m"
    title["nginx.direct"] = "nginx, directio 4m; aio threads; output_buffers 2 512k"
    title["lighttpd.direct"] = "lighttpd (through the page cache)"
    title["floor"] = "floor, from memory"
    print "### Cold files of " mib " MiB, one connection each; medians of " stream_rounds " interleaved rounds\n"
    print "| streams | how | MB/s | server CPU s per GiB | MiB left in the page cache | speed / nginx | CPU / nginx |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["tls-streams"]; i++) {
        split(line["tls-streams", i], f, "\t")
        printf "| %d | %s | %.0f | %.2f | %s | %s | %s |\n", f[1], title[f[2]], f[3], f[4], f[2] == "floor" ? "-" : sprintf("%.0f", f[5]),
            ratio(f[3], speed[f[1], "nginx.direct"]), ratio(f[4], per_gib[f[1], "nginx.direct"])
    }
    print ""
}
function idle_table(    i, f)
{
    print "### Idle keep-alive connections, each after one answer\n"
    print "| server | connections | process memory before, KiB | with them, KiB | bytes per connection | / nginx |"
    print "|---|---|---|---|---|---|"
    for (i = 1; i <= count["tls-idle"]; i++) {
        split(line["tls-idle", i], f, "\t")
        printf "| %s | %d | %d | %d | %d | %s |\n", f[1], f[2], f[3], f[4], f[5], ratio(f[5], bytes["nginx"])
    }
    print ""
}
END {
    print "Medians of " rounds " interleaved rounds of " seconds " s. *CPU*: the server's threads. *Total*: both CPUs, softirqs included, and so the client too.\n"
    if (count["tls"]) {
        sizes_table()
        handshakes_table()
    }
    if (count["tls-streams"]) streams_table()
    if (count["tls-idle"]) idle_table()
}
