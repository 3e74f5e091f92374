/* dictionary.c - see dictionary.h; called by variant.c and steps.c. */
#include "http/content/dictionary.h"

#include "http/core/core.h"
#include "http/respond/headers.h"
#include "http/respond/response.h"
#include "http/syntax/available_dictionary.h"
#include "http/variable/variable.h"

_Static_assert((int)AVAILABLE_DIGEST_LEN == (int)DIGEST_LEN, "both are SHA-256");

/* The first field of that name; absent where there is none, or *count of them otherwise. */
static struct text request_field(const struct request *r, struct text name, unsigned *count)
{
    struct text value = TEXT_NONE;

    *count = 0;
    for (unsigned i = 0; i < r->msg.count; i++)
        if (text_equal_nocase(r->msg.headers[i].name, name) && (*count)++ == 0)
            value = r->msg.headers[i].value;
    return value;
}

bool dictionary_is_secure(const struct request *r)
{
    return r->client->scheme == &scheme_https || r->location->dictionary->assume_secure;
}

/* ---- who may read the answer ---- */

/* By the Access-Control-Allow-Origin that add_header will send. */
static bool allows_origin(struct request *r, struct text origin)
{
    for (const struct added_header *a = r->location->headers->added; a && origin.at; a = a->next) {
        if (!text_equal_nocase(a->name, TEXT("Access-Control-Allow-Origin")))
            continue;
        struct text allowed = template_field(a->value, r);
        if (text_equal(allowed, TEXT("*")) || text_equal(allowed, origin))
            return true;
    }
    return false;
}

/* The steps of RFC 9842, 9.3.3. */
static bool is_readable(struct request *r)
{
    unsigned count;
    struct text site = request_field(r, TEXT("sec-fetch-site"), &count);
    struct text mode = request_field(r, TEXT("sec-fetch-mode"), &count);

    if (!site.at || text_equal(site, TEXT("same-origin")) || !mode.at || text_equal(mode, TEXT("navigate")) ||
        text_equal(mode, TEXT("same-origin")))
        return true;
    return text_equal(mode, TEXT("cors")) && allows_origin(r, request_field(r, TEXT("origin"), &count));
}

bool dictionary_available(struct request *r, unsigned char digest[DIGEST_LEN])
{
    unsigned count;
    struct text value = request_field(r, TEXT("available-dictionary"), &count);

    return count == 1 && dictionary_is_secure(r) && available_dictionary_parse(value, digest) && is_readable(r);
}

/* ---- Use-As-Dictionary ---- */

/* As the inside of a string of RFC 9651, 3.3.3; what it cannot hold, as a URI does. */
static char *put_quoted(char *to, struct text t)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.at[i];
        if (c < 0x20 || c > 0x7e) {
            *to++ = '%';
            *to++ = hex[c >> 4];
            *to++ = hex[c & 15];
            continue;
        }
        if (c == '"' || c == '\\')
            *to++ = '\\';
        *to++ = (char)c;
    }
    return to;
}

static bool is_whole_file(const struct request *r)
{
    int status = r->out.status;
    return r->file && (r->error_status == 0 || r->error_status == 200) && (status == 200 || status == 304);
}

void dictionary_offer(struct request *r)
{
    static const struct text begin = {"match=\"", 7};
    const struct dictionary_use *use = &r->location->dictionary->use;

    if (!use->match || !is_whole_file(r) || !dictionary_is_secure(r))
        return;
    struct text match = template_text(use->match, r);
    char *value = match.len > 0 ? arena_alloc(&r->arena, begin.len + 3 * match.len + 1 + use->options.len + 1) : NULL;
    if (!value)
        return;
    char *to = value;
    text_put(&to, begin);
    to = put_quoted(to - 1, match);
    *to++ = '"';
    text_put(&to, use->options);
    response_add(r, TEXT("Use-As-Dictionary"), text_span(value, to - 1));
}

/* ---- directives ---- */

static bool is_printable(struct text t)
{
    for (size_t i = 0; i < t.len; i++)
        if (t.at[i] < ' ' || t.at[i] > '~')
            return false;
    return true;
}

/* "script,style" to `, match-dest=("script" "style")`: RFC 9842, 2.1.2. */
static const char *add_destinations(struct conf *cf, struct text list, struct text *options)
{
    struct text element;
    const char *inside = "";

    while (inside && text_list_next(&list, &element)) {
        for (size_t i = 0; i < element.len; i++)
            if (element.at[i] < 'a' || element.at[i] > 'z')
                return conf_error(cf, "invalid destination \"%.*s\"", TEXT_ARG(element));
        inside = arena_printf(cf->arena, "%s%s\"%.*s\"", inside, *inside ? " " : "", TEXT_ARG(element));
    }
    if (inside && !*inside)
        return conf_error(cf, "\"match-dest=\" must name destinations");
    char *all = inside ? arena_printf(cf->arena, "%.*s, match-dest=(%s)", TEXT_ARG(*options), inside) : NULL;
    *options = text_of(all);
    return all ? NULL : conf_error(cf, "no memory");
}

/* RFC 9842, 2.1.3. */
static const char *add_id(struct conf *cf, struct text id, struct text *options)
{
    enum { ID_MOST = 1024 };

    if (id.len == 0 || id.len > ID_MOST || !is_printable(id))
        return conf_error(cf, "\"id=\" must be 1 to 1024 printable characters of ASCII");
    char *quoted = arena_alloc(cf->arena, 2 * id.len + 1);
    if (!quoted)
        return conf_error(cf, "no memory");
    *put_quoted(quoted, id) = '\0';
    char *all = arena_printf(cf->arena, "%.*s, id=\"%s\"", TEXT_ARG(*options), quoted);
    *options = text_of(all);
    return all ? NULL : conf_error(cf, "no memory");
}

/* match [match-dest=name,...] [id=text] | off */
static const char *set_use(struct conf *cf, const struct conf_row *row, void *slot)
{
    static const struct text dest = {"match-dest=", 11}, id = {"id=", 3};
    struct dictionary_use *use = slot;
    struct text match = cf->args[1];
    const char *error = NULL;

    use->options = TEXT("");
    if (cf->count == 2 && text_equal(match, TEXT("off")))
        return NULL;
    if (match.len == 0 || !is_printable(match) || text_find(match, '(') < match.len)
        return conf_error(cf, "invalid pattern \"%.*s\" in \"%s\": it must be a URL pattern without groups",
                          TEXT_ARG(match), row->name);
    for (unsigned i = 2; i < cf->count && !error; i++) {
        if (text_starts(cf->args[i], dest))
            error = add_destinations(cf, text_from(cf->args[i], dest.len), &use->options);
        else if (text_starts(cf->args[i], id))
            error = add_id(cf, text_from(cf->args[i], id.len), &use->options);
        else
            error = conf_error(cf, "invalid parameter \"%.*s\"", TEXT_ARG(cf->args[i]));
    }
    return error ? error : template_compile(cf, http_main_at(cf)->variables, match, &use->match);
}

static const struct conf_row rows[] = {
    {"compression_dictionary", CONF_HTTP_ALL, CONF_TAKE1 | CONF_TAKE2 | CONF_TAKE3, set_use,
     CONF_SLOT(struct dictionary_conf, use), .dflt = "off", .syntax = "match [match-dest=name,...] [id=text] | off",
     .help =
         "Tells clients to keep files as dictionaries for what they ask for next (Use-As-Dictionary, RFC 9842): for "
         "URLs that `match` fits, a URL pattern such as /app.*.js or $uri, and for those destinations (script, style, "
         "document ...) alone. Over TLS only, and as long as the response is fresh: see expires."},
    {"assume_secure_transport", CONF_HTTP_ALL, CONF_FLAG, conf_set_flag,
     CONF_SLOT(struct dictionary_conf, assume_secure), .dflt = "off",
     .help = "Clients came over TLS although this connection did not: for servers behind a proxy that ends TLS. "
             "compression_dictionary and dictionary_static need it there."},
    {.name = NULL},
};

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    const struct dictionary_conf *conf = values;
    struct location *l = location_of(block);

    (void)cf;
    if (l)
        l->dictionary = conf->use.match ? conf : NULL; /* variant.c may need the other value, too */
    return NULL;
}

struct conf_module dictionary_module = {
    .name = "Compression dictionaries",
    .rows = rows,
    .size = sizeof(struct dictionary_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
