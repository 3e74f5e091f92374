/* file_response.c - conditionals, then ranges, then where the bytes come from. See file_response.h.
 * RFC 9110, sections 13 and 14. */
#include "http/handle/file_response.h"

#include "base/number.h"
#include "file/residency.h"
#include "http/content/content.h"
#include "http/content/gzip.h"
#include "http/limit/limit_rate.h"
#include "http/respond/headers.h"
#include "http/respond/respond.h"
#include "http/respond/response.h"
#include "http/respond/validators.h"
#include "http/syntax/precondition.h"
#include "http/syntax/range.h"
#include "http/worker/worker.h"

#include <errno.h>

static void on_source_ready(void *arg)
{
    struct request *r = arg;
    request_resume(r);
}

struct policy_facts file_response_facts(const struct request *r)
{
    const struct file *f = r->file;
    struct io *io = r->worker->io;
    struct policy_facts facts = {
        .file_size = f->size,
        .bytes = (uint64_t)(r->out.to - r->out.from),
        /* Locations that share a cache may differ in what is to come from memory. */
        .content_in_memory = f->content && f->size <= file_content_most(r->location->file),
        .sink_takes_files = r->carrier->takes_files && !content_is_made(r),
        .direct_refused = io_direct_refused(io, f->dev),
        .conf = r->location->io,
    };
    if (policy_asks_demand(facts.conf, f->size)) {
        facts.resident_permille = residency_permille(f, r->out.from, (uint64_t)(r->out.to - r->out.from));
        io_known_demand(io, f, &facts);
    }
    return facts;
}

/* For `bytes` of the ranges, which have their beginning and end in [from, to). */
static struct policy_facts choose_facts(struct request *r, struct range around, uint64_t bytes)
{
    r->out.from = around.start;
    r->out.to = around.end;
    if (policy_asks_demand(r->location->io, r->file->size))
        io_ask(r->worker->io, r->file, bytes);
    return file_response_facts(r);
}

static int open_slice(struct request *r, const struct policy_facts *facts, struct range range, struct source **out)
{
    if (rate_is_asked(r))
        rate_begin(r);
    struct policy_facts here = *facts;
    here.bytes = (uint64_t)(range.end - range.start);
    struct source_request want = {
        .io = r->worker->io,
        .conf = r->location->io,
        .file = r->file,
        .offset = range.start,
        .len = here.bytes,
        .sole = r->file->refs == 1,
        .admitted = policy_admits(facts),
        .rate = rate_of(r),
        .ready = on_source_ready,
        .arg = r,
    };
    return source_open(out, policy_choose(&here), &want);
}

/* The one range of a file as the body. */
static int open_body(struct request *r, struct range range)
{
    struct response *o = &r->out;
    uint64_t len = (uint64_t)(range.end - range.start);

    o->length = len;
    o->method = IO_NONE;
    if (len == 0 || r->head_only)
        return 0;
    struct policy_facts facts = choose_facts(r, range, len);
    o->method = policy_choose(&facts);
    if (o->method == IO_MEMORY && r->file->content) {
        o->body = (struct text){r->file->content + range.start, (size_t)len};
        return 0;
    }
    o->file.left = len;
    return open_slice(r, &facts, range, &o->file.source);
}

/* ---- multipart/byteranges: RFC 9110, 14.6 ---- */

static struct text part_head(struct request *r, const char *boundary, const char *type, int type_len,
                             struct range range)
{
    return text_of(arena_printf(&r->arena, "\r\n--%s\r\n%s%.*s%sContent-Range: bytes %lld-%lld/%lld\r\n\r\n", boundary,
                                type_len > 0 ? "Content-Type: " : "", type_len, type, type_len > 0 ? "\r\n" : "",
                                (long long)range.start, (long long)range.end - 1, (long long)r->file->size));
}

static void close_parts(struct source **parts, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        source_close(parts[i]);
}

static struct policy_facts facts_of_parts(struct request *r, const struct range *ranges, unsigned count)
{
    struct range around = ranges[0];
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++) {
        around.start = ranges[i].start < around.start ? ranges[i].start : around.start;
        around.end = ranges[i].end > around.end ? ranges[i].end : around.end;
        bytes += (uint64_t)(ranges[i].end - ranges[i].start);
    }
    return choose_facts(r, around, bytes);
}

static int open_parts(struct request *r, const struct range *ranges, unsigned count, const char *boundary)
{
    struct response *o = &r->out;
    struct policy_facts facts = facts_of_parts(r, ranges, count);
    struct source **parts = arena_zalloc(&r->arena, (2 * (size_t)count + 1) * sizeof *parts);
    struct text type = o->type, end = text_of(arena_printf(&r->arena, "\r\n--%s--\r\n", boundary));
    unsigned opened = 0;
    int rc = parts && end.at ? 0 : -ENOMEM;

    o->length = end.len;
    for (unsigned i = 0; i < count && rc == 0; i++) {
        struct text head = part_head(r, boundary, type.at, (int)type.len, ranges[i]);
        o->length += head.len + (uint64_t)(ranges[i].end - ranges[i].start);
        rc = head.at ? source_open_bytes(&parts[opened], head) : -ENOMEM;
        opened += rc == 0;
        if (rc == 0)
            rc = open_slice(r, &facts, ranges[i], &parts[opened]);
        opened += rc == 0;
    }
    if (rc == 0) {
        rc = source_open_bytes(&parts[opened], end);
        opened += rc == 0;
    }
    if (rc < 0) {
        if (parts)
            close_parts(parts, opened);
        return rc;
    }
    o->method = policy_choose(&facts);
    o->file.left = o->length;
    return source_open_parts(&o->file.source, parts, opened, on_source_ready,
                             r); /* takes them over, whatever comes of it */
}

static int respond_ranges(struct request *r, const struct range *ranges, unsigned count)
{
    static uint64_t next_boundary = 1;
    struct response *o = &r->out;

    o->status = 206;
    if (count == 1) {
        o->content_range = text_of(arena_printf(&r->arena, "bytes %lld-%lld/%lld", (long long)ranges[0].start,
                                                (long long)ranges[0].end - 1, (long long)r->file->size));
        if (!o->content_range.at)
            return -ENOMEM;
        return open_body(r, ranges[0]);
    }
    const char *boundary = arena_printf(&r->arena, "%020llu", (unsigned long long)next_boundary++);
    if (!boundary)
        return -ENOMEM;
    int rc = open_parts(r, ranges, count, boundary);
    o->type = text_of(arena_printf(&r->arena, "multipart/byteranges; boundary=%s", boundary));
    return rc == 0 && !o->type.at ? -ENOMEM : rc;
}

static void respond_unsatisfiable(struct request *r)
{
    if (!r->unsatisfied.at) /* of what was asked for, and not of a page in its place */
        r->unsatisfied = text_of(arena_printf(&r->arena, "bytes */%lld", (long long)r->file->size));
    respond_error(r, 416);
}

/* ---- the response ---- */

/* The ranges to send; RANGE_IGNORE: the whole. */
static enum range_result ask_ranges(const struct request *r, struct range **ranges, unsigned *count,
                                    struct arena *arena)
{
    struct text field = r->msg.fields[FIELD_RANGE];

    if (r->out.unsized)
        return RANGE_IGNORE;
    /* RFC 9110, 14.2: ranges are defined for GET alone. */
    if (!field.at || r->msg.method != METHOD_GET || r->location->http->max_ranges == 0)
        return RANGE_IGNORE;
    struct validators v = validators_of(r);
    if (!precondition_if_range(&r->msg, &v))
        return RANGE_IGNORE;
    *ranges = arena_alloc(arena, RANGE_MOST * sizeof **ranges);
    if (!*ranges)
        return RANGE_IGNORE;
    int64_t most = r->location->http->max_ranges;
    return range_parse(field, r->file->size, most > RANGE_MOST ? RANGE_MOST : (int)most, *ranges, count);
}

void file_response_content(struct request *r)
{
    struct response *o = &r->out;
    struct range whole = {0, r->file->size}, *ranges = NULL;
    unsigned count = 0;
    int rc;

    if (r->location->rewrites_content)
        content_plan(r);
    enum range_result asked = o->status == 200 ? ask_ranges(r, &ranges, &count, &r->arena) : RANGE_IGNORE;
    if (asked == RANGE_UNSATISFIABLE) {
        respond_unsatisfiable(r);
        return;
    }
    if (asked == RANGE_SATISFIABLE) {
        rc = respond_ranges(r, ranges, count);
    } else {
        o->accept_ranges = o->status == 200 && r->location->http->max_ranges != 0 && !o->unsized;
        rc = open_body(r, whole);
    }
    if (rc < 0) {
        request_log(r, LEVEL_CRIT, -rc, "opening \"%s\" for sending failed", r->file->path);
        respond_error(r, 500);
    }
}

/* The name of a side file's coding. */
static void set_coding(struct request *r)
{
    struct response *o = &r->out;

    if (o->coding != CODING_NONE && response_add(r, TEXT("Content-Encoding"), coding_name(o->coding)))
        o->coding_line = container_of(o->fields_end, struct field_line, next);
}

/* The conditions are about what a 200 would say: its fields are made as far as they matter, and
 * forgotten. */
static enum precondition check(struct request *r)
{
    struct response *o = &r->out;

    if (!precondition_asked(&r->msg))
        return PRECONDITION_PROCEED;
    struct text etag = o->etag, date = o->last_modified;
    bool own_date = o->own_date;
    headers_foresee(r, r->location->rewrites_content && gzip_asks_fields(r));
    struct validators v = validators_of(r);
    if (r->location->rewrites_content)
        v.etag = content_tag(r);
    o->fields = NULL;
    o->fields_end = &o->fields;
    o->etag = etag;
    o->last_modified = date;
    o->own_date = own_date;
    return precondition_check(&r->msg, &v, r->location->http->if_modified_since);
}

static void add_addressed(struct response *o)
{
    if (!o->addressed)
        return;
    *o->fields_end = o->addressed->fields;
    o->fields_end = o->addressed->fields_end;
}

void file_response_begin(struct request *r)
{
    const struct http_conf *h = r->location->http;
    struct response *o = &r->out;
    time_t modified = validators_set(r);

    r->step = STEP_FIELDS;
    o->dated = true;
    o->modified = modified;
    o->type = o->addressed ? o->addressed->type : mime_type(h->types, r->uri, h->default_type);
    o->status = r->error_status > 0 ? r->error_status : 200;
    o->length = (uint64_t)r->file->size; /* of the whole, for what is decided by it */
    switch (o->status == 200 ? check(r) : PRECONDITION_PROCEED) {
    case PRECONDITION_FAILED:
        respond_error(r, 412);
        break;
    case PRECONDITION_NOT_MODIFIED:
        o->status = 304;
        o->no_length = true;
        add_addressed(o);
        break;
    case PRECONDITION_PROCEED:
        set_coding(r);
        add_addressed(o);
        o->of_file = true;
        break;
    }
}

int response_open_body(struct request *r, size_t room)
{
    struct response *o = &r->out;

    if (r->head_only)
        o->body = TEXT("");
    if (rate_is_asked(r))
        rate_begin(r);
    if (o->file.source || o->body.len == 0 || (o->body.len <= room && rate_lets_through(r, o->body.len)))
        return 0;
    int rc = source_open_bytes(&o->file.source, o->body);
    o->file.left = o->body.len;
    return rc;
}
