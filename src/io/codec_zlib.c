/* codec_zlib.c - gzip, both ways. The only door to zlib. RFC 1952. */
#include "io/filter.h"

#include "codec_spares.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <zlib.h>

const bool codec_has_zlib = true;

enum { GZIP_FORMAT = 16 /* added to the window's bits */, WINDOW_MOST = 15, INFLATE_KIND = 0 };

struct zlib {
    struct codec codec;
    struct codec_spare spare;
    struct codec_spares *spares; /* where it goes when it is done; or NULL */
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

/* Of either direction. */
static void zlib_free(struct codec *c)
{
    struct zlib *k = container_of(c, struct zlib, codec);
    codec_spares_give(k->spares, &k->spare);
}

static void deflate_end(struct codec_spare *s)
{
    struct zlib *k = container_of(s, struct zlib, spare);
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

static void inflate_end(struct codec_spare *s)
{
    struct zlib *k = container_of(s, struct zlib, spare);
    inflateEnd(&k->z);
    free(k);
}

/* ---- memory of contexts ---- */

/* In pages of their own, which go back to the kernel when a context ends: among smaller pieces of
 * the heap a burst's memory would stay. */
struct pages {
    size_t len;
    max_align_t bytes[];
};

static void *pages_alloc(void *arg, unsigned count, unsigned size)
{
    size_t len = sizeof(struct pages) + (size_t)count * size;
    struct pages *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)arg;
    if (p == MAP_FAILED)
        return NULL;
    p->len = len;
    return p->bytes;
}

static void pages_free(void *arg, void *bytes)
{
    struct pages *p = container_of(bytes, struct pages, bytes);

    (void)arg;
    munmap(p, p->len);
}

/* ---- codecs ---- */

static struct zlib *zlib_new(const struct codec_ops *ops, unsigned kind, void (*on_end)(struct codec_spare *s))
{
    struct zlib *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->z.zalloc = pages_alloc;
    k->z.zfree = pages_free;
    k->codec.ops = ops;
    k->spare.kind = kind;
    k->spare.end = on_end;
    return k;
}

/* One that was kept, as if it were new; or NULL. */
static struct zlib *zlib_again(struct codec_spares *spares, unsigned kind, int (*reset)(z_stream *z))
{
    struct codec_spare *s = codec_spares_take(spares, kind);
    if (!s)
        return NULL;
    struct zlib *k = container_of(s, struct zlib, spare);
    if (reset(&k->z) != Z_OK) {
        s->end(s);
        return NULL;
    }
    k->between = false;
    return k;
}

static unsigned deflate_kind(const struct deflate_options *o)
{
    return (unsigned)o->level << 16 | (unsigned)o->window_bits << 8 | (unsigned)o->memory;
}

int codec_deflate_kept(struct codec **out, const struct deflate_options *o, struct codec_spares *spares)
{
    static const struct codec_ops ops = {deflate_run, zlib_free};
    struct zlib *k = zlib_again(spares, deflate_kind(o), deflateReset);

    if (!k) {
        k = zlib_new(&ops, deflate_kind(o), deflate_end);
        if (!k)
            return -ENOMEM;
        if (deflateInit2(&k->z, o->level, Z_DEFLATED, GZIP_FORMAT + o->window_bits, o->memory, Z_DEFAULT_STRATEGY) !=
            Z_OK) {
            free(k);
            return -ENOMEM;
        }
    }
    k->spares = spares;
    *out = &k->codec;
    return 0;
}

int codec_inflate_kept(struct codec **out, struct codec_spares *spares)
{
    static const struct codec_ops ops = {inflate_run, zlib_free};
    struct zlib *k = zlib_again(spares, INFLATE_KIND, inflateReset);

    if (!k) {
        k = zlib_new(&ops, INFLATE_KIND, inflate_end);
        if (!k)
            return -ENOMEM;
        if (inflateInit2(&k->z, GZIP_FORMAT + WINDOW_MOST) != Z_OK) {
            free(k);
            return -ENOMEM;
        }
    }
    k->spares = spares;
    *out = &k->codec;
    return 0;
}

int codec_deflate(struct codec **out, const struct deflate_options *o)
{
    return codec_deflate_kept(out, o, NULL);
}

int codec_inflate(struct codec **out)
{
    return codec_inflate_kept(out, NULL);
}
