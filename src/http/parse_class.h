/* parse_class.h - what each byte may be part of in a message head: one table for parse.c and parse_body.c. */
#ifndef HTTP_PARSE_CLASS_H
#define HTTP_PARSE_CLASS_H

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

#endif
