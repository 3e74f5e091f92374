/* explain_outcome.c - the outcome of a request, in words: the status, and what would move the
 * bytes, each with its reason. */
#include "file/residency.h"
#include "http/content/gzip.h"
#include "http/explain/explain_private.h"
#include "http/handle/file_response.h"
#include "http/respond/digest.h"
#include "http/syntax/precondition.h"
#include "http/syntax/status.h"

#include <string.h>

/* ---- the status ---- */

static const char *why_refused(int status)
{
    switch (status) {
    case 405:
        return "* is for no resource";
    case 413:
        return "the body is larger than client_max_body_size";
    case 414:
        return "the request line is longer than large_client_header_buffers allow";
    case 431:
        return "the fields are longer than large_client_header_buffers allow, or too many";
    case 497:
        return "plain HTTP on an address that is for TLS (listen ... ssl)";
    case 501:
        return "the method, or the transfer coding, is not known";
    case 505:
        return "the version is not HTTP/1.0 or HTTP/1.1";
    default:
        return "the head is malformed, or its URI leads out of the root";
    }
}

/* Of a client that asked whether what it has is still good. */
static const char *why_not_unchanged(const struct request *r)
{
    const struct message *m = &r->msg;

    if (m->fields[FIELD_IF_NONE_MATCH].at)
        return "the whole file: If-None-Match does not name it as it is now";
    if (!m->fields[FIELD_IF_MODIFIED_SINCE].at)
        return "the whole file";
    switch (r->location->http->if_modified_since) {
    case IF_MODIFIED_SINCE_OFF:
        return "the whole file: if_modified_since off ignores the field";
    case IF_MODIFIED_SINCE_EXACT:
        return "the whole file: If-Modified-Since is not exactly the file's date, as if_modified_since exact requires";
    default:
        return "the whole file: it has changed since If-Modified-Since";
    }
}

static const char *why_whole(const struct request *r)
{
    const struct message *m = &r->msg;

    if (!m->fields[FIELD_RANGE].at)
        return why_not_unchanged(r);
    if (m->method != METHOD_GET)
        return "the whole file: Range counts with GET only";
    if (r->location->http->max_ranges == 0)
        return "the whole file: max_ranges 0 turns ranges off";
    if (m->fields[FIELD_IF_RANGE].at)
        return "the whole file: If-Range does not name it as it is now, or the ranges are not worth it";
    return "the whole file: Range has another unit, or too many ranges";
}

static const char *why_of_file(struct explain *e)
{
    const struct request *r = e->request;
    const struct message *m = &r->msg;
    struct text range = m->fields[FIELD_RANGE];

    if (r->error_status > 0)
        return arena_printf(&e->request->arena, "%s%serror_page says so", e->why ? e->why : "", e->why ? ", and " : "");
    switch (r->out.status) {
    case 200:
        return why_whole(r);
    case 206:
        if (r->out.content_range.at)
            return arena_printf(&e->request->arena, "Range %.*s is inside the file", TEXT_ARG(range));
        return arena_printf(&e->request->arena, "Range %.*s: several parts", TEXT_ARG(range));
    case 304:
        return m->fields[FIELD_IF_NONE_MATCH].at ? "If-None-Match names the file as it is"
                                                 : "the file has not changed since If-Modified-Since";
    default:
        return e->why;
    }
}

/* Behind the star of its Content-Range. */
static struct text file_size(const struct request *r)
{
    size_t slash = text_find(r->unsatisfied, '/');

    return slash < r->unsatisfied.len ? text_from(r->unsatisfied, slash + 1) : TEXT("");
}

static const char *why(struct explain *e)
{
    const struct request *r = e->request;
    const struct message *m = &r->msg;

    if (e->refused)
        return why_refused(r->out.status);
    if (r->file)
        return why_of_file(e);
    if (r->out.status == 416)
        return arena_printf(&e->request->arena, "Range %.*s has none of the file's %.*s bytes, or is malformed",
                            TEXT_ARG(m->fields[FIELD_RANGE]), TEXT_ARG(file_size(r)));
    if (r->out.status == 412)
        return m->fields[FIELD_IF_MATCH].at ? "If-Match does not name the file as it is"
                                            : "the file has changed since If-Unmodified-Since";
    return e->why;
}

static void say_status(struct explain *e)
{
    const struct request *r = e->request;
    const char *reason = why(e);

    if (r->silent) {
        explain_say(e, "status", "none: status %d closes the connection without a response", r->out.status);
        return;
    }
    struct text line = status_line(r->out.status);
    explain_say(e, "status", "%.*s%s%s", TEXT_ARG(line), reason ? ": " : "", reason ? reason : "");
}

/* ---- what it is known by ---- */

static void say_tag(struct explain *e)
{
    struct request *r = e->request;
    bool of_file = r->file && (r->out.of_file || r->out.status == 304);

    /* nginx's own needs no words. */
    if (!of_file || r->silent || r->out.etag.len == 0 ||
        (r->location->http->etag != ETAG_CONTENT && r->location->http->etag_parts == 0))
        return;
    explain_say(e, "tag", "%.*s: %s", TEXT_ARG(r->out.etag),
                r->out.addressed ? "the digest that it was asked for by" : digest_explain(r));
}

/* ---- what becomes of the content ---- */

/* By the first coding that is on: the others are on under the same conditions, as a rule. */
static const char *why_not_encoded(struct request *r, enum coding c)
{
    const struct encoding_conf *conf = &r->location->gzip->encodings[c];
    const struct response *o = &r->out;
    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);
    const char *name = c == CODING_BR ? "brotli" : c == CODING_ZSTD ? "zstd" : "gzip";

    if (o->coding_line)
        return "it is compressed already";
    if (o->status != 200 && o->status != 206 && o->status != 403 && o->status != 404)
        return "only 200, 403 and 404 are";
    if (!o->unsized && o->length < (uint64_t)conf->min_length)
        return arena_printf(&r->arena, "it is shorter than %s_min_length", name);
    if (!(gzip_suits(r) & 1u << c))
        return arena_printf(&r->arena, "%s_types does not have its type", name);
    if (!accept_encoding_takes(&accept, c))
        return "Accept-Encoding does not ask for it";
    return "gzip_http_version, gzip_proxied or gzip_disable say no";
}

/* The best of those that are on; CODING_NONE: none is. */
static enum coding first_encoding(const struct gzip_conf *conf)
{
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (conf->encodings[c].on)
            return c;
    return CODING_NONE;
}

static void say_content(struct explain *e)
{
    struct request *r = e->request;
    const struct content_plan *p = &r->out.plan;
    enum coding first = first_encoding(r->location->gzip);
    struct text decoded = coding_name(p->decoded), encoded = coding_name(p->encoded);
    const char *why = first && !p->encoded ? why_not_encoded(r, first) : NULL;

    if (!r->location->rewrites_content || r->out.no_length || r->silent)
        return;
    if (p->decoded)
        explain_say(e, "content", "unpacked, as gunzip says: the client does not accept %.*s", TEXT_ARG(decoded));
    if (p->recode)
        explain_say(e, "content", "recoded to the charset that its type names, by charset_map");
    if (p->encoded)
        explain_say(e, "content", "compressed by %.*s: the client accepts it; there are no ranges of that",
                    TEXT_ARG(encoded));
    else if (why)
        explain_say(e, "content", "not compressed: %s", why);
    if (e->reply.chunked)
        explain_say(e, NULL, "sent in chunks: %s",
                    r->out.unsized ? "its length is not known in advance" : "it has trailers");
    else if (r->out.unsized && !r->head_only)
        explain_say(e, NULL, "its end is the connection's: its length is not known in advance");
}

/* ---- the bytes ---- */

/* As the configuration writes it: 8m. */
static const char *size_text(struct request *r, int64_t bytes)
{
    static const char units[] = "\0kmg";
    unsigned unit = 0;

    for (; unit < 3 && bytes >= 1024 && bytes % 1024 == 0; unit++)
        bytes /= 1024;
    const char *text = arena_printf(&r->arena, "%lld%.1s", (long long)bytes, unit ? &units[unit] : "");
    return text ? text : "";
}

static const char *why_no_file(const struct request *r)
{
    if (r->silent)
        return "nothing is sent";
    if (r->head_only)
        return "HEAD: the head alone is sent";
    if (r->out.no_length)
        return "this status has no body";
    if (r->file)
        return "the file is empty";
    return r->out.length > 0 ? "the body is made in memory, no file is read" : "there is no body";
}

static void say_residency(struct explain *e, const struct file *f)
{
    enum { LOOKED_AT = 256 * 1024 * 1024 };
    const struct request *r = e->request;
    size_t some = f->size < LOOKED_AT ? (size_t)f->size : LOOKED_AT;
    ssize_t told = residency(f, 0, some);
    size_t resident = told > 0 ? (size_t)told : 0;

    if (told < 0)
        explain_say(e, NULL, "the kernel does not tell how much of it is in the page cache%s",
                    r->location->io->aio.mode == AIO_OFF ? "" : ": a thread reads it first");
    else if (resident == (size_t)f->size)
        explain_say(e, NULL, "all of it is in the page cache now");
    else if (resident == some)
        explain_say(e, NULL, "its first %zu bytes are in the page cache now", resident);
    else if (r->location->io->aio.mode == AIO_OFF)
        explain_say(e, NULL,
                    "%zu bytes from its start on are in the page cache now; aio off: the rest holds up the worker",
                    resident);
    else
        explain_say(e, NULL, "%zu bytes from its start on are in the page cache now; a thread reads the rest first",
                    resident);
}

static void say_windows(struct explain *e, const struct file *f)
{
    struct request *r = e->request;
    const struct io_conf *io = r->location->io;
    const struct conf_bufs *bufs = &io->output_buffers;

    explain_say(e, NULL, "read by %s, ahead of the client, into at most %lld buffers of %s, aligned to %u bytes",
                disk_name(io_disk(e->worker.io, &io->aio)), (long long)bufs->number, size_text(r, bufs->size),
                f->align_offset);
}

/* This request is counted as the server would: what is told is what the next one would get. */
static void say_demand(struct explain *e, const struct policy_facts *facts)
{
    if (facts->resident_permille < 0)
        explain_say(e, NULL, "how much of it is in the page cache, the kernel tells only the owner of the file");
    else
        explain_say(e, NULL, "%d.%d %% of it is in the page cache", facts->resident_permille / 10,
                    facts->resident_permille % 10);
    explain_say(e, NULL, "asked for %u.%u times lately, this time included: %s", facts->demand / 1000,
                facts->demand / 100 % 10, e->options->admission_why);
}

/* This request is the first one: what the server does when more come. */
static void say_small(struct explain *e)
{
    struct request *r = e->request;
    const struct file_conf *conf = r->location->file;

    if (!conf->cache && r->file->size > 0 && r->file->size <= policy_content_most(r->location->io, conf->small.most))
        explain_say(e, NULL,
                    "small_file_cache %s: when it is asked for again and again, it comes from memory, as long as a "
                    "look at its path finds the same file",
                    size_text(r, conf->small.most));
}

static void say_bytes(struct explain *e)
{
    struct request *r = e->request;
    const struct source *s = r->out.file.source;
    enum io_method method = s ? s->method : r->out.method;

    if (method == IO_NONE || !r->file) {
        explain_say(e, "bytes", "%s: %s", io_method_name(method), why_no_file(r));
        return;
    }
    struct policy_facts facts = file_response_facts(r);
    const struct io_conf *io = r->location->io;
    explain_say(e, "bytes", "%s: %s", io_method_name(method), policy_reason(&facts));
    if (policy_choose(&facts) == IO_DIRECT && method != IO_DIRECT)
        explain_say(e, NULL, "but this file cannot be opened with O_DIRECT");
    if (io->method == IO_AUTO)
        explain_say(e, NULL, "%lld bytes; directio %s%s, sendfile %s", (long long)facts.file_size,
                    io->directio_auto ? "auto=" : "", io->directio < 0 ? "off" : size_text(r, io->directio),
                    io->sendfile ? "on" : "off");
    say_small(e);
    if (r->client->scheme == &scheme_https)
        explain_say(e, NULL, "TLS encrypts what is in memory: no sendfile");
    else if (e->is_http2)
        explain_say(e, NULL, "HTTP/2 puts frames around what is in memory: no sendfile");
    if (policy_asks_demand(io, facts.file_size))
        say_demand(e, &facts);
    if (method == IO_DIRECT)
        say_windows(e, r->file);
    else if (method != IO_MEMORY)
        say_residency(e, r->file);
    if (e->read_error < 0)
        explain_say(e, NULL, "but reading it fails: %s", strerror(-e->read_error));
}

void explain_outcome(struct explain *e)
{
    say_status(e);
    say_tag(e);
    say_content(e);
    say_bytes(e);
}
