/* realip.c - set_real_ip_from, real_ip_header, real_ip_recursive: from a trusted peer's header to
 * r->peer, so that all that asks for the client's address gets that one. Called by steps_route.c
 * when server and location are known.
 *
 * A header is used only from a trusted peer; X-Forwarded-For is read backwards, up to the first
 * address that is not trusted. */
#include "http/access/realip.h"

#include "base/number.h"
#include "http/request/request.h"
#include "http/variable/variable_text.h"
#include "net/proxy_protocol.h"

#include <arpa/inet.h>

struct trusted {
    struct trusted *next;
    int family; /* AF_UNIX: all unix: peers */
    unsigned bits;
    unsigned char host[sizeof(struct in6_addr)];
};

struct realip_header {
    enum { HEADER_FIELD, HEADER_FORWARDED, HEADER_PROXY } kind;
    struct text name; /* lower-case */
};

struct realip_conf {
    struct trusted *from;
    struct realip_header header;
    bool recursive;
};

/* ---- requests ---- */

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

static bool is_trusted(const struct realip_conf *conf, const union peer *peer)
{
    const unsigned char *host = NULL;
    int family = peer->any.sa_family;

    if (family == AF_INET) {
        host = (const unsigned char *)&peer->in4.sin_addr;
    } else if (family == AF_INET6) {
        host = peer->in6.sin6_addr.s6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&peer->in6.sin6_addr)) {
            family = AF_INET;
            host += 12;
        }
    }
    for (const struct trusted *t = conf->from; t; t = t->next)
        if (t->family == family && (!host || same_bits(t->host, host, t->bits)))
            return true;
    return false;
}

static bool read_host(struct text t, union peer *peer)
{
    char name[INET6_ADDRSTRLEN];

    if (t.len >= sizeof name || memchr(t.at, '\0', t.len))
        return false;
    memcpy(name, t.at, t.len);
    name[t.len] = '\0';
    memset(peer, 0, sizeof *peer);
    if (inet_pton(AF_INET, name, &peer->in4.sin_addr) == 1) {
        peer->in4.sin_family = AF_INET;
        return true;
    }
    peer->in6.sin6_family = AF_INET6;
    return inet_pton(AF_INET6, name, &peer->in6.sin6_addr) == 1;
}

/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80". */
static bool read_peer(struct text t, union peer *peer)
{
    uint64_t port;

    if (read_host(t, peer))
        return true;
    size_t end = text_find(t, text_starts(t, TEXT("[")) ? ']' : ':');
    struct text host = {t.at, end}, rest = text_from(t, end < t.len ? end : t.len);
    if (text_starts(t, TEXT("["))) {
        host = text_from(host, 1);
        rest = text_from(rest, rest.len > 0);
    }
    if (!text_starts(rest, TEXT(":")) || number_parse(text_from(rest, 1), &port) < 0 || port < 1 || port > UINT16_MAX)
        return false;
    if (!read_host(host, peer))
        return false;
    if (peer->any.sa_family == AF_INET)
        peer->in4.sin_port = htons((uint16_t)port);
    else
        peer->in6.sin6_port = htons((uint16_t)port);
    return true;
}

/* The last address of a list to *peer, if *peer is trusted; recursively the one before that, as
 * long as there is trust. False: *peer is what it was. `rest` is what is left of the list. */
static bool step_back(const struct realip_conf *conf, struct text *rest, union peer *peer)
{
    union peer before;

    if (!is_trusted(conf, peer))
        return false;
    while (rest->len > 1 && (rest->at[rest->len - 1] == ' ' || rest->at[rest->len - 1] == ','))
        rest->len--;
    size_t start = rest->len;
    while (start > 0 && rest->at[start - 1] != ' ' && rest->at[start - 1] != ',')
        start--;
    if (!read_peer(text_from(*rest, start), &before))
        return false;
    rest->len = start;
    *peer = before;
    return true;
}

static bool along_list(const struct realip_conf *conf, struct text list, union peer *peer, bool *ended)
{
    bool moved = step_back(conf, &list, peer);

    *ended = !moved;
    while (moved && conf->recursive && list.len > 0)
        if (!step_back(conf, &list, peer)) {
            *ended = true;
            break;
        }
    return moved;
}

/* The last field counts first; recursively, those before it follow. */
static bool from_forwarded(const struct realip_conf *conf, struct request *r, union peer *peer)
{
    bool moved = false, ended = false;

    for (unsigned i = r->msg.count; i-- > 0 && !ended;) {
        const struct header *h = &r->msg.headers[i];
        if (!text_equal_nocase(h->name, TEXT("x-forwarded-for")))
            continue;
        moved |= along_list(conf, h->value, peer, &ended);
        if (!conf->recursive)
            break;
    }
    return moved;
}

/* The first of its name: nginx's choice. */
static bool from_field(const struct realip_conf *conf, struct request *r, union peer *peer)
{
    bool ended;

    for (unsigned i = 0; i < r->msg.count; i++)
        if (text_equal_nocase(r->msg.headers[i].name, conf->header.name))
            return along_list(conf, r->msg.headers[i].value, peer, &ended);
    return false;
}

static bool from_proxy(const struct realip_conf *conf, struct request *r, union peer *peer)
{
    const struct proxy_header *proxy = r->client->proxy;

    if (!proxy || !is_trusted(conf, peer))
        return false;
    memcpy(peer, &proxy->source.in6, sizeof *peer);
    return true;
}

void realip_apply(struct request *r)
{
    const struct realip_conf *conf = r->location->realip;
    union peer peer = *r->peer;

    if (r->peer != &r->client->peer)
        return;
    bool moved = conf->header.kind == HEADER_PROXY       ? from_proxy(conf, r, &peer)
                 : conf->header.kind == HEADER_FORWARDED ? from_forwarded(conf, r, &peer)
                                                         : from_field(conf, r, &peer);
    if (!moved)
        return;
    union peer *own = arena_alloc(&r->arena, sizeof *own);
    if (!own)
        return;
    *own = peer;
    r->peer = own;
}

/* ---- directives ---- */

static const char *trust(struct conf *cf, struct trusted **end, int family, const void *host, unsigned bits)
{
    struct trusted *t = arena_zalloc(cf->arena, sizeof *t);

    if (!t)
        return conf_error(cf, "no memory");
    t->family = family;
    t->bits = bits;
    if (host)
        memcpy(t->host, host, family == AF_INET ? sizeof(struct in_addr) : sizeof(struct in6_addr));
    while (*end)
        end = &(*end)->next;
    *end = t;
    return NULL;
}

/* "192.0.2.0/24": true, if it is that. What is behind the bits is cleared. */
static bool read_network(struct text t, union peer *peer, unsigned *bits, bool *low)
{
    size_t slash = text_find(t, '/');
    uint64_t n;

    if (!read_host((struct text){t.at, slash}, peer))
        return false;
    bool in4 = peer->any.sa_family == AF_INET;
    unsigned most = in4 ? 32 : 128;
    unsigned char *host = in4 ? (unsigned char *)&peer->in4.sin_addr : peer->in6.sin6_addr.s6_addr;
    *bits = most;
    *low = false;
    if (slash == t.len)
        return true;
    if (number_parse(text_from(t, slash + 1), &n) < 0 || n > most)
        return false;
    *bits = (unsigned)n;
    for (unsigned bit = *bits; bit < most; bit++) {
        unsigned char mask = (unsigned char)(0x80 >> bit % 8);
        *low = *low || (host[bit / 8] & mask);
        host[bit / 8] &= (unsigned char)~mask;
    }
    return true;
}

static const char *trust_peer(struct conf *cf, struct trusted **from, const union peer *peer, unsigned bits)
{
    const void *host =
        peer->any.sa_family == AF_INET ? (const void *)&peer->in4.sin_addr : (const void *)&peer->in6.sin6_addr;

    return trust(cf, from, peer->any.sa_family, host, bits);
}

static const char *set_from(struct conf *cf, const struct conf_row *row, void *slot)
{
    enum { MOST = 64 };
    struct trusted **from = slot;
    struct text arg = cf->args[1];
    struct address found[MOST];
    const char *error = NULL;
    union peer peer;
    unsigned bits, count;
    bool low;

    if (text_equal(arg, TEXT("unix:")))
        return trust(cf, from, AF_UNIX, NULL, 0);
    if (read_network(arg, &peer, &bits, &low)) {
        if (low)
            conf_warn(cf, "low address bits of %.*s are meaningless", TEXT_ARG(arg));
        return trust_peer(cf, from, &peer, bits);
    }
    if (text_find(arg, ':') < arg.len || text_starts(arg, TEXT("*")))
        return conf_error(cf, "invalid host in %s \"%.*s\"", row->name, TEXT_ARG(arg));
    if (address_parse(arg, 80, found, MOST, &count, &error) < 0)
        return conf_error(cf, "%s in %s \"%.*s\"", error, row->name, TEXT_ARG(arg));
    for (unsigned i = 0; i < count && !error; i++) {
        memcpy(&peer, &found[i].in6, sizeof peer);
        error = trust_peer(cf, from, &peer, peer.any.sa_family == AF_INET ? 32 : 128);
    }
    return error;
}

static const char *set_header(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct realip_header *h = slot;
    char *name = arena_copy(cf->arena, cf->args[1].at, cf->args[1].len);

    (void)row;
    if (!name)
        return conf_error(cf, "no memory");
    for (char *c = name; *c; c++)
        *c = text_lower(*c);
    h->name = text_of(name);
    h->kind = text_equal(h->name, TEXT("x-forwarded-for"))  ? HEADER_FORWARDED
              : text_equal(h->name, TEXT("proxy_protocol")) ? HEADER_PROXY
                                                            : HEADER_FIELD;
    return NULL;
}

/* The peer of the connection itself. */
static void get_remote(struct request *r, const void *data, struct text *out)
{
    variable_peer(r, &r->client->peer, data != NULL, out);
}

const struct variable_row realip_variables[] = {
    {"realip_remote_addr", .get = get_remote},
    {"realip_remote_port", .get = get_remote, .data = 1},
    {.name = NULL},
};

static const struct conf_row rows[] = {
    {"set_real_ip_from", CONF_HTTP_ALL, CONF_TAKE1 | CONF_REPEAT, set_from, CONF_SLOT(struct realip_conf, from),
     .syntax = "address | CIDR | hostname | unix:",
     .help = "Trusted peers, which may state the client's address; names are resolved when the configuration is read.",
     .differs = "In a location it also holds for the location's `if`, `set` and `return`."},
    {"real_ip_header", CONF_HTTP_ALL, CONF_TAKE1, set_header, CONF_SLOT(struct realip_conf, header),
     .dflt = "X-Real-IP", .syntax = "field | X-Real-IP | X-Forwarded-For | proxy_protocol",
     .help = "Where a trusted peer states the client's address.",
     .differs = "Addresses with leading zeros are ignored."},
    {"real_ip_recursive", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct realip_conf, recursive),
     .dflt = "off", .help = "On: the last address of the list that is not itself trusted; off: the last address."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct realip_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->realip = conf->from ? conf : NULL;
    return NULL;
}

struct conf_module realip_module = {
    .name = "Real addresses of clients",
    .rows = rows,
    .size = sizeof(struct realip_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
