/* gzip_cache.c - compressed files that are kept for the next client. See gzip_cache.h.
 *
 * Compressing a page of 20 KiB costs ten times as much as sending it. What was compressed once is
 * sent again for as long as the file's identity is the same. It is kept only where no later write
 * can leave that identity as it is: the file's last change was some time before it was read, and it
 * was the same when all of it had been read. */
#include "http/content/gzip_cache.h"

#include "file/open.h"
#include "http/content/gzip.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <stdlib.h>

enum {
    YOUNG_SEC = 2,      /* the coarsest times that file systems keep */
    ENTRY_SHARE = 8,    /* an entry takes at most this part of the cache */
    MAKING_SHARE = 4,   /* and all that are being made this one */
    BUCKETS_LEAST = 64, /* of the table; and most: */
    BUCKETS_MOST = 65536,
    BYTES_PER_BUCKET = 4096,
    FIRST_CAP = 4096 /* bytes, of an entry that is being made */
};

struct key {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime, ctime;
    int64_t level;
    int window_bits, memory;
};

struct kept {
    struct list lru;
    struct kept *chain;
    unsigned refs; /* the cache's, and one for each source */
    struct key key;
    size_t len, cap; /* of bytes */
    char *bytes;
};

struct gzip_cache {
    struct worker_part part;
    struct gzip_cache_stats *stats;
    struct list lru; /* the one used last comes first */
    size_t most, bytes, making;
    size_t mask;
    struct kept *table[];
};

/* ---- entries ---- */

static void kept_release(struct kept *k)
{
    if (--k->refs > 0)
        return;
    free(k->bytes);
    free(k);
}

static size_t weight(const struct kept *k)
{
    return k->cap + sizeof *k;
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_way(const struct key *a, const struct key *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->level == b->level && a->window_bits == b->window_bits &&
           a->memory == b->memory;
}

static bool same_state(const struct key *a, const struct key *b)
{
    return a->size == b->size && same_time(a->mtime, b->mtime) && same_time(a->ctime, b->ctime);
}

static struct kept **bucket_of(struct gzip_cache *c, const struct key *k)
{
    uint64_t h = ((uint64_t)k->ino ^ (uint64_t)k->dev << 32 ^ (uint64_t)k->level << 24) * UINT64_C(0x9e3779b97f4a7c15);

    return &c->table[h >> 32 & c->mask];
}

static void drop(struct gzip_cache *c, struct kept *k)
{
    struct kept **at = bucket_of(c, &k->key);

    while (*at != k)
        at = &(*at)->chain;
    *at = k->chain;
    list_remove(&k->lru);
    c->bytes -= weight(k);
    c->stats->entries--;
    c->stats->bytes -= weight(k);
    kept_release(k);
}

/* Of the file as it is now. One of the file as it was goes. */
static struct kept *find(struct gzip_cache *c, const struct key *key)
{
    struct kept *k = *bucket_of(c, key);

    while (k && !same_way(&k->key, key))
        k = k->chain;
    if (!k || same_state(&k->key, key))
        return k;
    drop(c, k);
    return NULL;
}

/* Takes over `k`. */
static void insert(struct gzip_cache *c, struct kept *k)
{
    struct kept **bucket = bucket_of(c, &k->key);

    if (find(c, &k->key)) { /* two were made at the same time */
        kept_release(k);
        return;
    }
    while (c->bytes + weight(k) > c->most && !list_empty(&c->lru))
        drop(c, container_of(c->lru.prev, struct kept, lru));
    k->chain = *bucket;
    *bucket = k;
    list_prepend(&c->lru, &k->lru);
    c->bytes += weight(k);
    c->stats->entries++;
    c->stats->bytes += weight(k);
}

/* ---- the cache of a worker ---- */

static void on_end(struct worker_part *p)
{
    struct gzip_cache *c = container_of(p, struct gzip_cache, part);

    while (!list_empty(&c->lru))
        drop(c, container_of(c->lru.prev, struct kept, lru));
    free(c);
}

static struct gzip_cache *cache_new(size_t most)
{
    size_t buckets = BUCKETS_LEAST;

    while (buckets < BUCKETS_MOST && buckets * BYTES_PER_BUCKET < most)
        buckets *= 2;
    struct gzip_cache *c = calloc(1, sizeof *c + buckets * sizeof(struct kept *));
    if (!c)
        return NULL;
    list_init(&c->lru);
    c->most = most;
    c->mask = buckets - 1;
    return c;
}

static struct gzip_cache *cache_of(const struct request *r)
{
    struct worker *w = r->worker;

    if (w->gzip_cache)
        return w->gzip_cache;
    w->gzip_cache = cache_new((size_t)r->location->gzip->cache);
    if (!w->gzip_cache)
        return NULL;
    w->gzip_cache->stats = &w->counters->gzip_cache;
    worker_keep(w, &w->gzip_cache->part, on_end);
    return w->gzip_cache;
}

static struct key key_of(const struct request *r)
{
    const struct gzip_conf *conf = r->location->gzip;
    const struct file *f = r->file;

    return (struct key){.dev = f->dev,
                        .ino = f->ino,
                        .size = f->size,
                        .mtime = f->mtime,
                        .ctime = f->ctime,
                        .level = conf->level,
                        .window_bits = conf->window_bits,
                        .memory = conf->memory};
}

bool gzip_cache_suits(const struct request *r)
{
    const struct response *o = &r->out;
    const struct gzip_conf *conf = r->location->gzip;

    return conf->cache > 0 && o->of_file && r->file && o->length == (uint64_t)r->file->size && !o->plan.gunzip &&
           !o->plan.recode && o->coding == CODING_NONE && r->file->size <= conf->cache / ENTRY_SHARE;
}

/* ---- a source of kept bytes ---- */

struct kept_source {
    struct source source;
    struct kept *kept;
    size_t at;
};

static enum pull kept_pull(struct source *s, size_t want, struct chunk *out)
{
    struct kept_source *ks = container_of(s, struct kept_source, source);
    size_t left = ks->kept->len - ks->at;

    if (left == 0)
        return PULL_END;
    *out = (struct chunk){.data = ks->kept->bytes + ks->at, .fd = -1, .len = want < left ? want : left};
    return PULL_READY;
}

static void kept_consumed(struct source *s, size_t n)
{
    container_of(s, struct kept_source, source)->at += n;
}

static void kept_close(struct source *s)
{
    struct kept_source *ks = container_of(s, struct kept_source, source);

    kept_release(ks->kept);
    free(ks);
}

static const struct source_ops kept_ops = {"gzip_cache", kept_pull, kept_consumed, kept_close, NULL};

bool gzip_cache_is_from(const struct source *s)
{
    return s->ops == &kept_ops;
}

void gzip_cache_totals(const struct source *s, uint64_t *taken, uint64_t *made)
{
    const struct kept *k = container_of(s, const struct kept_source, source)->kept;

    *taken = (uint64_t)k->key.size;
    *made = k->len;
}

struct source *gzip_cache_find(struct request *r)
{
    struct gzip_cache *c = cache_of(r);
    struct key key = key_of(r);
    struct kept *k = c ? find(c, &key) : NULL;
    struct kept_source *ks = k ? malloc(sizeof *ks) : NULL;

    if (c)
        ++*(ks ? &c->stats->hits : &c->stats->misses);
    if (!ks)
        return NULL;
    list_remove(&k->lru);
    list_prepend(&c->lru, &k->lru);
    k->refs++;
    *ks = (struct kept_source){.source = {.ops = &kept_ops, .method = IO_MEMORY}, .kept = k};
    return &ks->source;
}

/* ---- a codec that keeps what another one makes ---- */

struct recorder {
    struct codec codec;
    struct codec *inner;
    struct gzip_cache *cache;
    struct file *file;
    struct kept *kept; /* NULL: there was no memory */
    uint64_t taken;
    size_t reserved; /* of cache->making */
    bool ended;
};

static void forget(struct recorder *rec)
{
    if (rec->kept)
        kept_release(rec->kept);
    rec->kept = NULL;
}

/* No more than what was reserved: a file that grows meanwhile is not kept. */
static void keep(struct recorder *rec, const char *bytes, size_t len)
{
    struct kept *k = rec->kept;

    if (!k || len == 0)
        return;
    if (k->len + len > k->cap) {
        size_t cap = k->cap * 2 > k->len + len ? k->cap * 2 : k->len + len;
        char *more = k->len + len <= rec->reserved ? realloc(k->bytes, cap) : NULL;
        if (!more) {
            forget(rec);
            return;
        }
        k->bytes = more;
        k->cap = cap;
    }
    memcpy(k->bytes + k->len, bytes, len);
    k->len += len;
}

/* Perhaps on a thread: what it touches is the recorder's own. */
static int recorder_run(struct codec *c, struct codec_step *s)
{
    struct recorder *rec = container_of(c, struct recorder, codec);
    int rc = rec->inner->ops->run(rec->inner, s);

    if (rc < 0) {
        forget(rec);
        return rc;
    }
    keep(rec, s->out, s->made);
    rec->taken += s->taken;
    rec->ended = s->ended;
    return 0;
}

static void finish(struct recorder *rec)
{
    struct kept *k = rec->kept;

    if (!k || !rec->ended || rec->taken != (uint64_t)rec->file->size || !file_unchanged(rec->file))
        return;
    char *exact = realloc(k->bytes, k->len);
    if (exact) {
        k->bytes = exact;
        k->cap = k->len;
    }
    rec->kept = NULL;
    insert(rec->cache, k);
}

static void recorder_free(struct codec *c)
{
    struct recorder *rec = container_of(c, struct recorder, codec);

    rec->inner->ops->free(rec->inner);
    finish(rec);
    forget(rec);
    rec->cache->making -= rec->reserved;
    file_release(rec->file);
    free(rec);
}

static struct kept *kept_new(const struct request *r)
{
    struct kept *k = calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->bytes = malloc(FIRST_CAP);
    k->cap = FIRST_CAP;
    k->refs = 1;
    k->key = key_of(r);
    list_init(&k->lru);
    if (k->bytes)
        return k;
    free(k);
    return NULL;
}

/* A later write may leave it the same times. */
static bool is_young(const struct file *f)
{
    return f->ctime.tv_sec > clock_now.sec - YOUNG_SEC || (f->content && f->content_young);
}

void gzip_cache_record(struct request *r, struct codec **codec)
{
    static const struct codec_ops ops = {recorder_run, recorder_free};
    struct gzip_cache *c = cache_of(r);
    size_t room = (size_t)r->file->size + (size_t)r->file->size / 32 + FIRST_CAP;

    if (!c || is_young(r->file) || c->making + room > c->most / MAKING_SHARE)
        return;
    struct recorder *rec = calloc(1, sizeof *rec);
    if (!rec)
        return;
    rec->kept = kept_new(r);
    if (!rec->kept) {
        free(rec);
        return;
    }
    rec->codec.ops = &ops;
    rec->inner = *codec;
    rec->cache = c;
    rec->file = file_acquire(r->file);
    rec->reserved = room;
    c->making += room;
    *codec = &rec->codec;
}
