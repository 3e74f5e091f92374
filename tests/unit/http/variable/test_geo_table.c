/* test_geo_table.c - ranges of addresses to values: nested, equal, deleted, crossing, at both ends
 * of the space. */
#include "unit.h"

#include "http/variable/geo_table.h"

#include <errno.h>
#include <stdint.h>

static struct arena arena;
static struct geo_table table;
static unsigned duplicates;

static void setup(void)
{
    arena_init(&arena, 4096);
    table = (struct geo_table){0};
    duplicates = 0;
}

static void teardown(void)
{
    geo_table_fini(&table);
    arena_fini(&arena);
}

static struct geo_key key(uint64_t low)
{
    return (struct geo_key){0, low};
}

static void add(uint64_t from, uint64_t to, const char *value)
{
    ck_assert_int_eq(geo_table_add(&table, key(from), key(to), text_of(value)), 0);
}

static void on_duplicate(void *arg, const struct geo_range *kept, const struct geo_range *dropped)
{
    (void)arg;
    ck_assert_uint_gt(kept->order, dropped->order);
    duplicates++;
}

static int flatten(void)
{
    struct geo_range wrong;
    return geo_table_flatten(&table, TEXT("-"), &arena, on_duplicate, NULL, &wrong);
}

static void expect(uint64_t address, const char *value)
{
    struct text got = geo_table_find(&table, key(address));
    ck_assert_msg(text_equal(got, text_of(value)), "%llu: %.*s, expected %s", (unsigned long long)address,
                  TEXT_ARG(got), value);
}

START_TEST(empty_table)
{
    ck_assert_int_eq(flatten(), 0);
    expect(0, "-");
    expect(UINT64_MAX, "-");
}
END_TEST

START_TEST(nested_ranges)
{
    add(20, 29, "inner");
    add(10, 99, "outer");
    add(25, 25, "innermost");
    add(30, 30, "next");
    ck_assert_int_eq(flatten(), 0);
    expect(9, "-");
    expect(10, "outer");
    expect(19, "outer");
    expect(20, "inner");
    expect(24, "inner");
    expect(25, "innermost");
    expect(26, "inner");
    expect(29, "inner");
    expect(30, "next");
    expect(31, "outer");
    expect(99, "outer");
    expect(100, "-");
}
END_TEST

START_TEST(the_last_of_equal_ones_counts)
{
    add(1, 5, "first");
    add(1, 5, "second");
    ck_assert_int_eq(flatten(), 0);
    ck_assert_uint_eq(duplicates, 1);
    expect(3, "second");
}
END_TEST

START_TEST(deleted_ranges)
{
    add(1, 5, "wide");
    add(2, 3, "narrow");
    ck_assert(!geo_table_delete(&table, key(2), key(4)));
    ck_assert(geo_table_delete(&table, key(2), key(3)));
    ck_assert(!geo_table_delete(&table, key(2), key(3)));
    ck_assert_int_eq(flatten(), 0);
    expect(2, "wide");
}
END_TEST

START_TEST(parts_are_cut_out)
{
    add(10, 99, "wide");
    add(20, 29, "inner");
    add(40, 49, "first");
    add(40, 45, "second");
    add(60, 69, "gone");
    ck_assert_int_eq(geo_table_cut(&table, key(0), key(9)), -ENOENT);
    ck_assert_int_eq(geo_table_cut(&table, key(100), key(200)), -ENOENT);
    ck_assert_int_eq(geo_table_cut(&table, key(22), key(24)), 0); /* out of the middle of two */
    ck_assert_int_eq(geo_table_cut(&table, key(22), key(24)), -ENOENT);
    ck_assert_int_eq(geo_table_cut(&table, key(46), key(49)), 0);  /* leaves two equal ones */
    ck_assert_int_eq(geo_table_cut(&table, key(58), key(71)), 0);  /* more than a range */
    ck_assert_int_eq(geo_table_cut(&table, key(0), key(10)), 0);   /* the beginning */
    ck_assert_int_eq(geo_table_cut(&table, key(99), key(120)), 0); /* the end */
    add(64, 64, "again");
    ck_assert_int_eq(flatten(), 0);
    ck_assert_uint_eq(duplicates, 0);
    static const struct {
        uint64_t at;
        const char *value;
    } rows[] = {{10, "-"},     {11, "wide"},  {20, "inner"}, {21, "inner"},  {22, "-"},      {24, "-"},
                {25, "inner"}, {29, "inner"}, {30, "wide"},  {40, "second"}, {45, "second"}, {46, "-"},
                {49, "-"},     {50, "wide"},  {57, "wide"},  {58, "-"},      {63, "-"},      {64, "again"},
                {65, "-"},     {71, "-"},     {72, "wide"},  {98, "wide"},   {99, "-"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(rows[i].at, rows[i].value);
}
END_TEST

START_TEST(all_is_cut_out)
{
    struct geo_key last = {UINT64_MAX, UINT64_MAX};
    ck_assert_int_eq(geo_table_add(&table, (struct geo_key){0, 0}, last, TEXT("all")), 0);
    ck_assert_int_eq(geo_table_cut(&table, (struct geo_key){1, 0}, (struct geo_key){1, UINT64_MAX}), 0);
    ck_assert_int_eq(flatten(), 0);
    ck_assert(text_equal(geo_table_find(&table, (struct geo_key){0, UINT64_MAX}), TEXT("all")));
    ck_assert(text_equal(geo_table_find(&table, (struct geo_key){1, 0}), TEXT("-")));
    ck_assert(text_equal(geo_table_find(&table, (struct geo_key){1, UINT64_MAX}), TEXT("-")));
    ck_assert(text_equal(geo_table_find(&table, (struct geo_key){2, 0}), TEXT("all")));
}
END_TEST

START_TEST(crossing_ranges_are_refused)
{
    add(1, 5, "a");
    add(4, 9, "b");
    ck_assert_int_eq(flatten(), -EINVAL);
}
END_TEST

START_TEST(both_ends)
{
    struct geo_key last = {UINT64_MAX, UINT64_MAX};
    add(0, 0, "zero");
    ck_assert_int_eq(geo_table_add(&table, (struct geo_key){0, UINT64_MAX}, (struct geo_key){1, 0}, TEXT("carry")), 0);
    ck_assert_int_eq(geo_table_add(&table, (struct geo_key){UINT64_MAX, 0}, last, TEXT("end")), 0);
    ck_assert_int_eq(flatten(), 0);
    expect(0, "zero");
    expect(1, "-");
    expect(UINT64_MAX, "carry");
    ck_assert(text_equal(geo_table_find(&table, (struct geo_key){1, 0}), TEXT("carry")));
    ck_assert(text_equal(geo_table_find(&table, (struct geo_key){1, 1}), TEXT("-")));
    ck_assert(text_equal(geo_table_find(&table, last), TEXT("end")));
}
END_TEST

START_TEST(many_ranges)
{
    for (uint64_t i = 0; i < 100000; i++)
        add((i * 7919 % 100000) * 10, (i * 7919 % 100000) * 10 + 4, i % 2 ? "odd" : "even");
    ck_assert_int_eq(flatten(), 0);
    for (uint64_t i = 0; i < 100000; i += 97) {
        uint64_t at = (i * 7919 % 100000) * 10;
        expect(at, i % 2 ? "odd" : "even");
        expect(at + 4, i % 2 ? "odd" : "even");
        expect(at + 5, "-");
    }
}
END_TEST

Suite *suite_http_geo_table(void);

Suite *suite_http_geo_table(void)
{
    Suite *s = suite_create("http/geo_table");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, empty_table);
    tcase_add_test(t, nested_ranges);
    tcase_add_test(t, the_last_of_equal_ones_counts);
    tcase_add_test(t, deleted_ranges);
    tcase_add_test(t, parts_are_cut_out);
    tcase_add_test(t, all_is_cut_out);
    tcase_add_test(t, crossing_ranges_are_refused);
    tcase_add_test(t, both_ends);
    tcase_add_test(t, many_ranges);
    suite_add_tcase(s, t);
    return s;
}
