/* utf8.h - UTF-8 as RFC 3629 has it: no surrogates, nothing past U+10FFFF, nothing longer than it
 * need be. Pure. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/text.h"

#include <stdint.h>

/* Bytes of the character that `t` begins with, and which one it is (`code` may be NULL); 0: `t` is
 * empty, or does not begin with one. */
size_t utf8_first(struct text t, uint32_t *code);

/* Characters of `t`; its bytes where some of it is not UTF-8. */
size_t utf8_count(struct text t);

/* Bytes of the first `count` characters of `t`, which is as utf8_count() has counted it. */
size_t utf8_head(struct text t, size_t count);

#endif
