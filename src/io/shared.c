/* shared.c - tries the disk readers before the workers start, and keeps them from all saying the
 * same. See shared.h. */
#include "io/shared.h"

#include "base/log.h"
#include "io/disk.h"

#include <stdio.h>
#include <string.h>

static bool wants(unsigned modes, enum aio_mode mode)
{
    return (modes & (1U << mode)) != 0;
}

static void try_reader(struct reader_tried *t, enum aio_mode mode, unsigned depth)
{
    const char *note = NULL;

    if (t->tried)
        return;
    t->works = disk_try(mode, depth, &note) == 0;
    snprintf(t->note, sizeof t->note, "%s", note ? note : "");
    t->tried = true;
}

bool io_shared_asks(const struct io_shared *s, unsigned modes)
{
    bool uring = wants(modes, AIO_ON) || wants(modes, AIO_URING);

    return (uring && !s->uring.tried) || (!s->libaio.tried && wants(modes, AIO_LIBAIO));
}

void io_shared_try(struct io_shared *s, unsigned modes, unsigned depth)
{
    bool uring = wants(modes, AIO_ON) || wants(modes, AIO_URING);

    if (uring)
        try_reader(&s->uring, AIO_URING, depth);
    if (wants(modes, AIO_LIBAIO) || (uring && !s->uring.works))
        try_reader(&s->libaio, AIO_LIBAIO, depth);
}

bool io_shared_knows(const struct io_shared *s, enum aio_mode mode)
{
    return mode == AIO_OFF || mode == AIO_THREADS || (mode == AIO_LIBAIO ? s->libaio.tried : s->uring.tried);
}

enum aio_mode io_shared_mode(const struct io_shared *s, enum aio_mode mode)
{
    if (mode == AIO_OFF || mode == AIO_THREADS || !io_shared_knows(s, mode))
        return mode;
    if (mode != AIO_LIBAIO && s->uring.works)
        return AIO_URING;
    return s->libaio.works ? AIO_LIBAIO : AIO_THREADS;
}

static const char *mode_name(enum aio_mode mode)
{
    switch (mode) {
    case AIO_URING:
        return "io_uring";
    case AIO_LIBAIO:
        return "libaio";
    default:
        return "threads";
    }
}

/* That one is missing is worth a warning where the configuration needs it. */
static void say(struct io_shared *s, enum aio_mode mode, enum aio_mode asked, unsigned needed)
{
    const struct reader_tried *t = asked == AIO_LIBAIO ? &s->libaio : &s->uring;
    bool is_needed = wants(needed, mode) || wants(needed, asked);

    if (!io_shared_claim_mode(s, mode))
        return;
    if (asked == AIO_THREADS || t->works)
        log_info(0, "reading disks by %s", mode_name(asked));
    else
        log_write(log_main, is_needed ? LEVEL_WARN : LEVEL_INFO, 0, 0, "%s; reading disks by %s", t->note,
                  mode_name(io_shared_mode(s, asked)));
}

void io_shared_say(struct io_shared *s, unsigned modes, unsigned needed)
{
    if ((wants(modes, AIO_ON) || wants(modes, AIO_URING)) && s->uring.tried)
        say(s, AIO_ON, AIO_URING, needed);
    if (wants(modes, AIO_LIBAIO) && s->libaio.tried)
        say(s, AIO_LIBAIO, AIO_LIBAIO, needed);
    if (wants(modes, AIO_THREADS))
        say(s, AIO_THREADS, AIO_THREADS, needed);
}

bool io_shared_claim_mode(struct io_shared *s, enum aio_mode mode)
{
    unsigned bit = 1U << (mode == AIO_URING ? AIO_ON : mode); /* these two come to the same */

    return (atomic_fetch_or(&s->said, bit) & bit) == 0;
}

bool io_shared_claim_refusal(struct io_shared *s, dev_t dev)
{
    uint64_t mark = (uint64_t)dev + 1;

    for (unsigned i = 0; i < IO_REFUSED_MOST; i++) {
        uint64_t there = 0;
        if (atomic_compare_exchange_strong(&s->refused[i], &there, mark))
            return true;
        if (there == mark)
            return false;
    }
    return true; /* more than anybody has: each worker speaks for itself */
}

void io_shared_forget_refusals(struct io_shared *s)
{
    for (unsigned i = 0; i < IO_REFUSED_MOST; i++)
        atomic_store(&s->refused[i], 0);
}
