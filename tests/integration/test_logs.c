/* test_logs.c - access_log and error_log: exact lines, formats, conditions, buffers, levels,
 * reopening. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void expect_match(const char *text, const char *pattern)
{
    regex_t re;
    ck_assert_msg(regcomp(&re, site_text(pattern), REG_EXTENDED | REG_NOSUB | REG_NEWLINE) == 0, "%s", pattern);
    ck_assert_msg(regexec(&re, text, 0, NULL, 0) == 0, "no line of\n%s\nmatches %s", text, pattern);
    regfree(&re);
}

static void fetch(const char *target, const char *fields)
{
    struct site_response r;
    site_request(&r, "GET", target, fields);
    site_response_free(&r);
}

#define STAMP "\\[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}\\]"

START_TEST(combined)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    fetch("/a.txt?x=%20y", "Referer: http://from/\r\nUser-Agent: Agent/1 (x; y)\r\n");
    fetch("/none", "");
    fetch("/a.txt", "Authorization: Basic YW5uOnNlY3JldA==\r\n");
    struct site_response r;
    site_request(&r, "HEAD", "/a.txt", "");
    site_response_free(&r);
    fetch("/a.txt", "User-Agent: a\"b\\\\c\xc3\xa4\r\n");
    char *log = log_await_count("logs/access.log", "\n", 5);
    expect_match(log, "^@PEER@ - - " STAMP
                      " \"GET /a\\.txt\\?x=%20y HTTP/1\\.1\" 200 6 \"http://from/\" \"Agent/1 \\(x; y\\)\"$");
    expect_match(log, "^@PEER@ - - " STAMP " \"GET /none HTTP/1\\.1\" 404 [0-9]+ \"-\" \"-\"$");
    expect_match(log, "^@PEER@ - ann " STAMP " \"GET /a\\.txt HTTP/1\\.1\" 200 6 \"-\" \"-\"$");
    expect_match(log, "^@PEER@ - - " STAMP " \"HEAD /a\\.txt HTTP/1\\.1\" 200 0 \"-\" \"-\"$");
    ck_assert_ptr_nonnull(strstr(log, "\"a\\x22b\\x5C\\x5Cc\\xC3\\xA4\""));
    ck_assert_uint_eq(count_text(log, "\n"), 5);
    free(log);
}
END_TEST

/* Each turn of the writer is a gzip member of its own; `zcat` reads them as one text. */
START_TEST(compressed)
{
    struct site_run run;
    char line[512];
    site_write("html/a.txt", "hello\n");
    site_conf_server("access_log @DIR@/logs/z.gz combined gzip=9 buffer=1k flush=1h;");
    site_run(&run, "-t", NULL);
    if (strstr(run.err, "without it"))
        return; /* a build without zlib */
    site_start();
    for (int i = 0; i < 100; i++)
        fetch("/a.txt", "");
    site_stop(SIGQUIT);
    snprintf(line, sizeof line, "gzip -dc %s", site_path("logs/z.gz"));
    FILE *unpacked = popen(line, "r");
    ck_assert_ptr_nonnull(unpacked);
    unsigned lines = 0;
    for (; fgets(line, sizeof line, unpacked); lines++)
        expect_match(line, "^@PEER@ - - " STAMP " \"GET /a\\.txt HTTP/1\\.1\" 200 6 ");
    ck_assert_int_eq(pclose(unpacked), 0);
    ck_assert_uint_eq(lines, 100);
}
END_TEST

START_TEST(lines_of_bad_requests)
{
    site_serve("");
    const char *const bad[] = {"BAD\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
                               "\x16\x03\x01\r\n\r\n"};
    for (size_t i = 0; i < 4; i++)
        site_status_of_bytes(bad[i], strlen(bad[i]));
    char *log = log_await_count("logs/access.log", " 400 ", 4);
    ck_assert_ptr_nonnull(strstr(log, "\"GET / HTTP/1.1\" 400 "));
    ck_assert_ptr_nonnull(strstr(log, "\"GET /%zz HTTP/1.1\" 400 "));
    ck_assert_ptr_nonnull(strstr(log, "\\x16\\x03\\x01"));
    ck_assert_ptr_null(strchr(log, '\x16'));
    free(log);
}
END_TEST

/* Refused before they had a path: variables made of it are empty, not what lay in memory. */
START_TEST(bad_requests_have_no_uri)
{
    site_conf_http("log_format paths '[$uri|$document_uri|$request_filename|$realpath_root]';\n"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/paths paths; }\n");
    site_start();
    const char *const bad[] = {"GET /../secret HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
                               "GET /a/%00 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\x01 HTTP/1.1\r\n\r\n", "BAD\r\n\r\n"};
    char expected[512];
    for (size_t i = 0; i < 5; i++)
        ck_assert_int_eq(site_status_of_bytes(bad[i], strlen(bad[i])), 400);
    snprintf(expected, sizeof expected, "[||%s|%s]\n", site_path("html"), site_path("html"));
    free(log_await_count("logs/paths", expected, 3)); /* the path was read, and is refused */
    snprintf(expected, sizeof expected, "[-|-|%s|%s]\n", site_path("html"), site_path("html"));
    if (!on_nginx())
        free(log_await_count("logs/paths", expected, 2));
}
END_TEST

/* Requests that never get a response, or not all of it, have a line too, and only one. */
static const struct {
    const char *bytes, *conf, *line; /* line: how it begins, and goes on behind the numbers */
    enum { GO, RESET, STAY, TERMINATE, GRACE } end;
} unanswered[] = {
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\n", "", "400 0 0 - GET /a.txt HTTP/1.1", GO},
    {"GET /a.t", "", "400 0 0 - GET /a.t", GO},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\n", "", "400 0 0 - GET /a.txt HTTP/1.1", RESET},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\n", "client_header_timeout 100ms; reset_timedout_connection on;",
     "408 0 0 - GET /a.txt HTTP/1.1", STAY},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "", "400 0 0 - GET /a.txt HTTP/1.1", GO},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "", "400 0 0 - GET /a.txt HTTP/1.1", RESET},
    {"POST /a.txt HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "",
     "400 0 0 - POST /a.txt HTTP/1.1", GO},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
     "client_body_timeout 100ms; reset_timedout_connection on;", "408 0 0 - GET /a.txt HTTP/1.1", STAY},
    {"GET /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "", "503 0 0 - GET /a.txt HTTP/1.1", TERMINATE},
    /* What `return` says goes out when the body has come. */
    {"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "", "400 0 0 - POST /said HTTP/1.1", GO},
    {"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", "", "400 0 0 - POST /said HTTP/1.1", RESET},
    {"POST /moved HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", "",
     "400 0 0 - POST /moved HTTP/1.1", GO},
    {"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
     "client_body_timeout 100ms; reset_timedout_connection on;", "408 0 0 - POST /said HTTP/1.1", STAY},
    {"POST /said HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "", "503 0 0 - POST /said HTTP/1.1", TERMINATE},
    {"GET /big HTTP/1.1\r\nHost: a\r\n\r\n", "", "200 [1-9][0-9]* [1-9][0-9]* - GET /big HTTP/1.1", TERMINATE},
    {"GET /big HTTP/1.1\r\nHost: a\r\n\r\n", "", "200 [1-9][0-9]* [1-9][0-9]* - GET /big HTTP/1.1", GRACE},
    {"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n", "", "503 0 0 - GET /slow HTTP/1.1", TERMINATE},
};

START_TEST(requests_without_an_end)
{
    struct site_client c;
    char conf[1024], line[256];
    site_write("html/a.txt", "hello\n");
    site_pattern("html/big", 32 << 20);
    snprintf(conf, sizeof conf,
             "@MAIN@ worker_shutdown_timeout 100ms; events { } http {\n"
             "limit_req_zone x zone=z:1m rate=1r/m;\n"
             "log_format ends '$status $body_bytes_sent $bytes_sent -$request_completion $request';\n"
             "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/ends ends; %s\n"
             "location /slow { limit_req zone=z burst=5; } location /said { return 200 x; }\n"
             "location /moved { return 302 /said; } } }\n",
             unanswered[_i].conf);
    site_conf(conf);
    site_start();
    ck_assert_int_eq(site_status_of("/slow"), 404); /* the next one waits */
    free(log_await_count("logs/ends", "\n", 1));
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "%s", unanswered[_i].bytes);
    if (strstr(unanswered[_i].bytes, "/big"))
        ck_assert(client_fill(&c));
    else
        sleep_msec(100); /* it has come before what comes next */
    if (unanswered[_i].end == RESET)
        client_reset(&c);
    else if (unanswered[_i].end == GO)
        client_close(&c);
    else if (unanswered[_i].end != STAY)
        site_stop(unanswered[_i].end == GRACE ? SIGQUIT : SIGTERM);
    free(log_await_count("logs/ends", "\n", 2));
    if (unanswered[_i].end == GO || unanswered[_i].end == RESET || unanswered[_i].end == STAY) {
        ck_assert_int_eq(site_status_of("/a.txt"), 200);
        site_stop(SIGQUIT); /* all is written */
    }
    char *log = site_read("logs/ends", NULL);
    snprintf(line, sizeof line, "^%s$", unanswered[_i].line);
    expect_match(log, line);
    ck_assert_uint_eq(count_text(log, "\n"), unanswered[_i].end == TERMINATE || unanswered[_i].end == GRACE ? 2 : 3);
    free(log);
    if (unanswered[_i].end != GO && unanswered[_i].end != RESET)
        client_close(&c);
}
END_TEST

/* Nothing completes a request that is not to have an answer, be it the first of its connection or
 * not. */
START_TEST(silence_is_no_completion)
{
    static const char asked[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n",
                      silent[] = "GET /no HTTP/1.1\r\nHost: a\r\n\r\n";
    site_write("html/a.txt", "hello\n");
    site_conf("@MAIN@ events { } http { log_format done '$status -$request_completion';\n"
              "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/done done;\n"
              "location /no { return 444; } } }\n");
    site_start();
    for (int i = 0; i < 2; i++) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_say(&c, "%s%s", i ? asked : "", silent);
        if (i) {
            struct site_response r;
            ck_assert(client_receive(&c, &r));
            site_response_free(&r);
        }
        ck_assert(client_ends(&c));
        client_close(&c);
    }
    char *log = log_await_count("logs/done", "\n", 3);
    ck_assert_str_eq(log, "444 -\n200 -OK\n444 -\n");
    free(log);
}
END_TEST

START_TEST(formats)
{
    site_write("html/a.txt", "hello\n");
    site_conf_http(
        "log_format one '$request_method|$uri|$args|$status|$body_bytes_sent|$http_x_y|$sent_http_content_length';\n"
        "log_format two escape=json '{\"u\":\"$request_uri\",\"a\":\"$http_user_agent\"}';\n"
        "log_format three '$remote_addr:$remote_port $server_addr:$server_port $connection_requests $request_length "
        "$bytes_sent'\n"
        " ' $request_time $msec $pipe';\n"
        "log_format four escape=none '$http_user_agent';\n"
        "log_format five '$time_iso8601 $time_local $host $hostname';\n"
        "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/one one; access_log logs/two two; "
        "access_log logs/three three;\n"
        "access_log logs/four four; access_log logs/five five; }\n");
    site_start();
    struct site_client c;
    struct site_response r;
    const char text[] = "GET /%61.txt?b=c HTTP/1.1\r\nHost: h\r\nX-Y: z\r\nUser-Agent: q\"u\\o\r\n\r\n";
    client_open(&c, site_port(0));
    client_say(&c, "%s%s", "GET /none HTTP/1.1\r\nHost: h\r\n\r\n", "");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    client_send(&c, text, sizeof text - 1);
    ck_assert(client_receive(&c, &r));
    size_t sent = r.head_len + r.len;
    site_response_free(&r);
    client_close(&c);
    free(log_await("logs/one", "GET|/a.txt|b=c|200|6|z|6\n"));
    free(log_await("logs/two", "{\"u\":\"/%61.txt?b=c\",\"a\":\"q\\\"u\\\\o\"}\n"));
    char expected[128];
    snprintf(expected, sizeof expected, " 127.0.0.1:%d 2 %zu %zu 0.", site_port(0), sizeof text - 1, sent);
    char *log = log_await("logs/three", expected);
    expect_match(log, "^127\\.0\\.0\\.1:[0-9]+ .* [0-9]\\.[0-9]{3} [0-9]{10}\\.[0-9]{3} [.p]$");
    free(log);
    free(log_await("logs/four", "q\"u\\o\n"));
    log = log_await_count("logs/five", " h ", 2);
    expect_match(log, "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[+-][0-9]{2}:[0-9]{2} ");
    free(log);
}
END_TEST

/* What a client sends need not be text; a line of JSON has to be. */
START_TEST(json_is_utf8)
{
    site_write("html/\xe9", "x");
    site_conf_http("log_format j escape=json '{\"u\":\"$uri\",\"a\":\"$http_user_agent\",\"f\":\"$request_filename\"}';"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/j j; }");
    site_start();
    if (on_nginx())
        return;
    fetch("/%e9", "User-Agent: gr\xc3\xbc\xdf\r\n");
    fetch("/%c3%a9", "User-Agent: \xed\xa0\x80\xc0\xaf\r\n");
    char *log = log_await_count("logs/j", "\n", 2), expected[256];
    snprintf(expected, sizeof expected, "{\"u\":\"/\\ufffd\",\"a\":\"gr\xc3\xbc\\ufffd\",\"f\":\"%s/\\ufffd\"}\n",
             site_path("html"));
    ck_assert_msg(strstr(log, expected) != NULL, "%s, not %s", log, expected);
    ck_assert_msg(strstr(log, "{\"u\":\"/\xc3\xa9\",\"a\":\"\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\",") != NULL, "%s",
                  log);
    free(log);
}
END_TEST

START_TEST(conditions)
{
    site_write("html/a.txt", "hello\n");
    site_serve("access_log logs/if combined if=$arg_log; location /off/ { access_log off; }\n"
               "location /two/ { access_log logs/t1; access_log logs/t2; }");
    fetch("/a.txt?n=1", "");
    fetch("/a.txt?n=2&log=0", "");
    fetch("/a.txt?n=3&log=", "");
    fetch("/a.txt?n=4&log=yes", "");
    fetch("/off/?n=5", "");
    fetch("/two/?n=6", "");
    free(log_await("logs/t1", "n=6"));
    free(log_await("logs/t2", "n=6"));
    char *log = log_await("logs/if", "n=4");
    ck_assert_uint_eq(count_text(log, "\n"), 1);
    free(log);
    /* Nothing fell through to the log around. */
    log = site_read("logs/access.log", NULL);
    ck_assert_msg(!log || !*log, "%s", log);
    free(log);
}
END_TEST

START_TEST(buffered)
{
    site_write("html/a.txt", "hello\n");
    site_serve("access_log logs/b1 combined buffer=64k flush=1s; access_log logs/b2 combined buffer=64k;");
    fetch("/a.txt?first", "");
    free(log_await("logs/b1", "first"));
    /* The second is written at the latest when the server ends. */
    site_stop(SIGQUIT);
    free(log_await("logs/b2", "first"));
}
END_TEST

START_TEST(buffered_since_a_reload)
{
    static const char conf[] = "access_log logs/b combined%s;";
    char text[128];
    site_write("html/a.txt", "hello\n");
    snprintf(text, sizeof text, conf, "");
    site_serve(text);
    snprintf(text, sizeof text, conf, " buffer=64k flush=1h");
    site_conf_server(text);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "exited with code 0")); /* the old worker */
    fetch("/a.txt", "");
    sleep_msec(200);
    char *log = site_read("logs/b", NULL);
    ck_assert_str_eq(log, "");
    free(log);
    site_stop(SIGQUIT);
    free(log_await_count("logs/b", "\n", 1));
}
END_TEST

/* One that is not taken changes nothing. */
START_TEST(buffered_as_before_a_failed_reload)
{
    static const char conf[] = "@MAIN@ master_process off; events { } http { @HTTP@ server { listen 127.0.0.1:@PORT@;\n"
                               "root @DIR@/html; access_log logs/b combined%s; } }\n";
    char text[512];
    site_write("html/a.txt", "hello\n");
    snprintf(text, sizeof text, conf, "");
    site_conf(text);
    site_start();
    snprintf(text, sizeof text, conf, " buffer=64k flush=1h; root nowhere");
    site_conf(text);
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "\"root\" directive is duplicate"));
    fetch("/a.txt", "");
    free(log_await_count("logs/b", "\n", 1));
    site_allow_alerts();
}
END_TEST

START_TEST(every_line_arrives)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    enum { REQUESTS = 3000 };
    struct site_client c;
    client_open(&c, site_port(0));
    for (int i = 0; i < REQUESTS; i += 10) {
        struct site_response r;
        for (int k = 0; k < 10; k++)
            client_say(&c, "GET /a.txt?%d HTTP/1.1\r\nHost: a\r\n\r\n", i + k);
        for (int k = 0; k < 10; k++) {
            ck_assert(client_receive(&c, &r));
            site_response_free(&r);
        }
        if (i % 990 == 980) { /* nginx's keepalive_requests is 1000 by default */
            client_close(&c);
            client_open(&c, site_port(0));
        }
    }
    client_close(&c);
    site_stop(SIGTERM);
    char *log = site_read("logs/access.log", NULL);
    ck_assert_uint_eq(count_text(log, "\n"), REQUESTS);
    for (int i = 0; i < REQUESTS; i += 37) {
        char target[32];
        snprintf(target, sizeof target, "/a.txt?%d ", i);
        ck_assert_msg(strstr(log, target), "no line for %s", target);
    }
    free(log);
}
END_TEST

static const char *log_after(const char *log, const char *what)
{
    const char *at = strstr(log, what);
    ck_assert_msg(at, "no %s in %s", what, log);
    return at + strlen(what);
}

/* What the log says of a response that was cut short. */
START_TEST(bytes_of_a_cut_response)
{
    site_pattern("html/big", 20 << 20);
    site_serve("");
    struct site_client c;
    client_open_sized(&c, site_port(0), 4096);
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    struct site_response r;
    ck_assert(client_head(&c, &r));
    site_response_free(&r);
    client_expect_pattern(&c, 0, 1);
    client_reset(&c);
    char *log = log_await("logs/access.log", "GET /big");
    unsigned long sent = 0;
    ck_assert_int_eq(sscanf(log_after(log, "\" 200 "), "%lu", &sent), 1);
    ck_assert_msg(sent > 0 && sent < 20u << 20, "%lu", sent);
    free(log);
}
END_TEST

/* ---- error_log ---- */

START_TEST(error_lines)
{
    site_serve("");
    fetch("/none?q", "Referer: http://r/\r\n");
    char *log = log_await("logs/error.log", "html/none");
    char expected[1000];
    snprintf(expected, sizeof expected,
             "^[0-9]{4}/[0-9]{2}/[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} \\[error\\] [0-9]+#[0-9]+: \\*[0-9]+ open\\(\\) "
             "\"[^\"]+/html/none\" failed "
             "\\(2: No such file or directory\\), client: @PEER@, server: [^,]*, request: \"GET /none\\?q "
             "HTTP/1\\.1\", host: \"localhost\", "
             "referrer: \"http://r/\"$");
    expect_match(log, expected);
    free(log);
}
END_TEST

/* A response to what comes next tells that the turn is over. */
static void ask_for_none(int number)
{
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /none-%d HTTP/1.1\r\nHost: a\r\n\r\n", number);
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    site_response_free(&r);
    client_close(&c);
}

static bool has_line_of(int number)
{
    char name[64];
    char *log = site_read("logs/error.log", NULL);
    snprintf(name, sizeof name, "/none-%d\"", number);
    bool has = log && strstr(log, name);
    free(log);
    return has;
}

/* An error line is in the file when its turn is over, so that neither who looks at once misses it
 * nor a crash loses it. A machine that is short of processors may be late with one, and then none
 * is waited for during a second: some in a row show it. The test's time limit ends a wait in
 * vain. */
START_TEST(error_lines_come_at_once)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    for (int number = 0, good = 0; good < 8; number++) {
        ask_for_none(number);
        good = has_line_of(number) ? good + 1 : 0;
        sleep_msec(good ? 0 : 50);
    }
}
END_TEST

START_TEST(error_lines_survive_a_crash)
{
    site_write("html/a.txt", "hello\n");
    site_conf_server("");
    site_allow_alerts();
    site_start();
    for (int number = 0, good = 0; good < 3; number++) {
        pid_t worker;
        site_await_workers(1);
        ck_assert_uint_eq(site_workers(&worker, 1), 1);
        ask_for_none(number);
        kill(worker, SIGKILL);
        while (kill(worker, 0) == 0)
            sleep_msec(1);
        good = has_line_of(number) ? good + 1 : 0;
    }
}
END_TEST

START_TEST(error_levels)
{
    site_write("html/in/x", "x");
    site_serve("error_log logs/crit crit; location /info/ { error_log logs/info info; } location /two/ { "
               "error_log logs/e1 error; error_log logs/e2; }");
    fetch("/none", "");
    fetch("/info/none", "");
    fetch("/two/none", "");
    free(log_await("logs/info", "/info/none"));
    free(log_await("logs/e1", "/two/none"));
    free(log_await("logs/e2", "/two/none"));
    char *log = site_read("logs/crit", NULL);
    ck_assert_msg(log && !*log, "%s", log ? log : "(no file)");
    free(log);
}
END_TEST

START_TEST(error_log_to_stderr)
{
    site_conf("daemon off; pid logs/sluice.pid; error_log stderr info; events { }\nhttp { @HTTP@ server { listen "
              "127.0.0.1:@PORT@; root @DIR@/html; } }");
    site_start();
    fetch("/none", "");
    free(log_await("logs/stderr", "html/none\" failed (2: No such file or directory)"));
}
END_TEST

START_TEST(syslog)
{
    char path[200];
    snprintf(path, sizeof path, "%s", site_path("syslog.sock"));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof at.sun_path);
    strcpy(at.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(chmod(path, 0777), 0);
    struct timeval patience = {.tv_sec = scaled(5000) / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    char conf[600];
    snprintf(conf, sizeof conf,
             "access_log syslog:server=unix:%s,facility=local7,tag=web,severity=info combined; error_log "
             "syslog:server=unix:%s,nohostname error;",
             path, path);
    site_serve(conf);
    fetch("/none", "");
    bool access_seen = false, error_seen = false;
    while (!access_seen || !error_seen) {
        char line[4096];
        ssize_t n = recv(fd, line, sizeof line - 1, 0);
        ck_assert_msg(n > 0, "access %d, error %d", access_seen, error_seen);
        line[n] = '\0';
        if (strstr(line, "GET /none HTTP/1.1\" 404")) {
            expect_match(line, "^<190>[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} [^ ]+ web: @PEER@ - - ");
            access_seen = true;
        } else if (strstr(line, "html/none")) {
            expect_match(line, on_nginx() ? "^<187>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} nginx: "
                                          : "^<187>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} sluice: ");
            error_seen = true;
        }
    }
    close(fd);
}
END_TEST

/* ---- reopening ---- */

START_TEST(reopen)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    fetch("/a.txt?before", "");
    free(log_await("logs/access.log", "before"));
    char old[4096], old_error[4096];
    snprintf(old, sizeof old, "%s", site_path("logs/access.log.1"));
    snprintf(old_error, sizeof old_error, "%s", site_path("logs/error.log.1"));
    ck_assert_int_eq(rename(site_path("logs/access.log"), old), 0);
    ck_assert_int_eq(rename(site_path("logs/error.log"), old_error), 0);
    fetch("/a.txt?between", "");
    free(log_await(old, "between"));
    site_kill(SIGUSR1);
    int64_t deadline = now_msec() + scaled(5000);
    while (access(site_path("logs/access.log"), F_OK) < 0 || access(site_path("logs/error.log"), F_OK) < 0) {
        ck_assert_int_lt(now_msec(), deadline);
        sleep_msec(5);
    }
    /* The master has made the files; the worker's turn comes a little later. */
    for (bool there = false; !there; sleep_msec(20)) {
        ck_assert_int_lt(now_msec(), deadline);
        fetch("/a.txt?after", "");
        char *log = site_read("logs/access.log", NULL);
        there = log && strstr(log, "after");
        free(log);
    }
    fetch("/gone", "");
    free(log_await("logs/error.log", "html/gone"));
    char *log = site_read(old, NULL);
    ck_assert_ptr_nonnull(strstr(log, "before"));
    free(log);
}
END_TEST

/* Rotation under load: every request is in the old file or in the new one. */
START_TEST(reopen_loses_nothing)
{
    site_write("html/a.txt", "hello\n");
    site_serve("");
    unsigned total = 0;
    char old[8][4096];
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 60; i++, total++)
            fetch("/a.txt", "");
        snprintf(old[round], sizeof old[round], "%s", site_path("logs/access.log.%d", round));
        ck_assert_int_eq(rename(site_path("logs/access.log"), old[round]), 0);
        site_kill(SIGUSR1);
        fetch("/a.txt", "");
        total++;
        site_await_closed(old[round]); /* two rotations at once: the second file would not be the workers' yet */
    }
    site_stop(SIGTERM);
    unsigned lines = 0;
    for (int round = 0; round <= 8; round++) {
        char *log = site_read(round < 8 ? old[round] : "logs/access.log", NULL);
        lines += log ? count_text(log, "\n") : 0;
        free(log);
    }
    ck_assert_uint_eq(lines, total);
}
END_TEST

/* ---- variables in the path ---- */

/* The folder of the logs with variables, which the workers may write to whatever their user. */
static void make_folder(const char *name)
{
    ck_assert_int_eq(mkdir(site_path("%s", name), 0777), 0);
    ck_assert_int_eq(chmod(site_path("%s", name), 0777), 0);
}

static const char *const caches[] = {"", "open_log_file_cache max=2;", "open_log_file_cache off;",
                                     "open_log_file_cache max=100 inactive=20s valid=1m min_uses=2;"};

START_TEST(variable_path)
{
    char conf[600];
    make_folder("by");
    make_folder("by/sub");
    site_write("html/a.txt", "hello\n");
    snprintf(conf, sizeof conf,
             "%s access_log by/$host.log combined; access_log logs/all;\n"
             "location /two/ { access_log @DIR@/by/${arg_d}/$arg_f combined if=$arg_f; }",
             caches[_i]);
    site_serve(conf);
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 30; i++) {
        client_say(&c, "GET /a.txt?%d HTTP/1.1\r\nHost: h%d\r\n\r\n", i, i % 5);
        ck_assert(client_receive(&c, &r));
        site_response_free(&r);
    }
    client_close(&c);
    fetch("/two/?d=sub&f=x", "");
    fetch("/two/?d=sub", "");
    fetch("/two/?f=y", "");
    for (int i = 0; i < 5; i++) {
        char name[32];
        snprintf(name, sizeof name, "by/h%d.log", i);
        char *log = log_await_count(name, "\n", 6);
        expect_match(log, "^@PEER@ - - " STAMP " \"GET /a\\.txt\\?[0-9]+ HTTP/1\\.1\" 200 6 \"-\" \"-\"$");
        free(log);
    }
    char *log = log_await("by/sub/x", "d=sub&f=x");
    ck_assert_uint_eq(count_text(log, "\n"), 1);
    free(log);
    free(log_await("by/y", "/two/?f=y"));
    log = log_await_count("logs/all", "\n", 30);
    ck_assert_uint_eq(count_text(log, "\n"), 30);
    free(log);
}
END_TEST

/* Out of the folder, control bytes, a name that is too long, a folder that is not there: the line
 * is dropped, and this is said. */
/* A log that takes nothing, as a disk that has stopped: a pipe that nobody reads. */
static int start_with_stalled_log(bool master)
{
    const char *path = site_path("logs/fifo");
    char conf[1024];
    site_write("html/a.txt", "hello\n");
    ck_assert(mkfifo(path, 0666) == 0 && chmod(path, 0666) == 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_ge(reader, 0);
    snprintf(
        conf, sizeof conf,
        "@MAIN@ %s events { } http { log_format line '%0200d';\n"
        "server { listen 127.0.0.1:@PORT@; root @DIR@/html; access_log logs/fifo line; keepalive_requests 1000000;\n"
        "location /status { status; access_log off; } } }\n",
        master ? "" : "master_process off;", 0);
    site_conf(conf);
    site_start();
    return reader;
}

enum { STALLED = 10000 }; /* requests: more lines than the pipe and both buffers take */

static void answer_all(unsigned requests)
{
    enum { BATCH = 100 };
    static const char one[] = "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    char *all = malloc(BATCH * sizeof one);
    size_t len = 0;
    struct site_client c;
    struct site_response r;
    for (int i = 0; i < BATCH; i++, len += sizeof one - 1)
        memcpy(all + len, one, sizeof one - 1);
    client_open(&c, site_port(0));
    for (unsigned done = 0; done < requests; done += BATCH) {
        ck_assert_uint_eq(client_send(&c, all, len), len);
        for (int i = 0; i < BATCH; i++) {
            ck_assert(client_receive(&c, &r));
            ck_assert_int_eq(r.status, 200);
            site_response_free(&r);
        }
    }
    client_close(&c);
    free(all);
}

static unsigned read_lines(int reader)
{
    static char bytes[65536];
    unsigned lines = 0;
    for (ssize_t n; (n = read(reader, bytes, sizeof bytes)) > 0;)
        for (ssize_t i = 0; i < n; i++)
            lines += bytes[i] == '\n';
    return lines;
}

/* Every request is answered, and has its line or is counted as dropped. */
START_TEST(stalled_log_holds_up_nobody)
{
    int reader = start_with_stalled_log(true);
    unsigned lines = 0;
    answer_all(STALLED);
    double dropped = site_metric("sluice_log_dropped_lines_total");
    ck_assert_double_gt(dropped, 0);
    while (lines + dropped < STALLED) { /* the site's time limit ends a wait in vain */
        lines += read_lines(reader);
        sleep_msec(1);
    }
    answer_all(100);
    site_kill(SIGQUIT);
    while (lines + dropped < STALLED + 100) {
        lines += read_lines(reader);
        sleep_msec(1);
    }
    site_stop(SIGQUIT);
    lines += read_lines(reader);
    ck_assert_double_eq(lines + dropped, STALLED + 100);
    char *log = log_await("logs/error.log", "were dropped");
    ck_assert_uint_eq(count_text(log, "were dropped"), 1);
    free(log);
    close(reader);
}
END_TEST

/* And a stop does not wait for it for ever: site_stop() insists on status 0, site_teardown() that
 * no worker was killed. */
START_TEST(stalled_log_does_not_hold_up_the_end)
{
    int reader = start_with_stalled_log(_i == 0);
    struct site_client c;
    answer_all(STALLED);
    ck_assert_double_gt(site_metric("sluice_log_dropped_lines_total"), 0);
    client_open(&c, site_port(0));
    client_say(&c, "POST /a.txt HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"); /* logged by the stop */
    sleep_msec(50);
    site_stop(SIGTERM);
    client_close(&c);
    close(reader);
}
END_TEST

START_TEST(variable_path_is_confined)
{
    make_folder("by");
    make_folder("by/sub");
    make_folder("out");
    site_serve("access_log by/sub/$http_x$http_y combined;");
    fetch("/none", "X: ../../out/stolen\r\n");
    fetch("/none", "X: a/../../../out/stolen\r\n");
    fetch("/none", "X: .\r\nY: ./up\r\n");
    fetch("/none", "X: ..\r\n");
    fetch("/none", "X: a\tb\r\n");
    fetch("/none", "X: no/such/folder\r\n");
    fetch("/none", "X: ..fine..\r\n");
    fetch("/none", "X: @DIR@\r\n");
    free(log_await("by/sub/..fine..", "/none"));
    free(log_await("logs/error.log", "lines of logs with variables were dropped"));
    ck_assert_int_eq(access(site_path("out/stolen"), F_OK), -1);
    ck_assert_int_eq(access(site_path("by/up"), F_OK), -1);
    ck_assert_int_eq(access(site_path("by/sub/a\tb"), F_OK), -1);
    free(log_await("by/sub/@DIR@", "/none"));
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "lines of logs with variables"), 1);
    free(log);
}
END_TEST

/* Relative to the prefix, as in nginx: an absolute value does not reach another folder. */
START_TEST(variable_path_alone)
{
    char conf[300], target[600];
    make_folder("out");
    site_write("html/a.txt", "hello\n");
    snprintf(conf, sizeof conf, "access_log $arg_f combined; access_log logs/all;");
    site_serve(conf);
    snprintf(target, sizeof target, "/a.txt?f=%s", site_path("out/stolen"));
    fetch(target, "");
    fetch("/a.txt?f=out/log", "");
    free(log_await("out/log", "f=out/log"));
    ck_assert_int_eq(access(site_path("out/stolen"), F_OK), -1);
}
END_TEST

START_TEST(variable_path_reopens)
{
    make_folder("by");
    site_write("html/a.txt", "hello\n");
    site_serve("open_log_file_cache max=10 valid=1h inactive=1h; access_log by/$host combined;");
    fetch("/a.txt?before", "");
    free(log_await("by/localhost", "before"));
    char old[4096];
    snprintf(old, sizeof old, "%s", site_path("by/old"));
    ck_assert_int_eq(rename(site_path("by/localhost"), old), 0);
    fetch("/a.txt?between", "");
    free(log_await(old, "between"));
    site_kill(SIGUSR1);
    int64_t deadline = now_msec() + scaled(5000);
    for (bool there = false; !there; sleep_msec(20)) {
        ck_assert_int_lt(now_msec(), deadline);
        fetch("/a.txt?after", "");
        there = access(site_path("by/localhost"), F_OK) == 0;
    }
    free(log_await("by/localhost", "after"));
}
END_TEST

Suite *suite_logs(void)
{
    Suite *s = suite_create("logs");
    TCase *tc = site_case(s, "logs", 30);
    tcase_add_test(tc, combined);
    tcase_add_test(tc, compressed);
    tcase_add_test(tc, lines_of_bad_requests);
    if (!on_nginx()) /* which leaves some of them as far as it got */
        tcase_add_test(tc, bad_requests_have_no_uri);
    if (!on_nginx())
        tcase_add_loop_test(tc, requests_without_an_end, 0, sizeof unanswered / sizeof unanswered[0]);
    tcase_add_test(tc, silence_is_no_completion);
    tcase_add_tcp_test(tc, formats, "ports of both ends");
    tcase_add_test(tc, json_is_utf8);
    tcase_add_test(tc, conditions);
    tcase_add_test(tc, buffered);
    if (!on_nginx())
        tcase_add_test(tc, buffered_since_a_reload);
    tcase_add_test(tc, buffered_as_before_a_failed_reload);
    tcase_add_test(tc, every_line_arrives);
    tcase_add_test(tc, bytes_of_a_cut_response);
    tcase_add_test(tc, error_lines);
    if (!on_nginx())
        tcase_add_test(tc, error_lines_survive_a_crash);
    tcase_add_test(tc, error_lines_come_at_once);
    tcase_add_test(tc, error_levels);
    tcase_add_test(tc, error_log_to_stderr);
    tcase_add_test(tc, syslog);
    tcase_add_test(tc, reopen);
    tcase_add_test(tc, reopen_loses_nothing);
    tcase_add_loop_test(tc, variable_path, 0, 4);
    if (!on_nginx()) {
        tcase_add_test(tc, stalled_log_holds_up_nobody);
        tcase_add_loop_test(tc, stalled_log_does_not_hold_up_the_end, 0, 2);
    }
    tcase_add_test(tc, variable_path_is_confined);
    tcase_add_test(tc, variable_path_alone);
    tcase_add_test(tc, variable_path_reopens);
    return s;
}
