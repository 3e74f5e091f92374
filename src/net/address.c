/* address.c - socket addresses as text and back, as nginx's `listen` writes them. */
#include "net/address.h"

#include "base/number.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* What a parse fills: at most `most` addresses, `count` so far. */
struct result {
    struct address *out;
    unsigned most, count;
};

static int fail(const char **error, const char *text)
{
    *error = text;
    return -EINVAL;
}

static int add(struct result *r, const struct address *a, const char **error)
{
    if (r->count == r->most)
        return fail(error, "too many addresses");
    r->out[r->count++] = *a;
    return 0;
}

static struct address of_in4(struct in_addr host, uint16_t port)
{
    struct address a;

    memset(&a, 0, sizeof a);
    a.len = sizeof a.in4;
    a.in4.sin_family = AF_INET;
    a.in4.sin_addr = host;
    a.in4.sin_port = htons(port);
    return a;
}

static struct address of_in6(struct in6_addr host, uint16_t port)
{
    struct address a;

    memset(&a, 0, sizeof a);
    a.len = sizeof a.in6;
    a.in6.sin6_family = AF_INET6;
    a.in6.sin6_addr = host;
    a.in6.sin6_port = htons(port);
    return a;
}

static int parse_unix(struct text path, struct result *r, const char **error)
{
    struct address a;

    if (path.len == 0)
        return fail(error, "no path in the unix domain socket");
    memset(&a, 0, sizeof a);
    if (path.len >= sizeof a.un.sun_path)
        return fail(error, "too long path in the unix domain socket");
    if (memchr(path.at, '\0', path.len))
        return fail(error, "invalid path in the unix domain socket");
    a.un.sun_family = AF_UNIX;
    memcpy(a.un.sun_path, path.at, path.len);
    a.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    return add(r, &a, error);
}

/* "80" or "8000-8010". */
struct ports {
    uint16_t first, last;
};

static bool parse_port(struct text t, uint16_t *port)
{
    uint64_t value;

    if (number_parse(t, &value) < 0 || value < 1 || value > UINT16_MAX)
        return false;
    *port = (uint16_t)value;
    return true;
}

static bool parse_ports(struct text t, struct ports *ports)
{
    size_t dash = text_find(t, '-');

    if (!parse_port((struct text){t.at, dash}, &ports->first))
        return false;
    ports->last = ports->first;
    if (dash == t.len)
        return true;
    return parse_port(text_from(t, dash + 1), &ports->last) && ports->last >= ports->first;
}

static int add_in4(struct result *r, struct in_addr host, struct ports ports, const char **error)
{
    for (unsigned port = ports.first; port <= ports.last; port++) {
        struct address a = of_in4(host, (uint16_t)port);
        int rc = add(r, &a, error);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_in6(struct result *r, struct in6_addr host, struct ports ports, const char **error)
{
    for (unsigned port = ports.first; port <= ports.last; port++) {
        struct address a = of_in6(host, (uint16_t)port);
        int rc = add(r, &a, error);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* `t` starts with '['. */
static int parse_in6(struct text t, struct ports ports, struct result *r, const char **error)
{
    char name[INET6_ADDRSTRLEN];
    size_t end = text_find(t, ']');
    struct text host, rest;
    struct in6_addr in6;

    if (end == t.len)
        return fail(error, "invalid host");
    host = (struct text){t.at + 1, end - 1};
    rest = text_from(t, end + 1);
    if (rest.len > 0) {
        if (rest.at[0] != ':')
            return fail(error, "invalid host");
        if (!parse_ports(text_from(rest, 1), &ports))
            return fail(error, "invalid port");
    }
    if (host.len == 0)
        return fail(error, "no host");
    if (host.len >= sizeof name)
        return fail(error, "invalid IPv6 address");
    memcpy(name, host.at, host.len);
    name[host.len] = '\0';
    if (inet_pton(AF_INET6, name, &in6) != 1)
        return fail(error, "invalid IPv6 address");
    return add_in6(r, in6, ports, error);
}

/* IPv4 addresses before IPv6 ones, as nginx orders them. */
static int add_resolved(const struct addrinfo *list, struct ports ports, struct result *r, const char **error)
{
    int rc = 0;

    for (const struct addrinfo *ai = list; ai && rc == 0; ai = ai->ai_next) {
        if (ai->ai_family == AF_INET) {
            struct sockaddr_in sin;

            memcpy(&sin, ai->ai_addr, sizeof sin);
            rc = add_in4(r, sin.sin_addr, ports, error);
        }
    }
    for (const struct addrinfo *ai = list; ai && rc == 0; ai = ai->ai_next) {
        if (ai->ai_family == AF_INET6) {
            struct sockaddr_in6 sin6;

            memcpy(&sin6, ai->ai_addr, sizeof sin6);
            rc = add_in6(r, sin6.sin6_addr, ports, error);
        }
    }
    return rc;
}

static int resolve(struct text host, struct ports ports, struct result *r, const char **error)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list;
    struct in_addr in4;
    char name[256];
    int rc;

    if (host.len >= sizeof name || memchr(host.at, '\0', host.len) || memchr(host.at, '/', host.len))
        return fail(error, "invalid host");
    memcpy(name, host.at, host.len);
    name[host.len] = '\0';
    if (inet_pton(AF_INET, name, &in4) == 1)
        return add_in4(r, in4, ports, error);
    if (getaddrinfo(name, NULL, &hints, &list) != 0)
        return fail(error, "host not found");
    rc = add_resolved(list, ports, r, error);
    freeaddrinfo(list);
    if (rc == 0 && r->count == 0)
        return fail(error, "host not found");
    return rc;
}

static bool is_number(struct text t)
{
    uint64_t value;

    return number_parse((struct text){t.at, text_find(t, '-')}, &value) == 0;
}

static int parse_inet(struct text t, struct ports ports, struct result *r, const char **error)
{
    const struct in_addr any = {.s_addr = htonl(INADDR_ANY)};
    size_t colon = text_find(t, ':');
    struct text host = {t.at, colon};

    if (colon < t.len) {
        if (!parse_ports(text_from(t, colon + 1), &ports))
            return fail(error, "invalid port");
    } else if (is_number(t)) {
        if (!parse_ports(t, &ports))
            return fail(error, "invalid port");
        return add_in4(r, any, ports, error);
    }
    if (host.len == 0)
        return fail(error, "no host");
    if (text_equal(host, TEXT("*")))
        return add_in4(r, any, ports, error);
    return resolve(host, ports, r, error);
}

int address_parse(struct text t, uint16_t default_port, struct address *out, unsigned most, unsigned *count,
                  const char **error)
{
    struct ports ports = {default_port, default_port};
    struct result r = {.out = out, .most = most};
    int rc;

    *error = NULL;
    *count = 0;
    if (text_starts(t, TEXT("unix:")))
        rc = parse_unix(text_from(t, 5), &r, error);
    else if (t.len > 0 && t.at[0] == '[')
        rc = parse_in6(t, ports, &r, error);
    else
        rc = parse_inet(t, ports, &r, error);
    if (rc == 0)
        *count = r.count;
    return rc;
}

bool address_equal(const struct address *a, const struct address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    switch (a->any.sa_family) {
    case AF_INET:
        return a->in4.sin_port == b->in4.sin_port && a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
    case AF_INET6:
        return a->in6.sin6_port == b->in6.sin6_port &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
    case AF_UNIX:
        return strncmp(a->un.sun_path, b->un.sun_path, sizeof a->un.sun_path) == 0;
    default:
        return false;
    }
}

uint16_t address_port(const struct address *a)
{
    switch (a->any.sa_family) {
    case AF_INET:
        return ntohs(a->in4.sin_port);
    case AF_INET6:
        return ntohs(a->in6.sin6_port);
    default:
        return 0;
    }
}

/* Access logs ask for this per connection, so IPv4 is written by hand. */
static size_t format_in4(const struct in_addr *host, char *out)
{
    const unsigned char *byte = (const unsigned char *)&host->s_addr;
    char *p = out;

    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *p++ = '.';
        p += number_format(p, byte[i]);
    }
    *p = '\0';
    return (size_t)(p - out);
}

static size_t format_unix(const struct address *a, bool with_path, char *out)
{
    /* A client's socket is usually unnamed: nothing was written to sun_path. */
    size_t start = offsetof(struct sockaddr_un, sun_path);
    size_t most = a->len > start ? a->len - start : 0;
    size_t len = with_path ? strnlen(a->un.sun_path, most) : 0;

    memcpy(out, "unix:", 5);
    memcpy(out + 5, a->un.sun_path, len);
    out[5 + len] = '\0';
    return 5 + len;
}

size_t address_format(const struct address *a, bool with_port, char out[ADDRESS_TEXT_SIZE])
{
    size_t len;

    switch (a->any.sa_family) {
    case AF_INET:
        len = format_in4(&a->in4.sin_addr, out);
        break;
    case AF_INET6: {
        char *host = with_port ? out + 1 : out;

        if (!inet_ntop(AF_INET6, &a->in6.sin6_addr, host, INET6_ADDRSTRLEN))
            host[0] = '\0';
        len = strlen(host);
        if (with_port) {
            out[0] = '[';
            out[len + 1] = ']';
            len += 2;
        }
        break;
    }
    default:
        return format_unix(a, with_port, out);
    }
    if (with_port) {
        out[len++] = ':';
        len += number_format(out + len, address_port(a));
    }
    out[len] = '\0';
    return len;
}
