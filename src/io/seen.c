/* seen.c - see seen.h. Asked by gate.c.
 *
 * A table of 64 KiB, without collisions resolved: whatever comes last has the place. A file is known
 * by device and inode, in chunks of CHUNK bytes, with a bit for each page. The time is that of a
 * chunk's first note: what is added later is forgotten with it. */
#include "seen.h"

#include "mix.h"

#include <stdlib.h>

enum { PAGE = 4096, PAGES = 32, CHUNK = PAGE * PAGES, SLOTS = 4096 };

struct slot {
    uint64_t key; /* of the chunk */
    uint32_t pages;
    uint32_t msec; /* of clock_now, the lower half */
};

struct seen {
    struct slot slots[SLOTS];
};

struct seen *seen_create(void)
{
    return calloc(1, sizeof(struct seen));
}

void seen_destroy(struct seen *s)
{
    free(s);
}

static uint64_t key_of(const struct file *f, off_t chunk)
{
    return mix(mix(f->ino + ((uint64_t)f->dev << 32)) + (uint64_t)chunk);
}

/* Of the chunk, those that [offset, end) touches. */
static uint32_t pages_of(off_t chunk, off_t offset, off_t end)
{
    off_t first = offset > chunk * CHUNK ? (offset - chunk * CHUNK) / PAGE : 0;
    off_t last = end < (chunk + 1) * CHUNK ? (end - 1 - chunk * CHUNK) / PAGE : PAGES - 1;

    return (uint32_t)((((uint64_t)2 << last) - 1) & ~(((uint64_t)1 << first) - 1));
}

static bool is_fresh(const struct slot *at, uint64_t key)
{
    return at->key == key && (uint32_t)clock_now.msec - at->msec < SEEN_MSEC;
}

bool seen_lately(const struct seen *s, const struct file *f, off_t offset, size_t len)
{
    off_t end = offset + (off_t)len;

    for (off_t chunk = offset / CHUNK; chunk * CHUNK < end; chunk++) {
        uint64_t key = key_of(f, chunk);
        const struct slot *at = &s->slots[key % SLOTS];
        uint32_t pages = pages_of(chunk, offset, end);
        if (!is_fresh(at, key) || (at->pages & pages) != pages)
            return false;
    }
    return true;
}

void seen_note(struct seen *s, const struct file *f, off_t offset, size_t len)
{
    off_t end = offset + (off_t)len;

    for (off_t chunk = offset / CHUNK; chunk * CHUNK < end; chunk++) {
        uint64_t key = key_of(f, chunk);
        struct slot *at = &s->slots[key % SLOTS];
        if (!is_fresh(at, key))
            *at = (struct slot){.key = key, .msec = (uint32_t)clock_now.msec};
        at->pages |= pages_of(chunk, offset, end);
    }
}
