/* arena.c - memory in chunks, given back all at once. */
#include "base/arena.h"

#include <errno.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of bytes */
    alignas(ARENA_ALIGN) char bytes[];
};

struct arena_cleanup {
    struct arena_cleanup *older;
    void (*fn)(void *arg);
    void *arg;
};

void arena_init(struct arena *a, size_t chunk_size)
{
    *a = (struct arena){.chunk_size = chunk_size};
}

void arena_init_on(struct arena *a, void *space, size_t space_size, size_t chunk_size)
{
    *a = (struct arena){.next = space, .end = (char *)space + space_size, .chunk_size = chunk_size};
}

void arena_fini(struct arena *a)
{
    for (struct arena_cleanup *c = a->cleanups; c; c = c->older)
        c->fn(c->arg);
    for (struct arena_chunk *chunk = a->chunks, *older; chunk; chunk = older) {
        older = chunk->older;
        free(chunk);
    }
    *a = (struct arena){.chunk_size = a->chunk_size};
}

static struct arena_chunk *chunk_new(size_t bytes)
{
    struct arena_chunk *chunk = malloc(sizeof(struct arena_chunk) + bytes);
    if (chunk)
        chunk->size = bytes;
    return chunk;
}

/* A request past a quarter of a chunk gets memory of its own, and the chunk in use stays in use. */
static void *alloc_own(struct arena *a, size_t need)
{
    struct arena_chunk *chunk = chunk_new(need);
    if (!chunk)
        return NULL;
    if (a->chunks) {
        chunk->older = a->chunks->older;
        a->chunks->older = chunk;
    } else {
        chunk->older = NULL;
        a->chunks = chunk;
    }
    return chunk->bytes;
}

void *arena_alloc_more(struct arena *a, size_t size)
{
    if (size > SIZE_MAX / 2 - sizeof(struct arena_chunk) - ARENA_ALIGN)
        return NULL;
    size_t need = size == 0 ? ARENA_ALIGN : (size + (ARENA_ALIGN - 1)) & ~(size_t)(ARENA_ALIGN - 1);
    if (need > (size_t)(a->end - a->next)) {
        if (need > a->chunk_size / 4)
            return alloc_own(a, need);
        struct arena_chunk *chunk = chunk_new(a->chunk_size);
        if (!chunk)
            return NULL;
        chunk->older = a->chunks;
        a->chunks = chunk;
        a->next = chunk->bytes;
        a->end = chunk->bytes + a->chunk_size;
    }
    void *at = a->next;
    a->next += need;
    return at;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *at = arena_alloc(a, size);
    return at ? memset(at, 0, size) : NULL;
}

char *arena_copy(struct arena *a, const char *bytes, size_t len)
{
    if (len == SIZE_MAX)
        return NULL;
    char *copy = arena_alloc(a, len + 1);
    if (!copy)
        return NULL;
    if (len > 0)
        memcpy(copy, bytes, len);
    copy[len] = '\0';
    return copy;
}

char *arena_strdup(struct arena *a, const char *cstr)
{
    return arena_copy(a, cstr, strlen(cstr));
}

struct text arena_text(struct arena *a, struct text t)
{
    if (!t.at)
        return TEXT_NONE;
    char *copy = arena_copy(a, t.at, t.len);
    return copy ? (struct text){copy, t.len} : TEXT_NONE;
}

struct text arena_join(struct arena *a, const struct text *parts, size_t count)
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += parts[i].len;
    char *all = arena_alloc(a, len + 1), *to = all;
    if (!all)
        return TEXT_NONE;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > 0)
            memcpy(to, parts[i].at, parts[i].len);
        to += parts[i].len;
    }
    *to = '\0';
    return (struct text){all, len};
}

char *arena_vprintf(struct arena *a, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char *here = a->next; /* formatted in place when it fits, which it nearly always does */
    size_t room = (size_t)(a->end - a->next);
    int len = vsnprintf(here, room, format, args);
    char *text = len < 0 ? NULL : arena_alloc(a, (size_t)len + 1);
    if (text && (text != here || (size_t)len >= room))
        vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = arena_vprintf(a, format, args);
    va_end(args);
    return text;
}

bool arena_holds(const struct arena *a, const void *at)
{
    for (const struct arena_chunk *chunk = a->chunks; chunk; chunk = chunk->older)
        if ((uintptr_t)at >= (uintptr_t)chunk->bytes && (uintptr_t)at - (uintptr_t)chunk->bytes < chunk->size)
            return true;
    return false;
}

int arena_at_fini(struct arena *a, void (*fn)(void *arg), void *arg)
{
    struct arena_cleanup *c = arena_alloc(a, sizeof *c);
    if (!c)
        return -ENOMEM;
    *c = (struct arena_cleanup){a->cleanups, fn, arg};
    a->cleanups = c;
    return 0;
}
