/* parse_class.h - what each byte may be part of in a message head, and what follows from it: for
 * parse.c, parse_known.c and parse_body.c. */
#ifndef HTTP_H1_PARSE_CLASS_H
#define HTTP_H1_PARSE_CLASS_H

#include "http/h1/parse.h"

enum {
    CLASS_TOKEN = 1 << 0,  /* RFC 9110, 5.6.2: methods and field names */
    CLASS_TARGET = 1 << 1, /* visible ASCII but #: a request target */
    CLASS_NAME = 1 << 2    /* letters, digits, hyphen: field names that nobody disputes */
};

extern const unsigned char parse_class[256];

static inline int parse_is(char c, int classes)
{
    return parse_class[(unsigned char)c] & classes;
}

/* Where the run of these from `at` on ends. */
static inline size_t parse_run(struct text line, size_t at, int classes)
{
    while (at < line.len && parse_is(line.at[at], classes))
        at++;
    return at;
}

/* "HTTP/", a digit, a dot, a digit. */
static inline bool parse_is_version(struct text t)
{
    return t.len == 8 && memcmp(t.at, "HTTP/", 5) == 0 && t.at[5] >= '0' && t.at[5] <= '9' && t.at[6] == '.' &&
           t.at[7] >= '0' && t.at[7] <= '9';
}

#endif
