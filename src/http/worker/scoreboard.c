/* scoreboard.c - the shared memory behind scoreboard.h: a slot per worker.
 *
 * A slot keeps its totals when its worker has ended, and the next worker in it goes on from there.
 * So a total has one place that only ever grows, nothing is moved, and who adds up needs neither a
 * lock nor a second look. */
#include "http/worker/scoreboard.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    SLOTS = 1024, /* address space; memory is only used as far as slots are */
    LINE = 64     /* of a processor's cache: two workers never write to the same */
};

union slot {
    struct counters counters;
    uint64_t words[sizeof(struct counters) / sizeof(uint64_t)];
    char room[(sizeof(struct counters) + LINE - 1) / LINE * LINE];
};

enum { WORDS = sizeof(struct counters) / sizeof(uint64_t) };

_Static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "numbers of 64 bits only");

struct board {
    atomic_int used; /* slots that were ever given out: the first ones */
    int64_t started;
    atomic_int readiness;                            /* enum readiness */
    atomic_uint failures;                            /* of reads, ever */
    _Atomic(int64_t) failed_at[SCOREBOARD_FAILURES]; /* the last ones; 0: none */
    struct io_shared io;
    _Alignas(LINE) union slot slots[SLOTS];
};

struct scoreboard {
    struct board *board;         /* shared */
    struct admission *admission; /* shared, too; apart from the others, so that `sluice explain` may read it */
    bool taken[SLOTS];           /* the master's own */
};

int scoreboard_create(struct scoreboard **out)
{
    struct scoreboard *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->board = mmap(NULL, sizeof *b->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int rc = b->board == MAP_FAILED ? -errno : 0;
    if (rc == 0) {
        rc = admission_create(&b->admission);
        if (rc < 0)
            munmap(b->board, sizeof *b->board);
    }
    if (rc < 0) {
        free(b);
        return rc;
    }
    b->board->started = time(NULL);
    *out = b;
    return 0;
}

void scoreboard_destroy(struct scoreboard *b)
{
    if (!b)
        return;
    admission_destroy(b->admission);
    munmap(b->board, sizeof *b->board);
    free(b);
}

int scoreboard_take(struct scoreboard *b)
{
    for (int i = 0; i < SLOTS; i++) {
        if (b->taken[i])
            continue;
        b->taken[i] = true;
        b->board->slots[i].counters.workers = 1;
        if (i >= b->board->used)
            b->board->used = i + 1;
        return i;
    }
    return SCOREBOARD_NO_SLOT;
}

static void forget(uint64_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        __atomic_store_n(&words[i], 0, __ATOMIC_RELAXED);
}

/* What is true of now and ends with its worker; the rest is totals. */
static void forget_now(struct counters *c)
{
    forget(&c->io.reads_in_flight, 1);
    forget(&c->io.buffers_lent, 1);
    forget(&c->io.buffers_cap, 1);
    forget(&c->cache.entries, 1);
    forget(&c->cache.content_bytes, 1);
    forget(&c->cache.small.entries, 1);
    forget(&c->cache.small.bytes, 1);
    forget(&c->gzip_cache.entries, 1);
    forget(&c->gzip_cache.bytes, 1);
    forget(c->states, sizeof c->states / sizeof *c->states);
    forget(&c->workers, 1);
}

void scoreboard_give(struct scoreboard *b, int slot)
{
    if (slot == SCOREBOARD_NO_SLOT)
        return;
    b->taken[slot] = false;
    forget_now(&b->board->slots[slot].counters);
}

struct counters *scoreboard_counters(struct scoreboard *b, int slot)
{
    return slot == SCOREBOARD_NO_SLOT ? NULL : &b->board->slots[slot].counters;
}

struct io_shared *scoreboard_io(struct scoreboard *b)
{
    return &b->board->io;
}

struct admission *scoreboard_admission(struct scoreboard *b)
{
    return b->admission;
}

void scoreboard_sum(const struct scoreboard *b, struct counters *total)
{
    const struct board *board = b->board;
    int used = atomic_load(&board->used);
    union slot sum = {.words = {0}};

    for (int n = 0; n < used; n++)
        for (unsigned i = 0; i < WORDS; i++)
            sum.words[i] += __atomic_load_n(&board->slots[n].words[i], __ATOMIC_RELAXED);
    *total = sum.counters;
}

int64_t scoreboard_started(const struct scoreboard *b)
{
    return b->board->started;
}

void scoreboard_read_failed(struct scoreboard *b, int64_t now)
{
    unsigned n = atomic_fetch_add(&b->board->failures, 1);

    atomic_store(&b->board->failed_at[n % SCOREBOARD_FAILURES], now);
}

unsigned scoreboard_failed_reads(const struct scoreboard *b, int64_t since)
{
    unsigned count = 0;

    for (unsigned i = 0; i < SCOREBOARD_FAILURES; i++) {
        int64_t at = atomic_load(&b->board->failed_at[i]);

        count += at != 0 && at > since;
    }
    return count;
}

void scoreboard_say(struct scoreboard *b, enum readiness readiness)
{
    atomic_store(&b->board->readiness, (int)readiness);
}

enum readiness scoreboard_readiness(const struct scoreboard *b)
{
    return (enum readiness)atomic_load(&b->board->readiness);
}

struct connections_now counters_connections(const struct counters *c)
{
    struct connections_now now = {
        .reading = c->states[CONN_READING],
        .writing =
            c->states[CONN_BODY] + c->states[CONN_HANDLING] + c->states[CONN_SENDING] + c->states[CONN_LINGERING],
        .waiting = c->states[CONN_HANDSHAKE] + c->states[CONN_IDLE],
    };
    now.active = now.reading + now.writing + now.waiting;
    return now;
}
