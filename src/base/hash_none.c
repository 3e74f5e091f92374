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
