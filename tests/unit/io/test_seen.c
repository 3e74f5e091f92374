/* test_seen.c - what was noted is known, to the page, for its time, and nothing else is. */
#include "io/seen.h"

#include "unit.h"

#include <stdlib.h>

enum { PAGE = 4096, FILE_PAGES = 128 };

START_TEST(test_pages)
{
    struct seen *s = seen_create();
    struct file f = {.dev = 1, .ino = 2};

    ck_assert_ptr_nonnull(s);
    clock_now.msec = 5000;
    ck_assert(!seen_lately(s, &f, 0, 1));
    seen_note(s, &f, 5, 1);
    ck_assert(seen_lately(s, &f, 0, PAGE));
    ck_assert(!seen_lately(s, &f, 0, PAGE + 1));
    ck_assert(!seen_lately(s, &f, PAGE, 1));
    seen_note(s, &f, 2 * PAGE - 1, 2); /* two pages */
    ck_assert(seen_lately(s, &f, 0, 3 * PAGE));
    ck_assert(!seen_lately(s, &f, 0, 3 * PAGE + 1));
    seen_note(s, &f, 31 * PAGE, 2 * PAGE); /* around the end of a chunk */
    ck_assert(seen_lately(s, &f, 32 * PAGE - 1, 2));
    ck_assert(!seen_lately(s, &f, 30 * PAGE, 2 * PAGE));
    ck_assert(!seen_lately(s, &f, 33 * PAGE, 1));
    seen_note(s, &f, 1000000 * (off_t)PAGE, SEEN_MOST);
    ck_assert(seen_lately(s, &f, 1000000 * (off_t)PAGE, SEEN_MOST));
    ck_assert(!seen_lately(s, &f, 1000000 * (off_t)PAGE - 1, 2));
    seen_destroy(s);
}
END_TEST

START_TEST(test_files)
{
    struct seen *s = seen_create();
    struct file f = {.dev = 1, .ino = 2}, same = f, inode = {.dev = 1, .ino = 3}, device = {.dev = 2, .ino = 2};

    seen_note(s, &f, 0, PAGE);
    ck_assert(seen_lately(s, &same, 0, PAGE));
    ck_assert(!seen_lately(s, &inode, 0, PAGE));
    ck_assert(!seen_lately(s, &device, 0, PAGE));
    seen_destroy(s);
}
END_TEST

/* Also where the lower half of the clock begins anew. */
START_TEST(test_time)
{
    static const int64_t starts[] = {0, 123456, 0xffffffff, 0xffffff00, 0x1ffffffffLL};
    struct file f = {.dev = 1, .ino = 2};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct seen *s = seen_create();
        clock_now.msec = starts[i];
        seen_note(s, &f, 0, PAGE);
        clock_now.msec += SEEN_MSEC - 1;
        ck_assert(seen_lately(s, &f, 0, PAGE));
        seen_note(s, &f, PAGE, PAGE); /* does not make the first younger */
        ck_assert(seen_lately(s, &f, 0, 2 * PAGE));
        clock_now.msec++;
        ck_assert(!seen_lately(s, &f, 0, PAGE));
        seen_note(s, &f, PAGE, PAGE); /* nor does this bring it back */
        ck_assert(!seen_lately(s, &f, 0, PAGE));
        ck_assert(seen_lately(s, &f, PAGE, PAGE));
        seen_destroy(s);
    }
}
END_TEST

/* Beside a list of pages. */
START_TEST(test_sweep)
{
    struct seen *s = seen_create();
    struct file f = {.dev = 7, .ino = 99};
    bool noted[FILE_PAGES] = {false};

    srand(1);
    clock_now.msec = 77;
    for (int n = 0; n < 20000; n++) {
        off_t offset = rand() % (FILE_PAGES * PAGE);
        size_t len = (size_t)(rand() % (1 + rand() % (60 * PAGE))) + 1;
        if (offset + (off_t)len > FILE_PAGES * PAGE)
            continue;
        off_t last = (offset + (off_t)len - 1) / PAGE;
        bool all = true;
        for (off_t page = offset / PAGE; page <= last; page++)
            all &= noted[page];
        ck_assert_int_eq(seen_lately(s, &f, offset, len), all);
        if (n % 40 != 0)
            continue;
        seen_note(s, &f, offset, len);
        for (off_t page = offset / PAGE; page <= last; page++)
            noted[page] = true;
    }
    seen_destroy(s);
}
END_TEST

Suite *suite_io_seen(void)
{
    Suite *s = suite_create("io/seen");
    TCase *t = tcase_create("seen");
    tcase_add_test(t, test_pages);
    tcase_add_test(t, test_files);
    tcase_add_test(t, test_time);
    tcase_add_test(t, test_sweep);
    suite_add_tcase(s, t);
    return s;
}
