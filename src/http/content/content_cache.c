/* content_cache.c - files that are kept as content.c changed them, for the next client. See
 * content_cache.h.
 *
 * Compressing a page of 20 KiB costs ten times as much as sending it; unpacking one costs a trip to
 * a thread, recoding one a step for each byte. What was made once is sent again for as long as the
 * file's identity is the same. It is kept only where no later write can leave that identity as it
 * is: the file's last change was some time before it was read, and it was the same when all of it
 * had been read. */
#include "http/content/content_cache.h"

#include "file/open.h"
#include "http/content/gzip.h"
#include "http/content/recode.h"
#include "http/worker/worker.h"

#include <errno.h>
#include <stdlib.h>

enum {
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
    struct way {
        enum coding decoded, encoded;
        const struct recode *recode; /* or NULL; tables live as long as the worker */
        int64_t level;               /* of `encoded` */
        int window_bits, memory;
    } way;
};

struct kept {
    struct list lru;
    struct kept *chain;
    unsigned refs; /* the cache's, and one for each source */
    struct key key;
    uint64_t taken;  /* bytes that the last codec took */
    size_t len, cap; /* of bytes */
    char *bytes;
};

struct content_cache {
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

static bool same_way(const struct way *a, const struct way *b)
{
    return a->decoded == b->decoded && a->encoded == b->encoded && a->recode == b->recode && a->level == b->level &&
           a->window_bits == b->window_bits && a->memory == b->memory;
}

static bool same_file(const struct key *a, const struct key *b)
{
    return a->dev == b->dev && a->ino == b->ino;
}

static bool same_state(const struct key *a, const struct key *b)
{
    return a->size == b->size && clock_same(a->mtime, b->mtime) && clock_same(a->ctime, b->ctime);
}

static struct kept **bucket_of(struct content_cache *c, const struct key *k)
{
    uint64_t way = (uint64_t)k->way.level << 24 ^ (uint64_t)k->way.decoded << 32 ^ (uint64_t)k->way.encoded << 34 ^
                   (uint64_t)(uintptr_t)k->way.recode;
    uint64_t h = ((uint64_t)k->ino ^ (uint64_t)k->dev << 32 ^ way) * UINT64_C(0x9e3779b97f4a7c15);

    return &c->table[h >> 32 & c->mask];
}

static void drop(struct content_cache *c, struct kept *k)
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
static struct kept *find(struct content_cache *c, const struct key *key)
{
    struct kept *k = *bucket_of(c, key);

    while (k && !(same_file(&k->key, key) && same_way(&k->key.way, &key->way)))
        k = k->chain;
    if (!k || same_state(&k->key, key))
        return k;
    drop(c, k);
    return NULL;
}

/* Takes over `k`. */
static void insert(struct content_cache *c, struct kept *k)
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
    struct content_cache *c = container_of(p, struct content_cache, part);

    while (!list_empty(&c->lru))
        drop(c, container_of(c->lru.prev, struct kept, lru));
    free(c);
}

static struct content_cache *cache_new(size_t most)
{
    size_t buckets = BUCKETS_LEAST;

    while (buckets < BUCKETS_MOST && buckets * BYTES_PER_BUCKET < most)
        buckets *= 2;
    struct content_cache *c = calloc(1, sizeof *c + buckets * sizeof(struct kept *));
    if (!c)
        return NULL;
    list_init(&c->lru);
    c->most = most;
    c->mask = buckets - 1;
    return c;
}

static struct content_cache *cache_of(const struct request *r)
{
    struct worker *w = r->worker;

    if (w->content_cache)
        return w->content_cache;
    w->content_cache = cache_new((size_t)r->location->gzip->cache);
    if (!w->content_cache)
        return NULL;
    w->content_cache->stats = &w->counters->gzip_cache;
    worker_keep(w, &w->content_cache->part, on_end);
    return w->content_cache;
}

static struct way way_of(const struct request *r)
{
    const struct content_plan *p = &r->out.plan;
    const struct gzip_conf *conf = r->location->gzip;
    const struct encoding_conf *e = &conf->encodings[p->encoded];
    struct way way = {.decoded = p->decoded, .encoded = p->encoded, .recode = p->recode};

    if (!p->encoded)
        return way;
    way.level = e->level;
    way.window_bits = e->window_bits;
    way.memory = conf->memory;
    return way;
}

static struct key key_of(const struct request *r)
{
    const struct file *f = r->file;

    return (struct key){
        .dev = f->dev, .ino = f->ino, .size = f->size, .mtime = f->mtime, .ctime = f->ctime, .way = way_of(r)};
}

static size_t entry_most(const struct request *r)
{
    return (size_t)r->location->gzip->cache / ENTRY_SHARE;
}

/* A part of the file is none of it, though parts and their heads may add up to its length. */
bool content_cache_suits(const struct request *r)
{
    const struct response *o = &r->out;
    const struct content_plan *p = &o->plan;

    return r->location->gzip->cache > 0 && (p->decoded || p->recode || p->encoded) && o->of_file && r->file &&
           o->status != 206 && o->length == (uint64_t)r->file->size && (uint64_t)r->file->size <= entry_most(r);
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

static const struct source_ops kept_ops = {
    .name = "content_cache", .pull = kept_pull, .consumed = kept_consumed, .close = kept_close};

bool content_cache_is_from(const struct source *s)
{
    return s->ops == &kept_ops;
}

void content_cache_totals(const struct source *s, uint64_t *taken, uint64_t *made)
{
    const struct kept *k = container_of(s, const struct kept_source, source)->kept;

    *taken = k->taken;
    *made = k->len;
}

struct source *content_cache_find(struct request *r)
{
    struct content_cache *c = cache_of(r);
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
    struct content_cache *cache;
    struct file *file;
    struct kept *kept; /* NULL: there was no memory */
    uint64_t length;   /* of what will come of it; UINT64_MAX: not known */
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

/* Whoever knows the length does not ask for the end behind it. A file that became shorter is an
 * error of its source: then there is neither. */
static bool is_whole(const struct recorder *rec)
{
    return rec->kept && rec->kept->len > 0 && (rec->ended || rec->kept->len == rec->length) &&
           file_unchanged(rec->file);
}

static void finish(struct recorder *rec)
{
    struct kept *k = rec->kept;

    if (!is_whole(rec))
        return;
    k->taken = rec->taken;
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
    return file_times_are_doubtful(f->mtime, f->ctime, clock_now.sec) || (f->content && f->content_young);
}

/* Most bytes that may be kept of r->file: several times its own where it grows. Short texts may
 * unpack to a hundred times their length. */
static size_t room_for(const struct request *r)
{
    enum { UNPACKED = 8, UNPACKED_LEAST = 64 * 1024, RECODED = 4 };
    const struct content_plan *p = &r->out.plan;
    size_t size = (size_t)r->file->size, most = entry_most(r), room = size + size / 32 + FIRST_CAP;

    if (p->decoded)
        room = size * UNPACKED + UNPACKED_LEAST;
    else if (p->recode && recode_resizes(p->recode))
        room = size * RECODED + FIRST_CAP;
    return room < most ? room : most;
}

void content_cache_record(struct request *r, struct codec **codec)
{
    static const struct codec_ops ops = {recorder_run, recorder_free};
    struct content_cache *c = cache_of(r);
    size_t room = room_for(r);

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
    rec->codec = (struct codec){.ops = &ops, .works_at_end = (*codec)->works_at_end};
    rec->inner = *codec;
    rec->cache = c;
    rec->file = file_acquire(r->file);
    rec->length = r->out.unsized ? UINT64_MAX : r->out.length;
    rec->reserved = room;
    c->making += room;
    *codec = &rec->codec;
}
