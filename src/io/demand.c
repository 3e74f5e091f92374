/* demand.c - how much of each file was asked for lately. See demand.h.
 *
 * Every key has one counter in each row, and the least of them is the answer: what other keys added to the same
 * counters makes it too large only where it happened in every row. Only the counters that are that low are raised. With
 * no more than WIDTH / 8 files in a window, a file asked for once looks like one asked for one and a half times in fewer
 * than 1 of 400 cases, and far fewer for a crawl of some thousand files. */
#include "io/demand.h"

#include <stdbool.h>
#include <stdlib.h>

enum { ROWS = 4, WIDTH = 65536, FILES_MOST = WIDTH / 8, PAGE = 4096 };

struct demand {
    uint64_t window, bytes; /* when to forget, and what was added since; bytes */
    uint64_t files;         /* added since, in thousandths of a whole file */
    int64_t forgot_msec;
    bool started;
    uint32_t pages[ROWS][WIDTH]; /* asked for, rounded up */
};

struct demand *demand_create(void)
{
    return calloc(1, sizeof(struct demand));
}

void demand_destroy(struct demand *d)
{
    free(d);
}

void demand_window(struct demand *d, uint64_t bytes)
{
    d->window = bytes;
}

/* The finish of splitmix64: neighbouring inode numbers end up anywhere. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* 16 bits of the mixed key for each row. */
static uint32_t column(uint64_t mixed, unsigned row)
{
    return (uint32_t)(mixed >> (16 * row)) % WIDTH;
}

static uint32_t least(const struct demand *d, uint64_t mixed)
{
    uint32_t n = UINT32_MAX;

    for (unsigned row = 0; row < ROWS; row++) {
        uint32_t here = d->pages[row][column(mixed, row)];
        n = here < n ? here : n;
    }
    return n;
}

static void forget(struct demand *d, unsigned times)
{
    for (unsigned row = 0; row < ROWS; row++) {
        for (unsigned i = 0; i < WIDTH; i++)
            d->pages[row][i] >>= times;
    }
    d->bytes = 0;
    d->files = 0;
}

static void forget_what_is_old(struct demand *d, int64_t msec)
{
    if (!d->started) {
        d->started = true;
        d->forgot_msec = msec;
    }
    int64_t times = (msec - d->forgot_msec) / DEMAND_HALF_LIFE_MSEC;
    if (times > 0) {
        forget(d, times > 31 ? 31 : (unsigned)times);
        d->forgot_msec = msec;
    } else if ((d->window > 0 && d->bytes >= d->window) || d->files >= FILES_MOST * UINT64_C(1000)) {
        forget(d, 1);
        d->forgot_msec = msec;
    }
}

static uint64_t permille(uint64_t bytes, uint64_t size)
{
    return bytes <= UINT64_MAX / 1000 ? bytes * 1000 / size : bytes / size * 1000;
}

void demand_add(struct demand *d, uint64_t key, uint64_t bytes, uint64_t size, int64_t msec)
{
    uint64_t mixed = mix(key), pages = bytes / PAGE + (bytes % PAGE > 0);

    forget_what_is_old(d, msec);
    uint64_t n = least(d, mixed) + pages;
    uint32_t raised = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    for (unsigned row = 0; row < ROWS; row++) {
        uint32_t *here = &d->pages[row][column(mixed, row)];
        *here = *here < raised ? raised : *here;
    }
    d->bytes += pages * PAGE;
    d->files += permille(bytes, size) + 1;
}

uint32_t demand_permille(const struct demand *d, uint64_t key, uint64_t size)
{
    uint64_t n = permille((uint64_t)least(d, mix(key)) * PAGE, size);

    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}
