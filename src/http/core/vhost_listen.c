/* vhost_listen.c - `listen`: the addresses and socket options of a server. */
#include "base/number.h"
#include "http/core/core.h"
#include "http/site/http2.h"

#include <errno.h>
#include <unistd.h>

enum { DEFAULT_PORT = 80, MOST_ADDRESSES = 16, DEFAULT_BACKLOG = 511 };

static const struct listen_options default_options = {
    .backlog = DEFAULT_BACKLOG,
    .ipv6only = -1,
    .reuseport = true,
    .keepalive = -1,
};

static bool take_value(struct text word, struct text name, struct text *value)
{
    if (!text_starts(word, name))
        return false;
    *value = text_from(word, name.len);
    return true;
}

/* so_keepalive=on | off | [idle]:[interval]:[count] */
static const char *set_keepalive(struct conf *cf, struct text value, struct listen_options *o)
{
    int *slots[3] = {&o->keepidle, &o->keepintvl, &o->keepcnt};

    if (text_equal(value, TEXT("on")) || text_equal(value, TEXT("off"))) {
        o->keepalive = value.len == 2;
        return NULL;
    }
    o->keepalive = 1;
    for (int i = 0; i < 3; i++) {
        struct text part = {value.at, text_find(value, ':')};
        uint64_t number = 0;
        int64_t sec = 0;
        int rc = 0;
        if (part.len > 0)
            rc = i < 2 ? number_parse_sec(part, &sec) : number_parse(part, &number);
        if (rc < 0 || sec > INT32_MAX || number > INT32_MAX)
            return conf_error(cf, "invalid so_keepalive value: \"%.*s\"", TEXT_ARG(value));
        *slots[i] = i < 2 ? (int)sec : (int)number;
        if (part.len == value.len) {
            value = TEXT("");
            continue;
        }
        value = text_from(value, part.len + 1);
    }
    return NULL;
}

static const char *set_size(struct conf *cf, struct text value, const char *name, int *slot)
{
    uint64_t size;
    if (number_parse_size(value, &size) < 0 || size == 0 || size > INT32_MAX)
        return conf_error(cf, "invalid %s value \"%.*s\"", name, TEXT_ARG(value));
    *slot = (int)size;
    return NULL;
}

/* What nginx's `listen` has and this one has not: why, or NULL. */
static const char *refuse_option(struct text word)
{
    static const struct {
        const char *name, *why;
    } known[] = {
        {"spdy", "SPDY has become HTTP/2; write \"http2 on;\""},
        {"quic", "sluice speaks HTTP over TCP; let what is in front of it speak HTTP/3"},
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (text_equal(word, text_of(known[i].name)))
            return known[i].why;
    }
    if (text_starts(word, TEXT("setfib=")) || text_starts(word, TEXT("accept_filter=")))
        return "Linux has no such thing; remove it";
    return NULL;
}

static const char *set_number(struct conf *cf, struct text value, const char *name, uint64_t least, int *slot)
{
    uint64_t n;
    if (number_parse(value, &n) < 0 || n < least || n > INT32_MAX)
        return conf_error(cf, "invalid %s \"%.*s\"", name, TEXT_ARG(value));
    *slot = (int)n;
    return NULL;
}

static bool is_on_or_off(struct text value)
{
    return text_equal(value, TEXT("on")) || text_equal(value, TEXT("off"));
}

/* Nothing of an address that is not IPv6. */
static const char *set_ipv6only(struct conf *cf, struct server_listen *l, struct text value)
{
    if (!is_on_or_off(value))
        return conf_error(cf, "invalid ipv6only flags \"%.*s\"", TEXT_ARG(value));
    l->options.ipv6only = value.len == 2;
    return NULL;
}

/* What is no option of the socket. False: another word. */
static bool set_role(struct server_listen *l, struct text word)
{
    if (text_equal(word, TEXT("default_server")) || text_equal(word, TEXT("default")))
        l->is_default = true;
    else if (text_equal(word, TEXT("proxy_protocol")))
        l->proxy_protocol = true;
    else if (text_equal(word, TEXT("ssl")))
        l->tls = true;
    else if (text_equal(word, TEXT("http2")))
        l->http2 = true;
    else
        return false;
    return true;
}

/* In nginx's words, from 1.25.1 on. */
static void warn_http2(struct conf *cf)
{
    conf_warn(cf, "the \"listen ... http2\" directive is deprecated, use the \"http2\" directive instead");
    if (!http2_available())
        conf_warn(cf, "\"http2\" has no effect: this sluice was built without HTTP/2");
}

/* An option without a value. False: another word. */
static bool set_flag(struct conf *cf, struct listen_options *o, struct text word)
{
    if (text_equal(word, TEXT("bind")))
        return true;
    /* A client that offers several paths takes one that is refused the others. */
    if (text_equal(word, TEXT("multipath")))
        conf_warn(cf, "\"multipath\" has no effect: sluice listens for plain TCP, which such clients speak, too");
    else if (text_equal(word, TEXT("reuseport")))
        o->reuseport = true;
    else if (text_equal(word, TEXT("deferred")))
        o->deferred = true;
    else
        return false;
    return true;
}

static const char *set_option(struct conf *cf, struct server_listen *l, struct text word)
{
    struct listen_options *o = &l->options;
    struct text value;

    if (set_role(l, word))
        return l->tls && !tls_available() ? conf_error(cf, "the \"ssl\" parameter needs libssl, which this sluice was "
                                                           "built without")
                                          : NULL;
    l->has_options = true;
    if (set_flag(cf, o, word))
        return NULL;
    if (take_value(word, TEXT("reuseport="), &value) && is_on_or_off(value)) {
        o->reuseport = value.len == 2;
        return NULL;
    }
    if (take_value(word, TEXT("backlog="), &value))
        return set_number(cf, value, "backlog", 1, &o->backlog);
    if (take_value(word, TEXT("fastopen="), &value))
        return set_number(cf, value, "fastopen", 0, &o->fastopen);
    if (take_value(word, TEXT("rcvbuf="), &value))
        return set_size(cf, value, "rcvbuf", &o->rcvbuf);
    if (take_value(word, TEXT("sndbuf="), &value))
        return set_size(cf, value, "sndbuf", &o->sndbuf);
    if (take_value(word, TEXT("so_keepalive="), &value))
        return set_keepalive(cf, value, o);
    if (take_value(word, TEXT("ipv6only="), &value))
        return set_ipv6only(cf, l, value);
    const char *why = refuse_option(word);
    if (why)
        return conf_error(cf, "the \"%.*s\" parameter is not supported: %s", TEXT_ARG(word), why);
    return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(word));
}

static const char *add_listen(struct conf *cf, struct server *server, const struct address *address)
{
    list_each (&server->listens, node, tmp) {
        if (address_equal(&container_of(node, struct server_listen, node)->address, address))
            return conf_error(cf, "a duplicate listen %.*s", TEXT_ARG(cf->args[1]));
    }
    struct server_listen *l = arena_zalloc(cf->arena, sizeof *l);
    if (!l)
        return conf_error(cf, "no memory");
    l->address = *address;
    l->options = default_options;
    if (address->any.sa_family == AF_UNIX)
        l->options.reuseport = false;
    l->file = cf->file;
    l->line = cf->line;
    for (unsigned i = 2; i < cf->count; i++) {
        const char *error = set_option(cf, l, cf->args[i]);
        if (error)
            return error;
    }
    list_append(&server->listens, &l->node);
    return NULL;
}

const char *vhost_set_listen(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    struct address addresses[MOST_ADDRESSES];
    unsigned count;
    const char *what;

    if (address_parse(cf->args[1], DEFAULT_PORT, addresses, MOST_ADDRESSES, &count, &what) < 0)
        return conf_error(cf, "%s in \"%.*s\" of the \"listen\" directive", what, TEXT_ARG(cf->args[1]));
    for (unsigned i = 2; i < cf->count; i++)
        if (text_equal(cf->args[i], TEXT("http2")))
            warn_http2(cf);
    for (unsigned i = 0; i < count; i++) {
        const char *error = add_listen(cf, cf->block->owner, &addresses[i]);
        if (error)
            return error;
    }
    return NULL;
}

const char *vhost_default_listen(struct conf *cf, struct server *server)
{
    struct server_listen *l = arena_zalloc(cf->arena, sizeof *l);
    unsigned count;
    const char *what;

    if (!l)
        return conf_error(cf, "no memory");
    l->options = default_options;
    l->file = server->block->file;
    l->line = server->block->line;
    /* nginx: port 80 with the privileges to bind it, else 8000. */
    struct text where = geteuid() == 0 ? TEXT("*:80") : TEXT("*:8000");
    if (address_parse(where, DEFAULT_PORT, &l->address, 1, &count, &what) < 0)
        return conf_error(cf, "%s", what);
    list_append(&server->listens, &l->node);
    return NULL;
}
