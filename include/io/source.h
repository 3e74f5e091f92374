/* source.h - where a response body's bytes come from, one chunk at a time. One file per kind:
 * source_<kind>.c. RFC 9110, section 6.4; sendfile(2), open(2). */
#ifndef IO_SOURCE_H
#define IO_SOURCE_H

#include "base/arena.h"
#include "file/file.h"
#include "io/policy.h"

#include <stdint.h>
#include <sys/types.h>

/* Bytes in memory (data != NULL), or a slice of a descriptor. Valid until consumed() or close(). */
struct chunk {
    const char *data;
    int fd;
    off_t offset;
    size_t len; /* > 0 */
};

enum pull {
    PULL_READY,     /* *out is filled */
    PULL_WAIT_DISK, /* s->ready will be called, see below; then pull again */
    PULL_END,
    PULL_FAILED /* s->error: a disk error, or -ENODATA: the file ended early */
};

struct source;

struct source_ops {
    const char *name;
    /* At most `want` bytes (> 0). May be called again before consumed(): yields the same bytes, or
     * more. */
    enum pull (*pull)(struct source *s, size_t want, struct chunk *out);
    void (*consumed)(struct source *s, size_t n); /* n <= the last chunk's len */
    void (*close)(struct source *s);              /* legal while a read is in flight; the source is gone after */
    /* The client takes no more for now, chunks are no longer valid: what is held for it may go to
     * others who need it, and be read again. NULL: holds nothing that others could use. */
    void (*rest)(struct source *s);
    /* Bytes that are in memory and cheaper copied than pulled go to `to`, at most `room` (> 0), and
     * count as consumed; *ended: nothing is left behind them. Never waits. 0: none, then pull(), as
     * for a source that has only NULL here. */
    size_t (*copy)(struct source *s, char *to, size_t room, bool *ended);
    /* For a sink that gathers: what the page cache has of the next bytes goes to `to`, at most `room`
     * (> 0), and counts as consumed, so that nothing is held for a client that stops. Never waits. 0:
     * pull(). */
    size_t (*read)(struct source *s, char *to, size_t room);
    /* The client has taken nothing for long: what is held for it is given back now, and read again.
     * NULL: holds nothing of its own. */
    void (*forget)(struct source *s);
};

/* Bytes that outlive their source. Released once, from the loop. */
struct held {
    void (*release)(struct held *h);
};

/* Called exactly once for each wait (PULL_WAIT_DISK, however often pull() repeats it), from the
 * loop, never inside pull(), and not any more after close(). May close the source: touch nothing of
 * it afterwards. */
typedef void source_ready_fn(void *arg);

struct source {
    const struct source_ops *ops;
    /* Closes the source, and keeps the bytes of the last chunk, which were not consumed, until the
     * result is released. NULL: its bytes cannot outlive it, and whoever needs that copies them. */
    struct held *(*leave)(struct source *s);
    enum io_method method;
    source_ready_fn *ready;
    void *arg;
    int error; /* -errno after PULL_FAILED */
    off_t error_offset;
    int64_t wait_msec;    /* spent in PULL_WAIT_DISK so far ($io_wait) */
    bool waiting, waited; /* in PULL_WAIT_DISK now; ever */
    /* As long as none of it was sent, no byte of it was read, or all are read at once: nobody who rewrites the file
     * meanwhile can make a mixture of it. */
    bool coherent;
    bool counted;          /* among io_counters.waits: once for a response, whatever it is made of */
    int64_t waiting_since; /* clock_now.msec */
};

struct io; /* per worker: readers, buffers, counters */

struct source_request {
    struct io *io;
    const struct io_conf *conf;
    struct file *file; /* the source takes a reference of its own */
    off_t offset;
    uint64_t len;  /* > 0, inside the file */
    bool sole;     /* nobody else has the file, nor will: only sources of this method read it */
    bool admitted; /* policy_admits(): stays in the page cache, whatever its size */
    uint64_t rate; /* the client will not be given more bytes per second; 0: as fast as it takes them */
    source_ready_fn *ready;
    void *arg;
};

/* Opens a source of `method` (never IO_AUTO or IO_NONE). Where `direct` is refused, at open or at
 * the first read, it goes on as `buffered`, notes the filesystem, and (*out)->method says so from
 * then on. `memory` without content and `mmap` where that cannot be had become `buffered` too. 0 or
 * -errno. */
int source_open(struct source **out, enum io_method method, const struct source_request *r);

/* Memory that somebody else owns until close (an error page, a listing): nothing is copied, nothing
 * freed. */
int source_open_bytes(struct source **out, struct text bytes);

/* Parts one after another: head texts of multipart/byteranges and their file slices. Takes over the
 * sources and closes them, also when it fails; their ready and arg are set. `parts` is copied.
 * (*out)->method is that of the first part that is not text. */
int source_open_parts(struct source **out, struct source *const *parts, unsigned count, source_ready_fn *ready,
                      void *arg);

/* 0: none; *ended is set only where it is not. */
static inline size_t source_copy(struct source *s, char *to, size_t room, bool *ended)
{
    return s->ops->copy && room > 0 ? s->ops->copy(s, to, room, ended) : 0;
}

static inline size_t source_read(struct source *s, char *to, size_t room)
{
    return s->ops->read && room > 0 ? s->ops->read(s, to, room) : 0;
}

static inline void source_forget(struct source *s)
{
    if (s && s->ops->forget)
        s->ops->forget(s);
}

static inline void source_rest(struct source *s)
{
    if (s && s->ops->rest)
        s->ops->rest(s);
}

/* In PULL_WAIT_DISK so far: one that ends while it waits has waited, too. */
static inline int64_t source_waited_msec(const struct source *s)
{
    return s->wait_msec + (s->waiting && s->waiting_since ? clock_now.msec - s->waiting_since : 0);
}

static inline void source_close(struct source *s)
{
    if (s)
        s->ops->close(s);
}

#endif
