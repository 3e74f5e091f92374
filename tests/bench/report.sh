#!/bin/bash
# report.sh - docs/performance.md from docs/performance.md.in and what the last runs left in BENCH_OUT (`make bench-page`). A line
# "@include PART" becomes the tables of that part.
set -u
out=${BENCH_OUT:-build/bench} docs=${BENCH_DOCS:-docs} here=$(dirname "$0")
tables=()
for part in requests streams hotset cold idle tls tls-streams tls-idle; do
    [ ! -f "$out/$part.tsv" ] || tables+=("$out/$part.tsv")
done
[ ${#tables[@]} -gt 0 ] || { echo "bench-page: nothing in $out; run: make bench" >&2; exit 1; }
sed -n '/^Medians/,/^!\[/p' "$docs/performance-paths.md" 2>/dev/null >"$out/paths.md" # the page of its own has more
awk -f "$here/targets.awk" "${tables[@]}" >"$out/targets.md"

# The machine, and when each part was run, as the JSON says.
for part in requests streams hotset cold everyday catalogue scale idle tls; do
    [ ! -f "$out/$part.json" ] || sed -n '2s/.*"machine": "\([^"]*\)", "date": "\([^"]*\)".*/\1\t'$part' \2/p' "$out/$part.json"
done | awk -F'\t' '{ if (!($1 in seen)) { seen[$1] = 1; name[++n] = $1 } runs[$1] = runs[$1] (runs[$1] == "" ? "" : ", ") $2 }
    END { for (i = 1; i <= n; i++) printf "%s. Run: %s.\n", name[i], runs[name[i]] }' >"$out/machine.md"

awk -v out="$out" '
    $1 == "@include" {
        file = out "/" $2 ".md"
        found = 0
        while ((getline line < file) > 0) {
            held = line == "" ? held "\n" : held line "\n"
            found = 1
        }
        close(file)
        sub(/\n+$/, "", held)
        print found ? held : "(Not measured yet.)"
        held = ""
        next
    }
    { print }' "$docs/performance.md.in" >"$docs/performance.md.new" && mv "$docs/performance.md.new" "$docs/performance.md"
[ ! -f "$out/bench.svg" ] || cp "$out/bench.svg" "$docs/bench.svg"
echo "wrote $docs/performance.md"
