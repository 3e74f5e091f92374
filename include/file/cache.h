/* cache.h - open_file_cache: path -> struct file, per worker, LRU.
 * https://nginx.org/r/open_file_cache
 *
 * Keyed by path and what guards it (root_confine, disable_symlinks), never by thresholds: a struct
 * file holds a plain descriptor and a separate O_DIRECT one, so that locations with different
 * `directio` share an entry rightly. Concurrent misses of one path share one open.
 *
 * Without open_file_cache, small_file_cache keeps the content of small files that are asked for
 * again, without their descriptors, and asks the file system about the path with each lookup; all
 * other lookups open. */
#ifndef FILE_CACHE_H
#define FILE_CACHE_H

#include "base/threads.h"
#include "conf/directive.h"
#include "file/open.h"

extern struct conf_module
    file_module; /* rows: open_file_cache, _valid, _min_uses, _errors, open_file_cache_content, small_file_cache */

/* Values of file_module; as in nginx, one cache per open_file_cache line. */
struct file_conf {
    struct file_cache_conf *cache; /* NULL: off */
    int64_t valid_sec;
    int64_t min_uses;
    bool errors;
    struct file_content_conf { /* open_file_cache_content */
        int64_t most;          /* keep the content of files up to this many bytes, 0: none */
        int64_t cap;           /* bytes of content kept in all, per cache */
    } content;
    struct file_content_conf small; /* small_file_cache: counts where `cache` is NULL; one for the worker */
};

/* Content that a file has is sent where the file is no larger. */
static inline int64_t file_content_most(const struct file_conf *conf)
{
    return conf->cache ? conf->content.most : conf->small.most;
}

struct file_cache_conf {
    int64_t max;
    int64_t inactive_sec;
    unsigned id; /* distinct per line in the configuration: index into the worker's caches */
};

struct file_cache; /* all caches of one worker */

/* `pool`: where cold opens go; NULL: everything is opened inline. */
int file_cache_create(struct file_cache **out, struct pool *pool);
void file_cache_destroy(struct file_cache *fc); /* no lookup may be waiting; cancelled opens may still be in the pool */

/* At most `files` are kept open in all, whatever max= says; what was used least recently leaves. */
void file_cache_bound(struct file_cache *fc, size_t files);

struct file_lookup; /* embedded by whoever asks; zeroed before its first use */
typedef void file_found_fn(struct file_lookup *l, int rc, struct file *f);

/* The lookup has to wait: says what else its open shall do (fetch_most, fetch_waits), which lookups
 * that are answered at once need not know. */
typedef void file_waits_fn(struct file_lookup *l, struct open_options *options);

struct file_lookup {
    struct list node;        /* among those that wait for the same open */
    struct cache_open *open; /* NULL: not waiting */
    file_found_fn *found;
    file_waits_fn *waits; /* or NULL */
};

/* 0: *out is a file with a reference for the caller. -errno: there is none (with `errors on`,
 * perhaps from the cache). -EINPROGRESS: `lookup->found` will be called once, later, from the loop;
 * `path` need not outlive the call. `lookup` NULL: never waits, opens inline. */
int file_cache_find(struct file_cache *fc, const struct file_conf *conf, const char *path,
                    const struct open_options *options, struct file_lookup *lookup, struct file **out);

void file_lookup_cancel(struct file_lookup *lookup); /* it will not be called; legal when not waiting */

struct file_cache_stats {
    uint64_t hits; /* answered without a system call */
    uint64_t misses, evictions;
    uint64_t entries, content_bytes; /* now */
    struct small_file_stats {        /* of small_file_cache */
        uint64_t hits;               /* answered by one look at the path */
        uint64_t misses, evictions;
        uint64_t entries, bytes; /* now */
    } small;
};

/* Counts there from now on (before anything is looked up), in memory that outlives it and others
 * may count in too. */
void file_cache_share(struct file_cache *fc, struct file_cache_stats *stats);

/* Of this one, or of all that count in the same place. */
void file_cache_stats(const struct file_cache *fc, struct file_cache_stats *out);

#endif
