/* headers.c - add_header, expires: what the configuration adds to responses. See headers.h. */
#include "http/respond/headers.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/core/core.h"
#include "http/request/request.h"
#include "http/respond/digest.h"
#include "http/respond/redirect.h"
#include "http/respond/response.h"
#include "http/respond/userid.h"
#include "http/respond/validators.h"

#include <stdio.h>

static enum added_single single_of(struct text name)
{
    static const struct {
        const char *name;
        enum added_single single;
    } known[] = {
        {"Content-Length", ADDED_NEVER}, {"Transfer-Encoding", ADDED_NEVER}, {"Connection", ADDED_NEVER},
        {"Date", ADDED_NEVER},           {"Content-Range", ADDED_NEVER},     {"Server", ADDED_SERVER},
        {"Content-Type", ADDED_TYPE},    {"Location", ADDED_LOCATION},       {"Content-Encoding", ADDED_CODING},
        {"Repr-Digest", ADDED_DIGEST},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (text_equal_nocase(name, text_of(known[i].name)))
            return known[i].single;
    return ADDED_FREE;
}

/* A copied snippet says such things, and does no harm by it; but whoever wrote it should know that
 * they do not count. */
static void warn_of_single(struct conf *cf, const struct conf_row *row, const struct added_header *a)
{
    bool trailer = text_equal(text_of(row->name), TEXT("add_trailer"));

    if (cf->args[2].len == 0 || a->single == ADDED_FREE)
        return;
    if (trailer)
        conf_warn(cf, "\"%.*s\" is ignored in \"add_trailer\": it belongs to the head", TEXT_ARG(a->name));
    else if (a->single == ADDED_NEVER)
        conf_warn(cf, "\"%.*s\" is ignored in \"add_header\": the server sends its own where there is one to send",
                  TEXT_ARG(a->name));
    else if (a->single == ADDED_SERVER || a->single == ADDED_TYPE)
        conf_warn(cf, "\"%.*s\" in \"add_header\" is added only where the server does not send its own",
                  TEXT_ARG(a->name));
}

/* add_header name value [always] */
static const char *set_add_header(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct added_header **end = slot;
    struct added_header *a = arena_zalloc(cf->arena, sizeof *a);
    if (!a)
        return conf_error(cf, "no memory");
    if (cf->count == 4) {
        if (!text_equal(cf->args[3], TEXT("always")))
            return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(cf->args[3]));
        a->always = true;
    }
    a->name = cf->args[1];
    a->file = cf->file;
    a->line = cf->line;
    a->told = cf->args[2].len == 0; /* it adds nothing */
    for (size_t i = 0; i < a->name.len; i++)
        if (a->name.at[i] <= ' ' || a->name.at[i] == ':' || a->name.at[i] == 0x7f)
            return conf_error(cf, "invalid header name \"%.*s\"", TEXT_ARG(a->name));
    a->single = single_of(a->name);
    if (a->single == ADDED_DIGEST && text_equal(text_of(row->name), TEXT("add_trailer")))
        a->single = ADDED_FREE; /* RFC 9530, 2: it may be a trailer */
    warn_of_single(cf, row, a);
    while (*end)
        end = &(*end)->next;
    *end = a;
    return template_compile_field(cf, http_main_at(cf)->variables, cf->args[2], &a->value);
}

/* A time with an optional sign; seconds. */
static int parse_signed(struct text t, int64_t *sec)
{
    bool minus = text_starts(t, TEXT("-"));
    if (minus || text_starts(t, TEXT("+")))
        t = text_from(t, 1);
    int rc = number_parse_sec(t, sec);
    if (minus)
        *sec = -*sec;
    return rc;
}

/* One of nginx's forms; 0 or -EINVAL. `modified` stood before it. */
static int parse_expires(struct text t, bool modified, struct expires *e)
{
    if (!modified) {
        e->kind = text_equal(t, TEXT("off"))     ? EXPIRES_OFF
                  : text_equal(t, TEXT("epoch")) ? EXPIRES_EPOCH
                  : text_equal(t, TEXT("max"))   ? EXPIRES_MAX
                  : text_starts(t, TEXT("@"))    ? EXPIRES_DAILY
                                                 : EXPIRES_ACCESS;
        if (e->kind == EXPIRES_DAILY)
            return number_parse_sec(text_from(t, 1), &e->sec) == 0 && e->sec < 86400 ? 0 : -1;
        if (e->kind != EXPIRES_ACCESS)
            return 0;
    } else {
        e->kind = EXPIRES_MODIFIED;
    }
    return parse_signed(t, &e->sec);
}

static const char *set_expires(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct expires *e = slot;
    bool modified = cf->count == 3;
    struct text value = cf->args[cf->count - 1];

    if (modified && !text_equal(cf->args[1], TEXT("modified")))
        return conf_error(cf, "invalid value \"%.*s\" in \"expires\" directive", TEXT_ARG(cf->args[1]));
    if (text_starts(value, TEXT("$"))) {
        e->kind = modified ? EXPIRES_MODIFIED : EXPIRES_ACCESS;
        return template_compile(cf, http_main_at(cf)->variables, value, &e->variable);
    }
    if (parse_expires(value, modified, e) < 0)
        return conf_error(cf, "invalid value \"%.*s\" in \"expires\" directive", TEXT_ARG(value));
    return NULL;
}

static void add_expires(struct request *r, struct text date, struct text control)
{
    response_add(r, TEXT("Expires"), date);
    response_add(r, TEXT("Cache-Control"), control);
}

/* Seconds from now to the next `sec` of the local day. */
static int64_t until_daily(int64_t sec)
{
    time_t now = (time_t)clock_now.sec;
    struct tm tm;
    localtime_r(&now, &tm);
    int64_t at = tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return sec > at ? sec - at : sec - at + 86400;
}

static void apply_expires(struct request *r, struct expires e)
{
    if (e.variable) {
        struct text value = template_text(e.variable, r);
        if (value.len == 0 || parse_expires(value, e.kind == EXPIRES_MODIFIED, &e) < 0)
            return;
    }
    time_t now = (time_t)clock_now.sec, at;
    switch (e.kind) {
    case EXPIRES_OFF:
        return;
    case EXPIRES_EPOCH:
        add_expires(r, TEXT("Thu, 01 Jan 1970 00:00:01 GMT"), TEXT("no-cache"));
        return;
    case EXPIRES_MAX:
        add_expires(r, TEXT("Thu, 31 Dec 2037 23:55:55 GMT"), TEXT("max-age=315360000"));
        return;
    case EXPIRES_MODIFIED:
        if (!r->out.dated) /* what has no date is modified now */
            e.kind = EXPIRES_ACCESS;
        at = clock_add(r->out.dated ? r->out.modified : now, e.sec);
        break;
    case EXPIRES_DAILY:
        at = clock_add(now, until_daily(e.sec));
        break;
    case EXPIRES_ACCESS:
    default:
        at = clock_add(now, e.sec);
        break;
    }
    char *date = arena_alloc(&r->arena, CLOCK_HTTP_LEN + 1);
    if (!date)
        return;
    clock_format_http(date, at);
    int64_t age = at - now;
    bool past = e.kind == EXPIRES_MODIFIED ? age < 0 : e.sec < 0;
    char *control = past ? NULL : arena_printf(&r->arena, "max-age=%lld", (long long)age);
    add_expires(r, (struct text){date, CLOCK_HTTP_LEN}, control ? text_of(control) : TEXT("no-cache"));
}

static bool is_validator(struct text name)
{
    return text_equal_nocase(name, TEXT("Last-Modified")) || text_equal_nocase(name, TEXT("ETag"));
}

/* add_header of a validator takes its place; an empty value takes it away. */
static void replace_validator(struct request *r, struct text name, struct text value)
{
    if (text_equal_nocase(name, TEXT("ETag"))) {
        r->out.etag = validators_side_tag(r, value);
        return;
    }
    r->out.last_modified = value;
    r->out.own_date = false;
}

/* Whether the response has its own; a 304 has what its 200 would. */
static bool has_own(struct request *r, enum added_single single)
{
    const struct response *o = &r->out;

    switch (single) {
    case ADDED_FREE:
        return false;
    case ADDED_NEVER:
        return true;
    case ADDED_SERVER:
        return response_server(r).len > 0;
    case ADDED_TYPE:
        return o->status == 304 || (o->type.len > 0 && !o->no_length);
    case ADDED_LOCATION:
        return r->moved_to.at != NULL;
    case ADDED_CODING:
        return o->coding_line != NULL;
    case ADDED_DIGEST: /* even where none is known: what is added would be of other content */
        return r->location->digests && r->location->digests->repr_digest;
    }
    return false;
}

static void add_single(struct request *r, const struct added_header *a, struct text value, unsigned *added)
{
    if (has_own(r, a->single) || (*added & 1u << a->single))
        return;
    if (a->single != ADDED_DIGEST)
        *added |= 1u << a->single;
    if (a->single == ADDED_TYPE && !r->out.no_length)
        r->out.type = value; /* in its place, so that parts of ranges have it as well */
    else
        response_add(r, a->name, value);
}

/* The statuses that nginx adds headers to without `always`. */
static bool is_usual(int status)
{
    switch (status) {
    case 200:
    case 201:
    case 204:
    case 206:
    case 301:
    case 302:
    case 303:
    case 304:
    case 307:
    case 308:
        return true;
    default:
        return false;
    }
}

void headers_foresee(struct request *r, bool caching)
{
    const struct headers_conf *h = r->location->headers;

    if (caching && h->expires.kind != EXPIRES_OFF)
        apply_expires(r, h->expires);
    for (const struct added_header *a = h->added; a; a = a->next) {
        if (is_validator(a->name))
            replace_validator(r, a->name, template_field(a->value, r));
        else if (a->single == ADDED_TYPE && r->out.type.len == 0)
            r->out.type = template_field(a->value, r);
        else if (caching &&
                 (text_equal_nocase(a->name, TEXT("Cache-Control")) || text_equal_nocase(a->name, TEXT("Expires"))))
            response_add(r, a->name, template_field(a->value, r));
    }
}

void headers_apply(struct request *r)
{
    if (!r->location)
        return;
    const struct headers_conf *h = r->location->headers;
    bool usual = is_usual(r->out.status);
    unsigned added = 0; /* bits of enum added_single */

    struct text location = r->moved_to.at ? redirect_apply(r) : TEXT_NONE;
    if (usual && h->expires.kind != EXPIRES_OFF && !r->out.addressed)
        apply_expires(r, h->expires);
    for (const struct added_header *a = h->added; a; a = a->next) {
        if (!usual && !a->always)
            continue;
        struct text value = template_field(a->value, r);
        if (is_validator(a->name))
            replace_validator(r, a->name, value);
        else if (value.len > 0 && a->single != ADDED_FREE)
            add_single(r, a, value, &added);
        else if (value.len > 0)
            response_add(r, a->name, value);
    }
    if (location.at)
        r->out.location = location;
    if (r->location->userid)
        userid_apply(r, r->location->userid);
}

bool headers_have_trailers(const struct request *r)
{
    bool usual = is_usual(r->out.status);

    for (const struct added_header *t = r->location->headers->trailers; t; t = t->next)
        if (t->single == ADDED_FREE && (usual || t->always))
            return true;
    return false;
}

/* To where the next one is kept, for $sent_trailer_; false: no memory. */
static bool keep_trailer(struct request *r, struct field_line ***end, struct text name, struct text value)
{
    struct field_line *f = arena_alloc(&r->arena, sizeof *f);
    if (!f)
        return false;
    *f = (struct field_line){NULL, name, value};
    **end = f;
    *end = &f->next;
    return true;
}

struct text headers_trailers(struct request *r)
{
    bool usual = is_usual(r->out.status);
    struct field_line **end = &r->out.trailers;
    char *lines = NULL;

    for (const struct added_header *t = r->location->headers->trailers; t; t = t->next) {
        bool counts = t->single == ADDED_FREE && (usual || t->always);
        struct text value = counts ? template_field(t->value, r) : TEXT_NONE;
        if (value.len == 0 || !keep_trailer(r, &end, t->name, value))
            continue;
        char *more =
            arena_printf(&r->arena, "%s%.*s: %.*s\r\n", lines ? lines : "", TEXT_ARG(t->name), TEXT_ARG(value));
        lines = more ? more : lines;
    }
    return text_of(lines);
}

static const struct conf_enum inherit_words[] = {
    {"off", INHERIT_OFF}, {"on", INHERIT_ON}, {"merge", INHERIT_MERGE}, {NULL, 0}};

static const struct conf_row rows[] = {
    {"add_header", CONF_HTTP_ALL | CONF_IF, CONF_TAKE2 | CONF_TAKE3 | CONF_REPEAT, set_add_header,
     CONF_SLOT(struct headers_conf, added), .syntax = "name value [always]",
     .help = "Adds a field to responses 200, 201, 204, 206, 301-304, 307, 308; with `always` to every response. A "
             "level with its own inherits none.",
     .differs =
         "Of fields that a response has once, the server's own wins: Content-Length, Transfer-Encoding, "
         "Connection, Date and Content-Range are never added; Server, Content-Type, Location and the coding of a "
         "side file, where there is none; Repr-Digest, where repr_digest is off. A value that is written over several "
         "lines is sent as one; control bytes "
         "that a variable brings are sent as %XX (nginx sends both as they are)."},
    {"expires", CONF_HTTP_ALL | CONF_IF, CONF_TAKE12, set_expires, CONF_SLOT(struct headers_conf, expires),
     .dflt = "off", .syntax = "[modified] time | @time | epoch | max | off", .help = "Adds Expires and Cache-Control."},
    {"add_trailer", CONF_HTTP_ALL | CONF_IF, CONF_TAKE2 | CONF_TAKE3 | CONF_REPEAT, set_add_header,
     CONF_SLOT(struct headers_conf, trailers), .syntax = "name value [always]",
     .help = "Adds a field after the body of the same responses, which are then sent in chunks; its value is evaluated "
             "when the body is complete.",
     .differs = "Fields that belong to the head (Content-Length, Content-Type ...) are not added."},
    {"add_header_inherit", CONF_HTTP_ALL | CONF_IF, CONF_TAKE1, conf_set_enum,
     CONF_SLOT(struct headers_conf, header_rule), .extra = inherit_words, .dflt = "on", .syntax = "on | off | merge",
     .help = "What a level inherits of the add_header lines around it: on: all, if it has none of its own; off: none; "
             "merge: all, after its own. Inner levels inherit the rule itself."},
    {"add_trailer_inherit", CONF_HTTP_ALL | CONF_IF, CONF_TAKE1, conf_set_enum,
     CONF_SLOT(struct headers_conf, trailer_rule), .extra = inherit_words, .dflt = "on", .syntax = "on | off | merge",
     .help = "The same for add_trailer."},
    {.name = NULL},
};

/* The list of a level, from what it has said (a level without its own has the list of the one
 * around, copied), and that one's. */
static struct added_header *inherit(struct added_header *said, int rule, const struct added_header *said_around,
                                    struct added_header *around)
{
    struct added_header **end = &said;

    if (said == said_around)
        return rule == INHERIT_OFF ? NULL : around;
    while (rule == INHERIT_MERGE && *end)
        end = &(*end)->next;
    if (rule == INHERIT_MERGE)
        *end = around;
    return said;
}

/* The level around is finished. */
static void apply_rules(const struct conf_block *block, struct headers_conf *conf)
{
    const struct headers_conf *around = NULL;

    for (const struct conf_block *b = block->parent; b && !around; b = b->parent)
        around = conf_values(b, &headers_module);
    conf->said = conf->added;
    conf->said_trailers = conf->trailers;
    if (!around)
        return;
    conf->added = inherit(conf->said, conf->header_rule, around->said, around->added);
    conf->trailers = inherit(conf->said_trailers, conf->trailer_rule, around->said_trailers, around->trailers);
}

/* Only now it is known whether repr_digest is on here. */
static void warn_of_digest(struct conf *cf, const struct conf_block *block, const struct headers_conf *conf)
{
    const struct digest_conf *digests = conf_values(block, &digest_module);

    if (!digests || !digests->repr_digest)
        return;
    for (struct added_header *a = conf->added; a; a = a->next) {
        if (a->single != ADDED_DIGEST || a->told)
            continue;
        a->told = true;
        cf->file = a->file;
        cf->line = a->line;
        conf_warn(cf, "\"%.*s\" is ignored in \"add_header\" where \"repr_digest\" is on: the server sends its own",
                  TEXT_ARG(a->name));
    }
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct headers_conf *conf = values;
    struct location *l = location_of(block);

    apply_rules(block, conf);
    warn_of_digest(cf, block, conf);
    if (!l)
        return NULL;
    l->headers = conf;
    l->rewrites_content |= conf->trailers != NULL;
    return NULL;
}

struct conf_module headers_module = {
    .name = "Response headers",
    .rows = rows,
    .size = sizeof(struct headers_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
