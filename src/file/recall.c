/* recall.c - see recall.h.
 *
 * Setting an attribute changes the inode's time, so that what is kept of one holds; a sidecar does not,
 * and is looked for again every few seconds. */
#include "recall.h"

#include <stdlib.h>

enum { SLOTS = 1024, AGAIN_MSEC = 5 * 1000 };

struct recall {
    struct slot {
        int64_t kept_msec; /* clock_now */
        unsigned id;       /* of the identity_conf; 0: empty */
        size_t from;
        dev_t dev;
        ino_t ino;
        off_t size;
        struct timespec mtime, ctime;
        struct file_identity identity;
    } slots[SLOTS];
};

static size_t slot_of(const struct file *f)
{
    uint64_t mixed = ((uint64_t)f->ino ^ (uint64_t)f->dev << 32) * UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(mixed >> 32) % SLOTS;
}

bool recall_find(const struct recall *r, struct file *f, const struct open_options *options)
{
    const struct slot *s = r ? &r->slots[slot_of(f)] : NULL;

    if (!s || s->id != options->identity->id || s->from != options->identity_from || s->ino != f->ino ||
        s->dev != f->dev || s->size != f->size || !clock_same(s->mtime, f->mtime) || !clock_same(s->ctime, f->ctime) ||
        clock_now.msec - s->kept_msec >= AGAIN_MSEC)
        return false;
    *f->identity = s->identity;
    return true;
}

void recall_keep(struct recall **r, const struct file *f, const struct open_options *options)
{
    if (!*r)
        *r = calloc(1, sizeof **r);
    if (!*r || f->identity->pending ||
        (f->identity->source == IDENTITY_BY_MANIFEST && !options->identity->dictionary) ||
        file_times_are_doubtful(f->mtime, f->ctime, clock_now.sec))
        return;
    struct slot *s = &(*r)->slots[slot_of(f)];
    *s = (struct slot){
        .kept_msec = clock_now.msec,
        .id = options->identity->id,
        .from = options->identity_from,
        .dev = f->dev,
        .ino = f->ino,
        .size = f->size,
        .mtime = f->mtime,
        .ctime = f->ctime,
        .identity = *f->identity,
    };
}

void recall_free(struct recall *r)
{
    free(r);
}
