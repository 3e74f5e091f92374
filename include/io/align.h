/* align.h - the aligned window around a byte range, and what to trim off it. Pure. open(2),
 * O_DIRECT; statx(2), STATX_DIOALIGN. */
#ifndef IO_ALIGN_H
#define IO_ALIGN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct window {
    off_t offset; /* aligned down */
    size_t len;   /* aligned up; may reach past the end of the file */
    size_t skip;  /* bytes of the window before the wanted range */
    size_t keep;  /* bytes of the wanted range in the window */
};

/* The next window of at most `size` bytes (a multiple of `align`, > 0) for the wanted bytes [at,
 * end), at < end. `align`: a power of two. Windows after the first start at multiples of
 * `align`. */
struct window align_window(off_t at, off_t end, size_t size, size_t align);

#endif
