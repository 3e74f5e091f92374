#!/bin/sh
# kubernetes.sh [FOLDER] - each manifest of conf/kubernetes is YAML of a plain form (blocks, no flow, two spaces a level), and has only
# fields and values that tests/lint/kubernetes.txt allows, and those that it wants; names that one takes of another are there.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-conf/kubernetes}
awk '
function fail(why) { printf "%s:%d: %s\n", FILENAME, FNR, why; bad = 1 }

# ---- the table ----

FILENAME ~ /kubernetes\.txt$/ {
    if ($0 ~ /^#/ || NF == 0)
        next
    if ($3 == "=")
        wanted[$1 SUBSEP $2] = $4
    else
        types[$1 SUBSEP $2] = $3
    kinds[$1]
    next
}

# ---- lines to fields: "spec.ports[].port" and its value ----

FNR == 1 { end_document(); depth = 0; in_text = -1 }
in_text >= 0 && (/^ *$/ || match($0, /^ */) && RLENGTH > in_text) { next }
{ in_text = -1 }
/^ *(#|$)/ { next }
/^---$/ { end_document(); depth = 0; next }
/\t/ { fail("a tab") }
{
    match($0, /^ */)
    indent = RLENGTH
    if (indent % 2)
        fail("an odd number of spaces")
    rest = substr($0, indent + 1)
    while (rest ~ /^- /) {
        open_level(indent, "[]")
        rest = substr(rest, 3)
        indent += 2
    }
    sub(/ +#.*/, "", rest)
    if (match(rest, /^[A-Za-z0-9.\/_-]+:( |$)/)) {
        open_level(indent, substr(rest, 1, RLENGTH - (rest ~ /^[^ ]+: / ? 2 : 1)))
        value = substr(rest, RLENGTH + 1)
        if (value == "")
            next
        if (value == "|") {
            in_text = indent
            value = "a text"
        }
    } else
        value = rest
    field(path_here(), value)
}
END { end_document(); exit bad }

function open_level(at, name)
{
    while (depth > 0 && at_of[depth] >= at && !(at_of[depth] == at && name == "[]" && name_of[depth] != "[]"))
        depth--
    at_of[++depth] = at
    name_of[depth] = name
}
function path_here(    i, path)
{
    for (i = 1; i <= depth; i++)
        path = path (name_of[i] == "[]" || path == "" ? "" : ".") name_of[i]
    return path
}

# ---- fields and documents ----

function field(path, value)
{
    gsub(/^"|"$/, "", value)
    if (value ~ /^[\[{&*!>%@]/)
        fail("flow, anchors, tags and folded texts are not for this folder: " value)
    if ((path SUBSEP value) in seen && path !~ /\[\]/)
        fail(path " stands there twice")
    seen[path SUBSEP value]
    paths[++count] = path
    values[count] = value
    where[count] = FNR
}
function of_type(value, type,    words, n, i)
{
    if (type == "text")
        return value != ""
    if (type == "int")
        return value ~ /^[0-9]+$/
    if (type == "bool")
        return value ~ /^(true|false)$/
    if (type == "quantity")
        return value ~ /^[0-9]+(m|Ki|Mi|Gi)?$/
    n = split(type, words, "|")
    for (i = 1; i <= n; i++)
        if (words[i] == value)
            return 1
    return 0
}
# The row of the table, or "". The last name in labels, selectors and data may be any.
function row_of(kind, path,    any)
{
    any = path
    if (match(path, /(^|\.)(labels|matchLabels)\./) || match(path, /(^|\.)(selector|data)\./))
        any = substr(path, 1, RSTART + RLENGTH - 1) "*"
    if ((kind SUBSEP path) in types)
        return kind SUBSEP path
    if ((kind SUBSEP any) in types)
        return kind SUBSEP any
    return ("*" SUBSEP any) in types ? "*" SUBSEP any : ""
}
function end_document(    i, kind, key, part, is)
{
    for (i = 1; i <= count; i++)
        is[paths[i]] = values[i]
    kind = is["apiVersion"] "/" is["kind"]
    if (count > 0 && !(kind in kinds)) {
        printf "%s: %s is not known\n", file, kind
        bad = 1
    }
    for (i = 1; i <= count && kind in kinds; i++) {
        key = row_of(kind, paths[i])
        if (key == "") {
            printf "%s:%d: %s has no field %s\n", file, where[i], kind, paths[i]
            bad = 1
        } else if (!of_type(values[i], types[key])) {
            printf "%s:%d: %s: \"%s\" is not of type %s\n", file, where[i], paths[i], values[i], types[key]
            bad = 1
        }
    }
    for (key in wanted) {
        split(key, part, SUBSEP)
        if (count > 0 && part[1] == kind && is[part[2]] != wanted[key]) {
            printf "%s: %s must be %s\n", file, part[2], wanted[key]
            bad = 1
        }
    }
    delete seen
    delete paths
    count = 0
    file = FILENAME
}' tests/lint/kubernetes.txt "$folder"/*.yaml

# Names: ConfigMaps that pods mount, the Deployment that is scaled, labels that select.
for name in $(sed -n '/configMap:/{n;s/.*name: //p}' "$folder"/*.yaml); do
    grep -q "^  name: $name$" "$folder"/configmap.yaml || { echo "$folder: there is no ConfigMap $name"; exit 1; }
done
