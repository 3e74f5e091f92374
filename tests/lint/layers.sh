#!/bin/sh
# layers.sh [OBJECTS [TREE]] - the law of the house (docs/architecture.md): a file includes, and calls, only what stands above its own
# layer or room in the list below. Reads the #include lines of TREE (default: this one), and, where OBJECTS is a folder of a build, the
# symbols of its object files, so that a prototype written out by hand does not get around it. It fails too on a library outside its
# door, on a circle between files that does not say why it is one thing, on a header without its guard, and on a source that does not
# start with its own header. tests/lint/test_layers.sh breaks each rule once.
set -eu
tree=${2:-$(dirname "$0")/../..}
objects=${1:+$(cd "$1" && pwd)}
cd "$tree"

# Lowest first. Rooms of one line are siblings: none includes another.
order='
base
conf
net file
net/tls
io
http/syntax
http/worker
http/site
http/request
http/variable
http/core
http/respond
http/files
http/tls http/access http/limit http/rewrite http/content http/listing http/registry
http/handle
http/log
http/h1 http/h2
http/explain
http
server/conf
server/confine
server/process
server/tune
server/explain
server/command
main
'

# Circles of files in one folder that are one thing in several files: a pattern on their names, and why.
together='
base/log.*          lines go from log.c to the files, from there to the writer and back when it fails
conf/(parse|include|inherit) one reader: include is parsed in place, what was read is inherited at its end
net/tls/tls_conf.*  the rows, and the setters of some
file/(beneath|guard) guard.c asks the kernel, beneath.c walks by hand where that cannot
file/(open|identity) opening looks for what is known of a file; what stands beside it is opened
file/(open|elsewhere) what open.c may not open, another process is asked for
file/cache.*        lookups, and the opens that they wait for
io/disk.*           one contract, and its readers
io/(gate|source.*|windows.*) one contract, and its sources
http/core/(core|location) the rows, and the blocks that they open
http/explain/explain_.* the words of one step each
http/h1/connection.* the states of one machine, by file
http/h2/(session|stream|head).* the states of a connection and of its streams, by file
http/listing/listing.* one page in four forms
http/limit/limit.*   one step, and the two kinds of zones that it asks
http/rewrite/rewrite_.* rows that open blocks of rows
'

say_order() { printf '%s\n' "$order" | awk 'NF { n++; for (i = 1; i <= NF; i++) print "rank", $i, n }'; }

# ---- #include lines ----

includes() {
    {
        say_order
        find src include -name '*.[ch]' | sort | sed 's/^/file /'
    } | awk '
function fail(text) { printf "%s:%d: %s\n", file, line, text; failures++ }
function exists(path,    junk, rc) { rc = (getline junk < path); close(path); return rc >= 0 }

# "src/http/h1/head.c", "include/http/service.h" and "http/h1/head.h" to http/h1, http, http/h1.
function place_of(path,    parts, n) {
    sub(/^(src|include)\//, "", path)
    n = split(path, parts, "/")
    if (n == 1)
        return "main"
    return n > 2 && (parts[1] "/" parts[2]) in rank ? parts[1] "/" parts[2] : parts[1]
}
function layer_of(place) { sub(/\/.*/, "", place); return place }

# Only `doors` (a regular expression on the path) may include what matches `headers`.
function reserve(headers, rooms) { reserved[++doors] = headers; door[doors] = rooms }

function own_header(path) {
    sub(/^src\//, "", path); sub(/\.c$/, ".h", path)
    return exists("src/" path) || exists("include/" path) ? path : ""
}

function check(    first, guard, guarded, want, own, name, quoted, to, i, text) {
    line = 0; first = guard = ""; guarded = 0
    own = file ~ /\.c$/ ? own_header(file) : ""
    if (!(place in rank))
        fail("place " place " is not in the list of tests/lint/layers.sh")
    while ((getline text < file) > 0) {
        line++
        if (line == 1 && text !~ /^\/\*/)
            fail("a file opens with a comment: its purpose and place")
        if (file ~ /\.h$/ && text ~ /^#ifndef / && guard == "") { split(text, word, " "); guard = word[2] }
        if (text ~ /^#define / && split(text, word, " ") && word[2] == guard) {
            guarded = 1
            want = toupper(file)
            sub(/^(SRC|INCLUDE)\//, "", want); gsub(/[^A-Z0-9]/, "_", want)
            if (guard != want)
                fail("the guard is " guard ", not " want)
        }
        if (text !~ /^[ \t]*#[ \t]*include[ \t]*[<"]/)
            continue
        quoted = text ~ /include[ \t]*"/
        name = text
        sub(/^[^<"]*[<"]/, "", name); sub(/[>"].*$/, "", name)
        if (first == "")
            first = name
        for (i = 1; i <= doors; i++)
            if (name ~ reserved[i] && file !~ door[i])
                fail("<" name "> may only be included in " door[i])
        if (!quoted)
            continue
        if (name !~ /\//) {
            if (!exists(folder "/" name))
                fail("\"" name "\": write the layer, as in \"" layer_of(place) "/" name "\"")
            continue
        }
        to = place_of(name)
        if (to in rank && to != place && rank[to] >= rank[place])
            fail(place " may not include \"" name "\"" (rank[to] == rank[place] ? ": they are siblings" : ": it stands below"))
        else if (layer_of(to) != layer_of(place) && !exists("include/" name) && name !~ /\.inc$/)
            fail("\"" name "\" is private to layer " layer_of(to))
    }
    close(file)
    line = 1
    if (file ~ /\.h$/ && (guard == "" || !guarded))
        fail("no header guard")
    if (own != "" && first != own && own !~ ("/" first "$"))
        fail("the first include is " (first == "" ? "missing" : first) ", not its own header " own)
}

BEGIN {
    reserve("^(event2?/|event\\.h|evutil|ev[a-z]+\\.h)", "^(src|include)/net/[a-z_]*\\.[ch]$")
    reserve("^llhttp", "^src/http/h1/parse[a-z_]*\\.[ch]$")
    reserve("^liburing", "^src/io/disk_uring\\.c$")
    reserve("^libaio", "^src/io/disk_libaio\\.c$")
    reserve("^crypt\\.h", "^src/http/access/crypt_libc\\.c$")
    reserve("^openssl/", "^src/(base/hash\\.c|net/tls/tls[a-z_]*\\.[ch])$")
    reserve("^nghttp2/", "^src/http/h2/")
    reserve("^jansson", "^src/http/registry/layout_json\\.c$")
    reserve("^zlib", "^src/(io/codec_zlib|base/log_gzip)\\.c$")
    reserve("^qrencode", "^src/server/command/qr\\.c$")
    reserve("^brotli/", "^src/(io/codec|server/command/dict)_brotli\\.c$")
    reserve("^zstd", "^src/(io/codec|server/command/dict)_zstd\\.c$")
    reserve("^pcre2", "^src/http/syntax/pattern\\.c$")
}
$1 == "rank" { rank[$2] = $3 }
$1 == "file" {
    file = $2
    folder = file; sub(/\/[^\/]*$/, "", folder)
    place = place_of(file)
    check()
}
END { exit failures > 0 }'
}

# ---- symbols ----

symbols() {
    {
        say_order
        printf '%s\n' "$together" | awk 'NF { print "together", $1 }'
        find src -name '*.c' | sort | sed 's/c$/o/' | (cd "$objects" && xargs ls 2>/dev/null | xargs nm -A -g)
    } | awk '
function place_of(path,    parts, n) {
    n = split(path, parts, "/")
    if (n == 1)
        return "main"
    return n > 2 && (parts[1] "/" parts[2]) in rank ? parts[1] "/" parts[2] : parts[1]
}
function fail(text) { print text; failures++ }

# Whether calls lead from `at` to `goal`.
function reaches(at, goal,    list, n, i) {
    if (at == goal)
        return 1
    if (seen[at]++)
        return 0
    n = split(calls[at], list, " ")
    for (i = 1; i <= n; i++)
        if (reaches(list[i], goal))
            return 1
    return 0
}
function is_together(a, b,    i) {
    for (i = 1; i <= groups; i++)
        if (a ~ ("^" group[i] "$") && b ~ ("^" group[i] "$"))
            return 1
    return 0
}

$1 == "rank" { rank[$2] = $3; next }
$1 == "together" { group[++groups] = $2; next }
{
    split($1, head, ":")
    from = head[1]
    sub(/^src\//, "", from); sub(/\.o$/, "", from)
    kind = $(NF - 1); name = $NF
    if (kind == "U") { wanted[++wants] = name; wanter[wants] = from }
    else if (kind ~ /^[TDRBVW]$/) owner[name] = from
}
END {
    for (i = 1; i <= wants; i++) {
        a = wanter[i]; b = owner[wanted[i]]
        if (b == "" || a == b)
            continue
        pa = place_of(a); pb = place_of(b)
        if (b == "http/modules" && wanted[i] == "http_variables") # the one list: core.c hands it to the machinery
            continue
        if (pa != pb && rank[pb] >= rank[pa])
            fail(a ".c may not call " wanted[i] "() of " b ".c: " pb (rank[pa] == rank[pb] ? " is a sibling of " : " stands below ") pa)
        if (!((a, b) in edge)) { edge[a, b] = 1; calls[a] = calls[a] " " b; es++; ea[es] = a; eb[es] = b }
    }
    for (i = 1; i <= es; i++) {
        split("", seen)
        if (place_of(ea[i]) == place_of(eb[i]) && !is_together(ea[i], eb[i]) && reaches(eb[i], ea[i]))
            fail(ea[i] ".c calls " eb[i] ".c, from where calls lead back: cut the circle, or say in tests/lint/layers.sh why they are one thing")
    }
    exit failures > 0
}'
}

rc=0
includes || rc=1
[ -z "$objects" ] || symbols || rc=1
exit $rc
