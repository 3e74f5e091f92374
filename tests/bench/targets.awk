# targets.awk - what was set out to be reached, beside the rows of the last run. Reads requests.tsv, streams.tsv, hotset.tsv, cold.tsv,
# idle.tsv, tls.tsv, tls-streams.tsv, tls-idle.tsv, h2*.tsv, everyday.tsv, calls.tsv, scale.tsv, paths.md (those that are there).
BEGIN { FS = "\t" }
FNR == 1 {
    part = FILENAME
    sub(/.*\//, "", part)
    sub(/\.tsv$/, "", part)
    for (i = 1; i <= NF; i++)
        name[i] = $i
    have[part] = 1
    next
}
part == "paths.md" {
    if (/^### /)
        small = / 64 KiB/
    split($0, cells, " *[|] *")
    if (small && cells[2] ~ /^(sendfile|policy)/)
        switches[cells[2] ~ /^s/ ? "sendfile" : "policy"] = cells[4]
    next
}
part == "calls" {
    if ($1 == "hit.1" && $3 == "sluice" && $4 ~ /^call / && $4 != "call epoll_wait")
        calls += $5
    next
}
part == "scale" && $1 != "table" && $3 + 0 > most_files + 0 { most_files = $3 }
{
    key = part == "everyday" ? $1 " " $4 : part == "scale" ? ($1 == "table" ? $1 " " $2 : $1 " " $2 " " $3) : part == "requests" ? $1 " " $2 " " $3 " " $4 : part == "tls" ? $1 " " $2 " " $4 : part == "h2" ? $1 " " $2 " " $3 " " $4 : part == "streams" || part == "tls-streams" || part == "h2-streams" ? $1 " " $2 : $1
    for (i = 1; i <= NF; i++)
        v[part, key, name[i]] = $i
}
function cell(part, key, name) { return v[part, key, name] }
function cpu(set, size, conns, server) { return cell("requests", set " " size " " conns " " server, "cpu_us") }
# A row: the value must not be past the limit ("most") or not below it ("least").
function row(what, kind, limit, value, format,    met)
{
    if (value == "")
        return
    met = kind == "most" ? value + 0 <= limit + 0 : value + 0 >= limit + 0
    printf "| %s | at %s %s | " format " | %s |\n", what, kind, limit, value, (met ? "yes" : "**no**")
}
# No goal, but what the row above is to be read with.
function beside(what, value) { if (value != "") printf "| %s | - | %.2f | |\n", what, value }
function quotient(a, b) { return a > 0 && b > 0 ? a / b : "" }
# What the floor has in the same place: how much of the goal goes to the kernel.
function floor_too(a, b) { return a > 0 && b > 0 ? sprintf(" (the floor: %.2f)", a / b) : "" }
function request_targets(    sizes, against, k, i, j, n, limit)
{
    n = split("1 16 64 256", sizes, " ")
    split("nginx 0.65 0.65 0.75 0.85|lighttpd 0.80 0.75 0.90 0.90|floor 1.25 1.25 1.20 1.15", against, "|")
    for (i = 1; i <= n; i++)
        for (j = 1; j <= 3; j++) {
            split(against[j], limit, " ")
            row(sizes[i] " KiB: CPU per request / " limit[1] (j < 3 ? floor_too(cpu("sizes", sizes[i], 64, "floor"), cpu("sizes", sizes[i], 64, limit[1])) : ""), "most", limit[i + 1], quotient(cpu("sizes", sizes[i], 64, "sluice"), cpu("sizes", sizes[i], 64, limit[1])), "%.2f")
        }
    beside("256 KiB: CPU per request / nginx with tcp_nopush on, which sends the head as we do", quotient(cpu("head", 256, 64, "sluice"), cpu("head", 256, 64, "nginx.nopush")))
    beside("256 KiB: CPU of server and client together / nginx", quotient(cell("requests", "sizes 256 64 sluice", "total_cpu_us"), cell("requests", "sizes 256 64 nginx", "total_cpu_us")))
    row("64 KiB: p99 / floor, tcp_nopush off", "most", 1.5, quotient(cell("requests", "head 64 64 sluice", "p99_ms"), cell("requests", "head 64 64 floor", "p99_ms")), "%.2f")
    row("64 KiB: p99 / floor, tcp_nopush on", "most", 1.5, quotient(cell("requests", "head 64 64 sluice.nopush", "p99_ms"), cell("requests", "head 64 64 floor", "p99_ms")), "%.2f")
    row("1 KiB: CPU of 1,000 connections / of 64" floor_too(cpu("connections", 1, 1000, "floor"), cpu("connections", 1, 64, "floor")), "most", 1.15, quotient(cpu("connections", 1, 1000, "sluice"), cpu("connections", 1, 64, "sluice")), "%.2f")
    row("1 KiB, connection per request: CPU / nginx" floor_too(cpu("close", 1, 64, "floor.close"), cpu("close", 1, 64, "nginx")), "most", 0.8, quotient(cpu("close", 1, 64, "sluice"), cpu("close", 1, 64, "nginx")), "%.2f")
    row("1 KiB: CPU with access_log combined / without", "most", 1.1, quotient(cpu("log", 1, 64, "sluice.log"), cpu("connections", 1, 64, "sluice")), "%.2f")
}
function stream_targets(    fio, nginx)
{
    fio = 0.9 * cell("streams", "1 fio", "mb_per_s")
    nginx = 1.5 * cell("streams", "1 nginx.direct", "mb_per_s")
    if (fio > 0 && nginx > 0)
        row("one cold stream, direct, MB/s (the less of 0.9 of fio and 1.5 of nginx direct)", "least", sprintf("%.0f", fio < nginx ? fio : nginx), cell("streams", "1 sluice.direct", "mb_per_s") + 0, "%.0f")
    row("one cold stream, direct: CPU per GiB / nginx direct", "most", 0.65, quotient(cell("streams", "1 sluice.direct", "cpu_s_per_gib"), cell("streams", "1 nginx.direct", "cpu_s_per_gib")), "%.2f")
    row("four cold streams, direct: speed / nginx direct", "least", 1, quotient(cell("streams", "4 sluice.direct", "mb_per_s"), cell("streams", "4 nginx.direct", "mb_per_s")), "%.2f")
    row("four cold streams, direct: CPU per GiB / nginx direct", "most", 0.7, quotient(cell("streams", "4 sluice.direct", "cpu_s_per_gib"), cell("streams", "4 nginx.direct", "cpu_s_per_gib")), "%.2f")
}
function hot_targets()
{
    row("hot set while streaming: MiB resident, of those before", "least", 1, quotient(cell("hotset", "sluice", "resident_after_mib"), cell("hotset", "sluice", "resident_before_mib")), "%.2f")
    row("hot set while streaming: p99, ms", "most", 2, cell("hotset", "sluice", "p99_ms") + 0, "%.2f")
    row("hot set while streaming: p99 / nginx direct", "most", 1, quotient(cell("hotset", "sluice", "p99_ms"), cell("hotset", "nginx.direct", "p99_ms")), "%.2f")
    row("hot set while streaming: requests/s kept", "least", 0.7, cell("hotset", "sluice", "kept") + 0, "%.2f")
    row("hot set while streaming: streams / nginx direct", "least", 1, quotient(cell("hotset", "sluice", "streams_mb_per_s"), cell("hotset", "nginx.direct", "streams_mb_per_s")), "%.2f")
}
function tls_cpu(set, size, server) { return cell("tls", set " " size " " server, "cpu_us") }
function tls_targets(    sizes, limits, sets, titles, i, n)
{
    n = split("1 16 64 256 1024", sizes, " ")
    split("0.85 0.80 0.80 0.78 0.88", limits, " ")
    for (i = 1; i <= n; i++) {
        row("TLS, " sizes[i] " KiB: CPU per request / nginx" floor_too(tls_cpu("sizes", sizes[i], "floor"), tls_cpu("sizes", sizes[i], "nginx")), "most", limits[i], quotient(tls_cpu("sizes", sizes[i], "sluice"), tls_cpu("sizes", sizes[i], "nginx")), "%.2f")
        row("TLS, " sizes[i] " KiB: CPU per request / floor", "most", 1.25, quotient(tls_cpu("sizes", sizes[i], "sluice"), tls_cpu("sizes", sizes[i], "floor")), "%.2f")
    }
    n = split("ec.full ec.resumed rsa.full rsa.resumed", sets, " ")
    split("ECDSA, full|ECDSA, resumed|RSA, full|RSA, resumed", titles, "|")
    for (i = 1; i <= n; i++)
        row("TLS handshake, " titles[i] ": CPU / nginx" floor_too(tls_cpu(sets[i], 1, "floor"), tls_cpu(sets[i], 1, "nginx")), "most", 1.05, quotient(tls_cpu(sets[i], 1, "sluice"), tls_cpu(sets[i], 1, "nginx")), "%.2f")
}
function h2_cpu(way, size, shape, server) { return cell("h2", way " " size " " shape " " server, "cpu_us") }
function h2_targets(    ways, sizes, limits, shapes, i, j, k, what)
{
    split("tls h2c", ways, " ")
    split("1 16 256", sizes, " ")
    split("0.35 0.75 0.90", limits, " ")
    split("64x32 1x100", shapes, " ")
    for (i = 1; i <= 2; i++)
        for (j = 1; j <= 3; j++)
            for (k = 1; k <= 2; k++) {
                what = "HTTP/2, " (ways[i] == "tls" ? "TLS" : ways[i]) ", " sizes[j] " KiB, " shapes[k] ": CPU per request / "
                row(what "nginx" floor_too(h2_cpu(ways[i], sizes[j], shapes[k], "floor"), h2_cpu(ways[i], sizes[j], shapes[k], "nginx")), "most", limits[j], quotient(h2_cpu(ways[i], sizes[j], shapes[k], "sluice"), h2_cpu(ways[i], sizes[j], shapes[k], "nginx")), "%.2f")
                row(what "floor", "most", 1.35, quotient(h2_cpu(ways[i], sizes[j], shapes[k], "sluice"), h2_cpu(ways[i], sizes[j], shapes[k], "floor")), "%.2f")
            }
}
function h2_stream_targets(    ways, i, what)
{
    split("tls h2c", ways, " ")
    for (i = 1; i <= 2; i++) {
        what = "HTTP/2, " (ways[i] == "tls" ? "TLS" : ways[i]) ", a cold file, direct: "
        row(what "speed / nginx direct", "least", 1.5, quotient(cell("h2-streams", ways[i] " sluice", "mb_per_s"), cell("h2-streams", ways[i] " nginx", "mb_per_s")), "%.2f")
        row(what "CPU per GiB / nginx direct", "most", 0.75, quotient(cell("h2-streams", ways[i] " sluice", "cpu_s_per_gib"), cell("h2-streams", ways[i] " nginx", "cpu_s_per_gib")), "%.2f")
        row(what "MiB left in the page cache", "most", 0, cell("h2-streams", ways[i] " sluice", "cached_mib"), "%d")
    }
}
function h2_held(part, server) { return cell(part, server, "bytes_each") }
function tls_stream_targets(    i, n, counts, titles, ours, theirs)
{
    n = split("1 4", counts, " ")
    split("one cold stream|four cold streams", titles, "|")
    for (i = 1; i <= n; i++) {
        ours = counts[i] " sluice.direct"
        theirs = counts[i] " nginx.direct"
        row("TLS, " titles[i] ", direct: speed / nginx direct", "least", 1.5, quotient(cell("tls-streams", ours, "mb_per_s"), cell("tls-streams", theirs, "mb_per_s")), "%.2f")
        row("TLS, " titles[i] ", direct: CPU per GiB / nginx direct", "most", 0.75, quotient(cell("tls-streams", ours, "cpu_s_per_gib"), cell("tls-streams", theirs, "cpu_s_per_gib")), "%.2f")
        row("TLS, " titles[i] ", direct: MiB left in the page cache", "most", 0, cell("tls-streams", ours, "cached_mib"), "%d")
    }
}
function everyday_targets()
{
    row("no open_file_cache, 1 KiB: CPU / lighttpd, which keeps what it saw for a second", "most", 1, quotient(cell("everyday", "hit.1 sluice", "cpu_us"), cell("everyday", "hit.1 lighttpd", "cpu_us")), "%.2f")
    if (calls > 0)
        row("no open_file_cache, 1 KiB: system calls per request, the shared epoll_wait aside", "most", 4, sprintf("%.2f", calls), "%s")
    row("cold files of 64 KiB by sendfile: voluntary switches per GiB", "most", 10000, switches["sendfile"], "%d")
    row("the same as the policy chooses", "most", 10000, switches["policy"], "%d")
}
function scale_cpu(server, cache, files) { return cell("scale", server " " cache " " files, "cpu_us") }
function scale_growth(server, cache) { return quotient(scale_cpu(server, cache, most_files), scale_cpu(server, cache, 1000)) }
function scale_targets(    n, names, i, what)
{
    n = split("off 10000", names, " ")
    for (i = 1; i <= n; i++) {
        what = most_files " files, open_file_cache " (i == 1 ? "off" : "max=" names[i]) ": "
        row(what "CPU / nginx", "most", 1, quotient(scale_cpu("sluice", names[i], most_files), scale_cpu("nginx", names[i], most_files)), "%.2f")
        row(what "CPU / that of 1,000 files, as a part of nginx\047s", "most", 1.1, quotient(scale_growth("sluice", names[i]), scale_growth("nginx", names[i])), "%.2f")
    }
    row("the table of open_file_cache: p99 while it grows / later", "most", 1.5, quotient(cell("scale", "table growing", "p99_ms"), cell("scale", "table grown", "p99_ms")), "%.2f")
}
END {
    print "| what | goal | measured | reached |"
    print "|---|---|---|---|"
    if (have["requests"]) request_targets()
    if (have["streams"]) stream_targets()
    if (have["hotset"]) hot_targets()
    everyday_targets()
    if (have["scale"]) scale_targets()
    if (have["tls"]) tls_targets()
    if (have["tls-streams"]) tls_stream_targets()
    if (have["h2"]) h2_targets()
    if (have["h2-streams"]) h2_stream_targets()
    if (have["h2-idle"]) row("HTTP/2, memory of an idle connection / floor", "most", 1.25, quotient(h2_held("h2-idle", "sluice"), h2_held("h2-idle", "floor")), "%.2f")
    if (have["h2-stalled"]) row("HTTP/2, memory of 100 stalled streams / nginx", "most", 0.10, quotient(h2_held("h2-stalled", "sluice"), h2_held("h2-stalled", "nginx")), "%.2f")
    if (have["tls-idle"]) row("TLS, memory of an idle connection / nginx", "most", 1, quotient(cell("tls-idle", "sluice", "bytes_per_connection"), cell("tls-idle", "nginx", "bytes_per_connection")), "%.2f")
    if (have["idle"]) row("memory of an idle connection, bytes", "most", 1536, cell("idle", "sluice", "bytes_per_connection") + 0, "%d")
}
