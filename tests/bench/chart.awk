# chart.awk - the table over sizes (requests.sh) as bars: a row of panels per size, CPU per request and requests/s beside
# each other. Colours follow the reader's scheme.
BEGIN {
    FS = "\t"
    split("floor sluice lighttpd nginx", servers, " ")
}
NR > 1 && $1 == "sizes" {
    if (!($2 in seen)) {
        seen[$2] = 1
        sizes[++n] = $2
    }
    cpu[$2, $4] = $5
    rate[$2, $4] = $7
}
function panel(x, y, values, size, format, less,    i, most, width, v)
{
    for (i = 1; i <= 4; i++)
        if (values[size, servers[i]] > most)
            most = values[size, servers[i]]
    for (i = 1; i <= 4; i++) {
        if (!((size, servers[i]) in values))
            continue
        v = values[size, servers[i]]
        width = most > 0 ? v / most * 200 : 0
        if (width < 1)
            width = 1
        printf "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>", x + 70, y + 12 + i * 20, servers[i]
        printf "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" rx=\"2\"/>", servers[i] == "sluice" ? "p" : servers[i] == "floor" ? "f" : "b", x + 78, y + 1 + i * 20, width
        printf "<text x=\"%.1f\" y=\"%d\">" format "</text>\n", x + 84 + width, y + 12 + i * 20, v
    }
}
END {
    height = 60 + n * 115
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 %d\" width=\"760\" height=\"%d\" role=\"img\">\n", height, height
    print "<title>The price of a request, by size</title>"
    print "<style>text { font: 12px system-ui, sans-serif; fill: #1f2328 } .h { font-weight: 600 } .t { font: 600 14px system-ui, sans-serif } .b { fill: #8c959f } .f { fill: #d0d7de } .p { fill: #0969da }"
    print "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .b { fill: #6e7681 } .f { fill: #3d444d } .p { fill: #4493f8 } }</style>"
    print "<text class=\"t\" x=\"10\" y=\"22\">Server CPU per request, us (less is better)</text><text class=\"t\" x=\"390\" y=\"22\">Requests/s (more is better)</text>"
    for (k = 1; k <= n; k++) {
        y = 38 + (k - 1) * 115
        printf "<text class=\"h\" x=\"10\" y=\"%d\">%s</text>\n", y + 12, (sizes[k] >= 1024 ? sizes[k] / 1024 " MiB" : sizes[k] " KiB")
        panel(10, y, cpu, sizes[k], "%.1f")
        panel(390, y, rate, sizes[k], "%.0f")
    }
    print "</svg>"
}
