/* test_timeouts.c - how long clients may take: each timeout counts from when a client last did
 * something, once, and says so in the log.
 *
 * No time is measured: another connection, whose own timeout is longer, ends after the one that is
 * looked at. */
#include "harness.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20 };

static void configure(const char *listen, const char *options)
{
    char conf[1024];
    site_pattern("html/f", 16 * MIB);
    site_write("html/a.txt", "hello\n");
    snprintf(conf, sizeof conf,
             "error_log logs/info info; server { listen 127.0.0.1:@PORT@ %s; server_name one; root @DIR@/html; %s }\n"
             "server { listen 127.0.0.1:@PORT1@; root @DIR@/html; keepalive_timeout 1600ms; }\n"
             "server { listen 127.0.0.1:@PORT2@; root @DIR@/html; keepalive_timeout 3s; }\n",
             listen, options);
    site_conf_http(conf);
    site_start();
}

/* Another connection, which ends when it has been idle from now on: longer than one second, or than
 * two. */
static void begin_clock(struct site_client *clock, bool two)
{
    struct site_response r;
    client_open(clock, site_port(two ? 2 : 1));
    client_say(clock, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(clock, &r));
    site_response_free(&r);
}

/* And the turn of the loop in which it ended is over. */
static void await_clock(struct site_client *clock)
{
    struct site_client c;
    struct site_response r;
    while (client_fill(clock))
        ;
    client_close(clock);
    client_open(&c, site_port(1));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    client_close(&c);
}

static void expect_line(const char *pattern)
{
    regex_t re;
    char *log = site_read("logs/info", NULL);
    ck_assert_int_eq(regcomp(&re, site_text(pattern), REG_EXTENDED | REG_NOSUB | REG_NEWLINE), 0);
    ck_assert_msg(log && regexec(&re, log, 0, NULL, 0) == 0, "no line of\n%s\nmatches %s", log ? log : "", pattern);
    regfree(&re);
    free(log);
}

#define TIMED_OUT   "\\[info\\] [0-9#]+: \\*[0-9]+ client timed out \\(110: Connection timed out\\) while "
#define CLIENT      ", client: @PEER@, server: one"
#define CLIENT_ONLY ", client: @PEER@, server: @LISTEN@$"

/* A client that takes the beginning and then nothing. `takes`: how much more a second later. */
static const struct {
    const char *listen, *options, *head;
    size_t takes;
    const char *line;
} stalls[] = {
    {"", "send_timeout 1s;", "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", 0,
     TIMED_OUT "sending response to client" CLIENT ", request: \"GET /f HTTP/1\\.1\", host: \"a\"$"},
    {"", "send_timeout 1s; sendfile off;", "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", 0,
     TIMED_OUT "sending response to client"},
    {"", "send_timeout 1s; directio 1m;", "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", 0,
     TIMED_OUT "sending response to client"},
    {"sndbuf=16k", "send_timeout 1s; limit_rate 1m;", "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", 0,
     TIMED_OUT "sending response to client"},
    {"", "send_timeout 1s; send_min_rate 1 60s;", "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", 0,
     TIMED_OUT "sending response to client"},
    /* The time in which it took nothing adds up, across what it took. */
    {"sndbuf=16k", "send_min_rate 10m 2s;", "GET /f HTTP/1.1\r\nHost: a\r\n\r\n", MIB,
     "which is less than send_min_rate"},
    /* All of the response is with the kernel. */
    {"", "send_timeout 1s; location = /g { alias @DIR@/html/g; }",
     "GET /g HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0, TIMED_OUT "sending response to client" CLIENT_ONLY},
    /* And its location says for how long. */
    {"", "location = /g { send_timeout 1s; }", "GET /g HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 0,
     TIMED_OUT "sending response to client" CLIENT_ONLY},
};

enum { WITH_THE_KERNEL = 6 }; /* the first of these rows */

START_TEST(stalled_client)
{
    struct site_client c, clock;
    site_pattern("html/g", MIB);
    configure(stalls[_i].listen, stalls[_i].options);
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "%s", stalls[_i].head);
    ck_assert(client_fill(&c));
    begin_clock(&clock, stalls[_i].takes > 0);
    if (stalls[_i].takes > 0) {
        sleep_msec(1000);
        while (c.len < stalls[_i].takes)
            ck_assert(client_fill(&c));
    }
    await_clock(&clock);
    expect_line(stalls[_i].line);
    client_close(&c);
}
END_TEST

/* A client that did not send all of a request. `later`: what it sends after a second. */
static const struct {
    const char *listen, *options, *first, *later, *line;
} silences[] = {
    {"", "client_header_timeout 1s;", "", "", TIMED_OUT "waiting for request" CLIENT_ONLY},
    {"", "client_header_timeout 1s;", "GET /a", "",
     TIMED_OUT "reading client request line" CLIENT ", request: \"GET /a\"$"},
    {"", "client_header_timeout 1s;", "GET /a.txt HTTP/1.1\r\nHost: x\r\n", "",
     TIMED_OUT "reading client request headers" CLIENT ", request: \"GET /a\\.txt HTTP/1\\.1\", host: \"x\"$"},
    {"", "client_header_timeout 1s; reset_timedout_connection on;", "GET /a.txt HTTP/1.1\r\nHost: x\r\n", "",
     TIMED_OUT "reading client request headers" CLIENT ", request: \"GET /a\\.txt HTTP/1\\.1\", host: \"x\"$"},
    {"", "client_body_timeout 1s;", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", "",
     TIMED_OUT "reading client request body" CLIENT ", request: \"POST /a\\.txt HTTP/1\\.1\", host: \"x\"$"},
    {"proxy_protocol", "client_header_timeout 1s;", "", "", TIMED_OUT "reading PROXY protocol" CLIENT_ONLY},
    /* The time began when the connection came, not with its first byte. */
    {"", "client_header_timeout 2s;", "", "GET", TIMED_OUT "reading client request line"},
    {"proxy_protocol", "client_header_timeout 2s;", "", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
     TIMED_OUT "waiting for request, client: @PEER@"},
    {"proxy_protocol", "client_header_timeout 2s;", "", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET",
     TIMED_OUT "reading client request line"},
};

START_TEST(silent_client)
{
    struct site_client c, clock;
    configure(silences[_i].listen, silences[_i].options);
    client_open(&c, site_port(0));
    client_say(&c, "%s", silences[_i].first);
    bool later = *silences[_i].later != '\0';
    begin_clock(&clock, later);
    if (later)
        sleep_msec(1000);
    client_say(&c, "%s", silences[_i].later);
    await_clock(&clock);
    expect_line(silences[_i].line);
    client_close(&c);
}
END_TEST

/* What the location says holds for what comes behind its response, too. */
START_TEST(lingering_client)
{
    struct site_client c, clock;
    struct site_response r;
    configure("", "location = /a.txt { lingering_close always; lingering_timeout 1s; }\n"
                  "location = /active { return 200 $connections_active; }");
    client_open(&c, site_port(0));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    begin_clock(&clock, false);
    await_clock(&clock);
    int active = 0;
    for (int tries = 0; active != 1 && tries < 100; tries++) { /* what else was open may just be closing */
        struct site_client other;
        client_open(&other, site_port(0));
        client_say(&other, "GET /active HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&other, &r));
        active = atoi(r.body);
        site_response_free(&r);
        client_close(&other);
        sleep_msec(5);
    }
    ck_assert_int_eq(active, 1);
    client_close(&c);
}
END_TEST

/* The end of a connection that only was idle between requests is nothing to tell. */
START_TEST(idle_client)
{
    struct site_client clock;
    configure("", "");
    begin_clock(&clock, false);
    await_clock(&clock);
    char *log = site_read("logs/info", NULL);
    ck_assert_ptr_null(log ? strstr(log, "timed out") : NULL);
    free(log);
}
END_TEST

Suite *suite_timeouts(void)
{
    Suite *s = suite_create("timeouts");
    TCase *tc = site_case(s, "timeouts", 60);
    if (on_nginx())
        return s;
    tcase_add_loop_test(tc, stalled_client, 0, WITH_THE_KERNEL);
    tcase_add_tcp_loop_test(tc, stalled_client, WITH_THE_KERNEL, sizeof stalls / sizeof *stalls,
                            "the kernel holds a whole response");
    tcase_add_plain_loop_test(tc, silent_client, 0, sizeof silences / sizeof silences[0],
                              "what the log says of a handshake: suite tls_handshake");
    tcase_add_test(tc, lingering_client);
    tcase_add_test(tc, idle_client);
    return s;
}
