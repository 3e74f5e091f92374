#!/bin/sh
# layers.sh - reads the #include lines of src/ and include/ and fails on one that points the wrong way between layers,
# on a library used outside its room, on a header without its guard, and on a source that does not start with its header.
set -eu
cd "$(dirname "$0")/../.."

find src include -name '*.[ch]' | sort | xargs awk '
function fail(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; failures++ }

# The layer of "src/net/loop.c", "include/net/loop.h" and "net/loop.h"; "main" for src/main.c.
function layer_of(path, parts, n) {
    n = split(path, parts, "/")
    if (parts[1] == "src" || parts[1] == "include")
        return n == 2 ? "main" : parts[2]
    return n == 1 ? "" : parts[1]
}

function allow(from, to, n, i, names) {
    n = split(to, names, " ")
    for (i = 1; i <= n; i++)
        may[from, names[i]] = 1
    layers[from] = 1
}

# Only `rooms` (a regular expression on the path) may include what matches `headers`.
function reserve(headers, rooms) { reserved[++doors] = headers; room[doors] = rooms }

function end_file() {
    if (file == "")
        return
    if (file ~ /\.h$/ && (guard == "" || !guarded))
        { printf "%s: no header guard\n", file; failures++ }
    if (file ~ /\.c$/ && own != "" && first != own && own !~ ("/" first "$"))
        { printf "%s: the first include is %s, not its own header %s\n", file, first == "" ? "missing" : first, own; failures++ }
}

function exists(path, line, rc) { rc = (getline line < path); close(path); return rc >= 0 }

function folder_of(path) { sub(/\/[^\/]*$/, "", path); return path }

# A source has the header of its name as its own, where there is one.
function own_header(path, name) {
    name = path
    sub(/^src\//, "", name); sub(/\.c$/, ".h", name)
    if (exists("include/" name) || exists("src/" name))
        return name
    return ""
}

BEGIN {
    allow("base", "base")
    allow("conf", "base conf")
    allow("net", "base conf net")
    allow("file", "base conf file")
    allow("io", "base conf net file io")
    allow("http", "base conf net file io http")
    allow("server", "base conf net file io http server")
    allow("main", "base conf net file io http server")
    reserve("^(event2?/|event\\.h|evutil|ev[a-z]+\\.h)", "^(src|include)/net/")
    reserve("^llhttp", "^src/http/parse[a-z_]*\\.[ch]$")
    reserve("^liburing", "^src/io/disk_uring\\.c$")
    reserve("^libaio", "^src/io/disk_libaio\\.c$")
    reserve("^crypt\\.h", "^src/http/crypt_libc\\.c$")
    reserve("^openssl/", "^src/base/hash\\.c$")
    reserve("^zlib", "^src/(io/codec_zlib|base/log_gzip)\\.c$")
    reserve("^pcre2", "^src/http/pattern\\.c$")
}

FNR == 1 {
    end_file()
    file = FILENAME; guard = ""; guarded = 0; first = ""
    layer = layer_of(FILENAME)
    own = FILENAME ~ /\.c$/ ? own_header(FILENAME) : ""
    if (!(layer in layers))
        fail("layer " layer " is not in the list of tests/lint/layers.sh")
    if ($0 !~ /^\/\*/)
        fail("a file opens with a comment: its purpose and place")
}

FILENAME ~ /\.h$/ && /^#ifndef / && guard == "" { guard = $2 }
/^#define / && $2 == guard {
    guarded = 1
    want = toupper(FILENAME)
    sub(/^(SRC|INCLUDE)\//, "", want); gsub(/[^A-Z0-9]/, "_", want)
    if (guard != want)
        fail("the guard is " guard ", not " want)
}

/^[ \t]*#[ \t]*include[ \t]*[<"]/ {
    name = $0
    sub(/^[^<"]*[<"]/, "", name); sub(/[>"].*$/, "", name)
    quoted = $0 ~ /include[ \t]*"/
    if (first == "")
        first = name
    for (i = 1; i <= doors; i++)
        if (name ~ reserved[i] && FILENAME !~ room[i])
            fail("<" name "> may only be included in " room[i])
    if (!quoted)
        next
    to = layer_of(name)
    if (to == "" && exists(folder_of(FILENAME) "/" name))
        next
    if (to == "")
        fail("\"" name "\": write the layer, as in \"" layer "/" name "\"")
    else if (!((layer, to) in may))
        fail("layer " layer " may not include \"" name "\"")
    else if (to != layer && !exists("include/" name))
        fail("\"" name "\" is private to layer " to)
}

END {
    end_file()
    if (failures)
        exit 1
}'
