# scale.awk - the rows of scale.sh as tables: servers and caches by how many different files are asked for, then the growing table.
BEGIN { FS = "\t" }
NR > 1 && $1 == "table" {
    state[$2] = 1
    entries[$2] = $3
    for (i = 4; i <= 8; i++)
        table[$2, i] = $i
    longest[$2] = $9
    next
}
NR > 1 {
    key = $1 SUBSEP $2
    if (!(key in known)) {
        known[key] = 1
        order[++rows] = key
    }
    if (!($3 in size)) {
        size[$3] = 1
        sizes[++columns] = $3
    }
    cpu[key, $3] = $4
    rate[key, $3] = $6
    p99[key, $3] = $8
    held[key, $3] = $9
    pss[key, $3] = $10
}
function count(n,    s) { s = sprintf("%d", n); while (s ~ /[0-9][0-9][0-9][0-9]/) s = gensub_count(s); return s }
function gensub_count(s) { match(s, /[0-9]+/); return substr(s, 1, RLENGTH - 3) "," substr(s, RLENGTH - 2) }
function show(v, digits) { return v == "" || v == "-" ? "-" : sprintf("%." digits "f", v) }
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function title(key,    f) { split(key, f, SUBSEP); return f[1] ", open_file_cache " (f[2] == "off" ? "off" : "max=" f[2]) }
END {
    last = sizes[columns]
    print "### Two workers, " conns " connections; each file of so many asked for in turn, for " seconds " s after all were asked for\n"
    line = "| server | CPU per request, us:"
    rule = "|---|"
    for (i = 1; i <= columns; i++) {
        line = line (i > 1 ? " | " : " ") count(sizes[i]) " files"
        rule = rule "---|"
    }
    print line " | all / the fewest | requests/s, all | p99, ms: the fewest | all | entries kept | memory of both workers, MiB | bytes per entry |"
    print rule "---|---|---|---|---|---|---|"
    for (r = 1; r <= rows; r++) {
        key = order[r]
        line = "| " title(key)
        for (i = 1; i <= columns; i++)
            line = line " | " show(cpu[key, sizes[i]], 1)
        per = held[key, last] > 0 ? sprintf("%.0f", pss[key, last] * 1024 / held[key, last]) : "-"
        printf "%s | %s | %s | %s | %s | %s | %s | %s |\n", line, ratio(cpu[key, last], cpu[key, sizes[1]]), show(rate[key, last], 0),
            show(p99[key, sizes[1]], 2), show(p99[key, last], 2), held[key, last] == "-" ? "-" : count(held[key, last]), show(pss[key, last] / 1024, 0), per
    }
    print "\n### The table of open_file_cache: one worker, " conns " connections, names that are not there\n"
    print "| | entries then | CPU per request, us | p50, ms | p99, ms | the longest, ms |"
    print "|---|---|---|---|---|---|"
    if (state["growing"])
        printf "| growing, each name new | %s | %.1f | %.2f | %.2f | %.1f |\n", count(entries["growing"]), table["growing", 4], table["growing", 7], table["growing", 8], longest["growing"]
    if (state["grown"])
        printf "| grown, 1,000 of them again | %s | %.1f | %.2f | %.2f | %.1f |\n", count(entries["grown"]), table["grown", 4], table["grown", 7], table["grown", 8], longest["grown"]
    print ""
}
