/* access_rules.c - which rule of allow and deny fits an address. See access_rules.h.
 *
 * Networks lie inside of each other or beside each other, never across. So the line of all
 * addresses falls apart into spans, in each of which one rule decides; a search finds the span by
 * bisection. */
#include "http/access/access_rules.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

/* An address as a number; an IPv4 address is in the lower half. */
struct key {
    uint64_t high, low;
};

struct network {
    struct key from, to; /* both inside */
    unsigned order;      /* in the file */
    const struct access_rule *rule;
};

struct span {
    struct key from;                /* up to where the next one begins */
    const struct access_rule *rule; /* NULL: none fits */
};

/* One family of addresses. */
struct table {
    struct network *networks;
    size_t count, cap;
    struct span *spans;
    size_t span_count;
};

struct access_rules {
    struct table v4, v6;
    const struct access_rule *local; /* for unix: */
    unsigned count;
    bool finished;
};

struct access_rules *access_rules_create(struct arena *arena)
{
    return arena_zalloc(arena, sizeof(struct access_rules));
}

/* ---- numbers of 128 bits ---- */

static int compare(struct key a, struct key b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

static struct key after(struct key k)
{
    return (struct key){k.high + (k.low == UINT64_MAX), k.low + 1};
}

static uint64_t read_64(const unsigned char *bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 8; i++)
        value = value << 8 | bytes[i];
    return value;
}

static struct key key_of_in4(const struct in_addr *a)
{
    return (struct key){0, ntohl(a->s_addr)};
}

static struct key key_of_in6(const struct in6_addr *a)
{
    return (struct key){read_64(a->s6_addr), read_64(a->s6_addr + 8)};
}

/* The last `bits` bits of 64. */
static uint64_t tail(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* ---- reading rules ---- */

/* `open`: how many of the last bits may be anything. */
static int network_of(struct key address, unsigned open, struct network *n)
{
    uint64_t low = tail(open), high = open > 64 ? tail(open - 64) : 0;

    n->from = (struct key){address.high & ~high, address.low & ~low};
    n->to = (struct key){address.high | high, address.low | low};
    return compare(n->from, address) != 0;
}

/* As access_rules_add(). */
static int parse(struct text t, struct network *n, bool *is_v6)
{
    char host[INET6_ADDRSTRLEN];
    struct in_addr in4;
    struct in6_addr in6;
    size_t slash = text_find(t, '/');
    uint64_t bits;

    if (slash >= sizeof host)
        return -EINVAL;
    memcpy(host, t.at, slash);
    host[slash] = '\0';
    *is_v6 = inet_pton(AF_INET, host, &in4) != 1;
    if (*is_v6 && inet_pton(AF_INET6, host, &in6) != 1)
        return -EINVAL;
    unsigned all = *is_v6 ? 128 : 32;
    bits = all;
    if (slash < t.len && (number_parse(text_from(t, slash + 1), &bits) < 0 || bits > all))
        return -EINVAL;
    return network_of(*is_v6 ? key_of_in6(&in6) : key_of_in4(&in4), all - (unsigned)bits, n);
}

static int add(struct table *t, const struct network *n, struct arena *arena)
{
    if (t->count == t->cap) {
        size_t cap = t->cap ? 2 * t->cap : 4;
        struct network *more = arena_alloc(arena, cap * sizeof *more);
        if (!more)
            return -ENOMEM;
        if (t->count > 0)
            memcpy(more, t->networks, t->count * sizeof *more);
        t->networks = more;
        t->cap = cap;
    }
    t->networks[t->count++] = *n;
    return 0;
}

static int add_all(struct access_rules *rules, const struct access_rule *rule, struct arena *arena)
{
    struct network n = {.order = rules->count, .rule = rule, .to = {0, UINT32_MAX}};
    int rc = add(&rules->v4, &n, arena);

    n.to = (struct key){UINT64_MAX, UINT64_MAX};
    if (rc == 0)
        rc = add(&rules->v6, &n, arena);
    if (!rules->local)
        rules->local = rule;
    return rc;
}

int access_rules_add(struct access_rules *rules, const struct access_rule *rule, struct arena *arena)
{
    struct network n = {.order = ++rules->count, .rule = rule};
    bool is_v6;

    if (text_equal(rule->text, TEXT("all")))
        return add_all(rules, rule, arena);
    if (text_equal(rule->text, TEXT("unix:"))) {
        if (!rules->local)
            rules->local = rule;
        return 0;
    }
    int loose = parse(rule->text, &n, &is_v6);
    if (loose < 0)
        return loose;
    int rc = add(is_v6 ? &rules->v6 : &rules->v4, &n, arena);
    return rc < 0 ? rc : loose;
}

/* ---- the table ---- */

/* Where networks begin; of those that begin together the widest, then the earliest in the file. */
static int by_place(const void *a, const void *b)
{
    const struct network *x = a, *y = b;
    int rc = compare(x->from, y->from);

    if (rc == 0)
        rc = compare(y->to, x->to);
    return rc != 0 ? rc : x->order < y->order ? -1 : 1;
}

/* From `from` on `best` decides; NULL: nobody. */
static void begin_span(struct table *t, struct key from, const struct network *best)
{
    const struct access_rule *rule = best ? best->rule : NULL;

    if (t->span_count > 0 && compare(t->spans[t->span_count - 1].from, from) == 0)
        t->span_count--;
    if (t->span_count > 0 && t->spans[t->span_count - 1].rule == rule)
        return;
    t->spans[t->span_count++] = (struct span){from, rule};
}

/* The networks around a point, and for each the one that decides there. */
struct nested {
    struct key to;
    const struct network *best;
};

static int build(struct table *t, struct key last, struct arena *arena)
{
    enum { DEEPEST = 129 }; /* different ones that lie in each other, one per length */
    struct nested stack[DEEPEST];
    unsigned depth = 0;

    if (t->count == 0)
        return 0;
    qsort(t->networks, t->count, sizeof *t->networks, by_place);
    t->spans = arena_alloc(arena, (2 * t->count + 1) * sizeof *t->spans);
    if (!t->spans)
        return -ENOMEM;
    begin_span(t, (struct key){0, 0}, NULL);
    for (size_t i = 0; i <= t->count; i++) {
        const struct network *n = i < t->count ? &t->networks[i] : NULL;
        while (depth > 0 && (!n || compare(stack[depth - 1].to, n->from) < 0)) {
            struct key end = stack[--depth].to;
            if (compare(end, last) < 0)
                begin_span(t, after(end), depth > 0 ? stack[depth - 1].best : NULL);
        }
        if (!n)
            break;
        const struct network *around = depth > 0 ? stack[depth - 1].best : NULL;
        const struct network *best = around && around->order < n->order ? around : n;
        if (depth == 0 || compare(stack[depth - 1].to, n->to) != 0 || compare(n[-1].from, n->from) != 0)
            stack[depth++] = (struct nested){n->to, best}; /* the same network again says nothing new */
        begin_span(t, n->from, best);
    }
    return 0;
}

int access_rules_finish(struct access_rules *rules, struct arena *arena)
{
    if (rules->finished)
        return 0;
    rules->finished = true;
    int rc = build(&rules->v4, (struct key){0, UINT32_MAX}, arena);
    return rc < 0 ? rc : build(&rules->v6, (struct key){UINT64_MAX, UINT64_MAX}, arena);
}

static const struct access_rule *find(const struct table *t, struct key k)
{
    size_t low = 0, high = t->span_count;

    if (high == 0)
        return NULL;
    while (high - low > 1) { /* the first begins at 0 */
        size_t middle = low + (high - low) / 2;
        if (compare(t->spans[middle].from, k) <= 0)
            low = middle;
        else
            high = middle;
    }
    return t->spans[low].rule;
}

const struct access_rule *access_rules_find(const struct access_rules *rules, const struct sockaddr *peer)
{
    struct sockaddr_in in4;
    struct sockaddr_in6 in6;

    switch (peer->sa_family) {
    case AF_INET:
        memcpy(&in4, peer, sizeof in4);
        return find(&rules->v4, key_of_in4(&in4.sin_addr));
    case AF_INET6:
        memcpy(&in6, peer, sizeof in6);
        if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
            return find(&rules->v4, (struct key){0, key_of_in6(&in6.sin6_addr).low & UINT32_MAX});
        return find(&rules->v6, key_of_in6(&in6.sin6_addr));
    default:
        return rules->local;
    }
}
