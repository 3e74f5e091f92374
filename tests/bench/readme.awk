# readme.awk - some rows of everyday.tsv and catalogue.tsv as the table of ratios in README.md: server CPU per request, sluice / nginx.
BEGIN {
    FS = "\t"
    wanted = split("hit.1 hit.16 try_files missing.log redirect not_modified gzip.first gzip ranges auth cached.1 cached.pipelined cached.listing", order, " ")
}
FNR == 1 {
    catalogue = $1 == "size_kib"
    next
}
catalogue {
    key = $1 SUBSEP $2 SUBSEP $3
    if (!(key in known)) {
        known[key] = 1
        what[++rows] = key
        title[key] = "each of many files of " $1 " KiB once, from the disk" ($3 == "names" ? ", names too" : "") ", " $2 " connections"
    }
    cpu[key, $4] = $5
    next
}
{
    title[$1] = $2 ($1 ~ /^cached\./ ? ", open_file_cache" : "")
    cpu[$1, $4] = $5
}
function line(key, theirs)
{
    if (cpu[key, "sluice"] > 0 && theirs > 0)
        table = table sprintf("| %s | %.2f |\n", title[key], cpu[key, "sluice"] / theirs)
}
function better(a, b) { return b > 0 && b + 0 < a + 0 ? b : a }
END {
    for (i = 1; i <= wanted; i++)
        line(order[i], cpu[order[i], "nginx"])
    for (i = 1; i <= rows; i++)
        line(what[i], better(cpu[what[i], "nginx"], cpu[what[i], "nginx-threads"]))
    if (table == "")
        exit
    print "\nThe same configuration in both, no `open_file_cache` where nothing else is said (`make bench BENCH=\"everyday catalogue\"`):\n"
    print "| load | server CPU per request, sluice / nginx |"
    print "|---|---|"
    print table
}
