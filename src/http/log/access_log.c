/* access_log.c - log_format, access_log, and the line of each request. See access_log.h.
 *
 * Lines go straight into the log file's buffer (base/log_file.h); its writer thread does the
 * writing. */
#include "http/log/access_log.h"

#include "base/number.h"
#include "base/paths.h"
#include "http/core/core.h"
#include "http/request/request.h"
#include "http/syntax/log_escape.h"

#include <errno.h>
#include <limits.h>

struct log_format {
    struct log_format *next;
    struct text name;
    enum escape escape;
    struct template *line;
};

#define COMBINED                                                                                                       \
    "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" "               \
    "\"$http_user_agent\""

/* Lines up to USUAL_LINE are reserved for the worst, longer ones are counted. */
enum { SYSLOG_INFO = 6, MIN_BUFFER = 64, GZIP_BUFFER = 64 * 1024, USUAL_LINE = 4096 };

struct options {
    int64_t buffer, flush_msec;
    int gzip_level; /* 0: plain */
    struct template *condition;
};

/* How a file of this configuration is written: once, for all the lines that name it. */
struct named_log {
    struct named_log *next;
    const struct log_file *file;
    struct options options;
};

/* The formats and files of one configuration: values of the module in the http block only. */
struct log_values {
    struct log_conf conf;         /* first: what requests look at */
    struct log_names_conf *cache; /* open_log_file_cache; NULL: off */
    struct log_format *formats;
    struct named_log *named;
    unsigned caches; /* how many there are */
};

static struct log_values *http_values(const struct conf *cf)
{
    return conf_values(http_main_at(cf)->block, &log_module);
}

static struct log_format *find_format(struct log_values *v, struct text name)
{
    for (struct log_format *f = v->formats; f; f = f->next)
        if (text_equal(f->name, name))
            return f;
    return NULL;
}

static const char *add_format(struct conf *cf, struct text name, enum escape escape, struct text line)
{
    struct log_values *v = http_values(cf);
    struct log_format *f = arena_zalloc(cf->arena, sizeof *f);
    if (!f)
        return conf_error(cf, "no memory");
    *f = (struct log_format){v->formats, name, escape, NULL};
    v->formats = f;
    return template_compile(cf, http_main_at(cf)->variables, line, &f->line);
}

static const char *set_format(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row, (void)slot;
    unsigned from = 2;
    enum escape escape = ESCAPE_DEFAULT;

    if (find_format(http_values(cf), cf->args[1]) || text_equal(cf->args[1], TEXT("combined")))
        return conf_error(cf, "duplicate \"log_format\" name \"%.*s\"", TEXT_ARG(cf->args[1]));
    if (text_starts(cf->args[2], TEXT("escape="))) {
        struct text how = text_from(cf->args[2], 7);
        if (!text_equal(how, TEXT("default")) && !text_equal(how, TEXT("json")) && !text_equal(how, TEXT("none")))
            return conf_error(cf, "unknown log format escaping \"%.*s\"", TEXT_ARG(how));
        escape = how.at[0] == 'd' ? ESCAPE_DEFAULT : how.at[0] == 'j' ? ESCAPE_JSON : ESCAPE_NONE;
        from = 3;
    }
    size_t len = 0;
    for (unsigned i = from; i < cf->count; i++)
        len += cf->args[i].len;
    char *line = arena_alloc(cf->arena, len + 1), *to = line;
    if (!line)
        return conf_error(cf, "no memory");
    for (unsigned i = from; i < cf->count; i++) {
        memcpy(to, cf->args[i].at, cf->args[i].len);
        to += cf->args[i].len;
    }
    *to = '\0';
    return add_format(cf, cf->args[1], escape, (struct text){line, len});
}

static const char *set_gzip(struct conf *cf, struct text word, struct options *o)
{
    enum { FASTEST = 1, SMALLEST = 9 };
    uint64_t level = FASTEST;

    if (word.len > 4 && (number_parse(text_from(word, 5), &level) < 0 || level < FASTEST || level > SMALLEST))
        return conf_error(cf, "invalid compression level \"%.*s\"", TEXT_ARG(text_from(word, 5)));
    o->gzip_level = (int)level;
    return NULL;
}

static const char *set_option(struct conf *cf, struct text word, struct options *o)
{
    uint64_t size;

    if (text_starts(word, TEXT("buffer="))) {
        if (number_parse_size(text_from(word, 7), &size) < 0 || size < MIN_BUFFER || size > INT32_MAX)
            return conf_error(cf, "invalid buffer size \"%.*s\"", TEXT_ARG(text_from(word, 7)));
        o->buffer = (int64_t)size;
        return NULL;
    }
    if (text_starts(word, TEXT("flush="))) {
        if (number_parse_msec(text_from(word, 6), &o->flush_msec) < 0 || o->flush_msec == 0)
            return conf_error(cf, "invalid flush time \"%.*s\"", TEXT_ARG(text_from(word, 6)));
        return NULL;
    }
    if (text_starts(word, TEXT("if=")))
        return template_compile(cf, http_main_at(cf)->variables, text_from(word, 3), &o->condition);
    if (text_equal(word, TEXT("gzip")) || text_starts(word, TEXT("gzip=")))
        return set_gzip(cf, word, o);
    return conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(word));
}

static void on_close(void *file)
{
    log_file_close(file);
}

/* Lines without a buffer may stand beside those with one, as in nginx; plain ones do not stand in a
 * compressed file. */
static const char *agree(struct conf *cf, const struct log_file *file, const struct options *o)
{
    struct log_values *v = http_values(cf);

    for (struct named_log *n = v->named; n; n = n->next) {
        bool same = strcmp(log_file_path(n->file), log_file_path(file)) == 0; /* compressed or not */
        bool plain = n->options.gzip_level == 0 && o->gzip_level == 0;
        if (!same || (plain && (o->buffer == 0 || n->options.buffer == 0)))
            continue;
        if (n->options.buffer != o->buffer || n->options.flush_msec != o->flush_msec ||
            n->options.gzip_level != o->gzip_level)
            return conf_error(cf, "access_log \"%.*s\" already defined with conflicting parameters",
                              TEXT_ARG(cf->args[1]));
    }
    struct named_log *n = arena_alloc(cf->arena, sizeof *n);
    if (!n)
        return conf_error(cf, "no memory");
    *n = (struct named_log){v->named, file, *o};
    v->named = n;
    return NULL;
}

static const char *check_buffer(struct conf *cf, struct text path, struct options *o)
{
    if (o->buffer == 0 && o->gzip_level > 0)
        o->buffer = GZIP_BUFFER;
    if (o->buffer == 0 && o->flush_msec > 0)
        return conf_error(cf, "no buffer is defined for access_log \"%.*s\"", TEXT_ARG(path));
    if (o->buffer > 0 && text_starts(path, TEXT("syslog:")))
        return conf_error(cf, "logs to syslog cannot be buffered");
    return NULL;
}

/* As in nginx, relative to the prefix even where it begins with a variable: so it always has a
 * constant folder. */
static const char *set_path(struct conf *cf, struct text path, const struct options *o, struct template **out)
{
    const char *full = conf_full_path(cf, path);

    if (o->buffer > 0)
        return conf_error(cf, "buffered logs cannot have variables in name");
    if (!full || !conf_writes(cf, full))
        return conf_error(cf, "no memory");
    return template_compile(cf, http_main_at(cf)->variables, text_of(full), out);
}

static const char *open_log(struct conf *cf, struct text path, const struct options *o, struct access_log *a)
{
    bool syslog = text_starts(path, TEXT("syslog:"));
    bool special =
        syslog || text_equal(path, TEXT("stderr")) || text_equal(path, TEXT("stdout")) || text_equal(path, TEXT("-"));
    struct log_file **file = &a->file;

    if (!syslog && text_find(path, '$') < path.len)
        return set_path(cf, path, o, &a->path);
    const char *full = special ? path.at : conf_full_path(cf, path);
    int rc = o->gzip_level > 0 ? log_file_open_gzip(file, full, (size_t)o->buffer, o->flush_msec, o->gzip_level)
                               : log_file_open(file, full, (size_t)o->buffer, o->flush_msec);
    if (rc == -ENOSYS)
        return conf_error(cf, "\"gzip\" needs zlib, and this build is without it");
    if (rc == -EINVAL && o->gzip_level > 0)
        return conf_error(cf, "\"gzip\" is for files, not for \"%.*s\"", TEXT_ARG(path));
    if (rc == -EINVAL)
        return conf_error(cf, "invalid log \"%.*s\"", TEXT_ARG(path));
    if (rc < 0)
        return conf_error(cf, "open() \"%s\" failed (%d: %s)", full, -rc, strerror(-rc));
    if (arena_at_fini(cf->arena, on_close, *file) < 0)
        return conf_error(cf, "no memory");
    return agree(cf, *file, o);
}

static const char *find_or_combined(struct conf *cf, struct text name, struct log_format **out)
{
    struct log_values *v = http_values(cf);

    *out = find_format(v, name);
    if (!*out && text_equal(name, TEXT("combined"))) {
        const char *error = add_format(cf, name, ESCAPE_DEFAULT, TEXT(COMBINED));
        *out = v->formats;
        return error;
    }
    return *out ? NULL : conf_error(cf, "unknown log format \"%.*s\"", TEXT_ARG(name));
}

/* access_log path [format [buffer=size] [flush=time] [gzip[=level]] [if=condition]] | off */
static const char *set_access_log(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    struct log_conf *conf = slot;
    struct access_log **end = &conf->logs;
    struct options o = {0};

    conf->given = true;
    if (text_equal(cf->args[1], TEXT("off"))) {
        *end = NULL;
        return cf->count == 2 ? NULL : conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(cf->args[2]));
    }
    struct access_log *a = arena_zalloc(cf->arena, sizeof *a);
    if (!a)
        return conf_error(cf, "no memory");
    unsigned options_from = cf->count > 2 && text_find(cf->args[2], '=') == cf->args[2].len ? 3 : 2;
    struct text format = options_from == 3 ? cf->args[2] : TEXT("combined");
    const char *error = find_or_combined(cf, format, &a->format);
    for (unsigned i = options_from; i < cf->count && !error; i++)
        error = set_option(cf, cf->args[i], &o);
    if (!error)
        error = check_buffer(cf, cf->args[1], &o);
    if (!error)
        error = open_log(cf, cf->args[1], &o, a);
    if (error)
        return error;
    a->condition = o.condition;
    while (*end)
        end = &(*end)->next;
    *end = a;
    return NULL;
}

/* open_log_file_cache off | max=N [inactive=time] [min_uses=N] [valid=time] */
static const char *set_cache(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct log_names_conf cache = {.inactive_msec = 10 * 1000, .valid_msec = 60 * 1000, .min_uses = 1};
    int64_t inactive = 10, valid = 60; /* s */
    bool off = false;

    for (unsigned i = 1; i < cf->count; i++) {
        struct text arg = cf->args[i];
        bool known = text_equal(arg, TEXT("off"));
        off = off || known;
        if (text_starts(arg, TEXT("max=")))
            known = number_parse(text_from(arg, 4), &cache.max) == 0 && cache.max <= INT32_MAX;
        else if (text_starts(arg, TEXT("min_uses=")))
            known = number_parse(text_from(arg, 9), &cache.min_uses) == 0;
        else if (text_starts(arg, TEXT("inactive=")))
            known = number_parse_sec(text_from(arg, 9), &inactive) == 0 && inactive <= INT32_MAX;
        else if (text_starts(arg, TEXT("valid=")))
            known = number_parse_sec(text_from(arg, 6), &valid) == 0 && valid <= INT32_MAX;
        if (!known)
            return conf_error(cf, "invalid \"%s\" parameter \"%.*s\"", row->name, TEXT_ARG(arg));
    }
    *(struct log_names_conf **)slot = NULL;
    if (off)
        return NULL;
    if (cache.max == 0)
        return conf_error(cf, "\"%s\" must have \"max\" parameter", row->name);
    struct log_names_conf *kept = arena_alloc(cf->arena, sizeof *kept);
    if (!kept)
        return conf_error(cf, "no memory");
    *kept = cache;
    kept->id = ++http_values(cf)->caches;
    kept->inactive_msec = inactive * 1000;
    kept->valid_msec = valid * 1000;
    *(struct log_names_conf **)slot = kept;
    return NULL;
}

/* ---- writing ---- */

/* What a client put into a path must not lead out of the folder before the first variable, nor look
 * like something else. */
static bool is_safe(const struct template *t, struct text path)
{
    struct text fixed = t->parts[0].text, rest;

    while (fixed.len > 0 && fixed.at[fixed.len - 1] != '/')
        fixed.len--;
    if (path.len < fixed.len || path.len >= PATH_MAX)
        return false;
    rest = text_from(path, fixed.len);
    for (size_t i = 0; i < rest.len; i++)
        if ((unsigned char)rest.at[i] < ' ' || rest.at[i] == 0x7f)
            return false;
    while (rest.len > 0) {
        struct text part = {rest.at, text_find(rest, '/')};
        if (text_equal(part, TEXT("..")))
            return false;
        rest = text_from(rest, part.len < rest.len ? part.len + 1 : rest.len);
    }
    return true;
}

/* Where the line goes; *path: what it begins with, absent: nothing. NULL: nowhere. */
static struct log_file *file_of(struct request *r, const struct access_log *a, struct text *path)
{
    *path = TEXT_NONE;
    if (!a->path)
        return a->file;
    struct log_file *named = r->location->log->named;
    *path = template_text(a->path, r);
    if (path->at && is_safe(a->path, *path))
        return named;
    log_file_refuse(named);
    return NULL;
}

static void write_line(struct request *r, const struct access_log *a)
{
    const struct template *t = a->format->line;
    struct template_part whole = {.text = t->text}, *parts = t->parts ? t->parts : &whole;
    unsigned count = t->parts ? t->count : 1;
    struct text few[32], *values = count <= 32 ? few : arena_alloc(&r->arena, count * sizeof *values);
    struct text path;
    struct log_file *file = file_of(r, a, &path);
    size_t bound = 1 + (path.at ? path.len + 1 : 0);

    if (!values || !file)
        return;
    for (unsigned i = 0; i < count; i++) {
        values[i] = parts[i].text;
        if (!parts[i].variable) {
            bound += values[i].len;
            continue;
        }
        parts[i].variable->get(r, parts[i].variable->data, &values[i]);
        if (!values[i].at && a->format->escape == ESCAPE_DEFAULT)
            values[i] = TEXT("-");
        bound += bound + LOG_ESCAPED_MOST * values[i].len <= USUAL_LINE ? LOG_ESCAPED_MOST * values[i].len
                                                                        : log_escaped_len(values[i], a->format->escape);
    }
    char *line = log_file_reserve(file, bound), *to = line;
    if (!line)
        return;
    if (path.at) {
        memcpy(to, path.at, path.len + 1); /* with its NUL */
        to += path.len + 1;
    }
    for (unsigned i = 0; i < count; i++)
        to = log_put_escaped(to, values[i], parts[i].variable ? a->format->escape : ESCAPE_NONE);
    *to++ = '\n';
    log_file_commit(file, (size_t)(to - line));
}

void access_log_write(struct request *r)
{
    if (!r->location)
        return;
    for (const struct access_log *a = r->location->log->logs; a; a = a->next) {
        if (a->condition) {
            struct text value = template_text(a->condition, r);
            if (value.len == 0 || text_equal(value, TEXT("0")))
                continue;
        }
        write_line(r, a);
    }
}

/* Without access_log: where the installation logs to; a build that was never installed has no such
 * folder, and goes on. */
static const char *open_default(struct conf *cf, struct log_values *http)
{
    struct access_log *a = arena_zalloc(cf->arena, sizeof *a);
    if (!a)
        return conf_error(cf, "no memory");
    int rc = log_file_open(&a->file, SLUICE_ACCESS_LOG_PATH, 0, 0);
    if (rc < 0) {
        conf_warn(cf, "requests are not logged: open() \"" SLUICE_ACCESS_LOG_PATH "\" failed (%d: %s)", -rc,
                  strerror(-rc));
        return NULL;
    }
    http->conf.logs = a;
    if (arena_at_fini(cf->arena, on_close, a->file) < 0)
        return conf_error(cf, "no memory");
    const char *error = find_or_combined(cf, TEXT("combined"), &a->format);
    return error ? error : variables_finish(cf, http_main_at(cf)->variables);
}

/* What takes the lines of this block's logs with variables, if it has some. */
static const char *open_named(struct conf *cf, struct log_values *v)
{
    static const struct log_names_conf off = {.max = 0};
    const struct access_log *a = v->conf.logs;

    v->conf.named = NULL;
    while (a && !a->path)
        a = a->next;
    if (!a)
        return NULL;
    int rc = log_file_open_names(&v->conf.named, v->cache ? v->cache : &off);
    if (rc < 0 || arena_at_fini(cf->arena, on_close, v->conf.named) < 0)
        return conf_error(cf, "no memory");
    return NULL;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct log_values *v = values;
    struct location *l = location_of(block);

    if (l)
        l->log = &v->conf;
    if (v->conf.given)
        return open_named(cf, v);
    if (block->context == CONF_HTTP)
        return open_default(cf, v);
    v->conf.logs = http_values(cf)->conf.logs;
    return NULL;
}

static const struct conf_row rows[] = {
    {"log_format", CONF_HTTP, CONF_2MORE | CONF_REPEAT, set_format,
     .syntax = "name [escape=default|json|none] string ...",
     .help = "Names a format of access log lines; `combined` is built in.",
     .differs = "With `escape=json`, bytes that are not UTF-8 become U+FFFD."},
    {"access_log", CONF_HTTP_ALL | CONF_IF, CONF_1MORE | CONF_REPEAT, set_access_log,
     CONF_SLOT(struct log_values, conf),
     .syntax = "path [format [buffer=size] [flush=time] [gzip[=level]] [if=condition]] | off",
     .help = "Where requests are logged. A separate thread writes the lines; a line that does not fit its buffer is "
             "dropped and counted.",
     .differs = "Variables in the path: the files are made by the user of the workers, in the last folder before the "
                "first variable or below, which must be there when the workers start. Whether the root exists is not "
                "checked. A line is dropped when a value would lead out with `..` or holds a control byte, or when the "
                "path is not that of a regular file. Lines of refused requests have what was understood of them, up to "
                "the first malformed part. Either all lines for the same file have `gzip`, or none. With `gzip`, lines "
                "wait a second at most, unless `flush` says otherwise. Without this directive lines go to the log "
                "folder of the installation, if it is there."},
    {"open_log_file_cache", CONF_HTTP_ALL, CONF_TAKE1 | CONF_TAKE2 | CONF_TAKE3 | CONF_TAKE4, set_cache,
     CONF_SLOT(struct log_values, cache), .dflt = "off",
     .syntax = "off | max=N [inactive=time] [min_uses=N] [valid=time]",
     .help = "Logs with variables in their paths: up to max files per worker stay open, when used min_uses times (1) "
             "without a pause of the inactive time (10s); after the valid time (60s) the path is looked up again. "
             "Without it a file is opened for each batch of lines."},
    {.name = NULL},
};

struct conf_module log_module = {
    .name = "Logs",
    .rows = rows,
    .size = sizeof(struct log_values),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
