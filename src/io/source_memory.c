/* source_memory.c - bytes that are in memory already: the content of a cached file, an error page,
 * a listing. */
#include "source_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct memory {
    struct source source;
    struct file *file; /* that owns the bytes, or NULL */
    struct held held;
    const char *at;
    size_t left;
};

static enum pull memory_pull(struct source *s, size_t want, struct chunk *out)
{
    struct memory *m = container_of(s, struct memory, source);

    if (m->left == 0)
        return PULL_END;
    *out = (struct chunk){.data = m->at, .fd = -1, .len = want < m->left ? want : m->left};
    return PULL_READY;
}

static void memory_consumed(struct source *s, size_t n)
{
    struct memory *m = container_of(s, struct memory, source);

    m->at += n;
    m->left -= n;
}

/* All of it or nothing: what is larger than the room is sent from where it is. */
static size_t memory_copy(struct source *s, char *to, size_t room, bool *ended)
{
    struct memory *m = container_of(s, struct memory, source);
    size_t n = m->left;

    if (n > room)
        return 0;
    memcpy(to, m->at, n);
    memory_consumed(s, n);
    *ended = n > 0;
    return n;
}

static void memory_free(struct memory *m)
{
    file_release(m->file);
    free(m);
}

static void memory_close(struct source *s)
{
    memory_free(container_of(s, struct memory, source));
}

static void on_release(struct held *h)
{
    memory_free(container_of(h, struct memory, held));
}

static struct held *memory_leave(struct source *s)
{
    struct memory *m = container_of(s, struct memory, source);

    m->held.release = on_release;
    return &m->held;
}

static const struct source_ops memory_ops = {
    .name = "memory", .pull = memory_pull, .consumed = memory_consumed, .close = memory_close, .copy = memory_copy};

int source_memory_open(struct source **out, const struct source_request *r)
{
    struct memory *m = malloc(sizeof *m);
    if (!m)
        return -ENOMEM;
    source_init(&m->source, &memory_ops, IO_MEMORY, r);
    m->source.leave = memory_leave;
    m->file = file_acquire(r->file);
    m->at = r->file->content + r->offset;
    m->left = (size_t)r->len;
    *out = &m->source;
    return 0;
}

int source_open_bytes(struct source **out, struct text bytes)
{
    struct memory *m = malloc(sizeof *m);
    if (!m)
        return -ENOMEM;
    m->source = (struct source){.ops = &memory_ops, .method = IO_MEMORY};
    m->file = NULL;
    m->at = bytes.at;
    m->left = bytes.len;
    *out = &m->source;
    return 0;
}
