#!/bin/sh
# test_layers.sh OBJECTS - breaks the law of tests/lint/layers.sh once in each way, in a copy of the tree, and sees that it says so.
# OBJECTS: a folder of a build, for the ways that only symbols show; they are compiled beside copies of its objects.
set -eu
cd "$(dirname "$0")/../.."
objects=$1
law=$PWD/tests/lint/layers.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
checks=0 failed=0

fresh() # a tree and its objects as they are
{
    rm -rf "$tmp/tree" "$tmp/objects"
    mkdir -p "$tmp/tree/tests" "$tmp/objects"
    cp -r src include "$tmp/tree/"
    cp -r tests/lint "$tmp/tree/tests/"
    (cd "$objects" && find src -name '*.o' -exec cp --parents -t "$tmp/objects" {} +)
}

broken() # WHAT WORDS: the law is broken so; its answer has the words
{
    checks=$((checks + 1))
    if said=$("$law" "$tmp/objects" "$tmp/tree" 2>&1); then
        echo "layers: not seen: $1"
        failed=$((failed + 1))
    elif ! printf '%s\n' "$said" | grep -qF -- "$2"; then
        echo "layers: $1: said something else:"
        printf '%s\n' "$said" | head -5
        failed=$((failed + 1))
    fi
    fresh
}

add_line() { printf '%s\n' "$2" >>"$tmp/tree/$1"; } # FILE LINE

# A source with a function that calls another one without including its header, and its object.
calls() # FILE CALLED [FUNCTION]
{
    own=${3:-made_by_test}
    printf '/* %s - for a test. */\nvoid %s(void);\nvoid %s(void);\nvoid %s(void)\n{\n    %s();\n}\n' "${1##*/}" "$2" "$own" "$own" "$2" \
        >"$tmp/tree/$1"
    ${CC:-gcc} -w -c -o "$tmp/objects/${1%.c}.o" "$tmp/tree/$1"
}

fresh
if ! "$law" "$tmp/objects" "$tmp/tree"; then
    echo "layers: the tree itself breaks the law"
    exit 1
fi

add_line src/base/text.c '#include "http/syntax/uri.h"'
broken "a layer includes one below it" 'base may not include "http/syntax/uri.h": it stands below'

add_line src/http/syntax/uri.c '#include "http/handle/steps.h"'
broken "a room includes one below it" 'http/syntax may not include "http/handle/steps.h": it stands below'

add_line src/http/limit/limits.c '#include "http/access/access.h"'
broken "a room includes its sibling" 'http/limit may not include "http/access/access.h": they are siblings'

add_line src/server/process/master.c '#include "http/h1/connection.h"'
broken "a layer includes a private header of another" '"http/h1/connection.h" is private to layer http'

add_line src/http/respond/respond.c '#include <llhttp.h>'
broken "a library outside its door" '<llhttp.h> may only be included in'

add_line src/http/core/route.c '#include "uri.h"'
broken "an include without its layer" '"uri.h": write the layer'

mkdir "$tmp/tree/src/cellar" && printf '/* x.c - for a test. */\n' >"$tmp/tree/src/cellar/x.c"
broken "a folder that nobody knows" "place cellar is not in the list"

printf 'int x;\n' >"$tmp/tree/src/base/x.c"
broken "a file without its purpose" "a file opens with a comment"

printf '/* x.h - for a test. */\n#ifndef OTHER_H\n#define OTHER_H\n#endif\n' >"$tmp/tree/src/base/x.h"
broken "a guard of another name" "the guard is OTHER_H, not BASE_X_H"

printf '/* x.h - for a test. */\n' >"$tmp/tree/src/base/x.h"
broken "a header without a guard" "no header guard"

printf '/* route.c - for a test. */\n#include "base/text.h"\n' >"$tmp/tree/src/http/core/route.c"
broken "a source that starts with another header" "not its own header http/core/route.h"

calls src/http/syntax/x.c steps_run
broken "a symbol from below" "http/syntax/x.c may not call steps_run() of http/handle/steps.c: http/handle stands below http/syntax"

calls src/http/limit/x.c access_step
broken "a symbol of a sibling" "http/access is a sibling of http/limit"

calls src/http/core/route.c made_by_test route_location
calls src/http/core/x.c route_location
broken "two files of a room that call each other" "from where calls lead back"

echo "layers: $((checks - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
