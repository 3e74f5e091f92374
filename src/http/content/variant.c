/* variant.c - which side files a request may get, and what comes of those that are there. See
 * variant.h; called by steps.c. */
#include "http/content/variant.h"

#include "http/content/gzip.h"
#include "http/request/request.h"

static const struct conf_enum modes[] = {
    {"off", VARIANT_OFF}, {"on", VARIANT_ON}, {"always", VARIANT_ALWAYS}, {NULL, 0}};

static bool is_configured(const struct variant_conf *conf)
{
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (conf->mode[c] != VARIANT_OFF)
            return true;
    return false;
}

/* gzip_vary says it for .gz, as nginx has it; for the others it is always said. */
static bool shall_vary(const struct request *r, enum coding c)
{
    return r->location->variants->mode[c] == VARIANT_ON && (c != CODING_GZIP || r->location->gzip->vary);
}

unsigned variant_looks(struct request *r, struct variant_look out[2 * CODINGS])
{
    const struct variant_conf *conf = r->location->variants;
    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);
    unsigned mask = 0, count = 0;
    enum coding ranked[CODINGS];

    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (conf->mode[c] != VARIANT_OFF && (c != CODING_GZIP || gzip_accepted(r)))
            mask |= 1u << c;
    unsigned taken = accept_encoding_rank(&accept, mask, ranked);
    mask = 0;
    for (; count < taken; count++) {
        enum coding c = ranked[count];
        out[count] = (struct variant_look){c, true, shall_vary(r, c)};
        mask |= 1u << c;
    }
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (!(mask & 1u << c) && shall_vary(r, c))
            out[count++] = (struct variant_look){c, false, true};
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (!(mask & 1u << c) && conf->mode[c] == VARIANT_ALWAYS)
            out[count++] = (struct variant_look){c, true, false};
    return count;
}

bool variant_matters(const struct request *r, const struct variant_look *look)
{
    bool chosen = r->out.coding != CODING_NONE;
    return (look->usable && !chosen) || (look->varies && !r->out.vary);
}

struct text variant_path(struct request *r, const struct variant_look *look)
{
    struct text base = r->path, suffix = coding_suffix(look->coding);

    base.len -= coding_suffix(r->out.coding).len; /* of one that is chosen already */
    return base.at ? text_of(arena_printf(&r->arena, "%.*s%.*s", TEXT_ARG(base), TEXT_ARG(suffix))) : TEXT_NONE;
}

void variant_found(struct request *r, const struct variant_look *look, struct text path, struct file *f)
{
    if (!f || f->kind != FILE_REGULAR) {
        if (f && f->kind == FILE_OTHER)
            request_log(r, LEVEL_CRIT, 0, "\"%.*s\" is not a regular file", TEXT_ARG(path));
        file_release(f);
        return;
    }
    r->out.vary |= look->varies;
    if (!look->usable || r->out.coding != CODING_NONE) {
        file_release(f);
        return;
    }
    file_release(r->file);
    r->file = f;
    r->path = path;
    r->out.coding = look->coding;
}

#define MODE(c) CONF_SLOT(struct variant_conf, mode[c])

static const struct conf_row rows[] = {
    {"gzip_static", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, MODE(CODING_GZIP), .extra = modes, .dflt = "off",
     .help = "Sends FILE.gz instead of FILE to clients that accept gzip; always: to every client. Of several side "
             "files, the one whose coding has the highest weight in Accept-Encoding is sent; with equal weights .br, "
             "then .zst, then .gz.",
     .differs = "Ranges of the side file are served, and its entity tag is marked: -gz."},
    {"brotli_static", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, MODE(CODING_BR), .extra = modes, .dflt = "off",
     .help = "The same for FILE.br and Brotli. Vary: Accept-Encoding is sent wherever FILE.br exists."},
    {"zstd_static", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, MODE(CODING_ZSTD), .extra = modes, .dflt = "off",
     .help = "The same for FILE.zst and Zstandard."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->variants = is_configured(values) ? values : NULL;
    return NULL;
}

struct conf_module variant_module = {
    .name = "Side files",
    .rows = rows,
    .size = sizeof(struct variant_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
