/* geo_table.c - ranges of addresses to values. See geo_table.h. */
#include "http/variable/geo_table.h"

#include <errno.h>
#include <stdlib.h>

int geo_table_add(struct geo_table *t, struct geo_key from, struct geo_key to, struct text value)
{
    if (t->count == t->room) {
        size_t room = t->room ? 2 * t->room : 64;
        struct geo_range *more = realloc(t->ranges, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        t->ranges = more;
        t->room = room;
    }
    t->ranges[t->count] = (struct geo_range){from, to, value, (unsigned)t->count, false};
    t->count++;
    return 0;
}

bool geo_table_delete(struct geo_table *t, struct geo_key from, struct geo_key to)
{
    bool found = false;
    for (size_t i = 0; i < t->count; i++) {
        struct geo_range *r = &t->ranges[i];
        if (!r->value.at || geo_compare(r->from, from) != 0 || geo_compare(r->to, to) != 0)
            continue;
        r->value = TEXT_NONE;
        found = true;
    }
    return found;
}

static struct geo_key after(struct geo_key k)
{
    k.low++;
    k.high += k.low == 0;
    return k;
}

static struct geo_key before(struct geo_key k)
{
    k.high -= k.low == 0;
    k.low--;
    return k;
}

/* Of the range what is outside of [from, to]: nothing, one part, or a second one, which is
 * added. */
static int cut_range(struct geo_table *t, size_t i, struct geo_key from, struct geo_key to)
{
    struct geo_range r = t->ranges[i];
    bool head = geo_compare(r.from, from) < 0, tail = geo_compare(to, r.to) < 0;

    if (head && tail) {
        int rc = geo_table_add(t, after(to), r.to, r.value);
        if (rc < 0)
            return rc;
        t->ranges[t->count - 1].order = r.order;
        t->ranges[t->count - 1].cut = true;
    }
    if (head)
        t->ranges[i].to = before(from);
    else if (tail)
        t->ranges[i].from = after(to);
    else
        t->ranges[i].value = TEXT_NONE;
    t->ranges[i].cut = true;
    return 0;
}

int geo_table_cut(struct geo_table *t, struct geo_key from, struct geo_key to)
{
    int result = -ENOENT;
    size_t count = t->count;

    for (size_t i = 0; i < count; i++) {
        const struct geo_range *r = &t->ranges[i];
        if (!r->value.at || geo_compare(r->to, from) < 0 || geo_compare(to, r->from) < 0)
            continue;
        result = cut_range(t, i, from, to);
        if (result < 0)
            return result;
    }
    return result;
}

/* Wider ones before those inside of them; of equal ones the later first. */
static int compare(const void *a, const void *b)
{
    const struct geo_range *x = a, *y = b;
    int c = geo_compare(x->from, y->from);
    if (c == 0)
        c = geo_compare(y->to, x->to);
    return c != 0 ? c : x->order > y->order ? -1 : 1;
}

/* Leaves of equal ranges the last one, and none that was deleted. */
static void drop_duplicates(struct geo_table *t, geo_duplicate_fn *duplicate, void *arg)
{
    size_t kept = 0;
    for (size_t i = 0; i < t->count; i++) {
        struct geo_range *r = &t->ranges[i], *last = kept > 0 ? &t->ranges[kept - 1] : NULL;
        if (!r->value.at)
            continue;
        if (last && geo_compare(last->from, r->from) == 0 && geo_compare(last->to, r->to) == 0) {
            if (duplicate && !last->cut && !r->cut)
                duplicate(arg, last, r);
            continue;
        }
        t->ranges[kept++] = *r;
    }
    t->count = kept;
}

static bool is_last(struct geo_key k)
{
    return k.high == UINT64_MAX && k.low == UINT64_MAX;
}

static void put_point(struct geo_table *t, struct geo_key from, struct text value)
{
    if (t->point_count > 0 && geo_compare(t->points[t->point_count - 1].from, from) == 0)
        t->point_count--;
    t->points[t->point_count++] = (struct geo_point){from, value};
}

/* Ranges that are open at a point lie on a stack, the narrowest on top; ended ones give way to what
 * is around them. */
static int sweep(struct geo_table *t, struct text dflt, const struct geo_range **stack, struct geo_range *wrong)
{
    size_t depth = 0;

    put_point(t, (struct geo_key){0, 0}, dflt);
    for (size_t i = 0; i <= t->count; i++) {
        const struct geo_range *r = i < t->count ? &t->ranges[i] : NULL;
        while (depth > 0 && (!r || geo_compare(stack[depth - 1]->to, r->from) < 0)) {
            struct geo_key end = stack[--depth]->to;
            if (!is_last(end))
                put_point(t, after(end), depth > 0 ? stack[depth - 1]->value : dflt);
        }
        if (!r)
            break;
        if (depth > 0 && geo_compare(r->to, stack[depth - 1]->to) > 0) {
            *wrong = r->order > stack[depth - 1]->order ? *r : *stack[depth - 1];
            return -EINVAL;
        }
        put_point(t, r->from, r->value);
        stack[depth++] = r;
    }
    return 0;
}

int geo_table_flatten(struct geo_table *t, struct text dflt, struct arena *arena, geo_duplicate_fn *duplicate,
                      void *arg, struct geo_range *wrong)
{
    int rc = -ENOMEM;

    if (t->count > 0)
        qsort(t->ranges, t->count, sizeof *t->ranges, compare);
    drop_duplicates(t, duplicate, arg);
    const struct geo_range **stack = malloc((t->count + 1) * sizeof *stack);
    t->points = arena_alloc(arena, (2 * t->count + 1) * sizeof *t->points);
    if (stack && t->points)
        rc = sweep(t, dflt, stack, wrong);
    free(stack);
    geo_table_fini(t);
    return rc;
}

struct text geo_table_find(const struct geo_table *t, struct geo_key key)
{
    size_t low = 0, high = t->point_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (geo_compare(t->points[middle].from, key) <= 0)
            low = middle;
        else
            high = middle;
    }
    return t->points[low].value;
}

void geo_table_fini(struct geo_table *t)
{
    free(t->ranges);
    t->ranges = NULL;
    t->count = t->room = 0;
}
