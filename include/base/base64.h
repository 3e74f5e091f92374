/* base64.h - RFC 4648: bytes to base64 and back. Pure. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/text.h"

#include <sys/types.h>

enum base64 { BASE64_USUAL /* + and / */, BASE64_URL /* - and _ */ };

#define BASE64_LEN(bytes)     (((size_t)(bytes) + 2) / 3 * 4)
#define BASE64_DECODED(chars) (((size_t)(chars) + 3) / 4 * 3)

/* With padding; `out` has room for BASE64_LEN(len) bytes, all of which are written. Returns how
 * many. */
size_t base64_encode(const void *bytes, size_t len, char *out);

/* Up to the first =, as nginx does: padding may be missing, and what stands behind it is not looked
 * at. `out` has room for BASE64_DECODED(t.len) bytes. Returns how many were written, or -EINVAL. */
ssize_t base64_decode(struct text t, enum base64 alphabet, void *out);

#endif
