/* crypt_libc_none.c - stands in for crypt_libc.c where sluice is built without libcrypt. */
#include "http/access/crypt_libc.h"

#include <errno.h>

int crypt_libc(const char *password, const char *stored, char out[CRYPT_LIBC_SIZE])
{
    (void)password, (void)stored, (void)out;
    return -ENOSYS;
}
