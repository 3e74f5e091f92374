/* windows.c - the pipeline of reads between disk and client.
 *
 * A response holds a few windows of the file in order: the first is being sent, the others are being read or wait. How
 * many and how large follows the client: they start small, grow each time the client had to wait for the disk, and
 * shrink when a window lies ready for long or nothing but ready windows are left behind it. So a fast client gets the
 * disk's speed, and a slow one soon holds one small buffer. When somebody is left without any buffer, windows that are
 * only read ahead are given back.
 *
 * A window that is being read belongs to the read: after windows_close() it goes when the read is over. */
#include "windows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

#include "file/open.h"
#include "io/align.h"

enum {
    SIZE_LEAST = 64 * 1024,  /* below this a read costs more than it brings */
    SIZE_FIRST = 256 * 1024, /* the first byte soon, and few steps to full size */
    DEPTH_FIRST = 2,
    SLOW_MSEC = 200,  /* a window is to hold no more than the client takes in this time */
    SURPLUS_MOST = 8, /* windows in a row that were not needed, before there is one less */
    PAGE = 4096
};

struct windows {
    struct source source;
    struct io *io;
    struct disk *disk;
    struct bufpool *pool;
    struct file *file;
    bool direct, uncached;
    bool proven;   /* a direct read has succeeded */
    bool resident; /* the last window was in the page cache: no use in reading ahead */
    bool resting;  /* the client takes nothing now: all that is ready may be given to others */
    bool robbed;   /* and was: that it has to wait then is not the client's doing */
    size_t align;
    off_t at, next, end; /* what the client has; what no window covers yet; where to stop */
    size_t size, size_most, size_least;
    unsigned depth, depth_most, count, surplus;
    struct list pieces;
    struct window planned;  /* what the buffer in line is for */
    struct piece *reserved; /* for the next window: with a place in line always, so that nothing can fail later */
    struct deferred wake;
    struct bufpool_waiter waiter;
    struct bufpool_holder holder;
};

struct piece {
    struct list node;
    struct disk_read read;
    struct windows *owner; /* NULL: closed meanwhile */
    struct io *io;
    struct file *file;
    struct window window;
    char *buffer;
    size_t from; /* of the window: where the read under way begins */
    bool ready;
    int error;
    int64_t shown_msec; /* when the client could first have it, 0: not yet */
};

static struct piece *first_piece(const struct windows *ws)
{
    return list_empty(&ws->pieces) ? NULL : container_of(ws->pieces.next, struct piece, node);
}

static struct piece *last_piece(const struct windows *ws)
{
    return list_empty(&ws->pieces) ? NULL : container_of(ws->pieces.prev, struct piece, node);
}

static void piece_free(struct piece *p)
{
    struct bufpool *pool = io_buffers(p->io);
    char *buffer = p->buffer;
    size_t len = p->window.len;

    file_release(p->file);
    free(p);
    bufpool_give(pool, buffer, len); /* last: it serves those that wait */
}

static void drop_piece(struct windows *ws, struct piece *p)
{
    list_remove(&p->node);
    ws->count--;
    piece_free(p);
}

/* --- Reading ------------------------------------------------------------------------------------------------------ */

static void on_read(struct disk_read *r);

static size_t needed(const struct piece *p)
{
    return p->window.skip + p->window.keep;
}

static int descriptor(const struct windows *ws)
{
    if (ws->direct)
        return ws->file->direct_fd;
    return ws->uncached && ws->file->exact_fd >= 0 ? ws->file->exact_fd : ws->file->fd;
}

static void submit(struct windows *ws, struct piece *p)
{
    struct disk_read *r = &p->read;

    r->fd = descriptor(ws);
    r->offset = p->window.offset + (off_t)p->from;
    r->buffer = p->buffer + p->from;
    r->len = p->window.len - p->from;
    r->buffered = !ws->direct;
    r->uncached = ws->uncached && !ws->direct;
    r->done = on_read;
    io_counters(ws->io)->reads_in_flight++;
    disk_submit(ws->disk, r);
}

/* What is in the page cache needs no reader: one copy, here and now. */
static bool read_resident(struct windows *ws, struct piece *p)
{
    struct iovec iov = {p->buffer, p->window.len};

    if (ws->direct || ws->uncached)
        return false;
    ssize_t n = preadv2(ws->file->fd, &iov, 1, p->window.offset, RWF_NOWAIT);
    ws->resident = n >= 0 && (size_t)n >= needed(p);
    p->ready = ws->resident;
    return p->ready;
}

static bool reserve_piece(struct windows *ws)
{
    if (!ws->reserved)
        ws->reserved = calloc(1, sizeof(*ws->reserved));
    return ws->reserved != NULL;
}

/* By the reserved piece, which takes over `buffer`, of window.len bytes. */
static void start(struct windows *ws, void *buffer, struct window window, bool may_be_resident)
{
    struct piece *p = ws->reserved;

    ws->reserved = NULL;
    p->window = window;
    p->owner = ws;
    p->io = ws->io;
    p->file = file_acquire(ws->file);
    p->buffer = buffer;
    list_append(&ws->pieces, &p->node);
    ws->count++;
    ws->next += (off_t)p->window.keep;
    if (!may_be_resident || !read_resident(ws, p))
        submit(ws, p);
}

/* The client is to pull again, and be told that there is no memory. */
static void on_wake(void *arg)
{
    struct windows *ws = arg;
    source_wake(&ws->source);
}

/* From the pool, inside somebody else's call: nothing but starting the read. */
static void on_available(struct bufpool_waiter *w, void *buffer)
{
    struct windows *ws = container_of(w, struct windows, waiter);

    if (buffer)
        start(ws, buffer, ws->planned, false);
    else
        loop_defer(io_loop(ws->io), &ws->wake);
}

static void shrink(struct windows *ws)
{
    if (ws->size / 2 >= ws->size_least)
        ws->size = ws->size / 2 & ~(ws->align - 1);
}

/* Two reads of one file through the page cache at a time, and the kernel no longer takes either for a sequential one.
 * */
static bool spoils_read_ahead(const struct windows *ws)
{
    return descriptor(ws) == ws->file->fd && !last_piece(ws)->ready;
}

/* With less than last time: so more responses go on at the same time. */
static void wait_in_line(struct windows *ws)
{
    shrink(ws);
    ws->planned = align_window(ws->next, ws->end, ws->size, ws->align);
    bufpool_wait(ws->pool, &ws->waiter, ws->planned.len);
}

/* Starts what may be started. Without any window, there is a place in line afterwards; or there was no memory. */
static void fill(struct windows *ws)
{
    while (ws->count < (ws->resident ? 1 : ws->depth) && ws->next < ws->end && list_empty(&ws->waiter.node)) {
        unsigned before = ws->count;
        if (before > 0 && (bufpool_is_short(ws->pool) || spoils_read_ahead(ws)))
            return;
        if (!reserve_piece(ws))
            return;
        struct window window = align_window(ws->next, ws->end, ws->size, ws->align);
        void *buffer = bufpool_take(ws->pool, window.len);
        if (!buffer) {
            if (before == 0 && bufpool_lent(ws->pool) > 0)
                wait_in_line(ws);
            return;
        }
        start(ws, buffer, window, before == 0);
    }
}

/* Somebody has no buffer at all: what is ready but not the client's turn yet, or not taken by the client, will be read
 * again. */
static void on_reclaim(struct bufpool_holder *h)
{
    struct windows *ws = container_of(h, struct windows, holder);

    for (struct piece *p = last_piece(ws); p && p->ready; p = last_piece(ws)) {
        bool first = p == first_piece(ws);
        if (first && !ws->resting)
            break;
        ws->next = first ? ws->at : ws->next - (off_t)p->window.keep;
        ws->robbed |= first;
        drop_piece(ws, p);
    }
    ws->depth = 1;
}

void windows_rest(struct source *s)
{
    struct windows *ws = container_of(s, struct windows, source);

    ws->resting = true;
    if (ws->count > 0)
        bufpool_hold(ws->pool, &ws->holder);
}

/* The client goes on. */
static void end_rest(struct windows *ws)
{
    ws->resting = false;
    if (ws->count < 2)
        bufpool_unhold(&ws->holder);
}

/* In the page cache, where the kernel can do that. */
static void leave_nothing(struct windows *ws)
{
    ws->uncached = true;
    (void)file_exact(ws->file);
}

/* O_DIRECT is refused only now that it is used: on through the page cache, and with everything that follows. */
static void go_buffered(struct windows *ws, int error)
{
    if (!ws->proven)
        io_note_direct_refused(ws->io, ws->file->dev, ws->file->path, error);
    io_counters(ws->io)->fallbacks++;
    ws->direct = false;
    leave_nothing(ws);
    ws->align = 1;
    ws->source.method = IO_BUFFERED;
}

static bool is_refusal(ssize_t result)
{
    return result == -EINVAL || result == -EOPNOTSUPP;
}

/* True: the piece is being read again. False: it is ready, or failed for good. */
static bool read_on(struct windows *ws, struct piece *p)
{
    ssize_t result = p->read.result;

    if (is_refusal(result) && !p->read.buffered) {
        if (ws->direct)
            go_buffered(ws, (int)result);
        p->from = 0;
        submit(ws, p);
        return true;
    }
    if (is_refusal(result) && p->read.uncached) {
        ws->uncached = false;
        submit(ws, p);
        return true;
    }
    if (result < 0) {
        p->error = (int)result;
        return false;
    }
    ws->proven |= ws->direct;
    size_t got = p->from + (size_t)result;
    if (got >= needed(p)) {
        p->ready = true;
        return false;
    }
    size_t from = got & ~(ws->align - 1);
    if (result > 0 && from == p->from) {
        go_buffered(ws, 0); /* less than a block: the end of a file that became shorter, or no place to go on from */
        submit(ws, p);
        return true;
    }
    if (result == 0) {
        p->error = -ENODATA; /* the file is shorter than it was */
        return false;
    }
    p->from = from;
    submit(ws, p);
    return true;
}

static void count(struct io *io, ssize_t result)
{
    struct io_counters *counters = io_counters(io);

    counters->reads_in_flight--;
    counters->disk_reads++;
    if (result >= 0)
        counters->disk_bytes += (uint64_t)result;
    else if (!is_refusal(result))
        counters->disk_errors++;
}

static void on_read(struct disk_read *r)
{
    struct piece *p = container_of(r, struct piece, read);
    struct windows *ws = p->owner;

    count(p->io, r->result);
    if (!ws) {
        piece_free(p);
        return;
    }
    if (read_on(ws, p))
        return;
    if (!ws->direct)
        fill(ws);
    if (p == first_piece(ws))
        source_wake(&ws->source);
    else
        bufpool_hold(ws->pool, &ws->holder); /* may take it back at once */
}

/* --- The client's side -----------------------------------------------------------------------------------------------
 * */

/* The client waits for the disk. */
static void grow(struct windows *ws)
{
    ws->surplus = 0;
    if (bufpool_is_short(ws->pool))
        return;
    if (ws->size < ws->size_most)
        ws->size = ws->size * 2 < ws->size_most ? ws->size * 2 : ws->size_most;
    else if (ws->depth < ws->depth_most)
        ws->depth++;
}

/* The client has taken one window, after it was there for `msec`. */
static void adapt(struct windows *ws, int64_t msec)
{
    const struct piece *last = last_piece(ws);

    if (msec > SLOW_MSEC) {
        ws->depth = 1;
        ws->surplus = 0;
        shrink(ws);
        return;
    }
    ws->surplus = last && last->ready ? ws->surplus + 1 : 0;
    if (ws->surplus >= SURPLUS_MOST && ws->depth > DEPTH_FIRST) {
        ws->surplus = 0;
        ws->depth--;
    }
}

static enum pull starve(struct windows *ws)
{
    bool again = ws->source.waiting;

    /* The very first wait says nothing about the client. */
    if (!again && ws->source.waited && !ws->robbed)
        grow(ws);
    ws->robbed = false;
    return source_wait(&ws->source, ws->io);
}

enum pull windows_pull(struct source *s, size_t want, struct chunk *out)
{
    struct windows *ws = container_of(s, struct windows, source);

    if (ws->at == ws->end)
        return PULL_END;
    if (ws->resting)
        end_rest(ws);
    fill(ws);
    struct piece *p = first_piece(ws);
    if (!p)
        return list_empty(&ws->waiter.node) ? source_fail(s, -ENOMEM, ws->at) : starve(ws);
    if (p->error)
        return source_fail(s, p->error, p->window.offset + (off_t)p->from);
    if (!p->ready)
        return starve(ws);
    if (!p->shown_msec)
        p->shown_msec = clock_now.msec;
    size_t skip = (size_t)(ws->at - p->window.offset);
    size_t left = needed(p) - skip;
    *out = (struct chunk){.data = p->buffer + skip, .fd = -1, .len = want < left ? want : left};
    return PULL_READY;
}

void windows_consumed(struct source *s, size_t n)
{
    struct windows *ws = container_of(s, struct windows, source);
    struct piece *p = first_piece(ws);

    ws->at += (off_t)n;
    if (ws->at < p->window.offset + (off_t)needed(p))
        return;
    int64_t msec = clock_now.msec - p->shown_msec;
    drop_piece(ws, p);
    if (ws->count < 2)
        bufpool_unhold(&ws->holder);
    adapt(ws, msec);
    if (ws->at < ws->end && !ws->resident)
        fill(ws);
}

void windows_close(struct source *s)
{
    struct windows *ws = container_of(s, struct windows, source);

    bufpool_unwait(&ws->waiter);
    bufpool_unhold(&ws->holder);
    deferred_clear(&ws->wake);
    free(ws->reserved);
    list_each (&ws->pieces, node, next) {
        struct piece *p = container_of(node, struct piece, node);
        p->owner = NULL;
        list_remove(&p->node);
        if (p->ready || p->error)
            piece_free(p);
    }
    file_release(ws->file);
    free(ws);
}

static size_t round_up(size_t n, size_t align)
{
    return (n + align - 1) & ~(align - 1);
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static size_t alignment_of(const struct file *f, bool direct)
{
    if (!direct)
        return 1;
    return f->align_offset > f->align_memory ? f->align_offset : f->align_memory;
}

/* The client will be slow, whatever it could take: as if it had been found out already. */
static void expect_rate(struct windows *ws, uint64_t rate, size_t unit)
{
    uint64_t most = rate / 1000 * SLOW_MSEC;

    if (most >= ws->size_most)
        return;
    ws->size_most = most > ws->size_least ? (size_t)most & ~(unit - 1) : ws->size_least;
    ws->size = at_most(ws->size, ws->size_most);
    ws->depth_most = 1;
}

/* Of FUSE. After a short answer io_uring goes on at the wrong place (seen on Linux 6.18): threads see it, and ask again.
 * Linux AIO waits in io_submit() for a daemon that did not ask for asynchronous direct reads. */
static struct disk *reader_of(const struct source_request *r, bool direct)
{
    static const struct aio_conf threads = {.mode = AIO_THREADS};
    int mode = r->conf->aio.mode;
    bool doubtful = direct && r->file->answers_short && mode != AIO_THREADS && mode != AIO_OFF;

    return io_disk(r->io, doubtful ? &threads : &r->conf->aio);
}

int windows_open(struct source **out, const struct source_request *r, const struct windows_options *options)
{
    struct windows *ws = calloc(1, sizeof(*ws));
    if (!ws)
        return -ENOMEM;
    source_init(&ws->source, options->ops, options->method, r);
    ws->io = r->io;
    ws->disk = reader_of(r, options->direct);
    ws->pool = io_buffers(r->io);
    ws->file = file_acquire(r->file);
    if (options->uncached)
        leave_nothing(ws);
    ws->direct = options->direct;
    ws->align = alignment_of(r->file, options->direct);
    ws->at = ws->next = r->offset;
    ws->end = r->offset + (off_t)r->len;
    size_t unit = ws->align > PAGE ? ws->align : PAGE;
    ws->size_most = round_up((size_t)r->conf->output_buffers.size, unit);
    ws->size_least = at_most(round_up(SIZE_LEAST, unit), ws->size_most);
    ws->size = bufpool_is_crowded(ws->pool) ? ws->size_least : at_most(round_up(SIZE_FIRST, unit), ws->size_most);
    ws->depth_most = (unsigned)r->conf->output_buffers.number;
    if (r->rate > 0)
        expect_rate(ws, r->rate, unit);
    ws->depth = ws->depth_most < DEPTH_FIRST ? ws->depth_most : DEPTH_FIRST;
    list_init(&ws->pieces);
    list_init(&ws->waiter.node);
    ws->waiter.available = on_available;
    deferred_init(&ws->wake, on_wake, ws);
    list_init(&ws->holder.node);
    ws->holder.reclaim = on_reclaim;
    *out = &ws->source;
    return 0;
}
