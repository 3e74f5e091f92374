/* test_bufpool.c - buffers under a cap: alignment, no overlap, the line, reclaiming. */
#include "io/bufpool.h"

#include "io/buddy.h"
#include "unit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { K = 1024, M = 1024 * 1024 };

static struct bufpool *open_pool(size_t cap)
{
    struct bufpool *p;
    ck_assert_int_eq(bufpool_create(&p, cap), 0);
    return p;
}

/* Random takes and gives; each buffer holds its own number until it goes. */
START_TEST(test_random)
{
    enum { SLOTS = 200 };
    static const size_t sizes[] = {1, 4096, 4097, 64 * K, 100 * K, 512 * K, 2 * M, 3 * M};
    struct {
        unsigned char *at;
        size_t size;
    } held[SLOTS];
    struct bufpool *p = open_pool(48 * M);
    unsigned seed = 7;
    size_t taken = 0;
    memset(held, 0, sizeof held);
    for (int round = 0; round < 6000; round++) {
        unsigned i = (unsigned)rand_r(&seed) % SLOTS;
        if (held[i].at) {
            ck_assert_uint_eq(held[i].at[0], (unsigned char)i);
            ck_assert_uint_eq(held[i].at[held[i].size - 1], (unsigned char)i);
            bufpool_give(p, held[i].at, held[i].size);
            held[i].at = NULL;
            continue;
        }
        held[i].size = sizes[(unsigned)rand_r(&seed) % 8];
        held[i].at = bufpool_take(p, held[i].size);
        ck_assert_uint_le(bufpool_lent(p), 48 * M);
        if (!held[i].at)
            continue;
        taken++;
        ck_assert_uint_eq((uintptr_t)held[i].at % 4096, 0);
        held[i].at[0] = held[i].at[held[i].size - 1] = (unsigned char)i;
    }
    ck_assert_uint_gt(taken, 1000);
    for (unsigned i = 0; i < SLOTS; i++) {
        if (held[i].at)
            bufpool_give(p, held[i].at, held[i].size);
    }
    ck_assert_uint_eq(bufpool_lent(p), 0);
    void *all[24]; /* everything has grown together again */
    for (int i = 0; i < 24; i++)
        ck_assert_ptr_nonnull(all[i] = bufpool_take(p, 2 * M));
    ck_assert_ptr_null(bufpool_take(p, 1));
    for (int i = 0; i < 24; i++)
        bufpool_give(p, all[i], 2 * M);
    bufpool_destroy(p);
}
END_TEST

START_TEST(test_one_always)
{
    struct bufpool *p = open_pool(64 * K);
    void *large = bufpool_take(p, 8 * M);
    ck_assert_ptr_nonnull(large);
    ck_assert_ptr_null(bufpool_take(p, 1));
    bufpool_give(p, large, 8 * M);
    void *small = bufpool_take(p, 1);
    ck_assert_ptr_null(bufpool_take(p, 8 * M));
    ck_assert_ptr_null(bufpool_take(p, SIZE_MAX));
    bufpool_give(p, small, 1);
    bufpool_destroy(p);
}
END_TEST

/* Pieces are cut, do not overlap, and grow together again in whatever order they come back. */
START_TEST(test_buddy)
{
    struct buddy b;
    char *pieces[BUDDY_PAGES];
    ck_assert_int_eq(buddy_open(&b), 0);
    ck_assert_uint_eq((uintptr_t)b.base % BUDDY_SIZE, 0);
    for (unsigned order = 0; order <= BUDDY_ORDERS; order++) {
        unsigned count = (unsigned)BUDDY_PAGES >> order;
        ck_assert(buddy_is_whole(&b));
        for (unsigned i = 0; i < count; i++) {
            pieces[i] = buddy_take(&b, order);
            ck_assert_ptr_nonnull(pieces[i]);
            ck_assert_uint_eq((size_t)(pieces[i] - b.base) % ((size_t)BUDDY_PAGE << order), 0);
            *(unsigned *)(void *)pieces[i] = i;
        }
        ck_assert_ptr_null(buddy_take(&b, 0));
        for (unsigned i = 0; i < count; i++) {
            unsigned k = (i * 7 + 3) % count; /* 7 and a power of two: each once */
            ck_assert_uint_eq(*(unsigned *)(void *)pieces[k], k);
            buddy_give(&b, pieces[k], order);
        }
    }
    ck_assert(buddy_is_whole(&b));
    buddy_close(&b);
}
END_TEST

struct customer {
    struct bufpool_waiter waiter;
    struct bufpool_holder holder;
    struct bufpool *pool;
    void *buffer;
    int served, asked;
};

static void on_available(struct bufpool_waiter *w, void *buffer)
{
    struct customer *c = container_of(w, struct customer, waiter);
    c->buffer = buffer;
    c->served++;
}

static void on_reclaim(struct bufpool_holder *h)
{
    struct customer *c = container_of(h, struct customer, holder);
    c->asked++;
    if (c->buffer)
        bufpool_give(c->pool, c->buffer, 64 * K);
    c->buffer = NULL;
}

static struct customer customer(struct bufpool *p)
{
    return (struct customer){.pool = p, .waiter.available = on_available, .holder.reclaim = on_reclaim};
}

START_TEST(test_line)
{
    struct bufpool *p = open_pool(128 * K);
    struct customer c[3];
    void *a = bufpool_take(p, 64 * K), *b = bufpool_take(p, 64 * K);
    for (int i = 0; i < 3; i++) {
        c[i] = customer(p);
        list_init(&c[i].waiter.node);
        bufpool_wait(p, &c[i].waiter, i == 0 ? 128 * K : 64 * K);
        ck_assert_int_eq(c[i].served, 0);
    }
    ck_assert(bufpool_is_short(p));
    bufpool_give(p, a, 64 * K); /* not enough for the first: nobody goes before it */
    ck_assert_int_eq(c[0].served + c[1].served + c[2].served, 0);
    ck_assert_ptr_null(bufpool_take(p, 4096));
    bufpool_give(p, b, 64 * K);
    ck_assert_int_eq(c[0].served, 1);
    ck_assert_int_eq(c[1].served, 0);
    bufpool_unwait(&c[1].waiter);
    bufpool_give(p, c[0].buffer, 128 * K);
    ck_assert_int_eq(c[1].served, 0);
    ck_assert_int_eq(c[2].served, 1);
    ck_assert(!bufpool_is_short(p));
    bufpool_give(p, c[2].buffer, 64 * K);
    bufpool_destroy(p);
}
END_TEST

START_TEST(test_reclaim)
{
    struct bufpool *p = open_pool(128 * K);
    struct customer rich = customer(p), spare = customer(p), poor = customer(p);
    list_init(&rich.holder.node);
    list_init(&spare.holder.node);
    list_init(&poor.waiter.node);
    rich.buffer = bufpool_take(p, 64 * K);
    spare.buffer = bufpool_take(p, 64 * K);
    bufpool_hold(p, &rich.holder);
    bufpool_hold(p, &rich.holder);
    bufpool_hold(p, &spare.holder);
    bufpool_wait(p, &poor.waiter, 64 * K);
    ck_assert_int_eq(poor.served, 1);
    ck_assert_int_eq(rich.asked, 1);
    ck_assert_int_eq(spare.asked, 0); /* no more than needed */
    bufpool_unhold(&spare.holder);

    /* Whoever has something to spare while somebody waits is asked at once. */
    struct customer next = customer(p);
    list_init(&next.waiter.node);
    bufpool_wait(p, &next.waiter, 64 * K);
    ck_assert_int_eq(next.served, 0);
    bufpool_hold(p, &spare.holder);
    ck_assert_int_eq(spare.asked, 1);
    ck_assert_int_eq(next.served, 1);
    spare.buffer = next.buffer;
    bufpool_give(p, poor.buffer, 64 * K);
    bufpool_give(p, spare.buffer, 64 * K);
    bufpool_destroy(p);
}
END_TEST

/* Nothing is lent and nothing can be had: nobody is left in line for what will never come. */
START_TEST(test_no_memory)
{
    struct bufpool *p = open_pool(4 * M);
    struct customer c[2] = {customer(p), customer(p)};
    struct rlimit usual, none;
    void *held = bufpool_take(p, 4 * M);
    for (int i = 0; i < 2; i++) {
        list_init(&c[i].waiter.node);
        bufpool_wait(p, &c[i].waiter, 4 * M);
    }
    ck_assert_int_eq(c[0].served + c[1].served, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_AS, &usual), 0);
    none = usual;
    none.rlim_cur = 4096;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
    bufpool_give(p, held, 4 * M);
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &usual), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(c[i].served, 1);
        ck_assert_ptr_null(c[i].buffer);
    }
    ck_assert(!bufpool_is_short(p));
    held = bufpool_take(p, 4 * M);
    ck_assert_ptr_nonnull(held);
    bufpool_give(p, held, 4 * M);
    bufpool_destroy(p);
}
END_TEST

Suite *suite_io_bufpool(void)
{
    Suite *s = suite_create("io/bufpool");
    TCase *t = tcase_create("bufpool");
    tcase_add_test(t, test_random);
    tcase_add_test(t, test_buddy);
    tcase_add_test(t, test_one_always);
    tcase_add_test(t, test_line);
    tcase_add_test(t, test_reclaim);
    if (!UNIT_TSAN)
        tcase_add_test(t, test_no_memory);
    suite_add_tcase(s, t);
    return s;
}
