/* demand.c - how much of each file was asked for lately. See demand.h.
 *
 * Every key has one counter in each row, and the least of them is the answer: what other keys added
 * to the same counters makes it too large only where that happened in every row. With no more than
 * WIDTH / 8 files in a window, a file asked for once looks like one asked for one and a half times
 * in fewer than 1 of 400 cases, and far fewer for a crawl of some thousand files.
 *
 * Additions commute, so that processes which add at the same time lose nothing, whatever the order.
 * (TinyLFU raises only the least counters; two processes that did so for one file at once would
 * count it once.) Whoever finds that it is time to forget claims that by a compare-and-exchange of
 * the very number which says so: one process forgets, and nothing waits for it. */
#include "io/demand.h"

#include "mix.h"

#include <stdbool.h>

enum { FILES_MOST = DEMAND_WIDTH / 8, PAGE = 4096 };

static uint32_t load32(const _Atomic(uint32_t) *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

static uint64_t load64(const _Atomic(uint64_t) *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

void demand_window(struct demand *d, uint64_t bytes)
{
    atomic_store_explicit(&d->window, bytes, memory_order_relaxed);
}

/* 16 bits of the mixed key for each row. */
static uint32_t column(uint64_t mixed, unsigned row)
{
    return (uint32_t)(mixed >> (16 * row)) % DEMAND_WIDTH;
}

static uint32_t least(const struct demand *d, uint64_t mixed)
{
    uint32_t n = UINT32_MAX;

    for (unsigned row = 0; row < DEMAND_ROWS; row++) {
        uint32_t here = load32(&d->pages[row][column(mixed, row)]);
        n = here < n ? here : n;
    }
    return n;
}

/* ---- forgetting ---- */

/* What is added to a counter meanwhile stays. */
static void halve(struct demand *d, unsigned times)
{
    for (unsigned row = 0; row < DEMAND_ROWS; row++) {
        for (unsigned i = 0; i < DEMAND_WIDTH; i++) {
            uint32_t n = load32(&d->pages[row][i]);
            if (n > 0)
                atomic_fetch_sub_explicit(&d->pages[row][i], n - (n >> times), memory_order_relaxed);
        }
    }
}

static void forget(struct demand *d, unsigned times, int64_t msec)
{
    atomic_store_explicit(&d->bytes, 0, memory_order_relaxed);
    atomic_store_explicit(&d->files, 0, memory_order_relaxed);
    atomic_store_explicit(&d->forgot_msec, msec, memory_order_relaxed);
    halve(d, times);
}

/* True: this process takes it down to 0, and is to forget. */
static bool claim_volume(_Atomic(uint64_t) *volume, uint64_t most)
{
    uint64_t n = load64(volume);

    return n >= most && atomic_compare_exchange_strong(volume, &n, 0);
}

static void forget_what_is_old(struct demand *d, int64_t msec)
{
    int64_t last = atomic_load_explicit(&d->forgot_msec, memory_order_relaxed);
    uint64_t window = load64(&d->window);
    int64_t times = last != 0 ? (int64_t)((uint64_t)msec - (uint64_t)last) / DEMAND_HALF_LIFE_MSEC : 0;

    if (last == 0)
        atomic_compare_exchange_strong(&d->forgot_msec, &last, msec);
    if (times > 0 && atomic_compare_exchange_strong(&d->forgot_msec, &last, msec))
        forget(d, times > 31 ? 31 : (unsigned)times, msec);
    else if ((window > 0 && claim_volume(&d->bytes, window)) || claim_volume(&d->files, FILES_MOST * UINT64_C(1000)))
        forget(d, 1, msec);
}

/* ---- counting ---- */

static uint64_t permille(uint64_t bytes, uint64_t size)
{
    return bytes <= UINT64_MAX / 1000 ? bytes * 1000 / size : bytes / size * 1000;
}

static void raise(_Atomic(uint32_t) *counter, uint64_t pages)
{
    uint32_t n = load32(counter), raised;

    do
        raised = pages < UINT32_MAX - n ? n + (uint32_t)pages : UINT32_MAX;
    while (!atomic_compare_exchange_weak_explicit(counter, &n, raised, memory_order_relaxed, memory_order_relaxed));
}

void demand_add(struct demand *d, uint64_t key, uint64_t bytes, uint64_t size, int64_t msec)
{
    uint64_t mixed = mix(key), pages = bytes / PAGE + (bytes % PAGE > 0);

    forget_what_is_old(d, msec);
    for (unsigned row = 0; row < DEMAND_ROWS; row++)
        raise(&d->pages[row][column(mixed, row)], pages);
    atomic_fetch_add_explicit(&d->bytes, pages * PAGE, memory_order_relaxed);
    atomic_fetch_add_explicit(&d->files, permille(bytes, size) + 1, memory_order_relaxed);
}

uint32_t demand_permille(const struct demand *d, uint64_t key, uint64_t size)
{
    uint64_t n = permille((uint64_t)least(d, mix(key)) * PAGE, size);

    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}
