/* test_qr.c - the drawing of a QR code: its finder patterns, its quiet zone, what does not fit. */
#include "server/command/qr.h"

#include "unit.h"

#include <errno.h>
#include <stdlib.h>

enum { WIDTH = 25 + 4 }; /* version 2 holds the URL of an IPv4 address; two modules of quiet zone around */

static const struct {
    const char *block;
    bool upper, lower; /* light */
} blocks[] = {{"\u2588", true, true}, {"\u2580", true, false}, {"\u2584", false, true}, {" ", false, false}};

/* The lines of a drawing become modules, 1: dark. */
static void read_modules(const char *at, unsigned char dark[WIDTH + 1][WIDTH])
{
    for (unsigned row = 0; row < WIDTH; row += 2, at++) {
        for (unsigned column = 0; column < WIDTH; column++) {
            unsigned i = 0;
            while (i < 4 && strncmp(at, blocks[i].block, strlen(blocks[i].block)) != 0)
                i++;
            ck_assert_uint_lt(i, 4);
            dark[row][column] = !blocks[i].upper;
            dark[row + 1][column] = !blocks[i].lower;
            at += strlen(blocks[i].block);
        }
        ck_assert_int_eq(*at, '\n');
    }
    ck_assert_int_eq(*at, '\0');
}

static void expect_finder(unsigned char dark[WIDTH + 1][WIDTH], unsigned row, unsigned column)
{
    static const char *const finder[] = {"#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"};

    for (unsigned i = 0; i < 49; i++)
        ck_assert_int_eq(dark[row + i / 7][column + i % 7], finder[i / 7][i % 7] == '#');
}

START_TEST(test_modules)
{
    static unsigned char dark[WIDTH + 1][WIDTH];
    struct buffer out;
    buffer_init(&out);
    ck_assert_int_eq(qr_draw(&out, "http://192.0.2.1:8080/", false), 0);
    char *text = buffer_steal(&out, NULL);
    read_modules(text, dark);
    expect_finder(dark, 2, 2);
    expect_finder(dark, 2, WIDTH - 9);
    expect_finder(dark, WIDTH - 9, 2);
    for (unsigned i = 0; i < WIDTH; i++)
        ck_assert_int_eq(dark[0][i] | dark[1][i] | dark[i][0] | dark[i][1] | dark[WIDTH - 1][i] | dark[i][WIDTH - 1],
                         0);
    free(text);
}
END_TEST

START_TEST(test_colours)
{
    struct buffer out;
    buffer_init(&out);
    ck_assert_int_eq(qr_draw(&out, "x", true), 0);
    char *text = buffer_steal(&out, NULL);
    ck_assert_msg(strncmp(text, "\033[97;40m\u2588", 11) == 0, "%s", text);
    ck_assert_str_eq(text + strlen(text) - 5, "\033[0m\n");
    free(text);
}
END_TEST

START_TEST(test_too_long)
{
    static char text[4000];
    struct buffer out;
    memset(text, 'x', sizeof text - 1);
    buffer_init(&out);
    ck_assert_int_eq(qr_draw(&out, text, false), -EINVAL);
    buffer_fini(&out);
}
END_TEST

Suite *suite_server_qr(void)
{
    Suite *s = suite_create("server/qr");
    TCase *t = tcase_create("drawing");
    tcase_add_test(t, test_modules);
    tcase_add_test(t, test_colours);
    tcase_add_test(t, test_too_long);
    suite_add_tcase(s, t);
    return s;
}
