/* test_policy.c - the decision as a table. */
#include "io/policy.h"

#include "unit.h"

enum { OFF = -1, YES = 1, NO = 0 };

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
                                 .content_in_memory = r->content,
                                 .sink_takes_files = r->files,
                                 .direct_refused = r->refused,
                                 .conf = &conf};
    ck_assert_msg(policy_choose(&facts) == r->expected, "row %d: %s", _i, io_method_name(policy_choose(&facts)));
    ck_assert_ptr_nonnull(policy_reason(&facts));
    ck_assert_uint_gt(strlen(policy_reason(&facts)), 10);
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
    tcase_add_loop_test(t, test_table, 0, sizeof(table) / sizeof(table[0]));
    tcase_add_test(t, test_names);
    suite_add_tcase(s, t);
    return s;
}
