/* crypt_libc.c - crypt(3). See crypt_libc.h; crypt_libc_none.c stands in for it where libcrypt is
 * left out. */
#include "http/access/crypt_libc.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int crypt_libc(const char *password, const char *stored, char out[CRYPT_LIBC_SIZE])
{
    struct crypt_data *data = calloc(1, sizeof *data); /* 32 KiB: too much for a thread's stack */
    if (!data)
        return -ENOMEM;
    errno = 0;
    const char *made = crypt_r(password, stored, data);
    int rc = 0;
    if (!made || made[0] == '*') /* the star: how libxcrypt says that it failed */
        rc = errno > 0 ? -errno : -EINVAL;
    else if (strlen(made) >= CRYPT_LIBC_SIZE)
        rc = -EOVERFLOW;
    else
        memcpy(out, made, strlen(made) + 1);
    explicit_bzero(data, sizeof *data);
    free(data);
    return rc == -EINVAL ? -ENOSYS : rc;
}
