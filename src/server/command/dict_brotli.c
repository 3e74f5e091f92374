/* dict_brotli.c - Brotli with a dictionary; the door to libbrotlienc (1.1 or later) of `sluice dict`.
 * RFC 9842, 4. */
#include "dict_private.h"

#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>

enum { WINDOW_BITS = 24 /* RFC 9842, 4: decoders have 16 MiB */ };

const char *const dict_brotli_lacks = NULL;

static ssize_t compress(BrotliEncoderState *s, struct text content, char *out, size_t room)
{
    const uint8_t *from = (const uint8_t *)content.at;
    uint8_t *to = (uint8_t *)out;
    size_t left = content.len, free_bytes = room;

    if (!BrotliEncoderSetParameter(s, BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY) ||
        !BrotliEncoderSetParameter(s, BROTLI_PARAM_LGWIN, WINDOW_BITS) ||
        !BrotliEncoderSetParameter(s, BROTLI_PARAM_SIZE_HINT, content.len < UINT32_MAX ? (uint32_t)content.len : 0) ||
        !BrotliEncoderCompressStream(s, BROTLI_OPERATION_FINISH, &left, &from, &free_bytes, &to, NULL) ||
        !BrotliEncoderIsFinished(s))
        return -EINVAL;
    return (ssize_t)(room - free_bytes);
}

ssize_t dict_brotli(struct text dictionary, struct text content, char **out)
{
    size_t bound = BrotliEncoderMaxCompressedSize(content.len);
    BrotliEncoderState *s = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    BrotliEncoderPreparedDictionary *d =
        BrotliEncoderPrepareDictionary(BROTLI_SHARED_DICTIONARY_RAW, dictionary.len, (const uint8_t *)dictionary.at,
                                       BROTLI_MAX_QUALITY, NULL, NULL, NULL);
    ssize_t len = -ENOMEM;

    *out = malloc(bound > 0 ? bound : 1);
    if (s && d && *out && bound > 0)
        len = BrotliEncoderAttachPreparedDictionary(s, d) ? compress(s, content, *out, bound) : -EINVAL;
    BrotliEncoderDestroyInstance(s);
    BrotliEncoderDestroyPreparedDictionary(d);
    return len;
}
