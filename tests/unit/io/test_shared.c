/* test_shared.c - readers tried once, outcomes and refusals said once. */
#include "io/shared.h"

#include "unit.h"

#define BIT(mode) (1U << (mode))

static struct io_shared shared;

START_TEST(test_nothing_is_known_at_first)
{
    ck_assert(!io_shared_knows(&shared, AIO_ON));
    ck_assert(io_shared_knows(&shared, AIO_THREADS));
    ck_assert(io_shared_knows(&shared, AIO_OFF));
    for (int mode = AIO_OFF; mode <= AIO_LIBAIO; mode++)
        ck_assert_int_eq(io_shared_mode(&shared, (enum aio_mode)mode), mode);
    ck_assert(!io_shared_asks(&shared, BIT(AIO_OFF) | BIT(AIO_THREADS)));
    ck_assert(io_shared_asks(&shared, BIT(AIO_ON)));
    ck_assert(io_shared_asks(&shared, BIT(AIO_LIBAIO)));
}
END_TEST

static const struct {
    bool uring, libaio;
    enum aio_mode on, asked_uring, asked_libaio;
} outcomes[] = {
    {true, true, AIO_URING, AIO_URING, AIO_LIBAIO},
    {true, false, AIO_URING, AIO_URING, AIO_THREADS},
    {false, true, AIO_LIBAIO, AIO_LIBAIO, AIO_LIBAIO},
    {false, false, AIO_THREADS, AIO_THREADS, AIO_THREADS},
};

START_TEST(test_what_a_mode_comes_to)
{
    shared.uring = (struct reader_tried){.tried = true, .works = outcomes[_i].uring};
    shared.libaio = (struct reader_tried){.tried = true, .works = outcomes[_i].libaio};
    ck_assert_int_eq(io_shared_mode(&shared, AIO_ON), outcomes[_i].on);
    ck_assert_int_eq(io_shared_mode(&shared, AIO_URING), outcomes[_i].asked_uring);
    ck_assert_int_eq(io_shared_mode(&shared, AIO_LIBAIO), outcomes[_i].asked_libaio);
    ck_assert_int_eq(io_shared_mode(&shared, AIO_THREADS), AIO_THREADS);
    ck_assert_int_eq(io_shared_mode(&shared, AIO_OFF), AIO_OFF);
}
END_TEST

START_TEST(test_only_what_is_asked_for_is_tried)
{
    io_shared_try(&shared, BIT(AIO_OFF) | BIT(AIO_THREADS), 32);
    ck_assert(!shared.uring.tried && !shared.libaio.tried);
    io_shared_try(&shared, BIT(AIO_LIBAIO), 32);
    ck_assert(!shared.uring.tried && shared.libaio.tried);
    ck_assert(shared.libaio.works == !shared.libaio.note[0]);
    io_shared_try(&shared, BIT(AIO_ON), 32);
    ck_assert(shared.uring.tried);
    ck_assert(shared.uring.works == !shared.uring.note[0]);
    ck_assert(!io_shared_asks(&shared, BIT(AIO_ON) | BIT(AIO_URING) | BIT(AIO_LIBAIO)));
}
END_TEST

START_TEST(test_an_outcome_is_claimed_once)
{
    ck_assert(io_shared_claim_mode(&shared, AIO_ON));
    ck_assert(!io_shared_claim_mode(&shared, AIO_URING));
    ck_assert(!io_shared_claim_mode(&shared, AIO_ON));
    ck_assert(io_shared_claim_mode(&shared, AIO_LIBAIO));
    ck_assert(io_shared_claim_mode(&shared, AIO_THREADS));
    ck_assert(!io_shared_claim_mode(&shared, AIO_THREADS));
}
END_TEST

START_TEST(test_a_refusal_is_claimed_once)
{
    ck_assert(io_shared_claim_refusal(&shared, 0));
    ck_assert(!io_shared_claim_refusal(&shared, 0));
    for (dev_t dev = 1; dev < IO_REFUSED_MOST; dev++)
        ck_assert(io_shared_claim_refusal(&shared, dev));
    ck_assert(!io_shared_claim_refusal(&shared, IO_REFUSED_MOST - 1));
    ck_assert(io_shared_claim_refusal(&shared, 9999));
    io_shared_forget_refusals(&shared);
    ck_assert(io_shared_claim_refusal(&shared, 0));
    ck_assert(!io_shared_claim_refusal(&shared, 0));
}
END_TEST

Suite *suite_io_shared(void)
{
    Suite *s = suite_create("io/shared");
    TCase *t = tcase_create("shared");
    tcase_add_test(t, test_nothing_is_known_at_first);
    tcase_add_loop_test(t, test_what_a_mode_comes_to, 0, sizeof outcomes / sizeof *outcomes);
    tcase_add_test(t, test_only_what_is_asked_for_is_tried);
    tcase_add_test(t, test_an_outcome_is_claimed_once);
    tcase_add_test(t, test_a_refusal_is_claimed_once);
    suite_add_tcase(s, t);
    return s;
}
