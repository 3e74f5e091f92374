/* head.c - composes the response head from parts that are already text. See head.h. */
#include "http/h1/head.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/respond/response.h"
#include "http/syntax/status.h"

#include <stdio.h>

/* Fixed texts, Date, numbers: everything that is not of variable length. */
enum { FIXED_BOUND = 512 };

static char *put(char *to, struct text t)
{
    memcpy(to, t.at, t.len);
    return to + t.len;
}

#define PUT(to, literal) put(to, TEXT(literal))

static char *put_field(char *to, struct text name, struct text value)
{
    to = put(to, name);
    if (value.len > 0)
        to = put(to, value);
    return PUT(to, "\r\n");
}

size_t head_bound(struct request *r)
{
    const struct response *o = &r->out;
    size_t bound = FIXED_BOUND + o->type.len + o->last_modified.len + o->location.len + o->etag.len + o->allow.len +
                   o->content_range.len + r->unsatisfied.len + r->challenge.len + response_server(r).len;
    for (const struct field_line *f = o->fields; f; f = f->next)
        bound += f->name.len + f->value.len + 4;
    return bound;
}

static char *put_status(char *to, int status)
{
    to = PUT(to, "HTTP/1.1 ");
    return put(to, status_line(status));
}

static char *put_connection(char *to, const struct request *r, bool close)
{
    if (close)
        return PUT(to, "Connection: close\r\n");
    to = PUT(to, "Connection: keep-alive\r\n");
    int64_t sec = r->location ? r->location->http->keepalive_timeout.header_sec : 0;
    if (sec > 0) {
        to = PUT(to, "Keep-Alive: timeout=");
        to += number_format(to, (uint64_t)sec);
        to = PUT(to, "\r\n");
    }
    return to;
}

size_t head_compose(struct request *r, const struct reply *y, char *to)
{
    const struct response *o = &r->out;
    char *from = to;

    to = put_status(to, o->status);
    struct text server = response_server(r);
    if (server.len > 0) {
        to = PUT(to, "\r\nServer: ");
        to = put(to, server);
    }
    to = PUT(to, "\r\nDate: ");
    to = put(to, (struct text){clock_now.http, CLOCK_HTTP_LEN});
    to = PUT(to, "\r\n");
    if (o->type.len > 0 && !o->no_length)
        to = put_field(to, TEXT("Content-Type: "), o->type);
    if (!o->no_length && !o->unsized && !y->chunked) {
        to = PUT(to, "Content-Length: ");
        to += number_format(to, o->length);
        to = PUT(to, "\r\n");
    }
    if (o->last_modified.len > 0)
        to = put_field(to, TEXT("Last-Modified: "), o->last_modified);
    if (o->location.len > 0)
        to = put_field(to, TEXT("Location: "), o->location);
    if (y->chunked)
        to = PUT(to, "Transfer-Encoding: chunked\r\n");
    to = put_connection(to, r, y->close);
    if (r->challenge.len > 0)
        to = put_field(to, TEXT("WWW-Authenticate: "), r->challenge);
    if (o->vary || o->vary_dictionary)
        to = put_field(to, TEXT("Vary: "), response_vary(o));
    if (o->allow.len > 0)
        to = put_field(to, TEXT("Allow: "), o->allow);
    if (o->etag.len > 0)
        to = put_field(to, TEXT("ETag: "), o->etag);
    for (const struct field_line *f = o->fields; f; f = f->next) {
        to = put(to, f->name);
        to = put_field(to, TEXT(": "), f->value);
    }
    struct text part = response_content_range(r);
    if (part.len > 0)
        to = put_field(to, TEXT("Content-Range: "), part);
    if (o->accept_ranges)
        to = PUT(to, "Accept-Ranges: bytes\r\n");
    to = PUT(to, "\r\n");
    return (size_t)(to - from);
}

static struct text keep_alive_text(struct request *r, const struct reply *y)
{
    int64_t sec = r->location ? r->location->http->keepalive_timeout.header_sec : 0;

    return y->close || sec <= 0 ? TEXT_NONE : text_of(arena_printf(&r->arena, "timeout=%lld", (long long)sec));
}

struct text head_field(struct request *r, const struct reply *y, struct text name)
{
    if (text_equal(name, TEXT("connection")))
        return y->close ? TEXT("close") : TEXT("keep-alive");
    if (text_equal(name, TEXT("keep_alive")))
        return keep_alive_text(r, y);
    if (text_equal(name, TEXT("transfer_encoding")))
        return y->chunked ? TEXT("chunked") : TEXT_NONE;
    return TEXT_NONE;
}
