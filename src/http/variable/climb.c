/* climb.c - see climb.h. Pure. */
#include "http/variable/climb.h"

size_t climbs_in(struct text t, bool open_start, bool open_end)
{
    size_t n = 0;

    for (size_t i = 0; i + 1 < t.len; i++) {
        const char *dot = memchr(t.at + i, '.', t.len - i);
        if (!dot)
            break;
        i = (size_t)(dot - t.at);
        bool starts = i == 0 ? !open_start : t.at[i - 1] == '/';
        if (!starts || i + 1 >= t.len || t.at[i + 1] != '.')
            continue;
        n += i + 2 == t.len ? !open_end : t.at[i + 2] == '/';
    }
    return n;
}

/* Those that the configuration writes, whole. */
static size_t own_climbs(const struct template *t)
{
    size_t n = 0;

    for (unsigned i = 0; i < t->count; i++)
        if (!t->parts[i].variable)
            n += climbs_in(t->parts[i].text, i > 0, i + 1 < t->count);
    return n;
}

bool template_climbs(const struct template *t, struct text value)
{
    if (template_is_constant(t))
        return false;
    size_t climbs = climbs_in(value, false, false);
    return climbs > 0 && climbs > own_climbs(t);
}
