/* cache_open.c - the opens of the cache that need a disk: one pool job each, shared by all lookups
 * of its path. */
#include "base/clock.h"
#include "cache_private.h"
#include "file/fetch.h"
#include "file/identity.h"
#include "recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct cache_open {
    struct job job;
    struct list waiting; /* struct file_lookup */
    struct file_cache *owner;
    struct cache *cache;       /* NULL: the cache is off, or gone */
    struct cache_entry *entry; /* the same */
    struct file_conf conf;
    struct open_options options;
    size_t content_most;
    int64_t asked_sec; /* clock_now */
    int rc;
    struct file *file;
    char path[];
};

int file_read_content(struct file *f, int64_t now, bool nowait)
{
    size_t size = (size_t)f->size, got = 0;
    char *bytes = malloc(size);
    if (!bytes)
        return -ENOMEM;

    while (got < size) {
        struct iovec iov = {bytes + got, size - got};
        ssize_t n = preadv2(f->fd, &iov, 1, (off_t)got, nowait ? RWF_NOWAIT : 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            /* Where RWF_NOWAIT is not supported at all, a thread reads. */
            int rc = n == 0 ? -ENODATA : errno == EOPNOTSUPP && nowait ? -EAGAIN : -errno;
            free(bytes);
            return rc;
        }
        got += (size_t)n;
    }
    f->content = bytes;
    f->content_young = file_times_are_doubtful(f->mtime, f->ctime, now);
    return 0;
}

/* Who reads the file next finds it in memory, and needs no trip of his own. */
static bool wants_fetching(const struct file *f, size_t most)
{
    return f->kind == FILE_REGULAR && f->fd >= 0 && !f->content && f->size > 0 && (uint64_t)f->size <= most;
}

static void fetch(const struct file *f, bool waits)
{
    if (waits)
        (void)file_fetch(f->fd, 0, (size_t)f->size);
    else
        (void)posix_fadvise(f->fd, 0, f->size, POSIX_FADV_WILLNEED);
}

static void run(struct job *job)
{
    struct cache_open *open = container_of(job, struct cache_open, job);

    open->rc = open->file ? 0 : file_open(&open->file, open->path, &open->options);
    identity_read(open->file, &open->options);
    if (open->rc == 0 && open->file && cache_wants_content(open->file, open->content_most))
        (void)file_read_content(open->file, open->asked_sec, false);
    else if (open->rc == 0 && open->file && wants_fetching(open->file, open->options.fetch_most))
        fetch(open->file, open->options.fetch_waits);
}

/* The content was promised room when the job began; others may have taken it meanwhile. */
static void forget_surplus_content(struct cache_open *open)
{
    struct file *f = open->file;

    if (!open->cache || !f || !f->content)
        return;
    size_t others = open->cache->content_bytes - (open->entry ? open->entry->content : 0);
    if ((int64_t)others + f->size <= open->conf.content.cap)
        return;
    free(f->content);
    f->content = NULL;
}

static void settle(struct cache_open *open)
{
    forget_surplus_content(open);
    if (!open->entry)
        return;
    open->file = cache_settle(open->owner, open->cache, open->entry, &open->conf, open->rc, open->file);
    open->entry = NULL;
}

static void done(struct job *job)
{
    struct cache_open *open = container_of(job, struct cache_open, job);
    struct file_cache *fc = open->owner;

    if (open->file && open->file->identity)
        recall_keep(&fc->recall, open->file, &open->options);
    settle(open);
    while (!list_empty(&open->waiting)) {
        struct file_lookup *l = container_of(open->waiting.next, struct file_lookup, node);
        struct file *f = open->file;
        list_remove(&l->node);
        l->open = NULL;
        if (list_empty(&open->waiting))
            open->file = NULL; /* the last one gets the job's own reference */
        l->found(l, open->rc, f && open->file ? file_acquire(f) : f);
    }
    file_release(open->file);
    free(open);
    file_cache_unref(fc);
}

static struct cache_open *prepare(struct file_cache *fc, struct cache *c, struct cache_entry *e,
                                  const struct cache_request *q, size_t content_most, struct file *f)
{
    size_t path_len = strlen(q->path) + 1;
    struct cache_open *open = calloc(1, sizeof *open + path_len);
    if (!open)
        return NULL;

    memcpy(open->path, q->path, path_len);
    if (q->options)
        open->options = *q->options;
    if (q->lookup->waits)
        q->lookup->waits(q->lookup, &open->options);
    open->job.run = run;
    open->job.done = done;
    list_init(&open->waiting);
    open->owner = fc;
    open->cache = c;
    open->entry = e;
    open->conf = *q->conf;
    open->content_most = content_most;
    open->asked_sec = clock_now.sec;
    open->rc = -ECANCELED; /* unless it gets to run */
    open->file = f;
    return open;
}

int cache_open_start(struct file_cache *fc, struct cache *c, struct cache_entry *e, const struct cache_request *q,
                     size_t content_most, struct file **f)
{
    struct cache_open *open = prepare(fc, c, e, q, content_most, *f);
    if (!open)
        return *f ? 0 : -ENOMEM;

    int rc = pool_append(fc->pool, &open->job);
    if (rc < 0) { /* there is no thread, and none to be had */
        run(&open->job);
        rc = open->rc;
        *f = open->file;
        free(open);
        return rc;
    }
    fc->refs++;
    *f = NULL;
    if (e) {
        e->open = open;
        list_remove(&e->lru);
    }
    return cache_open_join(open, q->lookup);
}

int cache_open_join(struct cache_open *open, struct file_lookup *lookup)
{
    lookup->open = open;
    list_append(&open->waiting, &lookup->node);
    return -EINPROGRESS;
}

void file_lookup_cancel(struct file_lookup *lookup)
{
    if (!lookup->open)
        return;
    lookup->open = NULL;
    list_remove(&lookup->node);
}

void cache_open_detach(struct cache_open *open)
{
    open->entry = NULL;
    open->cache = NULL;
}
