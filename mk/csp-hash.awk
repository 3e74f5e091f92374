# csp-hash.awk - a line of sha256sum(1) as a C string that a Content-Security-Policy names the text by. Used by the Makefile.
{
    for (i = 1; i <= 64; i += 3) {
        group = substr($1, i, 3)
        value = 0
        for (k = 1; k <= 3; k++)
            value = value * 16 + (k <= length(group) ? index("0123456789abcdef", substr(group, k, 1)) - 1 : 0)
        base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        out = out substr(base64, int(value / 64) + 1, 1) (length(group) == 3 ? substr(base64, value % 64 + 1, 1) : "")
    }
    printf "\"'sha256-%s='\"\n", out
}
