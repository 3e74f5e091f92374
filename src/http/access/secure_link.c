/* secure_link.c - checks the digest in a link, and whether its time is over. See secure_link.h. */
#include "http/access/secure_link.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/number.h"
#include "http/core/core.h"
#include "http/request/request.h"

#include <ctype.h>

/* With the block that says it, which is inherited with it. */
struct expression {
    struct template *template; /* NULL: none */
    const struct conf_block *block;
};

/* Values of secure_link_module. After finish() those of one form at most. */
struct secure_link_conf {
    struct expression link; /* digest[,expires] */
    struct expression md5;  /* what the digest is of */
    struct secret {
        struct text word; /* absent: not used */
        const struct conf_block *block;
    } secret; /* of the older form, /prefix/digest/link */
};

static bool same(const unsigned char *a, const unsigned char *b, size_t len)
{
    unsigned char differs = 0;
    for (size_t i = 0; i < len; i++)
        differs |= a[i] ^ b[i];
    return differs == 0;
}

/* ---- secure_link, secure_link_md5 ---- */

/* "digest[,seconds]": takes the number off. False: not a valid time. */
static bool take_expires(struct text *value, struct text *expires, uint64_t *sec)
{
    size_t comma = text_find(*value, ',');

    *expires = TEXT_NONE;
    *sec = 0;
    if (comma == value->len)
        return true;
    *expires = text_from(*value, comma + 1);
    value->len = comma;
    return number_parse(*expires, sec) == 0 && *sec > 0 && *sec <= INT64_MAX;
}

static void get_by_digest(struct request *r, const struct secure_link_conf *c, struct text *out)
{
    enum { CODED_MOST = 24 };
    unsigned char given[BASE64_DECODED(CODED_MOST)], made[HASH_MD5_LEN];
    struct text value = template_text(c->link.template, r), expires;
    uint64_t sec;

    if (!take_expires(&value, &expires, &sec))
        return;
    r->secure_expires = expires; /* the digest may be of it, too */
    if (value.len > CODED_MOST || base64_decode(value, BASE64_URL, given) != HASH_MD5_LEN)
        return;
    struct text of = template_text(c->md5.template, r);
    if (!of.at || hash_of(HASH_MD5, &of, 1, made) < 0 || !same(given, made, sizeof made))
        return;
    *out = sec > 0 && (int64_t)sec < clock_now.sec ? TEXT("0") : TEXT("1");
}

/* ---- secure_link_secret ---- */

static int hex_value(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : isxdigit((unsigned char)c) ? text_lower(c) - 'a' + 10 : -1;
}

static bool read_hex(struct text t, unsigned char out[HASH_MD5_LEN])
{
    for (size_t i = 0; i < HASH_MD5_LEN; i++) {
        int high = hex_value(t.at[2 * i]), low = hex_value(t.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

/* "/prefix/digest/link", as it was sent: the link, if the digest is that of link and secret. */
static void get_by_secret(struct request *r, const struct secure_link_conf *c, struct text *out)
{
    unsigned char given[HASH_MD5_LEN], made[HASH_MD5_LEN];
    struct text uri = r->raw_uri.len > 0 ? text_from(r->raw_uri, 1) : TEXT("");
    size_t slash = text_find(uri, '/');

    if (slash == uri.len)
        return;
    struct text digest = text_from(uri, slash + 1);
    slash = text_find(digest, '/');
    if (slash == digest.len)
        return;
    struct text link = text_from(digest, slash + 1), parts[] = {link, c->secret.word};
    digest.len = slash;
    if (digest.len != 2 * HASH_MD5_LEN || link.len == 0 || !read_hex(digest, given) ||
        hash_of(HASH_MD5, parts, 2, made) < 0 || !same(given, made, sizeof made))
        return;
    *out = link;
}

/* ---- the variables ---- */

static void get_link(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->secure_link;
    if (r->secure_asked)
        return;
    const struct conf_block *block = r->location && r->location->block ? r->location->block : r->server->block;
    const struct secure_link_conf *c = conf_values_around(block, &secure_link_module);

    *out = TEXT_NONE;
    if (c->secret.word.at)
        get_by_secret(r, c, out);
    else if (c->link.template && c->md5.template)
        get_by_digest(r, c, out);
    r->secure_asked = true;
    r->secure_link = *out;
}

/* Absent before $secure_link was asked for. */
static void get_expires(struct request *r, const void *data, struct text *out)
{
    (void)data;
    *out = r->secure_expires;
}

const struct variable_row secure_link_variables[] = {
    {"secure_link", .get = get_link},
    {"secure_link_expires", .get = get_expires},
    {.name = NULL},
};

/* ---- the directives ---- */

static const char *check_library(struct conf *cf, const struct conf_row *row)
{
    if (hash_available())
        return NULL;
    return conf_error(cf, "\"%s\" needs libcrypto, which this sluice was built without", row->name);
}

static const char *set_template(struct conf *cf, const struct conf_row *row, void *slot)
{
    const char *error = check_library(cf, row);
    struct expression *e = slot;

    e->block = cf->block;
    return error ? error : template_compile(cf, http_main_at(cf)->variables, cf->args[1], &e->template);
}

static const char *set_secret(struct conf *cf, const struct conf_row *row, void *slot)
{
    const char *error = check_library(cf, row);
    struct secret *s = slot;

    s->block = cf->block;
    return error ? error : conf_set_text(cf, row, &s->word);
}

/* Farther out than the secret, the other form does not count: NULL. */
static struct expression inside(struct expression e, const struct secret *s)
{
    for (const struct conf_block *b = s->block->parent; b; b = b->parent)
        if (b == e.block)
            return (struct expression){NULL, NULL};
    return e;
}

/* The nearer form wins; one level has one of them. */
static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct secure_link_conf *c = values;
    (void)block;

    if (!c->secret.word.at)
        return NULL;
    c->link = inside(c->link, &c->secret);
    c->md5 = inside(c->md5, &c->secret);
    if (c->link.block == c->secret.block || c->md5.block == c->secret.block)
        return conf_error(cf, "\"secure_link_secret\" cannot be mixed with \"secure_link\" and \"secure_link_md5\"");
    if (c->link.template || c->md5.template)
        c->secret = (struct secret){TEXT_NONE, NULL};
    return NULL;
}

#define SLOT(field) CONF_SLOT(struct secure_link_conf, field)

static const struct conf_row rows[] = {
    {"secure_link", CONF_HTTP_ALL, CONF_TAKE1, set_template, SLOT(link), .syntax = "expression",
     .help = "Where a request has its hash (base64url) and, after a comma, the time at which the link expires."},
    {"secure_link_md5", CONF_HTTP_ALL, CONF_TAKE1, set_template, SLOT(md5), .syntax = "expression",
     .help = "The text that is hashed, with a secret in it. $secure_link is \"1\", \"0\" after the time is over, else "
             "empty."},
    {"secure_link_secret", CONF_LOCATION, CONF_TAKE1, set_secret, SLOT(secret), .syntax = "word",
     .help = "For links /prefix/hash/link with the hexadecimal MD5 of link and word: $secure_link is the link."},
    {.name = NULL},
};

struct conf_module secure_link_module = {
    .name = "Secure links",
    .rows = rows,
    .size = sizeof(struct secure_link_conf),
    .levels = CONF_HTTP_ALL,
    .finish = finish,
};
