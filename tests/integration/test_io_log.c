/* test_io_log.c - each io_method by itself, with HEAD and every kind of range; and what the log and
 * the counters say of how the bytes moved. */
#include "harness.h"
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE ((off_t)300001)

static void serve(const char *conf)
{
    char text[4096];
    snprintf(text, sizeof text,
             "@MAIN@\nevents { }\nhttp {\n@HTTP@\n"
             "log_format io '$request_method $uri $status $body_bytes_sent $io_method direct=$io_bytes_direct "
             "cached=$io_bytes_cached wait=$io_wait;';\n"
             "server {\nlisten 127.0.0.1:@PORT@;\naccess_log logs/io.log io;\nroot @DISK@/data;\n%s\n"
             "location = /status { status; access_log off; }\nlocation = /returned { return 200 text; }\n}\n}\n",
             conf);
    site_conf(text);
    site_start();
}

/* The line of a response: all of its bytes came one way. */
static void expect_line(const char *request_line, int status, off_t sent, const char *method)
{
    char line[256];
    bool direct = !strcmp(method, "direct"), none = !strcmp(method, "-");
    snprintf(line, sizeof line, "%s %d %jd %s direct=%jd cached=%jd wait=", request_line, status, (intmax_t)sent,
             method, (intmax_t)(direct ? sent : 0), (intmax_t)(direct || none ? 0 : sent));
    free(log_await("logs/io.log", line));
}

/* `way`: NULL where the metric is not by method. */
static double metric_of(const char *name, const char *way)
{
    char full[128];
    snprintf(full, sizeof full, way ? "%s{method=\"%s\"}" : "%s%s", name, way ? way : "");
    return site_metric(full);
}

static size_t fetch_range(off_t first, off_t last)
{
    char fields[96], range[96];
    struct site_response r;
    snprintf(fields, sizeof fields, "Range: bytes=%jd-%jd\r\n", (intmax_t)first, (intmax_t)last);
    site_request(&r, "GET", "/f", fields);
    ck_assert_int_eq(r.status, 206);
    snprintf(range, sizeof range, "bytes %jd-%jd/%jd", (intmax_t)first, (intmax_t)last, (intmax_t)SIZE);
    assert_header(&r, "Content-Range", range);
    ck_assert_uint_eq(r.len, (size_t)(last - first + 1));
    assert_pattern(r.body, r.len, first);
    size_t len = r.len;
    site_response_free(&r);
    return len;
}

/* Each part has its place and its bytes. */
static size_t fetch_parts(void)
{
    static const off_t ranges[][2] = {{7, 70000}, {511, 512}, {0, 0}, {250000, 299999}, {SIZE - 3, SIZE - 1}};
    struct site_response r;
    char mark[96];
    site_request(&r, "GET", "/f", "Range: bytes=7-70000,511-512,0-0,250000-299999,-3\r\n");
    ck_assert_int_eq(r.status, 206);
    ck_assert_int_eq(strncmp(site_header(&r, "Content-Type"), "multipart/byteranges; boundary=", 31), 0);
    const char *at = r.body, *end = r.body + r.len;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        size_t len = (size_t)(ranges[i][1] - ranges[i][0] + 1);
        snprintf(mark, sizeof mark, "Content-Range: bytes %jd-%jd/%jd\r\n\r\n", (intmax_t)ranges[i][0],
                 (intmax_t)ranges[i][1], (intmax_t)SIZE);
        at = memmem(at, (size_t)(end - at), mark, strlen(mark));
        ck_assert_msg(at, "no part %zu", i);
        at += strlen(mark);
        ck_assert_int_ge(end - at, (ptrdiff_t)len);
        assert_pattern(at, len, ranges[i][0]);
        at += len;
    }
    ck_assert_int_eq(strncmp(at, "\r\n--", 4), 0);
    size_t len = r.len;
    site_response_free(&r);
    return len;
}

static const struct forced {
    const char *conf, *method;
    const char *little; /* for a few bytes */
} forced[] = {
    {"io_method memory; open_file_cache max=9; open_file_cache_content 1m; directio 100k;", "memory", "memory"},
    {"io_method memory; directio 100k;", "buffered", "buffered"}, /* there is no content in memory */
    {"io_method sendfile; directio 100k; sendfile off;", "sendfile", "sendfile"},
    {"io_method mmap; directio 100k;", "mmap", "mmap"},
    {"io_method buffered; directio 100k;", "buffered", "buffered"},
    {"io_method direct; sendfile on;", "direct", "direct"},
    {"io_method direct; aio libaio;", "direct", "direct"},
    {"io_method direct; aio threads;", "direct", "direct"},
    {"io_method direct; aio off;", "direct", "direct"},
    {"io_method auto; directio 100k;", "direct", "direct"},
    {"io_method auto; sendfile off;", "buffered", "buffered"},
    {"io_method auto;", "sendfile", "buffered"},
};

START_TEST(method_forced)
{
    const char *method = forced[_i].method, *little = forced[_i].little;
    struct site_response r;
    double sent = 0, responses = 0, sent_little = 0, little_responses = 0;
    if (!strcmp(method, "direct") && !*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return;
    }
    site_pattern(site_data("f"), SIZE);
    pages_evict(site_data("f"));
    serve(forced[_i].conf);
    for (int i = 0; i < 2; i++) { /* cold and warm; what memory holds is there the second time, too */
        site_get(&r, "/f");
        ck_assert_uint_eq(r.len, (size_t)SIZE);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
        sent += SIZE;
        responses++;
    }
    expect_line("GET /f", 200, SIZE, method);
    site_request(&r, "HEAD", "/f", "");
    ck_assert_int_eq(strtoll(site_header(&r, "Content-Length"), NULL, 10), SIZE);
    site_response_free(&r);
    expect_line("HEAD /f", 200, 0, "-");
    static const off_t ranges[][2] = {{7, 70000}, {SIZE - 1, SIZE - 1}, {4096, 8191}, {0, SIZE - 1}, {511, SIZE - 2}};
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        size_t len = fetch_range(ranges[i][0], ranges[i][1]);
        bool is_little = len <= 8192 && strcmp(little, method) != 0;
        expect_line("GET /f", 206, (off_t)len, is_little ? little : method);
        *(is_little ? &sent_little : &sent) += (double)len;
        *(is_little ? &little_responses : &responses) += 1;
    }
    size_t len = fetch_parts();
    expect_line("GET /f", 206, (off_t)len, method);
    sent += (double)len;
    responses++;
    site_request(&r, "GET", "/f", "Range: bytes=300001-\r\n");
    ck_assert_int_eq(r.status, 416);
    expect_line("GET /f", 416, (off_t)r.len, "-");
    site_response_free(&r);
    ck_assert(metric_of("sluice_io_responses_total", method) == responses);
    ck_assert(metric_of("sluice_io_bytes_total", method) == sent);
    if (strcmp(little, method) != 0) {
        ck_assert(metric_of("sluice_io_responses_total", little) == little_responses);
        ck_assert(metric_of("sluice_io_bytes_total", little) == sent_little);
    }
    /* Direct reads are always waited for, a copy in memory never. */
    if (!strcmp(method, "direct") || !strcmp(method, "memory"))
        ck_assert(metric_of("sluice_disk_waits_total", NULL) == (*method == 'd' ? responses : 0));
    ck_assert(metric_of("sluice_direct_fallbacks_total", NULL) == 0);
    ck_assert(metric_of("sluice_disk_reads_in_flight", NULL) == 0);
    ck_assert(metric_of("sluice_direct_buffers_bytes", NULL) == 0);
}
END_TEST

START_TEST(no_method_without_body)
{
    struct site_response r;
    site_pattern(site_data("f"), SIZE);
    site_pattern(site_data("empty"), 0);
    serve("open_file_cache max=9; open_file_cache_content 1m;");
    site_request(&r, "GET", "/f", "If-None-Match: *\r\n");
    ck_assert_int_eq(r.status, 304);
    site_response_free(&r);
    expect_line("GET /f", 304, 0, "-");
    site_get(&r, "/none");
    expect_line("GET /none", 404, (off_t)r.len, "-");
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/empty"), 200);
    expect_line("GET /empty", 200, 0, "-");
    ck_assert_int_eq(site_status_of("/returned"), 200);
    expect_line("GET /returned", 200, 4, "-");
    ck_assert(metric_of("sluice_io_bytes_total", "memory") == 0);
}
END_TEST

/* Where they are set decides, as with any directive. */
START_TEST(method_of_each_level)
{
    char text[2048];
    site_pattern(site_data("f"), SIZE);
    site_pattern(site_data("a/f"), SIZE);
    site_pattern(site_data("a/b/f"), SIZE);
    snprintf(text, sizeof text,
             "@MAIN@\nevents { }\nhttp {\n@HTTP@\nlog_format io '$uri $io_method;'; access_log logs/io.log io;\n"
             "io_method mmap;\nserver { listen 127.0.0.1:@PORT@; root @DISK@/data;\n"
             "location /a/ { io_method buffered; location /a/b/ { io_method sendfile; } } }\n"
             "server { listen 127.0.0.1:@PORT1@; }\n}\n");
    site_conf(text);
    site_start();
    ck_assert_int_eq(site_status_of("/f"), 200);
    ck_assert_int_eq(site_status_of("/a/f"), 200);
    ck_assert_int_eq(site_status_of("/a/b/f"), 200);
    free(log_await("logs/io.log", "/f mmap;\n"));
    free(log_await("logs/io.log", "/a/f buffered;\n"));
    free(log_await("logs/io.log", "/a/b/f sendfile;\n"));
}
END_TEST

Suite *suite_io_log(void)
{
    Suite *s = suite_create("io_log");
    if (on_nginx()) /* has no $io_method and no io_method */
        return s;
    TCase *t = site_case(s, "io_log", 60);
    tcase_add_plain_loop_test(t, method_forced, 0, sizeof forced / sizeof *forced, "TLS takes memory only");
    tcase_add_test(t, no_method_without_body);
    tcase_add_plain_test(t, method_of_each_level, "TLS takes memory only");
    return s;
}
