/* test_codings.c - Brotli and Zstandard beside gzip: who gets which, that the bytes are right, what
 * the head says, what is kept. */
#include "coding.h"
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGE = 3000001, SIZE = 20000, OLD_SEC = 3 /* what is younger is not kept */ };

static bool both(void)
{
    return coding_has_brotli && coding_has_zstd;
}

static void pages(void)
{
    coding_write_page("html/a.html", 1, SIZE);
    coding_write_page("html/19.txt", 1, 19);
    coding_write_page("html/20.txt", 1, 20);
    site_pattern("html/large.txt", LARGE);
}

/* ---- on the fly ---- */

START_TEST(head_and_body)
{
    const struct coding *k = &codings[_i];
    struct site_response r;
    char tag[80];

    if (!*k->is_here)
        return;
    coding_serve(k, TYPES, "@X@ on; @X@_types text/plain; gzip_vary on;");
    snprintf(tag, sizeof tag, "W/\"5f5e1000-4e20-%s\"", k->directive);
    coding_ask(&r, "GET", "/a.html", "gzip, br, zstd", "");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Length", NULL);
    assert_header(&r, "Accept-Ranges", NULL);
    assert_header(&r, "Vary", "Accept-Encoding");
    assert_header(&r, "Content-Type", "text/html");
    assert_header(&r, "ETag", tag);
    ck_assert_uint_lt(r.len, SIZE / 10);
    coding_unpack(&r, k);
    coding_expect_text(&r, 1, SIZE);
    site_response_free(&r);

    coding_ask(&r, "GET", "/a.html", "gzip", "");
    assert_header(&r, "Content-Length", "20000");
    assert_header(&r, "Accept-Ranges", "bytes");
    assert_header(&r, "Vary", "Accept-Encoding");
    assert_header(&r, "ETag", "\"5f5e1000-4e20\"");
    assert_header(&r, "Content-Encoding", NULL);
    site_response_free(&r);

    coding_ask(&r, "HEAD", "/a.html", k->name, "");
    assert_header(&r, "Content-Encoding", k->name);
    assert_header(&r, "Content-Length", NULL);
    assert_header(&r, "ETag", tag);
    site_response_free(&r);
    coding_ask(&r, "GET", "/a.html", k->name, "Range: bytes=0-3\r\n");
    ck_assert_int_eq(r.status, 200);
    coding_unpack(&r, k);
    coding_expect_text(&r, 1, SIZE);
    site_response_free(&r);
    char condition[128];
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", tag);
    coding_ask(&r, "GET", "/a.html", k->name, condition);
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "ETag", tag);
    assert_header(&r, "Vary", "Accept-Encoding");
    site_response_free(&r);
    coding_ask(&r, "GET", "/a.html", NULL, condition); /* not that of the plain page */
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
}
END_TEST

static const struct {
    const char *accepted, *coding;
} preferences[] = {
    {NULL, NULL},
    {"", NULL},
    {"identity", NULL},
    {"gzip", "gzip"},
    {"zstd, gzip", "zstd"},
    {"gzip, deflate, br, zstd", "br"},
    {"br;q=0.5, gzip;q=0.8, zstd;q=0.7", "gzip"},
    {"br;q=0.5, gzip;q=0.6, zstd;q=0.7", "zstd"},
    {"br;q=0, zstd;q=0, gzip", "gzip"},
    {"br;q=0, *", "zstd"},
    {"*;q=0.1", "br"},
    {"br;q=0.5, identity", NULL},
    {"brotli, zst", NULL},
};

START_TEST(best_liked_one)
{
    if (!both())
        return;
    site_serve_http(TYPES, "gzip on; brotli on; zstd on;");
    for (size_t i = 0; i < sizeof preferences / sizeof *preferences; i++) {
        struct site_response r;
        coding_ask(&r, "GET", "/a.html", preferences[i].accepted, "");
        const char *got = site_header(&r, "Content-Encoding"), *wanted = preferences[i].coding;
        ck_assert_msg(wanted ? got && !strcmp(got, wanted) : !got, "%s: %s",
                      preferences[i].accepted ? preferences[i].accepted : "(none)", got ? got : "(none)");
        site_response_free(&r);
    }
}
END_TEST

static bool compressed(const struct coding *k, const char *target, const char *more)
{
    struct site_response r;

    coding_ask(&r, "GET", target, k->name, more);
    bool is = site_header(&r, "Content-Encoding") != NULL;
    site_response_free(&r);
    return is;
}

START_TEST(which_responses)
{
    const struct coding *k = &codings[_i];

    if (!*k->is_here)
        return;
    site_write("html/a.bin", "a text that is long enough to be worth it");
    site_write("html/not.html", "what is not here has a page that is long enough");
    coding_serve(k, TYPES,
                 "error_page 404 /not.html; error_page 500 /not.html;"
                 "@X@ on; @X@_types text/plain; location /off/ { alias @DIR@/html/; @X@ off; }"
                 "location /long/ { alias @DIR@/html/; @X@_min_length 20001; }"
                 "location /every/ { alias @DIR@/html/; @X@_types *; } location /500 { return 500; }"
                 "location /if/ { alias @DIR@/html/; @X@ off; if ($arg_x) { @X@ on; } }"
                 "location /old/ { alias @DIR@/html/; gzip_disable old; }"
                 "location /proxied/ { alias @DIR@/html/; gzip_proxied any; }");
    ck_assert(compressed(k, "/20.txt", ""));
    ck_assert(!compressed(k, "/19.txt", ""));
    ck_assert(!compressed(k, "/a.bin", ""));
    ck_assert(!compressed(k, "/off/a.html", ""));
    ck_assert(!compressed(k, "/long/a.html", ""));
    ck_assert(compressed(k, "/every/a.bin", ""));
    ck_assert(compressed(k, "/nothing", ""));
    ck_assert(!compressed(k, "/500", ""));
    ck_assert(!compressed(k, "/if/a.html", ""));
    ck_assert(compressed(k, "/if/a.html?x=1", ""));
    ck_assert(compressed(k, "/old/a.html", "User-Agent: new\r\n"));
    ck_assert(!compressed(k, "/old/a.html", "User-Agent: old\r\n"));
    ck_assert(!compressed(k, "/a.html", "Via: 1.1 a\r\n"));
    ck_assert(compressed(k, "/proxied/a.html", "Via: 1.1 a\r\n"));
}
END_TEST

/* Content in memory, read through the page cache, by O_DIRECT, mapped; all sizes of buffers. */
START_TEST(every_way_of_reading)
{
    const struct coding *k = &codings[_i];
    static const char *const ways[] = {"", "/memory", "/memory", "/buffered", "/direct", "/mmap", "/sync", "/high"};

    if (!*k->is_here)
        return;
    coding_serve(
        k, TYPES " gzip_cache off;",
        "@X@ on; @X@_types *;"
        "location /memory/ { alias @DIR@/html/; open_file_cache max=10; open_file_cache_content 8m; }"
        "location /buffered/ { alias @DIR@/html/; sendfile off; gzip_buffers 1 4k; }"
        "location /direct/ { alias @DIR@/html/; directio 64k; @X@_comp_level 4; gzip_buffers 1000 1m; }"
        "location /mmap/ { alias @DIR@/html/; io_method mmap; @X@_comp_level 2; }"
        "location /sync/ { alias @DIR@/html/; aio off; } location /high/ { alias @DIR@/html/; @X@_comp_level 9; }");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct site_response r;
        char target[64];
        snprintf(target, sizeof target, "%s/large.txt", ways[i]);
        coding_ask(&r, "GET", target, k->name, "");
        ck_assert_int_eq(r.status, 200);
        coding_unpack(&r, k);
        ck_assert_msg(r.len == LARGE, "%s: %zu bytes", ways[i], r.len);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
        snprintf(target, sizeof target, "%s/a.html", ways[i]);
        coding_expect_page(target, k, 1, SIZE);
    }
}
END_TEST

/* Around where a body is too long for the loop, at the lowest and the highest levels. */
START_TEST(every_level)
{
    const struct coding *k = &codings[_i];
    char conf[2048] = "@X@ on;", target[64];
    int least = _i ? -5 : 0, most = _i ? 22 : 11;

    if (!*k->is_here)
        return;
    for (int level = least; level <= most; level++)
        if (level != 0 || !_i)
            snprintf(conf + strlen(conf), sizeof conf - strlen(conf),
                     "location /%d/ { alias @DIR@/html/; @X@_comp_level %d; }", level, level);
    for (int i = 0; i < 6; i++) {
        snprintf(target, sizeof target, "html/%d.html", i);
        coding_write_page(target, (unsigned)i, (size_t)(1 + 8200 * i));
    }
    coding_serve(k, TYPES, conf);
    for (int level = least; level <= most; level++)
        for (int i = 1; i < 6 && (level != 0 || !_i); i++) {
            snprintf(target, sizeof target, "/%d/%d.html", level, i);
            coding_expect_page(target, k, (unsigned)i, (size_t)(1 + 8200 * i));
        }
}
END_TEST

/* No two of the ways in which a file may be sent share a tag. */
START_TEST(tags_differ)
{
    static const char *const ways[][2] = {{"/a.html", ""},          {"/a.html", "gzip"},      {"/a.html", "br"},
                                          {"/a.html", "zstd"},      {"/side/a.html", "gzip"}, {"/side/a.html", "br"},
                                          {"/side/a.html", "zstd"}, {"/br/a.html", ""},       {"/zstd/a.html", ""}};
    enum { WAYS = sizeof ways / sizeof *ways };
    char tags[WAYS][80];

    if (!both())
        return;
    coding_write_page("html/a.html.br", 1, SIZE);
    coding_write_page("html/a.html.zst", 1, SIZE);
    coding_write_page("html/a.html.gz", 1, SIZE);
    site_serve_http(TYPES, "gzip on; brotli on; zstd on; gunzip on;"
                           "location /side/ { alias @DIR@/html/; gzip_static on; brotli_static on; zstd_static on; }"
                           "location /br/ { alias @DIR@/html/; brotli_static always; }"
                           "location /zstd/ { alias @DIR@/html/; zstd_static always; }");
    for (int i = 0; i < WAYS; i++) {
        struct site_response r;
        coding_ask(&r, "HEAD", ways[i][0], ways[i][1], "");
        ck_assert_ptr_nonnull(site_header(&r, "ETag"));
        snprintf(tags[i], sizeof tags[i], "%s", site_header(&r, "ETag"));
        site_response_free(&r);
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(tags[i], tags[j]);
    }
}
END_TEST

/* ---- what is kept ---- */

START_TEST(kept)
{
    const struct coding *k = &codings[_i];

    if (!*k->is_here)
        return;
    sleep(OLD_SEC);
    coding_serve(k, TYPES, "gzip on; @X@ on; location /9/ { alias @DIR@/html/; @X@_comp_level 9; }");
    for (unsigned round = 0; round < 3; round++) {
        struct site_response r;
        coding_expect_page("/a.html", k, 1, SIZE);
        coding_expect_page("/9/a.html", k, 1, SIZE);
        coding_ask(&r, "GET", "/a.html", "gzip", "");
        assert_header(&r, "Content-Encoding", "gzip");
        site_response_free(&r);
        ck_assert_uint_eq(coding_metric("hits_total"), 3 * round);
        ck_assert_uint_eq(coding_metric("misses_total"), 3);
        ck_assert_uint_eq(coding_metric("entries"), 3);
    }
    for (unsigned mark = 2; mark < 20; mark++) { /* of the same size and time */
        coding_write_page("html/a.html", mark, SIZE);
        coding_expect_page("/a.html", k, mark, SIZE);
    }
}
END_TEST

START_TEST(ratio_is_logged)
{
    const struct coding *k = &codings[_i];
    double first, again;

    if (!*k->is_here)
        return;
    sleep(OLD_SEC);
    char format[128];
    snprintf(format, sizeof format, TYPES "log_format c '%s';", coding_named(k, "$@X@_ratio $gzip_ratio;"));
    site_serve_http(format, coding_named(k, "@X@ on; access_log logs/c.log c;"));
    coding_expect_page("/a.html", k, 1, SIZE);
    coding_expect_page("/a.html", k, 1, SIZE);
    char *log = log_await_count("logs/c.log", ";", 2);
    ck_assert_msg(sscanf(log, "%lf -;\n%lf -;", &first, &again) == 2 && first > 10 && first - again == 0, "%s", log);
    free(log);
}
END_TEST

/* ---- what goes wrong ---- */

/* A file that becomes shorter while it is compressed: the response has no end. */
START_TEST(shorter_meanwhile)
{
    const struct coding *k = &codings[_i];
    struct site_client c;

    if (!*k->is_here)
        return;
    enum { MUCH = 30 << 20 };
    char *noise = malloc(MUCH);
    for (size_t i = 0; i < MUCH; i++)
        noise[i] = (char)(i * (i >> 8) >> 5);
    site_write_bytes("html/much.txt", noise, MUCH);
    free(noise);
    coding_serve(k, TYPES, "@X@ on; @X@_types *; @X@_comp_level 1; sendfile off; send_timeout 60s;");
    site_allow_alerts();
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /much.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n", k->name);
    ck_assert(client_fill(&c));
    ck_assert_int_eq(truncate(site_path("html/much.txt"), 1000), 0);
    while (client_fill(&c))
        ;
    ck_assert(memcmp(c.in + c.len - 5, "0\r\n\r\n", 5) != 0);
    client_close(&c);
    coding_expect_page("/a.html", k, 1, SIZE);
}
END_TEST

START_TEST(clients_that_leave)
{
    const struct coding *k = &codings[_i];

    if (!*k->is_here)
        return;
    coding_serve(k, TYPES, "@X@ on; @X@_types *; @X@_comp_level 9; send_timeout 60s;");
    for (int i = 0; i < 30; i++) {
        struct site_client c;
        client_open_sized(&c, site_port(0), 4096);
        client_say(&c, "GET /large.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n", k->name);
        if (i % 3 > 0)
            client_fill(&c);
        if (i % 2)
            client_reset(&c);
        else
            client_close(&c);
    }
    coding_expect_page("/a.html", k, 1, SIZE);
    site_stop(SIGTERM);
}
END_TEST

/* ---- configuration ---- */

START_TEST(configuration)
{
    static const char *const all[] = {"@X@_types text/plain;", "@X@_min_length 1k;", "@X@_buffers 16 8k;"};

    for (int i = 0; i < CODINGS; i++) {
        char off[64];
        for (size_t j = 0; j < sizeof all / sizeof *all; j++)
            expect_conf_server(coding_named(&codings[i], all[j]), NULL);
        expect_conf_server(coding_named(&codings[i], "@X@ maybe;"), "maybe");
        snprintf(off, sizeof off, "this sluice is built without it");
        expect_conf_server(coding_named(&codings[i], "@X@ on;"), *codings[i].is_here ? NULL : off);
        expect_conf_server(coding_named(&codings[i], "@X@ off;"), NULL);
        expect_conf_server(coding_named(&codings[i], "@X@_comp_level 23;"), "must be between");
        expect_conf_server(coding_named(&codings[i], "@X@_comp_level x;"), "invalid number");
        expect_conf_server(coding_named(&codings[i], "@X@_comp_level 11;"), NULL);
    }
    expect_conf_server("brotli_comp_level 0;", NULL);
    expect_conf_server("brotli_comp_level 12;", "between 0 and 11");
    expect_conf_server("brotli_comp_level -1;", "invalid number");
    expect_conf_server("brotli_window 1k;", NULL);
    expect_conf_server("brotli_window 16m;", NULL);
    expect_conf_server("brotli_window 32m;", "brotli_window");
    expect_conf_server("brotli_window 3k;", "brotli_window");
    expect_conf_server("zstd_comp_level -7;", NULL);
    expect_conf_server("zstd_comp_level 22;", NULL);
    expect_conf_server("zstd_comp_level 0;", "invalid number");
    expect_conf_server("zstd_comp_level -131073;", "between -131072 and 22");
    expect_conf_server("zstd_dict_file a;", "dictionary");
}
END_TEST

Suite *suite_codings(void);

Suite *suite_codings(void)
{
    Suite *s = suite_create("codings");
    TCase *tc = site_case_with(s, "codings", 60, pages);
    tcase_add_loop_test(tc, head_and_body, 0, CODINGS);
    tcase_add_test(tc, best_liked_one);
    tcase_add_loop_test(tc, which_responses, 0, CODINGS);
    tcase_add_loop_test(tc, every_way_of_reading, 0, CODINGS);
    tcase_add_loop_test(tc, every_level, 0, CODINGS);
    tcase_add_test(tc, tags_differ);
    tcase_add_loop_test(tc, kept, 0, CODINGS);
    tcase_add_loop_test(tc, ratio_is_logged, 0, CODINGS);
    tcase_add_http1_loop_test(tc, shorter_meanwhile, 0, CODINGS, "it looks at chunks");
    tcase_add_loop_test(tc, clients_that_leave, 0, CODINGS);
    tcase_add_test(tc, configuration);
    return s;
}
