/* test_io_conf.c - I/O settings that cannot work: not a power of two, zero, larger than memory, or
 * at odds with each other. The error says so, with the place; and those that look odd but work are
 * taken. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* Texts for the top level, for events and for a server; the error is in line 2, 3 or 4. */
struct setting {
    const char *top, *events, *server, *message;
    unsigned line;
};

#define POWER   "must be a power of two between 512 and 1m"
#define BUFFERS "must be a number of buffers (1 to 1024) and the size of each (1 to 1g)"
#define MEMORY  "is larger than this machine's memory"

static const struct setting wrong[] = {
    {"", "", "directio_alignment 0;", POWER, 4},
    {"", "", "directio_alignment 256;", POWER, 4},
    {"", "", "directio_alignment 1000;", POWER, 4},
    {"", "", "directio_alignment 3k;", POWER, 4},
    {"", "", "directio_alignment 2m;", POWER, 4},
    {"", "", "directio_alignment 1g;", POWER, 4},
    {"", "", "output_buffers 0 32k;", BUFFERS, 4},
    {"", "", "output_buffers 2 0;", BUFFERS, 4},
    {"", "", "output_buffers -1 4k;", BUFFERS, 4},
    {"", "", "output_buffers 2 2g;", BUFFERS, 4},
    {"", "", "output_buffers 100000 4k;", BUFFERS, 4},
    {"", "", "output_buffers 2 99999999999999g;", BUFFERS, 4},
    {"", "", "output_buffers 1024 1g;", "1024 buffers of 1073741824 bytes are larger than this machine's memory", 4},
    {"directio_memory 64m;", "", "output_buffers 1 128m;",
     "one of the \"output_buffers\" (134217728 bytes) is larger than \"directio_memory\" (67108864 bytes)", 0},
    {"directio_memory 4m;", "", "output_buffers 1 5m;", "is larger than \"directio_memory\" (4194304 bytes)", 0},
    {"directio_memory 0;", "", "", "\"directio_memory\" must be at least 4194304 bytes", 2},
    {"directio_memory 1m;", "", "", "\"directio_memory\" must be at least 4194304 bytes", 2},
    {"directio_memory 90000g;", "", "", MEMORY, 2},
    {"", "", "directio -1;", "\"directio\" directive invalid value", 4},
    {"", "", "directio 1.5m;", "\"directio\" directive invalid value", 4},
    {"", "", "directio 99999999999999g;", "\"directio\" directive invalid value", 4},
    {"", "", "sendfile_max_chunk -1;", "\"sendfile_max_chunk\" directive invalid value", 4},
    {"", "", "open_file_cache max=9; open_file_cache_content 0;", "\"0\" keeps nothing", 4},
    {"", "", "open_file_cache max=9; open_file_cache_content 4k cap=0;", "\"cap=0\" keeps nothing", 4},
    {"", "", "open_file_cache max=9; open_file_cache_content 4k cap=90000g;", MEMORY, 4},
    {"", "", "open_file_cache max=9; open_file_cache_content 90000g cap=90000g;", MEMORY, 4},
    {"", "", "open_file_cache max=9; open_file_cache_content 8k cap=4k;", "all of them may take only 4096", 4},
    {"thread_pool a threads=0;", "", "", "invalid threads value \"threads=0\"", 2},
    {"thread_pool a threads=100000;", "", "", "invalid threads value \"threads=100000\"", 2},
    {"thread_pool a threads=1 max_queue=-1;", "", "", "invalid max_queue value \"max_queue=-1\"", 2},
    {"", "worker_aio_requests 0;", "", "it must be between 1 and 32768", 3},
    {"", "worker_aio_requests 100000;", "", "it must be between 1 and 32768", 3},
};

static const struct setting right[] = {
    {.server = "directio 0;"},
    {.server = "directio 99999g;"}, /* no file is as large */
    {.server = "directio 1; directio_alignment 1m;"},
    {.server = "output_buffers 1 1;"},
    {.server = "output_buffers 3 3000;"},
    {.server = "output_buffers 1 64m;"},
    {.top = "directio_memory auto;"},
    {.top = "directio_memory 4m;"},
    {.top = "directio_memory 5000001;"},
    {.top = "thread_pool a threads=1 max_queue=0;", .server = "aio threads=a;"},
    {.events = "worker_aio_requests 1;"},
};

static void check(struct site_run *run, const struct setting *s)
{
    char text[2048];
    snprintf(text, sizeof text,
             "daemon off; pid logs/sluice.pid; error_log logs/error.log;\n%s\nevents { %s }\nhttp { access_log off; "
             "server { listen 127.0.0.1:@PORT@; %s } }\n",
             s->top ? s->top : "", s->events ? s->events : "", s->server ? s->server : "");
    site_conf(text);
    site_check(run);
}

START_TEST(cannot_work)
{
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct setting *s = &wrong[i];
        char place[4200];
        struct site_run run;
        check(&run, s);
        snprintf(place, sizeof place, " in %s:%u\n", site_path("sluice.conf"), s->line);
        ck_assert_msg(run.status == 1, "\"%s%s%s\" is taken", s->top, s->events, s->server);
        ck_assert_msg(strstr(run.err, "[emerg] ") && strstr(run.err, s->message), "\"%s%s%s\" says\n%snot \"%s\"",
                      s->top, s->events, s->server, run.err, s->message);
        ck_assert_msg(!s->line || strstr(run.err, place), "\"%s%s%s\" says\n%snot line %u", s->top, s->events,
                      s->server, run.err, s->line);
    }
}
END_TEST

START_TEST(can_work)
{
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct site_run run;
        check(&run, &right[i]);
        ck_assert_msg(run.status == 0, "%s", run.err);
    }
}
END_TEST

/* The odd ones serve every byte. */
START_TEST(odd_ones_serve)
{
    static const char *const odd[] = {"directio 0;",
                                      "directio 0; output_buffers 1 1;",
                                      "directio 0; output_buffers 3 3000;",
                                      "directio 0; directio_alignment 64k; aio threads;",
                                      "directio 0; output_buffers 2 4097; sendfile_max_chunk 1000;",
                                      "io_method buffered; output_buffers 1 1;"};
    struct site_response r;
    const off_t size = 40001;
    site_pattern("html/f", size);
    site_pattern("html/empty", 0);
    site_serve(odd[_i]);
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, (size_t)size);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
    site_request(&r, "GET", "/f", "Range: bytes=4095-9000\r\n");
    ck_assert_uint_eq(r.len, 4906);
    assert_pattern(r.body, r.len, 4095);
    site_response_free(&r);
    site_get(&r, "/empty");
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.len, 0);
    site_response_free(&r);
}
END_TEST

Suite *suite_io_conf(void)
{
    Suite *s = suite_create("io_conf");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "io_conf", 30);
    tcase_add_test(t, cannot_work);
    tcase_add_test(t, can_work);
    tcase_add_loop_test(t, odd_ones_serve, 0, 6);
    return s;
}
