/* content.c - what happens to a response's content on its way out. See content.h; called by serve.c and connection_send.c.
 *
 * nginx does it in filters: gunzip, charset, gzip, chunked, in this order. Here they are decided on first, and become sources
 * around the body's own one (io/filter.h) just before the head is composed. */
#include "http/content.h"

#include "http/charset.h"
#include "http/gzip.h"
#include "http/headers.h"
#include "http/worker.h"

#include <errno.h>

enum {
    LIGHT_SIZE = 32 * 1024, /* of the output of recoding and framing */
    HEAVY_LEAST = 8 * 1024, /* bodies up to this length are compressed where they are: well below a millisecond */
    BUFFER_LEAST = 4 * 1024,
    BUFFER_MOST = 1024 * 1024
};

/* ---- the plan ---- */

static void remove_field(struct response *o, const struct field_line *line)
{
    struct field_line **at = &o->fields;

    while (*at && *at != line)
        at = &(*at)->next;
    if (*at)
        *at = line->next;
    if (o->fields_end == &line->next)
        o->fields_end = at;
}

/* What is sent is made anew each time, and may come out differently: RFC 9110, 8.8.1. */
static void weaken(struct request *r)
{
    struct response *o = &r->out;

    if (o->etag.len == 0 || text_starts(o->etag, TEXT("W/")))
        return;
    char *weak = o->etag.at[0] == '"' ? arena_printf(&r->arena, "W/%.*s", TEXT_ARG(o->etag)) : NULL;
    o->etag = text_of(weak);
}

static void lose_length(struct response *o)
{
    o->unsized = true;
    o->accept_ranges = false;
}

static void plan_gunzip(struct request *r)
{
    struct response *o = &r->out;

    if (!r->location->gzip->gunzip || o->coding != CODING_GZIP || !o->coding_line)
        return;
    o->vary |= r->location->gzip->vary;
    if (gzip_accepted(r))
        return;
    o->plan.gunzip = true;
    remove_field(o, o->coding_line);
    o->coding_line = NULL;
    lose_length(o);
    weaken(r);
}

static void plan_charset(struct request *r)
{
    struct response *o = &r->out;
    const struct recode *table;

    if (!charset_configured(r->location->charset))
        return;
    struct text name = charset_choose(r, &table);
    if (!name.at)
        return;
    if (o->status == 301 || o->status == 302) /* as nginx: browsers took it for that of the next page */
        return;
    char *type = arena_printf(&r->arena, "%.*s; charset=%.*s", TEXT_ARG(o->type), TEXT_ARG(name));
    if (!type)
        return;
    o->bare_type = o->type;
    o->type = text_of(type);
    o->plan.recode = table;
    if (table && recode_resizes(table))
        lose_length(o);
}

static void plan_gzip(struct request *r)
{
    struct response *o = &r->out;
    bool unmodified = o->status == 304;

    if ((o->status != 200 && o->status != 403 && o->status != 404 && !unmodified) || !gzip_suits(r))
        return;
    o->vary |= r->location->gzip->vary; /* also on a 304: RFC 9110, 15.4.5 */
    if (unmodified || !gzip_accepted(r) || !response_add(r, TEXT("Content-Encoding"), TEXT("gzip")))
        return;
    o->plan.gzip = true;
    lose_length(o);
    weaken(r);
}

void content_plan(struct request *r)
{
    struct response *o = &r->out;

    if (o->plan.made)
        return;
    o->plan.made = true;
    if (!o->no_length) {
        plan_gunzip(r);
        plan_charset(r);
        o->plan.trailers = headers_have_trailers(r);
    }
    plan_gzip(r);
}

bool content_is_made(const struct request *r)
{
    const struct content_plan *p = &r->out.plan;
    return p->gunzip || p->gzip || p->recode || p->trailers;
}

/* ---- the sources ---- */

static void on_ready(void *arg)
{
    struct request *r = arg;
    request_resume(r);
}

static size_t buffer_size(const struct conf_bufs *b)
{
    int64_t size = b->number > BUFFER_MOST / b->size ? BUFFER_MOST : b->number * b->size;
    return size < BUFFER_LEAST ? BUFFER_LEAST : (size_t)size;
}

/* Takes over both, also when it fails. */
static int wrap(struct request *r, struct source **s, struct codec *codec, size_t size, bool heavy)
{
    const struct filter_options o = {
        .pool = heavy ? io_pool(r->worker->io, TEXT_NONE) : NULL,
        .out_size = size,
        .ready = on_ready,
        .arg = r,
    };
    struct source *inner = *s;
    *s = NULL;
    return source_open_filter(s, inner, codec, &o);
}

static int add_gunzip(struct request *r, struct source **s, struct codec *codec)
{
    int rc = codec_inflate(&codec);
    return rc < 0 ? rc : wrap(r, s, codec, buffer_size(&r->location->gzip->gunzip_buffers), true);
}

static int add_recode(struct request *r, struct source **s, struct codec *codec)
{
    int rc = codec_recode(&codec, r->out.plan.recode);
    return rc < 0 ? rc : wrap(r, s, codec, LIGHT_SIZE, false);
}

static int add_gzip(struct request *r, struct source **s, struct codec *codec)
{
    const struct response *o = &r->out;
    bool sized = !o->plan.gunzip && !(o->plan.recode && recode_resizes(o->plan.recode));
    int rc = gzip_codec(&codec, r->location->gzip, sized ? o->length : UINT64_MAX);

    if (rc == 0)
        rc = wrap(r, s, codec, buffer_size(&r->location->gzip->buffers), !sized || o->length > HEAVY_LEAST);
    r->out.gzip = rc == 0 ? *s : NULL;
    return rc;
}

static struct text trailers_of(void *arg)
{
    return headers_trailers(arg);
}

static int add_chunks(struct request *r, struct source **s, struct codec *codec)
{
    int rc = codec_chunked(&codec, r->out.plan.trailers ? trailers_of : NULL, r);
    return rc < 0 ? rc : wrap(r, s, codec, LIGHT_SIZE, false);
}

/* Around the body's source, or the bytes that would have been copied. */
static int open_sources(struct request *r)
{
    struct response *o = &r->out;
    const struct content_plan *p = &o->plan;
    struct source *s = o->file.source;
    int rc = s ? 0 : source_open_bytes(&s, o->body);

    if (rc == 0 && p->gunzip)
        rc = add_gunzip(r, &s, NULL);
    if (rc == 0 && p->recode)
        rc = add_recode(r, &s, NULL);
    if (rc == 0 && p->gzip)
        rc = add_gzip(r, &s, NULL);
    if (rc == 0 && o->chunked)
        rc = add_chunks(r, &s, NULL);
    o->body = TEXT("");
    o->file = (struct sink_body){.source = s, .left = o->length};
    if (rc == 0 && (o->unsized || o->chunked)) {
        o->file.left = UINT64_MAX;
        o->file.open_ended = true;
    }
    return rc;
}

/* Neither has content, whatever was configured (RFC 9110, 15.3.5 and 15.4.5). */
static void forget_content(struct request *r)
{
    struct response *o = &r->out;

    o->no_length = true;
    o->body = TEXT("");
    source_close(o->file.source);
    o->file = (struct sink_body){0};
}

static int begin(struct request *r)
{
    struct response *o = &r->out;

    content_plan(r);
    if (!content_is_made(r) || o->no_length)
        return 0;
    bool may_chunk = r->msg.minor >= 1 && r->location->http->chunked_transfer_encoding && !r->head_only;
    o->chunked = may_chunk && (o->unsized || o->plan.trailers);
    if (r->head_only)
        return 0;
    if (o->unsized && !o->chunked)
        r->wants_close = true; /* its end is the connection's */
    return open_sources(r);
}

int content_begin(struct request *r)
{
    if (r->out.status == 204 || r->out.status == 304)
        forget_content(r);
    return r->location->rewrites_content ? begin(r) : 0;
}
