/* filter.h - a source made of another one's bytes: compressed, unpacked, recoded, framed. A codec
 * says how.
 *
 * A codec takes bytes and makes bytes, in steps of bounded size. Light ones run where they are
 * asked; heavy ones on a pool thread, one step at a time. Their input stays until the step is done,
 * although whatever is below may go away meanwhile: by source.leave, or as a copy. */
#ifndef IO_FILTER_H
#define IO_FILTER_H

#include "base/text.h"
#include "base/threads.h"
#include "io/source.h"
#include "net/loop.h"

struct codec_step {
    const char *in;
    size_t in_len;
    bool last; /* nothing comes behind `in` */
    char *out;
    size_t out_cap; /* > 0 */
    size_t taken, made;
    bool ended; /* there will be no more output */
};

struct codec;

struct codec_ops {
    /* Takes from in, fills out; sets taken, made and ended. With `last`, is called until it has
     * ended. 0 or -errno. */
    int (*run)(struct codec *c, struct codec_step *step);
    void (*free)(struct codec *c);
};

struct codec {
    const struct codec_ops *ops;
    bool works_at_end; /* much of the work may come with the end alone, without input */
};

struct filter_options {
    struct pool *pool; /* steps run on its threads; NULL: where they are asked for */
    size_t out_size;   /* bytes of output that are held at most; also of input in a step, with a pool */
    source_ready_fn *ready;
    void *arg;
};

/* Takes over `inner` and `codec`, also when it fails. `inner` must yield memory, no descriptor
 * slices. 0 or -errno. The source's method is that of `inner`. */
int source_open_filter(struct source **out, struct source *inner, struct codec *codec, const struct filter_options *o);

/* Bytes taken and made so far; *ended: that was all. `s` came from source_open_filter(). */
void filter_totals(const struct source *s, uint64_t *taken, uint64_t *made, bool *ended);

/* ---- codecs ---- */

struct codec_spares;

/* Chunked framing, RFC 9112, 7.1. `tail` (may be NULL) is asked at the end for complete trailer
 * lines, each with its CRLF, which must stay valid until the source is closed. */
typedef struct text codec_tail_fn(void *arg);
int codec_chunked(struct codec **out, codec_tail_fn *tail, void *arg);

struct deflate_options {
    int level;       /* 1..9 */
    int window_bits; /* 9..15 */
    int memory;      /* 1..9 */
};

/* gzip (RFC 1952). -ENOSYS where sluice is built without zlib. */
int codec_deflate(struct codec **out, const struct deflate_options *o);
int codec_inflate(struct codec **out);
extern const bool codec_has_zlib;

struct brotli_options {
    int quality;     /* 0..11 */
    int window_bits; /* 10..24 */
    uint64_t size;   /* bytes that will come; UINT64_MAX: not known */
};

struct zstd_options {
    int level;     /* codec_zstd_level_least()..codec_zstd_level_most() */
    uint64_t size; /* bytes that will come, neither more nor fewer; UINT64_MAX: not known */
};

/* Brotli (RFC 7932) and Zstandard (RFC 8878, 9659), with memory from `spares`, see below; NULL: the
 * heap's. -ENOSYS where sluice is built without the library. */
int codec_brotli(struct codec **out, const struct brotli_options *o, struct codec_spares *spares);
int codec_unbrotli(struct codec **out, struct codec_spares *spares);
int codec_zstd(struct codec **out, const struct zstd_options *o, struct codec_spares *spares);
int codec_unzstd(struct codec **out, struct codec_spares *spares);
extern const bool codec_has_brotli, codec_has_zstd;
int codec_zstd_level_least(void); /* below 0 */
int codec_zstd_level_most(void);

/* Contexts of codecs, kept for the next response with the same options: a few at most, and
 * each for `idle_msec` after its last use. All of it belongs to the thread of the loop. */
enum { CODEC_SPARES_MOST = 16 /* of 270 KiB with gzip: about 4 MiB per worker; of 1 MiB at most with the others */ };
int codec_spares_create(struct codec_spares **out, struct loop *loop, int64_t idle_msec); /* 0 or -errno */
void codec_spares_destroy(struct codec_spares *spares); /* no codec from it is left; NULL is legal */
unsigned codec_spares_count(const struct codec_spares *spares);

/* The same as above, with a context from `spares`, where it goes back when the codec is freed.
 * `spares` NULL: the heap's. */
int codec_deflate_kept(struct codec **out, const struct deflate_options *o, struct codec_spares *spares);
int codec_inflate_kept(struct codec **out, struct codec_spares *spares);

#endif
