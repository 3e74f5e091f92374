/* geo.c - `geo`: a variable whose value depends on an address. See map.h, and geo_table.h for the
 * search. */
#include "http/request/request.h"
#include "http/site/site.h"
#include "http/variable/geo_table.h"
#include "http/variable/map.h"
#include "http/variable/variable.h"
#include "http/variable/variable_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

/* An address of either kind. */
struct geo_address {
    bool is_v6;
    struct geo_key key;
};

struct geo_net {
    bool is_v6;
    struct geo_key from, to;
};

struct geo_proxy {
    struct geo_proxy *next;
    struct geo_net net;
};

struct geo {
    struct template *source; /* of the address; NULL: the client's */
    struct geo_table v4, v6;
    struct geo_proxy *proxies; /* whose X-Forwarded-For is believed */
    bool proxy_recursive;
    bool ranges; /* lines are ranges of IPv4 addresses */
    struct text dflt;
    bool has_default;
    bool used;    /* a network was read */
    bool forgets; /* volatile */
};

/* ---- addresses ---- */

static const struct geo_address nobody = {.key = {0, UINT32_MAX}}; /* nginx's INADDR_NONE */

static struct geo_address of_v4(struct in_addr in)
{
    return (struct geo_address){.key = {0, ntohl(in.s_addr)}};
}

static struct geo_address of_v6(const struct in6_addr *in)
{
    struct geo_address a = {.is_v6 = true};

    for (unsigned i = 0; i < 8; i++) {
        a.key.high = a.key.high << 8 | in->s6_addr[i];
        a.key.low = a.key.low << 8 | in->s6_addr[i + 8];
    }
    if (a.key.high == 0 && a.key.low >> 32 == 0xffff) /* an IPv4 address that came over IPv6 */
        return (struct geo_address){.key = {0, a.key.low & UINT32_MAX}};
    return a;
}

/* "192.0.2.1", "::1"; with a port "192.0.2.1:80", "[::1]:80". */
static bool parse_address(struct text t, struct geo_address *out)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr in;
    struct in6_addr in6;
    size_t colon = text_find(t, ':');

    if (text_starts(t, TEXT("[")))
        t = (struct text){t.at + 1, text_find(t, ']') - 1};
    else if (colon < t.len && text_find(text_from(t, colon + 1), ':') == t.len - colon - 1)
        t.len = colon;
    if (t.len == 0 || t.len >= sizeof copy)
        return false;
    memcpy(copy, t.at, t.len);
    copy[t.len] = '\0';
    if (inet_pton(AF_INET, copy, &in) == 1)
        *out = of_v4(in);
    else if (inet_pton(AF_INET6, copy, &in6) == 1)
        *out = of_v6(&in6);
    else
        return false;
    return true;
}

/* ---- the address of a request ---- */

static bool is_proxy(const struct geo *g, const struct geo_address *a)
{
    for (const struct geo_proxy *p = g->proxies; p; p = p->next)
        if (p->net.is_v6 == a->is_v6 && geo_compare(p->net.from, a->key) <= 0 && geo_compare(a->key, p->net.to) <= 0)
            return true;
    return false;
}

/* While a proxy that is believed stands in front, who it says is behind it: from the end of the
 * list. */
static void look_behind_proxies(struct request *r, const struct geo *g, struct geo_address *a)
{
    struct text list = variable_forwarded_for(r);

    while (list.len > 0 && is_proxy(g, a)) {
        while (list.len > 0 && (list.at[list.len - 1] == ' ' || list.at[list.len - 1] == ','))
            list.len--;
        size_t start = list.len;
        while (start > 0 && list.at[start - 1] != ' ' && list.at[start - 1] != ',')
            start--;
        if (!parse_address(text_from(list, start), a))
            return;
        list.len = start;
        if (!g->proxy_recursive)
            return;
    }
}

static struct geo_address address_of(struct request *r, const struct geo *g)
{
    const union peer *p = r->peer;
    struct geo_address a = nobody;

    if (g->source)
        parse_address(template_text(g->source, r), &a);
    else if (p->any.sa_family == AF_INET)
        a = of_v4(p->in4.sin_addr);
    else if (p->any.sa_family == AF_INET6)
        a = of_v6(&p->in6.sin6_addr);
    if (g->proxies)
        look_behind_proxies(r, g, &a);
    return g->ranges && a.is_v6 ? nobody : a;
}

static void get_geo(struct request *r, const void *data, struct text *out)
{
    const struct geo *g = data;
    struct geo_address a = address_of(r, g);
    *out = geo_table_find(a.is_v6 ? &g->v6 : &g->v4, a.key);
}

/* ---- reading ---- */

static uint64_t bits_below(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* "192.0.2.0/24", "192.0.2.1", "2001:db8::/32" */
static const char *parse_net(struct conf *cf, struct text t, struct geo_net *net)
{
    size_t slash = text_find(t, '/');
    struct text address = {t.at, slash};
    struct geo_address a;
    unsigned prefix = 0;

    if (!parse_address(address, &a) || text_find(address, '[') < slash ||
        (text_find(address, '.') < slash && text_find(address, ':') < slash && a.is_v6))
        return conf_error(cf, "invalid network \"%.*s\"", TEXT_ARG(t));
    unsigned width = a.is_v6 ? 128 : 32;
    if (slash == t.len)
        prefix = width;
    for (size_t i = slash + 1; i < t.len; i++) {
        if (t.at[i] < '0' || t.at[i] > '9' || prefix > width)
            return conf_error(cf, "invalid network \"%.*s\"", TEXT_ARG(t));
        prefix = 10 * prefix + (unsigned)(t.at[i] - '0');
    }
    if (prefix > width || slash + 1 == t.len)
        return conf_error(cf, "invalid network \"%.*s\"", TEXT_ARG(t));
    unsigned host = width - prefix; /* bits behind the prefix */
    uint64_t low = bits_below(host), high = host > 64 ? bits_below(host - 64) : 0;
    if ((a.key.low & low) || (a.key.high & high))
        conf_warn(cf, "low address bits of %.*s are meaningless", TEXT_ARG(t));
    net->is_v6 = a.is_v6;
    net->from = (struct geo_key){a.key.high & ~high, a.key.low & ~low};
    net->to = (struct geo_key){a.key.high | high, a.key.low | low};
    return NULL;
}

/* "192.0.2.1-192.0.2.9" */
static const char *parse_range(struct conf *cf, struct text t, struct geo_net *net)
{
    size_t dash = text_find(t, '-');
    struct geo_address from, to;

    if (dash == t.len || !parse_address((struct text){t.at, dash}, &from) ||
        !parse_address(text_from(t, dash + 1), &to) || from.is_v6 || to.is_v6 || geo_compare(from.key, to.key) > 0 ||
        text_find(t, ':') < t.len)
        return conf_error(cf, "invalid range \"%.*s\"", TEXT_ARG(t));
    *net = (struct geo_net){.from = from.key, .to = to.key};
    return NULL;
}

static const char *parse(struct conf *cf, const struct geo *g, struct text t, struct geo_net *net)
{
    return g->ranges ? parse_range(cf, t, net) : parse_net(cf, t, net);
}

static const char *add_proxy(struct conf *cf, struct geo *g)
{
    struct geo_proxy *p = arena_alloc(cf->arena, sizeof *p);
    if (!p)
        return conf_error(cf, "no memory");
    p->next = g->proxies;
    g->proxies = p;
    return parse_net(cf, cf->args[1], &p->net);
}

static const char *set_default(struct conf *cf, struct geo *g)
{
    if (g->has_default)
        conf_warn(cf, "duplicate network \"default\", value: \"%.*s\", old value: \"%.*s\"", TEXT_ARG(cf->args[1]),
                  TEXT_ARG(g->dflt));
    g->has_default = true;
    g->dflt = cf->args[1];
    return NULL;
}

/* Of ranges any part, of networks the one that is meant. */
static const char *delete_net(struct conf *cf, struct geo *g)
{
    struct geo_net net = {0};
    const char *error = parse(cf, g, cf->args[1], &net);
    int rc = 0;

    if (error)
        return error;
    if (g->ranges)
        rc = geo_table_cut(&g->v4, net.from, net.to);
    else if (!geo_table_delete(net.is_v6 ? &g->v6 : &g->v4, net.from, net.to))
        rc = -ENOENT;
    if (rc == -ENOENT)
        conf_warn(cf, "no %s \"%.*s\" to delete", g->ranges ? "address range" : "network", TEXT_ARG(cf->args[1]));
    return rc == -ENOMEM ? conf_error(cf, "no memory") : NULL;
}

static const char *on_word(struct conf *cf, struct geo *g)
{
    if (text_equal(cf->args[0], TEXT("ranges"))) {
        if (g->used)
            return conf_error(cf, "the \"ranges\" directive must be the first directive inside \"geo\" block");
        g->ranges = true;
        return NULL;
    }
    if (text_equal(cf->args[0], TEXT("volatile"))) {
        g->forgets = true;
        return NULL;
    }
    if (text_equal(cf->args[0], TEXT("proxy_recursive"))) {
        g->proxy_recursive = true;
        return NULL;
    }
    return conf_error(cf, "invalid number of the geo parameters");
}

static const char *on_line(struct conf *cf, void *arg)
{
    struct geo *g = arg;
    struct geo_net net = {0};

    if (cf->count == 1)
        return on_word(cf, g);
    if (cf->count != 2)
        return conf_error(cf, "invalid number of the geo parameters");
    if (text_equal(cf->args[0], TEXT("proxy")))
        return add_proxy(cf, g);
    if (text_equal(cf->args[0], TEXT("default")))
        return set_default(cf, g);
    g->used = true;
    if (text_equal(cf->args[0], TEXT("delete")))
        return delete_net(cf, g);
    const char *error = parse(cf, g, cf->args[0], &net);
    if (error)
        return error;
    int rc = geo_table_add(net.is_v6 ? &g->v6 : &g->v4, net.from, net.to, cf->args[1]);
    return rc < 0 ? conf_error(cf, "no memory") : NULL;
}

static const char *range_text(const struct geo_range *r, char *out, size_t size)
{
    struct in_addr from = {htonl((uint32_t)r->from.low)}, to = {htonl((uint32_t)r->to.low)};
    char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN];

    snprintf(out, size, "%s-%s", inet_ntop(AF_INET, &from, a, sizeof a), inet_ntop(AF_INET, &to, b, sizeof b));
    return out;
}

static void on_duplicate(void *arg, const struct geo_range *kept, const struct geo_range *dropped)
{
    conf_warn(arg, "duplicate network, value: \"%.*s\", old value: \"%.*s\"", TEXT_ARG(kept->value),
              TEXT_ARG(dropped->value));
}

static const char *flatten(struct conf *cf, struct geo *g, struct geo_table *t)
{
    struct geo_range wrong;
    char text[2 * INET_ADDRSTRLEN];

    int rc = geo_table_flatten(t, g->dflt, cf->arena, on_duplicate, cf, &wrong);
    if (rc == -EINVAL)
        return conf_error(cf, "range \"%s\" overlaps another one", range_text(&wrong, text, sizeof text));
    return rc < 0 ? conf_error(cf, "no memory") : NULL;
}

/* geo [$address] $variable { ... } */
static const char *set_geo(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct geo *g = arena_zalloc(cf->arena, sizeof *g);
    struct variables *vs = http_main_at(cf)->variables;
    struct own_variable *v;
    const char *error = NULL;

    if (!g)
        return conf_error(cf, "no memory");
    g->dflt = TEXT("");
    if (cf->count == 3)
        error = template_of_word(cf, vs, cf->args[1], &g->source);
    if (!error)
        error = variables_own(cf, vs, cf->args[cf->count - 1], &v);
    if (!error)
        error = conf_lines(cf, on_line, g);
    if (!error)
        error = flatten(cf, g, &g->v4);
    if (!error)
        error = flatten(cf, g, &g->v6);
    geo_table_fini(&g->v4);
    geo_table_fini(&g->v6);
    if (error)
        return error;
    v->compute = get_geo;
    v->data = g;
    v->forgets = v->forgets || g->forgets;
    return NULL;
}

static const struct conf_row rows[] = {
    {"geo", CONF_HTTP, CONF_TAKE12 | CONF_BLOCK | CONF_REPEAT, set_geo, .syntax = "[$address] $variable { ... }",
     .help =
         "A variable whose value is looked up by an address: networks, or with `ranges` ranges; `default`, `delete`, "
         "`include`, `proxy`, `proxy_recursive`, `volatile`.",
     .differs =
         "Binary bases of ranges are not made. With `ranges`, `delete` takes any part of what was added; nginx only "
         "whole parts of 65536 addresses, and ranges as they were added."},
    {.name = NULL},
};

struct conf_module geo_module = {.name = "Geo", .rows = rows};
