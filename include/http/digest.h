/* digest.h - MD5, SHA-1 and SHA-256, where formats of others ask for them: htpasswd, secure_link. The only door to libcrypto. */
#ifndef HTTP_DIGEST_H
#define HTTP_DIGEST_H

#include "base/text.h"

enum digest { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256 };

enum { DIGEST_MD5_LEN = 16, DIGEST_SHA1_LEN = 20, DIGEST_SHA256_LEN = 32 };

/* False: built without libcrypto; digest_of() answers -ENOSYS. */
bool digest_available(void);

/* Of `parts` one behind the other, in the kind's length, into `out`. 0; -ENOMEM; -ENOSYS: the library has no such digest (or
 * forbids it). From any thread. */
int digest_of(enum digest kind, const struct text *parts, unsigned count, unsigned char *out);

#endif
