#!/bin/bash
# report.sh - docs/performance.md from docs/performance.md.in and what the last runs left in BENCH_OUT (`make bench-page`). A line
# "@include PART" becomes the tables of that part, between two marks; where no run has left any, those that the page has already stay. README.md
# has some of the ratios, between marks too.
set -u
out=${BENCH_OUT:-build/bench} docs=${BENCH_DOCS:-docs} here=$(dirname "$0")
# between MARK FILE: what stands there between the marks.
between() { sed -n "/^<!-- $1 -->\$/,/^<!-- end of $1 -->\$/p" "$2" 2>/dev/null | sed '1d;$d'; }
page=$docs/performance.md
tables=() whole=yes
for part in requests streams hotset cold idle tls tls-streams tls-idle h2 h2-streams h2-idle h2-stalled everyday calls scale; do
    if [ -f "$out/$part.tsv" ]; then tables+=("$out/$part.tsv"); else whole=no; fi
done
[ ${#tables[@]} -gt 0 ] || { echo "bench-page: nothing in $out; run: make bench" >&2; exit 1; }
sed -n '/^Medians/,/^!\[/p' "$docs/performance-paths.md" 2>/dev/null >"$out/paths.md" # the page of its own has more
[ ! -s "$out/paths.md" ] || tables+=("$out/paths.md")
awk -f "$here/targets.awk" "${tables[@]}" >"$out/targets.md"
if [ $whole = no ]; then # goals of parts that were not run stay, in their old order
    between targets "$page" | awk -F'|' -v file="$out/targets.md" '
        BEGIN {
            while ((getline line < file) > 0) {
                split(line, f, "|")
                order[++n] = f[2]
                now[f[2]] = line
            }
        }
        { print $2 in now ? now[$2] : $0; done[$2] = 1 }
        END { for (i = 1; i <= n; i++) if (!(order[i] in done)) print now[order[i]] }' >"$out/targets.new" && mv "$out/targets.new" "$out/targets.md"
fi

# The machine, and when each part was run, as the JSON says.
for part in requests streams hotset cold everyday catalogue scale idle tls h2; do
    if [ ! -f "$out/$part.json" ]; then
        between machine "$page" | sed -n "s/^\(.*\)\. Run: .*\b$part \([0-9TZ:-]*\).*/\1\t$part \2/p"
        continue
    fi
    sed -n '2s/.*"machine": "\([^"]*\)", "date": "\([^"]*\)".*/\1\t'$part' \2/p' "$out/$part.json"
done | awk -F'\t' '{ if (!($1 in seen)) { seen[$1] = 1; name[++n] = $1 } runs[$1] = runs[$1] (runs[$1] == "" ? "" : ", ") $2 }
    END { for (i = 1; i <= n; i++) printf "%s. Run: %s.\n", name[i], runs[name[i]] }' >"$out/machine.md"

while IFS= read -r line; do
    if [ "${line%% *}" != @include ]; then
        printf '%s\n' "$line"
        continue
    fi
    part=${line#* }
    held=$([ -s "$out/$part.md" ] && cat "$out/$part.md" || between "$part" "$page")
    printf '<!-- %s -->\n%s\n<!-- end of %s -->\n' "$part" "${held:-(Not measured yet.)}" "$part"
done <"$docs/performance.md.in" >"$page.new" && mv "$page.new" "$page"

# README.md: CPU of everyday requests and of catalogues, as ratios.
readme=${BENCH_README:-README.md}
ratios=()
for part in everyday catalogue; do
    [ ! -f "$out/$part.tsv" ] || ratios+=("$out/$part.tsv")
done
[ ${#ratios[@]} -eq 0 ] || awk -f "$here/readme.awk" "${ratios[@]}" >"$out/readme.md"
if [ -s "$out/readme.md" ] && grep -q '^<!-- ratios -->$' "$readme"; then
    awk -v file="$out/readme.md" '
        /^<!-- end of ratios -->$/ { inside = 0 }
        !inside { print }
        /^<!-- ratios -->$/ {
            inside = 1
            while ((getline line < file) > 0)
                print line
        }' "$readme" >"$out/README.new" && cat "$out/README.new" >"$readme"
fi
[ ! -f "$out/bench.svg" ] || cp "$out/bench.svg" "$docs/bench.svg"
echo "wrote $page"
