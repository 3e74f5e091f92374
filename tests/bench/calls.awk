# calls.awk - the rows of calls.sh as Markdown: system calls and switches per request (table=calls), or the shares of the time (table=time).
BEGIN { FS = "\t" }
NR > 1 {
    key = $1 SUBSEP $3
    if (!(key in server)) {
        order[++rows] = key
        server[key] = $3
        title[key] = $2
    }
    kind = what = $4
    sub(/ .*/, "", kind)
    sub(/^[a-z]+ /, "", what)
    if (kind == "switches")
        switches[key] = $5
    else if (kind == "time")
        add(key, "time", what, $5, 0)
    else {
        add(key, "call", what, $5, $6)
        total[key] += $5
        if (what == "futex")
            futex[key] = $5
    }
}
# Names with their values, in the order of the values.
function add(key, kind, what, value, failed,    i)
{
    for (i = ++count[key, kind]; i > 1 && values[key, kind, i - 1] < value + 0; i--) {
        names[key, kind, i] = names[key, kind, i - 1]
        values[key, kind, i] = values[key, kind, i - 1]
        failures[key, kind, i] = failures[key, kind, i - 1]
    }
    names[key, kind, i] = what
    values[key, kind, i] = value + 0
    failures[key, kind, i] = failed + 0
}
function calls(key,    i, text)
{
    for (i = 1; i <= count[key, "call"] && values[key, "call", i] >= 0.05; i++)
        text = text (i > 1 ? ", " : "") names[key, "call", i] " " sprintf("%.2f", values[key, "call", i]) \
            (failures[key, "call", i] >= 0.05 ? sprintf(" (%.2f failed)", failures[key, "call", i]) : "")
    return text
}
function times(key,    i, text)
{
    for (i = 1; i <= count[key, "time"] && values[key, "time", i] >= 2; i++)
        text = text (i > 1 ? ", " : "") names[key, "time", i] " " sprintf("%.0f %%", values[key, "time", i])
    return text
}
function name(s)
{
    sub(/-threads$/, ", aio threads", s)
    sub(/-direct$/, ", directio 4k", s)
    return s
}
END {
    print table == "calls" ? "| load | server | system calls per request | futex calls | voluntary switches | which calls; those below 0.05 are left out |" : "| load | server | where the CPU time goes |"
    print table == "calls" ? "|---|---|---|---|---|---|" : "|---|---|---|"
    for (i = 1; i <= rows; i++) {
        k = order[i]
        if (table == "calls")
            printf "| %s | %s | %.1f | %.2f | %.2f | %s |\n", title[k], name(server[k]), total[k], futex[k], switches[k], calls(k)
        else if (count[k, "time"] > 0)
            printf "| %s | %s | %s |\n", title[k], name(server[k]), times(k)
    }
    print ""
}
