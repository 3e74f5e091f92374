/* coding_zstd_none.c - see coding.h. */
#include "coding.h"

const bool coding_has_zstd = false;

char *zstd_pack(const void *bytes, size_t len, size_t *out_len)
{
    (void)bytes, (void)len, (void)out_len;
    return NULL;
}

char *zstd_unpack(const void *bytes, size_t len, size_t *out_len)
{
    (void)bytes, (void)len, (void)out_len;
    return NULL;
}
