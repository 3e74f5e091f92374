/* head.c - the head of a response as fields of HTTP/2, in the order of HTTP/1's. See session_private.h.
 * RFC 9113, section 8.3.2 */
#include "http/h2/session_private.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/content/content.h"
#include "http/h2/priority.h"
#include "http/handle/file_response.h"
#include "http/respond/headers.h"
#include "http/respond/response.h"
#include "http/syntax/status.h"

#include <errno.h>

enum {
    STATUS_DIGITS = 3,
    OWN_FIELDS = 16,        /* at most, beside those that were added */
    COPIED_MOST = 64 * 1024 /* a body of so many bytes needs no source: it is copied into its frames */
};

/* Texts live until the request ends, which its head does not outlive. Names that are constants are in
 * lower case. */
static void put(nghttp2_nv *nv, size_t *count, struct text name, struct text value)
{
    nv[(*count)++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.at,
        .value = (uint8_t *)(uintptr_t)value.at,
        .namelen = name.len,
        .valuelen = value.len,
        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
    };
}

#define PUT(name, value) put(nv, &n, TEXT(name), value)

static bool has_upper(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] >= 'A' && t.at[i] <= 'Z')
            return true;
    return false;
}

/* Names come as the configuration writes them: nghttp2 copies these, in lower case. */
static void put_lines(nghttp2_nv *nv, size_t *count, const struct field_line *lines)
{
    for (const struct field_line *f = lines; f; f = f->next) {
        put(nv, count, f->name, f->value);
        if (has_upper(f->name))
            nv[*count - 1].flags = NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    }
}

static size_t count_lines(const struct field_line *lines)
{
    size_t n = 0;

    for (; lines; lines = lines->next)
        n++;
    return n;
}

static struct text digits(struct request *r, uint64_t number)
{
    char *at = arena_alloc(&r->arena, 20);

    return at ? (struct text){at, number_format(at, number)} : TEXT_NONE;
}

static struct text status(const struct request *r)
{
    switch (r->out.status) {
    case 200:
        return TEXT("200");
    case 206:
        return TEXT("206");
    case 304:
        return TEXT("304");
    default:
        return (struct text){status_line(r->out.status).at, STATUS_DIGITS};
    }
}

static size_t compose(struct request *r, nghttp2_nv *nv)
{
    const struct response *o = &r->out;
    struct text server = response_server(r), part = response_content_range(r), date;
    size_t n = 0;

    PUT(":status", status(r));
    if (server.len > 0)
        PUT("server", server);
    date = arena_text(&r->arena, (struct text){clock_now.http, CLOCK_HTTP_LEN}); /* the frame is composed later */
    PUT("date", date);
    if (o->type.len > 0 && !o->no_length)
        PUT("content-type", o->type);
    if (!o->no_length && !o->unsized)
        PUT("content-length", digits(r, o->length));
    if (o->last_modified.len > 0)
        PUT("last-modified", o->last_modified);
    if (o->location.len > 0)
        PUT("location", o->location);
    if (r->challenge.len > 0)
        PUT("www-authenticate", r->challenge);
    if (o->vary || o->vary_dictionary)
        PUT("vary", response_vary(o));
    if (o->allow.len > 0)
        PUT("allow", o->allow);
    if (o->etag.len > 0)
        PUT("etag", o->etag);
    put_lines(nv, &n, o->fields);
    if (part.len > 0)
        PUT("content-range", part);
    if (o->accept_ranges)
        PUT("accept-ranges", TEXT("bytes"));
    return n;
}

static bool is_complete(const nghttp2_nv *nv, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!nv[i].value)
            return false;
    return true;
}

int h2_respond(struct h2_stream *st)
{
    struct request *r = st->request;
    struct response *o = &r->out;
    nghttp2_nv own[OWN_FIELDS + 16], *nv = own;

    int rc = content_begin(r);
    if (rc == 0)
        rc = response_open_body(r, COPIED_MOST);
    if (rc < 0)
        return rc;
    size_t added = count_lines(o->fields);
    if (added > sizeof own / sizeof *own - OWN_FIELDS)
        nv = arena_alloc(&r->arena, (OWN_FIELDS + added) * sizeof *nv);
    if (!nv)
        return -ENOMEM;
    size_t n = compose(r, nv);
    st->bodied = !o->no_length && !r->head_only && (o->file.source || o->body.len > 0 || o->plan.trailers);
    if (st->bodied && !st->prioritised && o->length >= BULK_LEAST)
        h2_set_priority(st, &(struct priority){PRIORITY_USUAL, true}); /* several downloads share */
    st->state = H2_STREAM_SENDING;
    st->moved_msec = clock_now.msec;
    return is_complete(nv, n) && h2_submit(st, nv, n) == 0 ? 0 : -ENOMEM;
}

/* Called from inside of nghttp2, once the body has ended. */
int h2_submit_trailers(struct h2_stream *st)
{
    struct request *r = st->request;
    nghttp2_nv *nv;
    size_t n = 0;

    if (!r->out.plan.trailers)
        return 0;
    headers_trailers(r);
    if (!r->out.trailers)
        return 0;
    nv = arena_alloc(&r->arena, count_lines(r->out.trailers) * sizeof *nv);
    if (!nv)
        return -ENOMEM;
    put_lines(nv, &n, r->out.trailers);
    return nghttp2_submit_trailer(st->session->nghttp2, st->id, nv, n) == 0 ? (int)n : -ENOMEM;
}

int h2_submit_continue(struct h2_stream *st)
{
    nghttp2_nv nv[1];
    size_t n = 0;

    PUT(":status", TEXT("100"));
    return nghttp2_submit_headers(st->session->nghttp2, NGHTTP2_FLAG_NONE, st->id, NULL, nv, n, NULL);
}
