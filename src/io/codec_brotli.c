/* codec_brotli.c - Brotli, both ways. The only door to libbrotlienc and libbrotlidec. RFC 7932. */
#include "io/filter.h"

#include "codec_bag.h"
#include "codec_spares.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>

const bool codec_has_brotli = true;

enum { DECODER_KIND = SPARE_BROTLI };

/* The library's contexts end with their stream: what is kept of them is their memory. */
struct brotli {
    struct codec codec;
    struct codec_spare spare;
    struct codec_spares *spares; /* where it goes when it is done; or NULL */
    struct codec_bag bag;
    BrotliEncoderState *encoder; /* one of the two */
    BrotliDecoderState *decoder;
    bool complete; /* the decoder has come to the end of the stream */
};

static void on_end(struct codec_spare *s)
{
    struct brotli *k = container_of(s, struct brotli, spare);

    codec_bag_empty(&k->bag);
    free(k);
}

static struct brotli *brotli_new(const struct codec_ops *ops, unsigned kind, struct codec_spares *spares)
{
    struct codec_spare *s = codec_spares_take(spares, kind);
    struct brotli *k = s ? container_of(s, struct brotli, spare) : calloc(1, sizeof *k);

    if (!k)
        return NULL;
    k->codec = (struct codec){.ops = ops, .works_at_end = true};
    k->spare.kind = kind;
    k->spare.end = on_end;
    k->spares = spares;
    k->complete = false;
    return k;
}

/* ---- there ---- */

static int encode(struct codec *c, struct codec_step *s)
{
    struct brotli *k = container_of(c, struct brotli, codec);
    const uint8_t *in = (const uint8_t *)s->in;
    uint8_t *out = (uint8_t *)s->out;
    size_t in_left = s->in_len, out_left = s->out_cap;
    BrotliEncoderOperation op = s->last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;

    if (!BrotliEncoderCompressStream(k->encoder, op, &in_left, &in, &out_left, &out, NULL))
        return -ENOMEM;
    s->taken = s->in_len - in_left;
    s->made = s->out_cap - out_left;
    s->ended = BrotliEncoderIsFinished(k->encoder);
    return 0;
}

static void encoder_free(struct codec *c)
{
    struct brotli *k = container_of(c, struct brotli, codec);

    BrotliEncoderDestroyInstance(k->encoder);
    k->encoder = NULL;
    codec_spares_give(k->spares, &k->spare);
}

static void set(BrotliEncoderState *e, const struct brotli_options *o)
{
    BrotliEncoderSetParameter(e, BROTLI_PARAM_QUALITY, (uint32_t)o->quality);
    BrotliEncoderSetParameter(e, BROTLI_PARAM_LGWIN, (uint32_t)o->window_bits);
    if (o->size < UINT32_MAX)
        BrotliEncoderSetParameter(e, BROTLI_PARAM_SIZE_HINT, (uint32_t)o->size);
}

int codec_brotli(struct codec **out, const struct brotli_options *o, struct codec_spares *spares)
{
    static const struct codec_ops ops = {encode, encoder_free};
    unsigned kind = SPARE_BROTLI | (unsigned)(o->quality + 1) << 8 | (unsigned)o->window_bits;
    struct brotli *k = brotli_new(&ops, kind, spares);

    if (!k)
        return -ENOMEM;
    k->encoder = BrotliEncoderCreateInstance(codec_bag_alloc, codec_bag_free, &k->bag);
    if (!k->encoder) {
        on_end(&k->spare);
        return -ENOMEM;
    }
    set(k->encoder, o);
    *out = &k->codec;
    return 0;
}

/* ---- and back ---- */

static int error_of(const BrotliDecoderState *d)
{
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(d);

    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES
               ? -ENOMEM
               : -EBADMSG;
}

/* Nothing may come behind a stream. */
static int decode(struct codec *c, struct codec_step *s)
{
    struct brotli *k = container_of(c, struct brotli, codec);
    const uint8_t *in = (const uint8_t *)s->in;
    uint8_t *out = (uint8_t *)s->out;
    size_t in_left = s->in_len, out_left = s->out_cap;
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_SUCCESS;

    if (!k->complete)
        result = BrotliDecoderDecompressStream(k->decoder, &in_left, &in, &out_left, &out, NULL);
    if (result == BROTLI_DECODER_RESULT_ERROR)
        return error_of(k->decoder);
    s->taken = s->in_len - in_left;
    s->made = s->out_cap - out_left;
    k->complete = result == BROTLI_DECODER_RESULT_SUCCESS;
    s->ended = k->complete && s->last;
    bool cut = result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && s->last;
    return cut || (k->complete && in_left > 0) ? -EBADMSG : 0;
}

static void decoder_free(struct codec *c)
{
    struct brotli *k = container_of(c, struct brotli, codec);

    BrotliDecoderDestroyInstance(k->decoder);
    k->decoder = NULL;
    codec_spares_give(k->spares, &k->spare);
}

int codec_unbrotli(struct codec **out, struct codec_spares *spares)
{
    static const struct codec_ops ops = {decode, decoder_free};
    struct brotli *k = brotli_new(&ops, DECODER_KIND, spares);

    if (!k)
        return -ENOMEM;
    k->decoder = BrotliDecoderCreateInstance(codec_bag_alloc, codec_bag_free, &k->bag);
    if (!k->decoder) {
        on_end(&k->spare);
        return -ENOMEM;
    }
    *out = &k->codec;
    return 0;
}
