/* gzip.h - compression on the fly, by gzip, Brotli and Zstandard, and gunzip: for which responses.
 * https://nginx.org/en/docs/http/ngx_http_gzip_module.html */
#ifndef HTTP_CONTENT_GZIP_H
#define HTTP_CONTENT_GZIP_H

#include "http/syntax/accept_encoding.h"
#include "http/syntax/pattern.h"
#include "http/syntax/type_set.h"
#include "http/variable/variable.h"
#include "io/filter.h"

struct request;

enum gzip_proxied {
    PROXIED_OFF = 1 << 0,
    PROXIED_EXPIRED = 1 << 1,
    PROXIED_NO_CACHE = 1 << 2,
    PROXIED_NO_STORE = 1 << 3,
    PROXIED_PRIVATE = 1 << 4,
    PROXIED_NO_LAST_MODIFIED = 1 << 5,
    PROXIED_NO_ETAG = 1 << 6,
    PROXIED_AUTH = 1 << 7,
    PROXIED_ANY = 1 << 8
};

struct gzip_pattern {
    struct gzip_pattern *next;
    struct pattern *pattern;
};

/* Of one coding. */
struct encoding_conf {
    bool on;
    int64_t level, min_length;
    int window_bits; /* of all but Zstandard */
    struct type_set *types;
};

/* Values of gzip_module, http, server and location. */
struct gzip_conf {
    struct encoding_conf encodings[CODINGS];
    bool gunzip;
    bool vary;
    int64_t cache; /* bytes per worker, -1: off */
    int memory;    /* of gzip, as zlib counts it */
    struct conf_bufs buffers, gunzip_buffers;
    unsigned proxied; /* enum gzip_proxied bits */
    int http_version; /* enum protocol */
    struct gzip_disable {
        struct gzip_pattern *patterns;
        bool msie6;
    } disable;
};

extern struct conf_module gzip_module;
extern const char *const gzip_default_types[];

/* Whether this client gets gzip at all: Accept-Encoding, gzip_http_version, gzip_proxied (by the
 * fields that the response has so far), gzip_disable. */
bool gzip_accepted(struct request *r);

/* The best of `codings` (bits 1 << coding) for this client, by the same conditions; CODING_NONE: it
 * gets none of them. */
enum coding gzip_choose(struct request *r, unsigned codings);

/* Whether that depends on the response's fields. */
bool gzip_asks_fields(const struct request *r);

/* The codings (bits 1 << coding) by which the response in r->out is compressed for clients that take
 * them, its length and status as they are. */
unsigned gzip_suits(const struct request *r);

/* The codec for a body of `length` bytes; UINT64_MAX: not known. From `spares`, see filter.h. 0 or
 * -errno. */
int gzip_codec(struct codec **out, const struct gzip_conf *conf, enum coding coding, uint64_t length,
               struct codec_spares *spares);

extern const struct variable_row gzip_variables[]; /* $gzip_ratio and its like */

#endif
