# h2.awk - the rows of h2.sh as Markdown tables. Reads h2.tsv, h2-streams.tsv, h2-idle.tsv, h2-stalled.tsv (those that are there).
BEGIN { FS = "\t" }
FNR == 1 {
    part = FILENAME
    sub(/.*\//, "", part)
    sub(/\.tsv$/, "", part)
    next
}
{ line[part, ++count[part]] = $0 }
part == "h2" { cpu[$1, $2, $3, $4] = $5 }
part == "h2-streams" { speed[$1, $2] = $3; per_gib[$1, $2] = $4 }
part == "h2-idle" || part == "h2-stalled" { bytes[part, $1] = $5 }
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function way_name(way) { return way == "tls" ? "TLS" : "h2c" }
function sizes_table(    i, f)
{
    print "### Requests: connections x streams, one worker, access log off\n"
    print "| way | file | shape | server | CPU per request, us | total CPU, us | requests/s | mean, ms | CPU / floor | / h2o | / nginx |"
    print "|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["h2"]; i++) {
        split(line["h2", i], f, "\t")
        printf "| %s | %s KiB | %s | %s | %.2f | %.1f | %.0f | %.2f | %s | %s | %s |\n", way_name(f[1]), f[2], f[3], f[4], f[5], f[6], f[7], f[8],
            ratio(f[5], cpu[f[1], f[2], f[3], "floor"]), ratio(f[5], cpu[f[1], f[2], f[3], "h2o"]), ratio(f[5], cpu[f[1], f[2], f[3], "nginx"])
    }
    print ""
}
function streams_table(    i, f)
{
    print "### One cold file of " mib " MiB, one stream (sluice: `directio 4m`; nginx: `directio 4m; aio threads; output_buffers 2 512k`); medians of " stream_rounds " interleaved rounds\n"
    print "| way | server | MB/s | server CPU s per GiB | MiB left in the page cache | speed / nginx | CPU / nginx |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= count["h2-streams"]; i++) {
        split(line["h2-streams", i], f, "\t")
        printf "| %s | %s | %.0f | %.2f | %.0f | %s | %s |\n", way_name(f[1]), f[2], f[3], f[4], f[5],
            ratio(f[3], speed[f[1], "nginx"]), ratio(f[4], per_gib[f[1], "nginx"])
    }
    print ""
}
function held_table(part, title,    i, f)
{
    print "### " title "\n"
    print "| server | held | process memory before, KiB | with them, KiB | bytes each | / floor | / nginx |"
    print "|---|---|---|---|---|---|---|"
    for (i = 1; i <= count[part]; i++) {
        split(line[part, i], f, "\t")
        printf "| %s | %d | %d | %d | %d | %s | %s |\n", f[1], f[2], f[3], f[4], f[5], ratio(f[5], bytes[part, "floor"]), ratio(f[5], bytes[part, "nginx"])
    }
    print ""
}
END {
    print "Medians of " rounds " interleaved rounds. *CPU*: the server's threads. *Total*: both CPUs, softirqs included, and so the client too.\n"
    if (count["h2"]) sizes_table()
    if (count["h2-streams"]) streams_table()
    if (count["h2-idle"]) held_table("h2-idle", "Idle connections (h2c), each after one answer")
    if (count["h2-stalled"]) held_table("h2-stalled", "Streams of one connection whose windows have closed after 500 bytes (h2c, 256 KiB files)")
}
