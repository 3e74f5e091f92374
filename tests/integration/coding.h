/* coding.h - what the tests of Brotli and Zstandard share: the libraries, as clients and those who make
 * side files have them, and a page. In builds without a library, coding_*_none.c stand in. */
#ifndef CODING_H
#define CODING_H

#include "harness.h"

extern const bool coding_has_brotli, coding_has_zstd;

/* On the heap, NUL-terminated. */
char *brotli_pack(const void *bytes, size_t len, size_t *out_len);
char *zstd_pack(const void *bytes, size_t len, size_t *out_len);

/* NULL: it is not complete, or malformed. */
char *brotli_unpack(const void *bytes, size_t len, size_t *out_len);
char *zstd_unpack(const void *bytes, size_t len, size_t *out_len);

enum { CODINGS = 2, MTIME = 1600000000 };

extern const struct coding {
    const char *name, *directive, *suffix;
    const bool *is_here;
    char *(*pack)(const void *bytes, size_t len, size_t *out_len);
    char *(*unpack)(const void *bytes, size_t len, size_t *out_len);
} codings[CODINGS];

#define TYPES "types { text/html html; text/plain txt; application/x-bin bin; }"

/* A configuration in which @X@ is the directive's name; in a static buffer. */
const char *coding_named(const struct coding *k, const char *text);

/* A server with `server`, as above, and /status; `http` stands before it. */
void coding_serve(const struct coding *k, const char *http, const char *server);
unsigned coding_metric(const char *name); /* of gzip_cache */

/* `size` bytes that compress well and say `mark` from beginning to end; on the heap. As a file, they
 * always have the same time. */
char *coding_page(unsigned mark, size_t size);
void coding_write_page(const char *name, unsigned mark, size_t size);

/* `accepted` is Accept-Encoding; NULL: there is none. `more` are whole lines. */
void coding_ask(struct site_response *r, const char *method, const char *target, const char *accepted,
                const char *more);
void coding_unpack(struct site_response *r, const struct coding *k); /* must be in that coding */
void coding_expect_text(const struct site_response *r, unsigned mark, size_t size);
void coding_expect_page(const char *target, const struct coding *k, unsigned mark, size_t size);

#endif
