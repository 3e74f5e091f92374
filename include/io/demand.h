/* demand.h - how much of each file was asked for lately: a count-min sketch that forgets. Pure.
 *
 * The sketch counts bytes, not requests: a thousand ranges of a kilobyte are not demand for a film.
 * It never says less than was asked for since the last time it forgot, and seldom more. Several
 * processes may use one at the same time, in memory that they share: there is no lock, and a
 * process that is killed at any point leaves a sketch that is as good as before. Prior art: the
 * sketch is Cormode and Muthukrishnan's (2005), the aging that of TinyLFU (Einziger, Friedman,
 * Manes, 2017). */
#ifndef IO_DEMAND_H
#define IO_DEMAND_H

#include <stdatomic.h>
#include <stdint.h>

enum { DEMAND_ROWS = 4, DEMAND_WIDTH = 65536 };

/* Zeroed memory is a valid one, of about 1 MiB, touched as it is used. The fields are demand.c's
 * own. */
struct demand {
    _Atomic(uint64_t) window, bytes;                    /* when to forget, and what was added since; bytes */
    _Atomic(uint64_t) files;                            /* added since, in thousandths of a whole file */
    _Atomic(int64_t) forgot_msec;                       /* 0: nothing was added yet */
    _Atomic(uint32_t) pages[DEMAND_ROWS][DEMAND_WIDTH]; /* asked for, rounded up */
};

/* All that is remembered is halved whenever this many bytes were added since the last time (0:
 * never for that), as many whole files as the sketch tells apart, or when DEMAND_HALF_LIFE_MSEC
 * have passed. */
enum { DEMAND_HALF_LIFE_MSEC = 10 * 60 * 1000 };
void demand_window(struct demand *d, uint64_t bytes);

/* `bytes` (> 0) of the file of `size` bytes (> 0) were asked for at `msec`, a time that only grows,
 * give or take what the clocks of two processes differ by. */
void demand_add(struct demand *d, uint64_t key, uint64_t bytes, uint64_t size, int64_t msec);

/* How often the whole file was asked for, in thousandths. */
uint32_t demand_permille(const struct demand *d, uint64_t key, uint64_t size);

#endif
