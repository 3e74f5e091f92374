/* limits_conf.c - the directives of limit_req, limit_conn and limit_rate, and the shared memory
 * behind them. */
#include "base/number.h"
#include "http/core/core.h"
#include "http/limit/limits_private.h"

#include <errno.h>
#include <unistd.h>

/* ---- zones ---- */

static struct limits_conf *http_values(const struct conf *cf)
{
    return conf_values(http_main_at(cf)->block, &limits_module);
}

static const char *kind_name(enum limit_kind kind)
{
    return kind == LIMIT_REQ ? "limit_req" : "limit_conn";
}

/* The zone of that name, declared before, or later, or never: finish() finds out. */
static const char *name_zone(struct conf *cf, struct text name, enum limit_kind kind, struct limit_zone **out)
{
    struct limit_zone **at = &http_values(cf)->zones;

    while (*at && !text_equal((*at)->name, name))
        at = &(*at)->next;
    if (*at && (*at)->kind != kind)
        return conf_error(cf, "the shared memory zone \"%.*s\" is already declared for a different use",
                          TEXT_ARG(name));
    if (!*at) {
        *at = arena_zalloc(cf->arena, sizeof **at);
        if (!*at)
            return conf_error(cf, "no memory");
        **at = (struct limit_zone){.name = name, .kind = kind, .file = cf->file, .line = cf->line};
    }
    *out = *at;
    return NULL;
}

/* zone=name:size */
static const char *parse_zone(struct conf *cf, struct text arg, struct text *name, int64_t *size)
{
    struct text value = text_from(arg, sizeof "zone=" - 1);
    size_t colon = text_find(value, ':');
    uint64_t bytes;

    *name = text_of(arena_copy(cf->arena, value.at, colon));
    if (!name->at)
        return conf_error(cf, "no memory");
    if (colon == 0 || colon == value.len || number_parse_size(text_from(value, colon + 1), &bytes) < 0 ||
        bytes > INT64_MAX / 4)
        return conf_error(cf, "invalid zone size \"%.*s\"", TEXT_ARG(arg));
    if (bytes < 8 * (uint64_t)sysconf(_SC_PAGESIZE))
        return conf_error(cf, "zone \"%.*s\" is too small", TEXT_ARG(arg));
    *size = (int64_t)bytes;
    return NULL;
}

/* Nr/s or Nr/m, in thousandths per second. */
static const char *parse_rate(struct conf *cf, struct text value, int64_t *rate)
{
    bool minutes = text_ends(value, TEXT("r/m"));
    struct text digits = value;
    uint64_t n;

    if (minutes || text_ends(value, TEXT("r/s")))
        digits.len -= 3;
    if (number_parse(text_from(digits, sizeof "rate=" - 1), &n) < 0 || n == 0 || n > INT32_MAX)
        return conf_error(cf, "invalid rate \"%.*s\"", TEXT_ARG(value));
    *rate = (int64_t)n * 1000 / (minutes ? 60 : 1);
    return NULL;
}

static const char *declare(struct conf *cf, enum limit_kind kind, struct text name, int64_t size, int64_t rate)
{
    struct limit_zone *z;
    const char *error = name_zone(cf, name, kind, &z);

    if (error)
        return error;
    if (z->key)
        return conf_error(cf, "%s \"%.*s\" is already bound to key \"%.*s\"", cf->args[0].at, TEXT_ARG(name),
                          TEXT_ARG(z->key->text));
    z->size = size;
    z->rate = rate;
    return template_compile(cf, http_main_at(cf)->variables, cf->args[1], &z->key);
}

static const char *set_zone(struct conf *cf, const struct conf_row *row, void *slot)
{
    enum limit_kind kind = (enum limit_kind)(uintptr_t)row->extra;
    struct text name = TEXT_NONE;
    int64_t size = 0, rate = 1000;

    (void)slot;
    for (unsigned i = 2; i < cf->count; i++) {
        struct text arg = cf->args[i];
        const char *error = NULL;
        if (text_starts(arg, TEXT("zone=")))
            error = parse_zone(cf, arg, &name, &size);
        else if (kind == LIMIT_REQ && text_starts(arg, TEXT("rate=")))
            error = parse_rate(cf, arg, &rate);
        else
            error = conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(arg));
        if (error)
            return error;
    }
    if (!name.at)
        return conf_error(cf, "\"%s\" must have \"zone\" parameter", row->name);
    return declare(cf, kind, name, size, rate);
}

static void on_release(void *arg)
{
    zone_release(arg);
}

/* The memory itself: that of the earlier configuration where nothing about it has changed. */
static const char *open_zone(struct conf *cf, struct limit_zone *z)
{
    const char *kind = kind_name(z->kind);

    cf->file = z->file;
    cf->line = z->line;
    if (!z->key)
        return conf_error(cf, "zero size shared memory zone \"%.*s\"", TEXT_ARG(z->name));
    struct text name = text_of(arena_printf(cf->arena, "%s %.*s", kind, TEXT_ARG(z->name)));
    if (!name.at)
        return conf_error(cf, "no memory");
    int rc = zone_acquire(&z->memory, name, (size_t)z->size, z->key->text);
    if (rc == -EEXIST)
        return conf_error(cf, "%s \"%.*s\" uses the \"%.*s\" key while previously it used the \"%.*s\" key",
                          z->kind == LIMIT_REQ ? kind : "limit_conn_zone", TEXT_ARG(z->name), TEXT_ARG(z->key->text),
                          TEXT_ARG(zone_key(z->memory)));
    if (rc < 0)
        return conf_error(cf, "no shared memory for zone \"%.*s\": %s", TEXT_ARG(z->name), strerror(-rc));
    if (arena_at_fini(cf->arena, on_release, z->memory) == 0)
        return NULL;
    zone_release(z->memory);
    return conf_error(cf, "no memory");
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct limits_conf *conf = values;
    struct location *l = location_of(block);
    const char *error = NULL;

    if (l) {
        l->limits = conf->req || conf->conn ? conf : NULL;
        l->min_rate = conf->min_rate.bytes > 0 ? &conf->min_rate : NULL;
        l->limit_rate = conf->rate && !text_equal(conf->rate->text, TEXT("0")) ? conf : NULL;
    }
    if (block->context != CONF_HTTP)
        return NULL;
    for (struct limit_zone *z = conf->zones; z && !error; z = z->next)
        error = open_zone(cf, z);
    return error;
}

/* ---- limits ---- */

static const char *parse_thousandths(struct conf *cf, struct text arg, size_t name, const char *what, int64_t *value)
{
    uint64_t n;

    if (number_parse(text_from(arg, name), &n) < 0 || n == 0 || n > INT32_MAX)
        return conf_error(cf, "invalid %s value \"%.*s\"", what, TEXT_ARG(arg));
    *value = (int64_t)n * 1000;
    return NULL;
}

static const char *set_limit_req(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct req_limit **end = slot, *l = arena_zalloc(cf->arena, sizeof *l);
    const char *error = NULL;

    if (!l)
        return conf_error(cf, "no memory");
    for (unsigned i = 1; i < cf->count && !error; i++) {
        struct text arg = cf->args[i];
        if (text_starts(arg, TEXT("zone=")))
            error = name_zone(cf, text_from(arg, 5), LIMIT_REQ, &l->zone);
        else if (text_starts(arg, TEXT("burst=")))
            error = parse_thousandths(cf, arg, 6, "burst", &l->burst);
        else if (text_starts(arg, TEXT("delay=")))
            error = parse_thousandths(cf, arg, 6, "delay", &l->delay);
        else if (text_equal(arg, TEXT("nodelay")))
            l->delay = INT64_MAX;
        else
            error = conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(arg));
    }
    if (error)
        return error;
    if (!l->zone)
        return conf_error(cf, "\"%s\" must have \"zone\" parameter", row->name);
    for (; *end; end = &(*end)->next)
        if ((*end)->zone == l->zone)
            return conf_error(cf, "\"%s\" directive is duplicate", row->name);
    *end = l;
    return NULL;
}

static const char *set_limit_conn(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct conn_limit **end = slot, *l = arena_zalloc(cf->arena, sizeof *l);
    if (!l)
        return conf_error(cf, "no memory");
    const char *error = name_zone(cf, cf->args[1], LIMIT_CONN, &l->zone);
    if (error)
        return error;
    if (number_parse(cf->args[2], &l->most) < 0 || l->most == 0)
        return conf_error(cf, "invalid number of connections \"%.*s\"", TEXT_ARG(cf->args[2]));
    if (l->most > 65535)
        return conf_error(cf, "connection limit must be less 65536");
    for (; *end; end = &(*end)->next)
        if ((*end)->zone == l->zone)
            return conf_error(cf, "\"%s\" directive is duplicate", row->name);
    *end = l;
    return NULL;
}

/* A size that may hold variables. */
static const char *set_size_template(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct template **out = slot;
    uint64_t bytes;
    const char *error = template_compile(cf, http_main_at(cf)->variables, cf->args[1], out);

    if (!error && template_is_constant(*out) && number_parse_size(cf->args[1], &bytes) < 0)
        return conf_error(cf, "\"%s\" directive invalid value", row->name);
    return error;
}

static const struct conf_enum levels[] = {
    {"info", LEVEL_INFO}, {"notice", LEVEL_NOTICE}, {"warn", LEVEL_WARN}, {"error", LEVEL_ERROR}, {NULL, 0}};
static const struct conf_bounds statuses = {.least = 400, .most = 599};

#define SLOT(field) CONF_SLOT(struct limits_conf, field)

static const struct conf_row rows[] = {
    {"limit_req_zone", CONF_HTTP, CONF_TAKE3 | CONF_REPEAT, set_zone, .extra = (const void *)LIMIT_REQ,
     .syntax = "key zone=name:size rate=rate",
     .help = "A shared memory zone that counts the requests of each key, and how many a second (r/s) or minute (r/m) "
             "are allowed; keys that were not seen for long are forgotten.",
     .differs = "A megabyte holds about 20000 keys of any length. No sync."},
    {"limit_req", CONF_HTTP_ALL, CONF_TAKE1 | CONF_TAKE2 | CONF_TAKE3 | CONF_REPEAT, set_limit_req, SLOT(req),
     .syntax = "zone=name [burst=number] [nodelay | delay=number]",
     .help = "Requests faster than the zone's rate are delayed, and refused when more than `burst` are ahead of it."},
    {"limit_req_status", CONF_HTTP_ALL, CONF_TAKE1, conf_set_number, SLOT(req_status), .extra = &statuses,
     .dflt = "503", .help = "Status of requests that limit_req refuses."},
    {"limit_req_log_level", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, SLOT(req_level), .extra = levels, .dflt = "error",
     .help = "Level of log lines about refused requests; lines about delayed requests are one level lower."},
    {"limit_req_dry_run", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, SLOT(req_dry_run), .dflt = "off",
     .help = "Requests are counted and logged, but neither delayed nor refused."},
    {"limit_conn_zone", CONF_HTTP, CONF_TAKE2 | CONF_REPEAT, set_zone, .extra = (const void *)LIMIT_CONN,
     .syntax = "key zone=name:size",
     .help = "A shared memory zone that counts the requests of each key that are being served.",
     .differs = "The counts of a killed worker go with it. A megabyte holds about 20000 keys of any length, less with "
                "many workers."},
    {"limit_conn", CONF_HTTP_ALL, CONF_TAKE2 | CONF_REPEAT, set_limit_conn, SLOT(conn), .syntax = "zone number",
     .help = "How many requests of a key may be served at the same time."},
    {"limit_conn_status", CONF_HTTP_ALL, CONF_TAKE1, conf_set_number, SLOT(conn_status), .extra = &statuses,
     .dflt = "503", .help = "Status of requests that limit_conn refuses."},
    {"limit_conn_log_level", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, SLOT(conn_level), .extra = levels,
     .dflt = "error", .help = "Level of log lines about requests that limit_conn refuses."},
    {"limit_conn_dry_run", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, SLOT(conn_dry_run), .dflt = "off",
     .help = "Requests are counted and logged, but not refused."},
    {"limit_rate", CONF_HTTP_ALL | CONF_IF, CONF_TAKE1, set_size_template, SLOT(rate), .syntax = "rate",
     .help = "Bytes per second of a response; 0: as fast as the client takes it. May hold variables.",
     .differs = "The bytes go out in up to four pieces a second, not one."},
    {"limit_rate_after", CONF_HTTP_ALL | CONF_IF, CONF_TAKE1, set_size_template, SLOT(rate_after), .syntax = "size",
     .help = "The first bytes of a response, which limit_rate does not slow down. May hold variables."},
    {"send_min_rate", CONF_HTTP_ALL, CONF_TAKE12, min_rate_set, SLOT(min_rate), .dflt = "0", .syntax = "size [time]",
     .help = "Bytes per second that a client must take of a response, over `time` (30s) of waiting for it; one that "
             "takes fewer is cut off by a reset. Waits for the disk and for limit_rate do not count. 0: only "
             "send_timeout limits how slow a client may be.",
     .differs = "nginx has no such directive"},
    {.name = NULL},
};

struct conf_module limits_module = {
    .name = "Limits",
    .rows = rows,
    .size = sizeof(struct limits_conf),
    .levels = CONF_HTTP_ALL | CONF_IF,
    .finish = finish,
};
