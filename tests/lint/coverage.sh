#!/bin/sh
# coverage.sh DIR LEAST - lines of src/ that the tests of the last `make coverage` ran, by file; fails below LEAST percent.
# Lines that were not run: DIR/uncovered.txt.
set -eu
dir=$1 least=$2
# Debian's clang comes with tools that have its version in their names.
version=$(clang -dumpversion | cut -d. -f1)
tool() { command -v "$1" || command -v "$1-$version" || { echo "coverage.sh: no $1: make lint-deps" >&2; exit 1; }; }
profdata=$(tool llvm-profdata) cov=$(tool llvm-cov)

"$profdata" merge -o "$dir/counts.profdata" "$dir"/counts/*.profraw
set -- "$dir/sluice" -object "$dir/unit" -instr-profile="$dir/counts.profdata" -ignore-filename-regex='(^|/)(tests|include|build)/'
"$cov" show "$@" | awk '
    /^[^ ].*:$/ { file = $0; sub(/:$/, "", file); sub(/^.*\/src\//, "src/", file); next }
    /^ +[0-9]+\| +0\|/ { split($0, part, "|"); printf "%s:%d:%s\n", file, part[1], substr($0, index($0, "|0|") + 3) }
' >"$dir/uncovered.txt"
"$cov" report "$@" | awk -v least="$least" '
    function row(name, lines, missed) { printf "| %-28s | %6d | %6d | %6.1f |\n", name, lines, missed, lines ? 100 * (lines - missed) / lines : 100 }
    BEGIN { printf "| file                         |  lines | missed |      %% |\n|---|---:|---:|---:|\n" }
    # Regions, missed, cover; functions, missed, cover; lines, missed, cover.
    $1 == "TOTAL" { total = $8; missed = $9 }
    $1 ~ /\.[ch]$/ { name = $1; sub(/^.*src\//, "", name); row(name, $8, $9) }
    END {
        row("all of src/", total, missed)
        if (total == 0 || 100 * (total - missed) < least * total) {
            printf "coverage: below %d %% of lines\n", least > "/dev/stderr"
            exit 1
        }
    }'
