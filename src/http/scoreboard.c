/* scoreboard.c - the shared memory behind scoreboard.h: a base, and a slot per worker.
 *
 * While the master moves a slot into the base, `version` is odd, and who adds up meanwhile does so again. */
#include "http/scoreboard.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum {
    SLOTS = 1024, /* address space; memory is only used as far as slots are */
    LINE = 64,    /* of a processor's cache: two workers never write to the same */
    TRIES = 1000  /* of adding up; more happens only where a master died in the middle */
};

union slot {
    struct counters counters;
    uint64_t words[sizeof(struct counters) / sizeof(uint64_t)];
    char room[(sizeof(struct counters) + LINE - 1) / LINE * LINE];
};

enum { WORDS = sizeof(struct counters) / sizeof(uint64_t) };

_Static_assert(sizeof(struct counters) % sizeof(uint64_t) == 0, "numbers of 64 bits only");

struct board {
    _Alignas(LINE) atomic_uint version;
    atomic_int used; /* slots that were ever given out: the first ones */
    int64_t started;
    struct io_shared io;
    _Alignas(LINE) union slot base;
    union slot slots[SLOTS];
};

struct scoreboard {
    struct board *board; /* shared */
    bool taken[SLOTS];   /* the master's own */
};

int scoreboard_create(struct scoreboard **out)
{
    struct scoreboard *b = calloc(1, sizeof *b);
    if (!b)
        return -ENOMEM;
    b->board = mmap(NULL, sizeof *b->board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (b->board == MAP_FAILED) {
        int rc = -errno;
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

/* What is true of now and ends with its worker; the rest is totals. */
static void forget_now(struct counters *c)
{
    c->io.reads_in_flight = c->io.buffers_lent = c->io.buffers_cap = 0;
    c->cache.entries = c->cache.content_bytes = 0;
    memset(c->states, 0, sizeof c->states);
    c->workers = 0;
}

static void add(union slot *to, const union slot *from)
{
    for (unsigned i = 0; i < WORDS; i++)
        to->words[i] += __atomic_load_n(&from->words[i], __ATOMIC_RELAXED);
}

void scoreboard_give(struct scoreboard *b, int slot)
{
    if (slot == SCOREBOARD_NO_SLOT)
        return;
    union slot *gone = &b->board->slots[slot];
    b->taken[slot] = false;
    atomic_fetch_add(&b->board->version, 1);
    forget_now(&gone->counters);
    add(&b->board->base, gone);
    memset(gone, 0, sizeof *gone);
    atomic_fetch_add(&b->board->version, 1);
}

struct counters *scoreboard_counters(struct scoreboard *b, int slot)
{
    return slot == SCOREBOARD_NO_SLOT ? NULL : &b->board->slots[slot].counters;
}

struct io_shared *scoreboard_io(struct scoreboard *b)
{
    return &b->board->io;
}

void scoreboard_sum(const struct scoreboard *b, struct counters *total)
{
    struct board *board = b->board;
    union slot sum;

    for (unsigned i = 0; i < TRIES; i++) {
        unsigned before = atomic_load(&board->version);
        memset(&sum, 0, sizeof sum);
        add(&sum, &board->base);
        for (int n = 0; n < board->used; n++)
            add(&sum, &board->slots[n]);
        atomic_thread_fence(memory_order_acquire);
        if (before % 2 == 0 && atomic_load(&board->version) == before)
            break;
    }
    *total = sum.counters;
}

int64_t scoreboard_started(const struct scoreboard *b)
{
    return b->board->started;
}

struct connections_now counters_connections(const struct counters *c)
{
    struct connections_now now = {
        .reading = c->states[CONN_READING],
        .writing =
            c->states[CONN_BODY] + c->states[CONN_HANDLING] + c->states[CONN_SENDING] + c->states[CONN_LINGERING],
        .waiting = c->states[CONN_IDLE],
    };
    now.active = now.reading + now.writing + now.waiting;
    return now;
}
