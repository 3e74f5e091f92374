/* coding_brotli_none.c - see coding.h. */
#include "coding.h"

const bool coding_has_brotli = false;

char *brotli_pack(const void *bytes, size_t len, size_t *out_len)
{
    (void)bytes, (void)len, (void)out_len;
    return NULL;
}

char *brotli_unpack(const void *bytes, size_t len, size_t *out_len)
{
    (void)bytes, (void)len, (void)out_len;
    return NULL;
}
