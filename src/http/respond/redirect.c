/* redirect.c - the field Location: made absolute, and put where nginx has it. Called by headers.c.
 * See redirect.h. */
#include "http/respond/redirect.h"

#include "base/number.h"
#include "http/syntax/field.h"
#include "net/address.h"
#include "net/socket.h"

static struct text server_name(struct request *r)
{
    return field_fold(r->server->name, &r->arena);
}

/* Who we are to this client: the server's name, the name it asked for, or the address it came
 * to. */
static struct text own_host(struct request *r)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address a;

    if (r->location->http->server_name_in_redirect)
        return server_name(r);
    if (r->host.len > 0)
        return r->host;
    if (r->carrier->ops->local(r, &a) < 0 || a.any.sa_family == AF_UNIX)
        return server_name(r);
    size_t len = address_format(&a, false, text);
    if (a.any.sa_family == AF_INET6)
        return text_of(arena_printf(&r->arena, "[%s]", text));
    return arena_text(&r->arena, (struct text){text, len});
}

/* "scheme://host[:port]" + path. */
static struct text absolute(struct request *r, struct text path)
{
    const struct http_conf *h = r->location->http;
    const struct scheme *scheme = r->client->scheme;
    struct text host = own_host(r);
    unsigned port = address_port(&r->client->address->address);

    if (!h->absolute_redirect || host.len == 0 || !text_starts(path, TEXT("/")))
        return path;
    char digits[20];
    bool own_port = h->port_in_redirect && port != scheme->port && port != 0;
    const struct text parts[] = {
        scheme->name,
        TEXT("://"),
        host,
        own_port ? TEXT(":") : TEXT_NONE,
        {digits, own_port ? number_format(digits, port) : 0},
        path,
    };
    return arena_join(&r->arena, parts, sizeof parts / sizeof *parts);
}

/* Two slashes at the start would make a host of what is a path: RFC 3986, 4.2. */
static struct text single_slash(struct text path)
{
    while (text_starts(path, TEXT("//")))
        path = text_from(path, 1);
    return path;
}

static void put_first(struct request *r, struct text value)
{
    struct response *o = &r->out;
    struct field_line *f = arena_alloc(&r->arena, sizeof *f);

    if (!f)
        return;
    *f = (struct field_line){o->fields, TEXT("Location"), value};
    if (!o->fields)
        o->fields_end = &f->next;
    o->fields = f;
}

/* As nginx: a path that is made absolute stands in Location's own place; a URL among the added
 * fields, before the others. */
struct text redirect_apply(struct request *r)
{
    struct text location = absolute(r, r->moved_to);

    if (location.at != r->moved_to.at) {
        r->out.location = r->moved_to;
        return location;
    }
    put_first(r, r->moved_by_server ? single_slash(location) : location);
    return TEXT_NONE;
}
