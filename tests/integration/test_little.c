/* test_little.c - files and ranges that are read behind the head, and those just too large for it:
 * the same bytes whatever the size, the offset, and the way; and files that change meanwhile. */
#include "harness.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE ((off_t)300001)

static const off_t sizes[] = {1,     100,   4095,  4096,  4097,  8191,  8192,  8193,  12287, 12288,
                              12289, 15500, 16000, 16383, 16384, 16385, 32768, 65535, 65536, 65537};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Ways around the defaults. */
static const char *const confs[] = {
    "",
    "sendfile off;",
    "aio off;",
    "aio threads;",
    "open_file_cache max=99;",
    "open_file_cache max=99; open_file_cache_content 9k;",
    "sendfile_max_chunk 1k;",
    "sendfile_max_chunk 1k; sendfile off;",
    "limit_rate 64m;",
    "io_method sendfile;",
    "io_method mmap;",
};
enum { CONFS = sizeof confs / sizeof *confs };

static void serve(const char *conf)
{
    char text[1024];

    snprintf(text, sizeof text,
             "@MAIN@\nevents { }\nhttp {\n@HTTP@\nlog_format io '$uri $body_bytes_sent $io_method;';\n"
             "server {\nlisten 127.0.0.1:@PORT@;\naccess_log logs/io.log io;\nroot @DISK@/data;\n%s\n}\n}\n",
             conf);
    site_conf(text);
    site_start();
}

static void name_of(off_t size, char name[32])
{
    snprintf(name, 32, "s%jd", (intmax_t)size);
}

/* Cold, then from memory, then all of them over one connection. */
START_TEST(whole_files)
{
    struct site_response r;
    struct site_client c;
    char name[32], target[40];

    for (size_t i = 0; i < SIZES; i++) {
        name_of(sizes[i], name);
        site_pattern(site_data(name), sizes[i]);
        pages_evict(site_data(name));
    }
    serve(confs[_i]);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < SIZES; i++) {
            snprintf(target, sizeof target, "/s%jd", (intmax_t)sizes[i]);
            site_get(&r, target);
            ck_assert_int_eq(r.status, 200);
            ck_assert_uint_eq(r.len, (size_t)sizes[i]);
            assert_pattern(r.body, r.len, 0);
            site_response_free(&r);
        }
    }
    client_open(&c, site_port(0));
    for (size_t i = 0; i < SIZES; i++)
        client_say(&c, "GET /s%jd HTTP/1.1\r\nHost: a\r\n\r\n", (intmax_t)sizes[i]);
    for (size_t i = 0; i < SIZES; i++) {
        ck_assert(client_receive(&c, &r));
        ck_assert_uint_eq(r.len, (size_t)sizes[i]);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
    client_close(&c);
}
END_TEST

/* At every kind of alignment, to every kind of end. */
START_TEST(single_ranges)
{
    static const off_t starts[] = {0, 1, 100, 4095, 4096, 4097, 8191, 8192, 65535, 65536, 131071, 200000};
    static const off_t lengths[] = {1, 2, 4095, 4096, 4097, 8191, 8192, 8193, 61440, 65535, 65536, 65537, 69632};
    struct site_response r;
    char field[96];

    site_pattern(site_data("f"), LARGE);
    pages_evict(site_data("f"));
    serve(confs[_i]);
    for (size_t s = 0; s < sizeof starts / sizeof *starts; s++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            snprintf(field, sizeof field, "Range: bytes=%jd-%jd\r\n", (intmax_t)starts[s],
                     (intmax_t)(starts[s] + lengths[l] - 1));
            site_request(&r, "GET", "/f", field);
            ck_assert_int_eq(r.status, 206);
            ck_assert_uint_eq(r.len, (size_t)lengths[l]);
            assert_pattern(r.body, r.len, starts[s]);
            site_response_free(&r);
        }
    }
}
END_TEST

/* Each part in its place, whatever its neighbours are. */
static void fetch_parts(const off_t (*ranges)[2], size_t count)
{
    char field[512] = "Range: bytes=", mark[96];
    struct site_response r;
    size_t n = strlen(field);

    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(field + n, sizeof field - n, "%s%jd-%jd", i ? "," : "", (intmax_t)ranges[i][0],
                              (intmax_t)ranges[i][1]);
    snprintf(field + n, sizeof field - n, "\r\n");
    site_request(&r, "GET", "/f", field);
    ck_assert_int_eq(r.status, 206);
    const char *at = r.body, *end = r.body + r.len;
    for (size_t i = 0; i < count; i++) {
        size_t len = (size_t)(ranges[i][1] - ranges[i][0] + 1);
        snprintf(mark, sizeof mark, "Content-Range: bytes %jd-%jd/%jd\r\n\r\n", (intmax_t)ranges[i][0],
                 (intmax_t)ranges[i][1], (intmax_t)LARGE);
        at = memmem(at, (size_t)(end - at), mark, strlen(mark));
        ck_assert_msg(at, "no part %zu", i);
        at += strlen(mark);
        ck_assert_int_ge(end - at, (ptrdiff_t)len);
        assert_pattern(at, len, ranges[i][0]);
        at += len;
    }
    ck_assert_msg(end - at == 28 && !strncmp(at, "\r\n--", 4) && !strncmp(end - 4, "--\r\n", 4), "%zd bytes behind",
                  end - at);
    site_response_free(&r);
}

START_TEST(several_ranges)
{
    static const off_t little[][2] = {{0, 1023}, {20000, 21023}, {50000, 51023}};
    static const off_t edges[][2] = {{0, 0}, {4095, 4096}, {8191, 8191}, {300000, 300000}};
    static const off_t mixed[][2] = {{5, 9}, {10000, 80000}, {100000, 100004}, {100005, 108196}, {108197, 116389}};
    static const off_t large[][2] = {{1, 65536}, {70001, 140000}, {150000, 300000}};
    static const off_t many[][2] = {{1, 4096},       {5000, 9095},   {10000, 14095},  {15000, 19095},
                                    {20000, 24095},  {25000, 29095}, {30000, 34095},  {35000, 35000},
                                    {40000, 300000}, {2, 4097},      {299999, 300000}};

    site_pattern(site_data("f"), LARGE);
    pages_evict(site_data("f"));
    serve(confs[_i]);
    for (int round = 0; round < 2; round++) {
        fetch_parts(little, sizeof little / sizeof *little);
        fetch_parts(edges, sizeof edges / sizeof *edges);
        fetch_parts(mixed, sizeof mixed / sizeof *mixed);
        fetch_parts(large, sizeof large / sizeof *large);
        fetch_parts(many, sizeof many / sizeof *many);
    }
}
END_TEST

/* ---- files that are not what they were when they were opened ---- */

static const struct changed {
    const char *conf;
    off_t size;
} changes[] = {
    {"", 6000},   {"sendfile off;", 6000},          {"sendfile off;", 100000}, {"aio off;", 6000}, {"", 20001},
    {"", 100001}, {"sendfile_max_chunk 1k;", 6000},
};

static void serve_kept(const struct changed *c)
{
    char conf[256];

    snprintf(conf, sizeof conf, "open_file_cache max=9; open_file_cache_valid 1h; open_file_cache_content off; %s",
             c->conf);
    site_pattern(site_data("f"), c->size);
    serve(conf);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(site_status_of("/f"), 200);
}

/* The response ends early, and says why; it is never padded, and no other bytes are in it. */
START_TEST(truncated)
{
    static const off_t left[] = {0, 1, 4095, 4096, 5000};
    const struct changed *what = &changes[_i];

    serve_kept(what);
    site_allow_alerts();
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        struct site_client c;
        site_pattern_at(site_data("f"), 0, (size_t)what->size);
        ck_assert_int_eq(truncate(site_data("f"), left[i]), 0);
        client_open(&c, site_port(0));
        client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        while (client_fill(&c))
            ;
        char *body = memmem(c.in, c.len, "\r\n\r\n", 4);
        size_t len = body ? c.len - (size_t)(body + 4 - c.in) : 0;
        ck_assert_msg(len <= (size_t)left[i], "%zu bytes of a file that has %jd", len, (intmax_t)left[i]);
        if (body)
            assert_pattern(body + 4, len, 0);
        client_close(&c);
    }
    free(log_await("logs/error.log", "was truncated while it was sent"));
}
END_TEST

/* What was promised, and not a byte more. */
START_TEST(grown)
{
    const struct changed *what = &changes[_i];
    struct site_response r;

    serve_kept(what);
    site_pattern_at(site_data("f"), what->size, 5000);
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, (size_t)what->size);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
}
END_TEST

Suite *suite_little(void)
{
    Suite *s = suite_create("little");
    TCase *t = site_case(s, "bytes", 60);

    if (on_nginx())
        return s;
    tcase_add_loop_test(t, whole_files, 0, CONFS);
    tcase_add_loop_test(t, single_ranges, 0, CONFS);
    tcase_add_loop_test(t, several_ranges, 0, CONFS);
    TCase *changed = site_case(s, "changed", 60);
    tcase_add_loop_test(changed, truncated, 0, sizeof changes / sizeof *changes);
    tcase_add_loop_test(changed, grown, 0, sizeof changes / sizeof *changes);
    return s;
}
