/* codec_zstd.c - Zstandard, both ways. The only door to libzstd. RFC 8878, 9659. */
#include "io/filter.h"

#include "codec_spares.h"

#include <errno.h>
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

const bool codec_has_zstd = true;

enum {
    WINDOW_MOST = 23, /* 8 MiB: more is not for HTTP, RFC 9659 */
    LEVEL_LARGE = 19, /* above it, the library's own windows are larger */
    KEPT_MOST = 1024 * 1024,
    LEVELS_BELOW = 1 << 20 /* added to the level, which may be negative */,
    DECODER_KIND = SPARE_ZSTD
};

struct zstd {
    struct codec codec;
    struct codec_spare spare;
    struct codec_spares *spares; /* where it goes when it is done; or NULL */
    ZSTD_CCtx *encoder;          /* one of the two */
    ZSTD_DCtx *decoder;
    bool between; /* decoder: at the end of a frame; another one may follow (RFC 8878, 3) */
};

static int error_of(size_t rc)
{
    return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? -ENOMEM : -EBADMSG;
}

static void on_end(struct codec_spare *s)
{
    struct zstd *k = container_of(s, struct zstd, spare);

    ZSTD_freeCCtx(k->encoder);
    ZSTD_freeDCtx(k->decoder);
    free(k);
}

/* Of either direction. */
static void zstd_free(struct codec *c)
{
    struct zstd *k = container_of(c, struct zstd, codec);
    size_t size = k->encoder ? ZSTD_sizeof_CCtx(k->encoder) : ZSTD_sizeof_DCtx(k->decoder);

    codec_spares_give(size <= KEPT_MOST ? k->spares : NULL, &k->spare);
}

static struct zstd *zstd_new(const struct codec_ops *ops, unsigned kind, struct codec_spares *spares)
{
    struct codec_spare *s = codec_spares_take(spares, kind);
    struct zstd *k = s ? container_of(s, struct zstd, spare) : calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->codec = (struct codec){.ops = ops, .works_at_end = true};
    k->spare.kind = kind;
    k->spare.end = on_end;
    k->spares = spares;
    k->between = false;
    return k;
}

/* ---- there ---- */

static int encode(struct codec *c, struct codec_step *s)
{
    struct zstd *k = container_of(c, struct zstd, codec);
    ZSTD_inBuffer in = {s->in, s->in_len, 0};
    ZSTD_outBuffer out = {s->out, s->out_cap, 0};
    size_t left = ZSTD_compressStream2(k->encoder, &out, &in, s->last ? ZSTD_e_end : ZSTD_e_continue);

    if (ZSTD_isError(left))
        return error_of(left);
    s->taken = in.pos;
    s->made = out.pos;
    s->ended = s->last && left == 0;
    return 0;
}

static bool set(ZSTD_CCtx *e, const struct zstd_options *o)
{
    return !ZSTD_isError(ZSTD_CCtx_reset(e, ZSTD_reset_session_and_parameters)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(e, ZSTD_c_compressionLevel, o->level)) &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(e, ZSTD_c_windowLog, o->level > LEVEL_LARGE ? WINDOW_MOST : 0)) &&
           !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(e, o->size < UINT64_MAX ? o->size : ZSTD_CONTENTSIZE_UNKNOWN));
}

int codec_zstd(struct codec **out, const struct zstd_options *o, struct codec_spares *spares)
{
    static const struct codec_ops ops = {encode, zstd_free};
    struct zstd *k = zstd_new(&ops, SPARE_ZSTD | (unsigned)(o->level + LEVELS_BELOW), spares);

    if (!k)
        return -ENOMEM;
    if (!k->encoder)
        k->encoder = ZSTD_createCCtx();
    if (!k->encoder || !set(k->encoder, o)) {
        on_end(&k->spare);
        return -ENOMEM;
    }
    *out = &k->codec;
    return 0;
}

int codec_zstd_level_least(void)
{
    return ZSTD_minCLevel();
}

int codec_zstd_level_most(void)
{
    return ZSTD_maxCLevel();
}

/* ---- and back ---- */

static int decode(struct codec *c, struct codec_step *s)
{
    struct zstd *k = container_of(c, struct zstd, codec);
    ZSTD_inBuffer in = {s->in, s->in_len, 0};
    ZSTD_outBuffer out = {s->out, s->out_cap, 0};
    bool moved;

    do {
        size_t before = in.pos + out.pos, left = ZSTD_decompressStream(k->decoder, &out, &in);
        if (ZSTD_isError(left))
            return error_of(left);
        moved = in.pos + out.pos > before;
        if (moved)
            k->between = left == 0;
    } while (moved && out.pos < out.size); /* input may be used up while output is still inside */
    s->taken = in.pos;
    s->made = out.pos;
    s->ended = s->last && in.pos == in.size && k->between;
    bool cut = s->last && !s->ended && in.pos == in.size && out.pos < out.size;
    return cut ? -EBADMSG : 0;
}

static bool begin(ZSTD_DCtx *d)
{
    return !ZSTD_isError(ZSTD_DCtx_reset(d, ZSTD_reset_session_only)) &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, WINDOW_MOST));
}

int codec_unzstd(struct codec **out, struct codec_spares *spares)
{
    static const struct codec_ops ops = {decode, zstd_free};
    struct zstd *k = zstd_new(&ops, DECODER_KIND, spares);

    if (!k)
        return -ENOMEM;
    if (!k->decoder)
        k->decoder = ZSTD_createDCtx();
    if (!k->decoder || !begin(k->decoder)) {
        on_end(&k->spare);
        return -ENOMEM;
    }
    *out = &k->codec;
    return 0;
}
