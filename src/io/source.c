/* source.c - opens a source of the method that policy.c chose, or the next best where that method
 * turns out impossible. */
#include "io/source.h"

#include "file/open.h"
#include "source_private.h"

#include <errno.h>

void source_init(struct source *s, const struct source_ops *ops, enum io_method method, const struct source_request *r)
{
    *s = (struct source){.ops = ops, .method = method, .ready = r->ready, .arg = r->arg};
}

enum pull source_wait(struct source *s, struct io *io)
{
    if (!s->waiting) {
        s->waiting = true;
        s->waiting_since = clock_now.msec;
        io_counters(io)->waits += !s->counted;
        s->waited = s->counted = true;
    }
    return PULL_WAIT_DISK;
}

enum pull source_fail(struct source *s, int error, off_t offset)
{
    s->error = error;
    s->error_offset = offset;
    return PULL_FAILED;
}

void source_wake(struct source *s)
{
    if (!s->waiting)
        return;
    s->waiting = false;
    s->wait_msec += clock_now.msec - s->waiting_since;
    s->ready(s->arg);
}

/* A file that should have gone past the page cache leaves nothing there, where the kernel can do
 * that. */
static bool stands_in_for_direct(const struct source_request *r)
{
    const struct io_conf *conf = r->conf;

    return conf->method == IO_DIRECT ||
           (conf->method == IO_AUTO && !r->admitted && conf->directio >= 0 && r->file->size >= conf->directio);
}

static int open_buffered(struct source **out, const struct source_request *r)
{
    bool instead = stands_in_for_direct(r);

    io_counters(r->io)->fallbacks += instead;
    return source_buffered_open(out, r, instead);
}

static int open_direct(struct source **out, const struct source_request *r)
{
    struct file *f = r->file;
    if (io_direct_refused(r->io, f->dev))
        return open_buffered(out, r);

    int rc = file_direct(f, (unsigned)r->conf->directio_alignment, r->sole);
    if (rc == 0)
        return source_direct_open(out, r);
    if (rc == -EINVAL)
        io_note_direct_refused(r->io, f->dev, f->path, rc);
    return open_buffered(out, r); /* also for want of one more descriptor */
}

int source_open(struct source **out, enum io_method method, const struct source_request *r)
{
    *out = NULL;
    switch (method) {
    case IO_MEMORY:
        return r->file->content ? source_memory_open(out, r) : open_buffered(out, r);
    case IO_SENDFILE:
        return source_pagecache_open(out, r);
    case IO_MMAP:
        return source_mmap_open(out, r) == 0 ? 0 : open_buffered(out, r);
    case IO_BUFFERED:
        return open_buffered(out, r);
    case IO_DIRECT:
        return open_direct(out, r);
    default:
        return -EINVAL;
    }
}
