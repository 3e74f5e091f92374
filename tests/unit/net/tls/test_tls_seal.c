/* test_tls_seal.c - records are encrypted by each suite, as often as one likes. */
#include "net/tls/tls_seal.h"

#include "unit.h"

START_TEST(test_records)
{
    struct tls_seal *s = tls_seal_create((unsigned)_i);
    ck_assert_ptr_nonnull(s);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(tls_seal_record(s), 0);
    tls_seal_destroy(s);
}
END_TEST

Suite *suite_net_tls_seal(void)
{
    Suite *s = suite_create("net_tls_seal");
    TCase *t = tcase_create("records");
    tcase_add_loop_test(t, test_records, 0, TLS_SEALS);
    suite_add_tcase(s, t);
    return s;
}
