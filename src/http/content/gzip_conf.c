/* gzip_conf.c - the directives of gzip, Brotli, Zstandard and gunzip. See gzip.h. */
#include "http/content/gzip.h"

#include "base/number.h"
#include "http/core/core.h"
#include "http/syntax/message.h"

#include <limits.h>

struct codec_library {
    const char *name, *option;
    const bool *is_here;
};

/* extra: the library. */
static const char *set_codec_flag(struct conf *cf, const struct conf_row *row, void *slot)
{
    const struct codec_library *library = row->extra;
    const char *error = conf_set_flag(cf, row, slot);

    if (!error && *(bool *)slot && !*library->is_here)
        return conf_error(cf, "\"%s\" needs %s, and this sluice is built without it (%s=0)", row->name, library->name,
                          library->option);
    return error;
}

/* Below 0 it is faster still. 0 is none: the library takes it for its own default. */
static const char *set_zstd_level(struct conf *cf, const struct conf_row *row, void *slot)
{
    int least = codec_zstd_level_least(), most = codec_zstd_level_most();
    struct text word = cf->args[1];
    bool minus = text_starts(word, TEXT("-"));
    uint64_t value;

    if (number_parse(text_from(word, minus), &value) < 0 || value == 0)
        return conf_error(cf, "\"%s\" directive invalid number", row->name);
    if (value > (uint64_t)(minus ? -(int64_t)least : most))
        return conf_error(cf, "\"%s\" must be between %d and %d", row->name, least, most);
    *(int64_t *)slot = minus ? -(int64_t)value : (int64_t)value;
    return NULL;
}

/* A size to the bits that count it: 32k is 15. extra: bounds. */
static const char *set_bits(struct conf *cf, const struct conf_row *row, void *slot)
{
    int64_t size = 0;
    int *bits = slot;
    const char *error = conf_set_size(cf, row, &size);

    if (error)
        return error;
    for (*bits = 0; size > 1; size /= 2)
        ++*bits;
    return NULL;
}

/* gzip_hash is in bytes, as nginx counts: deflate's hash has two for each entry, and 7 bits more of
 * entries than its memory level. */
static const char *set_hash(struct conf *cf, const struct conf_row *row, void *slot)
{
    enum { HASH_BITS = 7 + 1 };
    int *memory = slot;
    const char *error = set_bits(cf, row, slot);

    *memory -= error ? 0 : HASH_BITS;
    return error;
}

static const char *set_proxied(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const struct {
        struct text word;
        unsigned bit;
    } words[] = {
        {{"off", 3}, PROXIED_OFF},           {{"expired", 7}, PROXIED_EXPIRED},
        {{"no-cache", 8}, PROXIED_NO_CACHE}, {{"no-store", 8}, PROXIED_NO_STORE},
        {{"private", 7}, PROXIED_PRIVATE},   {{"no_last_modified", 16}, PROXIED_NO_LAST_MODIFIED},
        {{"no_etag", 7}, PROXIED_NO_ETAG},   {{"auth", 4}, PROXIED_AUTH},
        {{"any", 3}, PROXIED_ANY},
    };
    enum { WORDS = sizeof words / sizeof *words };
    unsigned *mask = slot;

    *mask = 0;
    for (unsigned i = 1; i < cf->count; i++) {
        unsigned w = 0;
        while (w < WORDS && !text_equal(words[w].word, cf->args[i]))
            w++;
        if (w == WORDS)
            return conf_error(cf, "invalid value \"%.*s\" in \"%s\" directive", TEXT_ARG(cf->args[i]), row->name);
        if (*mask & words[w].bit)
            conf_warn(cf, "duplicate value \"%.*s\"", TEXT_ARG(cf->args[i]));
        *mask |= words[w].bit;
    }
    return NULL;
}

static const char *set_disable(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct gzip_disable *d = slot;
    struct gzip_pattern **end = &d->patterns;

    (void)row;
    for (unsigned i = 1; i < cf->count; i++) {
        if (text_equal(cf->args[i], TEXT("msie6"))) {
            d->msie6 = true;
            continue;
        }
        struct gzip_pattern *p = arena_zalloc(cf->arena, sizeof *p);
        const char *error = "no memory";
        if (!p || pattern_compile(&p->pattern, cf->args[i], true, cf->arena, &error) < 0)
            return conf_error(cf, "%s", error);
        *end = p;
        end = &p->next;
    }
    return NULL;
}

enum { CACHE_AUTO = 8 << 20 }; /* where there is room */

static const char *set_cache(struct conf *cf, const struct conf_row *row, void *slot)
{
    if (!text_equal(cf->args[1], TEXT("auto")))
        return conf_set_size_or_off(cf, row, slot);
    *(int64_t *)slot = conf_fit(cf, CACHE_AUTO, 8);
    return NULL;
}

const char *const gzip_default_types[] = {"text/html", NULL};
static const struct codec_library zlib = {"zlib", "ZLIB", &codec_has_zlib};
static const struct codec_library brotli = {"Brotli's library", "BROTLI", &codec_has_brotli};
static const struct codec_library zstd = {"libzstd", "ZSTD", &codec_has_zstd};
static const struct conf_bounds quality_bounds = {.least = 0, .most = 11};
static const struct conf_bounds brotli_window_bounds = {.least = 1 << 10, .most = 1 << 24, .power_of_two = true};
static const struct conf_bounds level_bounds = {.least = 1, .most = 9};
static const struct conf_bounds window_bounds = {.least = 512, .most = 32768, .power_of_two = true};
static const struct conf_bounds hash_bounds = {.least = 512, .most = 131072, .power_of_two = true};
static const struct conf_bounds buffer_bounds = {.least = 512, .most = 1 << 20};
static const struct conf_bounds cache_bounds = {.least = 64 << 10, .most = INT64_C(1) << 40};
static const struct conf_enum versions[] = {{"1.0", PROTOCOL_1_0}, {"1.1", PROTOCOL_1_1}, {NULL, 0}};

#define SLOT(field)   CONF_SLOT(struct gzip_conf, field)
#define GZIP(field)   SLOT(encodings[CODING_GZIP].field)
#define BROTLI(field) SLOT(encodings[CODING_BR].field)
#define ZSTD(field)   SLOT(encodings[CODING_ZSTD].field)

static const struct conf_row rows[] = {
    {"gzip", CONF_HTTP_ALL | CONF_IF, CONF_FLAG, set_codec_flag, GZIP(on), .extra = &zlib, .dflt = "off",
     .help = "Compress responses on the fly; long ones on threads of the pool.",
     .differs = "`*` in Accept-Encoding stands for gzip, too, and identity is sent where the client gives it a higher "
                "weight than gzip."},
    {"gzip_types", CONF_HTTP_ALL, CONF_1MORE | CONF_REPEAT, type_set_add, GZIP(types), .extra = gzip_default_types,
     .syntax = "mime-type ...", .help = "Media types to compress besides text/html; * is every one.",
     .differs = "text/javascript, application/javascript and application/x-javascript are one type."},
    {"gzip_min_length", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, GZIP(min_length), .dflt = "20", .syntax = "length",
     .help = "Shorter responses are not compressed."},
    {"gzip_comp_level", CONF_HTTP_ALL, CONF_TAKE1, conf_set_number, GZIP(level), .extra = &level_bounds, .dflt = "1",
     .syntax = "level", .help = "From 1, the fastest, to 9, the smallest."},
    {"gzip_buffers", CONF_HTTP_ALL, CONF_TAKE2, conf_set_bufs, SLOT(buffers), .extra = &buffer_bounds, .dflt = "32 4k",
     .syntax = "number size", .help = "Most compressed bytes held per response, and most uncompressed ones.",
     .differs = "It is one buffer of number times size, at most 1m."},
    {"gzip_window", CONF_HTTP_ALL, CONF_TAKE1, set_bits, GZIP(window_bits), .extra = &window_bounds, .dflt = "32k",
     .syntax = "size", .help = "How far back the compressor looks."},
    {"gzip_hash", CONF_HTTP_ALL, CONF_TAKE1, set_hash, SLOT(memory), .extra = &hash_bounds, .dflt = "64k",
     .syntax = "size", .help = "Size of the compressor's hash table."},
    {"gzip_cache", CONF_HTTP, CONF_TAKE1, set_cache, SLOT(cache), .extra = &cache_bounds, .dflt = "auto",
     .syntax = "size | auto | off",
     .help = "What gzip, brotli, zstd, gunzip and charset_map make of files is kept for the next client, up to this "
             "many bytes per "
             "worker, the least recently used leaving first; one of more than an eighth of it is not. It is made anew "
             "from a file that changed, and not kept yet of one that changed in the last two seconds. `auto`: 8m, or "
             "less, at most an eighth of a worker's share of the memory that its cgroup may use.",
     .differs = "nginx has no such directive"},
    {"gzip_no_buffer", CONF_HTTP_ALL, CONF_FLAG, conf_set_accepted, .help = "Accepted; it has no meaning here."},
    {"postpone_gzipping", CONF_HTTP_ALL, CONF_TAKE1, conf_set_accepted, .syntax = "size",
     .help = "Accepted; it has no meaning here."},
    {"gzip_vary", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, SLOT(vary), .dflt = "off",
     .help = "Send Vary: Accept-Encoding where gzip, brotli, zstd, gzip_static or gunzip choose by it.",
     .differs = "A 304 of gzip or gunzip has the field, too."},
    {"gzip_http_version", CONF_HTTP_ALL, CONF_TAKE1, conf_set_enum, SLOT(http_version), .extra = versions,
     .dflt = "1.1", .syntax = "1.0 | 1.1",
     .help = "Oldest version of requests that get gzip, or Brotli or Zstandard on the fly."},
    {"gzip_proxied", CONF_HTTP_ALL, CONF_1MORE, set_proxied, SLOT(proxied), .dflt = "off",
     .syntax = "off | expired | no-cache | no-store | private | no_last_modified | no_etag | auth | any ...",
     .help = "Which responses to requests with a Via field are compressed."},
    {"gzip_disable", CONF_HTTP_ALL, CONF_1MORE, set_disable, SLOT(disable), .syntax = "regex ... | msie6",
     .help = "User agents whose responses are not compressed on the fly, and that get no .gz."},
    {"brotli", CONF_HTTP_ALL | CONF_IF, CONF_FLAG, set_codec_flag, BROTLI(on), .extra = &brotli, .dflt = "off",
     .help = "Compress responses by Brotli on the fly for clients that accept it, under the same conditions as gzip: "
             "gzip_http_version, gzip_proxied, gzip_disable, gzip_vary, gzip_buffers, gzip_cache. Of brotli, zstd and "
             "gzip, the coding with the highest weight in Accept-Encoding is taken; with equal weights in this order. "
             "A side file goes first.",
     .differs = "As in ngx_brotli, to which gzip_http_version, gzip_proxied and gzip_disable mean nothing."},
    {"brotli_types", CONF_HTTP_ALL, CONF_1MORE | CONF_REPEAT, type_set_add, BROTLI(types), .extra = gzip_default_types,
     .syntax = "mime-type ...", .help = "Media types for brotli besides text/html; * is every one."},
    {"brotli_min_length", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, BROTLI(min_length), .dflt = "20",
     .syntax = "length", .help = "Shorter responses are not compressed by Brotli."},
    {"brotli_comp_level", CONF_HTTP_ALL, CONF_TAKE1, conf_set_number, BROTLI(level), .extra = &quality_bounds,
     .dflt = "6", .syntax = "level", .help = "From 0, the fastest, to 11, the smallest."},
    {"brotli_window", CONF_HTTP_ALL, CONF_TAKE1, set_bits, BROTLI(window_bits), .extra = &brotli_window_bounds,
     .dflt = "512k", .syntax = "size", .help = "How far back Brotli looks, from 1k to 16m; less in shorter bodies."},
    {"brotli_buffers", CONF_HTTP_ALL, CONF_TAKE2, conf_set_accepted, .syntax = "number size",
     .help = "Accepted; gzip_buffers counts."},
    {"zstd", CONF_HTTP_ALL | CONF_IF, CONF_FLAG, set_codec_flag, ZSTD(on), .extra = &zstd, .dflt = "off",
     .help = "The same by Zstandard.",
     .differs = "As in zstd-nginx-module, to which gzip_http_version, gzip_proxied and gzip_disable mean nothing."},
    {"zstd_types", CONF_HTTP_ALL, CONF_1MORE | CONF_REPEAT, type_set_add, ZSTD(types), .extra = gzip_default_types,
     .syntax = "mime-type ...", .help = "Media types for zstd besides text/html; * is every one."},
    {"zstd_min_length", CONF_HTTP_ALL, CONF_TAKE1, conf_set_size, ZSTD(min_length), .dflt = "20", .syntax = "length",
     .help = "Shorter responses are not compressed by Zstandard."},
    {"zstd_comp_level", CONF_HTTP_ALL, CONF_TAKE1, set_zstd_level, ZSTD(level), .dflt = "1", .syntax = "level",
     .help = "From 1 to 22, the smallest; below 0 faster and larger. The window is at most 8m (RFC 9659)."},
    {"zstd_buffers", CONF_HTTP_ALL, CONF_TAKE2, conf_set_accepted, .syntax = "number size",
     .help = "Accepted; gzip_buffers counts."},
    {"gunzip", CONF_HTTP_ALL, CONF_FLAG, set_codec_flag, SLOT(gunzip), .extra = &zlib, .dflt = "off",
     .help = "Decodes the side file of `gzip_static always`, `brotli_static always` or `zstd_static always` for "
             "clients that "
             "do not accept its coding.",
     .differs = "nginx decodes gzip alone"},
    {"gunzip_buffers", CONF_HTTP_ALL, CONF_TAKE2, conf_set_bufs, SLOT(gunzip_buffers), .extra = &buffer_bounds,
     .dflt = "32 4k", .syntax = "number size", .help = "Most unpacked bytes held per response.",
     .differs = "It is one buffer of number times size, at most 1m."},
    {.name = NULL},
};

static bool encodes(const struct gzip_conf *conf)
{
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (conf->encodings[c].on)
            return true;
    return false;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct gzip_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (!l)
        return NULL;
    l->gzip = conf;
    l->rewrites_content |= encodes(conf) || conf->gunzip;
    return NULL;
}

struct conf_module gzip_module = {
    .name = "Compression",
    .rows = rows,
    .size = sizeof(struct gzip_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
