/* source_pagecache.c - slices of the descriptor, for sendfile: from the page cache to the
 * socket. */
#include "gate.h"

#include <errno.h>
#include <stdlib.h>

struct pagecache {
    struct source source;
    struct gate gate;
    struct file *file;
    off_t at, end;
};

static enum pull pagecache_pull(struct source *s, size_t want, struct chunk *out)
{
    struct pagecache *p = container_of(s, struct pagecache, source);
    size_t len;

    if (p->at == p->end)
        return PULL_END;
    enum pull answer = gate_pass(&p->gate, p->at, want, &len);
    if (answer == PULL_FAILED)
        return source_fail(s, p->gate.error, p->at);
    if (answer == PULL_READY)
        *out = (struct chunk){.data = NULL, .fd = p->file->fd, .offset = p->at, .len = len};
    return answer;
}

static void pagecache_consumed(struct source *s, size_t n)
{
    struct pagecache *p = container_of(s, struct pagecache, source);
    p->at += (off_t)n;
}

static void pagecache_close(struct source *s)
{
    struct pagecache *p = container_of(s, struct pagecache, source);

    gate_close(&p->gate);
    file_release(p->file);
    free(p);
}

static const struct source_ops pagecache_ops = {"sendfile",      pagecache_pull, pagecache_consumed,
                                                pagecache_close, NULL,           NULL};

int source_pagecache_open(struct source **out, const struct source_request *r)
{
    struct pagecache *p = malloc(sizeof *p);
    if (!p)
        return -ENOMEM;
    source_init(&p->source, &pagecache_ops, IO_SENDFILE, r);
    gate_open(&p->gate, &p->source, r);
    p->file = file_acquire(r->file);
    p->at = r->offset;
    p->end = r->offset + (off_t)r->len;
    *out = &p->source;
    return 0;
}
