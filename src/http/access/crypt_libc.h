/* crypt_libc.h - crypt(3): bcrypt, yescrypt, SHA-512 and all else that the system's library knows.
 * The only door to libcrypt. */
#ifndef HTTP_ACCESS_CRYPT_LIBC_H
#define HTTP_ACCESS_CRYPT_LIBC_H

#include <stddef.h>

enum { CRYPT_LIBC_SIZE = 384 }; /* of a stored password, NUL included: CRYPT_OUTPUT_SIZE of libxcrypt */

/* What crypt(3) makes of `password` with the salt in `stored`. 0; -ENOSYS: built without libcrypt,
 * or it does not know the scheme; or another -errno. Takes as long as the scheme wants it to: not
 * in the loop. From any thread. */
int crypt_libc(const char *password, const char *stored, char out[CRYPT_LIBC_SIZE]);

#endif
