/* explain_address.c - the address that the request of `sluice explain` comes in at: the one of -l,
 * or what fits the URL best. */
#include "explain_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

static bool is_wildcard(const struct address *a)
{
    return a->any.sa_family == AF_INET    ? a->in4.sin_addr.s_addr == htonl(INADDR_ANY)
           : a->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr)
                                          : false;
}

/* The IP address that `host` is: "127.0.0.1", "[::1]", or localhost. False: it is a name. */
static bool ip_of(const char *host, struct address *ip)
{
    char text[INET6_ADDRSTRLEN];
    size_t len = strlen(host);

    memset(ip, 0, sizeof *ip);
    ip->any.sa_family = AF_INET;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &ip->in4.sin_addr) == 1)
        return true;
    if (len < 3 || len - 2 >= sizeof text || host[0] != '[')
        return false;
    memcpy(text, host + 1, len - 2);
    text[len - 2] = '\0';
    ip->any.sa_family = AF_INET6;
    return inet_pton(AF_INET6, text, &ip->in6.sin6_addr) == 1;
}

static bool same_ip(const struct address *a, const struct address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    return a->any.sa_family == AF_INET ? a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr
                                       : IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

static bool name_is_known_at(const struct http_main *http, const struct address *address, struct text host)
{
    list_each (&http->servers, node, tmp) {
        const struct server *s = container_of(node, struct server, node);

        list_each (&s->listens, l, next) {
            if (address_equal(&container_of(l, struct server_listen, node)->address, address) && explain_name(s, host))
                return true;
        }
    }
    return false;
}

/* How well an address fits, and why. 0: a connection to that host and port does not come in
 * there. */
enum fit { FIT_NONE, FIT_SOME, FIT_WILDCARD, FIT_NAME, FIT_EXACT };

static enum fit fit_of(const struct asked *a, const struct http_main *http, const struct address *address)
{
    struct address ip;

    if (ip_of(a->host, &ip)) {
        if (address->any.sa_family == AF_UNIX)
            return FIT_NONE;
        if (same_ip(&ip, address))
            return FIT_EXACT;
        if (is_wildcard(address)) /* [::] may take IPv4, too */
            return address->any.sa_family == ip.any.sa_family ? FIT_WILDCARD : FIT_SOME;
        return strcmp(a->host, "localhost") == 0 ? FIT_SOME : FIT_NONE;
    }
    if (a->host[0] && name_is_known_at(http, address, text_of(a->host)))
        return FIT_NAME;
    return is_wildcard(address) ? FIT_WILDCARD : FIT_SOME;
}

/* The best of those on `port` (NO_PORT: of all); the first of equals. */
static const struct http_address *best_address(const struct asked *a, const struct http_main *http, int port,
                                               enum fit *best)
{
    const struct http_address *found = NULL;

    *best = FIT_NONE;
    for (unsigned i = 0; http->addresses && i < http->address_count; i++) {
        const struct http_address *h = &http->addresses[i];
        enum fit fit = fit_of(a, http, &h->address);

        if ((port != NO_PORT && address_port(&h->address) != port) || fit <= *best)
            continue;
        *best = fit;
        found = h;
    }
    return found;
}

static const char *fit_text(enum fit fit)
{
    static const char *const texts[] = {
        [FIT_NONE] = "",
        [FIT_SOME] = "the first that takes such a connection",
        [FIT_WILDCARD] = "every address of this machine",
        [FIT_NAME] = "a server here has this name",
        [FIT_EXACT] = "the address that the URL names",
    };
    return texts[fit];
}

static int no_address(const struct asked *a, const struct http_main *http)
{
    struct buffer known;
    char text[ADDRESS_TEXT_SIZE];

    buffer_init(&known);
    for (unsigned i = 0; i < http->address_count; i++) {
        address_format(&http->addresses[i].address, true, text);
        buffer_printf(&known, "%s%s", i > 0 ? ", " : "", text);
    }
    if (a->listen)
        explain_fail("nothing listens on %s; there are: %.*s", a->listen, (int)known.len, known.data);
    else if (a->port != NO_PORT)
        explain_fail("nothing listens on %s port %d; there are: %.*s", a->host, a->port, (int)known.len, known.data);
    else
        explain_fail("nothing listens on %s; there are: %.*s", a->host, (int)known.len, known.data);
    buffer_fini(&known);
    return -EADDRNOTAVAIL;
}

static int given_address(const struct asked *a, struct explain_options *o)
{
    struct address given[16];
    unsigned count;
    const char *error;

    if (address_parse(text_of(a->listen), HTTP_PORT, given, 16, &count, &error) < 0)
        return explain_fail("%s in \"%s\"", error, a->listen);
    for (unsigned i = 0; i < o->http->address_count; i++) {
        if (!address_equal(&o->http->addresses[i].address, &given[0]))
            continue;
        o->address = &o->http->addresses[i];
        o->address_why = "-l says so";
        return 0;
    }
    return no_address(a, o->http);
}

/* Without one in the URL. */
static int default_port(const struct asked *a)
{
    return a->scheme == URL_HTTPS ? HTTPS_PORT : HTTP_PORT;
}

static const struct http_address *address_by_url(const struct asked *a, const struct http_main *http, enum fit *fit)
{
    const struct http_address *found;

    if (a->port != NO_PORT)
        return best_address(a, http, a->port, fit);
    found = best_address(a, http, default_port(a), fit);
    if (*fit == FIT_NONE && a->scheme == URL_HTTPS) /* a proxy may stand before it */
        found = best_address(a, http, HTTP_PORT, fit);
    return *fit == FIT_NONE ? best_address(a, http, NO_PORT, fit) : found;
}

int explain_choose_address(struct asked *a, struct explain_options *o)
{
    enum fit fit;
    char no_port[32] = "";

    o->plain = a->scheme == URL_HTTP;
    if (a->listen)
        return given_address(a, o);
    o->address = address_by_url(a, o->http, &fit);
    if (fit == FIT_NONE)
        return no_address(a, o->http);
    if (a->host[0] && a->port == NO_PORT && address_port(&o->address->address) != default_port(a))
        snprintf(no_port, sizeof no_port, " (none has port %d)", default_port(a));
    snprintf(a->address_why, sizeof a->address_why, "%s%s",
             o->http->address_count == 1 ? "the only one" : fit_text(fit), no_port);
    o->address_why = a->address_why;
    return 0;
}
