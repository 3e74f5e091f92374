/* hash.h - MD5, SHA-1 and SHA-256, where formats of others ask for them: htpasswd, secure_link. The
 * only door to libcrypto. RFC 1321; RFC 6234. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/text.h"

enum hash_kind { HASH_MD5, HASH_SHA1, HASH_SHA256 };

enum { HASH_MD5_LEN = 16, HASH_SHA1_LEN = 20, HASH_SHA256_LEN = 32 };

/* False: built without libcrypto; hash_of() answers -ENOSYS. */
bool hash_available(void);

/* Of `parts` one behind the other, in the kind's length, into `out`. 0; -ENOMEM; -ENOSYS: the
 * library has no such hash function (or forbids it). From any thread. */
int hash_of(enum hash_kind kind, const struct text *parts, unsigned count, unsigned char *out);

/* Of bytes that come piece by piece; one thread at a time. Errors as above. */
struct hash_stream;
int hash_begin(struct hash_stream **out, enum hash_kind kind);
int hash_add(struct hash_stream *s, const void *bytes, size_t len);
int hash_end(struct hash_stream *s, unsigned char *out); /* and frees it; `out` NULL: only that. `s` may be NULL then */

#endif
