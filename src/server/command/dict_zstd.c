/* dict_zstd.c - Zstandard with a dictionary; the door to libzstd of `sluice dict`. RFC 9842, 5. */
#include "dict_private.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>

enum {
    LEVEL = 19,
    LONG_LEAST = 1 << 20,  /* from here on, matches that are far away are looked for as well */
    WINDOW_EVERY = 8 << 20 /* what every decoder grants, bytes */
};

const char *const dict_zstd_lacks = NULL;

/* RFC 9842, 5: 8 MiB, or the dictionary and a quarter of it, and no more than 128 MiB. */
static size_t window_most(size_t dictionary)
{
    const size_t most = (size_t)128 << 20;
    size_t window = dictionary + dictionary / 4;

    return window > most ? most : window < WINDOW_EVERY ? WINDOW_EVERY : window;
}

/* A content that fits is one segment, whose window is its length; of others, the largest power of two
 * that is allowed. */
static int window_log(size_t dictionary, size_t content)
{
    enum { LOG_LEAST = 10 };
    size_t most = window_most(dictionary);
    int log = LOG_LEAST;

    while (content <= most ? (size_t)1 << log < content : (size_t)2 << log <= most)
        log++;
    return log;
}

static bool configure(ZSTD_CCtx *c, struct text dictionary, size_t content)
{
    bool is_long = content >= LONG_LEAST;

    return !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, window_log(dictionary.len, content))) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_enableLongDistanceMatching, is_long)) &&
           !ZSTD_isError(ZSTD_CCtx_refPrefix(c, dictionary.at, dictionary.len));
}

ssize_t dict_zstd(struct text dictionary, struct text content, char **out)
{
    size_t bound = ZSTD_compressBound(content.len);
    ZSTD_CCtx *c = ZSTD_createCCtx();
    ssize_t len = -ENOMEM;

    *out = malloc(bound);
    if (c && *out) {
        size_t n = configure(c, dictionary, content.len) ? ZSTD_compress2(c, *out, bound, content.at, content.len)
                                                         : (size_t)-1;
        len = ZSTD_isError(n) ? -EINVAL : (ssize_t)n;
    }
    ZSTD_freeCCtx(c);
    return len;
}
