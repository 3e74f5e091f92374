/* buffer.c - bytes that grow, on the heap. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

void buffer_init(struct buffer *b)
{
    *b = (struct buffer){0};
}

void buffer_fini(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){0};
}

/* Room for `more` bytes and a NUL behind them. */
static bool reserve(struct buffer *b, size_t more)
{
    if (b->failed)
        return false;
    if (b->cap - b->len > more) /* cap 0: never true */
        return true;
    size_t cap = b->cap > 0 ? b->cap : FIRST_CAPACITY;
    while (cap - b->len <= more) {
        if (cap > SIZE_MAX / 2) {
            b->failed = true;
            return false;
        }
        cap *= 2;
    }
    char *data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buffer_add(struct buffer *b, const void *bytes, size_t len)
{
    if (len == 0 || !reserve(b, len))
        return;
    memcpy(b->data + b->len, bytes, len);
    b->len += len;
}

void buffer_add_text(struct buffer *b, struct text t)
{
    buffer_add(b, t.at, t.len);
}

void buffer_add_str(struct buffer *b, const char *cstr)
{
    buffer_add(b, cstr, strlen(cstr));
}

void buffer_add_char(struct buffer *b, char c)
{
    if (reserve(b, 1))
        b->data[b->len++] = c;
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = b->cap - b->len;
    int len = vsnprintf(room > 0 ? b->data + b->len : NULL, room, format, args);
    if (len < 0) {
        b->failed = true;
    } else if ((size_t)len < room) {
        b->len += b->failed ? 0 : (size_t)len;
    } else if (reserve(b, (size_t)len)) {
        vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

char *buffer_steal(struct buffer *b, size_t *len)
{
    if (!reserve(b, 0)) {
        buffer_fini(b);
        return NULL;
    }
    char *data = b->data;
    data[b->len] = '\0';
    if (len)
        *len = b->len;
    *b = (struct buffer){0};
    return data;
}
