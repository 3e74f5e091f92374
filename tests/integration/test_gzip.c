/* test_gzip.c - compression on the fly, its undoing, chunks and trailers: who gets it, that the
 * bytes are right, and what the head says. */
#include "harness.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MTIME = 1600000000, LARGE = 3000001 };

/* What gzip(1) makes of `bytes`, on the heap. */
static char *through(const char *command, const void *bytes, size_t len, size_t *out_len)
{
    char line[9000], in[4200];
    snprintf(in, sizeof in, "%s", site_write_bytes("tmp.in", bytes, len));
    snprintf(line, sizeof line, "%s <%s >%s.out", command, in, in);
    ck_assert_msg(system(line) == 0, "%s failed", line);
    char *out = site_read("tmp.in.out", out_len);
    ck_assert_ptr_nonnull(out);
    return out;
}

static void write_packed(const char *name, const char *text)
{
    size_t len;
    char *packed = through("gzip -nc", text, strlen(text), &len);
    site_write_bytes(name, packed, len);
    free(packed);
}

/* Unpacks in place. */
static void unpack(struct site_response *r)
{
    size_t len;
    assert_header(r, "Content-Encoding", "gzip");
    char *plain = through("gzip -dc", r->body, r->len, &len);
    free(r->body);
    r->body = plain;
    r->len = len;
}

static const char sentence[] =
    "A text that is long enough to be worth it, and not so long that anybody would read it twice.\n";

#define LOG_FORMAT "log_format r '$sent_http_content_encoding $gzip_ratio;';"

static void pages(void)
{
    site_write("html/a.txt", sentence);
    site_set_mtime("html/a.txt", MTIME);
    site_write("html/a.html", sentence);
    site_write("html/a.js", sentence);
    site_write("html/a.bin", sentence);
    site_write("html/19.txt", "1234567890123456789");
    site_write("html/20.txt", "12345678901234567890");
    site_pattern("html/large.txt", LARGE);
}

#define TYPES "types { text/html html; text/plain txt; text/javascript js; application/x-bin bin; }"

static void ask(struct site_response *r, const char *method, const char *target, const char *more)
{
    char fields[512];
    snprintf(fields, sizeof fields, "Accept-Encoding: gzip\r\n%s", more);
    site_request(r, method, target, fields);
}

static bool compressed(const char *target, const char *more)
{
    struct site_response r;
    ask(&r, "GET", target, more);
    bool is = site_header(&r, "Content-Encoding") != NULL;
    site_response_free(&r);
    return is;
}

START_TEST(head_and_body)
{
    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types text/plain; gzip_vary on; add_header X-A 1;");
    struct site_response r;
    ask(&r, "GET", "/a.txt", "");
    ck_assert_int_eq(r.status, 200);
    ck_assert(r.chunked);
    assert_header(&r, "Content-Length", NULL);
    assert_header(&r, "Accept-Ranges", NULL);
    assert_header(&r, "Vary", "Accept-Encoding");
    assert_header(&r, "ETag", on_nginx() ? "W/\"5f5e1000-5d\"" : "W/\"5f5e1000-5d-gzip\"");
    assert_header(&r, "Content-Type", "text/plain");
    ck_assert(strstr(r.head, "X-A") < strstr(r.head, "Content-Encoding"));
    unpack(&r);
    ck_assert_str_eq(r.body, sentence);
    site_response_free(&r);

    site_get(&r, "/a.txt");
    assert_header(&r, "Content-Length", "93");
    assert_header(&r, "Accept-Ranges", "bytes");
    assert_header(&r, "Vary", "Accept-Encoding");
    assert_header(&r, "ETag", "\"5f5e1000-5d\"");
    assert_header(&r, "Content-Encoding", NULL);
    ck_assert_str_eq(r.body, sentence);
    site_response_free(&r);
}
END_TEST

/* Content in memory, read through the page cache, by O_DIRECT, mapped; all sizes of buffers. */
START_TEST(every_way_of_reading)
{
    site_serve_http(LOG_FORMAT, TYPES
                    "gzip on; gzip_types *;"
                    "location /memory/ { alias @DIR@/html/; open_file_cache max=10; open_file_cache_content 8m; }"
                    "location /buffered/ { alias @DIR@/html/; sendfile off; gzip_buffers 1 4k; }"
                    "location /direct/ { alias @DIR@/html/; directio 64k; gzip_comp_level 9; gzip_buffers 1000 1m; }"
                    "location /mmap/ { alias @DIR@/html/; io_method mmap; gzip_window 512; gzip_hash 512; }"
                    "location /sync/ { alias @DIR@/html/; aio off; }");
    static const char *const ways[] = {"", "/memory", "/memory", "/buffered", "/direct", "/mmap", "/sync"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        struct site_response r;
        char target[64];
        snprintf(target, sizeof target, "%s/large.txt", ways[i]);
        ask(&r, "GET", target, "");
        ck_assert_int_eq(r.status, 200);
        unpack(&r);
        ck_assert_msg(r.len == LARGE, "%s: %zu bytes", ways[i], r.len);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
}
END_TEST

/* From deflate's least memory to its most. */
START_TEST(every_size_of_hash)
{
    enum { LEAST = 512, MOST = 128 << 10, TEXT = 40000 }; /* long enough for the whole window */
    char conf[2048] = TYPES "gzip on; gzip_types *;", target[64];
    size_t len = strlen(conf);

    site_pattern("html/text.txt", TEXT);
    for (int size = LEAST; size <= MOST; size *= 2)
        len += (size_t)snprintf(conf + len, sizeof conf - len, "location /%d/ { alias @DIR@/html/; gzip_hash %d; }",
                                size, size);
    site_serve_http("", conf);
    for (int size = LEAST; size <= MOST; size *= 2) {
        struct site_response r;
        snprintf(target, sizeof target, "/%d/text.txt", size);
        ask(&r, "GET", target, "");
        ck_assert_msg(r.status == 200, "gzip_hash %d: %d", size, r.status);
        unpack(&r);
        ck_assert_uint_eq(r.len, TEXT);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(which_responses)
{
    site_serve_http(LOG_FORMAT,
                    TYPES "gzip on; gzip_types text/plain application/javascript;"
                          "location /all/ { alias @DIR@/html/; gzip_types *; gzip_min_length 0; }"
                          "location /off/ { alias @DIR@/html/; gzip off; }"
                          "location /long/ { alias @DIR@/html/; gzip_min_length 1000; }"
                          "location /text { return 200 \"123456789012345678901\"; default_type text/plain; }"
                          "location /short { return 200 short; default_type text/plain; }"
                          "location /403 { return 403; } location /500 { return 500; } location /302 { return 302 /; }"
                          "location /201 { return 201 \"123456789012345678901\"; }"
                          "location /list/ { alias @DIR@/html/; autoindex on; }");
    static const struct {
        const char *target;
        bool is;
    } rows[] = {
        {"/a.txt", true},       {"/a.html", true},
        {"/a.bin", false},      {"/19.txt", false},
        {"/20.txt", true},      {"/all/a.bin", true},
        {"/all/19.txt", true},  {"/off/a.txt", false},
        {"/long/a.txt", false}, {"/long/large.txt", true},
        {"/text", true},        {"/short", false},
        {"/403", true},         {"/404", true},
        {"/500", false},        {"/302", false},
        {"/201", false},        {"/list/", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(compressed(rows[i].target, "") == rows[i].is, "%s is %scompressed", rows[i].target,
                      rows[i].is ? "not " : "");
    ck_assert(on_nginx() || compressed("/a.js", "")); /* JavaScript by its other name */
    struct site_response r;
    ask(&r, "GET", "/404", "");
    ck_assert_int_eq(r.status, 404);
    unpack(&r);
    ck_assert_ptr_nonnull(strstr(r.body, "404 Not Found"));
    site_response_free(&r);
}
END_TEST

START_TEST(which_clients)
{
    site_serve_http(
        LOG_FORMAT,
        TYPES "gzip on; gzip_types text/plain; gzip_disable \"Foo[0-9]\" msie6;"
              "location /e/ { alias @DIR@/html/; gzip_proxied expired; expires $arg_e; }"
              "location /c/ { alias @DIR@/html/; gzip_proxied no-store private; add_header Cache-Control $arg_c; }"
              "location /t/ { alias @DIR@/html/; gzip_proxied no_etag; }"
              "location /tt/ { alias @DIR@/html/; gzip_proxied no_etag; etag off; }");
    static const struct {
        const char *target, *fields;
        bool is;
    } rows[] = {
        {"/a.txt", "User-Agent: foo1\r\n", false},
        {"/a.txt", "User-Agent: foo\r\n", true},
        {"/a.txt", "User-Agent: MSIE 5.5; x\r\n", false},
        {"/a.txt", "Via: 1.1 x\r\n", false},
        {"/e/a.txt?e=-1", "Via: 1.1 x\r\n", true},
        {"/e/a.txt?e=epoch", "Via: 1.1 x\r\n", true},
        {"/e/a.txt?e=1h", "Via: 1.1 x\r\n", false},
        {"/e/a.txt?e=1h", "", true},
        {"/c/a.txt?c=max-age=1,%20no-store", "Via: 1.1 x\r\n", false}, /* the variable is not decoded */
        {"/c/a.txt?c=max-age=1,no-store", "Via: 1.1 x\r\n", true},
        {"/c/a.txt?c=Private", "Via: 1.1 x\r\n", true},
        {"/c/a.txt?c=no-cache", "Via: 1.1 x\r\n", false},
        {"/t/a.txt", "Via: 1.1 x\r\n", false},
        {"/tt/a.txt", "Via: 1.1 x\r\n", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        ck_assert_msg(compressed(rows[i].target, rows[i].fields) == rows[i].is, "%s, %s is %scompressed",
                      rows[i].target, rows[i].fields, rows[i].is ? "not " : "");
}
END_TEST

START_TEST(ranges_and_conditions)
{
    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types text/plain; gzip_vary on;");
    struct site_response r;
    ask(&r, "GET", "/a.txt", "Range: bytes=0-3\r\n");
    ck_assert_int_eq(r.status, 200);
    unpack(&r);
    ck_assert_str_eq(r.body, sentence);
    site_response_free(&r);
    ask(&r, "GET", "/a.txt", "Range: bytes=999-\r\n");
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    ask(&r, "GET", "/a.txt",
        on_nginx() ? "If-None-Match: W/\"5f5e1000-5d\"\r\n" : "If-None-Match: W/\"5f5e1000-5d-gzip\"\r\n");
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "Content-Encoding", NULL);
    assert_header(&r, "Transfer-Encoding", NULL);
    assert_header(&r, "Vary", on_nginx() ? NULL : "Accept-Encoding");
    site_response_free(&r);
    ask(&r, "GET", "/a.txt", "If-Match: W/\"5f5e1000-5d-gzip\"\r\n");
    ck_assert_int_eq(r.status, 412);
    site_response_free(&r);
    site_request(&r, "GET", "/a.txt", "Range: bytes=2-5\r\n");
    ck_assert_int_eq(r.status, 206);
    ck_assert_str_eq(r.body, "text");
    assert_header(&r, "Vary", "Accept-Encoding");
    site_response_free(&r);
}
END_TEST

START_TEST(head_and_the_next_request)
{
    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types text/plain;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 3; i++)
        client_say(&c, "HEAD /%s HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n", i % 2 ? "large.txt" : "a.txt");
    for (int i = 0; i < 3; i++) {
        ck_assert(client_receive_head(&c, &r));
        ck_assert_int_eq(r.status, 200);
        assert_header(&r, "Content-Encoding", "gzip");
        assert_header(&r, "Content-Length", NULL);
        assert_header(&r, "Transfer-Encoding", NULL);
        assert_header(&r, "Connection", "keep-alive");
        site_response_free(&r);
    }
    for (int i = 0; i < 6; i++) /* compressed and not, in turn, all asked for at once */
        client_say(&c, "GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n", i % 2 ? "large.txt" : "a.txt",
                   i % 3 ? "Accept-Encoding: gzip\r\n" : "");
    for (int i = 0; i < 6; i++) {
        ck_assert(client_receive(&c, &r));
        if (i % 3)
            unpack(&r);
        ck_assert_uint_eq(r.len, i % 2 ? LARGE : strlen(sentence));
        site_response_free(&r);
    }
    client_close(&c);
}
END_TEST

/* ---- short bodies, in the loop, and longer ones ---- */

enum { NOISE = 70 * 1000 };

/* Bytes that no compressor makes shorter. */
static void write_noise(const char *name, size_t len)
{
    static char bytes[NOISE];
    unsigned x = 1;

    for (size_t i = 0; i < len; i++) {
        x = x * 1103515245 + 12345;
        bytes[i] = (char)(x >> 16);
    }
    site_write_bytes(name, bytes, len);
}

/* Around the lengths up to which bodies are compressed in the loop, by small buffers and large
 * ones. */
START_TEST(all_lengths)
{
    static const int lengths[] = {3072, 3073, 6144, 6145, 8192, 8193, 16122, 16123, 20480, 20481, 32768, 32769, NOISE};
    site_serve_http(LOG_FORMAT,
                    TYPES "gzip on; gzip_types *; location /1/ { alias @DIR@/html/; gzip_buffers 1 4k; }"
                          "location /6/ { alias @DIR@/html/; gzip_comp_level 6; open_file_cache max=10; "
                          "open_file_cache_content 1m; open_file_cache_valid 0; } location /9/ { alias @DIR@/html/; "
                          "gzip_comp_level 9; }");
    for (size_t i = 0; i < 6 * sizeof lengths / sizeof *lengths; i++) {
        struct site_response r;
        size_t length = (size_t)lengths[i / 6], plain_length;
        char target[32];
        if (i % 6 < 3)
            site_pattern("html/b.txt", (off_t)length);
        else
            write_noise("html/b.txt", length);
        snprintf(target, sizeof target, "/%d/%s", (const int[]){1, 6, 9}[i % 3], "b.txt");
        char *plain = site_read("html/b.txt", &plain_length);
        ask(&r, "GET", target, "");
        unpack(&r);
        ck_assert_msg(r.len == length && memcmp(r.body, plain, length) == 0, "%s: %zu bytes of %zu", target, r.len,
                      length);
        free(plain);
        site_response_free(&r);
    }
}
END_TEST

/* Threads of the worker's pool, which bear its name. */
static unsigned pool_threads(void)
{
    unsigned count = 0;
    int worker = (int)site_worker();
    DIR *d = opendir(site_path("/proc/%d/task", worker));

    ck_assert_ptr_nonnull(d);
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        char *name = site_read(site_path("/proc/%d/task/%s/comm", worker, e->d_name), NULL);
        count += name && strcmp(name, "default\n") == 0;
        free(name);
    }
    closedir(d);
    return count;
}

/* A page of usual size needs no thread: the pool's are started when they are first needed. */
START_TEST(pages_in_the_loop)
{
    struct site_response r;

    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types *;");
    site_pattern("html/page.txt", 20480);
    site_get(&r, "/page.txt");
    site_response_free(&r);
    unsigned before = pool_threads();
    for (int i = 0; i < 3; i++) {
        ask(&r, "GET", "/page.txt", "");
        unpack(&r);
        ck_assert_uint_eq(r.len, 20480);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
    ck_assert(on_nginx() || pool_threads() == before);
}
END_TEST

static void ask_old(struct site_response *r, const char *target, const char *version, const char *fields)
{
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/%s\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: keep-alive\r\n%s\r\n", target,
               version, fields);
    ck_assert(client_receive(&c, r));
    ck_assert(!r->until_close || client_ends(&c));
    client_close(&c);
}

START_TEST(without_chunks)
{
    site_serve_http(LOG_FORMAT,
                    TYPES "gzip on; gzip_types text/plain; location /10/ { alias @DIR@/html/; gzip_http_version 1.0; }"
                          "location /no/ { alias @DIR@/html/; chunked_transfer_encoding off; }");
    struct site_response r;
    ask_old(&r, "/a.txt", "1.0", "");
    assert_header(&r, "Content-Encoding", NULL);
    assert_header(&r, "Connection", "keep-alive");
    site_response_free(&r);
    static const struct {
        const char *target, *version;
    } rows[] = {{"/10/large.txt", "1.0"}, {"/no/large.txt", "1.1"}};
    for (int i = 0; i < 2; i++) {
        ask_old(&r, rows[i].target, rows[i].version, "");
        ck_assert(r.until_close);
        assert_header(&r, "Connection", "close");
        assert_header(&r, "Transfer-Encoding", NULL);
        unpack(&r);
        ck_assert_uint_eq(r.len, LARGE);
        assert_pattern(r.body, r.len, 0);
        site_response_free(&r);
    }
}
END_TEST

START_TEST(ratio_is_logged)
{
    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types text/plain; access_log logs/r.log r;");
    struct site_response r;
    ask(&r, "GET", "/large.txt", "");
    double taken = LARGE;
    unpack(&r);
    site_response_free(&r);
    site_get(&r, "/large.txt");
    site_response_free(&r);
    char *log = log_await_count("logs/r.log", ";", 2);
    double ratio;
    ck_assert_msg(sscanf(log, "gzip %lf;", &ratio) == 1 && ratio > 0.5 && ratio < taken, "%s", log);
    ck_assert_msg(strstr(log, "- -;") != NULL, "%s", log);
    free(log);
}
END_TEST

/* Clients that go away in the middle, or never read: the next ones are served, and at the end
 * nothing is left (the sanitizers see to that). */
START_TEST(clients_that_leave)
{
    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types text/plain; gzip_comp_level 9; send_timeout 60s;");
    for (int i = 0; i < 30; i++) {
        struct site_client c;
        client_open_sized(&c, site_port(0), 4096);
        client_say(&c, "GET /large.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        if (i % 3 > 0)
            client_fill(&c);
        if (i % 2)
            client_reset(&c);
        else
            client_close(&c);
    }
    struct site_client stuck;
    client_open_sized(&stuck, site_port(0), 4096);
    client_say(&stuck, "GET /large.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    struct site_response r;
    ask(&r, "GET", "/large.txt", "");
    unpack(&r);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
    site_stop(SIGTERM);
    client_close(&stuck);
}
END_TEST

START_TEST(many_at_once)
{
    enum { CLIENTS = 24 };
    struct site_client c[CLIENTS];
    site_serve_http(LOG_FORMAT, TYPES "gzip on; gzip_types text/plain;");
    for (int i = 0; i < CLIENTS; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /large.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
    }
    for (int i = 0; i < CLIENTS; i++) {
        struct site_response r;
        ck_assert(client_receive(&c[i], &r));
        unpack(&r);
        ck_assert_uint_eq(r.len, LARGE);
        site_response_free(&r);
        client_close(&c[i]);
    }
}
END_TEST

/* ---- gunzip ---- */

START_TEST(gunzip)
{
    site_serve_http(
        LOG_FORMAT, TYPES
        "gzip_static always; gunzip on; gzip_vary on; location /small/ { alias @DIR@/html/; gunzip_buffers 1 512; }");
    write_packed("html/p.txt.gz", sentence);
    char *large = calloc(1, LARGE + 1);
    memset(large, 'x', LARGE);
    write_packed("html/zeros.txt.gz", large);
    free(large);
    site_set_mtime("html/p.txt.gz", MTIME);
    struct site_response r;
    char etag[80];
    ask(&r, "GET", "/p.txt", "");
    snprintf(etag, sizeof etag, "%s", site_header(&r, "ETag"));
    unpack(&r);
    ck_assert_str_eq(r.body, sentence);
    assert_header(&r, "Vary", "Accept-Encoding");
    site_response_free(&r);

    site_get(&r, "/p.txt");
    ck_assert_str_eq(r.body, sentence);
    assert_header(&r, "Content-Encoding", NULL);
    assert_header(&r, "Accept-Ranges", NULL);
    assert_header(&r, "Vary", "Accept-Encoding");
    ck_assert(!strncmp(site_header(&r, "ETag"), "W/", 2));
    ck_assert(!strcmp(site_header(&r, "ETag") + 2, etag) == on_nginx()); /* of another coding: another tag */
    site_response_free(&r);
    site_request(&r, "GET", "/p.txt", "Range: bytes=0-3\r\n");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, sentence);
    site_response_free(&r);
    site_request(&r, "HEAD", "/p.txt", "");
    assert_header(&r, "Content-Length", NULL);
    assert_header(&r, "Transfer-Encoding", NULL);
    site_response_free(&r);
    static const char *const targets[] = {"/zeros.txt", "/small/zeros.txt"};
    for (int i = 0; i < 2; i++) {
        site_get(&r, targets[i]);
        ck_assert_uint_eq(r.len, LARGE);
        ck_assert_uint_eq(strspn(r.body, "x"), LARGE);
        site_response_free(&r);
    }
}
END_TEST

/* What is no gzip, or ends early: the response is cut off, never passed off as complete. */
START_TEST(gunzip_of_broken_files)
{
    site_serve_http(LOG_FORMAT, TYPES "gzip_static always; gunzip on;");
    site_allow_alerts();
    size_t len;
    char *packed = through("gzip -nc", sentence, strlen(sentence), &len);
    site_write_bytes("html/cut.txt.gz", packed, len - 9);
    free(packed);
    site_write("html/bad.txt.gz", "this is not gzip, whatever its name says");
    static const char *const targets[] = {"/cut.txt", "/bad.txt"};
    for (int i = 0; i < 2; i++) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", targets[i]);
        while (client_fill(&c))
            ;
        ck_assert(c.len < 5 || memcmp(c.in + c.len - 5, "0\r\n\r\n", 5) != 0);
        client_close(&c);
    }
    ck_assert_int_eq(site_status_of("/a.txt"), 200);
}
END_TEST

/* ---- trailers ---- */

/* All that comes for a request on a connection of its own; free it. */
static char *raw(const char *target, const char *version, const char *fields)
{
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/%s\r\nHost: a\r\nConnection: close\r\n%s\r\n", target, version, fields);
    while (client_fill(&c))
        ;
    char *all = strndup(c.in, c.len);
    client_close(&c);
    return all;
}

START_TEST(trailers)
{
    site_serve_http(LOG_FORMAT,
                    TYPES "add_trailer X-S $status; add_trailer X-N \"\"; add_trailer X-V \"$arg_v.\" always;"
                          "location /no/ { alias @DIR@/html/; chunked_transfer_encoding off; }"
                          "location /gz/ { alias @DIR@/html/; gzip on; gzip_types *; }");
    char *all = raw("/a.txt?v=1", "1.1", "");
    ck_assert_msg(strstr(all, "Transfer-Encoding: chunked\r\n"), "%s", all);
    ck_assert_ptr_null(strstr(all, "Content-Length"));
    char *body = strstr(all, "\r\n\r\n") + 4;
    char expected[300];
    snprintf(expected, sizeof expected, "5d\r\n%s\r\n0\r\nX-S: 200\r\nX-V: 1.\r\n\r\n", sentence);
    ck_assert_str_eq(body, expected);
    free(all);
    all = raw("/none", "1.1", "");
    ck_assert_msg(strstr(all, "0\r\nX-V: .\r\n\r\n") != NULL, "%s", all);
    free(all);
    all = raw("/gz/a.txt", "1.1", "Accept-Encoding: gzip\r\n");
    ck_assert(strstr(all, "Content-Encoding: gzip\r\n") != NULL);
    free(all);
    all = raw("/a.txt", "1.0", "");
    ck_assert_msg(strstr(all, "Content-Length: 93\r\n") && !strstr(all, "X-S"), "%s", all);
    free(all);
    all = raw("/no/a.txt", "1.1", "");
    ck_assert_msg(strstr(all, "Content-Length: 93\r\n") && !strstr(all, "X-S"), "%s", all);
    free(all);
    all = raw("/a.txt", "1.1", "Range: bytes=0-1\r\n");
    ck_assert_msg(strstr(all, "206 Partial") && strstr(all, "\r\n2\r\nA \r\n0\r\n"), "%s", all);
    free(all);
    struct site_response r;
    site_request(&r, "HEAD", "/a.txt", "");
    assert_header(&r, "Content-Length", "93");
    site_response_free(&r);
    site_request(&r, "GET", "/a.txt", "If-None-Match: *\r\n");
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "Transfer-Encoding", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(large_with_trailers)
{
    site_serve_http(LOG_FORMAT, TYPES "add_trailer X-S $status;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /large.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    size_t got = 0;
    char line[64];
    for (;;) {
        while (!memchr(c.in, '\n', c.len))
            ck_assert(client_fill(&c));
        size_t len = (size_t)((char *)memchr(c.in, '\n', c.len) - c.in) + 1;
        snprintf(line, sizeof line, "%.*s", (int)len, c.in);
        size_t n = strtoul(line, NULL, 16);
        client_skip(&c, (off_t)len);
        if (n == 0)
            break;
        client_expect_pattern(&c, (off_t)got, (off_t)n);
        client_skip(&c, 2);
        got += n;
    }
    ck_assert_uint_eq(got, LARGE);
    while (c.len < 12)
        ck_assert(client_fill(&c));
    ck_assert_int_eq(memcmp(c.in, "X-S: 200\r\n\r\n", 12), 0);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* ---- the configuration ---- */

static const struct {
    const char *line, *error; /* NULL: it is fine */
} lines[] = {
    {"gzip on; gzip_buffers 32 4k; gzip_comp_level 6; gzip_disable \"MSIE [1-6]\\.\"; gzip_http_version 1.0;", NULL},
    {"gzip_min_length 1k; gzip_proxied expired no-cache no-store private no_last_modified no_etag auth;", NULL},
    {"gzip_types text/css application/json; gzip_types text/xml; gzip_vary on; gunzip on; gunzip_buffers 2 8k;", NULL},
    {"gzip_window 16k; gzip_hash 32k; gzip_no_buffer on; postpone_gzipping 0; chunked_transfer_encoding on;", NULL},
    {"gzip maybe;", "invalid value \"maybe\" in \"gzip\" directive, it must be \"on\" or \"off\""},
    {"gzip_comp_level 10;", "between 1 and 9"},
    {"gzip_comp_level 0;", "between 1 and 9"},
    {"gzip_window 100;", "power of two"},
    {"gzip_window 64k;", "power of two"},
    {"gzip_http_version 2.0;", "invalid value \"2.0\""},
    {"gzip_proxied some;", "invalid value \"some\""},
    {"gzip_disable \"(\";", "pcre2_compile() failed"},
    {"gzip_types;", "number of arguments"},
    {"gzip_buffers 4;", "number of arguments"},
    {"add_trailer X;", "number of arguments"},
    {"add_trailer \"X Y\" 1;", "invalid header name"},
    {"add_trailer X Y sometimes;", "invalid parameter"},
};

START_TEST(configuration)
{
    struct site_run run;
    if (on_nginx() && !lines[_i].error)
        return;
    site_conf_server(lines[_i].line);
    site_check(&run);
    if (!lines[_i].error)
        ck_assert_msg(run.status == 0, "%s: %s", lines[_i].line, run.err);
    else if (!on_nginx())
        ck_assert_msg(run.status != 0 && strstr(run.err, lines[_i].error), "%s: %s", lines[_i].line, run.err);
    else
        ck_assert_int_ne(run.status, 0);
}
END_TEST

/* One type under several names is named once each; what is written twice is a duplicate. */
START_TEST(names_of_scripts)
{
    static const struct {
        const char *types;
        unsigned duplicates;
    } rows[] = {
        {"application/javascript text/javascript application/x-javascript text/css", 0},
        {"text/javascript application/javascript", 0},
        {"application/x-javascript text/javascript application/javascript *", 0},
        {"text/javascript Text/JavaScript", 1},
        {"application/javascript text/css application/javascript", 1},
        {"text/html", 1}, /* which is always there */
    };
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct site_run run;
        char line[200];
        snprintf(line, sizeof line, "%s_types %s;", i % 2 ? "gzip" : "charset", rows[i / 2].types);
        site_conf_server(line);
        site_check(&run);
        ck_assert_msg(run.status == 0 && count_text(run.err, "duplicate MIME type") == rows[i / 2].duplicates, "%s: %s",
                      line, run.err);
    }
}
END_TEST

Suite *suite_gzip(void)
{
    Suite *s = suite_create("gzip");
    TCase *tc = site_case_with(s, "gzip", 60, pages);
    tcase_add_test(tc, head_and_body);
    tcase_add_test(tc, every_way_of_reading);
    tcase_add_test(tc, every_size_of_hash);
    tcase_add_test(tc, which_responses);
    tcase_add_test(tc, which_clients);
    tcase_add_test(tc, ranges_and_conditions);
    tcase_add_test(tc, head_and_the_next_request);
    tcase_add_test(tc, all_lengths);
    tcase_add_test(tc, pages_in_the_loop);
    tcase_add_test(tc, without_chunks);
    tcase_add_test(tc, ratio_is_logged);
    tcase_add_test(tc, clients_that_leave);
    tcase_add_test(tc, many_at_once);
    tcase_add_test(tc, gunzip);
    tcase_add_test(tc, gunzip_of_broken_files);
    tcase_add_test(tc, trailers);
    tcase_add_test(tc, large_with_trailers);
    tcase_add_test(tc, names_of_scripts);
    tcase_add_loop_test(tc, configuration, 0, sizeof lines / sizeof *lines);
    return s;
}
