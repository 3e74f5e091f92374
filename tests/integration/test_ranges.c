/* test_ranges.c - byte ranges, single and multiple, over every way of moving the bytes and sizes
 * around every limit. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTIO = 1 << 20 };

/* A location for each way; sizes are in the names of the files. */
static const char *const ways[] = {"auto", "memory", "sendfile", "mmap", "buffered", "direct", "cached"};

enum { WAYS = sizeof ways / sizeof *ways };

static const off_t sizes[] = {0,
                              1,
                              2,
                              511,
                              512,
                              513,
                              1000,
                              4095,
                              4096,
                              4097,
                              16383,
                              16384,
                              16385,
                              32767,
                              32769,
                              65535,
                              65536,
                              65537,
                              131071,
                              131073,
                              524287,
                              524289,
                              DIRECTIO - 1,
                              DIRECTIO,
                              DIRECTIO + 1,
                              3 * DIRECTIO + 12345};

enum { SIZES = sizeof sizes / sizeof *sizes };

static void serve_ways(void)
{
    for (size_t i = 0; i < SIZES; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/data/%jd", *site_disk() ? site_disk() : site_dir(), (intmax_t)sizes[i]);
        site_pattern(name, sizes[i]);
    }
    site_serve(on_nginx() ? "location /auto/ { alias @DISK@/data/; sendfile on; directio 1m; }\n"
                            "location /memory/ { alias @DISK@/data/; sendfile off; output_buffers 1 8k; }\n"
                            "location /sendfile/ { alias @DISK@/data/; sendfile on; }\n"
                            "location /mmap/ { alias @DISK@/data/; sendfile on; sendfile_max_chunk 10000; }\n"
                            "location /buffered/ { alias @DISK@/data/; sendfile off; }\n"
                            "location /direct/ { alias @DISK@/data/; directio 1; }\n"
                            "location /cached/ { alias @DISK@/data/; open_file_cache max=100; }\n"
                          : "location /auto/ { alias @DISK@/data/; directio 1m; }\n"
                            "location /memory/ { alias @DISK@/data/; io_method memory; }\n"
                            "location /sendfile/ { alias @DISK@/data/; io_method sendfile; }\n"
                            "location /mmap/ { alias @DISK@/data/; io_method mmap; }\n"
                            "location /buffered/ { alias @DISK@/data/; io_method buffered; }\n"
                            "location /direct/ { alias @DISK@/data/; io_method direct; }\n"
                            "location /cached/ { alias @DISK@/data/; open_file_cache max=100; directio 1m; }\n");
}

/* One request on an open connection: [start, end) of the file is expected; the whole when `fields`
 * is "". */
static void expect_slice(struct site_client *c, const char *way, off_t size, const char *fields, off_t start, off_t end)
{
    struct site_response r;
    char range[96], length[32];
    client_say(c, "GET /%s/%jd HTTP/1.1\r\nHost: a\r\n%s\r\n", way, (intmax_t)size, fields);
    ck_assert_msg(client_head(c, &r), "%s %jd \"%s\": closed", way, (intmax_t)size, fields);
    int expected = *fields ? 206 : 200;
    ck_assert_msg(r.status == expected, "%s %jd \"%s\": %d", way, (intmax_t)size, fields, r.status);
    snprintf(length, sizeof length, "%jd", (intmax_t)(end - start));
    assert_header(&r, "Content-Length", length);
    snprintf(range, sizeof range, "bytes %jd-%jd/%jd", (intmax_t)start, (intmax_t)end - 1, (intmax_t)size);
    assert_header(&r, "Content-Range", *fields ? range : NULL);
    client_expect_pattern(c, start, end - start);
    site_response_free(&r);
}

static void expect_range(struct site_client *c, const char *way, off_t size, off_t first, off_t last)
{
    char fields[96];
    snprintf(fields, sizeof fields, "Range: bytes=%jd-%jd\r\n", (intmax_t)first, (intmax_t)last);
    expect_slice(c, way, size, fields, first, last < size ? last + 1 : size);
}

static void expect_suffix(struct site_client *c, const char *way, off_t size, off_t length)
{
    char fields[96];
    snprintf(fields, sizeof fields, "Range: bytes=-%jd\r\n", (intmax_t)length);
    expect_slice(c, way, size, fields, length < size ? size - length : 0, size);
}

static void expect_rest(struct site_client *c, const char *way, off_t size, off_t first)
{
    char fields[96];
    snprintf(fields, sizeof fields, "Range: bytes=%jd-\r\n", (intmax_t)first);
    expect_slice(c, way, size, fields, first, size);
}

START_TEST(every_way_and_size)
{
    const char *way = ways[_i];
    serve_ways();
    struct site_client c;
    client_open(&c, site_port(0));
    for (size_t i = 0; i < SIZES; i++) {
        off_t size = sizes[i];
        expect_slice(&c, way, size, "", 0, size);
        if (size == 0)
            continue;
        expect_range(&c, way, size, 0, 0);
        expect_range(&c, way, size, size - 1, size - 1);
        expect_range(&c, way, size, 0, size - 1);
        expect_range(&c, way, size, 0, size + 1000);
        expect_suffix(&c, way, size, 1);
        expect_suffix(&c, way, size, size);
        expect_suffix(&c, way, size, size + 5);
        expect_rest(&c, way, size, 0);
        expect_rest(&c, way, size, size - 1);
        expect_rest(&c, way, size, size / 2);
        expect_range(&c, way, size, size / 3, size / 3 + size / 4);
        for (off_t at = 511; at < size; at = at * 3 + 7) {
            expect_range(&c, way, size, at, at);
            expect_range(&c, way, size, at - 1, at + 4096 < size ? at + 4096 : size - 1);
            expect_suffix(&c, way, size, at);
        }
    }
    client_close(&c);
}
END_TEST

START_TEST(many_random_ranges)
{
    const char *way = ways[_i];
    serve_ways();
    struct site_client c;
    client_open(&c, site_port(0));
    unsigned seed = 12345u + (unsigned)_i;
    for (unsigned i = 0; i < 300; i++) {
        off_t size = sizes[SIZES - 1 - i % 4];
        off_t first = rand_r(&seed) % size;
        off_t last = first + rand_r(&seed) % (i % 3 ? 20000 : 2000000);
        expect_range(&c, way, size, first, last);
    }
    client_close(&c);
}
END_TEST

/* ---- what the field may say ---- */

/* 10 bytes: 0123456789 */
static const struct form {
    const char *value;
    int status;
    const char *body, *content_range;
} forms[] = {
    {"bytes=0-4", 206, "01234", "bytes 0-4/10"},
    {"bytes=3-3", 206, "3", "bytes 3-3/10"},
    {"bytes=5-", 206, "56789", "bytes 5-9/10"},
    {"bytes=-3", 206, "789", "bytes 7-9/10"},
    {"bytes=-100", 206, "0123456789", "bytes 0-9/10"},
    {"bytes=0-100", 206, "0123456789", "bytes 0-9/10"},
    {"bytes= 1-2", 206, "12", "bytes 1-2/10"},
    {"bytes=1 - 2 ", 206, "12", "bytes 1-2/10"},
    {"Bytes=1-2", 206, "12", "bytes 1-2/10"},
    {"bytes=20-30,1-2", 206, "12", "bytes 1-2/10"}, /* what lies outside is dropped */
    {"bytes=10-", 416, NULL, "bytes */10"},
    {"bytes=10-20", 416, NULL, "bytes */10"},
    {"bytes=-0", 416, NULL, "bytes */10"},
    {"bytes=5-3", 416, NULL, "bytes */10"},
    {"bytes=", 200, "0123456789", NULL},
    {"bytes=a-b", 416, NULL, "bytes */10"},
    {"bytes=1", 416, NULL, "bytes */10"},
    {"bytes=1-2x", 416, NULL, "bytes */10"},
    {"bytes=-", 416, NULL, "bytes */10"},
    {"bytes=1-2,", 206, "12", "bytes 1-2/10"}, /* RFC 9110, 5.6.1.2: empty elements count for nothing */
    {"bytes=--1", 416, NULL, "bytes */10"},
    {"bytes=99999999999999999999-", 416, NULL, "bytes */10"},
    {"bytes=0-99999999999999999999", 206, "0123456789", "bytes 0-9/10"}, /* RFC 9110, 14.1.1: no largest position */
    {"bytes=0-18446744073709551615", 206, "0123456789", "bytes 0-9/10"},
    {"bytes=4-9223372036854775808", 206, "456789", "bytes 4-9/10"},
    {"bytes=-18446744073709551616", 206, "0123456789", "bytes 0-9/10"},
    {"bytes=99999999999999999999-,1-2", 206, "12", "bytes 1-2/10"},
    {"bytes=1-2,99999999999999999999-99999999999999999999", 206, "12", "bytes 1-2/10"},
    {"bytes=99999999999999999999-99999999999999999998", 416, NULL, "bytes */10"},
    {"bytes=9223372036854775807-9223372036854775807", 416, NULL, "bytes */10"},
    {"bytes=18446744073709551615-18446744073709551616", 416, NULL, "bytes */10"},
    {"items=0-4", 200, "0123456789", NULL},
    {"0-4", 200, "0123456789", NULL},
    {"bytes=0-7,2-9", 206, "0123456789", "bytes 0-9/10"}, /* more than the whole: merged */
};

START_TEST(forms_of_the_field)
{
    site_write("html/d", "0123456789");
    site_serve("");
    const struct form *form = &forms[_i];
    bool too_large = strstr(form->value, "0000000") || strlen(form->value) > 24; /* for nginx's numbers */
    if (on_nginx() && (!strcmp(form->value, "bytes=1-2,") || !strcmp(form->value, "bytes=0-7,2-9") ||
                       (too_large && form->status == 206)))
        return;
    char fields[160];
    struct site_response r;
    snprintf(fields, sizeof fields, "Range: %s\r\n", form->value);
    site_request(&r, "GET", "/d", fields);
    ck_assert_msg(r.status == form->status, "%s: %d, expected %d", form->value, r.status, form->status);
    assert_header(&r, "Content-Range", form->content_range);
    assert_header(&r, "Accept-Ranges", form->status == 200 ? "bytes" : NULL);
    if (form->body)
        ck_assert_str_eq(r.body, form->body);
    site_response_free(&r);
}
END_TEST

START_TEST(range_of_head_and_empty_file)
{
    site_write("html/d", "0123456789");
    site_write("html/empty", "");
    site_serve("");
    struct site_response r;
    site_request(&r, "HEAD", "/d", "Range: bytes=0-4\r\n");
    /* RFC 9110, 14.2: Range is ignored for other methods than GET; nginx takes it for HEAD too. */
    ck_assert(r.status == 200 || r.status == 206);
    assert_header(&r, "Content-Length", r.status == 200 ? "10" : "5");
    site_response_free(&r);
    site_request(&r, "GET", "/empty", "Range: bytes=0-0\r\n");
    ck_assert(r.status == 200 || r.status == 416); /* nothing can be satisfied, and there is nothing to send */
    assert_header(&r, "Content-Range", r.status == 416 ? "bytes */0" : NULL);
    site_response_free(&r);
    site_get(&r, "/empty");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Length", "0");
    site_response_free(&r);
}
END_TEST

/* Content-Range tells the size of what was asked for, also where a page stands in for the
 * answer. */
START_TEST(unsatisfiable_with_a_page)
{
    struct site_response r;
    site_write("html/d", "0123456789");
    site_write("html/empty", "");
    site_write("html/page", "page");
    site_serve("location = /d { error_page 416 /page; } location = /e { alias @DIR@/html/d; error_page 416 =200 "
               "/empty; }");
    static const char *const targets[] = {"/d", "/e"};
    for (size_t i = 0; i < 2 && !on_nginx(); i++) {
        site_request(&r, "GET", targets[i], "Range: bytes=20-\r\n");
        ck_assert_int_eq(r.status, 416);
        assert_header(&r, "Content-Range", "bytes */10");
        ck_assert_uint_eq(site_header_count(&r, "Content-Range"), 1);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(max_ranges)
{
    site_write("html/d", "0123456789");
    site_write("html/off/d", "0123456789");
    site_write("html/two/d", "0123456789");
    site_serve("location /off/ { max_ranges 0; } location /two/ { max_ranges 2; }");
    struct site_response r;
    site_request(&r, "GET", "/off/d", "Range: bytes=0-0\r\n");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Accept-Ranges", NULL);
    site_response_free(&r);
    site_request(&r, "GET", "/two/d", "Range: bytes=0-0,2-2\r\n");
    ck_assert_int_eq(r.status, 206);
    site_response_free(&r);
    site_request(&r, "GET", "/two/d", "Range: bytes=0-0,2-2,4-4\r\n");
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
}
END_TEST

/* ---- multipart/byteranges ---- */

struct piece {
    off_t first, last;
};

/* The body must be, byte for byte, what the boundary and the pieces make of it. */
static void expect_multipart(struct site_client *c, const char *way, off_t size, const struct piece *pieces,
                             size_t count)
{
    char fields[4096] = "Range: bytes=";
    for (size_t i = 0; i < count; i++)
        snprintf(fields + strlen(fields), sizeof fields - strlen(fields), "%s%jd-%jd", i ? "," : "",
                 (intmax_t)pieces[i].first, (intmax_t)pieces[i].last);
    struct site_response r;
    client_say(c, "GET /%s/%jd HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", way, (intmax_t)size, fields);
    ck_assert(client_receive(c, &r));
    ck_assert_msg(r.status == 206, "%s %jd %s: %d", way, (intmax_t)size, fields, r.status);
    assert_header(&r, "Content-Range", NULL);
    char boundary[80];
    const char *type = site_header(&r, "Content-Type");
    ck_assert_msg(type && sscanf(type, "multipart/byteranges; boundary=%70s", boundary) == 1, "Content-Type: %s", type);
    const char *at = r.body;
    for (size_t i = 0; i < count; i++) {
        char head[256];
        size_t len = (size_t)snprintf(
            head, sizeof head, "\r\n--%s\r\nContent-Type: text/plain\r\nContent-Range: bytes %jd-%jd/%jd\r\n\r\n",
            boundary, (intmax_t)pieces[i].first, (intmax_t)pieces[i].last, (intmax_t)size);
        size_t bytes = (size_t)(pieces[i].last - pieces[i].first + 1);
        ck_assert_uint_ge(r.len - (size_t)(at - r.body), len + bytes);
        ck_assert_msg(!memcmp(at, head, len), "part %zu begins\n%.*s\nexpected\n%s", i, (int)len, at, head);
        assert_pattern(at + len, bytes, pieces[i].first);
        at += len + bytes;
    }
    char tail[96];
    snprintf(tail, sizeof tail, "\r\n--%s--\r\n", boundary);
    ck_assert_str_eq(at, tail);
    site_response_free(&r);
}

START_TEST(multipart)
{
    const char *way = ways[_i];
    serve_ways();
    struct site_client c;
    client_open(&c, site_port(0));
    off_t big = sizes[SIZES - 1];
    expect_multipart(&c, way, 1000, (struct piece[]){{0, 0}, {500, 509}}, 2);
    expect_multipart(&c, way, 1000, (struct piece[]){{999, 999}, {0, 0}, {10, 20}}, 3); /* in the order asked */
    expect_multipart(&c, way, 65537, (struct piece[]){{1, 4096}, {4095, 8191}, {65536, 65536}}, 3);
    expect_multipart(&c, way, DIRECTIO, (struct piece[]){{DIRECTIO - 1, DIRECTIO - 1}, {511, 513}}, 2);
    expect_multipart(&c, way, big, (struct piece[]){{1, 600000}, {1048575, 2000000}, {big - 3, big - 1}, {4096, 8191}},
                     4);
    struct piece many[100];
    for (off_t i = 0; i < 100; i++)
        many[i] = (struct piece){i * 10007, i * 10007 + i};
    expect_multipart(&c, way, big, many, 100);
    /* The connection is in step after all that. */
    expect_slice(&c, way, 1000, "", 0, 1000);
    client_close(&c);
}
END_TEST

START_TEST(multipart_boundaries_differ)
{
    site_write("html/d", "0123456789012345678901234567890123456789");
    site_serve("");
    char first[128];
    struct site_response r;
    site_request(&r, "GET", "/d", "Range: bytes=0-0,2-2\r\n");
    snprintf(first, sizeof first, "%s", site_header(&r, "Content-Type"));
    site_response_free(&r);
    site_request(&r, "GET", "/d", "Range: bytes=0-0,2-2\r\n");
    ck_assert_str_ne(first, site_header(&r, "Content-Type"));
    site_response_free(&r);
}
END_TEST

START_TEST(multipart_head)
{
    site_write("html/d", "0123456789012345678901234567890123456789");
    site_serve("");
    struct site_response r;
    site_request(&r, "HEAD", "/d", "Range: bytes=0-0,2-2\r\n");
    ck_assert(r.status == 200 || r.status == 206);
    site_response_free(&r);
}
END_TEST

/* More parts than anyone needs: whatever is answered, it is answered soon, and not with a multiple
 * of the file. */
START_TEST(too_many_ranges)
{
    site_pattern("html/d", 100000);
    site_serve("");
    static char fields[7000] = "Range: bytes=";
    size_t len = strlen(fields);
    for (int i = 0; i < 1200; i++)
        len += (size_t)sprintf(fields + len, "%s0-1", i ? "," : "");
    strcpy(fields + len, "\r\n");
    struct site_response r;
    site_request(&r, "GET", "/d", fields);
    if (!on_nginx()) { /* newer ones do the same */
        ck_assert_int_eq(r.status, 200);
        ck_assert_uint_eq(r.len, 100000);
    }
    site_response_free(&r);
    len = strlen(strcpy(fields, "Range: bytes="));
    for (int i = 0; i < 500; i++)
        len += (size_t)sprintf(fields + len, "%s0-99999", i ? "," : "");
    strcpy(fields + len, "\r\n");
    site_request(&r, "GET", "/d", fields);
    ck_assert_int_eq(r.status, on_nginx() ? 200 : 206); /* merged: each byte once */
    assert_header(&r, "Content-Range", on_nginx() ? NULL : "bytes 0-99999/100000");
    ck_assert_uint_eq(r.len, 100000);
    site_response_free(&r);
    if (on_nginx())
        return;
    struct site_client c;
    client_open(&c, site_port(0));
    len = strlen(strcpy(fields, "Range: bytes="));
    for (int i = 0; i < 250; i++)
        len += (size_t)sprintf(fields + len, "%s%d-60000,%d-", i ? "," : "", 100 - i % 90, 99000 + i);
    client_say(&c, "GET /d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n\r\n", fields);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 206);
    ck_assert_ptr_nonnull(strstr(r.body, "Content-Range: bytes 11-60000/100000\r\n"));
    ck_assert_uint_lt(r.len, 62000);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

Suite *suite_ranges(void)
{
    Suite *s = suite_create("ranges");
    TCase *tc = site_case(s, "ranges", 60);
    tcase_add_loop_test(tc, every_way_and_size, 0, WAYS);
    tcase_add_loop_test(tc, many_random_ranges, 0, WAYS);
    tcase_add_loop_test(tc, forms_of_the_field, 0, sizeof forms / sizeof *forms);
    tcase_add_test(tc, range_of_head_and_empty_file);
    tcase_add_test(tc, unsatisfiable_with_a_page);
    tcase_add_test(tc, max_ranges);
    tcase_add_loop_test(tc, multipart, 0, WAYS);
    tcase_add_test(tc, multipart_boundaries_differ);
    tcase_add_test(tc, multipart_head);
    tcase_add_test(tc, too_many_ranges);
    return s;
}
