/* text.h - a view of bytes: pointer and length, not owned, not NUL-terminated. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct text {
    const char *at; /* NULL: absent, which is different from empty */
    size_t len;
};

#define TEXT(literal) ((struct text){(literal), sizeof(literal) - 1})
#define TEXT_NONE     ((struct text){NULL, 0})

/* For printf: "%.*s", TEXT_ARG(t) */
#define TEXT_ARG(t) (int)(t).len, ((t).at ? (t).at : "")

static inline struct text text_of(const char *cstr)
{
    return (struct text){cstr, cstr ? strlen(cstr) : 0};
}

static inline struct text text_span(const char *from, const char *to)
{
    return (struct text){from, (size_t)(to - from)};
}

static inline bool text_equal(struct text a, struct text b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool text_starts(struct text t, struct text prefix)
{
    return t.len >= prefix.len && (prefix.len == 0 || memcmp(t.at, prefix.at, prefix.len) == 0);
}

static inline bool text_ends(struct text t, struct text suffix)
{
    return t.len >= suffix.len && (suffix.len == 0 || memcmp(t.at + t.len - suffix.len, suffix.at, suffix.len) == 0);
}

/* ASCII only, whatever the locale. */
static inline char text_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool text_equal_nocase(struct text a, struct text b);

/* Offset of `c`, or t.len when it is not there. */
static inline size_t text_find(struct text t, char c)
{
    const char *hit = t.len > 0 ? (const char *)memchr(t.at, c, t.len) : NULL;
    return hit ? (size_t)(hit - t.at) : t.len;
}

/* `t` without the first `n` bytes; n <= t.len. */
static inline struct text text_from(struct text t, size_t n)
{
    return (struct text){n > 0 ? t.at + n : t.at, t.len - n}; /* nothing is added to a NULL */
}

/* A text file without the byte order mark (U+FEFF as UTF-8) that some editors begin it with. */
static inline struct text text_without_mark(struct text t)
{
    return text_starts(t, TEXT("\xEF\xBB\xBF")) ? text_from(t, 3) : t;
}

/* `t` without spaces and tabs (RFC 9110 OWS) at both ends. */
struct text text_trim(struct text t);

/* Takes the next element of a comma-separated list (RFC 9110, 5.6.1) off `rest`, trimmed; commas
 * inside quoted strings do not separate. Returns false when nothing is left. Empty elements are
 * skipped. */
bool text_list_next(struct text *rest, struct text *element);

/* Copies `t` (absent: nothing) and a NUL to *to, which then is behind them: texts one after another
 * in one piece of memory. Returns the copy. */
char *text_put(char **to, struct text t);

#endif
