/* cache_private.h - what cache.c (table, LRU) and cache_open.c (opens on pool threads) know of each
 * other. */
#ifndef FILE_CACHE_PRIVATE_H
#define FILE_CACHE_PRIVATE_H

#include "base/list.h"
#include "file/cache.h"

struct cache_entry {
    struct list lru; /* in no list while an open is under way */
    struct cache_entry *chain;
    uint64_t hash;
    struct file *file;       /* NULL: an error, or used too seldom to be kept open */
    struct cache_open *open; /* under way, or NULL */
    int error;               /* -errno to hand out, or 0 */
    int64_t checked_msec;    /* when the path was last looked up, clock_now */
    int64_t used_msec;
    int64_t uses;
    size_t content;    /* bytes charged for file->content */
    uint64_t guard;    /* guard_of() */
    uint64_t identity; /* identity_key() */
    size_t path_len;
    char path[];
};

struct cache {
    const struct file_cache_conf *conf;
    struct file_cache_stats *stats;
    struct cache_entry **table;
    size_t mask, count, content_bytes;
    struct cache_entry **old; /* the table before the last growth, until all have moved; or NULL */
    size_t old_mask, moved;   /* its buckets below `moved` are empty */
    size_t *open;             /* file_cache.open */
    struct list lru;          /* most recent first */
};

struct small_files; /* cache_small.h */
struct recall;      /* recall.h */

struct file_cache {
    struct pool *pool;
    unsigned refs; /* one of the owner, one per open under way */
    uint64_t seed;
    struct cache **caches;
    size_t count;
    size_t open, open_most;    /* files that entries hold, and how many they may */
    struct small_files *small; /* NULL: nobody has asked yet */
    struct recall *recall;     /* the same */
    struct file_cache_stats own, *stats;
};

struct cache_key {
    const char *path;
    size_t path_len;
    uint64_t guard, identity, hash;
};

struct cache_request {
    const char *path;
    const struct open_options *options;
    const struct file_conf *conf;
    struct file_lookup *lookup;
    struct cache_key key;
};

/* The result of looking the path of `e` up. Takes over the reference `f`; returns the file to hand
 * out, with a reference for the caller, or NULL after an error. `e` may be gone. */
struct file *cache_settle(struct file_cache *fc, struct cache *c, struct cache_entry *e, const struct file_conf *conf,
                          int rc, struct file *f);
bool cache_wants_content(const struct file *f, size_t most);
void file_cache_unref(struct file_cache *fc);

/* Fills f->content. `now`: clock_now.sec when it was asked for. `nowait`: only if that needs no
 * disk, else -EAGAIN. 0 or -errno; without content the file is as good. */
int file_read_content(struct file *f, int64_t now, bool nowait);

/* Opens q->path on a pool thread (or only reads the content of *f, where that is not NULL; takes it
 * over) and settles `e` (may be NULL). -EINPROGRESS: q->lookup waits. Else no thread could be
 * started: it was done at once, and the result is returned. */
int cache_open_start(struct file_cache *fc, struct cache *c, struct cache_entry *e, const struct cache_request *q,
                     size_t content_most, struct file **f);
int cache_open_join(struct cache_open *open, struct file_lookup *lookup); /* -EINPROGRESS */
void cache_open_detach(struct cache_open *open);                          /* its entry and cache go away */

#endif
