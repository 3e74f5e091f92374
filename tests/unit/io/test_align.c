/* test_align.c - windows around byte ranges, swept. */
#include "io/align.h"

#include "unit.h"

#include <stdbool.h>

static bool is_right(struct window w, off_t at, off_t end, size_t size, size_t align, bool first)
{
    size_t used = w.skip + w.keep;
    bool last = at + (off_t)w.keep == end;

    return w.offset % (off_t)align == 0 && w.len % align == 0 && w.len > 0 && w.len <= size && w.keep > 0 &&
           w.offset + (off_t)w.skip == at && w.skip < align && used <= w.len && (first || w.skip == 0) &&
           at + (off_t)w.keep <= end && (last ? w.len - used < align : used == w.len && w.len == size);
}

/* Walks [at, end) and checks every promise of every window. One assertion a window would take the
 * sweep minutes. */
static void walk(off_t at, off_t end, size_t size, size_t align)
{
    for (off_t start = at; at < end;) {
        struct window w = align_window(at, end, size, align);
        if (!is_right(w, at, end, size, align, at == start))
            ck_abort_msg("at %jd to %jd, size %zu, align %zu: %jd + %zu, skip %zu, keep %zu", (intmax_t)at,
                         (intmax_t)end, size, align, (intmax_t)w.offset, w.len, w.skip, w.keep);
        at += (off_t)w.keep;
    }
}

START_TEST(test_sweep)
{
    const size_t aligns[] = {1, 512, 4096};
    for (size_t a = 0; a < 3; a++) {
        for (size_t blocks = 1; blocks <= 3; blocks++) {
            size_t align = aligns[a], size = align * blocks + (align == 1 ? 6 : 0);
            for (off_t at = 0; at < 2 * (off_t)align + 2; at += align == 4096 ? 97 : 13) {
                for (off_t len = 1; len < 4 * (off_t)size + 3; len += align == 4096 ? 331 : 17)
                    walk(at, at + len, size, align);
            }
        }
    }
}
END_TEST

START_TEST(test_edges)
{
    off_t most = INT64_MAX;
    walk(most - 1, most, 4096, 4096);
    walk(most - 10000, most, 8192, 4096);
    walk(((off_t)5 << 30) - 1, ((off_t)5 << 30) + 1, 2 << 20, 512);
    struct window w = align_window(0, 1, 4096, 512);
    ck_assert_uint_eq(w.len, 512);
    ck_assert_uint_eq(w.keep, 1);
    w = align_window(511, 513, 512, 512);
    ck_assert_uint_eq(w.len, 512);
    ck_assert_uint_eq(w.skip, 511);
    ck_assert_uint_eq(w.keep, 1);
}
END_TEST

Suite *suite_io_align(void)
{
    Suite *s = suite_create("io/align");
    TCase *t = tcase_create("align");
    tcase_add_test(t, test_sweep);
    tcase_add_test(t, test_edges);
    suite_add_tcase(s, t);
    return s;
}
