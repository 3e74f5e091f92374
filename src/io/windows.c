/* windows.c - the pipeline of reads between disk and client: the client's side.
 *
 * A response holds a few windows of the file in order: the first is being sent, the others are
 * being read or wait. How many and how large follows the client: they start small, grow each time
 * the client had to wait for the disk, and shrink when a window lies ready for long or nothing but
 * ready windows are left behind it. So a fast client gets the disk's speed, and a slow one soon
 * holds one small buffer. windows_read.c reads them. */
#include "windows.h"
#include "windows_private.h"

#include <errno.h>
#include <stdlib.h>

enum {
    SIZE_LEAST = 64 * 1024,  /* below this a read costs more than it brings */
    SIZE_FIRST = 256 * 1024, /* the first byte soon, and few steps to full size */
    DEPTH_FIRST = 2,
    SLOW_MSEC = 200,  /* a window is to hold no more than the client takes in this time */
    SURPLUS_MOST = 8, /* windows in a row that were not needed, before there is one less */
    PAGE = 4096
};

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
    const struct piece *last = windows_last(ws);

    if (msec > SLOW_MSEC) {
        ws->depth = 1;
        ws->surplus = 0;
        windows_shrink(ws);
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
    windows_fill(ws);
    struct piece *p = windows_first(ws);
    if (!p)
        return list_empty(&ws->waiter.node) ? source_fail(s, -ENOMEM, ws->at) : starve(ws);
    if (p->error)
        return source_fail(s, p->error, p->window.offset + (off_t)p->from);
    if (!p->ready)
        return starve(ws);
    if (!p->shown_msec)
        p->shown_msec = clock_now.msec;
    size_t skip = (size_t)(ws->at - p->window.offset);
    size_t left = piece_needed(p) - skip;
    *out = (struct chunk){.data = p->buffer + skip, .fd = -1, .len = want < left ? want : left};
    return PULL_READY;
}

void windows_consumed(struct source *s, size_t n)
{
    struct windows *ws = container_of(s, struct windows, source);
    struct piece *p = windows_first(ws);

    ws->at += (off_t)n;
    if (ws->at < p->window.offset + (off_t)piece_needed(p))
        return;
    int64_t msec = clock_now.msec - p->shown_msec;
    windows_drop_piece(ws, p);
    if (ws->count < 2)
        bufpool_unhold(&ws->holder);
    adapt(ws, msec);
    if (ws->at < ws->end && !ws->resident)
        windows_fill(ws);
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
            windows_free_piece(p);
    }
    file_release(ws->file);
    free(ws);
}

static void on_release(struct held *h)
{
    windows_free_piece(container_of(h, struct piece, held));
}

static struct held *windows_leave(struct source *s)
{
    struct windows *ws = container_of(s, struct windows, source);
    struct piece *p = windows_first(ws);

    list_remove(&p->node);
    ws->count--;
    p->owner = NULL;
    p->held.release = on_release;
    windows_close(s);
    return &p->held;
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

static bool is_one_read(const struct windows *ws)
{
    return align_window(ws->at, ws->end, ws->size, ws->align).keep == (size_t)(ws->end - ws->at);
}

int windows_open(struct source **out, const struct source_request *r, const struct windows_options *options)
{
    struct windows *ws = calloc(1, sizeof *ws);
    if (!ws)
        return -ENOMEM;
    source_init(&ws->source, options->ops, options->method, r);
    ws->source.leave = windows_leave;
    ws->io = r->io;
    ws->aio = &r->conf->aio;
    ws->pool = io_buffers(r->io);
    ws->file = file_acquire(r->file);
    if (options->uncached)
        windows_leave_nothing(ws);
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
    ws->source.coherent = !r->file->answers_short && is_one_read(ws);
    windows_prepare(ws);
    *out = &ws->source;
    return 0;
}
