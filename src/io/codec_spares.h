/* codec_spares.h - how a codec takes its context from the spares of its worker, and gives it back:
 * for the codecs that compress. The contract for users is in filter.h. */
#ifndef IO_CODEC_SPARES_H
#define IO_CODEC_SPARES_H

#include "base/list.h"

#include <stdint.h>

struct codec_spares;

/* Added to the kind of a context; those of zlib have none of it. */
enum { SPARE_BROTLI = 1 << 28, SPARE_ZSTD = 1 << 29 };

/* What a context begins with. */
struct codec_spare {
    struct list node;
    unsigned kind;      /* contexts of one kind can stand in for each other */
    int64_t since_msec; /* clock_now.msec when it was given back */
    void (*end)(struct codec_spare *s);
};

/* The one used last, which caches still hold. NULL: none of this kind is kept, or `spares` is
 * NULL. */
struct codec_spare *codec_spares_take(struct codec_spares *spares, unsigned kind);

/* For its next user, or ended. */
void codec_spares_give(struct codec_spares *spares, struct codec_spare *s);

#endif
