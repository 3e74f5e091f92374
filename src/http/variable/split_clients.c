/* split_clients.c - `split_clients`: a variable that parts requests by a hash, in given
 * proportions. See map.h. */
#include "http/request/request.h"
#include "http/site/site.h"
#include "http/variable/map.h"
#include "http/variable/variable.h"

enum { WHOLE = 10000 /* hundredths of a percent */ };

struct part {
    struct part *next;
    uint32_t below; /* hashes that fall in it; 0: all that are left */
    uint32_t share; /* in hundredths of a percent */
    struct text value;
};

struct split {
    struct template *source;
    struct part *parts, **parts_end;
};

uint32_t split_clients_hash(struct text key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *at = (const unsigned char *)key.at;
    size_t len = key.len;
    uint32_t h = (uint32_t)len;

    for (; len >= 4; at += 4, len -= 4) {
        uint32_t k = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
        k *= m;
        k ^= k >> 24;
        h = (h * m) ^ (k * m);
    }
    if (len > 2)
        h ^= (uint32_t)at[2] << 16;
    if (len > 1)
        h ^= (uint32_t)at[1] << 8;
    if (len > 0)
        h = (h ^ at[0]) * m;
    h = (h ^ h >> 13) * m;
    return h ^ h >> 15;
}

static void get_part(struct request *r, const void *data, struct text *out)
{
    const struct split *s = data;
    uint32_t hash = split_clients_hash(template_text(s->source, r));

    *out = TEXT("");
    for (const struct part *p = s->parts; p; p = p->next)
        if (hash < p->below || p->below == 0) {
            *out = p->value;
            return;
        }
}

/* "12.5%" in hundredths; 0: not of that form. */
static uint32_t parse_percent(struct text t)
{
    uint32_t n = 0;
    unsigned decimals = 0;
    bool point = false;

    if (t.len < 2 || t.at[t.len - 1] != '%')
        return 0;
    for (size_t i = 0; i < t.len - 1; i++) {
        char c = t.at[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || n > WHOLE || (point && decimals++ == 2))
            return 0;
        n = 10 * n + (uint32_t)(c - '0');
    }
    for (; decimals < 2; decimals++)
        n *= 10;
    return n;
}

static const char *on_line(struct conf *cf, void *arg)
{
    struct split *s = arg;
    struct part *p = arena_zalloc(cf->arena, sizeof *p);

    if (!p)
        return conf_error(cf, "no memory");
    if (cf->count != 2)
        return conf_error(cf, "invalid number of the split_clients parameters");
    if (!text_equal(cf->args[0], TEXT("*"))) {
        p->share = parse_percent(cf->args[0]);
        if (p->share == 0)
            return conf_error(cf, "invalid percent value \"%.*s\"", TEXT_ARG(cf->args[0]));
    }
    p->value = cf->args[1];
    *s->parts_end = p;
    s->parts_end = &p->next;
    return NULL;
}

static const char *divide(struct conf *cf, struct split *s)
{
    uint32_t sum = 0, below = 0;

    for (struct part *p = s->parts; p; p = p->next) {
        sum = p->share > 0 ? sum + p->share : WHOLE;
        if (sum > WHOLE)
            return conf_error(cf, "percent total is greater than 100%%");
        if (p->share > 0)
            p->below = (uint32_t)(below + p->share * (uint64_t)UINT32_MAX / WHOLE);
        below = p->below;
    }
    return NULL;
}

static const char *set_split(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct split *s = arena_zalloc(cf->arena, sizeof *s);
    struct variables *vs = http_main_at(cf)->variables;
    struct own_variable *v;

    if (!s)
        return conf_error(cf, "no memory");
    s->parts_end = &s->parts;
    const char *error = template_compile(cf, vs, cf->args[1], &s->source);
    if (!error)
        error = variables_own(cf, vs, cf->args[2], &v);
    if (!error)
        error = conf_lines(cf, on_line, s);
    if (!error)
        error = divide(cf, s);
    if (error)
        return error;
    v->compute = get_part;
    v->data = s;
    return NULL;
}

static const struct conf_row rows[] = {
    {"split_clients", CONF_HTTP, CONF_TAKE2 | CONF_BLOCK | CONF_REPEAT, set_split, .syntax = "string $variable { ... }",
     .help = "A variable that has each of the values for a share of all strings: percentages, and * for the rest."},
    {.name = NULL},
};

struct conf_module split_clients_module = {.name = "Split clients", .rows = rows};
