/* content_cache.h - files that are kept as content.c changed them, for the next client: compressed,
 * unpacked, recoded. One cache per worker; asked by content.c. `gzip_cache` bounds it: the
 * directive's name is older than what is kept besides gzip's. Known by the file's identity (device,
 * inode, size, both times) and by what was done to it: a file that changed is another one. */
#ifndef HTTP_CONTENT_CONTENT_CACHE_H
#define HTTP_CONTENT_CONTENT_CACHE_H

#include "http/request/request.h"
#include "io/filter.h"

/* The response in r->out is the whole of r->file, changed as planned, and may be kept. */
bool content_cache_suits(const struct request *r);

/* A source of the changed file, which is kept at least until it is closed. NULL: there is none. */
struct source *content_cache_find(struct request *r);

/* Bytes that the last codec took and made, of a source from content_cache_find(). */
void content_cache_totals(const struct source *s, uint64_t *taken, uint64_t *made);
bool content_cache_is_from(const struct source *s);

/* Puts around *codec, the last one of the plan, one that keeps what comes of it once all of it has
 * come. Without room or memory for it, leaves *codec as it is. */
void content_cache_record(struct request *r, struct codec **codec);

#endif
