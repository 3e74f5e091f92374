/* nearest.c - "did you mean": the directive whose name is a slip of the keys away. */
#include "conf/parse.h"

enum { NAME_MAX_BYTES = 63, NEAR = 3 };

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. Both at most
 * NAME_MAX_BYTES. */
static unsigned distance(struct text a, struct text b)
{
    unsigned rows[3][NAME_MAX_BYTES + 1];
    unsigned *before = rows[0], *last = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= b.len; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned differs = text_lower(a.at[i - 1]) != text_lower(b.at[j - 1]);
            row[j] = least(last[j - 1] + differs, least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a.at[i - 1] == b.at[j - 2] && a.at[i - 2] == b.at[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b.len];
}

static void consider(struct text name, const char *candidate, unsigned *best, const char **nearest)
{
    struct text c = text_of(candidate);
    if (c.len > NAME_MAX_BYTES || c.len > name.len + NEAR || name.len > c.len + NEAR)
        return;
    unsigned d = distance(name, c);
    if (d < *best && d * 2 < name.len) {
        *best = d;
        *nearest = candidate;
    }
}

const char *conf_nearest(struct conf_module *const *modules, const char *name)
{
    struct text t = text_of(name);
    const char *nearest = NULL;
    unsigned best = NEAR + 1;
    if (t.len > NAME_MAX_BYTES)
        return NULL;
    for (; *modules; modules++) {
        for (const struct conf_row *row = (*modules)->rows; row && row->name; row++)
            consider(t, row->name, &best, &nearest);
    }
    consider(t, "include", &best, &nearest);
    return nearest;
}
