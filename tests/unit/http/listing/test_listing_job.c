/* test_listing_job.c - a listing that nobody waits for any more stops. */
#include "unit.h"

#include "http/listing/listing.h"

#include <errno.h>

START_TEST(test_stopped)
{
    struct listing_conf conf = {.on = true};
    struct listing_want want = {TEXT("/"), &conf, TEXT_NONE, false};
    struct buffer page;
    atomic_bool stop = false;

    unit_write("file", "x", 1);
    buffer_init(&page);
    ck_assert_int_eq(listing_print(unit_dir(), &want, NULL, &stop, &page), 0);
    stop = true;
    ck_assert_int_eq(listing_print(unit_dir(), &want, NULL, &stop, &page), -ECANCELED);
    buffer_fini(&page);
}
END_TEST

Suite *suite_http_listing_job(void)
{
    Suite *s = suite_create("http/listing_job");
    TCase *t = tcase_create("stop");
    tcase_add_test(t, test_stopped);
    suite_add_tcase(s, t);
    return s;
}
