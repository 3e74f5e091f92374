/* gate.c - cold parts are read into the page cache before they are sent from there, so that the
 * loop never waits for a disk.
 *
 * Short ones, which small files are, need no thread where there is io_uring: the kernel reads them,
 * and says when the last byte is there. The bytes are touched once, by who sends them: reading them
 * into memory here and sending them from there costs more (measured from 8 KiB on). Long ones are
 * read by a thread, and let others go first.
 *
 * A file that was found to be wholly resident, or was wholly read, is not asked about again for
 * HOT_MSEC; nor is a part, by whoever opens the file next (seen.c). Of a larger one, the part behind the one that is being sent is looked at, and read
 * where it is cold, while the client takes this one. Parts are small at first, so that the first
 * byte comes soon and a slow client has little read for it; they grow where they are resident, or
 * the client waits. What was read counts as resident without a second look: a filesystem that keeps
 * nothing in the page cache is sent as it is. Where the kernel does not tell, everything is read
 * first: a thread that finds it in memory is done at once. */
#include "gate.h"

#include "file/residency.h"
#include "seen.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/uio.h>

enum {
    FIRST = 256 * 1024,
    MOST = 4 * 1024 * 1024,
    HOT_MSEC = 1000,
    STALE_MSEC = 1000 /* a part that waited this long for its client may be gone again */
};

struct gate_read {
    struct disk_read read;
    struct gate *gate; /* NULL: closed meanwhile */
    struct file *file;
    struct io *io;
};

void gate_open(struct gate *g, struct source *s, const struct source_request *r)
{
    *g = (struct gate){.source = s, .io = r->io, .file = r->file, .open_to = r->offset, .part = FIRST};
    g->end = r->offset + (off_t)r->len;
    if (r->conf->aio.mode != AIO_OFF)
        g->disk = io_disk(r->io, &r->conf->aio);
}

void gate_close(struct gate *g)
{
    if (g->read)
        g->read->gate = NULL;
    g->read = NULL;
}

/* If that is all of it. */
static void note_hot(struct file *f, off_t offset, size_t len)
{
    if (offset != 0 || (off_t)len != f->size)
        return;
    f->hot = true;
    f->hot_msec = clock_now.msec;
}

static void grow(struct gate *g)
{
    if (g->part < MOST)
        g->part *= 2;
}

/* Up to two parts ahead of the client. */
static void look_ahead(struct gate *g);

static void on_read(struct disk_read *r)
{
    struct gate_read *read = container_of(r, struct gate_read, read);
    struct gate *g = read->gate;
    struct io_counters *counters = io_counters(read->io);

    counters->reads_in_flight--;
    counters->disk_reads++;
    if (r->result >= 0)
        counters->disk_bytes += (uint64_t)r->result;
    else
        counters->disk_errors++;
    if (g) {
        g->read = NULL;
        if (r->result >= 0) {
            g->open_to = r->offset + (off_t)r->len;
            g->looked_msec = clock_now.msec;
        } else {
            g->error = (int)r->result;
        }
    }
    if (r->result >= 0)
        note_hot(read->file, r->offset, r->len);
    file_release(read->file);
    free(read);
    if (!g)
        return;
    look_ahead(g);
    source_wake(g->source);
}

/* `told`: the kernel knows which pages are there. */
static void start_read(struct gate *g, size_t len, bool told)
{
    struct gate_read *read = calloc(1, sizeof *read);
    if (!read) {
        g->open_to += (off_t)len; /* sent as it is */
        return;
    }
    read->gate = g;
    read->io = g->io;
    read->file = file_acquire(g->file);
    read->read.fd = g->file->fd;
    read->read.offset = g->open_to;
    read->read.len = len;
    read->read.buffered = true;
    read->read.warm = true;
    read->read.prompt = told && len <= DISK_PROMPT_MOST;
    read->read.patient = len > DISK_PROMPT_MOST;
    read->read.done = on_read;
    g->read = read;
    io_counters(g->io)->reads_in_flight++;
    disk_submit(g->disk, &read->read);
}

/* Bytes from open_to on that are in memory; -1: that cannot be told. */
static ssize_t told_of(struct gate *g, size_t part)
{
    struct seen *seen = part <= SEEN_MOST ? io_seen(g->io) : NULL;

    if (seen && seen_lately(seen, g->file, g->open_to, part))
        return (ssize_t)part;
    ssize_t told = residency(g->file, g->open_to, part);
    if (seen && told == (ssize_t)part)
        seen_note(seen, g->file, g->open_to, part);
    return told;
}

/* Looks at the part that begins at open_to. */
static void look_on(struct gate *g)
{
    off_t left = g->end - g->open_to;
    size_t part = left < (off_t)g->part ? (size_t)left : g->part;
    ssize_t told = told_of(g, part);
    size_t resident = told > 0 ? (size_t)told : 0;

    g->looked_msec = clock_now.msec;
    if (resident == part) {
        note_hot(g->file, g->open_to, part);
        grow(g);
    }
    g->open_to += (off_t)resident;
    if (resident < part)
        start_read(g, part - resident, told >= 0);
}

static void look_ahead(struct gate *g)
{
    if (!g->read && !g->error && g->open_to < g->end && g->open_to - g->at < 2 * (off_t)g->part)
        look_on(g);
}

static bool hot(const struct file *f)
{
    return f->hot && clock_now.msec - f->hot_msec < HOT_MSEC;
}

bool gate_copy(struct gate *g, off_t at, char *to, size_t len)
{
    struct iovec iov = {to, len};
    int flags = g->disk && !hot(g->file) ? RWF_NOWAIT : 0;

    return preadv2(g->file->fd, &iov, 1, at, flags) == (ssize_t)len;
}

enum pull gate_pass(struct gate *g, off_t at, size_t want, size_t *len)
{
    size_t left = (size_t)(g->end - at);

    *len = want < left ? want : left;
    if (!g->disk || hot(g->file))
        return PULL_READY;
    g->at = at;
    if (!g->read && g->open_to > at && clock_now.msec - g->looked_msec > STALE_MSEC) {
        g->open_to = at;
        g->part = FIRST;
    }
    if (g->open_to < at)
        g->open_to = at; /* it was let through while it was hot */
    look_ahead(g);
    if (g->open_to == at) {
        if (g->error)
            return PULL_FAILED;
        grow(g);
        return source_wait(g->source, g->io);
    }
    if (*len > (size_t)(g->open_to - at))
        *len = (size_t)(g->open_to - at);
    return PULL_READY;
}
