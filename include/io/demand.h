/* demand.h - how much of each file was asked for lately: a count-min sketch that forgets. Pure.
 *
 * What it counts is bytes, not requests: a thousand ranges of a kilobyte are not demand for a film. It never says less
 * than was asked for since the last time it forgot, and seldom more. Prior art: TinyLFU (Einziger, Friedman, Manes,
 * 2017), whose conservative increments and halving these are. */
#ifndef IO_DEMAND_H
#define IO_DEMAND_H

#include <stdint.h>

struct demand;

struct demand *demand_create(void); /* NULL: no memory. About 1 MiB, touched as it is used */
void demand_destroy(struct demand *d);

/* All that is remembered is halved whenever this many bytes were added since the last time (0: never for that), as many
 * whole files as the sketch tells apart, or when DEMAND_HALF_LIFE_MSEC have passed. */
enum { DEMAND_HALF_LIFE_MSEC = 10 * 60 * 1000 };
void demand_window(struct demand *d, uint64_t bytes);

/* `bytes` (> 0) of the file of `size` bytes (> 0) were asked for at `msec`, a time that only grows. */
void demand_add(struct demand *d, uint64_t key, uint64_t bytes, uint64_t size, int64_t msec);

/* How often the whole file was asked for, in thousandths. */
uint32_t demand_permille(const struct demand *d, uint64_t key, uint64_t size);

#endif
