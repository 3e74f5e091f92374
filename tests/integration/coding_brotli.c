/* coding_brotli.c - see coding.h. */
#include "coding.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <check.h>
#include <stdlib.h>

const bool coding_has_brotli = true;

char *brotli_pack(const void *bytes, size_t len, size_t *out_len)
{
    char *out = malloc(*out_len = BrotliEncoderMaxCompressedSize(len) + 64);

    ck_assert(BrotliEncoderCompress(5, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, len, bytes, out_len,
                                    (unsigned char *)out));
    out[*out_len] = '\0';
    return out;
}

char *brotli_unpack(const void *bytes, size_t len, size_t *out_len)
{
    BrotliDecoderState *d = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    const unsigned char *in = bytes;
    size_t cap = 64 * 1024, left = cap - 1;
    char *out = malloc(cap);

    *out_len = 0;
    while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
        unsigned char *to = (unsigned char *)out + *out_len;
        result = BrotliDecoderDecompressStream(d, &len, &in, &left, &to, NULL);
        *out_len = (size_t)(to - (unsigned char *)out);
        if (left == 0)
            out = realloc(out, cap *= 2);
        left = cap - 1 - *out_len;
    }
    BrotliDecoderDestroyInstance(d);
    out[*out_len] = '\0';
    if (result == BROTLI_DECODER_RESULT_SUCCESS && len == 0)
        return out;
    free(out);
    return NULL;
}
