/* hash_none.c - stands in for hash.c where sluice is built without libcrypto. */
#include "base/hash.h"

#include <errno.h>

bool hash_available(void)
{
    return false;
}

int hash_of(enum hash_kind kind, const struct text *parts, unsigned count, unsigned char *out)
{
    (void)kind, (void)parts, (void)count, (void)out;
    return -ENOSYS;
}

int hash_begin(struct hash_stream **out, enum hash_kind kind)
{
    (void)out, (void)kind;
    return -ENOSYS;
}

int hash_add(struct hash_stream *s, const void *bytes, size_t len)
{
    (void)s, (void)bytes, (void)len;
    return -ENOSYS;
}

int hash_end(struct hash_stream *s, unsigned char *out)
{
    (void)s, (void)out;
    return -ENOSYS;
}
