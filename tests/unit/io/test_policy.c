/* test_policy.c - the decision as a table. */
#include "io/policy.h"

#include "unit.h"

enum { OFF = -1, YES = 1, NO = 0, MUCH = POLICY_LITTLE + 1 };

static const struct row {
    int method;
    int64_t directio, size;
    bool sendfile, content, files, refused;
    enum io_method expected;
} table[] = {
    /* method    directio size  sendfile content files refused */
    {IO_AUTO, OFF, 1 << 30, YES, NO, YES, NO, IO_SENDFILE}, {IO_AUTO, OFF, 1 << 30, NO, NO, YES, NO, IO_BUFFERED},
    {IO_AUTO, OFF, 1 << 30, YES, NO, NO, NO, IO_BUFFERED},  {IO_AUTO, 4096, 4095, YES, NO, YES, NO, IO_SENDFILE},
    {IO_AUTO, 4096, 4096, YES, NO, YES, NO, IO_DIRECT},     {IO_AUTO, 4096, 4097, YES, NO, YES, NO, IO_DIRECT},
    {IO_AUTO, 4096, 4096, NO, NO, NO, NO, IO_DIRECT},       {IO_AUTO, 4096, 4096, YES, NO, YES, YES, IO_BUFFERED},
    {IO_AUTO, 4096, 4095, YES, NO, YES, YES, IO_SENDFILE},  {IO_AUTO, 0, 0, YES, NO, YES, NO, IO_DIRECT},
    {IO_AUTO, 0, 1, YES, YES, YES, NO, IO_DIRECT},          {IO_AUTO, OFF, 100, YES, YES, YES, NO, IO_MEMORY},
    {IO_AUTO, OFF, 100, NO, YES, NO, YES, IO_MEMORY},       {IO_MEMORY, OFF, 100, YES, YES, YES, NO, IO_MEMORY},
    {IO_MEMORY, OFF, 100, YES, NO, YES, NO, IO_BUFFERED},   {IO_SENDFILE, 10, 100, NO, YES, YES, NO, IO_SENDFILE},
    {IO_SENDFILE, 10, 100, YES, NO, NO, NO, IO_BUFFERED},   {IO_MMAP, 10, 100, YES, YES, YES, NO, IO_MMAP},
    {IO_BUFFERED, 10, 100, YES, YES, YES, NO, IO_BUFFERED}, {IO_DIRECT, OFF, 1, YES, YES, YES, NO, IO_DIRECT},
    {IO_DIRECT, OFF, 1, YES, NO, YES, YES, IO_BUFFERED},
};

START_TEST(test_table)
{
    const struct row *r = &table[_i];
    struct io_conf conf = {.sendfile = r->sendfile, .directio = r->directio, .method = r->method};
    struct policy_facts facts = {.file_size = r->size,
                                 .bytes = MUCH,
                                 .content_in_memory = r->content,
                                 .sink_takes_files = r->files,
                                 .direct_refused = r->refused,
                                 .conf = &conf};
    ck_assert_msg(policy_choose(&facts) == r->expected, "row %d: %s", _i, io_method_name(policy_choose(&facts)));
    ck_assert_ptr_nonnull(policy_reason(&facts));
    ck_assert_uint_gt(strlen(policy_reason(&facts)), 10);
}
END_TEST

/* directio auto, from 4096 bytes on. */
static const struct auto_row {
    int method;
    int64_t size;
    int resident;
    uint32_t demand;
    bool fits, sendfile, content, files, refused;
    enum io_method expected;
    bool admits;
} auto_table[] = {
    /* method  size resident demand fits sendfile content files refused */
    {IO_AUTO, 4095, 0, 0, NO, YES, NO, YES, NO, IO_SENDFILE, NO},         /* small */
    {IO_AUTO, 4095, 0, 0, NO, NO, NO, YES, NO, IO_BUFFERED, NO},          /* small */
    {IO_AUTO, 4096, 0, 0, NO, YES, NO, YES, NO, IO_DIRECT, NO},           /* cold, first time */
    {IO_AUTO, 4096, 0, 1000, YES, YES, NO, YES, NO, IO_DIRECT, NO},       /* no longer wanted */
    {IO_AUTO, 4096, 0, 1249, YES, YES, NO, YES, NO, IO_DIRECT, NO},       /* not often enough */
    {IO_AUTO, 4096, 0, 1250, YES, YES, NO, YES, NO, IO_SENDFILE, YES},    /* still wanted */
    {IO_AUTO, 4096, 0, 1499, NO, YES, NO, YES, NO, IO_DIRECT, NO},        /* not often enough for a place */
    {IO_AUTO, 4096, 0, 1500, YES, YES, NO, YES, NO, IO_SENDFILE, YES},    /* wanted, and there is room */
    {IO_AUTO, 4096, 0, 1000000, YES, YES, NO, YES, NO, IO_SENDFILE, YES}, /* very much */
    {IO_AUTO, 4096, 0, 1000000, NO, YES, NO, YES, NO, IO_DIRECT, NO},     /* but there is no room */
    {IO_AUTO, 4096, 499, 0, NO, YES, NO, YES, NO, IO_DIRECT, NO},         /* the lesser part is there */
    {IO_AUTO, 4096, 499, 1500, YES, YES, NO, YES, NO, IO_SENDFILE, YES},  /* and it is wanted */
    {IO_AUTO, 4096, 500, 0, NO, YES, NO, YES, NO, IO_SENDFILE, YES},      /* half of it is there */
    {IO_AUTO, 4096, 1000, 0, NO, YES, NO, YES, NO, IO_SENDFILE, YES},     /* all of it */
    {IO_AUTO, 4096, -1, 0, NO, YES, NO, YES, NO, IO_DIRECT, NO},          /* nobody knows */
    {IO_AUTO, 4096, -1, 2000, YES, YES, NO, YES, NO, IO_SENDFILE, YES},   /* demand alone then */
    {IO_AUTO, 4096, 1000, 0, NO, NO, NO, YES, NO, IO_BUFFERED, YES},      /* there, without sendfile */
    {IO_AUTO, 4096, 1000, 0, NO, YES, NO, NO, NO, IO_BUFFERED, YES},      /* or to a sink that takes none */
    {IO_AUTO, 4096, 0, 1500, YES, NO, NO, YES, NO, IO_BUFFERED, YES},     /* let in without sendfile */
    {IO_AUTO, 4096, 0, 0, NO, YES, NO, YES, YES, IO_BUFFERED, NO},        /* refused: through it, leaving nothing */
    {IO_AUTO, 4096, 1000, 0, NO, YES, NO, YES, YES, IO_SENDFILE, YES},    /* refused, but there */
    {IO_AUTO, 4096, 0, 1500, YES, YES, NO, YES, YES, IO_SENDFILE, YES},   /* refused, but wanted */
    {IO_AUTO, 4096, 0, 0, NO, YES, YES, YES, NO, IO_MEMORY, NO},          /* no disk at all */
    {IO_DIRECT, 4096, 1000, 2000, YES, YES, NO, YES, NO, IO_DIRECT, NO},  /* forced */
    {IO_SENDFILE, 4096, 0, 0, NO, YES, NO, YES, NO, IO_SENDFILE, NO},     /* forced */
};

START_TEST(test_auto)
{
    const struct auto_row *r = &auto_table[_i];
    struct io_conf conf = {.sendfile = r->sendfile, .directio = 4096, .directio_auto = true, .method = r->method};
    struct policy_facts facts = {.file_size = r->size,
                                 .bytes = MUCH,
                                 .content_in_memory = r->content,
                                 .sink_takes_files = r->files,
                                 .direct_refused = r->refused,
                                 .resident_permille = r->resident,
                                 .demand = r->demand,
                                 .fits = r->fits,
                                 .conf = &conf};
    ck_assert_msg(policy_choose(&facts) == r->expected, "row %d: %s", _i, io_method_name(policy_choose(&facts)));
    ck_assert_int_eq(policy_admits(&facts), r->admits);
    ck_assert_int_eq(policy_asks_demand(&conf, r->size), r->method == IO_AUTO && r->size >= 4096);
    ck_assert_uint_gt(strlen(policy_reason(&facts)), 10);
}
END_TEST

/* A fixed threshold asks nobody, and is not moved by what it would hear. */
START_TEST(test_fixed_asks_nobody)
{
    struct io_conf conf = {.sendfile = true, .directio = 4096, .method = IO_AUTO};
    struct policy_facts facts = {.file_size = 4096,
                                 .bytes = MUCH,
                                 .sink_takes_files = true,
                                 .resident_permille = 1000,
                                 .demand = 5000,
                                 .fits = true,
                                 .conf = &conf};
    ck_assert(!policy_asks_demand(&conf, 4096));
    ck_assert_int_eq(policy_choose(&facts), IO_DIRECT);
    ck_assert(!policy_admits(&facts));
    conf.directio = OFF;
    ck_assert_int_eq(policy_choose(&facts), IO_SENDFILE);
}
END_TEST

/* However large the file is, little of it is read: but not where the configuration names a way, and
 * not where it goes past the page cache. */
static const struct little_row {
    int method;
    int64_t directio, size;
    uint64_t bytes;
    bool directio_auto, content;
    int resident;
    enum io_method expected;
} little_table[] = {
    {IO_AUTO, OFF, 1, 1, NO, NO, 0, IO_BUFFERED},
    {IO_AUTO, OFF, POLICY_LITTLE, POLICY_LITTLE, NO, NO, 0, IO_BUFFERED},
    {IO_AUTO, OFF, MUCH, MUCH, NO, NO, 0, IO_SENDFILE},
    {IO_AUTO, OFF, 1 << 30, POLICY_LITTLE, NO, NO, 0, IO_BUFFERED},
    {IO_AUTO, OFF, 1 << 30, MUCH, NO, NO, 0, IO_SENDFILE},
    {IO_AUTO, OFF, 1, 1, NO, YES, 0, IO_MEMORY},
    {IO_AUTO, 1, 1, 1, NO, NO, 0, IO_DIRECT},
    {IO_AUTO, 1, 1, 1, YES, NO, 0, IO_DIRECT},
    {IO_AUTO, 1, 1 << 30, 1, YES, NO, 1000, IO_BUFFERED},
    {IO_AUTO, 1, 1 << 30, MUCH, YES, NO, 1000, IO_SENDFILE},
    {IO_SENDFILE, OFF, 1, 1, NO, NO, 0, IO_SENDFILE},
    {IO_MMAP, OFF, 1, 1, NO, NO, 0, IO_MMAP},
};

START_TEST(test_little)
{
    const struct little_row *r = &little_table[_i];
    struct io_conf conf = {
        .sendfile = true, .directio = r->directio, .directio_auto = r->directio_auto, .method = r->method};
    struct policy_facts facts = {.file_size = r->size,
                                 .bytes = r->bytes,
                                 .content_in_memory = r->content,
                                 .sink_takes_files = true,
                                 .resident_permille = r->resident,
                                 .conf = &conf};
    ck_assert_msg(policy_choose(&facts) == r->expected, "row %d: %s", _i, io_method_name(policy_choose(&facts)));
    ck_assert_uint_gt(strlen(policy_reason(&facts)), 10);
}
END_TEST

/* What may come without a descriptor is sent from memory, whatever else is true; and nothing that
 * would be is left out. */
START_TEST(test_content_most)
{
    static const int64_t thresholds[] = {OFF, 0, 1, 4096, 16384, 16385, 1 << 20};
    enum { MOST = 16384 };

    for (int method = IO_AUTO; method < IO_METHODS; method++) {
        for (size_t i = 0; i < 2 * sizeof thresholds / sizeof *thresholds; i++) {
            struct io_conf conf = {.method = method, .directio = thresholds[i / 2], .directio_auto = i % 2};
            if (method == IO_NONE || (conf.directio_auto && conf.directio == OFF))
                continue;
            int64_t most = policy_content_most(&conf, MOST);
            ck_assert_int_ge(most, 0);
            ck_assert_int_le(most, MOST);
            for (off_t size = 1; size <= MOST; size++) {
                struct policy_facts facts = {.file_size = size, .content_in_memory = true, .conf = &conf};
                bool memory = policy_choose(&facts) == IO_MEMORY;
                ck_assert_msg(memory == (size <= most), "method %d, directio %jd: %jd bytes, %jd at most", method,
                              (intmax_t)conf.directio, (intmax_t)size, (intmax_t)most);
            }
        }
    }
}
END_TEST

START_TEST(test_names)
{
    static const char *const names[] = {"auto", "-", "memory", "sendfile", "mmap", "buffered", "direct"};
    for (int i = 0; i < IO_METHODS; i++)
        ck_assert_str_eq(io_method_name((enum io_method)i), names[i]);
    ck_assert_str_eq(io_method_name(IO_METHODS), "-");
}
END_TEST

Suite *suite_io_policy(void)
{
    Suite *s = suite_create("io/policy");
    TCase *t = tcase_create("policy");
    tcase_add_loop_test(t, test_table, 0, sizeof table / sizeof table[0]);
    tcase_add_loop_test(t, test_auto, 0, sizeof auto_table / sizeof auto_table[0]);
    tcase_add_test(t, test_fixed_asks_nobody);
    tcase_add_loop_test(t, test_little, 0, sizeof little_table / sizeof little_table[0]);
    tcase_add_test(t, test_content_most);
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    return s;
}
