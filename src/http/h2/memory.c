/* memory.c - see memory.h. Used by session_shared.c; called by nghttp2.
 *
 * A request costs nghttp2 about a dozen objects, and the streams of a connection are freed together:
 * more of a size at once than malloc() keeps at hand. Measured for 1 KiB: 1,000 of 15,000
 * instructions of a request less. */
#include "http/h2/memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = H2_MEMORY_SIZES };

struct h2_block {
    union {
        struct h2_block *next; /* while it is free */
        size_t size;           /* index in h2_memory.free, or LARGE */
    };
    alignas(max_align_t) char bytes[];
};

static size_t size_of(size_t bytes)
{
    size_t size = bytes > 0 ? (bytes - 1) / H2_MEMORY_STEP : 0;

    return size < LARGE ? size : LARGE;
}

static size_t bytes_of(size_t size)
{
    return (size + 1) * H2_MEMORY_STEP;
}

static struct h2_block *block_of(void *object)
{
    return (struct h2_block *)(void *)((char *)object - offsetof(struct h2_block, bytes));
}

static struct h2_block *from_heap(size_t bytes)
{
    return bytes <= SIZE_MAX / 2 ? malloc(sizeof(struct h2_block) + bytes) : NULL;
}

/* NULL: there is none that is free. */
static struct h2_block *from_list(struct h2_memory *m, size_t size)
{
    struct h2_block *b = m->free[size];

    if (b) {
        m->free[size] = b->next;
        m->kept -= bytes_of(size);
    }
    return b;
}

static void *take(size_t bytes, void *user)
{
    struct h2_memory *m = user;
    size_t size = size_of(bytes);

    struct h2_block *b = size < LARGE ? from_list(m, size) : NULL;

    if (!b)
        b = from_heap(size < LARGE ? bytes_of(size) : bytes);
    if (!b)
        return NULL;
    b->size = size;
    return b->bytes;
}

static void give(void *object, void *user)
{
    struct h2_memory *m = user;

    if (!object)
        return;
    struct h2_block *b = block_of(object);
    size_t size = b->size;
    if (size == LARGE || m->kept + bytes_of(size) > H2_MEMORY_KEPT) {
        free(b);
        return;
    }
    b->next = m->free[size];
    m->free[size] = b;
    m->kept += bytes_of(size);
}

static void *take_zeroed(size_t count, size_t each, void *user)
{
    if (each > 0 && count > SIZE_MAX / each)
        return NULL;
    void *object = take(count * each, user);
    return object ? memset(object, 0, count * each) : NULL;
}

/* A large one stays large: the heap knows how many bytes it has. */
static void *resize_large(struct h2_block *b, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    b = realloc(b, sizeof *b + bytes);
    return b ? b->bytes : NULL;
}

static void *resize(void *object, size_t bytes, void *user)
{
    if (!object)
        return take(bytes, user);
    struct h2_block *b = block_of(object);
    if (b->size == LARGE)
        return resize_large(b, bytes);
    if (bytes <= bytes_of(b->size))
        return object;
    void *larger = take(bytes, user);
    if (!larger)
        return NULL;
    memcpy(larger, object, bytes_of(b->size));
    give(object, user);
    return larger;
}

void h2_memory_init(struct h2_memory *m)
{
    *m = (struct h2_memory){.functions = {m, take, give, take_zeroed, resize}};
}

void h2_memory_fini(struct h2_memory *m)
{
    for (size_t i = 0; i < H2_MEMORY_SIZES; i++)
        while (m->free[i]) {
            struct h2_block *b = m->free[i];
            m->free[i] = b->next;
            free(b);
        }
    m->kept = 0;
}
