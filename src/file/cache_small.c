/* cache_small.c - files that are in memory, and what is known of paths that are asked for again.
 * See cache_small.h.
 *
 * A path that is asked for a second time within a while is looked at by a thread (struct look): it
 * may be slow, it finds out whether all of the path is on file systems that answer at once, and it
 * brings the content. From then on one stat(2) of the path, by the rules that guard it, says
 * whether the file is still the one that was read. Of a path that leads nowhere the same stat(2) is
 * the answer.
 *
 * The content was read between two looks at the descriptor that saw the same; and when it was read
 * the inode's last change was so long ago that the next one cannot bear the same time. Stores
 * through a shared mapping need not show in the times at all, nor does a write(2) that takes longer
 * than that: so what is in memory is read again each minute.
 *
 * A stat(2) of a name that the kernel no longer has in memory waits for the disk. So a path that was
 * not asked for in the last seconds is asked about by openat2(2) with RESOLVE_CACHED, which does
 * not. */
#include "cache_small.h"

#include "base/clock.h"
#include "file/elsewhere.h"
#include "file/identity.h"
#include "file/local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SETTLES_MSEC = 2 * 1000,   /* so soon a file that is too young may be looked at again */
    AGAIN_MSEC = 10 * 1000,    /* the second request, after the first one */
    UNUSED_MSEC = 30 * 1000,   /* what was not used for so long makes room */
    INACTIVE_MSEC = 60 * 1000, /* and goes even where there is room */
    RENEW_MSEC = 60 * 1000,    /* so long what a thread found out is good */
    LOOKS_MOST = 8,            /* under way */
    BUCKETS = 4096,
    GLIMPSES = 4096
};

struct kept {
    struct list lru;
    struct kept *chain;
    uint64_t hash, guard, identity;
    int64_t used_msec, read_msec; /* clock_now */
    size_t weight;                /* bytes of memory */
    struct file *file;            /* regular, with its content; or a directory */
};

/* A path that is not kept, by its hash. */
struct glimpse {
    uint64_t hash;
    int64_t asked_msec;
    int64_t until_msec; /* a thread knows it: before that nothing is asked of one */
    bool missing;       /* what it knows is that the path leads nowhere, by local file systems */
};

struct small_files {
    struct file_cache_stats *stats;
    struct list lru; /* most recent first */
    size_t bytes;
    unsigned looks;
    struct kept *table[BUCKETS];
    struct glimpse glimpses[GLIMPSES];
};

static struct small_files *small_of(struct file_cache *fc)
{
    if (fc->small)
        return fc->small;
    fc->small = calloc(1, sizeof *fc->small);
    if (!fc->small)
        return NULL;
    fc->small->stats = fc->stats;
    list_init(&fc->small->lru);
    return fc->small;
}

static struct kept **bucket_of(struct small_files *s, uint64_t hash)
{
    return &s->table[hash % BUCKETS];
}

static struct kept *kept_find(struct small_files *s, const struct cache_key *key)
{
    struct kept *k = *bucket_of(s, key->hash);

    while (k && (k->hash != key->hash || k->guard != key->guard || k->identity != key->identity ||
                 strcmp(k->file->path, key->path) != 0))
        k = k->chain;
    return k;
}

static void kept_drop(struct small_files *s, struct kept *k)
{
    struct kept **at = bucket_of(s, k->hash);

    while (*at != k)
        at = &(*at)->chain;
    *at = k->chain;
    list_remove(&k->lru);
    s->bytes -= k->weight;
    s->stats->small.entries--;
    s->stats->small.bytes -= k->weight;
    file_release(k->file);
    free(k);
}

static struct kept *kept_last(const struct small_files *s)
{
    return list_empty(&s->lru) ? NULL : container_of(s->lru.prev, struct kept, lru);
}

/* Drops what was not used for `msec`, least recently used first, at most `most` of them; stops when
 * all that is left and `more` bytes come to `cap`. */
static void make_room(struct small_files *s, int64_t msec, unsigned most, size_t more, size_t cap)
{
    struct kept *k = kept_last(s);

    while (k && most-- > 0 && s->bytes + more > cap && clock_now.msec - k->used_msec > msec) {
        kept_drop(s, k);
        s->stats->small.evictions++;
        k = kept_last(s);
    }
}

static void touch(struct small_files *s, struct kept *k)
{
    k->used_msec = clock_now.msec;
    list_remove(&k->lru);
    list_prepend(&s->lru, &k->lru);
}

/* ---- a look by a thread ---- */

struct look {
    struct job job;
    struct file_cache *owner;
    struct small_files *small; /* of the owner, or gone */
    uint64_t hash, guard, identity;
    struct open_options options;
    size_t cap;
    int64_t asked_sec; /* clock_now */
    int rc;            /* 0; -ENOENT or -ENOTDIR; -ESTALE: too young; -EAGAIN; others: not to be kept */
    struct file *file;
    char path[];
};

static bool is_missing(int rc)
{
    return rc == -ENOENT || rc == -ENOTDIR;
}

/* The whole file, and its descriptor closed. */
static int take_content(struct file *f, size_t most, int64_t now)
{
    if (f->kind != FILE_REGULAR || (uint64_t)f->size > most)
        return f->kind == FILE_DIRECTORY ? 0 : -EFBIG;
    int rc = file_read_content(f, now, false);
    if (rc == 0 && !file_unchanged(f))
        rc = -ESTALE;
    close(f->fd);
    f->fd = -1;
    return rc;
}

/* What another process would have to open is its business each time. */
static bool opens_itself(void)
{
    return file_cached_works() || !elsewhere_can_open();
}

static void run(struct job *job)
{
    struct look *look = container_of(job, struct look, job);

    if (!opens_itself() || !path_is_local(look->path))
        return;
    look->rc = file_open_cached(&look->file, look->path, &look->options);
    if (look->rc < 0)
        return;
    identity_read(look->file, &look->options);
    look->rc = file_times_are_doubtful(look->file->mtime, look->file->ctime, look->asked_sec)
                   ? -ESTALE
                   : take_content(look->file, look->options.content_most, look->asked_sec);
    if (look->rc == 0)
        return;
    file_release(look->file);
    look->file = NULL;
}

static size_t weight_of(const struct file *f)
{
    return sizeof(struct kept) + sizeof *f + strlen(f->path) + (f->identity ? sizeof *f->identity : 0) +
           (f->kind == FILE_REGULAR ? (size_t)f->size : 0);
}

/* Takes over the file. */
static void keep(struct small_files *s, struct look *look)
{
    struct cache_key key = {.path = look->path, .guard = look->guard, .identity = look->identity, .hash = look->hash};
    struct kept *old = kept_find(s, &key), **bucket = bucket_of(s, look->hash);
    struct kept *k = calloc(1, sizeof *k);
    size_t weight = weight_of(look->file);

    if (old)
        kept_drop(s, old);
    make_room(s, UNUSED_MSEC, UINT32_MAX, weight, look->cap);
    if (!k || s->bytes + weight > look->cap) {
        free(k);
        file_release(look->file);
        return;
    }
    *k = (struct kept){
        .hash = look->hash, .guard = look->guard, .identity = look->identity, .weight = weight, .file = look->file};
    k->used_msec = k->read_msec = clock_now.msec;
    k->chain = *bucket;
    *bucket = k;
    list_prepend(&s->lru, &k->lru);
    s->bytes += weight;
    s->stats->small.entries++;
    s->stats->small.bytes += weight;
}

static struct glimpse *glimpse_of(struct small_files *s, uint64_t hash)
{
    return &s->glimpses[hash % GLIMPSES];
}

static void done(struct job *job)
{
    struct look *look = container_of(job, struct look, job);
    struct small_files *s = look->owner->small;
    struct file_cache *fc = look->owner;
    struct glimpse *g = s ? glimpse_of(s, look->hash) : NULL;

    if (s)
        s->looks--;
    if (g && g->hash == look->hash) {
        g->missing = is_missing(look->rc);
        if (look->rc == -ESTALE || look->rc == -EAGAIN)
            g->until_msec = clock_now.msec + SETTLES_MSEC;
    }
    if (s && look->rc == 0)
        keep(s, look);
    else
        file_release(look->file);
    free(look);
    file_cache_unref(fc);
}

static struct look *look_new(struct file_cache *fc, const struct cache_request *q)
{
    struct look *look = calloc(1, sizeof *look + q->key.path_len + 1);
    if (!look)
        return NULL;
    memcpy(look->path, q->path, q->key.path_len + 1);
    look->job.run = run;
    look->job.done = done;
    look->owner = fc;
    look->hash = q->key.hash;
    look->guard = q->key.guard;
    look->identity = q->key.identity;
    look->options = *q->options;
    look->cap = (size_t)q->conf->small.cap;
    look->asked_sec = clock_now.sec;
    look->rc = -ECANCELED; /* unless it gets to run */
    return look;
}

/* Decides what the next requests get; this one is answered without it. */
static void start_look(struct file_cache *fc, const struct cache_request *q)
{
    struct look *look = fc->pool && fc->small->looks < LOOKS_MOST ? look_new(fc, q) : NULL;

    if (!look)
        return;
    if (pool_submit(fc->pool, &look->job) < 0) {
        free(look);
        return;
    }
    fc->refs++;
    fc->small->looks++;
    glimpse_of(fc->small, q->key.hash)->until_msec = clock_now.msec + RENEW_MSEC;
}

/* ---- lookups ---- */

static bool is_same(const struct file *f, const struct stat *st)
{
    return f->ino == st->st_ino && f->dev == st->st_dev && f->size == st->st_size && f->mode == st->st_mode &&
           clock_same(f->mtime, st->st_mtim) && clock_same(f->ctime, st->st_ctim);
}

/* Of one that is kept. -ESTALE: it is no longer, and nothing is known. */
static int check(struct small_files *s, struct kept *k, const struct cache_request *q, struct file **out)
{
    struct stat st;
    int rc =
        clock_now.msec - k->read_msec < RENEW_MSEC ? file_stat_again(q->path, q->options, k->used_msec, &st) : -ESTALE;

    if (rc == 0 && is_same(k->file, &st)) {
        touch(s, k);
        s->stats->small.hits++;
        *out = file_acquire(k->file);
        return 0;
    }
    *glimpse_of(s, k->hash) = (struct glimpse){.hash = k->hash, .asked_msec = clock_now.msec};
    kept_drop(s, k);
    return is_missing(rc) || rc == -EAGAIN ? rc : -ESTALE;
}

static bool is_wanted(const struct small_files *s, const struct cache_request *q, int rc, const struct file *f)
{
    if (rc < 0)
        return is_missing(rc);
    if (f->kind == FILE_OTHER || (f->kind == FILE_REGULAR && (uint64_t)f->size > q->options->content_most) ||
        file_times_are_doubtful(f->mtime, f->ctime, clock_now.sec))
        return false;
    const struct kept *last = kept_last(s);
    return s->bytes + weight_of(f) <= (size_t)q->conf->small.cap ||
           (last && clock_now.msec - last->used_msec > UNUSED_MSEC);
}

/* One that is not kept. */
static int look_up(struct file_cache *fc, const struct cache_request *q, struct file **out)
{
    struct small_files *s = fc->small;
    struct glimpse *g = glimpse_of(s, q->key.hash);
    int64_t now = clock_now.msec;
    struct stat st;

    if (g->hash != q->key.hash || now - g->asked_msec >= AGAIN_MSEC) {
        *g = (struct glimpse){.hash = q->key.hash, .asked_msec = now};
        s->stats->small.misses++;
        return file_open_cached(out, q->path, q->options);
    }
    if (g->missing && now < g->until_msec) {
        int rc = file_stat_again(q->path, q->options, g->asked_msec, &st);
        g->asked_msec = now;
        if (is_missing(rc)) {
            s->stats->small.hits++;
            return rc;
        }
        g->until_msec = 0;
    }
    g->asked_msec = now;
    s->stats->small.misses++;
    int rc = file_open_cached(out, q->path, q->options);
    if (now >= g->until_msec && is_wanted(s, q, rc, *out))
        start_look(fc, q);
    return rc;
}

int small_find(struct file_cache *fc, const struct cache_request *q, struct file **out)
{
    struct small_files *s = small_of(fc);
    if (!s)
        return file_open_cached(out, q->path, q->options);

    struct kept *k = kept_find(s, &q->key);
    if (k && k->file->kind == FILE_REGULAR && (uint64_t)k->file->size > q->options->content_most)
        return file_open_cached(out, q->path, q->options); /* another location may have it */
    int rc = k ? check(s, k, q, out) : -ESTALE;
    if (rc == -ESTALE)
        rc = look_up(fc, q, out);
    make_room(s, INACTIVE_MSEC, 2, 0, 0);
    return rc;
}

void small_free(struct small_files *s)
{
    while (s && !list_empty(&s->lru))
        kept_drop(s, kept_last(s));
    free(s);
}
