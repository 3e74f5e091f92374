/* arena.h - memory that is given back all at once: one arena per configuration, one per request. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/text.h"

#include <stdarg.h>
#include <stddef.h>

struct arena_chunk;
struct arena_cleanup;

struct arena {
    char *next, *end;           /* free space in the newest chunk */
    struct arena_chunk *chunks; /* newest first */
    size_t chunk_size;
    struct arena_cleanup *cleanups; /* newest first */
};

#define ARENA_ALIGN 16

/* `chunk_size`: bytes of the chunks to take from the heap (larger requests get their own). Takes
 * nothing yet. */
void arena_init(struct arena *a, size_t chunk_size);

/* The same, using `space` (at least 64 bytes, aligned to 16, outliving the arena) before the
 * heap. */
void arena_init_on(struct arena *a, void *space, size_t space_size, size_t chunk_size);

/* Everything allocated becomes invalid; the heap gets all chunks back; a space given at
 * arena_init_on is NOT remembered: call arena_init_on again to reuse it. */
void arena_fini(struct arena *a);

/* The slow half of arena_alloc(): takes another chunk. */
void *arena_alloc_more(struct arena *a, size_t size);

/* Aligned to 16. NULL when there is no memory. Contents undefined / zero. */
static inline void *arena_alloc(struct arena *a, size_t size)
{
    size_t need = (size + (ARENA_ALIGN - 1)) & ~(size_t)(ARENA_ALIGN - 1);
    if (need == 0 || need > (size_t)(a->end - a->next)) /* 0: `size` is 0, or was about to overflow */
        return arena_alloc_more(a, size);
    void *at = a->next;
    a->next += need;
    return at;
}

void *arena_zalloc(struct arena *a, size_t size);

/* NUL-terminated copies; NULL when there is no memory. */
char *arena_copy(struct arena *a, const char *bytes, size_t len);
char *arena_strdup(struct arena *a, const char *cstr);
struct text arena_text(struct arena *a, struct text t); /* .at is NUL-terminated; NULL on no memory, or if t.at is */

/* The parts one after another, NUL-terminated; absent ones are empty. .at is NULL on no memory. */
struct text arena_join(struct arena *a, const struct text *parts, size_t count);

char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

/* Whether `at` lies in a chunk of this arena. Goes through all of them: for what happens seldom. */
bool arena_holds(const struct arena *a, const void *at);

/* Runs `fn(arg)` at arena_fini, newest first. -ENOMEM or 0. */
int arena_at_fini(struct arena *a, void (*fn)(void *arg), void *arg);

#endif
