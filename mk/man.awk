# man.awk - docs/directives.md to the DIRECTIVES section of sluice.conf(5).
function text(s) {
    gsub(/\\/, "\\e", s)
    gsub(/-/, "\\-", s)
    gsub(/`/, "", s)
    gsub(/\[|\]\([^)]*\)/, "", s)
    if (s ~ /^[.']/)
        s = "\\&" s
    return s
}
/^## /   { print ".SS " text(substr($0, 4)); begun = 1; next }
!begun   { next }
/^### /  { print ".TP"; print ".B " text(substr($0, 5)); next }
/^- Syntax: /  { s = $0; sub(/^- Syntax: /, "", s); gsub(/`/, "", s); gsub(/\\/, "\\e", s); gsub(/-/, "\\-", s); print s; print ".br"; next }
/^- Default: / { s = $0; sub(/^- /, "", s); print text(s); print ".br"; next }
/^- Context: / { s = $0; sub(/^- /, "", s); print text(s); print ".br"; next }
/^$/     { next }
         { print text($0); print ".br" }
