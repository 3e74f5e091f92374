/* disk_private.h - what the readers (disk_uring.c, disk_libaio.c, disk_threads.c) and disk.c know
 * of each other. */
#ifndef IO_DISK_PRIVATE_H
#define IO_DISK_PRIVATE_H

#include "io/disk.h"

struct disk_ops {
    const char *name; /* "io_uring", "libaio", "threads", "off" */
    /* Proves by a real read that the reader works, and that is all where d->loop is NULL. 0, or
     * -errno with *note (static). */
    int (*open)(struct disk *d, const char **note);
    void (*close)(struct disk *d);                      /* waits for what the kernel has, finishing it */
    int (*submit)(struct disk *d, struct disk_read *r); /* 0, or -EAGAIN: full */
    void (*flush)(struct disk *d); /* end of the turn: hand what was submitted to the kernel; NULL: submit did */
    bool prompt;                   /* takes buffered reads that are `prompt` */
};

struct disk {
    const struct disk_ops *ops;
    struct loop *loop;
    struct pool *pool;
    unsigned depth;
    unsigned in_flight;           /* accepted and not done, by the kernel and by threads */
    struct list waiting, patient; /* struct disk_read: full */
    struct deferred flush;
    struct timer *retry; /* looks again when nothing of ours in flight would: the pool is full of the work of others */
    bool closing;
    void *reader; /* the reader's own */
};

extern const struct disk_ops disk_uring_ops, disk_libaio_ops, disk_threads_ops;

/* One accepted read is over: calls r->done, after which `r` is gone. */
void disk_finish(struct disk *d, struct disk_read *r, ssize_t result);

/* After a batch of disk_finish: there may be room for those that wait. */
void disk_pump(struct disk *d);

int disk_threads_submit(struct disk *d, struct disk_read *r); /* 0, or -EAGAIN */
ssize_t disk_read_now(const struct disk_read *r);             /* blocks */

/* A small file of known bytes for proving a reader: a descriptor, or -errno. */
enum { DISK_PROBE_SIZE = 4096, DISK_PROBE_BYTE = 0x5a };
int disk_probe_open(void);

#endif
