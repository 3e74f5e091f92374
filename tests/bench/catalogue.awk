# catalogue.awk - the rows of catalogue.sh as two tables: CPU per request, and what the client saw. sluice by sendfile is compared with
# the better of nginx's two ways that fill the page cache as well.
BEGIN { FS = "\t" }
NR > 1 {
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in title)) {
        order[++rows] = key
        title[key] = $1 " KiB, " $2 ($3 == "names" ? ", names" : "")
        goal[key] = $1 <= 8 ? 0.75 : 0.90
    }
    cpu[key, $4] = $5
    rate[key, $4] = $6
    p99[key, $4] = $8
    switches[key, $4] = $9
}
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function show(v, digits) { return v == "" || v == "-" ? "-" : sprintf("%." digits "f", v) }
function most(r, goal) { return r == "-" || r + 0 <= goal + 0 ? r : "**" r "**" }
function least(r, goal) { return r == "-" || r + 0 >= goal + 0 ? r : "**" r "**" }
function better(v, key, sign,    a, b)
{
    a = v[key, "nginx"]
    b = v[key, "nginx-threads"]
    return b > 0 && (b - a) * sign > 0 ? b : a
}
function cpu_table(    i, k)
{
    print "| files, connections | CPU per request, us: sluice, sendfile | nginx, sendfile | nginx, aio threads | lighttpd | sluice, directio 4k | nginx, directio 4k | sluice / nginx, the better of two | goal, at most | sluice, directio / nginx, directio | sluice, sendfile / nginx, directio | sluice / lighttpd |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= rows; i++) {
        k = order[i]
        printf "| %s | %s | %s | %s | %s | %s | %s | %s | %.2f | %s | %s | %s |\n", title[k], show(cpu[k, "sluice"], 0), show(cpu[k, "nginx"], 0),
            show(cpu[k, "nginx-threads"], 0), show(cpu[k, "lighttpd"], 0), show(cpu[k, "sluice-direct"], 0), show(cpu[k, "nginx-direct"], 0),
            most(ratio(cpu[k, "sluice"], better(cpu, k, -1)), goal[k]), goal[k], most(ratio(cpu[k, "sluice-direct"], cpu[k, "nginx-direct"]), 1),
            most(ratio(cpu[k, "sluice"], cpu[k, "nginx-direct"]), 1), ratio(cpu[k, "sluice"], cpu[k, "lighttpd"])
    }
}
function client_table(    i, k)
{
    print "| files, connections | requests/s: sluice | the better of nginx's two | ratio (goal: 1.10) | directio, sluice / nginx | p99, ms: sluice | the better of nginx's two | ratio (goal: 1.1) | directio, sluice / nginx | voluntary switches per request: sluice | nginx, sendfile | nginx, aio threads | sluice, directio | nginx, directio |"
    print "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= rows; i++) {
        k = order[i]
        printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", title[k], show(rate[k, "sluice"], 0), show(better(rate, k, 1), 0),
            least(ratio(rate[k, "sluice"], better(rate, k, 1)), 1.1), ratio(rate[k, "sluice-direct"], rate[k, "nginx-direct"]),
            show(p99[k, "sluice"], 1), show(better(p99, k, -1), 1), most(ratio(p99[k, "sluice"], better(p99, k, -1)), 1.1), ratio(p99[k, "sluice-direct"], p99[k, "nginx-direct"]),
            show(switches[k, "sluice"], 2), show(switches[k, "nginx"], 2), show(switches[k, "nginx-threads"], 2), show(switches[k, "sluice-direct"], 2), show(switches[k, "nginx-direct"], 2)
    }
}
END {
    print "### Each of " files " files once, pages not in memory (*names*: nor directory entries and inodes); one worker; nginx, directio: with aio threads and output_buffers 2 64k; medians of " rounds " interleaved rounds\n"
    cpu_table()
    print ""
    client_table()
    print ""
}
