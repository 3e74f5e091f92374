/* windows_read.c - the pipeline of reads between disk and client: the disk's side.
 *
 * When a response is left without any buffer, windows of others that are only read ahead are given
 * back. A window that is being read belongs to the read: after windows_close() it goes when the
 * read is over. */
#include "windows_private.h"

#include "file/open.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

struct piece *windows_first(const struct windows *ws)
{
    return list_empty(&ws->pieces) ? NULL : container_of(ws->pieces.next, struct piece, node);
}

struct piece *windows_last(const struct windows *ws)
{
    return list_empty(&ws->pieces) ? NULL : container_of(ws->pieces.prev, struct piece, node);
}

void windows_free_piece(struct piece *p)
{
    struct bufpool *pool = io_buffers(p->io);
    char *buffer = p->buffer;
    size_t len = p->window.len;

    file_release(p->file);
    free(p);
    bufpool_give(pool, buffer, len); /* last: it serves those that wait */
}

void windows_drop_piece(struct windows *ws, struct piece *p)
{
    list_remove(&p->node);
    ws->count--;
    windows_free_piece(p);
}

static void on_read(struct disk_read *r);

static int descriptor(const struct windows *ws)
{
    if (ws->direct)
        return ws->file->direct_fd;
    return ws->uncached && ws->file->exact_fd >= 0 ? ws->file->exact_fd : ws->file->fd;
}

/* Direct reads of FUSE are a thread's work. After a short answer io_uring goes on at the wrong place
 * (seen on Linux 6.18): threads see it, and ask again. Linux AIO waits in io_submit() for a daemon
 * that did not ask for asynchronous direct reads. */
static struct disk *reader_for(const struct windows *ws)
{
    static const struct aio_conf threads = {.mode = AIO_THREADS};
    bool own = ws->aio->mode == AIO_THREADS || ws->aio->mode == AIO_OFF;
    bool by_thread = ws->direct && ws->file->answers_short;

    return io_disk(ws->io, by_thread && !own ? &threads : ws->aio);
}

static void submit(struct windows *ws, struct piece *p)
{
    struct disk_read *r = &p->read;

    if (!ws->disk)
        ws->disk = reader_for(ws);

    r->fd = descriptor(ws);
    r->offset = p->window.offset + (off_t)p->from;
    r->buffer = p->buffer + p->from;
    r->len = p->window.len - p->from;
    r->buffered = !ws->direct;
    r->uncached = ws->uncached && !ws->direct;
    r->prompt = p->prompt && r->len <= DISK_PROMPT_MOST;
    r->patient = r->len > DISK_PROMPT_MOST;
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
    p->prompt = n >= 0 || errno == EAGAIN;
    ws->resident = n >= 0 && (size_t)n >= piece_needed(p);
    p->ready = ws->resident;
    return p->ready;
}

static bool reserve_piece(struct windows *ws)
{
    if (!ws->reserved)
        ws->reserved = calloc(1, sizeof *ws->reserved);
    return ws->reserved != NULL;
}

/* Little is left, and all of it is in the page cache: into the caller's memory, without a window. */
size_t windows_copy(struct source *s, char *to, size_t room, bool *ended)
{
    struct windows *ws = container_of(s, struct windows, source);
    size_t left = (size_t)(ws->end - ws->at);
    struct iovec iov = {to, left};

    if (ws->direct || ws->uncached || ws->next != ws->at || left == 0 || left > room)
        return 0;
    ssize_t n = preadv2(ws->file->fd, &iov, 1, ws->at, RWF_NOWAIT);
    ws->cold = n < (ssize_t)left;
    ws->prompt = n >= 0 || errno == EAGAIN;
    if (ws->cold)
        return 0;
    ws->at = ws->next = ws->end;
    *ended = true;
    return left;
}

/* Straight to where it is sent from, as long as no window has any of it. */
size_t windows_read(struct source *s, char *to, size_t room)
{
    struct windows *ws = container_of(s, struct windows, source);
    size_t left = (size_t)(ws->end - ws->at);
    struct iovec iov = {to, left < room ? left : room};

    if (ws->direct || ws->uncached || ws->next != ws->at || ws->cold || left == 0 || !list_empty(&ws->waiter.node))
        return 0;
    ssize_t n = preadv2(ws->file->fd, &iov, 1, ws->at, RWF_NOWAIT);
    ws->cold = n <= 0;
    ws->prompt = n >= 0 || errno == EAGAIN;
    if (ws->cold)
        return 0;
    ws->at = ws->next = ws->at + n;
    return (size_t)n;
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
    p->prompt = may_be_resident && ws->cold && ws->prompt;
    if (!may_be_resident || ws->cold || !read_resident(ws, p))
        submit(ws, p);
    ws->cold = false;
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

void windows_shrink(struct windows *ws)
{
    if (ws->size / 2 >= ws->size_least)
        ws->size = ws->size / 2 & ~(ws->align - 1);
}

/* Two reads of one file through the page cache at a time, and the kernel no longer takes either for
 * a sequential one. */
static bool spoils_read_ahead(const struct windows *ws)
{
    return descriptor(ws) == ws->file->fd && !windows_last(ws)->ready;
}

/* With less than last time: so more responses go on at the same time. */
static void wait_in_line(struct windows *ws)
{
    windows_shrink(ws);
    ws->planned = align_window(ws->next, ws->end, ws->size, ws->align);
    bufpool_wait(ws->pool, &ws->waiter, ws->planned.len);
}

/* Starts what may be started. Without any window, there is a place in line afterwards; or there was
 * no memory. */
void windows_fill(struct windows *ws)
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

/* Somebody has no buffer at all: what is ready but not the client's turn yet, or not taken by the
 * client, will be read again. */
static void on_reclaim(struct bufpool_holder *h)
{
    struct windows *ws = container_of(h, struct windows, holder);

    for (struct piece *p = windows_last(ws); p && p->ready; p = windows_last(ws)) {
        bool first = p == windows_first(ws);
        if (first && !ws->resting)
            break;
        ws->next = first ? ws->at : ws->next - (off_t)p->window.keep;
        ws->robbed |= first;
        windows_drop_piece(ws, p);
    }
    ws->depth = 1;
}

void windows_forget(struct source *s)
{
    struct windows *ws = container_of(s, struct windows, source);

    ws->resting = true;
    bufpool_unhold(&ws->holder);
    on_reclaim(&ws->holder);
}

/* In the page cache, where the kernel can do that. */
void windows_leave_nothing(struct windows *ws)
{
    ws->uncached = true;
    (void)file_exact(ws->file);
}

/* O_DIRECT is refused only now that it is used: on through the page cache, and with everything that
 * follows. */
static void go_buffered(struct windows *ws, int error)
{
    if (!ws->proven)
        io_note_direct_refused(ws->io, ws->file->dev, ws->file->path, error);
    io_counters(ws->io)->fallbacks++;
    ws->direct = false;
    file_plain(ws->file);
    windows_leave_nothing(ws);
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
    if (got >= piece_needed(p)) {
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
        windows_free_piece(p);
        return;
    }
    if (read_on(ws, p))
        return;
    if (!ws->direct)
        windows_fill(ws);
    if (p == windows_first(ws))
        source_wake(&ws->source);
    else
        bufpool_hold(ws->pool, &ws->holder); /* may take it back at once */
}

void windows_prepare(struct windows *ws)
{
    list_init(&ws->pieces);
    list_init(&ws->waiter.node);
    ws->waiter.available = on_available;
    deferred_init(&ws->wake, on_wake, ws);
    list_init(&ws->holder.node);
    ws->holder.reclaim = on_reclaim;
}
