/* test_io.c - which way a response's bytes move, as $io_method says it; files beyond 4 GiB; a page
 * cache left alone; every disk reader; files that change under a transfer. */
#include "harness.h"
#include "pages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)
#define GIB ((off_t)1 << 30)

static const char *events = ""; /* more of them */
static const char log_conf[] = "log_format io '$request_uri $status $body_bytes_sent $io_method';\n";

/* A server with `conf` that logs the method, over @DISK@/data. */
static void serve(const char *main_conf, const char *conf)
{
    char text[8192];
    snprintf(
        text, sizeof text,
        "@MAIN@\n%s\nevents { worker_connections 1024; %s }\nhttp {\n@HTTP@\n%sserver {\nlisten 127.0.0.1:@PORT@;\n"
        "access_log logs/io.log io;\nroot @DISK@/data;\n%s\n}\n}\n",
        main_conf, events, log_conf, conf);
    site_conf(text);
    site_start();
}

static void fetch(const char *target, const char *fields, off_t offset, off_t len)
{
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", target, fields);
    ck_assert_msg(client_head(&c, &r), "%s: closed", target);
    ck_assert_int_eq(r.status, *fields ? 206 : 200);
    ck_assert_int_eq(strtoll(site_header(&r, "Content-Length"), NULL, 10), len);
    client_expect_pattern(&c, offset, len);
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
}

static void expect_method(const char *target, int status, off_t sent, const char *method)
{
    char line[256];
    snprintf(line, sizeof line, "%s %d %jd %s\n", target, status, (intmax_t)sent, method);
    free(log_await("logs/io.log", line));
}

START_TEST(method_by_size)
{
    site_pattern(site_data("small"), 20000);
    site_pattern(site_data("below"), MIB - 1);
    site_pattern(site_data("at"), MIB);
    site_pattern(site_data("above"), MIB + 1);
    site_pattern(site_data("empty"), 0);
    serve("", "directio 1m;");
    fetch("/small", "", 0, 20000);
    expect_method("/small", 200, 20000, "sendfile");
    fetch("/below", "", 0, MIB - 1);
    expect_method("/below", 200, MIB - 1, "sendfile");
    fetch("/at", "", 0, MIB);
    expect_method("/at", 200, MIB, "direct");
    fetch("/above", "", 0, MIB + 1);
    expect_method("/above", 200, MIB + 1, "direct");
    /* The size of the file decides, not that of the range. */
    fetch("/above", "Range: bytes=5-9\r\n", 5, 5);
    expect_method("/above", 206, 5, "direct");
    fetch("/empty", "", 0, 0);
    expect_method("/empty", 200, 0, "-");
}
END_TEST

START_TEST(method_of_cached_content)
{
    site_pattern(site_data("tiny"), 4096);
    site_pattern(site_data("over"), 4097);
    site_pattern(site_data("empty"), 0);
    serve("", "open_file_cache max=100; open_file_cache_content 4k; directio 1m;");
    for (int i = 0; i < 3; i++) {
        fetch("/tiny", "", 0, 4096);
        fetch("/over", "", 0, 4097);
        fetch("/empty", "", 0, 0);
    }
    fetch("/tiny", "Range: bytes=100-199\r\n", 100, 100);
    expect_method("/tiny", 200, 4096, "memory");
    expect_method("/tiny", 206, 100, "memory");
    free(log_await_count("logs/io.log", "/over 200 4097", 3));
    char *log = log_await("logs/io.log", "/over 200 4097");
    ck_assert_ptr_null(strstr(log, "/over 200 4097 direct"));
    free(log);
}
END_TEST

START_TEST(sendfile_off)
{
    site_pattern(site_data("f"), 300001);
    serve("", "sendfile off;");
    fetch("/f", "", 0, 300001);
    char *log = log_await("logs/io.log", "/f 200 300001 ");
    ck_assert_ptr_null(strstr(log, "sendfile"));
    free(log);
}
END_TEST

START_TEST(thresholds_do_not_mix_in_the_cache)
{
    site_pattern(site_data("a/f"), 200000);
    serve("", "open_file_cache max=10;\n"
              "location /low/ { alias @DISK@/data/a/; directio 100k; }\nlocation /high/ { alias @DISK@/data/a/; "
              "directio 300k; }\n"
              "location /off/ { alias @DISK@/data/a/; directio off; sendfile off; }\n");
    for (int i = 0; i < 5; i++) {
        fetch("/low/f", "", 0, 200000);
        fetch("/high/f", "", 0, 200000);
        fetch("/off/f", "Range: bytes=3-150000\r\n", 3, 149998);
        fetch("/low/f", "Range: bytes=3-150000\r\n", 3, 149998);
    }
    char *log = log_await_count("logs/io.log", "/low/f 206 149998 direct\n", 5);
    ck_assert_uint_eq(count_text(log, "/low/f 200 200000 direct\n"), 5);
    ck_assert_uint_eq(count_text(log, "/high/f 200 200000 sendfile\n"), 5);
    free(log);
}
END_TEST

/* ---- beyond 4 GiB ---- */

/* 5 GiB + 12345, sparse, with something to recognise at its ends and around 4 GiB. */
#define HUGE_SIZE (5 * GIB + 12345)

static void write_huge(const char *path)
{
    site_pattern_at(path, 0, 65536);
    site_pattern_at(path, 2 * GIB - 40000, 80000);
    site_pattern_at(path, 4 * GIB - 70000, 140000);
    site_pattern_at(path, HUGE_SIZE - 65536, 65536);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, HUGE_SIZE);
}

static void fetch_huge(off_t first, off_t last)
{
    char expected[96];
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /huge HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=%jd-%jd\r\n\r\n",
               (intmax_t)first, (intmax_t)last);
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 206);
    snprintf(expected, sizeof expected, "bytes %jd-%jd/%jd", (intmax_t)first, (intmax_t)last, (intmax_t)HUGE_SIZE);
    assert_header(&r, "Content-Range", expected);
    client_expect_pattern(&c, first, last - first + 1);
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
}

static const char *const huge_confs[] = {
    "directio off; sendfile on;", "directio off; sendfile off;", "directio 4m;", "io_method mmap;",
    "directio 4m; aio libaio;",   "directio 4m; aio threads;"};

START_TEST(huge_file)
{
    if (on_nginx() && _i >= 3)
        return;
    write_huge(site_data("huge"));
    if (on_nginx()) {
        char conf[256];
        snprintf(conf, sizeof conf, "location / { root @DISK@/data; %s }", huge_confs[_i]);
        site_serve(conf);
    } else {
        serve("", huge_confs[_i]);
    }
    struct site_response r;
    site_request(&r, "HEAD", "/huge", "");
    assert_header(&r, "Content-Length", "5368721465");
    site_response_free(&r);
    fetch_huge(0, 65535);
    fetch_huge(2 * GIB - 40000, 2 * GIB + 39999);
    fetch_huge(4 * GIB - 1, 4 * GIB - 1);
    fetch_huge(4 * GIB, 4 * GIB);
    fetch_huge(4 * GIB - 70000, 4 * GIB + 69999);
    fetch_huge(4 * GIB - 13, 4 * GIB + 4099);
    fetch_huge(HUGE_SIZE - 65536, HUGE_SIZE - 1);
    fetch_huge(HUGE_SIZE - 1, HUGE_SIZE - 1);
    site_request(&r, "GET", "/huge", "Range: bytes=-10\r\n");
    assert_header(&r, "Content-Range", "bytes 5368721455-5368721464/5368721465");
    assert_pattern(r.body, r.len, HUGE_SIZE - 10);
    site_response_free(&r);
    site_request(&r, "GET", "/huge", "Range: bytes=5368721465-\r\n");
    ck_assert_int_eq(r.status, 416);
    assert_header(&r, "Content-Range", "bytes */5368721465");
    site_response_free(&r);
    /* The whole is promised in full; a client that has seen enough goes. */
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    assert_header(&r, "Content-Length", "5368721465");
    client_expect_pattern(&c, 0, 65536);
    site_response_free(&r);
    client_reset(&c);
}
END_TEST

START_TEST(huge_file_streams_past_4_gib)
{
    write_huge(site_data("huge"));
    serve("", _i ? "directio 4m;" : "");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    off_t start = 4 * GIB - 70000;
    client_say(&c, "GET /huge HTTP/1.1\r\nHost: a\r\nRange: bytes=%jd-%jd\r\n\r\n", (intmax_t)start,
               (intmax_t)(start + 64 * MIB - 1));
    ck_assert(client_head(&c, &r));
    client_expect_pattern(&c, start, 140000);
    client_skip(&c, 64 * MIB - 140000);
    site_response_free(&r);
    client_say(&c, "GET /huge HTTP/1.1\r\nHost: a\r\nRange: bytes=-1\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_pattern(r.body, 1, HUGE_SIZE - 1);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* ---- the page cache ---- */

START_TEST(direct_leaves_the_page_cache_alone)
{
    if (!*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return;
    }
    const off_t size = 16 * MIB + 777;
    const char *path = site_pattern(site_data("big"), size);
    if (!pages_evict(path)) {
        printf("skipped: pages cannot be evicted here\n");
        return;
    }
    serve("", "directio 4m;");
    fetch("/big", "", 0, size);
    ck_assert_uint_eq(pages_resident(path), 0);
    unsigned seed = 7;
    for (int i = 0; i < 60; i++) {
        char fields[96];
        off_t first = rand_r(&seed) % size;
        off_t last = first + rand_r(&seed) % (i % 2 ? 3000 : 3000000);
        if (last >= size)
            last = size - 1;
        snprintf(fields, sizeof fields, "Range: bytes=%jd-%jd\r\n", (intmax_t)first, (intmax_t)last);
        fetch("/big", fields, first, last - first + 1);
    }
    fetch("/big", "Range: bytes=-1\r\n", size - 1, 1);
    ck_assert_uint_eq(pages_resident(path), 0);
}
END_TEST

START_TEST(sendfile_fills_the_page_cache)
{
    const off_t size = 2 * MIB;
    const char *path = site_pattern(site_data("f"), size);
    if (!pages_evict(path))
        return;
    serve("", "directio off;");
    fetch("/f", "", 0, size);
    ck_assert_uint_gt(pages_resident(path), 0);
}
END_TEST

/* Threads of that name that the worker has started. */
static unsigned threads_named(const char *name)
{
    int worker = (int)site_worker();
    DIR *d = opendir(site_path("/proc/%d/task", worker));
    unsigned count = 0;
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        if (e->d_name[0] == '.')
            continue;
        char *comm = site_read(site_path("/proc/%d/task/%s/comm", worker, e->d_name), NULL);
        comm[strcspn(comm, "\n")] = '\0';
        count += strcmp(comm, name) == 0;
        free(comm);
    }
    closedir(d);
    return count;
}

/* io_uring waits for a short cold file itself, and for each part of it that is asked for; a thread
 * for a long one. What cannot be sent by sendfile is read in the same way. */
START_TEST(cold_small_files_need_no_thread)
{
    static const char *const confs[] = {"", "sendfile off;", "io_method mmap;"};
    const off_t sizes[] = {1, 4096, 8192, 65536, 100000, 2 * MIB};
    char name[32];
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "f%zu", i);
        if (!pages_evict(site_pattern(site_data(name), sizes[i]))) {
            printf("skipped: pages cannot be evicted here\n");
            return;
        }
    }
    serve("", confs[_i]);
    char *log = log_await("logs/error.log", "reading disks by ");
    bool uring = strstr(log, "reading disks by io_uring") != NULL;
    free(log);
    if (!uring) {
        printf("skipped: no io_uring here\n");
        return;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        snprintf(name, sizeof name, "/f%zu", i);
        fetch(name, "", 0, sizes[i]);
        if (sizes[i] < MIB)
            ck_assert_msg(threads_named("default") == 0, "%s: a thread for %jd bytes", confs[_i], (intmax_t)sizes[i]);
        if (_i != 1)
            ck_assert_uint_gt(pages_resident(site_data(name + 1)), 0);
    }
}
END_TEST

/* ---- readers ---- */

static const struct reader {
    const char *main_conf, *conf, *events;
} readers[] = {
    {"", "aio on;", ""},
    {"", "aio io_uring;", ""},
    {"", "aio libaio;", ""},
    {"", "aio threads;", ""},
    {"thread_pool mine threads=2 max_queue=8;", "aio threads=mine;", ""},
    {"", "aio off;", ""},
    {"", "aio on; output_buffers 1 4k;", ""},
    {"", "aio threads; output_buffers 8 64k;", ""},
    {"", "aio on; directio_alignment 4k; sendfile_max_chunk 32k;", ""},
    {"directio_memory 4m;", "aio on; output_buffers 4 512k;", ""},
    /* A full queue waits its turn. */
    {"", "aio io_uring; output_buffers 4 64k;", "worker_aio_requests 1;"},
    {"", "aio libaio; output_buffers 4 64k;", "worker_aio_requests 1;"},
    {"thread_pool default threads=1 max_queue=0;", "aio threads; output_buffers 4 64k;", ""},
    {"thread_pool default threads=1 max_queue=0;", "aio libaio; output_buffers 4 64k;", "worker_aio_requests 2;"},
};

enum { AT_ONCE = 12 };

/* True when client `i` has all that it asked for. */
static bool take_some(struct site_client *c, off_t *got, int i, off_t size)
{
    if (!client_has_input(c, 1))
        return false;
    off_t left = size - i * 1001 - *got, n = (off_t)c->len < left ? (off_t)c->len : left;
    client_expect_pattern(c, i * 1001 + *got, n);
    *got += n;
    return n == left;
}

/* Twelve responses under way together; each client takes what there is, in turn. */
static void fetch_at_once(off_t size)
{
    struct site_client c[AT_ONCE];
    off_t got[AT_ONCE] = {0};
    bool done[AT_ONCE] = {false};
    for (int i = 0; i < AT_ONCE; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=%d-\r\n\r\n", i * 1001);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        struct site_response r;
        ck_assert(client_head(&c[i], &r));
        site_response_free(&r);
    }
    int64_t deadline = now_msec() + scaled(20000);
    for (int left = AT_ONCE; left > 0;) {
        ck_assert_msg(now_msec() < deadline, "%d responses stand still", left);
        for (int i = 0; i < AT_ONCE; i++) {
            if (done[i] || !take_some(&c[i], &got[i], i, size))
                continue;
            done[i] = true;
            left--;
        }
    }
    for (int i = 0; i < AT_ONCE; i++) {
        ck_assert(client_ends(&c[i]));
        client_close(&c[i]);
    }
}

START_TEST(every_reader)
{
    const off_t size = 5 * MIB + 321;
    const char *path = site_pattern(site_data("big"), size);
    char conf[256];
    snprintf(conf, sizeof conf, "directio 1m; %s", readers[_i].conf);
    pages_evict(path);
    events = readers[_i].events;
    serve(readers[_i].main_conf, conf);
    fetch("/big", "", 0, size);
    fetch("/big", "Range: bytes=1-1\r\n", 1, 1);
    fetch("/big", "Range: bytes=511-70000\r\n", 511, 69490);
    fetch("/big", "Range: bytes=4096-8191\r\n", 4096, 4096);
    fetch("/big", "Range: bytes=-322\r\n", size - 322, 322);
    fetch_at_once(size);
    expect_method("/big", 200, size, "direct");
    expect_method("/big", 206, 1, "direct");
}
END_TEST

START_TEST(clients_that_go_leave_no_reads)
{
    const off_t size = 8 * MIB;
    pages_evict(site_pattern(site_data("big"), size));
    serve("", "directio 1m;");
    for (int i = 0; i < 60; i++) {
        struct site_client c;
        client_open_sized(&c, site_port(0), 4096);
        client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        if (i % 3)
            client_fill(&c);
        if (i % 2)
            client_reset(&c);
        else
            client_close(&c);
    }
    fetch("/big", "", 0, size);
}
END_TEST

/* ---- files that change ---- */

static const char *const changing[] = {"io_method sendfile;",           "io_method mmap;",
                                       "io_method buffered;",           "io_method direct;",
                                       "io_method direct; aio libaio;", "io_method direct; aio threads;"};
enum { CHANGING = sizeof changing / sizeof *changing };

static const char *changing_conf(int i)
{
    if (!on_nginx())
        return changing[i];
    return i == 0 ? "sendfile on;" : i == 3 ? "directio 1;" : "sendfile off;";
}

static void serve_plain(const char *conf)
{
    char text[256];
    snprintf(text, sizeof text, "location / { root @DISK@/data; %s }", conf);
    site_serve(text);
}

START_TEST(file_that_shrinks)
{
    const off_t size = 12 * MIB;
    char path[4096];
    snprintf(path, sizeof path, "%s", site_pattern(site_data("f"), size));
    serve_plain(changing_conf(_i));
    site_allow_alerts();
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 16384);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    client_expect_pattern(&c, 0, 30000);
    ck_assert_int_eq(truncate(path, 100), 0);
    /* What was read before may still come; then the response ends early: it is never padded to its
     * length. (Pages on their way from the page cache to the socket are zeroed by the kernel
     * itself, so bytes are compared for copies only.) */
    off_t got = 30000;
    while (c.len > 0 || client_fill(&c)) {
        ck_assert_int_lt(got, size);
        if (_i >= 2)
            assert_pattern(c.in, c.len, got);
        got += (off_t)c.len;
        c.len = 0;
    }
    ck_assert_int_lt(got, size);
    site_response_free(&r);
    client_close(&c);
    fetch("/f", "", 0, 100);
}
END_TEST

START_TEST(file_that_is_replaced)
{
    const off_t size = 6 * MIB;
    char path[4096], fresh[4096];
    snprintf(path, sizeof path, "%s", site_pattern(site_data("f"), size));
    snprintf(fresh, sizeof fresh, "%s", site_write(site_data("fresh"), "new\n"));
    serve_plain(changing_conf(_i));
    struct site_client c;
    struct site_response r;
    client_open_sized(&c, site_port(0), 16384);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    client_expect_pattern(&c, 0, 30000);
    ck_assert_int_eq(rename(fresh, path), 0);
    client_expect_pattern(&c, 30000, size - 30000);
    site_response_free(&r);
    client_close(&c);
    site_get(&r, "/f");
    ck_assert_str_eq(r.body, "new\n");
    site_response_free(&r);
}
END_TEST

START_TEST(replaced_file_is_seen_when_the_cache_entry_ends)
{
    site_write("html/f", "old\n");
    site_serve("open_file_cache max=10 inactive=10m; open_file_cache_valid 1s;");
    struct site_response r;
    for (int i = 0; i < 3; i++) {
        site_get(&r, "/f");
        ck_assert_str_eq(r.body, "old\n");
        site_response_free(&r);
    }
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s", site_write("html/fresh", "new!\n"));
    ck_assert_int_eq(rename(fresh, site_path("html/f")), 0);
    int64_t deadline = now_msec() + scaled(6000);
    for (bool seen = false; !seen; sleep_msec(100)) {
        ck_assert_int_lt(now_msec(), deadline);
        site_get(&r, "/f");
        seen = !strcmp(r.body, "new!\n");
        ck_assert(seen || !strcmp(r.body, "old\n"));
        site_response_free(&r);
    }
}
END_TEST

START_TEST(errors_in_the_cache)
{
    site_serve("open_file_cache max=10; open_file_cache_valid 1s; open_file_cache_errors on;");
    ck_assert_int_eq(site_status_of("/f"), 404);
    ck_assert_int_eq(site_status_of("/f"), 404);
    site_write("html/f", "here\n");
    int64_t deadline = now_msec() + scaled(6000);
    while (site_status_of("/f") == 404) {
        ck_assert_int_lt(now_msec(), deadline);
        sleep_msec(100);
    }
}
END_TEST

START_TEST(small_cache_under_many_files)
{
    char name[64];
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "html/%d", i);
        site_pattern(name, 100 * i + 1);
    }
    site_serve("open_file_cache max=7; open_file_cache_min_uses 2;");
    for (int i = 0; i < 240; i++) {
        struct site_response r;
        int n = (i * 17) % 60;
        site_get(&r, site_path("/%d", n));
        ck_assert_int_eq(r.status, 200);
        ck_assert_uint_eq(r.len, (size_t)(100 * n + 1));
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
}
END_TEST

Suite *suite_io(void)
{
    Suite *s = suite_create("io");
    if (!on_nginx()) { /* nginx has no $io_method and no io_method */
        TCase *method = site_case(s, "method", 60);
        tcase_add_plain_test(method, method_by_size, "TLS takes memory only");
        tcase_add_test(method, method_of_cached_content);
        tcase_add_test(method, sendfile_off);
        tcase_add_plain_test(method, thresholds_do_not_mix_in_the_cache, "TLS takes memory only");
        tcase_add_test(method, direct_leaves_the_page_cache_alone);
        tcase_add_test(method, sendfile_fills_the_page_cache);
        tcase_add_loop_test(method, cold_small_files_need_no_thread, 0, 3);
        tcase_add_loop_test(method, huge_file_streams_past_4_gib, 0, 2);
        TCase *reader = site_case(s, "reader", 60);
        tcase_add_loop_test(reader, every_reader, 0, sizeof readers / sizeof *readers);
        tcase_add_test(reader, clients_that_go_leave_no_reads);
    }
    TCase *file = site_case(s, "file", 60);
    tcase_add_loop_test(file, huge_file, 0, sizeof huge_confs / sizeof *huge_confs);
    tcase_add_loop_test(file, file_that_shrinks, 0, CHANGING);
    tcase_add_loop_test(file, file_that_is_replaced, 0, CHANGING);
    tcase_add_test(file, replaced_file_is_seen_when_the_cache_entry_ends);
    tcase_add_test(file, errors_in_the_cache);
    tcase_add_test(file, small_cache_under_many_files);
    return s;
}
