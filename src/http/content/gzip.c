/* gzip.c - which responses are compressed, for whom and how. See gzip.h; called by content.c and
 * variant.c. The conditions are nginx's. */
#include "http/content/gzip.h"

#include "base/clock.h"
#include "http/content/content_cache.h"
#include "http/request/request.h"
#include "io/filter.h"

#include <errno.h>

static struct text request_field(const struct request *r, struct text name)
{
    for (unsigned i = 0; i < r->msg.count; i++)
        if (text_equal_nocase(r->msg.headers[i].name, name))
            return r->msg.headers[i].value;
    return TEXT_NONE;
}

static struct text response_field(const struct request *r, struct text name)
{
    for (const struct field_line *f = r->out.fields; f; f = f->next)
        if (text_equal_nocase(f->name, name))
            return f->value;
    return TEXT_NONE;
}

static bool has_token(struct text list, struct text token)
{
    struct text element;
    while (text_list_next(&list, &element))
        if (text_equal_nocase((struct text){element.at, text_find(element, '=')}, token))
            return true;
    return false;
}

/* Any of the Cache-Control fields says so. */
static bool cache_control_has(const struct request *r, struct text token)
{
    for (const struct field_line *f = r->out.fields; f; f = f->next)
        if (text_equal_nocase(f->name, TEXT("Cache-Control")) && has_token(f->value, token))
            return true;
    return false;
}

static bool for_proxy(const struct request *r, unsigned mask)
{
    time_t expires;

    if (mask & PROXIED_OFF)
        return false;
    if (mask & PROXIED_ANY || (mask & PROXIED_AUTH && r->msg.fields[FIELD_AUTHORIZATION].at))
        return true;
    struct text field = response_field(r, TEXT("Expires"));
    if (field.at)
        return mask & PROXIED_EXPIRED && clock_parse_http(field, &expires) == 0 && expires < (time_t)clock_now.sec;
    if (response_field(r, TEXT("Cache-Control")).at)
        return (mask & PROXIED_NO_CACHE && cache_control_has(r, TEXT("no-cache"))) ||
               (mask & PROXIED_NO_STORE && cache_control_has(r, TEXT("no-store"))) ||
               (mask & PROXIED_PRIVATE && cache_control_has(r, TEXT("private")));
    /* no_last_modified: nginx looks at fields that come from upstream, not at a file's date. */
    return !(mask & PROXIED_NO_ETAG && r->out.etag.len > 0);
}

/* "MSIE 4" to "MSIE 6" without "SV1": browsers with a broken gunzip. */
static bool is_msie6(struct text agent)
{
    static const char mark[] = "MSIE ";
    const char *at = agent.len > 0 ? memmem(agent.at, agent.len, mark, sizeof mark - 1) : NULL;
    if (!at)
        return false;
    struct text version = text_from(agent, (size_t)(at - agent.at) + sizeof mark - 1);
    if (version.len < 3 || version.at[1] != '.')
        return false;
    if (version.at[0] == '4' || version.at[0] == '5')
        return true;
    return version.at[0] == '6' && !memmem(version.at, version.len, "SV1", 3);
}

static bool is_disabled(const struct gzip_disable *d, struct text agent)
{
    if (d->msie6 && is_msie6(agent))
        return true;
    for (const struct gzip_pattern *p = d->patterns; p && agent.at; p = p->next)
        if (pattern_match(p->pattern, agent, NULL) != 0) /* also where it gives up: the safe side */
            return true;
    return false;
}

bool gzip_asks_fields(const struct request *r)
{
    unsigned mask = r->location->gzip->proxied;

    return !(mask & (PROXIED_OFF | PROXIED_ANY)) && request_field(r, TEXT("Via")).at;
}

enum coding gzip_choose(struct request *r, unsigned codings)
{
    const struct gzip_conf *conf = r->location->gzip;
    struct accept_encoding accept = accept_encoding_parse(r->msg.fields[FIELD_ACCEPT_ENCODING]);
    enum coding ranked[CODINGS];
    bool gets_it = accept_encoding_rank(&accept, codings, ranked) > 0 && (int)r->msg.protocol >= conf->http_version &&
                   (!request_field(r, TEXT("Via")).at || for_proxy(r, conf->proxied)) &&
                   !is_disabled(&conf->disable, r->msg.fields[FIELD_USER_AGENT]);

    return gets_it ? ranked[0] : CODING_NONE;
}

bool gzip_accepted(struct request *r)
{
    return gzip_choose(r, 1u << CODING_GZIP) != CODING_NONE;
}

static bool suits(const struct response *o, const struct encoding_conf *e)
{
    return e->on && (o->unsized || o->length >= (uint64_t)e->min_length) &&
           type_set_has(e->types, gzip_default_types, o->bare_type.at ? o->bare_type : o->type);
}

unsigned gzip_suits(const struct request *r)
{
    const struct response *o = &r->out;
    unsigned codings = 0;

    if ((o->coding != CODING_NONE && !o->plan.decoded) || o->type.len == 0)
        return 0;
    for (enum coding c = CODING_BR; c < CODINGS; c++)
        if (suits(o, &r->location->gzip->encodings[c]))
            codings |= 1u << c;
    return codings;
}

/* A short body needs no large window: nginx's way, which saves most of the memory. */
static struct deflate_options deflate_options(const struct gzip_conf *conf, uint64_t length)
{
    enum { WINDOW_LEAST = 9, LOOKAHEAD = 262 };
    const struct encoding_conf *e = &conf->encodings[CODING_GZIP];
    struct deflate_options d = {(int)e->level, e->window_bits, conf->memory};

    while (length > 0 && d.window_bits > WINDOW_LEAST && length < (UINT64_C(1) << (d.window_bits - 1)) - LOOKAHEAD) {
        d.window_bits--;
        d.memory--;
    }
    if (d.memory < 1)
        d.memory = 1;
    if (d.window_bits < WINDOW_LEAST)
        d.window_bits = WINDOW_LEAST;
    return d;
}

/* As ngx_brotli: a window that the body fits into. */
static struct brotli_options brotli_options(const struct gzip_conf *conf, uint64_t length)
{
    enum { WINDOW_LEAST = 10 };
    const struct encoding_conf *e = &conf->encodings[CODING_BR];
    struct brotli_options b = {(int)e->level, WINDOW_LEAST, length};

    while (b.window_bits < e->window_bits && (UINT64_C(1) << b.window_bits) < length)
        b.window_bits++;
    return b;
}

int gzip_codec(struct codec **out, const struct gzip_conf *conf, enum coding coding, uint64_t length,
               struct codec_spares *spares)
{
    const struct zstd_options z = {(int)conf->encodings[CODING_ZSTD].level, length};
    const struct brotli_options b = brotli_options(conf, length);
    const struct deflate_options d = deflate_options(conf, length);

    switch (coding) {
    case CODING_BR:
        return codec_brotli(out, &b, spares);
    case CODING_ZSTD:
        return codec_zstd(out, &z, spares);
    case CODING_GZIP:
        return codec_deflate_kept(out, &d, spares);
    default:
        return -EINVAL;
    }
}

/* As nginx: two decimals, rounded; nothing before the end. */
static void get_ratio(struct request *r, const void *data, struct text *out)
{
    uint64_t taken = 0, made = 0;
    bool ended = false;

    *out = TEXT_NONE;
    if (r->out.plan.encoded != (enum coding)(uintptr_t)data)
        return;
    if (r->out.encoder && content_cache_is_from(r->out.encoder)) {
        content_cache_totals(r->out.encoder, &taken, &made);
        ended = true;
    } else if (r->out.encoder) {
        filter_totals(r->out.encoder, &taken, &made, &ended);
    }
    if (!ended || made == 0)
        return;
    uint64_t hundredths = (taken * 1000 / made + 5) / 10;
    *out = text_of(
        arena_printf(&r->arena, "%llu.%02u", (unsigned long long)(hundredths / 100), (unsigned)(hundredths % 100)));
}

const struct variable_row gzip_variables[] = {
    {"gzip_ratio", .get = get_ratio, .data = CODING_GZIP},
    {"brotli_ratio", .get = get_ratio, .data = CODING_BR},
    {"zstd_ratio", .get = get_ratio, .data = CODING_ZSTD},
    {.name = NULL},
};
