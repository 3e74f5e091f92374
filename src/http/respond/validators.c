/* validators.c - the entity tag and the date of a file, as they are sent and compared. See
 * validators.h; called by file_response.c, content.c and headers.c. */
#include "http/respond/validators.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/core/core.h"
#include "http/respond/digest.h"

/* The date, which must not lie ahead of the response's own. RFC 9110, 8.8.2.1. */
static struct text date_text(struct request *r, const struct file *f)
{
    if (f->mtime.tv_sec <= (time_t)clock_now.sec)
        return (struct text){f->last_modified, CLOCK_HTTP_LEN};
    return arena_text(&r->arena, (struct text){clock_now.http, CLOCK_HTTP_LEN});
}

/* Its last change may not have been the last one within what the times that make its tag can tell
 * (8.8.1, 8.8.2.2). Whoever sets a file's time changes the inode's. */
static bool is_young(const struct file *f)
{
    enum { YOUNG_SEC = 2 };
    int64_t since = clock_now.sec - YOUNG_SEC;

    return f->ctime.tv_sec > since || (f->mtime.tv_sec > since && f->mtime.tv_sec <= clock_now.sec);
}

/* "TIME-SIZE", and what etag_parts adds. */
static struct text parts_tag(struct request *r, const struct file *f, unsigned parts)
{
    enum { MOST = 2 + 1 + 4 * 17 + 1 }; /* W/, quotes, four numbers */
    char *tag = arena_alloc(&r->arena, MOST), *to = tag;

    if (!tag)
        return TEXT_NONE;
    if (is_young(f)) {
        *to++ = 'W';
        *to++ = '/';
    }
    memcpy(to, f->etag, f->etag_len - 1u);
    to += f->etag_len - 1;
    if (parts & ETAG_INODE) {
        *to++ = '-';
        to += number_format_hex(to, (uint64_t)f->ino);
    }
    if (parts & ETAG_NSEC) {
        *to++ = '-';
        to += number_format_hex(to, (uint64_t)f->mtime.tv_nsec);
    }
    *to++ = '"';
    return text_span(tag, to);
}

static struct text tag_of(struct request *r, const struct file *f)
{
    const struct http_conf *h = r->location->http;

    if (h->etag == ETAG_CONTENT && f->identity && f->identity->tag_len > 0)
        return (struct text){f->identity->tag, f->identity->tag_len};
    if (h->etag == ETAG_CONTENT || h->etag_parts != 0)
        return parts_tag(r, f, h->etag_parts);
    return (struct text){f->etag, f->etag_len};
}

time_t validators_set(struct request *r)
{
    const struct file *f = r->file;
    struct response *o = &r->out;
    time_t now = (time_t)clock_now.sec;

    o->own_date = false;
    if (o->addressed) { /* its content has no other date than for ever */
        o->etag = o->addressed->etag;
        return now;
    }
    if (r->error_status == 0 || r->error_status == 200) { /* as nginx: an error page has no date */
        o->last_modified = date_text(r, f);
        o->own_date = true;
    }
    if (f->identity && f->identity->stale != IDENTITY_NONE && r->location->digests)
        digest_tell_stale(r);
    if (r->location->http->etag != ETAG_OFF)
        o->etag = validators_side_tag(r, tag_of(r, f));
    return f->mtime.tv_sec <= now ? clock_within_http(f->mtime.tv_sec) : now;
}

/* The dates that a file was sent with while its own lay ahead: since its inode was changed last,
 * the same file with the same date has been there. */
static void add_sent(struct validators *v, const struct file *f)
{
    time_t now = (time_t)clock_now.sec, changed = f->ctime.tv_sec;

    v->sent_first = changed < now ? changed : now;
    v->sent_last = v->modified <= now ? v->modified - 1 : now;
}

struct validators validators_of(const struct request *r)
{
    const struct response *o = &r->out;
    struct validators v = {.etag = o->etag, .sent_first = 1, .sent_last = 0};

    if (!o->own_date) {
        v.dated = o->last_modified.len > 0 && clock_parse_http(o->last_modified, &v.modified) == 0;
        return v;
    }
    v.dated = true;
    v.modified = clock_within_http(r->file->mtime.tv_sec);
    add_sent(&v, r->file);
    return v;
}

struct text validators_mark(struct request *r, struct text tag, const char *mark, bool weak)
{
    size_t len = strlen(mark);
    bool is_weak = text_starts(tag, TEXT("W/"));

    if (tag.len < 2 || tag.at[tag.len - 1] != '"' || (tag.at[0] != '"' && !is_weak))
        return TEXT_NONE;
    char *marked = arena_alloc(&r->arena, 2 + tag.len + len), *to = marked;
    if (!marked)
        return TEXT_NONE;
    if (weak && !is_weak) {
        *to++ = 'W';
        *to++ = '/';
    }
    memcpy(to, tag.at, tag.len - 1);
    to += tag.len - 1;
    memcpy(to, mark, len);
    to += len;
    *to++ = '"';
    return text_span(marked, to);
}

/* Several dictionaries may have made files of one size at one time. */
static struct text dictionary_tag(struct request *r, struct text tag)
{
    enum { DIGITS = 16 };
    char hex[DIGEST_HEX];

    if (!r->file || !r->file->identity)
        return TEXT_NONE;
    digest_to_hex(r->file->identity->dictionary, hex);
    char *mark = arena_printf(&r->arena, "-%.*s-%.*s", TEXT_ARG(coding_name(r->out.coding)), (int)DIGITS, hex);
    return mark ? validators_mark(r, tag, mark, false) : TEXT_NONE;
}

struct text validators_side_tag(struct request *r, struct text tag)
{
    static const char *const marks[CODINGS] = {[CODING_BR] = "-br", [CODING_ZSTD] = "-zst", [CODING_GZIP] = "-gz"};

    if (coding_has_dictionary(r->out.coding) && tag.len > 0)
        return dictionary_tag(r, tag);
    return r->out.coding == CODING_NONE || tag.len == 0 ? tag : validators_mark(r, tag, marks[r->out.coding], false);
}
