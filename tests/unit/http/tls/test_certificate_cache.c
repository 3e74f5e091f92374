/* test_certificate_cache.c - pairs by their names: which go first, how long they stay. */
#include "unit.h"

#include "../../../certificate.h"
#include "http/tls/certificate_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tls_pair *pair;
static struct certificate_cache_conf conf;
static struct certificate_cache *cache;

static void setup(void)
{
    char *certificate, *key;
    struct buffer why;
    bool of_key;

    certificate_make(unit_dir(), "e", "");
    certificate = unit_read(unit_path("e.crt"), NULL);
    key = unit_read(unit_path("e.key"), NULL);
    buffer_init(&why);
    ck_assert_int_eq(tls_pair_read(&pair, text_of(certificate), text_of(key), TEXT_NONE, &why, &of_key), 0);
    buffer_fini(&why);
    free(certificate);
    free(key);
}

static void begin(int64_t max, int64_t inactive)
{
    conf = (struct certificate_cache_conf){.max = max, .inactive_sec = inactive, .valid_sec = 60};
    cache = certificate_cache_create(&conf);
    ck_assert_ptr_nonnull(cache);
    ck_assert_ptr_eq(certificate_cache_conf_of(cache), &conf);
}

static void put(const char *certificate, const char *key, off_t size, int64_t now)
{
    struct pair_marks marks = {.certificate = {.st_size = size}};
    certificate_cache_put(cache, text_of(certificate), text_of(key), pair, &marks, now);
}

/* The size that its mark says; -1: it is not there. */
static off_t size_of(const char *certificate, const char *key, int64_t now)
{
    struct kept_pair *k = certificate_cache_find(cache, text_of(certificate), text_of(key), now);
    return k ? k->marks.certificate.st_size : -1;
}

static void teardown(void)
{
    certificate_cache_destroy(cache);
    tls_pair_release(pair);
}

START_TEST(test_names)
{
    begin(10, 10);
    put("a", "b", 1, 0);
    put("ab", "", 2, 0);
    put("", "ab", 3, 0);
    ck_assert_int_eq(size_of("a", "b", 0), 1);
    ck_assert_int_eq(size_of("ab", "", 0), 2);
    ck_assert_int_eq(size_of("", "ab", 0), 3);
    ck_assert_int_eq(size_of("b", "a", 0), -1);
    put("a", "b", 4, 0);
    ck_assert_int_eq(size_of("a", "b", 0), 4);
    ck_assert_int_eq(certificate_cache_count(cache), 3);
}
END_TEST

/* The one used least recently makes room. */
START_TEST(test_room)
{
    begin(2, 100);
    put("a", "k", 1, 0);
    put("b", "k", 2, 0);
    ck_assert_int_eq(size_of("a", "k", 1), 1);
    put("c", "k", 3, 1);
    ck_assert_int_eq(size_of("b", "k", 1), -1);
    ck_assert_int_eq(size_of("a", "k", 1), 1);
    ck_assert_int_eq(size_of("c", "k", 1), 3);
    put("a", "k", 4, 1); /* in its own place */
    ck_assert_int_eq(size_of("c", "k", 1), 3);
    ck_assert_int_eq(certificate_cache_count(cache), 2);
}
END_TEST

START_TEST(test_inactive)
{
    begin(10, 10);
    put("a", "k", 1, 100);
    put("b", "k", 2, 105);
    ck_assert_int_eq(size_of("a", "k", 109), 1);
    ck_assert_int_eq(size_of("b", "k", 115), -1);
    ck_assert_int_eq(size_of("a", "k", 118), 1);
    ck_assert_int_eq(size_of("a", "k", 128), -1);
    ck_assert_int_eq(certificate_cache_count(cache), 0);
}
END_TEST

START_TEST(test_many)
{
    char name[16];
    begin(1000, 100);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        put(name, name, i, 0);
    }
    ck_assert_int_eq(certificate_cache_count(cache), 1000);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "n%d", i);
        ck_assert_int_eq(size_of(name, name, 1), i < 2000 ? -1 : i);
    }
}
END_TEST

Suite *suite_http_certificate_cache(void)
{
    Suite *s = suite_create("http_certificate_cache");
    TCase *t = tcase_create("cache");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_names);
    tcase_add_test(t, test_room);
    tcase_add_test(t, test_inactive);
    tcase_add_test(t, test_many);
    suite_add_tcase(s, t);
    return s;
}
