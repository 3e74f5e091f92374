/* content.c - content that is changed before it is sent. See content.h; called by file_response.c
 * and reply.c.
 *
 * nginx does it in filters: gunzip, charset, gzip, in this order. Here they are decided on first,
 * and become sources around the body's own one (io/filter.h) just before the head is composed. */
#include "http/content/content.h"

#include "http/content/charset.h"
#include "http/content/content_cache.h"
#include "http/content/gzip.h"
#include "http/respond/headers.h"
#include "http/respond/response.h"
#include "http/respond/validators.h"
#include "http/worker/worker.h"

#include <errno.h>

enum { BUFFER_LEAST = 4 * 1024, BUFFER_MOST = 1024 * 1024 };

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

static void lose_length(struct response *o)
{
    o->unsized = true;
    o->accept_ranges = false;
}

static bool can_decode(enum coding c)
{
    const bool can[CODINGS] = {
        [CODING_BR] = codec_has_brotli, [CODING_ZSTD] = codec_has_zstd, [CODING_GZIP] = codec_has_zlib};
    return can[c];
}

/* gzip_vary says it for gzip, as nginx has it; for the others it is always said, as with side
 * files. */
static bool decoding_varies(const struct request *r)
{
    return r->out.coding != CODING_GZIP || r->location->gzip->vary;
}

/* Brotli and Zstandard are newer than what gzip_http_version and gzip_disable are about. */
static bool takes_side_file(struct request *r)
{
    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);

    return r->out.coding == CODING_GZIP ? gzip_accepted(r) : accept_encoding_takes(&accept, r->out.coding);
}

static void plan_decoding(struct request *r)
{
    static const char *const marks[CODINGS] = {
        [CODING_BR] = "-unbrotli", [CODING_ZSTD] = "-unzstd", [CODING_GZIP] = "-gunzip"};
    struct response *o = &r->out;

    if (!r->location->gzip->gunzip || !can_decode(o->coding))
        return;
    o->vary |= decoding_varies(r);
    if (takes_side_file(r))
        return;
    o->plan.decoded = o->coding;
    if (o->coding_line)
        remove_field(o, o->coding_line);
    o->coding_line = NULL;
    lose_length(o);
    o->etag = validators_mark(r, o->etag, marks[o->coding], true);
}

/* Where a variable says which charset it is, each one makes another representation. */
static struct text charset_tag(struct request *r, struct text tag, struct text name, const struct recode *table)
{
    const struct charset_conf *conf = r->location->charset;

    if (!table || (!conf->charset.variable && !conf->source.variable))
        return tag;
    char *mark = text_find(name, '"') == name.len ? arena_printf(&r->arena, "-%.*s", TEXT_ARG(name)) : NULL;
    return mark ? validators_mark(r, tag, mark, false) : TEXT_NONE;
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
    o->etag = charset_tag(r, o->etag, name, table);
    if (table && recode_resizes(table))
        lose_length(o);
}

static bool may_encode(const struct request *r)
{
    int status = r->out.status;

    return status == 200 || status == 403 || status == 404 || status == 304;
}

static void plan_encoding(struct request *r)
{
    static const char *const marks[CODINGS] = {
        [CODING_BR] = "-brotli", [CODING_ZSTD] = "-zstd", [CODING_GZIP] = "-gzip"};
    struct response *o = &r->out;
    unsigned codings = may_encode(r) ? gzip_suits(r) : 0;

    if (!codings)
        return;
    o->vary |= r->location->gzip->vary;
    enum coding c = gzip_choose(r, codings);
    if (!c)
        return;
    if (o->status != 304 && !response_add(r, TEXT("Content-Encoding"), coding_name(c)))
        return;
    o->plan.encoded = c;
    lose_length(o);
    o->etag = validators_mark(r, o->etag, marks[c], true);
}

/* A 304 has the fields of its 200 (RFC 9110, 15.4.5): the same is planned, and nothing of it
 * done. */
void content_plan(struct request *r)
{
    struct response *o = &r->out;

    if (o->plan.made)
        return;
    o->plan.made = true;
    if (!o->no_length || o->status == 304) {
        plan_decoding(r);
        plan_charset(r);
    }
    if (!o->no_length)
        o->plan.trailers = headers_have_trailers(r);
    plan_encoding(r);
}

struct text content_tag(struct request *r)
{
    struct response *o = &r->out, before = *o;

    content_plan(r);
    struct text tag = o->etag;
    *o = before;
    *o->fields_end = NULL;
    return tag;
}

bool content_is_made(const struct request *r)
{
    const struct content_plan *p = &r->out.plan;
    return p->decoded || p->encoded || p->recode || p->trailers;
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
int content_wrap(struct request *r, struct source **s, struct codec *codec, size_t size, bool heavy)
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

/* Around *s, as content_wrap(). `keeps`: what comes of it, the last codec of the plan, is kept for
 * the next client. */
static int add(struct request *r, struct source **s, struct codec *codec, size_t size, bool heavy, bool keeps)
{
    if (keeps)
        content_cache_record(r, &codec);
    return content_wrap(r, s, codec, size, heavy);
}

static int decoder_of(struct codec **out, enum coding c, struct codec_spares *spares)
{
    return c == CODING_BR     ? codec_unbrotli(out, spares)
           : c == CODING_ZSTD ? codec_unzstd(out, spares)
                              : codec_inflate_kept(out, spares);
}

/* A short file is unpacked in the loop, as much at once as its buffer takes: 128 KiB, the default,
 * are a third of a millisecond. */
static int add_decoder(struct request *r, struct source **s, bool keeps)
{
    enum { SHORT = 8 * 1024, BUFFER_LIGHT = 128 * 1024 };
    size_t size = buffer_size(&r->location->gzip->gunzip_buffers);
    bool heavy = r->out.length > SHORT || size > BUFFER_LIGHT;
    struct codec *codec;
    int rc = decoder_of(&codec, r->out.plan.decoded, io_codec_spares(r->worker->io));

    return rc < 0 ? rc : add(r, s, codec, size, heavy, keeps);
}

static int add_recode(struct request *r, struct source **s, bool keeps)
{
    struct codec *codec;
    int rc = codec_recode(&codec, r->out.plan.recode);

    return rc < 0 ? rc : add(r, s, codec, CONTENT_LIGHT, false, keeps);
}

/* Bodies up to this length are compressed in the loop, at once: the longest for which the library
 * took well below a millisecond whatever the bytes were (random letters of two kinds are the worst;
 * with zlib they take ten times as long as a page at level 6, a hundred times at 9). A trip to a
 * thread costs more than the compression of a few KiB. */
static uint64_t light_most(enum coding c, int64_t level)
{
    static const struct {
        int most;        /* above this level, none is */
        uint8_t kib[16]; /* by the level; below 0 as at 0 */
    } light[CODINGS] = {
        [CODING_BR] = {9, {32, 32, 32, 32, 32, 16, 8, 6, 3, 3}},
        [CODING_ZSTD] = {15, {32, 32, 32, 32, 32, 32, 32, 8, 4, 4, 4, 4, 3, 2, 2, 1}},
        [CODING_GZIP] = {9, {32, 32, 32, 32, 32, 20, 8, 6, 3, 3}},
    };

    if (level > light[c].most)
        return 0;
    return (uint64_t)light[c].kib[level > 0 ? level : 0] * 1024;
}

/* What a body of `length` bytes may come to: more than that is never used. */
static size_t encoded_size(const struct gzip_conf *conf, uint64_t length)
{
    enum { AROUND = 256 /* head and end of the format, and what a step leaves free */ };
    size_t most = buffer_size(&conf->buffers);
    uint64_t bound = length + length / 32 + AROUND;

    return length < most && bound < most ? (size_t)bound : most;
}

static int add_encoder(struct request *r, struct source **s, bool keeps)
{
    const struct response *o = &r->out;
    const struct gzip_conf *conf = r->location->gzip;
    bool sized = !o->plan.decoded && !(o->plan.recode && recode_resizes(o->plan.recode));
    uint64_t length = sized ? o->length : UINT64_MAX;
    struct codec *codec;
    int rc = gzip_codec(&codec, conf, o->plan.encoded, length, io_codec_spares(r->worker->io));

    if (rc == 0)
        rc = add(r, s, codec, encoded_size(conf, length),
                 length > light_most(o->plan.encoded, conf->encodings[o->plan.encoded].level), keeps);
    r->out.encoder = rc == 0 ? *s : NULL;
    return rc;
}

/* In the order of nginx's filters. The last one is what may be kept. */
static int add_codecs(struct request *r, struct source **s, bool keeps)
{
    const struct content_plan *p = &r->out.plan;
    int rc = 0;

    if (p->decoded)
        rc = add_decoder(r, s, keeps && !p->recode && !p->encoded);
    if (rc == 0 && p->recode)
        rc = add_recode(r, s, keeps && !p->encoded);
    if (rc == 0 && p->encoded)
        rc = add_encoder(r, s, keeps);
    return rc;
}

/* In place of the file's source: what was made of it before. */
static bool use_kept(struct request *r, struct source **s)
{
    struct source *kept = content_cache_find(r);

    if (!kept)
        return false;
    source_close(*s);
    *s = kept;
    r->out.encoder = r->out.plan.encoded ? kept : NULL;
    r->out.method = IO_MEMORY;
    return true;
}

/* Around the body's source, or the bytes that would have been copied. */
static int open_sources(struct request *r)
{
    struct response *o = &r->out;
    bool keeps = content_cache_suits(r);
    struct source *s = o->file.source;
    int rc = s ? 0 : source_open_bytes(&s, o->body);

    if (rc == 0 && !(keeps && use_kept(r, &s)))
        rc = add_codecs(r, &s, keeps);
    o->body = TEXT("");
    o->file = (struct sink_body){.source = s, .left = o->length};
    if (rc == 0 && o->unsized) {
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
    return content_is_made(r) && !o->no_length && !r->head_only ? open_sources(r) : 0;
}

int content_begin(struct request *r)
{
    if (r->out.status == 204 || r->out.status == 304)
        forget_content(r);
    return r->location->rewrites_content ? begin(r) : 0;
}
