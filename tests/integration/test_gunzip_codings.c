/* test_gunzip_codings.c - side files of Brotli and Zstandard, decoded for clients that do not take
 * them: gunzip. */
#include "coding.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 20000, OLD_SEC = 3 /* what is younger is not kept */ };

static char *all_of(const char *target, const char *fields, size_t *len)
{
    struct site_client c;

    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", target, fields);
    while (client_fill(&c))
        ;
    char *all = malloc(c.len + 1);
    memcpy(all, c.in, c.len);
    all[ *len = c.len] = '\0';
    client_close(&c);
    return all;
}

static void expect_cut_off(const char *target, const char *fields)
{
    size_t len;
    char *all = all_of(target, fields, &len);

    ck_assert_msg(len < 5 || memcmp(all + len - 5, "0\r\n\r\n", 5) != 0, "%s is taken for complete", target);
    free(all);
}

static void write_packed(const struct coding *k, const char *name, const void *bytes, size_t len)
{
    char full[64];
    size_t packed_len;
    char *packed = k->pack(bytes, len, &packed_len);

    snprintf(full, sizeof full, "html/%s%s", name, k->suffix);
    site_write_bytes(full, packed, packed_len);
    site_set_mtime(full, MTIME);
    free(packed);
}

#define SIDE "@X@_static always; gunzip on;"

START_TEST(decoded)
{
    const struct coding *k = &codings[_i];
    struct site_response r;
    char etag[80], *text = coding_page(7, SIZE);

    if (!*k->is_here)
        return;
    write_packed(k, "p.html", text, SIZE);
    free(text);
    coding_serve(k, TYPES,
                 SIDE
                 "location /small/ { alias @DIR@/html/; gunzip_buffers 1 512; }"
                 "location /gz/ { alias @DIR@/html/; gzip on; } location /off/ { alias @DIR@/html/; gunzip off; }");
    coding_ask(&r, "GET", "/p.html", k->name, "");
    snprintf(etag, sizeof etag, "%s", site_header(&r, "ETag"));
    assert_header(&r, "Accept-Ranges", "bytes");
    assert_header(&r, "Vary", "Accept-Encoding");
    coding_unpack(&r, k);
    coding_expect_text(&r, 7, SIZE);
    site_response_free(&r);

    for (int i = 0; i < 2; i++) {
        coding_ask(&r, "GET", i ? "/small/p.html" : "/p.html", "gzip", "Range: bytes=0-3\r\n");
        ck_assert_int_eq(r.status, 200);
        assert_header(&r, "Content-Encoding", NULL);
        assert_header(&r, "Content-Type", "text/html");
        assert_header(&r, "Accept-Ranges", NULL);
        assert_header(&r, "Content-Length", NULL);
        assert_header(&r, "Vary", "Accept-Encoding");
        ck_assert(!strncmp(site_header(&r, "ETag"), "W/", 2) && strcmp(site_header(&r, "ETag") + 2, etag) != 0);
        coding_expect_text(&r, 7, SIZE);
        site_response_free(&r);
    }
    coding_ask(&r, "HEAD", "/p.html", NULL, "");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Encoding", NULL);
    assert_header(&r, "Content-Length", NULL);
    site_response_free(&r);
    coding_ask(&r, "GET", "/off/p.html", NULL, ""); /* to every client, as it is */
    coding_unpack(&r, k);
    site_response_free(&r);
    coding_ask(&r, "GET", "/gz/p.html", "gzip", ""); /* decoded and compressed again */
    assert_header(&r, "Content-Encoding", "gzip");
    site_response_free(&r);
}
END_TEST

static long most_kib(void)
{
    char path[64];
    long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/status", (int)site_worker());
    char *status = site_read(path, NULL), *line = strstr(status, "VmHWM:");
    ck_assert(line && sscanf(line, "VmHWM: %ld", &kib) == 1);
    free(status);
    return kib;
}

/* What they come to is held no more than a buffer's size at a time, and kept for the next client
 * where it is small. */
START_TEST(decoded_large)
{
    enum { MUCH = 24 << 20, SMALL = 50 * 1000 };
    const struct coding *k = &codings[_i];
    char *zeros = calloc(1, MUCH), *text = coding_page(3, SMALL);
    struct site_response r;

    if (!*k->is_here)
        return;
    write_packed(k, "zeros.txt", zeros, MUCH);
    write_packed(k, "p.txt", text, SMALL);
    free(zeros);
    free(text);
    sleep(OLD_SEC);
    coding_serve(k, TYPES, SIDE);
    for (unsigned i = 0; i < 3; i++) {
        site_get(&r, "/p.txt");
        coding_expect_text(&r, 3, SMALL);
        site_response_free(&r);
        ck_assert_uint_eq(coding_metric("hits_total"), i);
    }
    long before = most_kib();
    site_get(&r, "/zeros.txt");
    ck_assert_uint_eq(r.len, MUCH);
    for (size_t i = 0; i < MUCH; i += 4096)
        ck_assert_int_eq(r.body[i], 0);
    site_response_free(&r);
    ck_assert_uint_eq(coding_metric("entries"), 1);
    if (!site_is_instrumented())
        ck_assert_int_lt(most_kib() - before, MUCH / 2 / 1024);
    ck_assert_uint_lt(coding_metric("bytes"), 1 << 20);
}
END_TEST

/* What is malformed, or ends early: the response is cut off, never passed off as complete; the log
 * says so, and the next one is served. */
START_TEST(decoded_of_broken_files)
{
    const struct coding *k = &codings[_i];
    char name[64], *text = coding_page(7, SIZE);
    size_t len;

    if (!*k->is_here)
        return;
    char *packed = k->pack(text, SIZE, &len);
    snprintf(name, sizeof name, "html/cut.html%s", k->suffix);
    site_write_bytes(name, packed, len - 5);
    free(packed);
    snprintf(name, sizeof name, "html/bad.html%s", k->suffix);
    site_write(name, "\xff\xff\xff this is neither, whatever its name says");
    write_packed(k, "p.html", text, SIZE);
    free(text);
    coding_serve(k, TYPES, SIDE);
    site_allow_alerts();
    expect_cut_off("/cut.html", "");
    expect_cut_off("/bad.html", "");
    struct site_response r;
    site_get(&r, "/p.html");
    coding_expect_text(&r, 7, SIZE);
    site_response_free(&r);
    char *log = log_await_count("logs/error.log", "html/", 2);
    ck_assert_uint_eq(count_text(log, "cut.html"), count_text(log, "GET /cut.html") + 1);
    free(log);
}
END_TEST

Suite *suite_gunzip_codings(void);

Suite *suite_gunzip_codings(void)
{
    Suite *s = suite_create("gunzip_codings");
    TCase *tc = site_case(s, "gunzip_codings", 60);
    tcase_add_loop_test(tc, decoded, 0, CODINGS);
    tcase_add_loop_test(tc, decoded_large, 0, CODINGS);
    tcase_add_http1_loop_test(tc, decoded_of_broken_files, 0, CODINGS, "it looks at chunks");
    return s;
}
