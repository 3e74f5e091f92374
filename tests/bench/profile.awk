# profile.awk - callgrind's counts by step of a request. Reads each file of counts twice: an inlined function is counted under the
# header that it came from, and belongs to the file of the function around it.
FNR == 1 { pass++ }
{ run = pass <= 2 ? 1 : 2 }
pass % 2 == 1 {
    if ($2 ~ /src\/|llhttp/)
        home[$3] = $2
    next
}
{
    where = $2
    if (where !~ /src\/|llhttp/ && $4 == "" && ($3 in home) && where ~ /\/include\//)
        where = home[$3]
    if (where ~ /\/elf\/|src\/(conf|server|main)/) # starting up, before any request
        next
    s = step(where, $4)
    count[run, s] += $1
    total[run] += $1
}
function step(f, library)
{
    if (library == "libevent" || f ~ /net\/loop/) return "loop"
    if (f ~ /llhttp|http\/h1\/(parse|request_head)|http\/syntax\/message/) return "parse"
    if (f ~ /http\/(log|variable)\/|request_log|log_escape|base\/log/) return "log"
    if (f ~ /http\/h1\/head|http\/respond\/(headers|respond|response|redirect|userid)|http\/syntax\/(mime|status|field)|base\/number/) return "head"
    if (f ~ /http\/(h1|worker)\/|http\/service|net\/|base\/clock/) return "connection"
    if (f ~ /http\/core\/|http\/syntax\/(uri|pattern)/) return "route"
    if (f ~ /src\/file/) return "cache"
    if (f ~ /src\/http\/|include\/http\/|io\/(policy|io|demand|admission|room)/) return "choose"
    if (f ~ /src\/io/) return "send"
    if (f ~ /src\//) return "base"
    return "libc"
}
END {
    print "### Instructions of one request of 1 KiB in user space, counted by callgrind: " requests " requests, 8 connections\n"
    print "| step | where | instructions | share | with access_log combined |"
    print "|---|---|---|---|---|"
    k = split("loop connection parse route cache choose head send log base libc", order, " ")
    split("libevent, `net/loop`|`http/h1`, deadlines, `http/service`, `http/worker`|`http/h1/parse`, llhttp|`http/syntax/uri`, `http/core`|`file/cache`, `file/open`|`http/handle`, `http/files`, preconditions, `io/policy`|`http/h1/head`, `http/respond`, media types|`io/source_*`, `io/sink`|`http/log`, `http/variable`|`base/*`|system call stubs, memcpy, memchr", where_of, "|")
    for (i = 1; i <= k; i++)
        printf "| %s | %s | %.0f | %.0f %% | %.0f |\n", order[i], where_of[i], count[1, order[i]] / requests, 100 * count[1, order[i]] / total[1], count[2, order[i]] / requests
    printf "| all | | %.0f | 100 %% | %.0f |\n\n", total[1] / requests, total[2] / requests
}
