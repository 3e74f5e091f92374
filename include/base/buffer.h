/* buffer.h - bytes that grow, on the heap: error pages, listings, dumps. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data;
    size_t len, cap;
    bool failed; /* an append found no memory: the content is incomplete; sticky */
};

void buffer_init(struct buffer *b);
void buffer_fini(struct buffer *b);

void buffer_add(struct buffer *b, const void *bytes, size_t len);
void buffer_add_text(struct buffer *b, struct text t);
void buffer_add_str(struct buffer *b, const char *cstr);
void buffer_add_char(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The content as a NUL-terminated heap string that the caller frees; the buffer is empty after.
 * NULL on no memory. */
char *buffer_steal(struct buffer *b, size_t *len);

#endif
