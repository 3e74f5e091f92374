/* monitor_accept.c - which form of the status Accept prefers. RFC 9110, 12.5.1. Pure; called by
 * monitor.c. */
#include "http/log/monitor.h"

enum { QUALITY_MOST = 1000 };

#define MEDIA(s)                                                                                                       \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

static const struct text media[] = {
    [MONITOR_PROMETHEUS] = MEDIA("text/plain"),
    [MONITOR_HTML] = MEDIA("text/html"),
    [MONITOR_JSON] = MEDIA("application/json"),
    [MONITOR_OPENMETRICS] = MEDIA("application/openmetrics-text"),
};

/* "0.25" in thousandths; a malformed weight counts as 1, like a missing one. */
static int parse_quality(struct text t)
{
    int q = 0, place = 100;

    if (t.len == 0 || (t.at[0] != '0' && t.at[0] != '1') || (t.len > 1 && t.at[1] != '.'))
        return QUALITY_MOST;
    if (t.at[0] == '1')
        return QUALITY_MOST;
    for (size_t i = 2; i < t.len && place > 0; i++, place /= 10) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return QUALITY_MOST;
        q += (t.at[i] - '0') * place;
    }
    return q;
}

/* The next part of *rest up to `mark`, trimmed; *rest is what comes after. */
static struct text next_part(struct text *rest, char mark)
{
    size_t end = text_find(*rest, mark);
    struct text part = {rest->at, end};

    *rest = text_from(*rest, end < rest->len ? end + 1 : rest->len);
    return text_trim(part);
}

/* How well a range names the type: 3 itself, 2 "text/" and any, 1 any; 0: not at all. */
static int match(struct text range, struct text type)
{
    size_t slash = text_find(type, '/') + 1;

    if (text_equal_nocase(range, type))
        return 3;
    if (text_equal(range, TEXT("*/*")))
        return 1;
    return range.len == slash + 1 && range.at[slash] == '*' &&
                   text_equal_nocase((struct text){range.at, slash}, (struct text){type.at, slash})
               ? 2
               : 0;
}

/* The weight of a type: that of the range that names it best. */
static int quality(struct text accept, struct text type)
{
    int best = 0, q = 0;

    while (accept.len > 0) {
        struct text element = next_part(&accept, ',');
        struct text range = next_part(&element, ';');
        int weight = QUALITY_MOST, matched = match(range, type);

        while (element.len > 0) {
            struct text parameter = next_part(&element, ';');
            if (text_starts(parameter, TEXT("q=")) || text_starts(parameter, TEXT("Q=")))
                weight = parse_quality(text_from(parameter, 2));
        }
        if (matched > best) {
            best = matched;
            q = weight;
        }
    }
    return q;
}

enum monitor_format monitor_negotiate(struct text accept, const enum monitor_format *offered)
{
    enum monitor_format best = MONITOR_FORMATS;
    int most = 0;

    if (text_trim(accept).len == 0)
        return offered[0];
    for (; *offered != MONITOR_FORMATS; offered++) {
        int q = quality(accept, media[*offered]);
        if (q > most) {
            most = q;
            best = *offered;
        }
    }
    return best;
}
