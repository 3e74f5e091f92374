/* disk_uring.c - reads by io_uring: prepared during a turn, handed over in one call at its end,
 * completions told by an eventfd that the loop watches. The only door to liburing. */
#include "disk_private.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

enum { ENTRIES_MOST = 1024, PROBE_MSEC = 2000, REAP_BATCH = 32 };

struct uring {
    struct io_uring ring;
    int event;
    struct watch *watch;
    unsigned in_kernel; /* prepared or submitted, and not reaped */
    unsigned most;
    bool deferred; /* IORING_SETUP_DEFER_TASKRUN: completions are posted when we ask */
};

/* Best first. DEFER_TASKRUN (6.1): completion work runs when we reap, not as an interruption, and
 * TASKRUN_FLAG tells that some waits; COOP_TASKRUN (5.19): at the next system call. */
static const unsigned setups[] = {IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
                                  IORING_SETUP_COOP_TASKRUN, 0};

static const char *why_not(int error)
{
    switch (error) {
    case EPERM:
        return "io_uring is denied (Operation not permitted)";
    case EACCES:
        return "io_uring is denied (Permission denied)";
    case ENOSYS:
        return "io_uring is not in this kernel (Function not implemented)";
    case ENOMEM:
        return "io_uring got no memory (RLIMIT_MEMLOCK?)";
    default:
        return "io_uring does not work here";
    }
}

static int ring_open(struct uring *u, unsigned entries)
{
    int rc = -EINVAL;

    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        struct io_uring_params params = {.flags = setups[i]};
        rc = io_uring_queue_init_params(entries, &u->ring, &params);
        if (rc == 0) {
            u->deferred = (setups[i] & IORING_SETUP_DEFER_TASKRUN) != 0;
            u->most = params.sq_entries;
            return 0;
        }
        if (rc != -EINVAL)
            break; /* the flags are not the reason */
    }
    return rc;
}

static void post_completions(struct uring *u)
{
    if (u->deferred)
        (void)io_uring_get_events(&u->ring);
}

/* One read through everything that later reads go through, the eventfd too. */
static int probe(struct uring *u)
{
    char byte = 0;
    struct pollfd p = {u->event, POLLIN, 0};
    struct io_uring_cqe *cqe;
    uint64_t count;
    int fd = disk_probe_open();
    if (fd < 0)
        return fd;

    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    io_uring_prep_read(sqe, fd, &byte, 1, 1);
    io_uring_sqe_set_data(sqe, NULL);
    int rc = io_uring_submit(&u->ring);
    if (rc == 1)
        rc = poll(&p, 1, PROBE_MSEC) == 1 ? 0 : -ETIMEDOUT;
    if (rc == 0) {
        post_completions(u);
        rc = io_uring_peek_cqe(&u->ring, &cqe);
    }
    if (rc == 0) {
        rc = cqe->res == 1 && byte == DISK_PROBE_BYTE ? 0 : cqe->res < 0 ? cqe->res : -EIO;
        io_uring_cqe_seen(&u->ring, cqe);
        (void)!read(u->event, &count, sizeof count);
    }
    close(fd);
    return rc;
}

static void prepare(struct io_uring_sqe *sqe, struct disk_read *r)
{
    if (!r->warm)
        io_uring_prep_read(sqe, r->fd, r->buffer, (unsigned)r->len, (__u64)r->offset);
    else
        io_uring_prep_read(sqe, r->fd, &r->last, 1, (__u64)r->offset + r->len - 1);
    io_uring_sqe_set_data(sqe, r);
}

/* A warm read copies nothing: the kernel is told to fetch the pages, and the last byte of them is
 * waited for. */
static void fetch(const struct disk_read *r)
{
    (void)posix_fadvise(r->fd, r->offset, (off_t)r->len, POSIX_FADV_WILLNEED);
}

/* The last page of a warm read is there. The first one may lie elsewhere on the disk: then what is
 * left is waited for, too. False: all is there, as far as can be told. */
static bool waits_on(struct uring *u, struct disk_read *r)
{
    struct iovec iov = {&r->last, 1};

    if (r->len == 1 || preadv2(r->fd, &iov, 1, r->offset, RWF_NOWAIT) >= 0 || errno != EAGAIN)
        return false;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    if (!sqe)
        return false;
    prepare(sqe, r);
    sqe->off = (__u64)r->offset;
    u->in_kernel++;
    return true;
}

static void finish(struct disk *d, struct disk_read *r, int result)
{
    if (!r->warm || result < 0) {
        disk_finish(d, r, result);
        return;
    }
    if (result == 1 && waits_on(d->reader, r)) {
        loop_defer(d->loop, &d->flush);
        return;
    }
    disk_finish(d, r, result == 1 ? (ssize_t)r->len : 0);
}

static void reap(struct disk *d)
{
    struct uring *u = d->reader;
    struct io_uring_cqe *cqes[REAP_BATCH];
    unsigned count;

    while ((count = io_uring_peek_batch_cqe(&u->ring, cqes, REAP_BATCH)) > 0) {
        struct {
            struct disk_read *r;
            int result;
        } batch[REAP_BATCH];
        for (unsigned i = 0; i < count; i++) {
            batch[i].r = io_uring_cqe_get_data(cqes[i]);
            batch[i].result = cqes[i]->res;
        }
        io_uring_cq_advance(&u->ring, count);
        u->in_kernel -= count;
        for (unsigned i = 0; i < count; i++) {
            finish(d, batch[i].r, batch[i].result);
        }
    }
}

static void uring_flush(struct disk *d)
{
    struct uring *u = d->reader;

    if (io_uring_sq_ready(&u->ring) == 0)
        return;
    (void)io_uring_submit(&u->ring);
    unsigned left = io_uring_sq_ready(&u->ring); /* a signal, or no memory: what is under way makes room, in on_event */
    if (left > 0 && u->in_kernel == left)
        loop_defer(d->loop, &d->flush);
}

/* Posting signals the eventfd once more, so it is read after that. What arrives between the two is
 * seen by reap(), which looks at the ring's flag before it believes that there is nothing. */
static void on_event(void *arg, unsigned what)
{
    struct disk *d = arg;
    struct uring *u = d->reader;
    uint64_t count;

    (void)what;
    post_completions(u);
    (void)!read(u->event, &count, sizeof count);
    reap(d);
    uring_flush(d);
    disk_pump(d);
}

static int uring_submit(struct disk *d, struct disk_read *r)
{
    struct uring *u = d->reader;

    if (u->in_kernel >= u->most)
        return -EAGAIN;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    if (!sqe)
        return -EAGAIN;
    prepare(sqe, r);
    if (r->warm)
        fetch(r);
    u->in_kernel++;
    return 0;
}

static void uring_free(struct uring *u)
{
    watch_destroy(u->watch);
    io_uring_queue_exit(&u->ring);
    if (u->event >= 0)
        close(u->event);
    free(u);
}

static int set_up(struct disk *d, struct uring *u)
{
    u->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (u->event < 0)
        return -errno;
    int rc = io_uring_register_eventfd(&u->ring, u->event);
    if (rc == 0)
        rc = probe(u);
    if (rc < 0 || !d->loop)
        return rc;
    u->watch = watch_create(d->loop, u->event, LOOP_READ, false, on_event, d);
    return u->watch ? 0 : -ENOMEM;
}

static int uring_open(struct disk *d, const char **note)
{
    struct uring *u = calloc(1, sizeof *u);
    if (!u)
        return -ENOMEM;
    u->event = -1;
    int rc = ring_open(u, d->depth < ENTRIES_MOST ? d->depth : ENTRIES_MOST);
    if (rc < 0) {
        *note = why_not(-rc);
        free(u);
        return rc;
    }
    rc = set_up(d, u);
    if (rc < 0) {
        *note = why_not(-rc);
        uring_free(u);
        return rc;
    }
    d->reader = u;
    return 0;
}

static void uring_close(struct disk *d)
{
    struct uring *u = d->reader;

    while (u->in_kernel > 0) {
        int rc = io_uring_submit_and_wait(&u->ring, 1);
        if (rc < 0 && rc != -EINTR && rc != -EBUSY && rc != -EAGAIN)
            break;
        reap(d);
    }
    uring_free(u);
}

const struct disk_ops disk_uring_ops = {"io_uring", uring_open, uring_close, uring_submit, uring_flush, true};
