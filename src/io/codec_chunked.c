/* codec_chunked.c - bytes to chunks with a last one and trailers: RFC 9112, 7.1. */
#include "io/filter.h"

#include "base/number.h"

#include <errno.h>
#include <stdlib.h>

struct chunked {
    struct codec codec;
    codec_tail_fn *tail_of;
    void *arg;
    bool closing;        /* the last chunk is being written */
    struct text tail[3]; /* what of it is left: "0", trailers, the empty line */
};

/* A chunk of as much as has room. */
static void put_chunk(struct codec_step *s)
{
    enum { AROUND = 16 + 2 + 2 }; /* length in hex, CRLF, CRLF */
    if (s->in_len == 0 || s->out_cap <= AROUND)
        return;
    size_t n = s->in_len < s->out_cap - AROUND ? s->in_len : s->out_cap - AROUND;
    char *to = s->out;
    to += number_format_hex(to, n);
    memcpy(to, "\r\n", 2);
    memcpy(to + 2, s->in, n);
    memcpy(to + 2 + n, "\r\n", 2);
    s->taken = n;
    s->made = (size_t)(to - s->out) + n + 4;
}

static void put_tail(struct chunked *k, struct codec_step *s)
{
    for (int i = 0; i < 3; i++) {
        struct text *t = &k->tail[i];
        size_t room = s->out_cap - s->made, n = t->len < room ? t->len : room;
        if (n > 0)
            memcpy(s->out + s->made, t->at, n);
        s->made += n;
        *t = text_from(*t, n);
        if (t->len > 0)
            return;
    }
    s->ended = true;
}

static int chunked_run(struct codec *c, struct codec_step *s)
{
    struct chunked *k = container_of(c, struct chunked, codec);

    put_chunk(s);
    if (!s->last || s->taken < s->in_len)
        return 0;
    if (!k->closing) {
        k->closing = true;
        k->tail[0] = TEXT("0\r\n");
        k->tail[1] = k->tail_of ? k->tail_of(k->arg) : TEXT_NONE;
        k->tail[2] = TEXT("\r\n");
    }
    put_tail(k, s);
    return 0;
}

static void chunked_free(struct codec *c)
{
    free(container_of(c, struct chunked, codec));
}

int codec_chunked(struct codec **out, codec_tail_fn *tail, void *arg)
{
    static const struct codec_ops ops = {chunked_run, chunked_free};
    struct chunked *k = calloc(1, sizeof *k);
    if (!k)
        return -ENOMEM;
    k->codec.ops = &ops;
    k->tail_of = tail;
    k->arg = arg;
    *out = &k->codec;
    return 0;
}
