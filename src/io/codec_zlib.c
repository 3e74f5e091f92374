/* codec_zlib.c - gzip, both ways. The only door to zlib. RFC 1952. */
#include "io/filter.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

const bool codec_has_zlib = true;

enum { GZIP_FORMAT = 16 /* added to the window's bits */, WINDOW_MOST = 15 };

struct zlib {
    struct codec codec;
    z_stream z;
    bool between; /* inflate: at the end of a member; another one may follow (RFC 1952, 2.2) */
};

static unsigned capped(size_t n)
{
    return n < UINT_MAX ? (unsigned)n : UINT_MAX;
}

static void begin(struct zlib *k, const struct codec_step *s)
{
    k->z.next_in = (Bytef *)(uintptr_t)s->in;
    k->z.avail_in = capped(s->in_len);
    k->z.next_out = (Bytef *)s->out;
    k->z.avail_out = capped(s->out_cap);
}

static void end(const struct zlib *k, struct codec_step *s)
{
    s->taken = capped(s->in_len) - k->z.avail_in;
    s->made = capped(s->out_cap) - k->z.avail_out;
}

static int error_of(int rc)
{
    return rc == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static int deflate_run(struct codec *c, struct codec_step *s)
{
    struct zlib *k = container_of(c, struct zlib, codec);

    begin(k, s);
    int rc = deflate(&k->z, s->last && s->in_len <= UINT_MAX ? Z_FINISH : Z_NO_FLUSH);
    end(k, s);
    s->ended = rc == Z_STREAM_END;
    return rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR ? 0 : error_of(rc);
}

static void deflate_free(struct codec *c)
{
    struct zlib *k = container_of(c, struct zlib, codec);
    deflateEnd(&k->z);
    free(k);
}

static int inflate_run(struct codec *c, struct codec_step *s)
{
    struct zlib *k = container_of(c, struct zlib, codec);
    int rc = Z_OK;

    begin(k, s);
    while (k->z.avail_out > 0 && k->z.avail_in > 0) {
        if (k->between && inflateReset(&k->z) != Z_OK)
            return -EBADMSG;
        rc = inflate(&k->z, Z_NO_FLUSH);
        k->between = rc == Z_STREAM_END;
        if (rc != Z_OK && rc != Z_STREAM_END)
            break;
    }
    /* Input may be used up while output is still inside. */
    if (rc == Z_OK && k->z.avail_in == 0 && k->z.avail_out > 0 && !k->between) {
        rc = inflate(&k->z, Z_SYNC_FLUSH);
        k->between = rc == Z_STREAM_END;
    }
    end(k, s);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return error_of(rc);
    s->ended = s->last && k->z.avail_in == 0 && k->between;
    if (s->last && !s->ended && k->z.avail_in == 0 && k->z.avail_out > 0)
        return -EBADMSG; /* it ends in the middle of a member */
    return 0;
}

static void inflate_free(struct codec *c)
{
    struct zlib *k = container_of(c, struct zlib, codec);
    inflateEnd(&k->z);
    free(k);
}

int codec_deflate(struct codec **out, const struct deflate_options *o)
{
    static const struct codec_ops ops = {deflate_run, deflate_free};
    struct zlib *k = calloc(1, sizeof *k);
    if (!k)
        return -ENOMEM;
    k->codec.ops = &ops;
    if (deflateInit2(&k->z, o->level, Z_DEFLATED, GZIP_FORMAT + o->window_bits, o->memory, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(k);
        return -ENOMEM;
    }
    *out = &k->codec;
    return 0;
}

int codec_inflate(struct codec **out)
{
    static const struct codec_ops ops = {inflate_run, inflate_free};
    struct zlib *k = calloc(1, sizeof *k);
    if (!k)
        return -ENOMEM;
    k->codec.ops = &ops;
    if (inflateInit2(&k->z, GZIP_FORMAT + WINDOW_MOST) != Z_OK) {
        free(k);
        return -ENOMEM;
    }
    *out = &k->codec;
    return 0;
}
