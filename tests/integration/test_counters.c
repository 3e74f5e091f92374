/* test_counters.c - what all workers of a server know together: counters that outlive a worker,
 * disk readers tried once, filesystems that are said to refuse O_DIRECT once. */
#include "deny.h"
#include "harness.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE ((off_t)1 << 20)

static void serve(unsigned workers, const char *http_conf, const char *conf)
{
    char text[8192];
    snprintf(text, sizeof text,
             "daemon off;\npid logs/sluice.pid;\nerror_log logs/error.log info;\nworker_processes %u;\nevents { "
             "worker_connections 512; }\nhttp {\n@HTTP@\n"
             "log_format pid '$pid $status $io_method';\n%s\nserver {\nlisten 127.0.0.1:@PORT@ reuseport;\n"
             "access_log logs/pid.log pid;\nroot @DISK@/data;\n%s\n}\n}\n",
             workers, http_conf, conf);
    site_conf(text);
}

/* From every worker, each time over a connection of its own: the kernel deals them out. */
static unsigned fetch_from_all(const char *target, unsigned workers)
{
    enum { MOST = 500 };
    pid_t seen[16] = {0};
    unsigned count = 0, fetched = 0;
    while (count < workers) {
        struct site_response r;
        unsigned i = 0;
        ck_assert_uint_lt(fetched, MOST);
        site_request(&r, "GET", target, "");
        ck_assert_int_eq(r.status, 200);
        pid_t pid = atoi(site_header(&r, "X-Pid"));
        site_response_free(&r);
        fetched++;
        while (i < count && seen[i] != pid)
            i++;
        if (i == count)
            seen[count++] = pid;
    }
    return fetched;
}

#define PID_FIELD "add_header X-Pid $pid;"

/* ---- readers ---- */

START_TEST(readers_are_tried_once_at_start)
{
    site_pattern(site_data("f"), SIZE);
    serve(3, "",
          "directio 1k; location /threads/ { alias @DISK@/data/; aio threads; add_header X-Pid $pid; } " PID_FIELD);
    site_start();
    char *log = log_await("logs/error.log", "start worker processes");
    ck_assert_uint_eq(count_text(log, "reading disks by "), 2); /* before anybody asked for anything */
    ck_assert_uint_eq(count_text(log, "reading disks by threads\n"), 1);
    free(log);
    fetch_from_all("/f", 3);
    fetch_from_all("/threads/f", 3);
    site_stop(SIGTERM);
    log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "reading disks by "), 2);
    free(log);
}
END_TEST

START_TEST(denied_readers_are_said_once)
{
    site_pattern(site_data("f"), SIZE);
    if (!deny(SYS_io_uring_setup, EPERM))
        return;
    serve(3, "", "directio 1k; " PID_FIELD);
    site_start();
    fetch_from_all("/f", 3);
    serve(3, "", "directio 2k; aio io_uring;");
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "gracefully shutting down", 3));
    site_stop(SIGTERM);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "io_uring is "), 1);
    ck_assert_uint_eq(count_text(log, "; reading disks by "), 1);
    free(log);
}
END_TEST

/* Cold small files are read by it where it can be had. */
START_TEST(a_reader_that_is_only_helpful_is_no_warning)
{
    site_pattern(site_data("f"), SIZE);
    if (!deny(SYS_io_uring_setup, EPERM))
        return;
    serve(2, "", "aio on; " PID_FIELD);
    site_start();
    fetch_from_all("/f", 2);
    site_stop(SIGTERM);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "io_uring is "), 1);
    ck_assert_uint_eq(count_text(log, "[warn]"), 0);
    free(log);
}
END_TEST

/* ---- filesystems ---- */

START_TEST(refused_direct_io_is_said_once)
{
    site_pattern(site_data("f"), SIZE);
    if (!deny_flag(SYS_openat, 2, O_DIRECT, EINVAL) || !deny_flag(SYS_open, 1, O_DIRECT, EINVAL) ||
        !deny_set_flag(O_DIRECT, EINVAL))
        return;
    serve(4, "", "directio 1k; " PID_FIELD);
    site_start();
    unsigned fetched = fetch_from_all("/f", 4);
    free(log_await_count("logs/pid.log", " 200 buffered\n", fetched));
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, " refuses O_DIRECT;"), 1);
    free(log);
}
END_TEST

/* ---- what is answered ---- */

/* The other worker may not have counted yet that its client has gone. */
static void await_metric(const char *name, double value)
{
    int64_t deadline = now_msec() + scaled(10000);
    for (double is; (is = site_metric(name)) != value; sleep_msec(5))
        ck_assert_msg(now_msec() < deadline, "%s: %g, not %g", name, is, value);
}

START_TEST(stub_status_in_nginx_words)
{
    struct site_response r;
    struct site_client idle, reading;
    site_serve("location = /s { stub_status; } location = /v { stub_status on; add_header X-V "
               "\"$connections_active/$connections_reading/$connections_writing/$connections_waiting\"; }");
    site_get(&r, "/s");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Type", "text/plain");
    unsigned accepted = 0, handled = 0, requests = 0;
    ck_assert_int_eq(sscanf(r.body, "Active connections: 1 \nserver accepts handled requests\n %u %u %u \n", &accepted,
                            &handled, &requests),
                     3);
    ck_assert_uint_eq(accepted, handled);
    ck_assert_uint_ge(accepted, 1); /* the harness has looked, too */
    ck_assert_uint_eq(requests, 1);
    ck_assert_str_eq(strstr(r.body, "Reading"), "Reading: 0 Writing: 1 Waiting: 0 \n");
    site_response_free(&r);

    client_open(&idle, site_port(0));
    client_say(&idle, "GET /s HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&idle, &r));
    site_response_free(&r);
    client_open(&reading, site_port(0));
    client_say(&reading, "GET /s HTTP/1.1\r\nHo");
    do { /* until the half of a head is there */
        site_get(&r, "/v");
        bool there = strstr(r.body, "Reading: 1 ");
        if (there) {
            ck_assert_ptr_nonnull(strstr(r.body, "Active connections: 3 \n"));
            ck_assert_str_eq(strstr(r.body, "Reading"), "Reading: 1 Writing: 1 Waiting: 1 \n");
            assert_header(&r, "X-V", "3/1/1/1");
        }
        site_response_free(&r);
        if (there)
            break;
    } while (true);
    client_close(&idle);
    client_close(&reading);
    site_request(&r, "POST", "/s", "");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
}
END_TEST

START_TEST(numbers_live_through_reloads_and_crashes)
{
    pid_t pids[8];
    site_pattern(site_data("f"), SIZE);
    static const char conf[] = "location = /status { status; } " PID_FIELD;
    serve(2, "", conf);
    site_start();
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(site_status_of("/f"), 200);
    ck_assert_int_eq(site_status_of("/none"), 404);
    double sent = site_metric("sluice_io_bytes_total{method=\"sendfile\"}");
    ck_assert(sent == 5.0 * SIZE);
    ck_assert(site_metric("sluice_http_responses_total{class=\"4xx\"}") == 1);
    double requests = site_metric("sluice_http_requests_total"), started = site_metric("sluice_start_time_seconds");

    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "exited with code 0", 2));
    ck_assert(site_metric("sluice_workers") == 2);
    ck_assert(site_metric("sluice_io_bytes_total{method=\"sendfile\"}") == sent);
    ck_assert(site_metric("sluice_http_requests_total") == requests + 4);
    ck_assert(site_metric("sluice_start_time_seconds") == started);

    site_allow_alerts();
    ck_assert_uint_eq(site_workers(pids, 8), 2);
    kill(pids[0], SIGKILL);
    kill(pids[1], SIGKILL);
    free(log_await_count("logs/error.log", "exited on signal 9", 2));
    ck_assert(site_metric("sluice_io_bytes_total{method=\"sendfile\"}") == sent);
    ck_assert(site_metric("sluice_http_responses_total{class=\"4xx\"}") == 1);
    await_metric("sluice_connections{state=\"writing\"}", 1);
    await_metric("sluice_connections{state=\"waiting\"}", 0);
}
END_TEST

START_TEST(what_is_counted)
{
    struct site_response r;
    site_pattern(site_data("large"), SIZE);
    site_pattern(site_data("small"), 100);
    serve(1, "",
          "directio 512k; open_file_cache max=10; location = /status { status; } "
          "location = /gone { return 444; } location = /moved { return 301 /; }");
    site_start();
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(site_status_of("/small"), 200);
        ck_assert_int_eq(site_status_of("/large"), 200);
    }
    ck_assert_int_eq(site_status_of("/moved"), 301);
    ck_assert_int_eq(site_status_of_bytes("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n", 32), 0);
    ck_assert_int_eq(site_status_of_bytes("nonsense\r\n\r\n", 12), 400);
    bool direct = *site_disk();
    ck_assert(site_metric("sluice_io_bytes_total{method=\"memory\"}") == 300 ||
              site_metric("sluice_io_bytes_total{method=\"memory\"}") +
                      site_metric("sluice_io_bytes_total{method=\"sendfile\"}") ==
                  300);
    ck_assert(site_metric(direct ? "sluice_io_bytes_total{method=\"direct\"}"
                                 : "sluice_io_bytes_total{method=\"buffered\"}") == 3.0 * SIZE);
    ck_assert(site_metric("sluice_http_responses_total{class=\"3xx\"}") == 1);
    ck_assert(site_metric("sluice_http_responses_total{class=\"4xx\"}") == 1);
    ck_assert(site_metric("sluice_http_responses_total{class=\"none\"}") == 1);
    ck_assert(site_metric("sluice_file_cache_hits_total") == 4);
    ck_assert(site_metric("sluice_file_cache_misses_total") == 2);
    ck_assert(site_metric("sluice_file_cache_entries") == 2);
    ck_assert(!direct || site_metric("sluice_disk_reads_total") >= 3);
    ck_assert(site_metric("sluice_disk_reads_in_flight") == 0);
    ck_assert(site_metric("sluice_direct_buffers_bytes") == 0);
    ck_assert(site_metric("sluice_direct_buffers_limit_bytes") == 64.0 * 1024 * 1024);
    double requests = site_metric("sluice_http_requests_total");
    ck_assert(site_metric("sluice_http_requests_total") == requests + 1);
    site_get(&r, "/status");
    site_response_free(&r);
}
END_TEST

/* While a client takes its time: the buffers it holds, and nothing once it is gone. */
START_TEST(gauges_follow)
{
    struct site_client c;
    struct site_response r;
    site_pattern(site_data("large"), 64 * SIZE);
    serve(1, "", "directio 512k; output_buffers 2 1m; location = /status { status; }");
    site_start();
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    ck_assert(site_metric("sluice_connections{state=\"writing\"}") == 2);
    if (*site_disk())
        ck_assert(site_metric("sluice_direct_buffers_bytes") >= 64 * 1024);
    client_reset(&c);
    while (site_metric("sluice_connections{state=\"writing\"}") != 1 || site_metric("sluice_direct_buffers_bytes") != 0)
        ;
}
END_TEST

static const struct {
    const char *target, *accept, *type;
    int status;
} forms[] = {
    {"/any", "", "text/plain; version=0.0.4; charset=utf-8", 200},
    {"/any", "Accept: text/html\r\n", "text/html; charset=utf-8", 200},
    {"/any", "Accept: image/png\r\n", "text/plain; version=0.0.4; charset=utf-8", 200},
    {"/any", "Accept: image/png\r\nAccept: application/json\r\n", "application/json", 200},
    {"/any", "Accept: application/openmetrics-text;q=0.9,*/*;q=0.1\r\n",
     "application/openmetrics-text; version=1.0.0; charset=utf-8", 200},
    {"/any?format=json", "Accept: text/html\r\n", "application/json", 200},
    {"/any?a=b&format=html", "", "text/html; charset=utf-8", 200},
    {"/any?format=prometheus", "Accept: text/html\r\n", "text/plain; version=0.0.4; charset=utf-8", 200},
    {"/any?format=xml", "", "text/html", 400},
    {"/any?format=", "", "text/html", 400},
    {"/html", "", "text/html; charset=utf-8", 200},
    {"/html?format=json", "", "application/json", 200},
    {"/json", "Accept: text/html\r\n", "application/json", 200},
    {"/prometheus", "Accept: text/html\r\n", "text/plain; version=0.0.4; charset=utf-8", 200},
    {"/prometheus", "Accept: application/openmetrics-text\r\n",
     "application/openmetrics-text; version=1.0.0; charset=utf-8", 200},
    {"/any/inside", "", "text/html", 404},
};

START_TEST(forms_of_the_status)
{
    struct site_response r;
    site_serve("location /any { status; location /any/inside { } } location = /html { status html; } "
               "location = /json { status json; } location = /prometheus { status prometheus; }");
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        site_request(&r, "GET", forms[i].target, forms[i].accept);
        ck_assert_msg(r.status == forms[i].status, "%s %s: %d", forms[i].target, forms[i].accept, r.status);
        assert_header(&r, "Content-Type", forms[i].type);
        if (r.status == 200) {
            assert_header(&r, "Cache-Control", "no-store");
            ck_assert_int_eq(site_header(&r, "Content-Security-Policy") != NULL,
                             strstr(forms[i].type, "text/html") != NULL);
        }
        site_response_free(&r);
    }
    site_request(&r, "DELETE", "/any", "");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
}
END_TEST

/* The nonce is another one each time, and that of the page. */
START_TEST(policy_of_the_page)
{
    struct site_response r;
    char nonce[2][64];
    site_serve("location = /s { status html; }");
    for (int i = 0; i < 2; i++) {
        char tag[128];
        site_get(&r, "/s");
        const char *policy = site_header(&r, "Content-Security-Policy");
        ck_assert_int_eq(strncmp(policy, "default-src 'none'; script-src 'nonce-", 38), 0);
        ck_assert_int_eq(sscanf(policy + 38, "%63[0-9a-f]'", nonce[i]), 1);
        ck_assert_uint_eq(strlen(nonce[i]), 32);
        snprintf(tag, sizeof tag, "<script nonce=\"%s\">", nonce[i]);
        ck_assert_ptr_nonnull(strstr(r.body, tag));
        site_response_free(&r);
    }
    ck_assert_str_ne(nonce[0], nonce[1]);
}
END_TEST

START_TEST(bad_form)
{
    struct site_run run;
    site_conf_server("location /s { status xml; }");
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
    ck_assert_msg(strstr(run.err, "invalid value \"xml\" in \"status\" directive, it must be \"html\", \"json\" or "
                                  "\"prometheus\" in "),
                  "%s", run.err);
}
END_TEST

Suite *suite_counters(void)
{
    Suite *s = suite_create("counters");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "counters", 40);
    tcase_add_test(t, readers_are_tried_once_at_start);
    tcase_add_test(t, denied_readers_are_said_once);
    tcase_add_test(t, a_reader_that_is_only_helpful_is_no_warning);
    tcase_add_test(t, refused_direct_io_is_said_once);
    tcase_add_test(t, stub_status_in_nginx_words);
    tcase_add_plain_test(t, numbers_live_through_reloads_and_crashes, "TLS takes memory only");
    tcase_add_test(t, what_is_counted);
    tcase_add_test(t, gauges_follow);
    tcase_add_test(t, forms_of_the_status);
    tcase_add_test(t, policy_of_the_page);
    tcase_add_test(t, bad_form);
    return s;
}
