/* healthcheck_target.c - finds the server to ask: in a URL, or in the configuration. Called by
 * healthcheck.c. */
#include "healthcheck_target.h"

#include "base/log_file.h"
#include "http/log/health.h"
#include "http/site/site.h"
#include "http/syntax/uri.h"
#include "server/process/start.h"

#include <errno.h>
#include <stdio.h>

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

__attribute__((format(printf, 2, 3))) static int fail(struct target *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->error, sizeof t->error, format, args);
    va_end(args);
    return -EINVAL;
}

static int put(struct target *t, char *to, size_t size, struct text part)
{
    if (part.len >= size)
        return fail(t, "the URL is too long");
    memcpy(to, part.at, part.len);
    to[part.len] = '\0';
    return 0;
}

/* ---- a URL ---- */

static int look_up(struct target *t)
{
    struct address found[16];
    const char *error;
    unsigned count;

    if (address_parse(text_of(t->host), t->tls ? HTTPS_PORT : HTTP_PORT, found, 16, &count, &error) < 0)
        return fail(t, "%s in \"%s\"", error, t->host);
    t->address = found[0];
    return 0;
}

int target_of_url(struct target *t, const char *url)
{
    struct text rest = {url, strcspn(url, "#")}, host;
    size_t end = 0;
    int rc;

    t->tls = text_starts(rest, TEXT("https://"));
    if (!t->tls && !text_starts(rest, TEXT("http://")))
        return fail(t, "\"%s\" is no URL: it begins with http://, https:// or /", url);
    rest = text_from(rest, t->tls ? 8 : 7);
    while (end < rest.len && rest.at[end] != '/' && rest.at[end] != '?')
        end++;
    if (!uri_authority((struct text){rest.at, end}, &host) || host.len == 0)
        return fail(t, "invalid host in \"%s\"", url);
    rc = put(t, t->host, sizeof t->host, (struct text){rest.at, end});
    rest = text_from(rest, end);
    t->path[0] = '/';
    if (rc == 0)
        rc = put(t, t->path + !text_starts(rest, TEXT("/")), sizeof t->path - 1, rest);
    snprintf(t->shown, sizeof t->shown, "http%s://%s%s", t->tls ? "s" : "", t->host, t->path);
    return rc < 0 ? rc : look_up(t);
}

/* ---- the configuration ---- */

/* A location that a fixed path leads to. */
static const struct location *find_health(const struct conf_block *block)
{
    list_each (&block->children, node, next) {
        const struct conf_block *child = container_of(node, struct conf_block, node);
        const struct location *l = child->context == CONF_LOCATION ? location_of(child) : NULL;

        if (!l)
            continue;
        if (health_is_asked_at(l) && l->kind <= LOCATION_EXACT)
            return l;
        l = find_health(child);
        if (l)
            return l;
    }
    return NULL;
}

/* The one that takes the fewest words. */
static const struct server_listen *easiest_listen(const struct server *s)
{
    const struct server_listen *best = NULL;

    list_each (&s->listens, node, next) {
        const struct server_listen *l = container_of(node, struct server_listen, node);

        if (!best || l->tls + 2 * l->proxy_protocol < best->tls + 2 * best->proxy_protocol)
            best = l;
    }
    return best;
}

/* 0.0.0.0 and [::] are every address of this machine. */
static void make_reachable(struct address *a)
{
    if (a->any.sa_family == AF_INET && a->in4.sin_addr.s_addr == htonl(INADDR_ANY))
        a->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr))
        a->in6.sin6_addr = in6addr_loopback;
}

/* A name that the server knows, so that it answers whichever is the default one. */
static struct text name_of(const struct server *s)
{
    list_each (&s->names, node, next) {
        const struct server_name *n = container_of(node, struct server_name, node);

        if (n->kind == NAME_EXACT && n->text.len > 0)
            return n->text;
    }
    return TEXT("localhost");
}

static int take_server(struct target *t, const struct server *s, struct text path)
{
    const struct server_listen *l = easiest_listen(s);
    char address[ADDRESS_TEXT_SIZE];
    int rc = put(t, t->host, sizeof t->host, name_of(s));

    if (!l)
        return fail(t, "the server does not listen");
    t->address = l->address;
    t->tls = l->tls;
    t->proxy_header = l->proxy_protocol;
    make_reachable(&t->address);
    address_format(&t->address, true, address);
    if (rc == 0)
        rc = put(t, t->path, sizeof t->path, path);
    snprintf(t->shown, sizeof t->shown, "http%s://%s%s%s", t->tls ? "s" : "", address,
             t->address.any.sa_family == AF_UNIX ? ":" : "", t->path);
    return rc;
}

static int choose(struct target *t, const struct http_main *http, const char *path)
{
    const struct server *first = NULL;

    list_each (&http->servers, node, next) {
        const struct server *s = container_of(node, struct server, node);
        const struct location *l = find_health(s->block);

        if (l)
            return take_server(t, s, path ? text_of(path) : l->name);
        if (!first)
            first = s;
    }
    if (!first)
        return fail(t, "the configuration has no \"server\": nothing is served");
    t->any = !path;
    return take_server(t, first, path ? text_of(path) : TEXT("/"));
}

int target_of_configuration(struct target *t, const struct options *options, const char *path)
{
    static struct cycle_source source;
    struct cycle *c = NULL;
    int rc;

    log_file_stay_shut();
    rc = start_source(&source, options);
    source.only_read = true;
    if (rc == 0)
        rc = cycle_read(&c, &source);
    if (rc == 0)
        rc = c->http ? choose(t, c->http, path) : fail(t, "the configuration has no \"http\": nothing is served");
    cycle_destroy(c, false);
    return rc;
}
