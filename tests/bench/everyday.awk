# everyday.awk - the rows of everyday.sh as a table of ratios.
BEGIN { FS = "\t" }
NR > 1 {
    if (!($1 in title)) {
        name[++loads] = $1
        title[$1] = $2
        goal[$1] = $3
    }
    cpu[$1, $4] = $5
    total[$1, $4] = $6
    rate[$1, $4] = $7
    p99[$1, $4] = $9
}
function ratio(a, b) { return a > 0 && b > 0 ? sprintf("%.2f", a / b) : "-" }
function us(v) { return v > 0 ? sprintf("%.1f", v) : "-" }
function ms(v) { return v > 0 ? sprintf("%.2f", v) : "-" }
function reached(r, goal) { return r == "-" ? r : r + 0 <= goal + 0 ? r : "**" r "**" }
function line(l, way, what)
{
    printf "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", what, us(cpu[l, "sluice"]), us(cpu[l, way]), us(cpu[l, "lighttpd"]),
        reached(ratio(cpu[l, "sluice"], cpu[l, way]), goal[l]), goal[l], ratio(cpu[l, "sluice"], cpu[l, "lighttpd"]),
        ratio(total[l, "sluice"], total[l, way]), ratio(rate[l, "sluice"], rate[l, way]), ms(p99[l, "sluice"]), ratio(p99[l, "sluice"], p99[l, way])
}
function table(from,    i, l, cached)
{
    print "| load | CPU per request, us: sluice | nginx | lighttpd | CPU, sluice / nginx | goal, at most | CPU, sluice / lighttpd | server and client together, sluice / nginx | requests/s, sluice / nginx | p99, ms | p99, sluice / nginx |"
    print "|---|---|---|---|---|---|---|---|---|---|---|"
    for (i = 1; i <= loads; i++) {
        l = name[i]
        cached = l ~ /^cached\./
        if (cached != from)
            continue
        line(l, "nginx", title[l])
        if (cpu[l, "nginx-threads"] > 0)
            line(l, "nginx-threads", title[l] "; nginx: aio threads")
    }
    print ""
}
function has(from,    i)
{
    for (i = 1; i <= loads; i++)
        if ((name[i] ~ /^cached\./) == from)
            return 1
    return 0
}
END {
    about = ": " conns " connections, one worker; medians of " rounds " interleaved rounds of " seconds " s\n"
    if (has(0)) {
        print "### No open_file_cache, all in memory" about
        table(0)
    }
    if (has(1)) {
        print "### The same with open_file_cache, and what else a configuration has" about
        table(1)
    }
}
