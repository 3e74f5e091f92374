/* windows_private.h - what windows.c (the client's side) and windows_read.c (the disk's side)
 * share. */
#ifndef IO_WINDOWS_PRIVATE_H
#define IO_WINDOWS_PRIVATE_H

#include "windows.h"

#include "io/align.h"

struct windows {
    struct source source;
    struct io *io;
    const struct aio_conf *aio;
    struct disk *disk; /* NULL: nothing was read from it yet */
    struct bufpool *pool;
    struct file *file;
    bool direct, uncached;
    bool proven;   /* a direct read has succeeded */
    bool resident; /* the last window was in the page cache: no use in reading ahead */
    bool resting;  /* the client takes nothing now: all that is ready may be given to others */
    bool cold;     /* what comes next was just found not to be in the page cache */
    bool prompt;   /* and the kernel knew that */
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
    struct held held;      /* its bytes are in use, and it is in no list */
    struct io *io;
    struct file *file;
    struct window window;
    char *buffer;
    size_t from; /* of the window: where the read under way begins */
    bool ready;
    bool prompt; /* the kernel knew that it is not in the page cache */
    int error;
    int64_t shown_msec; /* when the client could first have it, 0: not yet */
};

/* Bytes of the window's buffer up to the last one that the client gets. */
static inline size_t piece_needed(const struct piece *p)
{
    return p->window.skip + p->window.keep;
}

/* Lists and callbacks, before the first read. */
void windows_prepare(struct windows *ws);

struct piece *windows_first(const struct windows *ws); /* NULL: there is none */
struct piece *windows_last(const struct windows *ws);

/* Takes the piece out of the list, and frees it. */
void windows_drop_piece(struct windows *ws, struct piece *p);

/* Of a piece that is in no list. Gives its buffer back, which may start the reads of others. */
void windows_free_piece(struct piece *p);

/* Starts what may be started. Without any window, there is a place in line afterwards; or there was
 * no memory. */
void windows_fill(struct windows *ws);

/* Halves the size of the windows that are read from now on. */
void windows_shrink(struct windows *ws);

/* In the page cache, where the kernel can do that. */
void windows_leave_nothing(struct windows *ws);

#endif
