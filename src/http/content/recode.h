/* recode.h - text from one character set to another, by tables. Pure, and a codec for bodies. RFC
 * 3629; https://nginx.org/en/docs/http/ngx_http_charset_module.html */
#ifndef HTTP_CONTENT_RECODE_H
#define HTTP_CONTENT_RECODE_H

#include "base/arena.h"
#include "base/text.h"
#include "io/filter.h"

struct recode {
    enum { RECODE_BYTES, RECODE_TO_UTF8, RECODE_FROM_UTF8 } kind;
    unsigned char bytes[256]; /* RECODE_BYTES */
    struct {                  /* RECODE_TO_UTF8 */
        unsigned char len;
        char at[3];
    } utf8[256];
    /* RECODE_FROM_UTF8: by the upper byte of the code point, then the lower one; 0: not mapped. */
    unsigned char *pages[256];
};

/* A pair of tables, both ways; unmapped bytes become '?', ASCII stays as it is. 0 or -ENOMEM. */
struct recode_pair {
    struct recode *to, *from;
};
int recode_pair_create(struct recode_pair *pair, bool to_utf8, struct arena *arena);

/* Byte `from` is `to` (1 byte, or with UTF-8 1 to 3): 0; -EINVAL: not UTF-8, or too long;
 * -ENOMEM. */
int recode_pair_add(struct recode_pair *pair, unsigned char from, struct text to, struct arena *arena);

/* The output has another length than the input. */
static inline bool recode_resizes(const struct recode *t)
{
    return t->kind != RECODE_BYTES;
}

struct recoder {
    const struct recode *table;
    unsigned char held[4]; /* the beginning of a UTF-8 sequence that has not come to its end */
    unsigned held_len;
};

/* Takes what it can from s->in, as codec_ops.run. Code points that are not mapped become &#N;,
 * broken UTF-8 '?'. */
void recode_run(struct recoder *r, struct codec_step *s);

int codec_recode(struct codec **out, const struct recode *table); /* 0 or -ENOMEM */

#endif
