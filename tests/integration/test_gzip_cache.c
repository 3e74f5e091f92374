/* test_gzip_cache.c - files that are kept for the next client as they were compressed, unpacked or
 * recoded: the same bytes as before, never those of a file that has changed, and no more of them
 * than there is room for. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 20000, MTIME = 1600000000, OLD_SEC = 3 /* what is younger is not kept */ };

/* `size` bytes that compress well and say `mark` from beginning to end. */
static char *page(unsigned mark, size_t size)
{
    char line[32], *text = malloc(size);
    int len = snprintf(line, sizeof line, "<p>page %06u</p>\n", mark);

    ck_assert_ptr_nonnull(text);
    for (size_t at = 0; at < size; at++)
        text[at] = line[at % (size_t)len];
    return text;
}

/* Always with the same time of modification. */
static void write_page(const char *name, unsigned mark, size_t size)
{
    char *text = page(mark, size);
    site_write_bytes(name, text, size);
    site_set_mtime(name, MTIME);
    free(text);
}

static void age(void)
{
    sleep(OLD_SEC);
}

static void unpack(struct site_response *r)
{
    char line[9000];
    assert_header(r, "Content-Encoding", "gzip");
    const char *in = site_write_bytes("tmp.in", r->body, r->len);
    snprintf(line, sizeof line, "gzip -dc <%s >%s.out", in, in);
    ck_assert_int_eq(system(line), 0);
    free(r->body);
    r->body = site_read("tmp.in.out", &r->len);
    ck_assert_ptr_nonnull(r->body);
}

static void expect_page(const char *target, unsigned mark, size_t size)
{
    struct site_response r;
    char *expected = page(mark, size);

    site_request(&r, "GET", target, "Accept-Encoding: gzip\r\n");
    ck_assert_int_eq(r.status, 200);
    ck_assert(r.chunked);
    unpack(&r);
    ck_assert_uint_eq(r.len, size);
    ck_assert_msg(memcmp(r.body, expected, size) == 0, "%s: %.16s in place of %06u", target, r.body, mark);
    free(expected);
    site_response_free(&r);
}

static unsigned metric(const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "sluice_gzip_cache_%s", name);
    return (unsigned)site_metric(full);
}

#define STATUS "location = /status { status; } "

static void serve(const char *http, const char *server)
{
    char text[2048], status[2048];
    snprintf(text, sizeof text, "types { text/html html; text/plain txt; } %s", http);
    snprintf(status, sizeof status, STATUS "gzip on; gzip_vary on; gzip_types text/plain; %s", server);
    site_serve_http(text, status);
}

/* The second response is the first one, byte by byte but for the date; other requests for the file
 * are what they were. */
START_TEST(kept)
{
    struct site_response first, again, r;

    write_page("html/a.html", 1, SIZE);
    age();
    serve("", "");
    site_request(&first, "GET", "/a.html", "Accept-Encoding: gzip\r\n");
    ck_assert_uint_eq(metric("hits_total"), 0);
    ck_assert_uint_eq(metric("entries"), 1);
    site_request(&again, "GET", "/a.html", "Accept-Encoding: gzip\r\n");
    ck_assert_uint_eq(metric("hits_total"), 1);
    ck_assert_uint_eq(metric("misses_total"), 1);
    ck_assert_uint_gt(metric("bytes"), 0);
    static const char *const same[] = {
        "ETag",          "Vary",          "Content-Type", "Content-Encoding", "Last-Modified", "Transfer-Encoding",
        "Accept-Ranges", "Content-Length"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_header(&again, same[i], site_header(&first, same[i]));
    ck_assert_int_eq(strncmp(site_header(&again, "ETag"), "W/", 2), 0);
    assert_header(&again, "Vary", "Accept-Encoding");
    assert_header(&again, "Accept-Ranges", NULL);
    ck_assert_uint_eq(first.len, again.len);
    ck_assert_int_eq(memcmp(first.body, again.body, first.len), 0);
    site_response_free(&first);

    char condition[200];
    snprintf(condition, sizeof condition, "Accept-Encoding: gzip\r\nIf-None-Match: %s\r\n",
             site_header(&again, "ETag"));
    site_response_free(&again);
    site_request(&r, "GET", "/a.html", condition);
    ck_assert_int_eq(r.status, 304);
    site_response_free(&r);
    site_request(&r, "HEAD", "/a.html", "Accept-Encoding: gzip\r\n");
    assert_header(&r, "Content-Encoding", "gzip");
    assert_header(&r, "Content-Length", NULL);
    site_response_free(&r);
    site_request(&r, "GET", "/a.html", "Accept-Encoding: gzip\r\nRange: bytes=0-3\r\n");
    ck_assert_int_eq(r.status, 200);
    unpack(&r);
    ck_assert_uint_eq(r.len, SIZE);
    site_response_free(&r);
    site_request(&r, "GET", "/a.html", "Range: bytes=0-6\r\n"); /* without gzip */
    ck_assert_int_eq(r.status, 206);
    ck_assert_int_eq(memcmp(r.body, "<p>page", 7), 0);
    site_response_free(&r);
}
END_TEST

/* In place, by another file, of the same size and time of modification: what is sent is what is
 * there. */
START_TEST(rewritten)
{
    unsigned mark = 1;

    write_page("html/a.html", mark, SIZE);
    age();
    serve("", _i ? "open_file_cache max=10; open_file_cache_valid 0;" : "");
    for (int round = 0; round < 2; round++) {
        expect_page("/a.html", mark, SIZE);
        expect_page("/a.html", mark, SIZE);
        ck_assert_uint_eq(metric("hits_total"), 1 + (unsigned)round);
        /* What was kept of a file that is gone stays until its inode is used again, or its room is. */
        ck_assert_uint_ge(metric("entries"), 1);
        ck_assert_uint_le(metric("entries"), 1 + (unsigned)round);
        for (int i = 0; i < 30; i++) {
            write_page(i % 2 ? "html/a.html" : "html/new", ++mark, SIZE);
            if (i % 2 == 0) {
                char to[4200];
                snprintf(to, sizeof to, "%s", site_path("html/a.html"));
                ck_assert_int_eq(rename(site_path("html/new"), to), 0);
            }
            expect_page("/a.html", mark, SIZE);
        }
        age();
    }
    expect_page("/a.html", mark, SIZE);
    ck_assert_int_eq(truncate(site_path("html/a.html"), 4000), 0);
    expect_page("/a.html", mark, 4000);
}
END_TEST

/* A file that has just changed may change again without a trace. */
START_TEST(young)
{
    write_page("html/a.html", 1, SIZE);
    serve("", "open_file_cache max=10; open_file_cache_content 1m;");
    int64_t since = now_msec();
    write_page("html/a.html", 2, SIZE);
    expect_page("/a.html", 2, SIZE);
    expect_page("/a.html", 2, SIZE);
    unsigned entries = metric("entries");
    if (now_msec() - since < 1000) /* else it may have grown old meanwhile */
        ck_assert_uint_eq(entries, 0);
}
END_TEST

/* Each location's own level; several ways of reading; a page on a thread. */
START_TEST(every_way_of_reading)
{
    static const char *const ways[] = {"", "/9", "/content", "/direct", "/mapped", "/small"};

    write_page("html/a.html", 1, SIZE);
    write_page("html/b.txt", 2, 300 * 1000);
    age();
    serve("", "location /9/ { alias @DIR@/html/; gzip_comp_level 9; } "
              "location /content/ { alias @DIR@/html/; gzip_comp_level 2; open_file_cache max=10; "
              "open_file_cache_content 1m; } "
              "location /direct/ { alias @DIR@/html/; gzip_comp_level 3; directio 4k; } "
              "location /mapped/ { alias @DIR@/html/; gzip_comp_level 4; io_method mmap; } "
              "location /small/ { alias @DIR@/html/; gzip_comp_level 5; gzip_buffers 1 4k; } ");
    for (size_t i = 0; i < 3 * sizeof ways / sizeof *ways; i++) {
        char target[64];
        snprintf(target, sizeof target, "%s/a.html", ways[i / 3]);
        expect_page(target, 1, SIZE);
        snprintf(target, sizeof target, "%s/b.txt", ways[i / 3]);
        expect_page(target, 2, 300 * 1000);
    }
    ck_assert_uint_eq(metric("entries"), 2 * sizeof ways / sizeof *ways);
    ck_assert_uint_eq(metric("hits_total"), 4 * sizeof ways / sizeof *ways);
}
END_TEST

/* Random digits: about half of their length remains. */
static void write_digits(const char *name, size_t size)
{
    char *text = malloc(size);
    unsigned x = 1;

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < size; i++) {
        x = x * 1103515245 + 12345;
        text[i] = (char)('0' + (x >> 16) % 10);
    }
    site_write_bytes(name, text, size);
    free(text);
}

START_TEST(bounded)
{
    enum { COUNT = 40 };
    char name[32];

    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "html/%d.txt", i);
        write_digits(name, 8000);
    }
    write_digits("html/large.txt", 8193);
    age();
    serve("gzip_cache 64k;", "");
    for (int i = 0; i < COUNT; i++) {
        struct site_response r;
        snprintf(name, sizeof name, "/%d.txt", i);
        site_request(&r, "GET", name, "Accept-Encoding: gzip\r\n");
        assert_header(&r, "Content-Encoding", "gzip");
        site_response_free(&r);
        ck_assert_uint_le(metric("bytes"), 64 * 1024);
    }
    unsigned entries = metric("entries");
    ck_assert(entries > 8 && entries < COUNT);
    ck_assert_uint_eq(metric("hits_total"), 0);
    struct site_response r;
    for (int i = 0; i < 2; i++) { /* more than its share */
        site_request(&r, "GET", "/large.txt", "Accept-Encoding: gzip\r\n");
        assert_header(&r, "Content-Encoding", "gzip");
        site_response_free(&r);
    }
    site_request(&r, "GET", "/39.txt", "Accept-Encoding: gzip\r\n"); /* the last one is still there */
    site_response_free(&r);
    ck_assert_uint_eq(metric("hits_total"), 1);
    ck_assert_uint_eq(metric("entries"), entries);
}
END_TEST

/* What was kept goes with its worker; then nothing is kept any more. */
START_TEST(reloaded)
{
    write_page("html/a.html", 1, SIZE);
    age();
    serve("", "");
    expect_page("/a.html", 1, SIZE);
    expect_page("/a.html", 1, SIZE);
    ck_assert_uint_eq(metric("entries"), 1);
    site_conf_http("types { text/html html; } gzip_cache off; server { listen 127.0.0.1:@PORT@; root @DIR@/html; "
                   "gzip on; " STATUS "}");
    site_kill(SIGHUP);
    while (metric("entries") > 0)
        usleep(20 * 1000);
    for (int i = 0; i < 3; i++)
        expect_page("/a.html", 1, SIZE);
    ck_assert_uint_eq(metric("hits_total"), 1);
    ck_assert_uint_eq(metric("misses_total"), 1);
    ck_assert_uint_eq(metric("entries"), 0);
}
END_TEST

/* Those that leave in the middle leave nothing behind. */
START_TEST(clients_that_leave)
{
    write_digits("html/large.txt", 1000 * 1000);
    age();
    serve("", "");
    for (int i = 0; i < 5; i++) {
        struct site_client c;
        client_open_sized(&c, site_port(0), 4096);
        client_say(&c, "GET /large.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
        client_close(&c);
    }
    struct site_response r;
    for (int i = 0; i < 2; i++) {
        site_request(&r, "GET", "/large.txt", "Accept-Encoding: gzip\r\n");
        unpack(&r);
        ck_assert_uint_eq(r.len, 1000 * 1000);
        site_response_free(&r);
    }
    ck_assert_uint_le(metric("entries"), 1);
}
END_TEST

/* $gzip_ratio is that of the first time. */
START_TEST(logged)
{
    write_page("html/a.html", 1, SIZE);
    age();
    serve("log_format g '$gzip_ratio;';", "access_log logs/g.log g;");
    expect_page("/a.html", 1, SIZE);
    expect_page("/a.html", 1, SIZE);
    char *log = log_await_count("logs/g.log", ";", 2);
    double first, again;
    ck_assert_msg(sscanf(log, "%lf;\n%lf;", &first, &again) == 2 && first > 1 && first - again == 0, "%s", log);
    free(log);
}
END_TEST

/* ---- recoded and unpacked ---- */

#define MAPS                                                                                                           \
    "charset_map koi8-r utf-8 { C1 D0B0; D7 D0B2; } charset_map koi8-r windows-1251 { C1 E0; D7 E2; } "                \
    "source_charset koi8-r; "

/* `size` bytes of KOI8-R, ASCII in between. */
static void write_koi(const char *name, size_t size)
{
    char *text = malloc(size);

    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < size; i++)
        text[i] = "a\xc1\xd7\n"[i % 4];
    site_write_bytes(name, text, size);
    site_set_mtime(name, MTIME);
    free(text);
}

/* What the text of write_koi() is made of, over and over: `unit`. */
static void expect_koi(const struct site_response *r, const char *unit, size_t units)
{
    size_t len = strlen(unit);

    ck_assert_uint_eq(r->len, units * len);
    for (size_t i = 0; i < units; i++)
        ck_assert_msg(memcmp(r->body + i * len, unit, len) == 0, "unit %zu", i);
}

#define AS_UTF8 "a\xd0\xb0\xd0\xb2\n"
#define AS_1251 "a\xe0\xe2\n"

static void expect_recoded(const char *target, const char *fields, const char *unit, size_t units)
{
    struct site_response r;

    site_request(&r, "GET", target, fields);
    ck_assert_int_eq(r.status, 200);
    if (strstr(fields, "gzip"))
        unpack(&r);
    expect_koi(&r, unit, units);
    site_response_free(&r);
}

static void expect_counts(unsigned hits, unsigned misses, unsigned entries)
{
    ck_assert_uint_eq(metric("hits_total"), hits);
    ck_assert_uint_eq(metric("misses_total"), misses);
    ck_assert_uint_eq(metric("entries"), entries);
}

/* Each table, with gzip and without, is another entry of one file. */
START_TEST(recoded)
{
    enum { UNITS = SIZE / 4 };
    static const char packed[] = "Accept-Encoding: gzip\r\n";

    write_koi("html/a.html", SIZE);
    age();
    serve(MAPS "log_format g '$gzip_ratio $io_method;';",
          "access_log logs/g.log g; charset utf-8; location /w/ { alias @DIR@/html/; charset windows-1251; } "
          "location /koi/ { alias @DIR@/html/; charset koi8-r; }");
    for (int i = 0; i < 2; i++) {
        expect_recoded("/a.html", "", AS_UTF8, UNITS);
        expect_recoded("/a.html", packed, AS_UTF8, UNITS);
        expect_recoded("/w/a.html", "", AS_1251, UNITS);
        expect_recoded("/w/a.html", packed, AS_1251, UNITS);
        expect_recoded("/koi/a.html", packed, "a\xc1\xd7\n", UNITS);
        expect_counts(5 * (unsigned)i, 5, 5);
    }
    char *log = log_await_count("logs/g.log", ";", 13), *again = log;
    for (int i = 0; i < 8; i++) /* five, and three looks at the counters */
        again = strchr(again, '\n') + 1;
    ck_assert_msg(strncmp(again, "- memory;\n", 10) == 0, "%s", log);
    double ratios[2];
    ck_assert_int_eq(sscanf(strchr(log, '\n') + 1, "%lf", &ratios[0]), 1);
    ck_assert_int_eq(sscanf(strchr(again, '\n') + 1, "%lf", &ratios[1]), 1);
    ck_assert_msg(ratios[0] > 1 && ratios[0] - ratios[1] == 0, "%s", log);
    free(log);
    write_koi("html/a.html", SIZE - 4);
    expect_recoded("/a.html", "", AS_UTF8, UNITS - 1);
    expect_recoded("/w/a.html", packed, AS_1251, UNITS - 1);
}
END_TEST

/* Charsets of one byte leave lengths as they are: ranges go on, and none is taken for the whole. */
START_TEST(recoded_ranges)
{
    enum { SIZES = 4 };
    static const size_t sizes[SIZES] = {400, 32 * 1024, 64 * 1024, 100 * 1000};
    struct site_response r;
    char name[32];

    for (int i = 0; i < SIZES; i++) {
        snprintf(name, sizeof name, "html/%d.html", i);
        write_koi(name, sizes[i]);
    }
    site_write("html/none.html", "");
    age();
    serve(MAPS, "charset windows-1251;");
    for (size_t end = 6, len = 0; len != sizes[0]; end += sizes[0] - len) { /* heads and parts, as long as the file */
        char ranges[64];
        snprintf(ranges, sizeof ranges, "Range: bytes=1-2,5-%zu\r\n", end);
        site_request(&r, "GET", "/0.html", ranges);
        ck_assert_int_eq(r.status, 206);
        ck_assert_int_eq(strncmp(site_header(&r, "Content-Type"), "multipart/byteranges", 20), 0);
        len = r.len;
        site_response_free(&r);
    }
    site_request(&r, "GET", "/0.html", "Range: bytes=0-\r\n");
    ck_assert_int_eq(r.status, 206);
    expect_koi(&r, AS_1251, sizes[0] / 4);
    site_response_free(&r);
    expect_counts(0, 0, 0);
    for (unsigned i = 0; i < SIZES; i++) {
        snprintf(name, sizeof name, "/%u.html", i);
        for (int twice = 0; twice < 2; twice++)
            expect_recoded(name, "", AS_1251, sizes[i] / 4);
        expect_counts(i + 1, i + 1, i + 1);
        site_request(&r, "GET", name, "Range: bytes=4-11\r\n");
        ck_assert_int_eq(r.status, 206);
        expect_koi(&r, AS_1251, 2);
        site_response_free(&r);
        site_request(&r, "HEAD", name, "");
        ck_assert_int_eq(atoi(site_header(&r, "Content-Length")), (int)sizes[i]);
        site_response_free(&r);
    }
    for (int i = 0; i < 2; i++) {
        site_get(&r, "/none.html");
        ck_assert_uint_eq(r.len, 0);
        site_response_free(&r);
    }
    ck_assert_uint_eq(metric("entries"), SIZES);
}
END_TEST

static void pack(const char *name)
{
    char line[4400];

    snprintf(line, sizeof line, "f='%s' && gzip -nc <\"$f\" >\"$f.new\" && mv \"$f.new\" \"$f.gz\"",
             site_path("%s", name));
    ck_assert_int_eq(system(line), 0);
}

/* The side file, for clients without gzip: short ones are unpacked in the loop, long ones on a
 * thread. */
START_TEST(unpacked)
{
    enum { LONG = 400 * 1000 };
    struct site_response first, r;

    write_koi("html/a.html", SIZE);
    write_digits("html/b.html", LONG);
    pack("html/a.html");
    pack("html/b.html");
    age();
    serve(MAPS, "gzip_static always; gunzip on; location /utf/ { alias @DIR@/html/; charset utf-8; }");
    site_get(&first, "/a.html");
    expect_koi(&first, "a\xc1\xd7\n", SIZE / 4);
    ck_assert_int_eq(strncmp(site_header(&first, "ETag"), "W/", 2), 0);
    expect_counts(0, 1, 1);
    site_get(&r, "/a.html");
    expect_koi(&r, "a\xc1\xd7\n", SIZE / 4);
    static const char *const same[] = {"ETag",          "Vary",          "Content-Type",     "Content-Encoding",
                                       "Last-Modified", "Accept-Ranges", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        assert_header(&r, same[i], site_header(&first, same[i]));
    assert_header(&r, "Vary", "Accept-Encoding");
    site_response_free(&r);
    expect_counts(1, 1, 1);
    char condition[200];
    snprintf(condition, sizeof condition, "If-None-Match: %s\r\n", site_header(&first, "ETag"));
    site_request(&r, "GET", "/a.html", condition);
    ck_assert_int_eq(r.status, 304);
    site_response_free(&r);
    site_request(&r, "HEAD", "/a.html", "");
    assert_header(&r, "ETag", site_header(&first, "ETag"));
    site_response_free(&r);
    site_request(&r, "GET", "/a.html", "Accept-Encoding: gzip\r\n"); /* as it is on the disk */
    ck_assert_int_eq(site_header(&r, "ETag")[0], '"');
    unpack(&r);
    expect_koi(&r, "a\xc1\xd7\n", SIZE / 4);
    site_response_free(&r);
    expect_counts(1, 1, 1);
    for (unsigned i = 0; i < 2; i++) {
        expect_recoded("/utf/a.html", "", AS_UTF8, SIZE / 4);
        expect_counts(1 + i, 2, 2);
    }
    site_response_free(&first);
    char *digits = site_read("html/b.html", &(size_t){0});
    for (unsigned i = 0; i < 2; i++) {
        site_get(&r, "/b.html");
        ck_assert_uint_eq(r.len, LONG);
        ck_assert_int_eq(memcmp(r.body, digits, LONG), 0);
        site_response_free(&r);
        expect_counts(2 + i, 3, 3);
    }
    free(digits);
    write_koi("html/a.html", SIZE - 4);
    pack("html/a.html");
    site_get(&r, "/a.html");
    expect_koi(&r, "a\xc1\xd7\n", SIZE / 4 - 1);
    site_response_free(&r);
}
END_TEST

/* What ends in the middle, or grows past its share, is not kept. */
START_TEST(unpacked_in_vain)
{
    enum { ZEROS = 3 * 1000 * 1000 };
    char *zeros = calloc(1, ZEROS);
    struct site_response r;

    ck_assert_ptr_nonnull(zeros);
    site_allow_alerts();
    write_page("html/a.html", 1, SIZE);
    pack("html/a.html");
    ck_assert_int_eq(truncate(site_path("html/a.html.gz"), 60), 0);
    site_write_bytes("html/zeros.html", zeros, ZEROS);
    pack("html/zeros.html");
    age();
    serve("", "gzip_static always; gunzip on; gunzip_buffers 1 4k;");
    for (int i = 0; i < 2; i++) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_say(&c, "GET /a.html HTTP/1.1\r\nHost: a\r\n\r\n");
        while (client_fill(&c))
            ;
        ck_assert(c.len < 5 || memcmp(c.in + c.len - 5, "0\r\n\r\n", 5) != 0);
        client_close(&c);
        site_get(&r, "/zeros.html");
        ck_assert_uint_eq(r.len, ZEROS);
        ck_assert_int_eq(memcmp(r.body, zeros, ZEROS), 0);
        site_response_free(&r);
    }
    free(zeros);
    expect_counts(0, 4, 0);
}
END_TEST

START_TEST(configuration)
{
    static const struct {
        const char *http, *error;
    } rows[] = {
        {"gzip_cache off;", NULL},
        {"gzip_cache auto;", NULL},
        {"gzip_cache 64k;", NULL},
        {"gzip_cache 63k;", "gzip_cache"},
        {"gzip_cache on;", "gzip_cache"},
        {"gzip_cache 1m 2m;", "invalid number of arguments in \"gzip_cache\" directive"},
        {"server { gzip_cache 1m; }", "\"gzip_cache\" directive is not allowed here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_run run;
        char text[256];
        snprintf(text, sizeof text, "%s server { listen 127.0.0.1:@PORT@; }", rows[i].http);
        site_conf_http(text);
        site_check(&run);
        ck_assert_msg(rows[i].error ? run.status != 0 && strstr(run.err, rows[i].error) : run.status == 0, "%s: %s",
                      rows[i].http, run.err);
    }
}
END_TEST

Suite *suite_gzip_cache(void)
{
    Suite *s = suite_create("gzip_cache");
    TCase *tc = site_case(s, "gzip_cache", 60);
    tcase_add_test(tc, kept);
    tcase_add_loop_test(tc, rewritten, 0, 2);
    tcase_add_test(tc, young);
    tcase_add_test(tc, every_way_of_reading);
    tcase_add_test(tc, bounded);
    tcase_add_test(tc, reloaded);
    tcase_add_test(tc, clients_that_leave);
    tcase_add_test(tc, logged);
    tcase_add_test(tc, recoded);
    tcase_add_test(tc, recoded_ranges);
    tcase_add_test(tc, unpacked);
    tcase_add_test(tc, unpacked_in_vain);
    tcase_add_test(tc, configuration);
    return s;
}
