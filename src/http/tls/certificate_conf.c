/* certificate_conf.c - ssl_certificate_cache; and names with variables become templates. See
 * certificate_conf.h. */
#include "http/tls/certificate_conf.h"

#include "base/number.h"
#include "http/site/site.h"
#include "http/variable/variable.h"
#include "net/tls/tls_conf.h"

/* nginx's defaults. */
enum { INACTIVE_SEC = 10, VALID_SEC = 60 };

/* ---- ssl_certificate_cache ---- */

static bool parse_max(struct text value, int64_t *max)
{
    uint64_t number;

    if (number_parse(value, &number) < 0 || number == 0 || number > INT32_MAX)
        return false;
    *max = (int64_t)number;
    return true;
}

static bool parse_parameter(struct text arg, struct certificate_cache_conf *c)
{
    if (text_starts(arg, TEXT("max=")))
        return parse_max(text_from(arg, 4), &c->max);
    if (text_starts(arg, TEXT("inactive=")))
        return number_parse_sec(text_from(arg, 9), &c->inactive_sec) == 0;
    if (text_starts(arg, TEXT("valid=")))
        return number_parse_sec(text_from(arg, 6), &c->valid_sec) == 0;
    return false;
}

static const char *set_cache(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct certificate_cache_conf c = {.inactive_sec = INACTIVE_SEC, .valid_sec = VALID_SEC};
    const struct certificate_cache_conf **kept = slot;
    bool off = false;

    for (unsigned i = 1; i < cf->count; i++) {
        if (text_equal(cf->args[i], TEXT("off")))
            off = true;
        else if (!parse_parameter(cf->args[i], &c))
            return conf_error(cf, "invalid parameter \"%s\"", cf->args[i].at);
    }
    *kept = NULL;
    if (off)
        return NULL;
    if (c.max == 0)
        return conf_error(cf, "\"%s\" must have the \"max\" parameter", row->name);
    *kept = (const void *)arena_copy(cf->arena, (const char *)&c, sizeof c);
    return *kept ? NULL : conf_error(cf, "no memory");
}

/* ---- names ---- */

/* Errors stand where the name does. Servers that have it from the block around them share one. */
static const char *compile(struct conf *cf, struct tls_word *w)
{
    struct template *t;

    if (w->noted)
        conf_reads_noted(cf, w->noted);
    if (!w->varies || w->value)
        return NULL;
    cf->file = w->file;
    cf->line = w->line;
    const char *error = template_compile(cf, http_main_at(cf)->variables, text_of(w->word), &t);
    w->value = error ? NULL : t;
    return error;
}

static const char *compile_all(struct conf *cf, struct tls_word *w)
{
    const char *error = NULL;

    for (; w && !error; w = w->next)
        error = compile(cf, w);
    return error;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct tls_conf *c = conf_values(block, &tls_module);
    (void)values;

    if (block->context != CONF_SERVER || !tls_conf_varies(c))
        return NULL;
    cf->block = block;
    const char *error = compile_all(cf, c->certificates);
    if (!error)
        error = compile_all(cf, c->keys);
    return error ? error : variables_finish(cf, http_main_at(cf)->variables);
}

static const struct conf_row rows[] = {
    {"ssl_certificate_cache", CONF_HTTP | CONF_SERVER, CONF_1MORE, set_cache, CONF_SLOT(struct certificate_conf, cache),
     .dflt = "off", .syntax = "off | max=N [inactive=time] [valid=time]",
     .help = "Where names with variables in ssl_certificate and ssl_certificate_key: how many certificates, with their "
             "keys, each worker keeps in memory; the ones used least recently go first, and those that were not used "
             "for `inactive` (10s). After `valid` (60s) the files are looked at, and read again where they have "
             "changed. Off: they are read for each handshake that resumes no session.",
     .differs = "A certificate and its key count as one."},
    {.name = NULL},
};

struct conf_module certificate_module = {
    .name = "TLS, certificates with variables",
    .rows = rows,
    .size = sizeof(struct certificate_conf),
    .levels = CONF_HTTP | CONF_SERVER,
    .finish = finish,
};
