/* head.c - composes the response head from parts that are already text. See head.h. */
#include "http/head.h"

#include "base/clock.h"
#include "base/number.h"
#include "base/version.h"
#include "http/status.h"
#include "http/variable.h"
#include "http/variable_text.h"

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

struct text head_server(struct request *r)
{
    const struct server_tokens *tokens = r->location ? &r->location->http->server_tokens : NULL;

    if (!tokens || tokens->kind == TOKENS_ON || tokens->kind == TOKENS_BUILD)
        return TEXT("sluice/" SLUICE_VERSION);
    if (tokens->kind == TOKENS_OFF)
        return TEXT("sluice");
    if (!r->out.server.at) /* once: it is measured, then written */
        r->out.server = template_field(tokens->text, r);
    return r->out.server;
}

/* Of a 416, also where another page stands in for it. */
static struct text content_range(const struct request *r)
{
    return r->out.status == 416 ? r->unsatisfied : r->out.content_range;
}

size_t head_bound(struct request *r)
{
    const struct response *o = &r->out;
    size_t bound = FIXED_BOUND + o->type.len + o->last_modified.len + o->location.len + o->etag.len + o->allow.len +
                   o->content_range.len + r->unsatisfied.len + r->challenge.len + head_server(r).len;
    for (const struct field_line *f = o->fields; f; f = f->next)
        bound += f->name.len + f->value.len + 4;
    return bound;
}

static char *put_status(char *to, int status)
{
    to = PUT(to, "HTTP/1.1 ");
    return put(to, status_line(status));
}

static char *put_connection(char *to, const struct request *r)
{
    if (r->wants_close)
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

size_t head_compose(struct request *r, char *to)
{
    const struct response *o = &r->out;
    char *from = to;

    to = put_status(to, o->status);
    struct text server = head_server(r);
    if (server.len > 0) {
        to = PUT(to, "\r\nServer: ");
        to = put(to, server);
    }
    to = PUT(to, "\r\nDate: ");
    to = put(to, (struct text){clock_now.http, CLOCK_HTTP_LEN});
    to = PUT(to, "\r\n");
    if (o->type.len > 0 && !o->no_length)
        to = put_field(to, TEXT("Content-Type: "), o->type);
    if (!o->no_length && !o->unsized && !o->chunked) {
        to = PUT(to, "Content-Length: ");
        to += number_format(to, o->length);
        to = PUT(to, "\r\n");
    }
    if (o->last_modified.len > 0)
        to = put_field(to, TEXT("Last-Modified: "), o->last_modified);
    if (o->location.len > 0)
        to = put_field(to, TEXT("Location: "), o->location);
    if (o->chunked)
        to = PUT(to, "Transfer-Encoding: chunked\r\n");
    to = put_connection(to, r);
    if (r->challenge.len > 0)
        to = put_field(to, TEXT("WWW-Authenticate: "), r->challenge);
    if (o->vary)
        to = PUT(to, "Vary: Accept-Encoding\r\n");
    if (o->allow.len > 0)
        to = put_field(to, TEXT("Allow: "), o->allow);
    if (o->etag.len > 0)
        to = put_field(to, TEXT("ETag: "), o->etag);
    for (const struct field_line *f = o->fields; f; f = f->next) {
        to = put(to, f->name);
        to = put_field(to, TEXT(": "), f->value);
    }
    struct text part = content_range(r);
    if (part.len > 0)
        to = put_field(to, TEXT("Content-Range: "), part);
    if (o->accept_ranges)
        to = PUT(to, "Accept-Ranges: bytes\r\n");
    to = PUT(to, "\r\n");
    return (size_t)(to - from);
}

static struct text length_text(struct request *r)
{
    char *digits = arena_alloc(&r->arena, 20);
    if (!digits || r->out.no_length || r->out.unsized || r->out.chunked)
        return TEXT_NONE;
    return (struct text){digits, number_format(digits, r->out.length)};
}

static struct text keep_alive_text(struct request *r)
{
    int64_t sec = r->location ? r->location->http->keepalive_timeout.header_sec : 0;

    return r->wants_close || sec <= 0 ? TEXT_NONE : text_of(arena_printf(&r->arena, "timeout=%lld", (long long)sec));
}

/* The value of a field that has a place of its own in the head; absent: it is not sent. */
static struct text own_field(struct request *r, struct text name)
{
    const struct response *o = &r->out;

    if (text_equal(name, TEXT("content_length")))
        return length_text(r);
    if (text_equal(name, TEXT("connection")))
        return r->wants_close ? TEXT("close") : TEXT("keep-alive");
    if (text_equal(name, TEXT("keep_alive")))
        return keep_alive_text(r);
    if (text_equal(name, TEXT("date")))
        return (struct text){clock_now.http, CLOCK_HTTP_LEN};
    if (text_equal(name, TEXT("server")))
        return head_server(r);

    const struct {
        struct text name, value;
    } known[] = {
        {TEXT("content_type"),
         o->type}, /* also where none is sent (304): what is decided by it (expires) stays the same */
        {TEXT("last_modified"), o->last_modified},
        {TEXT("location"), o->location},
        {TEXT("etag"), o->etag},
        {TEXT("www_authenticate"), r->challenge},
        {TEXT("vary"), o->vary ? TEXT("Accept-Encoding") : TEXT_NONE},
        {TEXT("allow"), o->allow},
        {TEXT("content_range"), content_range(r)},
        {TEXT("transfer_encoding"), o->chunked ? TEXT("chunked") : TEXT_NONE},
        {TEXT("accept_ranges"), o->accept_ranges ? TEXT("bytes") : TEXT_NONE},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal(known[i].name, name))
            return known[i].value.len > 0 ? known[i].value : TEXT_NONE;
    return TEXT_NONE;
}

/* By the name that $sent_http_ uses, joined by commas; absent: not sent. */
static struct text field_values(struct request *r, struct text name)
{
    struct text all = own_field(r, name);

    for (const struct field_line *f = r->out.fields; f; f = f->next)
        if (variable_names_field(name, f->name))
            variable_join(r, ", ", f->value, &all);
    return all;
}

static void get_sent_http(struct request *r, const void *data, struct text *out)
{
    *out = field_values(r, *(const struct text *)data);
}

/* What add_trailer made, once it has. */
static void get_sent_trailer(struct request *r, const void *data, struct text *out)
{
    *out = TEXT_NONE;
    for (const struct field_line *f = r->out.trailers; f; f = f->next)
        if (variable_names_field(*(const struct text *)data, f->name))
            variable_join(r, ", ", f->value, out);
}

const struct variable_row head_variables[] = {
    {"sent_http_", .get = get_sent_http, .flags = VARIABLE_FAMILY},
    {"sent_http_cache_control", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_connection", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_content_length", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_content_type", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_keep_alive", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_last_modified", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_link", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_location", .flags = VARIABLE_OF_FAMILY},
    {"sent_http_transfer_encoding", .flags = VARIABLE_OF_FAMILY},
    {"sent_trailer_", .get = get_sent_trailer, .flags = VARIABLE_FAMILY},
    {.name = NULL},
};
