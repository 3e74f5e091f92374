/* number.h - text to numbers and back, as nginx's configuration and RFC 9110 write them. Pure. */
#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

#include "base/text.h"

#include <stdint.h>

/* Decimal digits only, at least one. 0, -EINVAL, or -ERANGE when it does not fit. */
int number_parse(struct text t, uint64_t *value);

/* Digits with an optional k, m or g, in either case; bytes.
 * https://nginx.org/en/docs/syntax.html */
int number_parse_size(struct text t, uint64_t *bytes);

/* nginx times: y M w d h m s ms in descending order, each once, combinable with spaces; a bare
 * number is seconds. Milliseconds (M = 30 d, y = 365 d). -EINVAL, -ERANGE. */
int number_parse_msec(struct text t, int64_t *msec);

/* The same in whole seconds: `ms` is refused. */
int number_parse_sec(struct text t, int64_t *sec);

/* Writes decimal / lower-case hex digits, no NUL; returns the count (at most 20 / 16). */
size_t number_format(char *out, uint64_t value);
size_t number_format_hex(char *out, uint64_t value);

#endif
