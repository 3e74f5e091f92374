/* log_file.c - the files that log lines go to: the registry of a process, and adding lines.
 *
 * A line is added under the file's mutex, which only the writer contends for, to swap buffers. The
 * writer is log_writer.c; without one, the line is written at once (log_put.c). */
#include "base/log_file.h"
#include "base/log_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    DEFAULT_CAPACITY = 512 * 1024,
    SLACK = 64 * 1024, /* beyond what was asked for: room while the writer wakes up */
    DEFAULT_WAIT = 20,
    BUFFERED_WAIT = 1000,
    DIRECT_PATIENCE = 100 /* with a full pipe, for who writes without a writer; all times in ms */
};

struct list log_registry = {&log_registry, &log_registry};
pthread_mutex_t log_registry_lock = PTHREAD_MUTEX_INITIALIZER;

int64_t log_now_msec(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool may_signal(int fd)
{
    struct stat st;
    return fstat(fd, &st) < 0 || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
}

static bool stays_shut;

void log_file_stay_shut(void)
{
    stays_shut = true;
}

static int open_target(struct log_file *lf)
{
    static const char scheme[] = "syslog:";
    lf->fd = -1;
    if (stays_shut)
        return 0;
    if (strncmp(lf->path, scheme, sizeof scheme - 1) == 0)
        return log_syslog_open(&lf->syslog, text_from(text_of(lf->path), sizeof scheme - 1));
    const char *stream = log_stream_name(lf->path);
    lf->is_stream = stream != NULL;
    int fd = !stream                         ? log_file_open_any(lf->path, 0, &lf->is_descriptor)
             : strcmp(stream, "stderr") == 0 ? STDERR_FILENO
                                             : STDOUT_FILENO;
    if (fd < 0)
        return fd;
    lf->fd = fd;
    lf->may_signal = may_signal(fd);
    return 0;
}

void log_file_free(struct log_file *lf)
{
    if (log_writer_abandoned)
        return; /* it may still hold this file */
    log_stderr_forget(lf);
    if (lf->syslog)
        log_syslog_close(lf->syslog);
    if (lf->names)
        log_names_destroy(lf->names);
    if (lf->fd >= 0 && !lf->is_stream)
        close(lf->fd);
    pthread_mutex_destroy(&lf->lock);
    free(lf->fill);
    free(lf->drain);
    free(lf->path);
    free(lf);
}

/* `names`: NULL, or how files are kept open. */
static int file_new(struct log_file **out, const char *path, const struct log_names_conf *names)
{
    struct log_file *lf = calloc(1, sizeof *lf);
    if (!lf)
        return -ENOMEM;
    lf->fd = -1;
    pthread_mutex_init(&lf->lock, NULL);
    lf->path = strdup(path);
    int rc = !lf->path ? -ENOMEM : !names ? open_target(lf) : stays_shut ? 0 : log_names_create(&lf->names, names);
    if (rc < 0) {
        log_file_free(lf);
        return rc;
    }
    *out = lf;
    return 0;
}

static unsigned settings = 1; /* under the registry's lock */

void log_file_settings_begin(void)
{
    pthread_mutex_lock(&log_registry_lock);
    settings++;
    list_each (&log_registry, node, tmp) {
        struct log_file *lf = container_of(node, struct log_file, node);
        lf->previous = lf->buffering;
    }
    pthread_mutex_unlock(&log_registry_lock);
}

void log_file_settings_undo(void)
{
    pthread_mutex_lock(&log_registry_lock);
    list_each (&log_registry, node, tmp) {
        struct log_file *lf = container_of(node, struct log_file, node);
        pthread_mutex_lock(&lf->lock);
        if (lf->previous.settings > 0)
            lf->buffering = lf->previous;
        pthread_mutex_unlock(&lf->lock);
    }
    pthread_mutex_unlock(&log_registry_lock);
    log_writer_wake(); /* as in set_buffer() */
}

/* The smallest of several waits counts, and the largest of several buffers; not what earlier
 * settings were. */
static void set_buffer(struct log_file *lf, size_t buffer, int64_t flush_msec)
{
    int64_t wait = flush_msec > 0 ? flush_msec : buffer > 0 ? BUFFERED_WAIT : DEFAULT_WAIT;
    size_t capacity = buffer > 0 ? buffer + SLACK : DEFAULT_CAPACITY;
    size_t threshold = buffer > 0 ? buffer : DEFAULT_CAPACITY / 4;
    int msec = wait > 3600 * 1000 ? 3600 * 1000 : (int)wait;

    pthread_mutex_lock(&lf->lock);
    bool first = lf->buffering.settings != settings;
    lf->buffering.settings = settings;
    if (capacity > lf->capacity) {
        char *larger = lf->fill ? realloc(lf->fill, capacity) : NULL;
        if (larger || !lf->fill) { /* otherwise the smaller one has to do */
            lf->fill = larger;
            lf->capacity = capacity;
        }
    }
    if (capacity <= lf->capacity && (first || threshold > lf->buffering.threshold))
        lf->buffering.threshold = threshold;
    if (first || msec < lf->buffering.wait_msec)
        lf->buffering.wait_msec = msec;
    pthread_mutex_unlock(&lf->lock);
    log_writer_wake(); /* it may sleep for longer than lines are to wait now */
}

static struct log_file *find(const char *path, int gzip_level)
{
    list_each (&log_registry, node, tmp) {
        struct log_file *lf = container_of(node, struct log_file, node);
        if (strcmp(lf->path, path) == 0 && lf->gzip_level == gzip_level)
            return lf;
    }
    return NULL;
}

static int find_or_make(struct log_file **out, const char *name, const struct log_names_conf *names, int gzip_level,
                        size_t buffer, int64_t flush_msec)
{
    int rc = 0;
    pthread_mutex_lock(&log_registry_lock);
    struct log_file *lf = find(name, gzip_level);
    if (!lf) {
        rc = file_new(&lf, name, names);
        if (rc == 0) {
            lf->gzip_level = gzip_level;
            list_append(&log_registry, &lf->node);
        }
    }
    if (rc == 0) {
        lf->refs++;
        set_buffer(lf, buffer, flush_msec);
        *out = lf;
    }
    pthread_mutex_unlock(&log_registry_lock);
    return rc;
}

int log_file_open(struct log_file **out, const char *path, size_t buffer, int64_t flush_msec)
{
    const char *stream = log_stream_name(path);
    if (buffer > SIZE_MAX / 4)
        return -EINVAL;
    return find_or_make(out, stream ? stream : path, NULL, 0, buffer, flush_msec);
}

int log_file_open_gzip(struct log_file **out, const char *path, size_t buffer, int64_t flush_msec, int level)
{
    if (!log_gzip_works())
        return -ENOSYS;
    if (buffer > SIZE_MAX / 4 || log_stream_name(path) || strncmp(path, "syslog:", 7) == 0)
        return -EINVAL;
    return find_or_make(out, path, NULL, level, buffer, flush_msec);
}

/* One with other settings is another one: nothing is changed while the writer looks at it. */
int log_file_open_names(struct log_file **out, const struct log_names_conf *conf)
{
    char name[200] = "variable paths";
    if (conf->max > 0)
        snprintf(name, sizeof name, "variable paths, cache %u: max=%llu inactive=%lldms valid=%lldms min_uses=%llu",
                 conf->id, (unsigned long long)conf->max, (long long)conf->inactive_msec, (long long)conf->valid_msec,
                 (unsigned long long)conf->min_uses);
    return find_or_make(out, name, conf, 0, 0, 0);
}

void log_file_each(void (*fn)(void *arg, const char *path), void *arg)
{
    pthread_mutex_lock(&log_registry_lock);
    list_each (&log_registry, node, tmp) {
        const struct log_file *lf = container_of(node, struct log_file, node);
        fn(arg, lf->is_descriptor ? "stdout" : lf->path);
    }
    pthread_mutex_unlock(&log_registry_lock);
}

void log_file_close(struct log_file *lf)
{
    pthread_mutex_lock(&log_registry_lock);
    bool gone = --lf->refs == 0;
    bool ours = gone && !log_writer_runs && !log_writer_abandoned; /* such a one may still hold it */
    if (ours)
        list_remove(&lf->node);
    pthread_mutex_unlock(&log_registry_lock);
    if (ours)
        log_file_free(lf);
    else if (gone)
        log_writer_wake();
}

/* Without a writer. Called with the lock held. */
static void put_at_once(struct log_file *lf, int severity, const char *line, size_t len)
{
    if (log_writer_abandoned) { /* it may still look at what is here; and who writes now would be stuck as well */
        log_file_drop(lf, 1);
        return;
    }
    if (lf->names) {
        log_names_put_line(lf, line, len, DIRECT_PATIENCE);
        return;
    }
    if (!lf->syslog) {
        log_file_put(lf, lf->fd, line, len, DIRECT_PATIENCE);
        return;
    }
    int rc = log_syslog_send(lf->syslog, severity, line, len);
    if (rc < 0) {
        lf->last_errno = -rc;
        log_file_drop(lf, 1);
    }
}

static size_t head_size(const struct log_file *lf)
{
    return lf->syslog || lf->names ? sizeof(struct log_record) : 0;
}

uint64_t log_file_count_waiting(const struct log_file *lf)
{
    uint64_t lines = 0;

    if (head_size(lf) == 0)
        return log_file_count_lines(lf->fill, lf->used);
    for (size_t at = 0; at < lf->used; lines++) {
        struct log_record record;
        memcpy(&record, lf->fill + at, sizeof record);
        at += sizeof record + record.len;
    }
    return lines;
}

/* Room for a line, or NULL. Called with the lock held. */
static char *room_for(struct log_file *lf, size_t len)
{
    if (!lf->fill)
        lf->fill = malloc(lf->capacity);
    size_t head = head_size(lf);
    if (!lf->fill || len > lf->capacity - head || lf->used > lf->capacity - head - len)
        return NULL;
    return lf->fill + lf->used + head;
}

/* Counts a line in that stands behind `used`; whether the writer should know. Called with the lock
 * held. */
static bool take_line(struct log_file *lf, int severity, size_t len)
{
    size_t before = lf->used;
    if (head_size(lf) > 0) {
        struct log_record record = {(uint32_t)len, severity};
        memcpy(lf->fill + lf->used, &record, sizeof record);
    }
    lf->used += head_size(lf) + len;
    bool crossed = before < lf->buffering.threshold && lf->used >= lf->buffering.threshold;
    return crossed || (before == 0 && log_writer_sleeps);
}

/* Whether the writer should know. */
static bool add_line(struct log_file *lf, int severity, const char *line, size_t len, bool urgent)
{
    bool wake = false;
    if (len == 0)
        return false;
    pthread_mutex_lock(&lf->lock);
    char *at = NULL;
    if (!atomic_load_explicit(&log_writer_runs, memory_order_acquire))
        put_at_once(lf, severity, line, len);
    else if (!(at = room_for(lf, len)))
        log_file_drop(lf, 1);
    if (at) {
        memcpy(at, line, len);
        wake = take_line(lf, severity, len) || urgent;
        lf->urgent |= urgent;
    }
    pthread_mutex_unlock(&lf->lock);
    return wake;
}

void log_file_write(struct log_file *lf, int severity, const char *line, size_t len)
{
    if (add_line(lf, severity, line, len, false))
        log_writer_wake();
}

void log_file_write_urgent(struct log_file *lf, int severity, const char *line, size_t len)
{
    if (add_line(lf, severity, line, len, true))
        log_writer_hurry();
}

char *log_file_reserve(struct log_file *lf, size_t len)
{
    pthread_mutex_lock(&lf->lock);
    char *at = room_for(lf, len);
    if (at)
        return at;
    log_file_drop(lf, 1);
    pthread_mutex_unlock(&lf->lock);
    return NULL;
}

void log_file_commit(struct log_file *lf, size_t used)
{
    bool wake = false;
    if (used > 0 && atomic_load_explicit(&log_writer_runs, memory_order_acquire))
        wake = take_line(lf, -1, used);
    else if (used > 0)
        put_at_once(lf, -1, lf->fill + lf->used + head_size(lf), used);
    pthread_mutex_unlock(&lf->lock);
    if (wake)
        log_writer_wake();
}

void log_file_refuse(struct log_file *lf)
{
    log_file_drop(lf, 1);
    if (log_writer_sleeps)
        log_writer_wake(); /* it says so */
}

const char *log_file_path(const struct log_file *lf)
{
    return lf->path;
}

uint64_t log_file_dropped(const struct log_file *lf)
{
    return lf->dropped;
}

/* Whether its path leads to what is open: then nothing is lost where it cannot be opened once
 * more. */
static bool is_current(const struct log_file *lf)
{
    struct stat now, open;

    return stat(lf->path, &now) == 0 && fstat(lf->fd, &open) == 0 && now.st_dev == open.st_dev &&
           now.st_ino == open.st_ino;
}

/* Does not wait for the reader of a FIFO: who waits for it could not be told to end, either. */
static int open_without_waiting(const char *path, bool *descriptor)
{
    int fd = log_file_open_any(path, O_NONBLOCK, descriptor);
    int flags = fd < 0 || *descriptor ? -1 : fcntl(fd, F_GETFL);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return fd;
}

int log_file_reopen_now(struct log_file *lf)
{
    if (lf->syslog) {
        log_syslog_reset(lf->syslog);
        return 0;
    }
    if (lf->names)
        log_names_close(lf->names);
    if (lf->names || log_stream_name(lf->path))
        return 0;
    if (lf->is_descriptor && log_is_descriptor(lf->path)) /* a link may lead to another place by now */
        return 0;
    bool descriptor;
    int fd = open_without_waiting(lf->path, &descriptor);
    if (fd < 0)
        return is_current(lf) ? 0 : fd;
    pthread_mutex_lock(&lf->lock);
    int old = lf->fd;
    lf->fd = fd;
    lf->is_descriptor = descriptor;
    pthread_mutex_unlock(&lf->lock);
    lf->may_signal = may_signal(fd);
    lf->torn = false;
    close(old);
    log_stderr_reopened(lf);
    return 0;
}

int log_file_reopen_all(void)
{
    int first = 0;
    pthread_mutex_lock(&log_registry_lock);
    list_each (&log_registry, node, tmp) {
        struct log_file *lf = container_of(node, struct log_file, node);
        if (log_writer_runs) {
            pthread_mutex_lock(&lf->lock);
            lf->reopen = true;
            lf->reopen_at = lf->used;
            pthread_mutex_unlock(&lf->lock);
            continue;
        }
        int rc = log_file_reopen_now(lf);
        if (first == 0)
            first = rc;
    }
    pthread_mutex_unlock(&log_registry_lock);
    if (log_writer_runs)
        log_writer_wake();
    return first;
}

int log_file_chown_all(uid_t uid, gid_t gid)
{
    int first = 0;
    pthread_mutex_lock(&log_registry_lock);
    list_each (&log_registry, node, tmp) {
        struct log_file *lf = container_of(node, struct log_file, node);
        struct stat st;
        if (lf->fd < 0 || lf->is_stream || lf->is_descriptor || fstat(lf->fd, &st) < 0 || !S_ISREG(st.st_mode))
            continue;
        if ((st.st_uid != uid || st.st_gid != gid) && fchown(lf->fd, uid, gid) < 0 && first == 0)
            first = -errno;
    }
    pthread_mutex_unlock(&log_registry_lock);
    return first;
}
