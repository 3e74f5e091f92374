/* source_parts.c - several sources as one, each after the other: multipart/byteranges. */
#include "source_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parts {
    struct source source;
    unsigned at, count;
    struct source *part[]; /* NULL once it is at its end */
};

static void on_ready(void *arg)
{
    struct parts *p = arg;
    p->source.ready(p->source.arg);
}

/* What the log says of the whole is what its parts say: sendfile, where the larger ones went that way. */
static void take_over(struct parts *p, struct source *part)
{
    p->source.wait_msec += part->wait_msec;
    part->wait_msec = 0;
    p->source.counted = part->counted;
    bool lesser = part->method == IO_MEMORY || (part->method == IO_BUFFERED && p->source.method == IO_SENDFILE);
    if (!lesser)
        p->source.method = part->method;
}

static void close_part(struct parts *p)
{
    source_close(p->part[p->at]);
    p->part[p->at++] = NULL;
}

static enum pull parts_pull(struct source *s, size_t want, struct chunk *out)
{
    struct parts *p = container_of(s, struct parts, source);

    while (p->at < p->count) {
        struct source *part = p->part[p->at];
        part->counted |= p->source.counted;
        enum pull answer = part->ops->pull(part, want, out);
        take_over(p, part);
        if (answer == PULL_FAILED)
            return source_fail(s, part->error, part->error_offset);
        if (answer != PULL_END)
            return answer;
        close_part(p);
    }
    return PULL_END;
}

/* As many as are in memory, heads and all: small ones leave together. */
static size_t parts_copy(struct source *s, char *to, size_t room, bool *ended)
{
    struct parts *p = container_of(s, struct parts, source);
    size_t got = 0;

    while (p->at < p->count) {
        struct source *part = p->part[p->at];
        bool part_ended = false;
        got += source_copy(part, to + got, room - got, &part_ended);
        if (!part_ended)
            break;
        take_over(p, part);
        close_part(p);
    }
    *ended = p->at == p->count;
    return got;
}

static void parts_consumed(struct source *s, size_t n)
{
    struct parts *p = container_of(s, struct parts, source);
    struct source *part = p->part[p->at];

    part->ops->consumed(part, n);
}

static void parts_close(struct source *s)
{
    struct parts *p = container_of(s, struct parts, source);

    for (unsigned i = p->at; i < p->count; i++)
        source_close(p->part[i]);
    free(p);
}

static void parts_rest(struct source *s)
{
    struct parts *p = container_of(s, struct parts, source);

    if (p->at < p->count)
        source_rest(p->part[p->at]);
}

static size_t parts_read(struct source *s, char *to, size_t room)
{
    struct parts *p = container_of(s, struct parts, source);

    return p->at < p->count ? source_read(p->part[p->at], to, room) : 0;
}

static void parts_forget(struct source *s)
{
    struct parts *p = container_of(s, struct parts, source);

    if (p->at < p->count)
        source_forget(p->part[p->at]);
}

static const struct source_ops parts_ops = {.name = "parts",
                                            .pull = parts_pull,
                                            .consumed = parts_consumed,
                                            .close = parts_close,
                                            .rest = parts_rest,
                                            .copy = parts_copy,
                                            .read = parts_read,
                                            .forget = parts_forget};

int source_open_parts(struct source **out, struct source *const *parts, unsigned count, source_ready_fn *ready,
                      void *arg)
{
    struct parts *p = malloc(sizeof *p + count * sizeof(struct source *));
    if (!p) {
        for (unsigned i = 0; i < count; i++)
            source_close(parts[i]);
        return -ENOMEM;
    }
    p->source = (struct source){.ops = &parts_ops, .method = IO_MEMORY, .ready = ready, .arg = arg};
    p->at = 0;
    p->count = count;
    for (unsigned i = 0; i < count; i++) {
        p->part[i] = parts[i];
        parts[i]->ready = on_ready;
        parts[i]->arg = p;
        if (p->source.method == IO_MEMORY)
            p->source.method = parts[i]->method;
    }
    *out = &p->source;
    return 0;
}
