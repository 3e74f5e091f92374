/* disk.h - asynchronous reads behind one contract: io_uring, Linux AIO, threads. io_uring(7),
 * io_submit(2), preadv2(2); https://nginx.org/en/docs/http/ngx_http_core_module.html#aio
 *
 * A submitted read calls back exactly once, from the loop, never inside disk_read(). Until then the
 * read owns its buffer and (through its user) a file reference. A full queue waits its turn in
 * here: never a synchronous read in the loop, never a failure. */
#ifndef IO_DISK_H
#define IO_DISK_H

#include "base/list.h"
#include "base/threads.h"
#include "io/policy.h"
#include "net/loop.h"

#include <stddef.h>
#include <sys/types.h>

struct disk;
struct disk_read;

enum { DISK_PROMPT_MOST = 128 * 1024 }; /* what kernels read ahead at once, by default */

typedef void disk_read_fn(struct disk_read *r);

struct disk_read {
    struct list node; /* while it waits for room */
    int fd;
    off_t offset;
    void *buffer;
    size_t len;
    bool buffered; /* fd is not O_DIRECT: goes to the threads, whatever the reader, unless it is `prompt` */
    /* Buffered, at most DISK_PROMPT_MOST, and RWF_NOWAIT has just said of this file that it would have to wait: io_uring
     * waits for it without a thread. */
    bool prompt;
    bool patient;  /* read ahead, or long: others may go before it */
    bool uncached; /* buffered, and with RWF_DONTCACHE: -EOPNOTSUPP where the kernel or the filesystem has not got it */
    bool warm;     /* buffered, but only into the page cache: `buffer` is not used */
    char last;     /* disk_uring.c's own: the byte of a warm read that tells when it is there */
    bool by_thread; /* disk.c's own: the kernel would not do it asynchronously */
    disk_read_fn *done;
    ssize_t result; /* bytes (short at the end of the file, or whenever the kernel likes), or -errno */
    struct job job; /* for the thread reader */
    struct disk *disk;
};

/* Opens the reader for `mode` (AIO_ON: the best that works here, tried once with a real read) and
 * says which and why through disk_name() and *note (static text or NULL, e.g. "io_uring is denied
 * (Operation not permitted)"). AIO_OFF reads synchronously at the end of the turn, which holds up
 * the loop as nginx's `aio off` does. `depth`: reads in flight (worker_aio_requests). `pool` must
 * be reaped by the loop (pool_eventfd); it may be NULL for AIO_OFF. A mode that does not work here
 * is -errno with *note. */
int disk_open(struct disk **out, struct loop *loop, enum aio_mode mode, struct pool *pool, unsigned depth,
              const char **note);
/* Whether AIO_URING or AIO_LIBAIO works here: a real read, of which nothing is left. 0, or -errno
 * with *note. */
int disk_try(enum aio_mode mode, unsigned depth, const char **note);

void disk_close(struct disk *d); /* waits for what is in flight; their done() is called */
const char *disk_name(const struct disk *d);
void disk_submit(struct disk *d, struct disk_read *r);
bool disk_is_prompt(const struct disk *d); /* takes reads that are `prompt` without a thread */
unsigned disk_in_flight(const struct disk *d);

#endif
