/* test_frames.c - what the heads of frames tell, however the bytes are cut. */
#include "unit.h"

#include "http/h2/frames.h"

/* HEADERS without END_HEADERS (4 bytes), CONTINUATION with it (0), DATA (3), empty DATA, PING (8). */
static const char bytes[] = "\0\0\4\1\0\0\0\0\1head"
                            "\0\0\0\11\4\0\0\0\1"
                            "\0\0\3\0\0\0\0\0\1abc"
                            "\0\0\0\0\0\0\0\0\1"
                            "\0\0\10\6\0\0\0\0\0pingpong";

enum { LEN = sizeof bytes - 1, BLOCK_END = 13 + 9, DATA_END = BLOCK_END + 12, EMPTY_END = DATA_END + 9 };

static bool is_border(size_t at)
{
    return at == 0 || at == BLOCK_END || at == DATA_END || at == EMPTY_END || at == LEN;
}

START_TEST(cuts)
{
    for (size_t cut = 0; cut <= LEN; cut++) {
        struct frames f = {0};
        frames_add(&f, bytes, cut);
        ck_assert_msg(frames_are_partial(&f) == !is_border(cut), "at %zu", cut);
        frames_add(&f, bytes + cut, LEN - cut);
        ck_assert(!frames_are_partial(&f));
        ck_assert_uint_eq(f.units, 4);
        ck_assert_uint_eq(f.idle, 3); /* CONTINUATION, empty DATA, PING */
    }
}
END_TEST

START_TEST(byte_by_byte)
{
    struct frames f = {0};

    for (size_t i = 0; i < LEN; i++)
        frames_add(&f, bytes + i, 1);
    ck_assert(!frames_are_partial(&f));
    ck_assert_uint_eq(f.units, 4);
}
END_TEST

Suite *suite_http_frames(void)
{
    Suite *s = suite_create("http_frames");
    TCase *t = tcase_create("frames");

    tcase_add_test(t, cuts);
    tcase_add_test(t, byte_by_byte);
    suite_add_tcase(s, t);
    return s;
}
