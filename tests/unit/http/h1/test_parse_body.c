/* test_parse_body.c - request bodies: where they end, however the bytes arrive, and framing that is
 * refused. */
#include "unit.h"

#include "http/h1/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct arena arena;

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* Feeds `bytes` in pieces of `step`; returns how many were taken, or -EINVAL. */
static struct framing framing;

static ssize_t feed(struct body *b, const struct message *m, const char *bytes, size_t len, size_t step)
{
    size_t at = 0;
    ck_assert_int_eq(body_begin(b, m, &framing, &arena), 0);
    while (at < len && !b->done) {
        size_t n = len - at < step ? len - at : step;
        char *piece = malloc(n);
        memcpy(piece, bytes + at, n);
        ssize_t taken = body_take(b, piece, n);
        free(piece);
        if (taken < 0)
            return taken;
        ck_assert(b->done || (size_t)taken == n);
        at += (size_t)taken;
    }
    return (ssize_t)at;
}

START_TEST(test_none)
{
    struct message m = {0};
    framing.chunked = false;
    struct body b;
    ck_assert_int_eq(body_begin(&b, &m, &framing, &arena), 0);
    ck_assert(b.done);
    ck_assert_int_eq(body_take(&b, "GET", 3), 0);
}
END_TEST

START_TEST(test_length)
{
    struct message m = {.has_length = true, .length = 5};
    for (size_t step = 1; step < 10; step++) {
        struct body b;
        ck_assert_int_eq(feed(&b, &m, "helloGET /", 10, step), 5);
        ck_assert(b.done);
        ck_assert_uint_eq(b.seen, 5);
        ck_assert_uint_eq(b.framing, 0);
        ck_assert_uint_eq(b.left, 0);
        ck_assert_int_eq(body_take(&b, "GET", 3), 0);
    }
}
END_TEST

START_TEST(test_length_beyond_4g)
{
    struct message m = {.has_length = true, .length = (1ull << 33) + 1};
    struct body b;
    ck_assert_int_eq(body_begin(&b, &m, &framing, &arena), 0);
    ck_assert_int_eq(body_take(&b, "x", 1), 1);
    ck_assert(!b.done);
    ck_assert_uint_eq(b.left, 1ull << 33);
}
END_TEST

#define NEXT "GET / HTTP/1.1\r\n"

/* Bodies that are fine; each is followed by the next request. */
static const struct {
    const char *bytes;
    uint64_t seen;
} good[] = {
    {"0\r\n\r\n", 0},
    {"5\r\nhello\r\n0\r\n\r\n", 5},
    {"5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", 8},
    {"00\r\n\r\n", 0},
    {"005\r\nhello\r\n000\r\n\r\n", 5},
    {"A\r\n0123456789\r\n0\r\n\r\n", 10},
    {"a\r\n0123456789\r\n0\r\n\r\n", 10},
    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", 4},
    {"1\r\n0\r\n0\r\n\r\n", 1},
    {"7\r\n0\r\n\r\nGE\r\n0\r\n\r\n", 7},
    {"5;a=b\r\nhello\r\n0\r\n\r\n", 5},
    {"5;a\r\nhello\r\n0;b=c\r\n\r\n", 5},
    {"5;a=\"b\"\r\nhello\r\n0\r\n\r\n", 5},
    {"5;a=\"b;=,\\\" \t\xc3\xa9\";c=\"\";d\r\nhello\r\n0;e=\"f\"\r\n\r\n", 5},
    {"5;\r\nhello\r\n0\r\n\r\n", 5},
    {"0\r\nX: y\r\n\r\n", 0},
    {"0\r\nX: y\r\nExpires: never\r\nX-Empty:\r\n\r\n", 0},
    {"0\r\nContent-Type: a/b\r\n\r\n", 0},
    {"0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", 0},
};

START_TEST(test_good)
{
    struct message m = {0};
    framing.chunked = true;
    char bytes[300];
    size_t len = strlen(good[_i].bytes);
    sprintf(bytes, "%s" NEXT, good[_i].bytes);
    for (size_t step = 1; step <= strlen(bytes); step++) {
        struct body b;
        ssize_t taken = feed(&b, &m, bytes, strlen(bytes), step);
        ck_assert_msg(taken == (ssize_t)len, "%zd, not %zu, in steps of %zu: %s", taken, len, step, good[_i].bytes);
        ck_assert(b.done);
        ck_assert_uint_eq(b.seen, good[_i].seen);
        ck_assert_uint_eq(b.framing, len - good[_i].seen);
    }
}
END_TEST

static const char *const bad[] = {
    /* Bare LF and CR in chunk heads, after data, in trailers. */
    "5\nhello\r\n0\r\n\r\n",
    "5\r\nhello\n0\r\n\r\n",
    "5\r\nhello\r\n0\n\r\n",
    "5\r\nhello\r\n0\r\n\n",
    "0\r\nX: y\n\r\n",
    "0\r\nX: y\r\n\n",
    "0\r\nX: y\rZ: a\r\n\r\n",
    "5\rhello\r\n0\r\n\r\n",
    "5\r\rhello\r\n0\r\n\r\n",
    "5\r\n\rhello\r\n0\r\n\r\n\r\n\r\n\r\n",
    "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "0\r\n\rX",
    /* Sizes. */
    "\r\n0\r\n\r\n",
    " 5\r\nhello\r\n0\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\t\r\nhello\r\n0\r\n\r\n",
    "5 ;a\r\nhello\r\n0\r\n\r\n",
    "0x5\r\nhello\r\n0\r\n\r\n",
    "+5\r\nhello\r\n0\r\n\r\n",
    "-5\r\nhello\r\n0\r\n\r\n",
    "g\r\nhello\r\n0\r\n\r\n",
    "5_\r\nhello\r\n0\r\n\r\n",
    ";a\r\n0\r\n\r\n",
    "10000000000000000\r\nhello\r\n0\r\n\r\n",
    "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    /* Data of another length than said. */
    "5\r\nhello!\r\n0\r\n\r\n",
    "5\r\nhell\r\n0\r\n\r\n",
    "5\r\nhelloXX0\r\n\r\n",
    "5\r\nhello0\r\n\r\n",
    /* Extensions and trailers. */
    "5;a\x01\r\nhello\r\n0\r\n\r\n",
    "5;;a\r\nhello\r\n0\r\n\r\n",
    "5;a=\r\nhello\r\n0\r\n\r\n",
    "5;a=\"b\r\nhello\r\n0\r\n\r\n",
    "5;a=\"b\\\"\r\nhello\r\n0\r\n\r\n",
    "5;a=\"b\\\r\n\"\r\nhello\r\n0\r\n\r\n",
    "5;a=\"b\"c\r\nhello\r\n0\r\n\r\n",
    "5;a=b\"c\"\r\nhello\r\n0\r\n\r\n",
    "5;a=b=c\r\nhello\r\n0\r\n\r\n",
    "5;a=b,c\r\nhello\r\n0\r\n\r\n",
    "5; a\r\nhello\r\n0\r\n\r\n",
    "0\r\n X: y\r\n\r\n",
    "0\r\nX: y\r\n z\r\n\r\n",
    "0\r\nX : y\r\n\r\n",
    "0\r\n: y\r\n\r\n",
    "0\r\nX\r\n\r\n",
    "0\r\nX(: y\r\n\r\n",
    "0\r\nX: \x01\r\n\r\n",
    "0\r\nX: \x7f\r\n\r\n",
};

START_TEST(test_bad)
{
    struct message m = {0};
    framing.chunked = true;
    for (size_t step = 1; step <= strlen(bad[_i]); step++) {
        struct body b;
        ssize_t taken = feed(&b, &m, bad[_i], strlen(bad[_i]), step);
        ck_assert_msg(taken == -EINVAL, "%zd in steps of %zu: %s", taken, step, bad[_i]);
    }
}
END_TEST

START_TEST(test_nul)
{
    static const char extension[] = "5;a\0\r\nhello\r\n0\r\n\r\n", trailer[] = "0\r\nX: \0\r\n\r\n";
    static const char data[] = "3\r\n\0\n\0\r\n0\r\n\r\n";
    struct message m = {0};
    framing.chunked = true;
    struct body b;
    ck_assert_int_eq(feed(&b, &m, extension, sizeof extension - 1, 100), -EINVAL);
    ck_assert_int_eq(feed(&b, &m, trailer, sizeof trailer - 1, 100), -EINVAL);
    ck_assert_int_eq(feed(&b, &m, data, sizeof data - 1, 100), sizeof data - 1);
    ck_assert_uint_eq(b.seen, 3);
}
END_TEST

/* A caller can stop an endless extension or trailer: framing grows with each call. */
START_TEST(test_framing_grows)
{
    struct message m = {0};
    framing.chunked = true;
    struct body b;
    ck_assert_int_eq(body_begin(&b, &m, &framing, &arena), 0);
    ck_assert_int_eq(body_take(&b, "5;", 2), 2);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(body_take(&b, "aaaaaaaaaa", 10), 10);
    ck_assert_uint_eq(b.framing, 1002);
    ck_assert_uint_eq(b.seen, 0);
    ck_assert_int_eq(body_take(&b, "\r\nhello\r\n0\r\nX: ", 15), 15);
    for (unsigned i = 0; i < 100; i++)
        ck_assert_int_eq(body_take(&b, "aaaaaaaaaa", 10), 10);
    ck_assert_uint_eq(b.framing, 1002 + 10 + 1000);
    ck_assert_uint_eq(b.seen, 5);
    ck_assert_int_eq(body_take(&b, "\r\n\r\n!", 5), 4);
    ck_assert(b.done);
}
END_TEST

/* Changed at random, whole and in single bytes: the same verdict, and the same end. */
START_TEST(test_random)
{
    static const char alphabet[] = "\r\n\r\n05;a:\t \x01xF";
    struct message m = {0};
    framing.chunked = true;
    unsigned seed = 7;
    for (int round = 0; round < 5000; round++) {
        char bytes[] = "5;x=y\r\nhello\r\n2\r\nab\r\n0\r\nX: y\r\n\r\nGET";
        size_t len = sizeof bytes - 1;
        for (int change = 0; change < 2; change++) {
            seed = seed * 1103515245 + 12345;
            bytes[(seed >> 8) % len] = alphabet[(seed >> 20) % (sizeof alphabet - 1)];
        }
        struct body whole, split;
        ssize_t a = feed(&whole, &m, bytes, len, len), b = feed(&split, &m, bytes, len, 1);
        ck_assert_msg(a == b, "%zd %zd: %s", a, b, bytes);
        if (a < 0)
            continue;
        ck_assert_uint_eq(whole.seen, split.seen);
        ck_assert_uint_eq(whole.framing, split.framing);
        ck_assert_int_eq(whole.done, split.done);
    }
}
END_TEST

Suite *suite_http_parse_body(void)
{
    Suite *s = suite_create("http/parse_body");
    TCase *t = tcase_create("bodies");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_none);
    tcase_add_test(t, test_length);
    tcase_add_test(t, test_length_beyond_4g);
    tcase_add_loop_test(t, test_good, 0, sizeof good / sizeof good[0]);
    tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof bad[0]);
    tcase_add_test(t, test_nul);
    tcase_add_test(t, test_framing_grows);
    tcase_add_test(t, test_random);
    suite_add_tcase(s, t);
    return s;
}
