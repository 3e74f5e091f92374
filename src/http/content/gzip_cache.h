/* gzip_cache.h - compressed files that are kept for the next client. One cache per worker, bounded
 * by `gzip_cache`; asked by content.c. Known by the file's identity (device, inode, size, both
 * times) and by how it is compressed: a file that changed is another one. */
#ifndef HTTP_CONTENT_GZIP_CACHE_H
#define HTTP_CONTENT_GZIP_CACHE_H

#include "http/request/request.h"
#include "io/filter.h"

/* The response in r->out is the whole of r->file, compressed, and may be kept. */
bool gzip_cache_suits(const struct request *r);

/* A source of the compressed file, which is kept at least until it is closed. NULL: there is none. */
struct source *gzip_cache_find(struct request *r);

/* Bytes before and behind compression, of a source from gzip_cache_find(). */
void gzip_cache_totals(const struct source *s, uint64_t *taken, uint64_t *made);
bool gzip_cache_is_from(const struct source *s);

/* Puts around *codec, which compresses r->file, one that keeps what comes of it once all of it has
 * come. Without room or memory for it, leaves *codec as it is. */
void gzip_cache_record(struct request *r, struct codec **codec);

#endif
