/* line.h - a text that is put together in a place of fixed size: what no longer fits is cut. For
 * what is written too often for printf. Pure. */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include "base/number.h"

struct line {
    char *at;
    size_t len, size;
};

/* An empty one in an array. */
#define LINE(array) ((struct line){(array), 0, sizeof(array)})

static inline struct text line_text(const struct line *l)
{
    return (struct text){l->at, l->len};
}

static inline void line_put(struct line *l, struct text t)
{
    size_t room = l->size - l->len, n = t.len < room ? t.len : room;

    if (n > 0)
        memcpy(l->at + l->len, t.at, n);
    l->len += n;
}

static inline void line_number(struct line *l, uint64_t value)
{
    char digits[20];

    line_put(l, (struct text){digits, number_format(digits, value)});
}

/* Control bytes as \xXX, none of them by half. */
void line_put_escaped(struct line *l, struct text t);

/* " (2: No such file or directory)"; nothing where `error`, an errno, is 0. */
void line_error(struct line *l, int error);

#endif
