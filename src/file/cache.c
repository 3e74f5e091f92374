/* cache.c - open_file_cache: one hash table and one LRU list per open_file_cache line, per worker.
 *
 * A hit is a hash, a memcmp and a few pointer moves: no system call, no allocation. A miss is
 * opened here and now when the kernel has the path cached, else on a pool thread (cache_open.c),
 * where later lookups of the same path wait for the same open. nginx's rules: an entry older than
 * `valid` is looked up again by path and kept if nothing changed; one used fewer than `min_uses`
 * times is remembered but not kept open; one not used for `inactive` goes, and so does the least
 * recently used past `max`. */
#include "file/cache.h"

#include "base/clock.h"
#include "cache_private.h"
#include "cache_small.h"
#include "file/identity.h"
#include "recall.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

__extension__ typedef unsigned __int128 wide;

enum { BUCKETS_LEAST = 64 };

static uint64_t mix(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Keyed by a random seed, so that nobody can choose paths that collide. */
static uint64_t hash_bytes(uint64_t seed, const char *at, size_t len)
{
    const uint64_t k0 = 0xa0761d6478bd642fULL, k1 = 0xe7037ed1a0b428dbULL;
    uint64_t h = seed ^ (len * k0);

    for (; len > 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        h = mix(h ^ word, k1 ^ seed);
    }
    uint64_t last = 0;
    memcpy(&last, at, len);
    return mix(mix(h ^ last, k1), k0 ^ seed);
}

static bool same_key(const struct cache_entry *e, const struct cache_key *k)
{
    return e->hash == k->hash && e->path_len == k->path_len && e->guard == k->guard && e->identity == k->identity &&
           memcmp(e->path, k->path, k->path_len) == 0;
}

/* ---- the table ---- */

static struct cache_entry **bucket_of(const struct cache *c, uint64_t hash)
{
    if (c->old && (hash & c->old_mask) >= c->moved)
        return &c->old[hash & c->old_mask];
    return &c->table[hash & c->mask];
}

static struct cache_entry *entry_find(const struct cache *c, const struct cache_key *k)
{
    struct cache_entry *e = *bucket_of(c, k->hash);

    while (e && !same_key(e, k))
        e = e->chain;
    return e;
}

/* Without memory for a larger table the chains get longer; that is all. */
static void grow(struct cache *c)
{
    size_t buckets = (c->mask + 1) * 2;
    struct cache_entry **table = calloc(buckets, sizeof *table);
    if (!table)
        return;
    c->old = c->table;
    c->old_mask = c->mask;
    c->moved = 0;
    c->table = table;
    c->mask = buckets - 1;
}

/* A few buckets go to the larger table with each new entry, more than come in before it must grow
 * again: a million entries at once would stop the loop for a tenth of a second. */
static void move_some(struct cache *c)
{
    enum { BUCKETS_AT_ONCE = 4 };

    for (int n = 0; n < BUCKETS_AT_ONCE && c->moved <= c->old_mask; n++) {
        for (struct cache_entry *e = c->old[c->moved], *next; e; e = next) {
            next = e->chain;
            struct cache_entry **bucket = &c->table[e->hash & c->mask];
            e->chain = *bucket;
            *bucket = e;
        }
        c->old[c->moved++] = NULL;
    }
    if (c->moved <= c->old_mask)
        return;
    free(c->old);
    c->old = NULL;
}

/* ---- entries ---- */

static struct cache_entry *entry_add(struct cache *c, const struct cache_key *k)
{
    struct cache_entry *e = calloc(1, sizeof *e + k->path_len + 1);
    if (!e)
        return NULL;
    if (!c->old && c->count > c->mask)
        grow(c);
    if (c->old)
        move_some(c);
    memcpy(e->path, k->path, k->path_len);
    e->path_len = k->path_len;
    e->guard = k->guard;
    e->identity = k->identity;
    e->hash = k->hash;
    e->uses = 1;
    list_init(&e->lru);
    struct cache_entry **bucket = bucket_of(c, k->hash);
    e->chain = *bucket;
    *bucket = e;
    c->count++;
    c->stats->entries++;
    return e;
}

static void entry_set_file(struct cache *c, struct cache_entry *e, struct file *f)
{
    size_t content = f && f->content ? (size_t)f->size : 0;

    c->stats->content_bytes += content - e->content;
    c->content_bytes += content - e->content;
    e->content = content;
    *c->open += (f != NULL) - (size_t)(e->file != NULL);
    file_release(e->file);
    e->file = f;
}

static void entry_drop(struct cache *c, struct cache_entry *e)
{
    struct cache_entry **at = bucket_of(c, e->hash);

    while (*at != e)
        at = &(*at)->chain;
    *at = e->chain;
    entry_set_file(c, e, NULL);
    list_remove(&e->lru);
    c->count--;
    c->stats->entries--;
    free(e);
}

/* Entries with an open under way are not in the list, so that none of them goes away. */
static void expire(struct file_cache *fc, struct cache *c, bool force)
{
    for (int n = force ? 0 : 1; n < 3 && !list_empty(&c->lru); n++) {
        struct cache_entry *e = container_of(c->lru.prev, struct cache_entry, lru);
        if (n > 0 && clock_now.msec - e->used_msec <= c->conf->inactive_sec * 1000)
            return;
        entry_drop(c, e);
        fc->stats->evictions++;
    }
}

static bool out_of_descriptors(int rc)
{
    return rc == -EMFILE || rc == -ENFILE;
}

/* Least recently used ones go, a few at once, but not `keep`: their descriptors are wanted. Whether
 * there were any. */
static bool shed(struct file_cache *fc, struct cache *c, const struct cache_entry *keep)
{
    enum { AT_ONCE = 16 };
    int n = 0;

    for (; n < AT_ONCE && !list_empty(&c->lru); n++) {
        struct cache_entry *e = container_of(c->lru.prev, struct cache_entry, lru);
        if (e == keep)
            break;
        entry_drop(c, e);
        fc->stats->evictions++;
    }
    return n > 0;
}

/* `e` holds a file now, perhaps one more than there are descriptors for. */
static void bound_open(struct file_cache *fc, struct cache *c, struct cache_entry *e)
{
    if (fc->open > fc->open_most && !shed(fc, c, e))
        entry_set_file(c, e, NULL); /* all others are of other caches, or under way */
}

static void touch(struct cache *c, struct cache_entry *e)
{
    e->used_msec = clock_now.msec;
    list_remove(&e->lru);
    list_prepend(&c->lru, &e->lru);
}

static bool cacheable(int error)
{
    return error == -ENOENT || error == -ENOTDIR || error == -EACCES || error == -ELOOP || error == -ENAMETOOLONG;
}

/* ctime as well: mtime may be set, and is, by who copies files with their times. What is in memory
 * must not outlive the file's content: one that is read from its descriptor would be right all the
 * same. */
static bool unchanged(const struct file *a, const struct file *b)
{
    return a->kind == b->kind && a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           clock_same(a->mtime, b->mtime) && clock_same(a->ctime, b->ctime) && !a->content_young &&
           identity_same(a->identity, b->identity);
}

bool cache_wants_content(const struct file *f, size_t most)
{
    return f->kind == FILE_REGULAR && !f->content && f->size > 0 && (uint64_t)f->size <= most;
}

/* Bytes of content that a file opened now for `e` may bring. What no longer fits waits until
 * entries have become inactive: a crawl over many files does not push out what is being asked
 * for. */
static size_t content_room(const struct cache *c, const struct cache_entry *e, const struct file_conf *conf)
{
    int64_t room = conf->content.cap - (int64_t)(c->content_bytes - e->content);
    int64_t most = conf->content.most < room ? conf->content.most : room;
    return most > 0 ? (size_t)most : 0;
}

struct file *cache_settle(struct file_cache *fc, struct cache *c, struct cache_entry *e, const struct file_conf *conf,
                          int rc, struct file *f)
{
    e->open = NULL;
    if (out_of_descriptors(rc))
        shed(fc, c, e);
    if (rc < 0 && !(conf->errors && cacheable(rc))) {
        entry_drop(c, e); /* before anything is evicted for it */
        return NULL;
    }
    list_remove(&e->lru);
    expire(fc, c, c->count > (size_t)c->conf->max);
    touch(c, e);
    e->checked_msec = clock_now.msec;
    e->error = rc;
    if (rc < 0) {
        entry_set_file(c, e, NULL);
        return NULL;
    }
    if (e->file && unchanged(e->file, f) && (e->file->content || !f->content)) {
        file_release(f);
        f = file_acquire(e->file);
    } else if (f->kind != FILE_REGULAR || e->uses >= conf->min_uses) {
        entry_set_file(c, e, file_acquire(f));
        bound_open(fc, c, e);
    } else {
        entry_set_file(c, e, NULL);
    }
    return f;
}

static struct cache *cache_new(const struct file_cache_conf *conf, struct file_cache *fc)
{
    struct cache *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->conf = conf;
    c->stats = fc->stats;
    c->open = &fc->open;
    c->mask = BUCKETS_LEAST - 1;
    list_init(&c->lru);
    c->table = calloc(BUCKETS_LEAST, sizeof(struct cache_entry *));
    if (!c->table) {
        free(c);
        return NULL;
    }
    return c;
}

/* The cache of a line; made at its first use. NULL: no memory. */
static struct cache *cache_of(struct file_cache *fc, const struct file_cache_conf *conf)
{
    if (conf->id < fc->count && fc->caches[conf->id])
        return fc->caches[conf->id];
    if (conf->id >= fc->count) {
        size_t count = (size_t)conf->id + 1;
        struct cache **caches = realloc(fc->caches, count * sizeof(struct cache *));
        if (!caches)
            return NULL;
        memset(caches + fc->count, 0, (count - fc->count) * sizeof(struct cache *));
        fc->caches = caches;
        fc->count = count;
    }
    return fc->caches[conf->id] = cache_new(conf, fc);
}

/* Whether a thread has to look for what is known of the content of `f`; here and now where nobody may
 * wait. */
static bool wants_identity(struct file_cache *fc, const struct cache_request *q, struct file *f, bool may_wait)
{
    if (!identity_is_pending(f) || recall_find(fc->recall, f, q->options))
        return false;
    if (!may_wait)
        identity_read(f, q->options);
    return may_wait;
}

/* A miss, or an entry to look at again. `e` NULL: the path is new. */
static int look_up(struct file_cache *fc, struct cache *c, struct cache_entry *e, const struct cache_request *q,
                   struct file **out)
{
    bool may_wait = q->lookup && fc->pool;
    struct file *f = NULL;
    int rc = file_open_cached(&f, q->path, q->options);

    if (out_of_descriptors(rc) && shed(fc, c, e))
        rc = file_open_cached(&f, q->path, q->options);
    bool cold = rc == -EAGAIN;
    fc->stats->misses++;
    if (!e && rc < 0 && !cold && !(q->conf->errors && cacheable(rc)))
        return rc;
    if (!e)
        e = entry_add(c, &q->key);
    size_t room = e && e->uses >= q->conf->min_uses ? content_room(c, e, q->conf) : 0;
    bool unknown = rc == 0 && wants_identity(fc, q, f, may_wait);
    if (rc == 0 && !unknown && cache_wants_content(f, room) && !(e->file && e->file->content && unchanged(e->file, f)))
        cold = file_read_content(f, clock_now.sec, may_wait) == -EAGAIN && may_wait;
    if ((cold && may_wait) || unknown) {
        rc = cache_open_start(fc, c, e, q, room, &f);
        if (rc == -EINPROGRESS)
            return rc;
    } else if (cold) {
        rc = file_open(&f, q->path, q->options);
        identity_read(f, q->options);
    }
    if (e)
        f = cache_settle(fc, c, e, q->conf, rc, f);
    *out = f;
    return rc;
}

static bool wants_small(const struct cache_request *q)
{
    return q->options && q->options->content_most > 0;
}

/* Without open_file_cache. */
static int find_uncached(struct file_cache *fc, const struct cache_request *q, struct file **out)
{
    int rc = wants_small(q) ? small_find(fc, q, out) : file_open_cached(out, q->path, q->options);

    bool may_wait = q->lookup && fc->pool;
    if (rc != -EAGAIN && !(rc == 0 && wants_identity(fc, q, *out, may_wait)))
        return rc;
    if (may_wait)
        return cache_open_start(fc, NULL, NULL, q, 0, out);
    rc = file_open(out, q->path, q->options);
    if (rc == 0)
        identity_read(*out, q->options);
    return rc;
}

/* One path opened by different rules may be different files, or none. Paths are shorter than 2^28
 * bytes. */
static uint64_t guard_of(const struct open_options *o)
{
    uint64_t root = o->beneath ? (uint64_t)o->root_len + 1 : 0;
    uint64_t trusted = o->symlinks == SYMLINKS_FOLLOW ? 0 : o->trusted;

    return root << 32 | trusted << 2 | (uint64_t)o->symlinks;
}

/* One path may be looked for in different manifests, by different names. */
static uint64_t identity_key(const struct open_options *o)
{
    return o && o->identity ? (uint64_t)o->identity->id << 32 | (uint64_t)o->identity_from : 0;
}

int file_cache_find(struct file_cache *fc, const struct file_conf *conf, const char *path,
                    const struct open_options *options, struct file_lookup *lookup, struct file **out)
{
    struct cache_request q = {.path = path, .options = options, .conf = conf, .lookup = lookup};
    struct cache *c = conf->cache ? cache_of(fc, conf->cache) : NULL;

    *out = NULL;
    if (!c && !wants_small(&q))
        return find_uncached(fc, &q, out);
    q.key.path = path;
    q.key.path_len = strlen(path);
    q.key.guard = open_guarded(options) ? guard_of(options) : 0;
    q.key.identity = identity_key(options);
    q.key.hash = hash_bytes(fc->seed + q.key.guard + q.key.identity, path, q.key.path_len);
    if (!c)
        return find_uncached(fc, &q, out);

    struct cache_entry *e = entry_find(c, &q.key);
    if (!e)
        return look_up(fc, c, NULL, &q, out);
    e->uses++;
    if (e->open)
        return lookup ? cache_open_join(e->open, lookup) : file_open(out, path, options);
    touch(c, e);
    if ((!e->file && !e->error) || clock_now.msec - e->checked_msec >= conf->valid_sec * 1000)
        return look_up(fc, c, e, &q, out);
    fc->stats->hits++;
    if (e->file)
        *out = file_acquire(e->file);
    int rc = e->error;
    expire(fc, c, false);
    return rc;
}

int file_cache_create(struct file_cache **out, struct pool *pool)
{
    struct file_cache *fc = calloc(1, sizeof *fc);
    if (!fc)
        return -ENOMEM;
    if (getrandom(&fc->seed, sizeof fc->seed, GRND_NONBLOCK) < 0)
        fc->seed = (uint64_t)(uintptr_t)fc ^ (uint64_t)clock_now.msec;
    fc->pool = pool;
    fc->refs = 1;
    fc->stats = &fc->own;
    fc->open_most = SIZE_MAX;
    *out = fc;
    return 0;
}

static void table_free(struct cache_entry **table, size_t buckets)
{
    for (size_t i = 0; i < buckets; i++) {
        for (struct cache_entry *e = table[i], *next; e; e = next) {
            next = e->chain;
            if (e->open)
                cache_open_detach(e->open);
            file_release(e->file);
            free(e);
        }
    }
    free(table);
}

static void cache_free(struct cache *c)
{
    c->stats->entries -= c->count;
    c->stats->content_bytes -= c->content_bytes;
    if (c->old)
        table_free(c->old, c->old_mask + 1);
    table_free(c->table, c->mask + 1);
    free(c);
}

void file_cache_destroy(struct file_cache *fc)
{
    if (!fc)
        return;
    for (size_t i = 0; i < fc->count; i++) {
        if (fc->caches[i])
            cache_free(fc->caches[i]);
    }
    free(fc->caches);
    fc->caches = NULL;
    fc->count = 0;
    small_free(fc->small);
    fc->small = NULL;
    recall_free(fc->recall);
    fc->recall = NULL;
    file_cache_unref(fc);
}

void file_cache_unref(struct file_cache *fc)
{
    if (--fc->refs == 0)
        free(fc);
}

void file_cache_bound(struct file_cache *fc, size_t files)
{
    fc->open_most = files;
}

void file_cache_share(struct file_cache *fc, struct file_cache_stats *stats)
{
    fc->stats = stats;
}

void file_cache_stats(const struct file_cache *fc, struct file_cache_stats *out)
{
    *out = *fc->stats;
}
