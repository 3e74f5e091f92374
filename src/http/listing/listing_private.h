/* listing_private.h - what listing.c has read of a directory, for the rooms that print it: one
 * function per format. */
#ifndef HTTP_LISTING_LISTING_PRIVATE_H
#define HTTP_LISTING_LISTING_PRIVATE_H

#include "http/listing/listing.h"

#include <sys/types.h>
#include <time.h>

struct listing_entry {
    struct text name; /* NUL-terminated */
    off_t size;
    time_t mtime;
    enum { ENTRY_DIRECTORY, ENTRY_FILE, ENTRY_OTHER } kind; /* of what a symbolic link points to */
};

struct listing {
    const struct listing_want *want;
    struct listing_entry *entries; /* directories first, each part in byte order */
    size_t count;
    struct {
        struct text name, content; /* absent: there is none */
        bool cut;                  /* what follows is not shown */
    } readme;
    time_t offset; /* seconds to add for the times to print: 0, or the zone's with autoindex_localtime */
};

void listing_print_plain(const struct listing *l, struct buffer *out);
void listing_print_modern(const struct listing *l, struct buffer *out);
void listing_print_xml(const struct listing *l, struct buffer *out);
void listing_print_json(const struct listing *l, struct buffer *out);

/* & < > " as entities, the rest as it is. */
void listing_add_html(struct buffer *out, struct text t);
/* A name as a relative reference, without the slash of a directory. */
void listing_add_href(struct buffer *out, struct text name);

/* 9999 bytes as they are, then rounded to K, M, G; the unit is 0 for bytes. nginx's way. */
off_t listing_round(off_t size, char *unit);

#endif
