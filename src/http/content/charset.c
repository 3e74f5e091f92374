/* charset.c - charset, source_charset, charset_map: rows, and what they mean for a response. See
 * charset.h; called by content.c. */
#include "http/content/charset.h"

#include "http/core/core.h"
#include "http/request/request.h"
#include "http/syntax/field.h"

#include <errno.h>

static const char *const default_types[] = {
    "text/html", "text/xml", "text/plain", "text/vnd.wap.wml", "application/javascript", "application/rss+xml", NULL};

/* Of the defaults, what stays where charset_types says which ones. */
static const char *const fixed_types[] = {"text/html", NULL};

static const char *set_charset(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct charset *c = slot;
    struct text value = cf->args[1];

    if (text_equal(value, TEXT("off")) && !text_equal(text_of(row->name), TEXT("source_charset")))
        return NULL;
    if (value.len == 0)
        return conf_error(cf, "invalid value \"\" in \"%s\" directive", row->name);
    if (text_find(value, '$') < value.len)
        return template_compile_field(cf, http_main_at(cf)->variables, value, &c->variable);
    c->name = field_fold(value, cf->arena);
    return NULL;
}

/* ---- charset_map from to { 80 D182; ... } ---- */

/* Pairs of hex digits to bytes; their number, 0 where they are none or too many. */
static size_t hex_bytes(struct text t, unsigned char *out, size_t most)
{
    if (t.len == 0 || t.len % 2 || t.len / 2 > most)
        return 0;
    for (size_t i = 0; i < t.len; i++) {
        char c = text_lower(t.at[i]);
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return 0;
        out[i / 2] = (unsigned char)((i % 2 ? out[i / 2] << 4 : 0) | digit);
    }
    return t.len / 2;
}

static const char *on_line(struct conf *cf, void *arg)
{
    struct charset_map *map = arg;
    unsigned char from, to[3];

    if (cf->count != 2)
        return conf_error(cf, "invalid parameters number");
    if (hex_bytes(cf->args[0], &from, 1) == 0)
        return conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(cf->args[0]));
    size_t len = hex_bytes(cf->args[1], to, sizeof to);
    int rc = recode_pair_add(&map->tables, from, (struct text){(char *)to, len}, cf->arena);
    if (rc == -ENOMEM)
        return conf_error(cf, "no memory");
    return rc < 0 ? conf_error(cf, "invalid value \"%.*s\"", TEXT_ARG(cf->args[1])) : NULL;
}

static const char *set_map(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct charset_map **end = slot, *map;
    struct text from = cf->args[1], to = cf->args[2];

    (void)row;
    if (text_equal_nocase(from, to))
        return conf_error(cf, "\"charset_map\" between the same charsets \"%.*s\" and \"%.*s\"", TEXT_ARG(from),
                          TEXT_ARG(to));
    for (; *end; end = &(*end)->next) {
        bool same = text_equal_nocase((*end)->from, from) && text_equal_nocase((*end)->to, to);
        bool reverse = text_equal_nocase((*end)->from, to) && text_equal_nocase((*end)->to, from);
        if (same || reverse)
            return conf_error(cf, "duplicate \"charset_map\" between \"%.*s\" and \"%.*s\"", TEXT_ARG(from),
                              TEXT_ARG(to));
    }
    map = arena_zalloc(cf->arena, sizeof *map);
    if (!map || recode_pair_create(&map->tables, text_equal_nocase(to, TEXT("utf-8")), cf->arena) < 0)
        return conf_error(cf, "no memory");
    map->from = from;
    map->to = to;
    *end = map;
    return conf_lines(cf, on_line, map);
}

/* The table from one to the other; NULL: there is none. */
static const struct recode *find_table(const struct charset_conf *conf, struct text from, struct text to)
{
    for (const struct charset_map *m = conf->maps; m; m = m->next) {
        if (text_equal_nocase(m->from, from) && text_equal_nocase(m->to, to))
            return m->tables.to;
        if (text_equal_nocase(m->from, to) && text_equal_nocase(m->to, from))
            return m->tables.from;
    }
    return NULL;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct charset_conf *conf = values;
    struct text from = conf->source.name, to = conf->charset.name;
    struct location *l = location_of(block);

    if (l) {
        l->charset = conf;
        l->rewrites_content |= charset_configured(conf);
    }
    if (block->context == CONF_HTTP || !from.at || !to.at || text_equal_nocase(from, to) || find_table(conf, from, to))
        return NULL;
    return conf_error(cf, "no \"charset_map\" between the charsets \"%.*s\" and \"%.*s\"", TEXT_ARG(from),
                      TEXT_ARG(to));
}

/* ---- at run time ---- */

static struct text name_of(struct request *r, const struct charset *c)
{
    if (!c->variable)
        return c->name;
    struct text name = template_field(c->variable, r);
    return name.len > 0 ? name : TEXT_NONE;
}

struct text charset_choose(struct request *r, const struct recode **table)
{
    const struct charset_conf *conf = r->location->charset;

    *table = NULL;
    if (r->out.type.len == 0 || !type_set_has(conf->types, default_types, r->out.type))
        return TEXT_NONE;
    struct text to = name_of(r, &conf->charset), from = name_of(r, &conf->source);
    if (!to.at || !from.at || text_equal_nocase(from, to))
        return to;
    if (r->out.coding != CODING_NONE && !r->out.plan.decoded)
        return TEXT_NONE;
    *table = find_table(conf, from, to);
    if (*table)
        return to;
    request_log(r, LEVEL_ERROR, 0, "no \"charset_map\" between the charsets \"%.*s\" and \"%.*s\"", TEXT_ARG(from),
                TEXT_ARG(to));
    return TEXT_NONE;
}

#define SLOT(field) CONF_SLOT(struct charset_conf, field)

static const struct conf_row rows[] = {
    {"charset", CONF_HTTP_ALL | CONF_IF, CONF_TAKE1, set_charset, SLOT(charset), .dflt = "off",
     .syntax = "charset | off",
     .help = "The charset that Content-Type names; with source_charset, also the one that texts are recoded to.",
     .differs = "Content-Type names the charset as its own directive spells it; nginx uses the first spelling of a "
                "name everywhere."},
    {"source_charset", CONF_HTTP_ALL | CONF_IF, CONF_TAKE1, set_charset, SLOT(source), .syntax = "charset",
     .help =
         "The charset that files are written in; where it is not that of charset, they are recoded by charset_map, and "
         "kept for the next client in gzip_cache."},
    {"charset_types", CONF_HTTP_ALL, CONF_1MORE | CONF_REPEAT, type_set_add, SLOT(types), .extra = fixed_types,
     .syntax = "mime-type ...",
     .help = "Media types that get a charset besides text/html; * is every type. Without this line: text/xml, "
             "text/plain, text/vnd.wap.wml, application/javascript and application/rss+xml.",
     .differs = "text/javascript, application/javascript and application/x-javascript are one type."},
    {"charset_map", CONF_HTTP, CONF_TAKE2 | CONF_BLOCK | CONF_REPEAT, set_map, SLOT(maps),
     .syntax = "charset1 charset2 { ... }",
     .help = "A table between two charsets, in hex: `80 E282AC;`. Where the second is utf-8, its values are bytes of "
             "UTF-8."},
    {"override_charset", CONF_HTTP_ALL | CONF_IF, CONF_FLAG, conf_set_accepted,
     .help = "Accepted; it concerns responses of upstream servers only."},
    {.name = NULL},
};

struct conf_module charset_module = {
    .name = "Character sets",
    .rows = rows,
    .size = sizeof(struct charset_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
