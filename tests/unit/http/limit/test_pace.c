/* test_pace.c - http/pace: bytes over time. */
#include "http/limit/pace.h"
#include "unit.h"

/* Sends `len` bytes as a connection does, waking up `late` msec too late each time; the msec that
 * takes, and how many wake-ups. */
static int64_t send_all(uint64_t rate, uint64_t after, uint64_t len, int64_t late, unsigned *wakes)
{
    const int64_t start = 123456;
    int64_t now = start;
    struct pace p;

    pace_init(&p, rate, after, now);
    for (*wakes = 0; len > 0; ++*wakes) {
        uint64_t may = pace_may(&p, now);
        if (may > len)
            may = len;
        pace_took(&p, may);
        len -= may;
        if (len > 0)
            now += pace_wait(&p, len) + late;
    }
    return now - start;
}

static const struct {
    uint64_t rate, after, len;
    int64_t late;
    int64_t least, most; /* msec */
    unsigned wakes;
} rows[] = {
    {1000000, 0, 10000000, 0, 9700, 9800, 42},
    {1000000, 0, 10000000, 60, 9700, 9900, 42}, /* timers that are late cost nothing */
    {1000000, 0, 10000000, 900, 9700, 10700, 15},
    {1000000, 4000000, 5000000, 0, 740, 760, 6},
    {1000000, 4000000, 4000000, 0, 0, 0, 1},
    {1000000, 0, 250000, 0, 0, 0, 1},  /* the first piece */
    {1000, 0, 4000, 0, 3000, 3010, 5}, /* a second's worth at a time */
    {1, 0, 3, 0, 2000, 2010, 4},
    {20000, 0, 100000, 0, 4100, 4200, 8}, /* 16 KiB at a time */
    {UINT64_MAX, UINT64_MAX, UINT64_MAX / 2, 0, 0, 0, 1},
    {UINT64_MAX, 0, (uint64_t)1 << 40, 0, 0, 0, 1},
};

START_TEST(test_time)
{
    unsigned wakes;
    int64_t msec = send_all(rows[_i].rate, rows[_i].after, rows[_i].len, rows[_i].late, &wakes);
    ck_assert_int_ge(msec, rows[_i].least);
    ck_assert_int_le(msec, rows[_i].most);
    ck_assert_uint_le(wakes, rows[_i].wakes);
}
END_TEST

/* A client that took nothing for long gets no more than a second's worth and a piece at once. */
START_TEST(test_nothing_is_saved_up)
{
    struct pace p;
    pace_init(&p, 1000000, 0, 0);
    pace_took(&p, pace_may(&p, 0));
    ck_assert_uint_eq(pace_may(&p, 100), 100000);
    ck_assert_uint_eq(pace_may(&p, 1000000), 1250000);
    ck_assert_uint_eq(pace_may(&p, 0), 1250000); /* time that goes back changes nothing */
    pace_took(&p, 1250000);
    ck_assert_uint_eq(pace_may(&p, 0), 0);
    ck_assert_int_eq(pace_wait(&p, 1000), 2);
    ck_assert_int_eq(pace_wait(&p, 10000000), 251);
}
END_TEST

Suite *suite_http_pace(void)
{
    Suite *s = suite_create("http_pace");
    TCase *tc = tcase_create("pace");
    tcase_add_loop_test(tc, test_time, 0, sizeof rows / sizeof *rows);
    tcase_add_test(tc, test_nothing_is_saved_up);
    suite_add_tcase(s, tc);
    return s;
}
