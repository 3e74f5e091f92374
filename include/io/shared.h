/* shared.h - what the workers of one server know together about I/O, in memory that they share:
 * which disk readers work here, tried once before any of them starts, and which filesystems have
 * been said to refuse O_DIRECT. */
#ifndef IO_SHARED_H
#define IO_SHARED_H

#include "io/policy.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { IO_REFUSED_MOST = 256, IO_NOTE_SIZE = 96 };

/* Zeroed memory is a valid one. */
struct io_shared {
    struct reader_tried {
        bool tried, works;
        char note[IO_NOTE_SIZE]; /* why it does not */
    } uring, libaio;
    atomic_uint said;                           /* bits of enum aio_mode: its outcome is in the log */
    _Atomic(uint64_t) refused[IO_REFUSED_MOST]; /* device + 1, 0: free */
};

bool io_shared_asks(const struct io_shared *s, unsigned modes); /* whether io_shared_try() would try any */

/* Tries the readers that `modes` (bits of enum aio_mode) ask for and that were not tried yet, each
 * with a real read, in this process: it must be as privileged as the workers will be. Logs
 * nothing. */
void io_shared_try(struct io_shared *s, unsigned modes, unsigned depth);

bool io_shared_knows(const struct io_shared *s, enum aio_mode mode); /* it was tried, or needs no trying */

/* What `mode` comes to: itself where nothing is known. */
enum aio_mode io_shared_mode(const struct io_shared *s, enum aio_mode mode);

/* Logs what each of `modes` comes to, unless that was logged before. */
void io_shared_say(struct io_shared *s, unsigned modes, unsigned needed);

/* The outcome of `mode` is about to be logged. True: by nobody yet. */
bool io_shared_claim_mode(struct io_shared *s, enum aio_mode mode);

/* The filesystem is about to be said to refuse O_DIRECT. True: by nobody yet. */
bool io_shared_claim_refusal(struct io_shared *s, dev_t dev);
void io_shared_forget_refusals(struct io_shared *s); /* a new configuration says it again */

#endif
