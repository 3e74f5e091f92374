/* coding_zstd.c - see coding.h. */
#include "coding.h"

#include <check.h>
#include <stdlib.h>
#include <zstd.h>

const bool coding_has_zstd = true;

char *zstd_pack(const void *bytes, size_t len, size_t *out_len)
{
    size_t cap = ZSTD_compressBound(len);
    char *out = malloc(cap + 1);

    *out_len = ZSTD_compress(out, cap, bytes, len, 5);
    ck_assert(!ZSTD_isError(*out_len));
    out[*out_len] = '\0';
    return out;
}

char *zstd_unpack(const void *bytes, size_t len, size_t *out_len)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    ZSTD_inBuffer in = {bytes, len, 0};
    size_t cap = 64 * 1024, left;
    ZSTD_outBuffer out = {malloc(cap), cap - 1, 0};

    do {
        if (out.pos == out.size) {
            out.dst = realloc(out.dst, cap *= 2);
            out.size = cap - 1;
        }
        left = ZSTD_decompressStream(d, &out, &in);
    } while (!ZSTD_isError(left) && left > 0 && (in.pos < in.size || out.pos == out.size));
    ZSTD_freeDCtx(d);
    *out_len = out.pos;
    ((char *)out.dst)[out.pos] = '\0';
    if (left == 0 && in.pos == in.size)
        return out.dst;
    free(out.dst);
    return NULL;
}
