# compatibility.awk - docs/directives.md, mk/nginx-directives.txt, tests/compare/reasons.txt and cases/*.case to
# docs/nginx-compatibility.md. Fails for a directive of nginx that is in no table of sluice.
function note(name, text) { how[name] = how[name] (how[name] == "" ? "" : " ") text }
function cell(s) { gsub(/\|/, "\\|", s); return s }

# Why a directive is not here: by the longest of the names and patterns that fit.
function foreign_of(name,    p, best) {
    best = ""
    for (p in foreign)
        if ((p == name || (p ~ /\*$/ && index(name, substr(p, 1, length(p) - 1)) == 1)) && length(p) > length(best))
            best = p
    return best
}

FILENAME ~ /directives\.md$/ {
    if (/^## /) { part = $0; name = "" }
    else if (/^### /) { name = $2; here[name] = 1 }
    else if (part ~ /not here$/ && match($0, /^- `[^`]*`: /)) foreign[substr($0, 4, RLENGTH - 6)] = substr($0, RLENGTH + 1)
    else if (name != "" && /^Unlike nginx: /) note(name, substr($0, 15))
    else if (name != "" && /^Accepted/) { accepted[name] = 1; if (!/^Accepted so that/ && sub(/^Accepted[;:,] /, "")) said[name] = $0 }
    next
}

FILENAME ~ /nginx-directives\.txt$/ {
    if (/^#/) next
    if (/^[^ ]|^- /) {
        module = $0
        outside[++modules] = sub(/^- /, "", module)
        heading = module
        sub(/^.* = /, "", heading)
        sub(/ = .*/, "", module)
        title[modules] = heading; id[modules] = module
    } else {
        for (i = 1; i <= NF; i++) names[modules] = names[modules] " " $i
    }
    next
}

FILENAME ~ /reasons\.txt$/ {
    if (match($0, /^[a-z0-9.-]+: /)) { key = substr($0, 1, RLENGTH - 2); keys[++reasons] = key; reason[key] = substr($0, RLENGTH + 1) }
    next
}

/^differs /  { pending = $2; next }
/^aside /    { uses[$2]++; next }
/^#/         { next }
/^[A-Z]+ /   { asked++; request = $0; sub(/ HTTP\/1.1$/, "", request) }
/^raw |^test/ { asked++; request = /^raw/ ? substr($0, 5) : config }
/^log /      { asked++; request = config }
/^== /       { configurations++; config = substr($0, 4) }
pending != "" && /^([A-Z]+ |raw |test|log )/ {
    if (!(pending in reason)) { print "compatibility.awk: no reason " pending > "/dev/stderr"; failed = 1 }
    uses[pending]++
    if (!(pending in example) && length(request) < 90) example[pending] = request
    pending = ""
}

function verdict(name,    f) {
    if (name == "include") return "same"
    if (here[name]) {
        if (how[name] != "") return "differs: " how[name]
        if (accepted[name]) return "accepted" (said[name] != "" && said[name] != "without effect." ? ": " said[name] : ", without effect")
        return "same"
    }
    f = foreign_of(name)
    if (f != "") return "not here: " foreign[f]
    print "compatibility.awk: " name " is in no table of directives, and not in src/server/conf/foreign.c" > "/dev/stderr"
    failed = 1
    return "unknown"
}

END {
    print "# sluice and nginx\n"
    print "Written by `make docs` from the tables of directives, the list of nginx's, and the side-by-side tests; do not edit. nginx 1.22 is"
    print "what the tests compare with. Nothing of nginx's configuration is silently ignored: a directive does the same, does it as told here,"
    print "is accepted because there is nothing to do, or is an error that says what to do."
    for (m = 1; m <= modules; m++) {
        if (outside[m]) continue
        print "\n## " title[m] "\n\n| directive | |\n|---|---|"
        count = split(names[m], list, " ")
        for (i = 1; i <= count; i++) print "| `" list[i] "` | " cell(verdict(list[i])) " |"
    }
    print "\n## Modules that are out of scope\n\n| module | |\n|---|---|"
    for (m = 1; m <= modules; m++) {
        if (!outside[m]) continue
        count = split(names[m], list, " ")
        for (i = 1; i <= count; i++)
            if (!here[list[i]]) verdict(list[i])
        f = foreign_of(list[1])
        print "| " title[m] " (" id[m] ") | " cell(foreign[f]) " |"
    }
    print "\n## Answers that differ\n"
    printf "`make compare` asks nginx and sluice the same: %d requests in %d configurations. The answers, their fields and the lines in the logs are the same, but for the server's name in `Server` and on its pages, and for:\n\n", asked, configurations
    print "| what | example |\n|---|---|"
    for (i = 1; i <= reasons; i++)
        if (uses[keys[i]] || keys[i] == "allow")
            print "| " cell(reason[keys[i]]) " | " (keys[i] in example ? "`` " cell(example[keys[i]]) " ``" : "") " |"
    if (failed) exit 1
}
