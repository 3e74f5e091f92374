/* log_names.c - log files whose paths come with their lines, and which of them stay open. See
 * log_private.h.
 *
 * Paths come from requests: only regular files are opened, and how many stay open is bounded. */
#include "base/log_private.h"
#include "base/siphash.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUCKETS_MOST = 4096 };

struct entry {
    struct list in_bucket, in_order;
    uint64_t hash;
    int fd; /* -1: not used often enough to stay open */
    dev_t device;
    ino_t inode;
    int64_t used_msec, checked_msec;
    uint64_t uses;
    bool torn; /* a failed write left half a line behind */
    char path[];
};

struct log_names {
    struct log_names_conf conf;
    uint64_t secret[2];
    struct list *buckets; /* NULL: nothing stays open */
    size_t mask;
    struct list order; /* least recently used first */
    uint64_t count;
    char failed[PATH_MAX]; /* what could not be written last */
};

/* Lines of one path, on their way. */
struct run {
    const char *path;
    const char *bytes;
    size_t len;
    uint64_t lines;
};

int log_names_create(struct log_names **out, const struct log_names_conf *conf)
{
    struct log_names *n = calloc(1, sizeof *n);
    size_t buckets = 16;

    if (!n)
        return -ENOMEM;
    n->conf = *conf;
    list_init(&n->order);
    *out = n;
    if (conf->max == 0)
        return 0;
    while (buckets < conf->max && buckets < BUCKETS_MOST)
        buckets *= 2;
    n->mask = buckets - 1;
    n->buckets = calloc(buckets, sizeof *n->buckets);
    if (!n->buckets || getrandom(n->secret, sizeof n->secret, 0) != (ssize_t)sizeof n->secret) {
        log_names_destroy(n);
        return -ENOMEM;
    }
    for (size_t i = 0; i < buckets; i++)
        list_init(&n->buckets[i]);
    return 0;
}

static void forget(struct log_names *n, struct entry *e)
{
    list_remove(&e->in_bucket);
    list_remove(&e->in_order);
    n->count--;
    if (e->fd >= 0)
        close(e->fd);
    free(e);
}

static struct entry *oldest(const struct log_names *n)
{
    return list_empty(&n->order) ? NULL : container_of(n->order.next, struct entry, in_order);
}

void log_names_close(struct log_names *n)
{
    for (struct entry *e = oldest(n); e; e = oldest(n))
        forget(n, e);
}

void log_names_destroy(struct log_names *n)
{
    log_names_close(n);
    free(n->buckets);
    free(n);
}

int64_t log_names_expire(struct log_names *n, int64_t now)
{
    for (struct entry *e = oldest(n); e; e = oldest(n)) {
        if (now - e->used_msec <= n->conf.inactive_msec)
            return e->used_msec + n->conf.inactive_msec + 1;
        forget(n, e);
    }
    return INT64_MAX;
}

const char *log_names_failed(const struct log_names *n)
{
    return n->failed;
}

/* ---- which are open ---- */

static uint64_t hash_of(const struct log_names *n, const char *path)
{
    return siphash(n->secret, text_of(path)).half[0];
}

static struct entry *find(const struct log_names *n, const char *path)
{
    if (!n->buckets)
        return NULL;
    uint64_t hash = hash_of(n, path);
    list_each (&n->buckets[hash & n->mask], node, tmp) {
        struct entry *e = container_of(node, struct entry, in_bucket);
        if (e->hash == hash && strcmp(e->path, path) == 0)
            return e;
    }
    return NULL;
}

/* NULL: no memory, or nothing is kept. */
static struct entry *add(struct log_names *n, const char *path)
{
    if (!n->buckets)
        return NULL;
    size_t size = strlen(path) + 1;
    struct entry *e = calloc(1, sizeof *e + size);
    if (!e)
        return NULL;
    if (n->count >= n->conf.max)
        forget(n, oldest(n));
    e->hash = hash_of(n, path);
    e->fd = -1;
    memcpy(e->path, path, size);
    list_append(&n->buckets[e->hash & n->mask], &e->in_bucket);
    list_append(&n->order, &e->in_order);
    n->count++;
    return e;
}

/* Whether its path still leads to it: who rotates logs need not say so. */
static bool is_current(struct log_names *n, struct entry *e, int64_t now)
{
    struct stat st;

    if (now - e->checked_msec < n->conf.valid_msec)
        return true;
    e->checked_msec = now;
    return stat(e->path, &st) == 0 && st.st_dev == e->device && st.st_ino == e->inode;
}

/* A FIFO that nobody reads must not hold up all the other logs, and clients may choose the name. */
static int open_regular(const char *path, struct stat *st)
{
    int fd = log_file_open_path(path, O_NONBLOCK);
    int rc = fd < 0 ? fd : fstat(fd, st) < 0 ? -errno : S_ISREG(st->st_mode) ? 0 : -EINVAL;

    if (rc == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Where descriptors are short, one that is kept open makes room. */
static int open_with_room(struct log_names *n, const char *path, const struct entry *keep, struct stat *st)
{
    int fd = open_regular(path, st);

    if (fd != -EMFILE && fd != -ENFILE)
        return fd;
    list_each (&n->order, node, tmp) {
        struct entry *e = container_of(node, struct entry, in_order);
        if (e == keep || e->fd < 0)
            continue;
        forget(n, e);
        return open_regular(path, st);
    }
    return fd;
}

/* ---- writing ---- */

static void write_run(struct log_file *lf, int fd, bool *torn, const struct run *run, int64_t patience)
{
    if (*torn && log_file_put_bytes(lf, fd, "\n", 1, patience) == 1)
        *torn = false;
    size_t done = log_file_put_bytes(lf, fd, run->bytes, run->len, patience);
    if (done == run->len)
        return;
    *torn = *torn || (done > 0 && run->bytes[done - 1] != '\n');
    log_file_drop(lf, log_file_count_lines(run->bytes + done, run->len - done));
    snprintf(lf->names->failed, sizeof lf->names->failed, "%s", run->path);
}

/* Used by this run; whether it stays open from now on. */
static bool use(struct log_names *n, struct entry *e, const struct run *run, int64_t now)
{
    e->uses += run->lines;
    e->used_msec = now;
    list_remove(&e->in_order);
    list_append(&n->order, &e->in_order);
    return e->uses >= n->conf.min_uses;
}

static void put_run(struct log_file *lf, const struct run *run, int64_t patience)
{
    struct log_names *n = lf->names;
    int64_t now = log_now_msec();
    log_names_expire(n, now);
    struct entry *e = find(n, run->path);
    if (e && e->fd >= 0 && is_current(n, e, now)) {
        use(n, e, run, now);
        write_run(lf, e->fd, &e->torn, run, patience);
        return;
    }
    struct stat st = {0};
    int fd = open_with_room(n, run->path, e, &st);
    if (fd < 0) {
        lf->last_errno = -fd;
        log_file_drop(lf, run->lines);
        snprintf(n->failed, sizeof n->failed, "%s", run->path);
        return;
    }
    if (!e)
        e = add(n, run->path);
    if (e && e->fd >= 0) { /* another file has its path now */
        close(e->fd);
        e->fd = -1;
        e->torn = false;
    }
    bool torn = false;
    write_run(lf, fd, e ? &e->torn : &torn, run, patience);
    if (!e || !use(n, e, run, now)) {
        close(fd);
        return;
    }
    e->fd = fd;
    e->device = st.st_dev;
    e->inode = st.st_ino;
    e->checked_msec = now;
}

/* "path NUL line" to a run of one line; false: it is none. */
static bool take(const char *record, size_t len, struct run *run)
{
    const char *nul = memchr(record, '\0', len);

    if (!nul)
        return false;
    *run = (struct run){record, nul + 1, len - (size_t)(nul + 1 - record), 1};
    return true;
}

void log_names_put_line(struct log_file *lf, const char *record, size_t len, int64_t patience_msec)
{
    struct run run;

    if (take(record, len, &run))
        put_run(lf, &run, patience_msec);
    else
        log_file_drop(lf, 1);
}

/* Lines that follow each other and go to the same file are moved together, to be written at
 * once. */
void log_names_put(struct log_file *lf, char *records, size_t len, int64_t patience_msec)
{
    struct log_record record;
    struct run run = {.path = NULL}, next;
    char *end = NULL; /* of the run's bytes */

    for (char *at = records; at < records + len; at += record.len) {
        memcpy(&record, at, sizeof record);
        at += sizeof record;
        if (!take(at, record.len, &next)) {
            log_file_drop(lf, 1);
            continue;
        }
        if (run.path && strcmp(run.path, next.path) == 0) {
            memmove(end, next.bytes, next.len);
            end += next.len;
            run.len += next.len;
            run.lines++;
            continue;
        }
        if (run.path)
            put_run(lf, &run, patience_msec);
        run = next;
        end = at + record.len;
    }
    if (run.path)
        put_run(lf, &run, patience_msec);
}
