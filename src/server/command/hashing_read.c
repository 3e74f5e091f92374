/* hashing_read.c - reads and hashes what `sluice hash` has to know: small files whole, by a thread each;
 * of large ones some pieces at a time, by O_DIRECT and the disk readers that serve files, while other
 * threads hash those that have come. So the page cache stays what it was. Called by hashing.c.
 *
 * The loop's thread owns all lanes; a lane's job owns the lane while it is under way, but for the
 * pieces that the disk still writes to. */
#include "base/hash.h"
#include "file/identity.h"
#include "file/residency.h"
#include "hashing_private.h"
#include "io/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

enum {
    SLOTS = 4, /* pieces of one file under way */
    SLOT_SIZE = 1024 * 1024,
    SMALL_MOST = 256 * 1024,
    SMALL_LANES = 32,
    QUEUE = 256,
    ATTEMPTS = 3, /* at a file that changes while it is read */
    FALLBACK_ALIGN = 4096,
    PROGRESS_MSEC = 200
};

struct reading;
struct lane;

struct slot {
    struct disk_read read;
    struct lane *lane;
    bool asked, full;
    off_t offset;
    size_t wanted; /* bytes of the file that belong in here */
};

struct lane {
    struct job job; /* opening, or hashing one slot */
    struct reading *reading;
    struct hashing_file *file;
    bool large, hashing;
    struct file *f;
    struct hash_stream *hash;
    struct slot slots[SLOTS];
    unsigned head;   /* the slot that is hashed next */
    off_t asked;     /* what is before it was asked for */
    off_t hashed;    /* or read, of a small one */
    bool cold;       /* nothing of it was in the page cache: nor shall be */
    unsigned flight; /* reads under way */
    int error;
    unsigned attempts;
    void *space; /* of all slots; a small file's content */
};

struct reading {
    struct hashing *h;
    struct loop *loop;
    struct pool *files, *hashers; /* threads that wait for disks, threads that compute */
    struct watch *files_watch, *hashers_watch;
    struct disk *disk;
    struct timer *progress;
    struct lane *small, *large;
    unsigned large_count, busy;
    size_t next_small, next_large; /* in h->files */
    double began;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- on threads ---- */

/* A change within the same tick of the file's clock would not show in its time: so what was changed just
 * now is read a little later. Whole seconds: a filesystem that may know no shorter ones. */
static void let_time_pass(const struct file *f)
{
    struct timespec t;
    double tick = f->mtime.tv_nsec == 0 ? 2 : 0.05;

    clock_gettime(CLOCK_REALTIME, &t);
    double age = (double)(t.tv_sec - f->mtime.tv_sec) + (double)(t.tv_nsec - f->mtime.tv_nsec) / 1e9;
    if (age < 0 || age >= tick)
        return;
    double left = tick - age;
    struct timespec pause = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
    nanosleep(&pause, NULL);
}

static bool is_cold(const struct file *f)
{
    if (f->size == 0)
        return false;
    int permille = residency_permille(f, 0, (uint64_t)f->size);
    if (permille >= 0)
        return permille == 0;
    return residency(f, 0, SMALL_MOST) == 0;
}

static void forget(const struct lane *l, off_t offset, off_t len)
{
    if (l->cold)
        (void)posix_fadvise(l->f->fd, offset, len, POSIX_FADV_DONTNEED);
}

/* All of [offset, offset + len), or -ESTALE: the file is shorter by now. */
static int read_whole(int fd, char *to, size_t len, off_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, to, len, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ESTALE;
        to += n;
        len -= (size_t)n;
        offset += n;
    }
    return 0;
}

static int set_attribute(const struct lane *l)
{
    char value[IDENTITY_VALUE_MOST], hex[DIGEST_HEX];

    digest_to_hex(l->file->digest, hex);
    int n = snprintf(value, sizeof value, "%.*s %lld %lld.%09ld", DIGEST_HEX, hex, (long long)l->f->size,
                     (long long)l->f->mtime.tv_sec, l->f->mtime.tv_nsec);
    return fsetxattr(l->f->fd, IDENTITY_ATTRIBUTE, value, (size_t)n, 0) < 0 ? -errno : 0;
}

/* The file is what it was when it was opened; its digest is in its place. */
static int conclude(struct lane *l)
{
    struct file_stamp stamp;
    int rc = file_stamp(l->f, &stamp);

    if (rc < 0)
        return rc;
    if (stamp.size != l->f->size || !clock_same(stamp.mtime, l->f->mtime))
        return -ESTALE;
    l->file->size = l->f->size;
    l->file->mtime = l->f->mtime;
    l->file->ino = l->f->ino;
    l->file->dev = l->f->dev;
    const struct hashing *h = l->reading->h;
    return h->list || h->check ? 0 : set_attribute(l);
}

static int read_small(struct lane *l)
{
    size_t len = (size_t)l->f->size;
    struct text all = {l->space, len};

    l->cold = is_cold(l->f);
    int rc = read_whole(l->f->fd, l->space, len, 0);
    forget(l, 0, 0);
    if (rc == 0)
        rc = hash_of(HASH_SHA256, &all, 1, l->file->digest);
    l->hashed = (off_t)len;
    return rc == 0 ? conclude(l) : rc;
}

static int open_file(struct lane *l)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", l->reading->h->dir, l->file->name) < 0)
        return -ENOMEM;
    int rc = file_open(&l->f, path, NULL);
    free(path);
    if (rc < 0)
        return rc;
    if (l->f->kind != FILE_REGULAR)
        return -ESTALE;
    let_time_pass(l->f);
    struct file_stamp stamp;
    if (file_stamp(l->f, &stamp) == 0 && (stamp.size != l->f->size || !clock_same(stamp.mtime, l->f->mtime)))
        return -ESTALE;
    return 0;
}

/* Of a file that was small when the tree was read, and is not any more, too. */
static void run_open(struct job *job)
{
    struct lane *l = container_of(job, struct lane, job);
    int rc = open_file(l);

    if (rc == 0 && !l->large && l->f->size > SMALL_MOST) {
        void *space = NULL;
        if (posix_memalign(&space, SLOT_SIZE, (size_t)SLOTS * SLOT_SIZE) == 0) {
            free(l->space);
            l->space = space;
            l->large = true;
        } else
            rc = -ENOMEM;
    }
    if (rc == 0 && !l->large)
        rc = read_small(l);
    else if (rc == 0) {
        l->cold = is_cold(l->f);
        (void)file_direct(l->f, FALLBACK_ALIGN, false); /* without it, through the page cache */
        rc = hash_begin(&l->hash, HASH_SHA256);
    }
    l->error = rc;
}

/* What a read has not brought, for whatever reason, is read again here. */
static int complete(struct lane *l, struct slot *s)
{
    size_t got = s->read.result > 0 ? (size_t)s->read.result : 0;

    if (got >= s->wanted)
        return 0;
    int rc = read_whole(l->f->fd, (char *)s->read.buffer + got, s->wanted - got, s->offset + (off_t)got);
    forget(l, s->offset, (off_t)s->wanted);
    return rc;
}

static void run_hash(struct job *job)
{
    struct lane *l = container_of(job, struct lane, job);
    struct slot *s = &l->slots[l->head];

    l->error = complete(l, s);
    if (l->error == 0)
        l->error = hash_add(l->hash, s->read.buffer, s->wanted);
    if (s->read.buffered)
        forget(l, s->offset, (off_t)s->wanted);
    l->hashed += (off_t)s->wanted;
    if (l->error == 0 && l->hashed >= l->f->size) {
        l->error = hash_end(l->hash, l->file->digest);
        l->hash = NULL;
        if (l->error == 0)
            l->error = conclude(l);
    }
}

/* ---- in the loop ---- */

static void start_lane(struct lane *l);
static void start_more(struct reading *r);
static void go_on(struct lane *l);

static void show_progress(struct reading *r)
{
    const struct hashing *h = r->h;
    double took = now() - r->began;

    fprintf(stderr, "\r%zu of %zu files, %.2f of %.2f GiB, %.0f MiB/s\033[K", h->read, h->to_read,
            (double)h->bytes_read / (1 << 30), (double)h->bytes_to_read / (1 << 30),
            took > 0 ? (double)h->bytes_read / (1 << 20) / took : 0);
}

static void on_progress(void *arg)
{
    struct reading *r = arg;

    show_progress(r);
    timer_set(r->progress, PROGRESS_MSEC);
}

static void close_file(struct lane *l)
{
    file_release(l->f);
    l->f = NULL;
    if (l->hash)
        (void)hash_end(l->hash, NULL);
    l->hash = NULL;
}

static void finish(struct lane *l)
{
    struct reading *r = l->reading;
    struct hashing_file *f = l->file;
    bool again = l->error == -ESTALE && ++l->attempts < ATTEMPTS;

    close_file(l);
    if (again) {
        start_lane(l);
        return;
    }
    f->state = l->error == 0 ? HASHING_READ : HASHING_FAILED;
    f->error = l->error;
    r->h->read++;
    l->file = NULL;
    r->busy--;
    start_more(r);
}

static void on_read(struct disk_read *read)
{
    struct slot *s = container_of(read, struct slot, read);
    struct lane *l = s->lane;

    l->flight--;
    s->full = true;
    go_on(l);
}

static void ask(struct lane *l, struct slot *s)
{
    off_t left = l->f->size - l->asked;
    size_t align = l->f->align_offset ? l->f->align_offset : 1;

    s->offset = l->asked;
    s->wanted = left < SLOT_SIZE ? (size_t)left : SLOT_SIZE;
    s->asked = true;
    s->full = false;
    s->read.buffered = l->f->direct_fd < 0;
    s->read.fd = s->read.buffered ? l->f->fd : l->f->direct_fd;
    s->read.offset = s->offset;
    s->read.len = (s->wanted + align - 1) / align * align;
    s->read.done = on_read;
    l->asked += (off_t)s->wanted;
    l->flight++;
    disk_submit(l->reading->disk, &s->read);
}

static void on_hashed(struct job *job)
{
    struct lane *l = container_of(job, struct lane, job);
    struct slot *s = &l->slots[l->head];

    l->hashing = false;
    l->reading->h->bytes_read += s->wanted;
    s->asked = s->full = false;
    l->head = (l->head + 1) % SLOTS;
    go_on(l);
}

/* Asks for what there is room for, hashes what comes next, and ends when nothing is under way. */
static void go_on(struct lane *l)
{
    if (l->hashing)
        return; /* the job has the lane */
    for (unsigned i = 0; l->error == 0 && i < SLOTS; i++) {
        struct slot *s = &l->slots[(l->head + i) % SLOTS];
        if (!s->asked && l->asked < l->f->size)
            ask(l, s);
    }
    if (l->error == 0 && l->hashed < l->f->size) {
        if (!l->slots[l->head].full)
            return;
        l->hashing = true;
        l->job = (struct job){.run = run_hash, .done = on_hashed};
        int rc = pool_append(l->reading->hashers, &l->job);
        if (rc == 0)
            return;
        l->hashing = false;
        l->error = rc;
    }
    if (l->flight == 0)
        finish(l);
}

static void on_opened(struct job *job)
{
    struct lane *l = container_of(job, struct lane, job);

    l->hashing = false;
    if (l->error == 0 && l->large) {
        for (unsigned i = 0; i < SLOTS; i++) {
            l->slots[i] = (struct slot){.lane = l};
            l->slots[i].read.buffer = (char *)l->space + (size_t)i * SLOT_SIZE;
        }
        go_on(l);
        return;
    }
    if (l->error == 0)
        l->reading->h->bytes_read += (uint64_t)l->hashed;
    finish(l);
}

static void start_lane(struct lane *l)
{
    l->hashed = l->asked = 0;
    l->head = 0;
    l->error = 0;
    l->hashing = true;
    l->job = (struct job){.run = run_open, .done = on_opened};
    int rc = pool_append(l->reading->files, &l->job);
    if (rc < 0) {
        l->hashing = false;
        l->error = rc;
        finish(l);
    }
}

static bool is_wanted(const struct hashing_file *f, bool large)
{
    return f->state == HASHING_WANTED && !f->same && (f->size > SMALL_MOST) == large;
}

static struct hashing_file *next_file(struct reading *r, bool large)
{
    size_t *at = large ? &r->next_large : &r->next_small;

    while (*at < r->h->count) {
        struct hashing_file *f = &r->h->files[(*at)++];
        if (is_wanted(f, large))
            return f;
    }
    return NULL;
}

static void start_in(struct reading *r, struct lane *lanes, unsigned count, bool large)
{
    for (unsigned i = 0; i < count; i++) {
        struct lane *l = &lanes[i];
        if (l->file || !(l->file = next_file(r, large)))
            continue;
        l->attempts = 0;
        r->busy++;
        start_lane(l);
    }
}

static void start_more(struct reading *r)
{
    start_in(r, r->large, r->large_count, true);
    start_in(r, r->small, SMALL_LANES, false);
    if (r->busy == 0)
        loop_stop(r->loop);
}

static void on_pool(void *arg, unsigned what)
{
    (void)what;
    pool_reap(arg);
}

static void lanes_free(struct lane *lanes, unsigned count)
{
    for (unsigned i = 0; lanes && i < count; i++)
        free(lanes[i].space);
    free(lanes);
}

static struct lane *lanes_new(struct reading *r, unsigned count, bool large)
{
    struct lane *lanes = calloc(count, sizeof *lanes);
    size_t size = large ? (size_t)SLOTS * SLOT_SIZE : SMALL_MOST;

    for (unsigned i = 0; lanes && i < count; i++) {
        lanes[i].reading = r;
        lanes[i].large = large;
        if (posix_memalign(&lanes[i].space, large ? SLOT_SIZE : FALLBACK_ALIGN, size) != 0) {
            lanes[i].space = NULL;
            lanes_free(lanes, count);
            return NULL;
        }
    }
    return lanes;
}

static void fini(struct reading *r)
{
    disk_close(r->disk);
    timer_destroy(r->progress);
    watch_destroy(r->files_watch);
    watch_destroy(r->hashers_watch);
    if (r->files)
        pool_destroy(r->files);
    if (r->hashers)
        pool_destroy(r->hashers);
    lanes_free(r->small, SMALL_LANES);
    lanes_free(r->large, r->large_count);
    loop_destroy(r->loop);
}

static int init(struct reading *r, struct hashing *h)
{
    const char *note;

    *r = (struct reading){.h = h, .large_count = h->threads, .began = now()};
    int rc = loop_create(&r->loop);
    if (rc == 0)
        rc = pool_create(&r->files, "files", h->threads + 8, QUEUE);
    if (rc == 0)
        rc = pool_create(&r->hashers, "hashers", h->threads, QUEUE);
    if (rc < 0)
        return rc;
    r->files_watch = watch_create(r->loop, pool_eventfd(r->files), LOOP_READ, false, on_pool, r->files);
    r->hashers_watch = watch_create(r->loop, pool_eventfd(r->hashers), LOOP_READ, false, on_pool, r->hashers);
    r->progress = loop_timer(r->loop, on_progress, r);
    r->small = lanes_new(r, SMALL_LANES, false);
    r->large = lanes_new(r, r->large_count, true);
    if (!r->files_watch || !r->hashers_watch || !r->progress || !r->small || !r->large)
        return -ENOMEM;
    return disk_open(&r->disk, r->loop, AIO_ON, r->files, QUEUE, &note);
}

static void share(struct hashing_file *f)
{
    if (!f->same || f->state != HASHING_WANTED)
        return;
    f->state = f->same->state;
    f->error = f->same->error;
    f->size = f->same->size;
    f->mtime = f->same->mtime;
    f->ino = f->same->ino;
    memcpy(f->digest, f->same->digest, DIGEST_LEN);
}

static void count_wanted(struct hashing *h)
{
    for (size_t i = 0; i < h->count; i++) {
        const struct hashing_file *f = &h->files[i];
        if (f->state == HASHING_WANTED && !f->same) {
            h->to_read++;
            h->bytes_to_read += (uint64_t)f->size;
        }
    }
}

int hashing_read(struct hashing *h)
{
    struct reading r;

    count_wanted(h);
    int rc = init(&r, h);
    if (rc == 0 && h->to_read > 0) {
        bool shown = !h->quiet && isatty(STDERR_FILENO);
        if (shown)
            timer_set(r.progress, PROGRESS_MSEC);
        start_more(&r);
        if (r.busy > 0)
            loop_run(r.loop);
        if (shown)
            fputs("\r\033[K", stderr);
    }
    fini(&r);
    for (size_t i = 0; i < h->count; i++)
        share(&h->files[i]);
    return rc;
}
