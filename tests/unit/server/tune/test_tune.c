/* test_tune.c - what `sluice tune` recommends for disks of every kind, how it shows that, and its
 * command line. */
#include "server/tune/tune.h"

#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#define GIB (1u << 30)

/* A disk that reaches `rate` bytes per second with any two reads of 512 KiB, and half of that
 * below. */
static void measured(struct tune_results *r, double rate, double latency_usec)
{
    *r = (struct tune_results){.dir = "/srv", .filesystem = "ext4", .file_bytes = 1 << 28, .memory = 16ull * GIB};
    r->align_memory = r->align_offset = 512;
    r->align_told = true;
    r->reader = "io_uring";
    r->latency_usec = latency_usec;
    r->readers[0] = (struct tune_reader){"io_uring", "io_uring", NULL, {rate, 0.05}};
    r->readers[1] = (struct tune_reader){"libaio", "libaio", NULL, {rate, 0.06}};
    r->readers[2] = (struct tune_reader){"threads", "threads", NULL, {rate, 0.07}};
    for (unsigned size = 0; size < TUNE_SIZES; size++) {
        for (unsigned depth = 0; depth < TUNE_DEPTHS; depth++)
            r->grid[size][depth] = (struct tune_speed){size >= 3 && depth >= 1 ? rate : rate / 2, 0.05};
    }
    for (unsigned body = 0; body < TUNE_BODIES; body++) {
        r->sends[body][TUNE_MEMORY] = (struct tune_send){5 + tune_bodies[body] / 8192.0, 1e9};
        r->sends[body][TUNE_SENDFILE] = (struct tune_send){8, 1e9};
        r->sends[body][TUNE_COPY] = (struct tune_send){9, 1e9};
    }
}

static const struct tune_line *line(const struct tune_advice *a, const char *name)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (strcmp(a->lines[i].name, name) == 0)
            return &a->lines[i];
    }
    return NULL;
}

static void expect(const struct tune_results *r, const char *name, const char *value, const char *reason)
{
    struct tune_advice a;
    tune_recommend(r, &a);
    const struct tune_line *l = line(&a, name);
    ck_assert_uint_le(a.count, TUNE_LINES);
    if (!value) {
        ck_assert_msg(!l, "%s %s", name, l ? l->value : "");
        return;
    }
    ck_assert_msg(l, "no %s", name);
    ck_assert_str_eq(l->value, value);
    ck_assert_msg(strstr(l->reason, reason), "%s: %s", name, l->reason);
    for (unsigned i = 0; i < a.count; i++)
        ck_assert_msg(strlen(a.lines[i].reason) + 1 < sizeof a.lines[i].reason, "cut off: %s", a.lines[i].reason);
}

START_TEST(test_usual)
{
    struct tune_results r;
    measured(&r, 2e9, 80);
    expect(&r, "aio", "on", "io_uring: 2000 MB/s");
    expect(&r, "directio", "2m", "80 us"); /* 80 us x 2 GB/s x 10 */
    expect(&r, "output_buffers", "2 512k", "room for 64");
    expect(&r, "directio_alignment", NULL, NULL);
    expect(&r, "open_file_cache", "max=10000 inactive=60s", "need not be opened");
    expect(&r, "open_file_cache_content", "16k", "7.0 us of CPU to 8.0 us");
}
END_TEST

START_TEST(test_reader)
{
    struct tune_results r;
    measured(&r, 1e9, 80);
    r.readers[2].speed.rate = 1.1e9;
    expect(&r, "aio", "on", "no other reader");
    r.readers[2].speed.rate = 1.2e9;
    expect(&r, "aio", "threads", "threads reads 1200 MB/s, io_uring 1000 MB/s");
    r.readers[0].speed.rate = 0; /* denied */
    r.reader = "libaio";
    expect(&r, "aio", "threads", "libaio 1000 MB/s");
    r.readers[2].speed.rate = 1e9;
    expect(&r, "aio", "on", "libaio: 1000 MB/s");
    memset(r.readers, 0, sizeof r.readers);
    expect(&r, "aio", "on", "nobody else waits");
}
END_TEST

static const struct {
    double rate, latency_usec;
    uint64_t memory;
    const char *directio;
} thresholds[] = {
    {150e6, 9000, 16ull * GIB, "16m"}, /* a disk that turns: 9 ms x 150 MB/s x 10 */
    {7e9, 60, 16ull * GIB, "8m"},
    {1e9, 10, 16ull * GIB, "1m"},       /* no less */
    {10e9, 20000, 512ull * GIB, "64m"}, /* no more */
    {150e6, 9000, 1ull * GIB, "4m"},    /* memory / 256 */
    {150e6, 9000, (1ull * GIB) + 4096, "4m"},
    {150e6, 9000, 64ull << 20, "1m"},
    {150e6, 9000, UINT64_MAX, "16m"}, /* nobody knows */
    {150e6, 0, 16ull * GIB, "1m"},    /* not measured */
};

START_TEST(test_threshold)
{
    struct tune_results r;
    measured(&r, thresholds[_i].rate, thresholds[_i].latency_usec);
    r.memory = thresholds[_i].memory;
    expect(&r, "directio", thresholds[_i].directio, "MB/s");
}
END_TEST

START_TEST(test_no_direct)
{
    struct tune_results r;
    measured(&r, 1e9, 80);
    r.direct = TUNE_DIRECT_REFUSED;
    r.direct_error = -EINVAL;
    expect(&r, "directio", "off", "ext4 refuses O_DIRECT: Invalid argument");
    expect(&r, "output_buffers", NULL, NULL);
    r.direct_error = 0;
    expect(&r, "directio", "off", "no alignment");
    r.direct = TUNE_DIRECT_CACHED;
    r.filesystem[0] = '\0';
    expect(&r, "directio", "off", "this filesystem accepts O_DIRECT");
    r.direct = TUNE_DIRECT_WORKS;
    memset(r.grid, 0, sizeof r.grid);
    expect(&r, "directio", "off", "more time");
}
END_TEST

START_TEST(test_suite)
{
    struct tune_results r;
    static const char name[] = "ssl_conf_command";
    measured(&r, 1e9, 80);
    expect(&r, name, NULL, NULL);
    r.seals[TLS_SEAL_AES_256] = (struct tune_speed){4e9, 0.25};
    r.seals[TLS_SEAL_CHACHA20] = (struct tune_speed){2e9, 0.5};
    r.seals[TLS_SEAL_AES_128] = (struct tune_speed){4.2e9, 0.24}; /* not worth a line */
    expect(&r, name, NULL, NULL);
    expect(&r, "ssl_prefer_server_ciphers", NULL, NULL);
    r.seals[TLS_SEAL_AES_128] = (struct tune_speed){5e9, 0.2};
    expect(&r, name, "Ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
           "0.20 s of CPU per GiB by TLS_AES_128_GCM_SHA256, 0.25 s by TLS_AES_256_GCM_SHA384");
    expect(&r, "ssl_prefer_server_ciphers", "on", "TLS_AES_256_GCM_SHA384 first");
    r.seals[TLS_SEAL_CHACHA20].cpu_gib = 0.17; /* a processor without instructions for AES */
    expect(&r, name, "Ciphersuites TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
           "0.17 s");
}
END_TEST

START_TEST(test_page_cache_far_faster)
{
    struct tune_results r;
    measured(&r, 100e6, 80);
    r.cold = (struct tune_speed){190e6, 0.4};
    expect(&r, "directio", "1m", "MB/s");
    r.cold.rate = 210e6;
    expect(&r, "directio", "off", "through the page cache 210 MB/s");
    expect(&r, "output_buffers", NULL, NULL);
}
END_TEST

START_TEST(test_buffers)
{
    struct tune_results r;
    measured(&r, 1e9, 80);
    r.grid[3][1].cpu_gib = r.grid[3][2].cpu_gib = 0.09; /* 512k x 2, 512k x 4: close in speed, not in CPU time */
    expect(&r, "output_buffers", "2 1m", "0.05 s");
    r.grid[4][1].rate = 0.94e9;   /* 1m x 2: too slow; of two with the same memory, the cheaper one */
    r.grid[3][3].cpu_gib = 0.051; /* 512k x 8 */
    r.grid[4][2].cpu_gib = 0.052; /* 1m x 4 */
    r.grid[5][1].cpu_gib = 0.053; /* 2m x 2 */
    expect(&r, "output_buffers", "8 512k", "room for 16");
    r.grid[0][0].rate = 1.5e9; /* one buffer cannot be read and sent at once */
    expect(&r, "output_buffers", "8 512k", "the best of all was 1000 MB/s");
    r.grid[6][3].rate = 9e9; /* 4m x 8: too much memory for one response */
    expect(&r, "output_buffers", "8 512k", "the best of all was 1000 MB/s");
    r.grid[0][1].rate = 3e9;
    expect(&r, "output_buffers", "2 64k", "128k for a download");
}
END_TEST

START_TEST(test_alignment)
{
    struct tune_results r;
    measured(&r, 1e9, 80);
    r.align_offset = 4096;
    expect(&r, "directio_alignment", NULL, NULL);
    r.align_told = false;
    expect(&r, "directio_alignment", "4k", "4096 bytes are the smallest");
    r.align_offset = 512;
    expect(&r, "directio_alignment", NULL, NULL);
}
END_TEST

START_TEST(test_content)
{
    struct tune_results r;
    measured(&r, 1e9, 80);
    r.sends[2][TUNE_MEMORY].usec = 7.9; /* no gain at 8k: what comes after does not count */
    expect(&r, "open_file_cache_content", "4k", "larger files");
    r.sends[0][TUNE_MEMORY].usec = 9;
    expect(&r, "open_file_cache_content", "off",
           "at 1k, head and sendfile cost 8.0 us of CPU, one write from memory 9.0 us");
    for (unsigned i = 0; i < TUNE_BODIES; i++)
        r.sends[i][TUNE_MEMORY].usec = 1;
    expect(&r, "open_file_cache_content", "64k", "1.0 us");
    r.opens = (struct tune_opens){.cold = 3, .warm = 9, .cold_usec = 120, .warm_usec = 3.25, .cold_worst = 900};
    expect(&r, "open_file_cache", "max=10000 inactive=60s", "took 120 us (at worst 900 us), one that it knows 3.2 us");
    memset(r.sends, 0, sizeof r.sends);
    expect(&r, "open_file_cache_content", NULL, NULL);
}
END_TEST

/* ---- showing ---- */

typedef void show_fn(const struct tune_results *r, const struct tune_advice *a, struct buffer *out);

/* On the heap. */
static char *shown(show_fn *show, const struct tune_results *r)
{
    struct tune_advice a;
    struct buffer b;
    tune_recommend(r, &a);
    buffer_init(&b);
    show(r, &a, &b);
    ck_assert(!b.failed);
    return buffer_steal(&b, NULL);
}

START_TEST(test_plot)
{
    struct tune_results r;
    struct buffer b;
    measured(&r, 1e9, 80);
    buffer_init(&b);
    tune_show_plot(&r, &b);
    char *text = buffer_steal(&b, NULL);
    /* The top line has the best of 512k and more, and nothing stands right of the last column. */
    ck_assert_msg(strstr(text, "\n   1000 |                           248     248     248     248\n"), "%s", text);
    ck_assert_msg(strstr(text, "\n    500 |  1248    1248    1248    1       1       1       1\n"), "%s", text);
    ck_assert_msg(strstr(text, "           64k     128k    256k    512k    1m      2m      4m\n"), "%s", text);
    free(text);

    memset(r.grid, 0, sizeof r.grid);
    buffer_init(&b);
    tune_show_plot(&r, &b);
    ck_assert_uint_eq(b.len, 0);
    buffer_fini(&b);
}
END_TEST

START_TEST(test_block)
{
    struct tune_results r;
    measured(&r, 2e9, 80);
    r.dir = "/srv/a\nb";
    char *text = shown(tune_show_configuration, &r);
    ck_assert_msg(strstr(text, "# sluice tune /srv/a?b, ext4"), "%s", text);
    ck_assert_msg(strstr(text, "\ndirectio                  2m;\n"), "%s", text);
    ck_assert_msg(strstr(text, "\noutput_buffers            2 512k;\n"), "%s", text);
    /* Each line is empty, a comment that fits, or a directive. */
    for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
        ck_assert_uint_le(strlen(at), 102);
        ck_assert_msg(at[0] == '#' || at[strlen(at) - 1] == ';', "%s", at);
    }
    free(text);
}
END_TEST

START_TEST(test_json)
{
    struct tune_results r;
    measured(&r, 2e9, 80);
    r.seals[TLS_SEAL_AES_128] = (struct tune_speed){5e9, 0.2};
    r.dir = "/a\"b\\c\n\xff\xc3\xa9";
    char *text = shown(tune_show_json, &r);
    ck_assert_msg(strstr(text, "\"directory\": \"/a\\\"b\\\\c\\u000a\\ufffd\xc3\xa9\","), "%s", text);
    ck_assert_msg(strstr(text, "{\"name\": \"directio\", \"value\": \"2m\", \"reason\": \"at 2000 MB/s, the wait"),
                  "%s", text);
    ck_assert_msg(strstr(text, "{\"size\": 65536, \"depth\": 1, \"bytes_per_second\": 1e+09, "), "%s", text);
    ck_assert_msg(strstr(text, "\"cold_page_cache\": {\"bytes_per_second\": null, "), "%s", text);
    ck_assert_msg(
        strstr(text, "\"encryption\": [\n    {\"suite\": \"TLS_AES_128_GCM_SHA256\", \"bytes_per_second\": 5e+09, "),
        "%s", text);
    free(text);

    text = shown(tune_show, &r);
    ck_assert_ptr_nonnull(strstr(text, "  TLS_AES_128_GCM_SHA256         5000 MB/s   0.20 s of CPU per GiB\n"));
    ck_assert_ptr_nonnull(strstr(text, "O_DIRECT reads"));
    ck_assert_ptr_nonnull(strstr(text, "Disk readers"));
    ck_assert_ptr_nonnull(strstr(text, "A response from memory"));
    free(text);
    r.direct = TUNE_DIRECT_REFUSED;
    text = shown(tune_show, &r);
    ck_assert_ptr_nonnull(strstr(text, "refused"));
    ck_assert_ptr_null(strstr(text, "O_DIRECT reads"));
    free(text);
}
END_TEST

START_TEST(test_sizes)
{
    ck_assert_str_eq(tune_size_text(0), "0");
    ck_assert_str_eq(tune_size_text(512), "512");
    ck_assert_str_eq(tune_size_text(1536), "1536");
    ck_assert_str_eq(tune_size_text(65536), "64k");
    ck_assert_str_eq(tune_size_text(3u << 20), "3m");
    ck_assert_str_eq(tune_size_text(2ull << 30), "2g");
}
END_TEST

/* ---- the command line ---- */

static const struct {
    const char *words[4];
    const char *dir, *error;
    double seconds;
    bool json;
} lines[] = {
    {{"/srv"}, "/srv", NULL, 30, false},
    {{"--json", "/srv"}, "/srv", NULL, 30, true},
    {{"/srv", "--time", "2.5"}, "/srv", NULL, 2.5, false},
    {{"/srv", "--time=10s", "--json"}, "/srv", NULL, 10, true},
    {{"--help"}, NULL, NULL, 30, false},
    {{NULL}, NULL, "usage: sluice tune DIR", 0, false},
    {{"/a", "/b"}, NULL, "invalid option: \"/b\"", 0, false},
    {{"/a", "--wild"}, NULL, "invalid option: \"--wild\"", 0, false},
    {{""}, NULL, "invalid option: \"\"", 0, false},
    {{"/a", "--time"}, NULL, "requires seconds", 0, false},
    {{"/a", "--time", "0"}, NULL, "invalid time \"0\"", 0, false},
    {{"/a", "--time", "-3"}, NULL, "invalid time \"-3\"", 0, false},
    {{"/a", "--time", "inf"}, NULL, "invalid time \"inf\"", 0, false},
    {{"/a", "--time", "3x"}, NULL, "invalid time \"3x\"", 0, false},
    {{"/a", "--time=1e9"}, NULL, "invalid time \"1e9\"", 0, false},
};

START_TEST(test_line)
{
    struct tune_options o;
    char *argv[6] = {(char *)"tune"};
    int argc = 1;
    for (; lines[_i].words[argc - 1]; argc++)
        argv[argc] = (char *)lines[_i].words[argc - 1];
    int rc = tune_options_parse(&o, argc, argv);
    if (lines[_i].error) {
        ck_assert_int_eq(rc, -EINVAL);
        ck_assert_msg(strstr(o.error, lines[_i].error), "%s", o.error);
        return;
    }
    ck_assert_int_eq(rc, 0);
    ck_assert_pstr_eq(o.dir, lines[_i].dir);
    ck_assert_double_eq(o.seconds, lines[_i].seconds);
    ck_assert_int_eq(o.json, lines[_i].json);
}
END_TEST

Suite *suite_server_tune(void)
{
    Suite *s = suite_create("server/tune");
    TCase *t = tcase_create("recommend");
    tcase_add_test(t, test_usual);
    tcase_add_test(t, test_reader);
    tcase_add_loop_test(t, test_threshold, 0, sizeof thresholds / sizeof thresholds[0]);
    tcase_add_test(t, test_no_direct);
    tcase_add_test(t, test_suite);
    tcase_add_test(t, test_page_cache_far_faster);
    tcase_add_test(t, test_buffers);
    tcase_add_test(t, test_alignment);
    tcase_add_test(t, test_content);
    suite_add_tcase(s, t);
    t = tcase_create("show");
    tcase_add_test(t, test_plot);
    tcase_add_test(t, test_block);
    tcase_add_test(t, test_json);
    tcase_add_test(t, test_sizes);
    suite_add_tcase(s, t);
    t = tcase_create("line");
    tcase_add_loop_test(t, test_line, 0, sizeof lines / sizeof lines[0]);
    suite_add_tcase(s, t);
    return s;
}
