/* variant.c - which side files a request may get, and what comes of those that are there. See
 * variant.h; called by steps.c. */
#include "http/content/variant.h"

#include "http/content/dictionary.h"
#include "http/content/gzip.h"
#include "http/request/request.h"

static const struct conf_enum modes[] = {
    {"off", VARIANT_OFF}, {"on", VARIANT_ON}, {"always", VARIANT_ALWAYS}, {NULL, 0}};

static bool is_configured(const struct variant_conf *conf)
{
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (conf->mode[c] != VARIANT_OFF)
            return true;
    return conf->dictionary;
}

/* gzip_vary says it for .gz, as nginx has it; for the others it is always said. */
static bool shall_vary(const struct request *r, enum coding c)
{
    return r->location->variants->mode[c] == VARIANT_ON && (c != CODING_GZIP || r->location->gzip->vary);
}

unsigned variant_looks(struct request *r, struct variant_look out[VARIANT_LOOKS])
{
    const struct variant_conf *conf = r->location->variants;
    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);
    unsigned mask = 0, count = 0;
    unsigned char digest[DIGEST_LEN];
    enum coding ranked[CODINGS];

    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (conf->mode[c] != VARIANT_OFF && (c != CODING_GZIP || gzip_accepted(r)))
            mask |= 1u << c;
    if (conf->dictionary && dictionary_available(r, digest))
        mask |= 1u << CODING_DCB | 1u << CODING_DCZ;
    unsigned taken = accept_encoding_rank(&accept, mask, ranked);
    mask = 0;
    for (unsigned i = 0; i < taken; i++) {
        enum coding c = ranked[i];
        if (coding_has_dictionary(c))
            out[count++] = (struct variant_look){.coding = c, .usable = true, .named = true};
        out[count++] = (struct variant_look){.coding = c, .usable = true, .varies = shall_vary(r, c)};
        mask |= 1u << c;
    }
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (!(mask & 1u << c) && shall_vary(r, c))
            out[count++] = (struct variant_look){.coding = c, .varies = true};
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (!(mask & 1u << c) && conf->mode[c] == VARIANT_ALWAYS)
            out[count++] = (struct variant_look){.coding = c, .usable = true};
    return count;
}

bool variant_matters(const struct request *r, const struct variant_look *look)
{
    bool chosen = r->out.coding != CODING_NONE;
    return (look->usable && !chosen) || (look->varies && !r->out.vary && !r->out.vary_dictionary);
}

struct text variant_path(struct request *r, const struct variant_look *look)
{
    struct text base = r->path, suffix = coding_suffix(look->coding);
    unsigned char digest[DIGEST_LEN];
    char hex[DIGEST_HEX];

    base.len -= r->out.suffix; /* of one that is chosen already */
    if (!base.at)
        return TEXT_NONE;
    if (!look->named || !dictionary_available(r, digest))
        return text_of(arena_printf(&r->arena, "%.*s%.*s", TEXT_ARG(base), TEXT_ARG(suffix)));
    digest_to_hex(digest, hex);
    return text_of(
        arena_printf(&r->arena, "%.*s.%.*s%.*s", TEXT_ARG(base), (int)VARIANT_DIGITS, hex, TEXT_ARG(suffix)));
}

const struct identity_conf *variant_identity(const struct request *r, const struct variant_look *look)
{
    return coding_has_dictionary(look->coding) ? &r->location->variants->identity : r->location->identity;
}

/* Whether the head of `f` says that the client can decode it (RFC 9842, 2.2: the digest decides, and
 * not a name). */
static bool has_dictionary(struct request *r, const struct variant_look *look, struct text path, const struct file *f)
{
    const struct file_identity *id = f->identity;
    unsigned char digest[DIGEST_LEN];
    enum dictionary_format wanted = look->coding == CODING_DCB ? DICTIONARY_DCB : DICTIONARY_DCZ;
    bool fits = id && id->format == wanted;

    if (!fits)
        request_log(r, LEVEL_ERROR, 0, "\"%.*s\" does not begin as %.*s does", TEXT_ARG(path),
                    TEXT_ARG(coding_name(look->coding)));
    return fits && dictionary_available(r, digest) && memcmp(digest, id->dictionary, sizeof digest) == 0;
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
    if (!look->usable || r->out.coding != CODING_NONE ||
        (coding_has_dictionary(look->coding) && !has_dictionary(r, look, path, f))) {
        file_release(f);
        return;
    }
    file_release(r->file);
    r->file = f;
    r->out.suffix = path.len - (r->path.len - r->out.suffix);
    r->path = path;
    r->out.coding = look->coding;
}

void variant_end(struct request *r)
{
    const struct location *l = r->location;

    r->out.vary_dictionary |= l->variants->dictionary && dictionary_is_secure(r);
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
    {"dictionary_static", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag, CONF_SLOT(struct variant_conf, dictionary),
     .dflt = "off",
     .help =
         "Sends FILE.DIGITS.dcb or .dcz, else FILE.dcb or .dcz, instead of FILE to clients that have the dictionary "
         "that it was compressed with (Available-Dictionary, RFC 9842): DIGITS are the first 16 of the dictionary's "
         "SHA-256 digest in hex, and the head of the side file must have all of it. Over TLS only, or with "
         "assume_secure_transport: docs/dictionaries.md."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct variant_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (!l)
        return NULL;
    l->variants = is_configured(conf) ? conf : NULL;
    if (conf->dictionary)
        l->dictionary = conf_values(block, &dictionary_module);
    conf->identity = l->identity ? *l->identity : (struct identity_conf){.id = 1};
    conf->identity.id += IDENTITY_ID_DICTIONARY;
    conf->identity.dictionary = true;
    return NULL;
}

struct conf_module variant_module = {
    .name = "Side files",
    .rows = rows,
    .size = sizeof(struct variant_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
