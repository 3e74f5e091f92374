/* test_limits.c - limit_req and limit_conn: what passes, waits and is refused; zones shared by
 * workers, and kept over reloads. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A rate so low that nothing leaks out of a bucket while a test runs. */
#define SLOW "rate=1r/m"

static const char two_workers[] = "daemon off; worker_processes 2; pid logs/sluice.pid; error_log logs/error.log info; "
                                  "events { worker_connections 512; }\n"
                                  "http { @HTTP@ %s server { listen 127.0.0.1:@PORT@; root @DIR@/html; %s } }";

/* `http` and `server`: what stands in these blocks beside the usual. */
static void serve(const char *http, const char *server)
{
    char text[4096];
    site_write("html/a", "content");
    snprintf(text, sizeof text,
             "log_format limits '$request_uri $status $limit_req_status $limit_conn_status';\n%s\n"
             "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/limits limits; %s }",
             http, server);
    site_conf_http(text);
    site_start();
}

static void serve_workers(const char *http, const char *server)
{
    char text[4096];
    site_write("html/a", "content");
    snprintf(text, sizeof text, two_workers, http, server);
    site_conf(text);
    site_start();
    site_await_workers(2);
}

/* ---- limit_req ---- */

START_TEST(burst_and_refusal)
{
    serve("limit_req_zone $arg_k zone=one:1m " SLOW ";", "location / { limit_req zone=one burst=2 nodelay; }");
    for (int i = 0; i < 3; i++)
        expect_status("/a?k=x", 200);
    expect_status("/a?k=x", 503);
    expect_status("/a?k=y", 200); /* another key */
    for (int i = 0; i < 5; i++)
        expect_status("/a", 200); /* none */
    char *log = log_await_count("logs/limits", "\n", 10);
    ck_assert_uint_eq(count_text(log, "/a?k=x 200 PASSED -\n"), 3);
    ck_assert_uint_eq(count_text(log, "/a?k=x 503 REJECTED -\n"), 1);
    ck_assert_uint_eq(count_text(log, "/a?k=y 200 PASSED -\n"), 1);
    ck_assert_uint_eq(count_text(log, "/a 200 - -\n"), 5);
    free(log);
    log = log_await("logs/error.log", "limiting requests, excess: ");
    ck_assert_ptr_nonnull(strstr(log, "[error]"));
    ck_assert_ptr_nonnull(
        strstr(log, site_text(" by zone \"one\", client: @PEER@, server: , request: \"GET /a?k=x HTTP/")));
    free(log);
}
END_TEST

START_TEST(own_status_and_level)
{
    serve("limit_req_zone $arg_k zone=one:1m " SLOW "; limit_req_status 429; limit_req_log_level notice;",
          "limit_req zone=one; error_page 429 = /a; location /named { error_page 429 @busy; }\n"
          "location @busy { return 410; }");
    expect_status("/a?k=x", 200);
    expect_status("/none?k=x", 200); /* the error page is not limited again */
    expect_status("/named?k=x", 410);
    char *log = log_await_count("logs/error.log", "limiting requests, excess: ", 2);
    ck_assert_ptr_null(strstr(log, "[error]"));
    ck_assert_ptr_nonnull(strstr(log, "[notice]"));
    free(log);
}
END_TEST

START_TEST(dry_run)
{
    serve("limit_req_zone $arg_k zone=one:1m " SLOW ";",
          "limit_req_dry_run on; location / { limit_req zone=one burst=1; }");
    for (int i = 0; i < 3; i++)
        expect_status("/a?k=x", 200);
    char *log = log_await_count("logs/limits", "\n", 3);
    ck_assert_str_eq(log, "/a?k=x 200 PASSED -\n/a?k=x 200 DELAYED_DRY_RUN -\n/a?k=x 200 REJECTED_DRY_RUN -\n");
    free(log);
    log = log_await("logs/error.log", "limiting requests, dry run, excess: ");
    ck_assert_ptr_nonnull(strstr(log, "[warn]"));
    ck_assert_ptr_nonnull(strstr(log, "delaying request, dry run, excess: "));
    free(log);
}
END_TEST

/* The rate holds, however fast they come; none is lost. */
START_TEST(delayed_requests)
{
    enum { REQUESTS = 5, RATE = 20 };
    serve("limit_req_zone $arg_k zone=one:1m rate=20r/s;", "location / { limit_req zone=one burst=10; }");
    struct site_client c[REQUESTS];
    struct site_response r;
    int64_t from = now_msec();
    for (int i = 0; i < REQUESTS; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    for (int i = 0; i < REQUESTS; i++) {
        ck_assert(client_receive(&c[i], &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        client_close(&c[i]);
    }
    ck_assert_int_ge(now_msec() - from, (REQUESTS - 2) * 1000 / RATE);
    char *log = log_await_count("logs/limits", "\n", REQUESTS);
    ck_assert_uint_eq(count_text(log, " 200 PASSED"), 1);
    ck_assert_uint_eq(count_text(log, " 200 DELAYED"), REQUESTS - 1);
    free(log);
}
END_TEST

START_TEST(one_waits_others_do_not)
{
    serve("limit_req_zone $arg_k zone=one:1m " SLOW ";", "location / { limit_req zone=one burst=1; }");
    expect_status("/a?k=x", 200);
    struct site_client waits, leaves;
    client_open(&waits, site_port(0));
    client_say(&waits, "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n");
    free(log_await("logs/error.log", "delaying request, excess: "));
    expect_status("/a?k=y", 200);
    expect_status("/a?k=x", 503);
    ck_assert(client_stays_open(&waits));
    client_open(&leaves, site_port(0));
    client_say(&leaves, "GET /a?k=y HTTP/1.1\r\nHost: a\r\n\r\n");
    free(log_await_count("logs/error.log", "delaying request, excess: ", 2));
    client_reset(&leaves);
    expect_status("/a?k=z", 200);
    site_kill(SIGTERM); /* and one that waits does not hold up the end */
    ck_assert(client_ends(&waits));
    client_close(&waits);
}
END_TEST

/* Who resets while a request waits is let go at once, not when its turn comes; who only ends its
 * sending gets the answer. */
START_TEST(clients_that_leave)
{
    serve("limit_req_zone $arg_k zone=one:1m " SLOW "; limit_req_zone $arg_k zone=two:1m rate=2r/s;",
          "location / { limit_req zone=one burst=5; } "
          "location = /then { limit_req zone=two burst=5; alias @DIR@/html/a; }");
    struct site_client c;
    struct site_response r;
    expect_status("/a?k=x", 200);
    client_open(&c, site_port(0));
    client_say(&c, "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n"); /* for a minute */
    ck_assert(!client_has_input(&c, 50));
    client_reset(&c);
    free(log_await("logs/limits", "/a?k=x 499 DELAYED -\n"));
    if (on_nginx()) /* to which both are the same */
        return;
    expect_status("/then?k=x", 200);
    client_open(&c, site_port(0));
    client_say(&c, "GET /then?k=x HTTP/1.1\r\nHost: a\r\n\r\n");
    client_end_sending(&c);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(delay_after_some)
{
    serve("limit_req_zone $arg_k zone=one:1m rate=50r/s;", "location / { limit_req zone=one burst=9 delay=2; }");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0)); /* all at once */
    client_say(&c, "%s%s%s%s", "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n",
               "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?k=x HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 4; i++) {
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    client_close(&c);
    char *log = log_await_count("logs/limits", "\n", 4);
    ck_assert_str_eq(log, "/a?k=x 200 PASSED -\n/a?k=x 200 PASSED -\n/a?k=x 200 PASSED -\n/a?k=x 200 DELAYED -\n");
    free(log);
}
END_TEST

/* One that refuses leaves the other as it was, whatever their order. */
START_TEST(several_limits)
{
    serve("limit_req_zone $arg_a zone=a:1m " SLOW "; limit_req_zone $arg_b zone=b:1m " SLOW ";",
          "limit_req zone=a; limit_req zone=b; location /own { limit_req zone=b; root @DIR@; }");
    expect_status("/a?a=1&b=1", 200);
    expect_status("/a?a=1&b=2", 503);
    expect_status("/a?a=2&b=2", 200);
    expect_status("/a?a=3&b=2", 503);
    expect_status("/a?a=3&b=3", 200);
    expect_status("/a?a=4", 200);
    expect_status("/a?a=4&b=4", 503);
    expect_status("/own?a=4&b=4", 404); /* limits of the block around it do not count where there are own ones */
    expect_status("/own?a=4&b=4", 503);
}
END_TEST

START_TEST(oldest_are_forgotten)
{
    serve("limit_req_zone $arg_k zone=one:32k " SLOW ";", "location / { limit_req zone=one; }");
    enum { KEYS = 2000 };
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < KEYS; i++) {
        if (i == 990) {
            client_close(&c);
            client_open(&c, site_port(0));
        } else if (i == 1980) {
            client_close(&c);
            client_open(&c, site_port(0));
        }
        client_say(&c, "GET /a?k=%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    client_close(&c);
    expect_status("/a?k=1999", 503);
    expect_status("/a?k=1990", 503);
    expect_status("/a?k=0", 200);
}
END_TEST

START_TEST(long_keys)
{
    serve("limit_req_zone $arg_k zone=r:1m " SLOW "; limit_conn_zone $arg_k zone=c:1m;",
          "location / { limit_req zone=r; } location /conn { limit_conn c 1; return 404; } "
          "location /c { limit_conn c 1; alias @DIR@/html/a; }");
    char target[400] = "/a?k=";
    memset(target + 5, 'k', 300);
    expect_status(target, 200);
    expect_status(target, 503);
    target[304] = 'l';
    expect_status(target, 200);
    target[1] = 'c';
    expect_status(target, 200);
    free(log_await("logs/error.log", "the value of the \"$arg_k\" key is more than 255 bytes: \"kkk"));
}
END_TEST

START_TEST(return_comes_first)
{
    serve("limit_req_zone $server_name$arg_k zone=one:1m " SLOW ";",
          "server_name s; limit_req zone=one; location /r { return 204; }");
    for (int i = 0; i < 3; i++)
        expect_status("/r", 204);
    expect_status("/a", 200);
    expect_status("/a", 503);
}
END_TEST

/* ---- zones ---- */

START_TEST(workers_share)
{
    serve_workers("limit_req_zone $arg_k zone=one:1m " SLOW ";", "limit_req zone=one burst=4 nodelay;");
    unsigned passed = 0;
    for (int i = 0; i < 40; i++)
        passed += site_status_of("/a?k=x") == 200;
    ck_assert_uint_eq(passed, 5);
}
END_TEST

static void configure(const char *zone)
{
    char http[256], text[4096];
    snprintf(http, sizeof http, "limit_req_zone %s " SLOW ";", zone);
    snprintf(text, sizeof text, two_workers, http, "limit_req zone=one;");
    site_conf(text);
}

START_TEST(kept_over_reloads)
{
    serve_workers("limit_req_zone $arg_k zone=one:1m " SLOW ";", "limit_req zone=one;");
    expect_status("/a?k=x", 200);
    expect_status("/a?k=x", 503);
    for (unsigned i = 1; i <= 2; i++) {
        site_kill(SIGHUP);
        free(log_await_count("logs/error.log", "gracefully shutting down", 2 * i));
        expect_status("/a?k=x", 503);
    }
    configure("$arg_other zone=one:1m"); /* another key: refused */
    site_kill(SIGHUP);
    free(log_await("logs/error.log",
                   "limit_req \"one\" uses the \"$arg_other\" key while previously it used the \"$arg_k\" key"));
    expect_status("/a?k=x", 503);
    configure("$arg_other zone=one:2m"); /* another size: a new zone */
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "gracefully shutting down", 6));
    expect_status("/a?k=x", 200);
    expect_status("/a?other=x", 200);
    expect_status("/a?other=x", 503);
    site_allow_alerts();
}
END_TEST

/* ---- limit_conn ---- */

enum { BIG = 64 << 20 };

/* A download that stays where it is. */
static void start_download(struct site_client *c, const char *target)
{
    struct site_response r;
    client_open_sized(c, site_port(0), 4096);
    client_say(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    ck_assert(client_head(c, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
}

static void make_big(void)
{
    site_write("html/big", "");
    ck_assert_int_eq(truncate(site_path("html/big"), BIG), 0);
}

START_TEST(connections)
{
    make_big();
    serve("limit_conn_zone $arg_k zone=one:1m;", "location / { limit_conn one 2; }");
    struct site_client c[2];
    start_download(&c[0], "/big?k=x");
    start_download(&c[1], "/big?k=x");
    expect_status("/a?k=x", 503);
    expect_status("/a?k=y", 200);
    expect_status("/a", 200);
    for (int i = 0; i < 5; i++)
        expect_status("/a?k=z", 200); /* one after the other */
    client_reset(&c[1]);
    free(log_await("logs/limits", "/big?k=x 200 - PASSED"));
    expect_status("/a?k=x", 200);
    client_reset(&c[0]);
    char *log = log_await("logs/error.log",
                          site_text("limiting connections by zone \"one\", client: @PEER@, server: , request:"));
    ck_assert_ptr_nonnull(strstr(log, "[error]"));
    free(log);
    log = log_await_count("logs/limits", "\n", 11);
    ck_assert_uint_eq(count_text(log, "/a?k=x 503 - REJECTED\n"), 1);
    ck_assert_uint_eq(count_text(log, "/a 200 - -\n"), 1);
    free(log);
}
END_TEST

static void expect_continue(struct site_client *c)
{
    struct site_response r;

    ck_assert(client_head(c, &r));
    ck_assert_str_eq(r.head, "HTTP/1.1 100 Continue\r\n\r\n");
    site_response_free(&r);
}

#define POST(target) "POST " target " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"

/* A request whose body comes slowly, or never, is one that is being served; one that is refused is
 * not read any further. */
START_TEST(waiting_for_bodies)
{
    serve("limit_conn_zone $arg_k zone=one:1m; limit_req_zone $arg_k zone=two:1m " SLOW ";",
          "location / { limit_conn one 1; } location = /rare { limit_req zone=two; }"
          "location = /gone { return 444; }");
    struct site_client slow, c;
    struct site_response r;

    client_open(&slow, site_port(0));
    client_say(&slow, POST("/a?k=x"));
    expect_continue(&slow);
    expect_status("/a?k=x", 503);
    expect_status("/rare?k=x", 404);
    for (int i = 0; i < 2; i++) {
        client_open(&c, site_port(0));
        client_say(&c, POST("%s"), i == 0 ? "/a?k=x" : "/rare?k=x");
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 503);
        assert_header(&r, "Connection", "close");
        site_response_free(&r);
        client_say(&c, "hello");
        ck_assert(client_ends(&c));
        client_close(&c);
    }
    client_open(&c, site_port(0));
    client_say(&c, POST("/gone"));
    ck_assert(client_ends(&c));
    client_close(&c);
    client_say(&slow, "hello");
    ck_assert(client_receive(&slow, &r));
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
    expect_status("/a?k=x", 200);
    client_close(&slow);
}
END_TEST

START_TEST(several_connection_limits)
{
    make_big();
    serve(
        "limit_conn_zone $arg_a zone=a:1m; limit_conn_zone $arg_b zone=b:1m; limit_conn_status 429;\n"
        "limit_conn_log_level info;",
        "limit_conn a 1; limit_conn b 1; location /dry/ { limit_conn_dry_run on; limit_conn a 1; alias @DIR@/html/; }");
    struct site_client c;
    start_download(&c, "/big?a=1&b=1");
    expect_status("/a?a=2&b=1", 429); /* and what it had counted for the first limit is taken back */
    expect_status("/a?a=2&b=2", 200);
    expect_status("/a?a=1&b=2", 429);
    expect_status("/dry/a?a=1", 200);
    client_reset(&c);
    char *log = log_await_count("logs/limits", "\n", 5);
    ck_assert_ptr_nonnull(strstr(log, "/dry/a?a=1 200 - REJECTED_DRY_RUN\n"));
    free(log);
    log = log_await("logs/error.log", "limiting connections, dry run, by zone \"a\"");
    ck_assert_ptr_null(strstr(log, "[error]"));
    free(log);
}
END_TEST

/* What a killed worker had counted is not held against its clients for ever. */
START_TEST(killed_workers)
{
    if (on_nginx())
        return;
    make_big();
    serve_workers("limit_conn_zone $arg_k zone=one:1m;", "limit_conn one 1;");
    struct site_client c;
    pid_t pids[8];
    start_download(&c, "/big?k=x");
    for (int i = 0; i < 8; i++)
        expect_status("/a?k=x", 503); /* whichever worker is asked */
    unsigned count = site_workers(pids, 8);
    ck_assert_uint_eq(count, 2);
    for (unsigned i = 0; i < count; i++)
        kill(pids[i], SIGKILL);
    free(log_await_count("logs/error.log", "exited on signal 9", 2));
    client_close(&c);
    site_await_port(site_port(0));
    site_await_workers(2);
    for (int i = 0; i < 8; i++)
        expect_status("/a?k=x", 200);
    site_allow_alerts();
}
END_TEST

/* Full of what a killed worker left, two zones are swept one right after the other. */
START_TEST(killed_worker_left_full_zones)
{
    enum { KEYS = 1400 };
    static struct site_client c[KEYS];
    char text[1024];
    pid_t pid;

    if (on_nginx())
        return;
    snprintf(text, sizeof text,
             "daemon off; worker_processes 1; pid logs/sluice.pid; error_log logs/error.log info;\n"
             "events { worker_connections 2048; }\n"
             "http { @HTTP@ limit_conn_zone $arg_k zone=one:32k; limit_conn_zone $arg_k zone=two:32k;\n"
             "server { listen 127.0.0.1:@PORT@; root @DIR@/html; limit_conn one 5; limit_conn two 5; } }");
    site_write("html/a", "content");
    site_conf(text);
    site_start();
    site_await_workers(1);
    ck_assert_uint_eq(site_workers(&pid, 1), 1);
    bool full = false;
    unsigned opened = 0;
    while (!full) { /* requests that wait for their bodies */
        ck_assert_uint_lt(opened, KEYS);
        client_open(&c[opened], site_port(0));
        client_say(&c[opened], POST("/a?k=%u"), opened);
        struct site_response r;
        ck_assert(client_head(&c[opened], &r));
        full = r.status == 503;
        ck_assert(full || r.status == 100);
        site_response_free(&r);
        opened++;
    }
    kill(pid, SIGKILL);
    free(log_await("logs/error.log", "exited on signal 9"));
    site_await_port(site_port(0));
    expect_status("/a?k=new", 200);
    for (unsigned i = 0; i < opened; i++)
        client_close(&c[i]);
    site_allow_alerts();
}
END_TEST

/* Counted across a reload: the old worker's download is still one. */
START_TEST(connections_over_reloads)
{
    make_big();
    serve_workers("limit_conn_zone $arg_k zone=one:1m;", "limit_conn one 1;");
    struct site_client c;
    start_download(&c, "/big?k=x");
    site_kill(SIGHUP);
    free(log_await_count("logs/error.log", "gracefully shutting down", 2));
    expect_status("/a?k=x", 503);
    client_reset(&c);
    free(log_await("logs/access.log", "/big?k=x"));
    expect_status("/a?k=x", 200);
}
END_TEST

/* ---- what is wrong with a configuration ---- */

static const struct {
    const char *http, *error;
} wrong[] = {
    {"limit_req_zone $uri zone=a:1m;", "invalid number of arguments in \"limit_req_zone\" directive"},
    {"limit_req_zone $uri zone=a:1m rate=0r/s;", "invalid rate \"rate=0r/s\""},
    {"limit_req_zone $uri zone=a:1m rate=1r/h;", "invalid rate \"rate=1r/h\""},
    {"limit_req_zone $uri zone=a:16k rate=1r/s;", "zone \"zone=a:16k\" is too small"},
    {"limit_req_zone $uri zone=a rate=1r/s;", "invalid zone size \"zone=a\""},
    {"limit_req_zone $uri rate=1r/s rate=2r/s;", "\"limit_req_zone\" must have \"zone\" parameter"},
    {"limit_req_zone $uri zone=a:1m rate=1r/s; limit_req_zone $host zone=a:1m rate=1r/s;",
     "limit_req_zone \"a\" is already bound to key \"$uri\""},
    {"limit_req_zone $nonsense zone=a:1m rate=1r/s;", "unknown \"nonsense\" variable"},
    {"limit_req zone=a;", "zero size shared memory zone \"a\""},
    {"limit_req burst=1;", "\"limit_req\" must have \"zone\" parameter"},
    {"limit_req zone=a burst=0;", "invalid burst value \"burst=0\""},
    {"limit_req zone=a delay=x;", "invalid delay value \"delay=x\""},
    {"limit_req zone=a quick;", "invalid parameter \"quick\""},
    {"limit_req_status 200;", "200"},
    {"limit_req_log_level debug;", "invalid value \"debug\""},
    {"limit_conn_zone $uri zone=a:1m; limit_conn a 0;", "invalid number of connections \"0\""},
    {"limit_conn_zone $uri zone=a:1m; limit_conn a 65536;", "connection limit must be less 65536"},
    {"limit_conn_zone $uri zone=a:1m; limit_conn a 1; limit_conn a 2;", "is duplicate"},
    {"limit_conn_zone $uri zone=a:1m rate=1r/s;", "invalid number of arguments"},
    {"limit_conn_zone $uri zone=a:1m; limit_req zone=a;",
     "the shared memory zone \"a\" is already declared for a different use"},
    {"limit_conn a 1;", "zero size shared memory zone \"a\""},
    {"limit_rate fast;", "\"limit_rate\" directive invalid value"},
};

START_TEST(wrong_configuration)
{
    char text[512];
    snprintf(text, sizeof text, "%s\nserver { listen 127.0.0.1:@PORT@; }", wrong[_i].http);
    expect_conf_http(text, wrong[_i].error);
}
END_TEST

Suite *suite_limits(void)
{
    Suite *s = suite_create("limits");
    TCase *tc = site_case(s, "req", 30);
    tcase_add_test(tc, burst_and_refusal);
    tcase_add_test(tc, own_status_and_level);
    tcase_add_test(tc, dry_run);
    tcase_add_test(tc, delayed_requests);
    tcase_add_test(tc, one_waits_others_do_not);
    tcase_add_test(tc, clients_that_leave);
    tcase_add_test(tc, delay_after_some);
    tcase_add_test(tc, several_limits);
    tcase_add_test(tc, oldest_are_forgotten);
    tcase_add_test(tc, long_keys);
    tcase_add_test(tc, return_comes_first);
    tc = site_case(s, "zones", 30);
    tcase_add_test(tc, workers_share);
    tcase_add_test(tc, kept_over_reloads);
    tc = site_case(s, "conn", 30);
    tcase_add_test(tc, connections);
    tcase_add_http1_test(tc, waiting_for_bodies, "ends with Connection: close");
    tcase_add_test(tc, several_connection_limits);
    tcase_add_test(tc, killed_workers);
    tcase_add_test(tc, killed_worker_left_full_zones);
    tcase_add_test(tc, connections_over_reloads);
    tc = site_case(s, "wrong", 30);
    tcase_add_loop_test(tc, wrong_configuration, 0, sizeof wrong / sizeof *wrong);
    return s;
}
