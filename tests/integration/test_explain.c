/* test_explain.c - `sluice explain` says what the server then does: for each request both are
 * asked, and status, head and the way of the bytes are compared. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

static const char conf[] =
    "@MAIN@\nevents { }\nhttp {\n@HTTP@\nlog_format io '$request_method $request_uri $status $io_method;';\n"
    "access_log logs/io.log io;\ndirectio 1m;\n"
    "server {\nlisten 127.0.0.1:@PORT@;\nserver_name localhost;\nroot @DISK@/data;\n"
    "    location / { }\n"
    "    location /try/ { try_files $uri $uri/ /small =404; }\n"
    "    location /gone/ { try_files $uri =410; error_page 410 /page.html; }\n"
    "    location /page.html { internal; add_header X-Page yes always; }\n"
    "    location ~ ^/(list|long)/ { autoindex on; }\n"
    "    location /none-here { return 204; }\n"
    "    location /old/ { return 302 /new$uri; }\n"
    "    location /moved/ { rewrite ^/moved/(.*) /to/$1 permanent; }\n"
    "    location = /text { return 200 \"text\"; }\n"
    "    location /secret { internal; }\n"
    "    location /mmap/ { alias @DISK@/data/; io_method mmap; }\n"
    "    location /buffered/ { alias @DISK@/data/; io_method buffered; }\n"
    "    location /direct/ { alias @DISK@/data/; io_method direct; }\n"
    "    location /memory/ { alias @DISK@/data/; open_file_cache max=10; open_file_cache_content 64k; }\n"
    "    location /sync/ { alias @DISK@/data/; aio off; }\n"
    "    location ~ \\.forbidden$ { return 403; }\n"
    "    location /deny/ { alias @DISK@/data/; allow 192.0.2.0/24; deny @PEER@; error_page 403 /page.html; }\n"
    "    location /allow/ { alias @DISK@/data/; allow 127.0.0.0/8; deny all; limit_except GET { deny all; } }\n"
    "    location /auth/ { alias @DISK@/data/; auth_basic r; auth_basic_user_file users; }\n"
    "    location /any/ { alias @DISK@/data/; satisfy any; allow 192.0.2.1; auth_basic r; auth_basic_user_file users; "
    "}\n"
    "    location /lost/ { try_files /none @last; }\n"
    "    location @last { root @DISK@/data/dir; try_files /index.html =500; }\n"
    "}\n"
    "server { listen 127.0.0.1:@PORT@; server_name other.example *.wild.example; root @DISK@/data/dir; }\n"
    "server { listen 127.0.0.1:@PORT1@; root @DISK@/data; }\n"
    "}\n";

static void prepare(void)
{
    site_pattern(site_data("small"), 20000);
    site_pattern(site_data("below"), MIB - 1);
    site_pattern(site_data("at"), MIB);
    site_pattern(site_data("above"), 3 * MIB + 1);
    site_pattern(site_data("empty"), 0);
    site_pattern(site_data("locked"), 100);
    site_write(site_data("page.html"), "a page");
    site_write(site_data("dir/index.html"), "an index");
    site_write(site_data("list/a"), "a");
    site_mkdir(site_data("bare"));
    chmod(site_data("locked"), 0600);
    site_write("users", "plain:{PLAIN}secret\n");
    site_conf(conf);
}

/* Its page is larger than what travels with a head. */
static void prepare_long_listing(void)
{
    for (int i = 0; i < 100; i++)
        site_write(site_path("%s/%0200d", site_data("long"), i), "");
}

static void explain(struct site_run *run, char *const arguments[])
{
    char *argv[32] = {(char *)"sluice", (char *)"explain", (char *)"-p", NULL, (char *)"-c"};
    char prefix[4096], file[4096];
    unsigned count = 6;
    snprintf(prefix, sizeof prefix, "%s/", site_dir());
    snprintf(file, sizeof file, "%s", site_path("sluice.conf"));
    argv[3] = prefix;
    argv[5] = file;
    while (*arguments && count < 31)
        argv[count++] = *arguments++;
    site_run_bare(run, argv);
}

/* The words of the last step of a topic; "" where there is none. In a static buffer. */
static const char *step(const struct site_run *run, const char *topic)
{
    static char words[1024];
    const char *at = run->out;
    char mark[64];
    snprintf(mark, sizeof mark, ". %-10s ", topic);
    *words = '\0';
    while ((at = strstr(at, mark))) {
        at += strlen(mark);
        snprintf(words, sizeof words, "%.*s", (int)strcspn(at, "\n"), at);
    }
    return words;
}

static void assert_says(const struct site_run *run, const char *text)
{
    ck_assert_msg(strstr(run->out, text), "not \"%s\":\n%s%s", text, run->out, run->err);
}

/* ---- the same as the server ---- */

static const struct asked {
    const char *method, *target, *field;
} asked[] = {
    {"GET", "/small", NULL},
    {"GET", "/below", NULL},
    {"GET", "/at", NULL},
    {"GET", "/above", NULL},
    {"GET", "/empty", NULL},
    {"HEAD", "/small", NULL},
    {"HEAD", "/above", NULL},
    {"POST", "/small", "Content-Length: 0"},
    {"PUT", "/small", "Content-Length: 0"},
    {"GET", "/above", "Range: bytes=0-99"},
    {"GET", "/small", "Range: bytes=5-9"},
    {"GET", "/above", "Range: bytes=-1"},
    {"GET", "/above", "Range: bytes=0-9,100-199"},
    {"GET", "/small", "Range: bytes=0-9,100-199"},
    {"GET", "/small", "Range: bytes=20000-"},
    {"GET", "/small", "Range: lines=1-2"},
    {"GET", "/small", "If-None-Match: *"},
    {"GET", "/above", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT"},
    {"GET", "/small", "If-Match: \"none\""},
    {"GET", "/none", NULL},
    {"GET", "/locked", NULL},
    {"GET", "/bare/", NULL},
    {"GET", "/bare", NULL},
    {"GET", "/dir/", NULL},
    {"GET", "/list/", NULL},
    {"GET", "/long/", NULL},
    {"HEAD", "/long/", NULL},
    {"GET", "/none-here", NULL},
    {"GET", "/try/x", NULL},
    {"GET", "/gone/x", NULL},
    {"GET", "/lost/x", NULL},
    {"GET", "/old/x", NULL},
    {"GET", "/text", NULL},
    {"GET", "/secret", NULL},
    {"GET", "/x.forbidden", NULL},
    {"GET", "/a/../%73mall", NULL},
    {"GET", "/../small", NULL},
    {"GET", "/%00", NULL},
    {"GET", "/mmap/above", NULL},
    {"GET", "/buffered/above", NULL},
    {"GET", "/direct/small", NULL},
    {"GET", "/memory/small", NULL},
    {"GET", "/memory/above", NULL},
    {"GET", "/sync/above", NULL},
    {"GET", "/sync/small", NULL},
    {"GET", "/small", "Host: other.example"},
    {"GET", "/", "Host: a.wild.example"},
    {"GET", "/small", "Connection: close"},
    {"FOO", "/small", NULL},
    {"GET", "/deny/small", NULL},
    {"GET", "/allow/small", NULL},
    {"DELETE", "/allow/small", NULL},
    {"GET", "/auth/small", NULL},
    {"GET", "/auth/small", "Authorization: Basic cGxhaW46c2VjcmV0"},
    {"GET", "/auth/small", "Authorization: Basic cGxhaW46d3Jvbmc="},
    {"GET", "/any/small", NULL},
    {"GET", "/any/small", "Authorization: Basic cGxhaW46c2VjcmV0"},
};

static bool is_constant(const char *line)
{
    return strncmp(line, "Date: ", 6) != 0 && !strstr(line, "boundary=");
}

/* Every line of the head that was sent stands in the explanation; and no other does. */
static void compare_heads(const struct site_run *run, const struct site_response *r, const char *what)
{
    const char *told = strstr(run->out, "\nHTTP/1.1 ");
    unsigned lines = 0, told_lines = 0;
    ck_assert_msg(told, "%s: no head is told:\n%s%s", what, run->out, run->err);
    for (const char *line = r->head; strncmp(line, "\r\n", 2) != 0; line = strstr(line, "\r\n") + 2, lines++) {
        char wanted[1024];
        snprintf(wanted, sizeof wanted, "\n%.*s\n", (int)strcspn(line, "\r"), line);
        ck_assert_msg(!is_constant(line) || strstr(told, wanted), "%s: not told: %s\n%s", what, wanted + 1, run->out);
    }
    for (const char *line = told + 1; *line != '\n'; line = strchr(line, '\n') + 1)
        told_lines++;
    ck_assert_msg(lines == told_lines, "%s: %u lines, and %u told:\n%s%s", what, lines, told_lines, r->head, run->out);
}

static void send_request(struct site_response *r, const struct asked *a)
{
    struct site_client c;
    bool has_host = a->field && !strncmp(a->field, "Host:", 5);
    client_open(&c, site_port(0));
    client_say(&c, "%s %s HTTP/1.1\r\n%s%s%s\r\n", a->method, a->target, has_host ? "" : "Host: localhost\r\n",
               a->field ? a->field : "", a->field ? "\r\n" : "");
    ck_assert(strcmp(a->method, "HEAD") ? client_receive(&c, r) : client_receive_head(&c, r));
    client_close(&c);
}

START_TEST(same_as_the_server)
{
    const struct asked *a = &asked[_i];
    struct site_run run;
    struct site_response r;
    char what[256], line[300], status[8];

    prepare();
    if (!strcmp(a->target, "/long/"))
        prepare_long_listing();
    snprintf(what, sizeof what, "%s %s %s", a->method, a->target, a->field ? a->field : "");
    explain(&run, (char *[]){(char *)"-X", (char *)a->method, (char *)a->target, a->field ? (char *)"-H" : NULL,
                             (char *)a->field, NULL});
    ck_assert_msg(run.status == 0, "%s: status %d: %s", what, run.status, run.err);
    ck_assert_str_eq(run.err, "");
    site_start();
    send_request(&r, a);
    snprintf(status, sizeof status, "%d ", r.status);
    ck_assert_msg(!strncmp(step(&run, "status"), status, 4), "%s: %d\n%s", what, r.status, run.out);
    compare_heads(&run, &r, what);
    site_response_free(&r);
    snprintf(line, sizeof line, " %s%.*s;", status, (int)strcspn(step(&run, "bytes"), ":"), step(&run, "bytes"));
    char *log = log_await("logs/io.log", ";\n");
    ck_assert_msg(strstr(log, line), "%s: not \"%s\" but %s%s", what, line, log, run.out);
    free(log);
}
END_TEST

START_TEST(silence)
{
    struct site_run run;
    site_conf_server("location / { return 444; }");
    explain(&run, (char *[]){(char *)"/x", NULL});
    ck_assert_int_eq(run.status, 0);
    ck_assert_ptr_null(strstr(run.out, "HTTP/1.1 "));
    ck_assert_msg(!strncmp(step(&run, "status"), "none: ", 6), "%s", run.out);
}
END_TEST

/* ---- what it says ---- */

START_TEST(steps_in_words)
{
    struct site_run run;
    char url[128], text[4400];
    prepare();
    snprintf(url, sizeof url, "http://LOCALHOST:%d/above?x#y", site_port(0));
    explain(&run, (char *[]){(char *)"-H", (char *)"Range: bytes=0-99", url, NULL});
    ck_assert_int_eq(run.status, 0);
    ck_assert_msg(!strncmp(run.out, "GET /above?x for localhost, as user nobody\n\n", 44) || geteuid() != 0, "%s",
                  run.out);
    snprintf(text, sizeof text, "  1. address    127.0.0.1:%d (%s:", site_port(0), site_path("sluice.conf"));
    assert_says(&run, text);
    assert_says(&run, "  2. server     localhost (");
    assert_says(&run, "by its exact name\n  3. location   prefix / (");
    assert_says(&run, "no regular expression matches (2 tried)\n  4. file       ");
    snprintf(text, sizeof text, "%s: %lld bytes, modified ", site_data("above"), (long long)(3 * MIB + 1));
    assert_says(&run, text);
    assert_says(&run, "  5. status     206 Partial Content: Range bytes=0-99 is inside the file\n  6. bytes      ");
    assert_says(&run, "directio 1m, sendfile on\n");
    assert_says(&run, "\n\nHTTP/1.1 206 Partial Content\nServer: ");
    /* Why what was asked for is not what comes. */
    explain(&run, (char *[]){(char *)"-H", (char *)"Range: bytes=4000000-", (char *)"/above", NULL});
    assert_says(&run, "416 Requested Range Not Satisfiable: Range bytes=4000000- has none of the file's 3145729 bytes");
    explain(&run, (char *[]){(char *)"-H", (char *)"If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", (char *)"/small",
                             NULL});
    assert_says(&run, "200 OK: the whole file: If-Modified-Since is not exactly the file's date");
    explain(&run, (char *[]){(char *)"-H", (char *)"If-None-Match: \"x\"", (char *)"/small", NULL});
    assert_says(&run, "200 OK: the whole file: If-None-Match does not name it as it is now\n");
    explain(&run, (char *[]){(char *)"/moved/x?y", NULL});
    assert_says(&run, "rewrite    redirects the client to http://");
    assert_says(&run, "/to/x?y, says the location\n");
    explain(&run, (char *[]){(char *)"/dir", NULL});
    assert_says(&run, "301 Moved Permanently: the client is sent to the directory's own URI, which ends with /\n");
    /* Each name of try_files is told, and the last resort. */
    explain(&run, (char *[]){(char *)"/try/x", NULL});
    assert_says(&run, "try_files  $uri is ");
    assert_says(&run, "/data/try/x: No such file or directory\n");
    assert_says(&run, "try_files  /small is ");
    assert_says(&run, "/data/small: there\n");
    /* The page that stands in. */
    explain(&run, (char *[]){(char *)"/gone/x", NULL});
    assert_says(&run, "error_page /page.html, with status 410\n");
    assert_says(&run, "status     410 Gone: no file of try_files exists, and error_page says so\n");
    explain(&run, (char *[]){(char *)"-H", (char *)"Host: a.wild.example", (char *)"/", NULL});
    assert_says(&run, "by its name *.wild.example\n");
    explain(&run, (char *[]){(char *)"-H", (char *)"Host: nobody", (char *)"/", NULL});
    assert_says(&run, "no server here has the name \"nobody\", and this is the default\n");
    /* What came in the request cannot command a terminal. */
    explain(&run, (char *[]){(char *)"/none%1b%0a", NULL});
    assert_says(&run, "/none\\x1b\\x0a: No such file");
}
END_TEST

START_TEST(why_it_was_refused)
{
    struct site_run run;
    prepare();
    explain(&run, (char *[]){(char *)"/deny/small", NULL});
    assert_says(&run, site_text("access     deny @PEER@ ("));
    assert_says(&run, site_text("): the first rule that fits @PEER@\n"));
    assert_says(&run, "error_page /page.html, with status 403\n");
    assert_says(&run, "status     403 Forbidden: a rule of deny says so");
    explain(&run, (char *[]){(char *)"-a", (char *)"192.0.2.9", (char *)"/deny/small", NULL});
    assert_says(&run, "access     allow 192.0.2.0/24 (");
    assert_says(&run, "status     200 OK");
    explain(&run, (char *[]){(char *)"-a", (char *)"2001:db8::1", (char *)"/deny/small", NULL});
    assert_says(&run, "access     no rule of allow and deny fits 2001:db8::1\n");
    explain(&run, (char *[]){(char *)"-a", (char *)"unix:", (char *)"/allow/small", NULL});
    assert_says(&run, "access     deny all (");
    explain(&run, (char *[]){(char *)"-X", (char *)"DELETE", (char *)"/allow/small", NULL});
    assert_says(&run, "access     limit_except: its rules are for DELETE\n");
    explain(&run, (char *[]){(char *)"/auth/small", NULL});
    assert_says(&run, "/users: the request has no name and password\n");
    assert_says(&run, "status     401 Unauthorized: the request has no name and password");
    explain(&run,
            (char *[]){(char *)"-H", (char *)"Authorization: Basic cGxhaW46d3Jvbmc=", (char *)"/any/small", NULL});
    assert_says(&run, "/users: the password is another\n");
    assert_says(&run, "satisfy any: one of both is enough\n");
    assert_says(&run, "status     401 Unauthorized: the password is another");
    explain(&run, (char *[]){(char *)"-a", (char *)"localhost", (char *)"/", NULL});
    ck_assert_int_ne(run.status, 0);
}
END_TEST

/* Without -a it is one that can come in there. */
START_TEST(clients_of_each_family)
{
    static const char *const rows[][2] = {
        {"127.0.0.1:@PORT@", "127.0.0.1"}, {"[::1]:@PORT1@", "::1"}, {"unix:@DIR@/s", "unix:"}};
    site_conf_http("server { listen 127.0.0.1:@PORT@; listen [::1]:@PORT1@; listen unix:@DIR@/s; root @DIR@/html;\n"
                   "deny 127.0.0.1; deny ::1; deny unix:; }");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_run run;
        explain(&run, (char *[]){(char *)"-l", (char *)site_text(rows[i][0]), (char *)"/", NULL});
        assert_says(&run, site_path("/access     deny %s (", rows[i][1]) + 1);
    }
}
END_TEST

START_TEST(address_by_the_url)
{
    struct site_run run;
    char url[128], text[128];
    prepare();
    snprintf(url, sizeof url, "http://x:%d/small", site_port(1));
    explain(&run, (char *[]){url, NULL});
    ck_assert_int_eq(run.status, 0);
    snprintf(text, sizeof text, "127.0.0.1:%d", site_port(1));
    ck_assert_msg(!strncmp(step(&run, "address"), text, strlen(text)), "%s", run.out);
    explain(&run, (char *[]){(char *)"-l", text, (char *)"http://localhost/small", NULL});
    ck_assert_msg(!strncmp(step(&run, "address"), text, strlen(text)), "%s", run.out);
    /* A name is known at one of them only. */
    explain(&run, (char *[]){(char *)"http://other.example/small", NULL});
    snprintf(text, sizeof text, "127.0.0.1:%d", site_port(0));
    ck_assert_msg(!strncmp(step(&run, "address"), text, strlen(text)), "%s", run.out);
}
END_TEST

/* The request and its response have the words of HTTP/2, where the server speaks it. */
START_TEST(by_http2)
{
    static const char *const with[] = {"protocol   HTTP/2, by prior knowledge, without TLS (h2c)\n",
                                       "HTTP/2 puts frames around what is in memory: no sendfile\n",
                                       "\n:status: 200\nserver: sluice", "\nx-seen: HTTP/2.0 h2c GET /f?a HTTP/2.0\n",
                                       "\ncontent-length: 20000\n"};
    struct site_run run;
    site_pattern("html/f", 20000);
    site_conf_http("server { listen 127.0.0.1:@PORT@; http2 on; root @DIR@/html;\n"
                   "add_header X-Seen \"$server_protocol $http2 $request\"; }\n"
                   "server { listen 127.0.0.1:@PORT1@; root @DIR@/html; }");
    explain(&run,
            (char *[]){(char *)"--http2", (char *)"-l", (char *)site_text("127.0.0.1:@PORT@"), (char *)"/f?a", NULL});
    ck_assert_int_eq(run.status, 0);
    if (strstr(run.out, "protocol   HTTP/1.1: this sluice was built without HTTP/2\n"))
        return;
    for (size_t i = 0; i < sizeof with / sizeof *with; i++)
        assert_says(&run, with[i]);
    ck_assert_msg(!strstr(run.out, "onnection:"), "%s", run.out);
    explain(&run,
            (char *[]){(char *)"--http2", (char *)"-l", (char *)site_text("127.0.0.1:@PORT1@"), (char *)"/f", NULL});
    assert_says(&run, "protocol   HTTP/1.1: \"http2\" is not on in the default server of this address\n");
    assert_says(&run, "\nHTTP/1.1 200 OK\n");
}
END_TEST

/* ---- it leaves no traces ---- */

START_TEST(no_traces)
{
    struct site_run run;
    prepare();
    explain(&run, (char *[]){(char *)"/none", NULL});
    ck_assert_int_eq(run.status, 0);
    ck_assert_msg(access(site_path("logs/io.log"), F_OK) < 0, "an access log was made");
    ck_assert_msg(access(site_path("logs/error.log"), F_OK) < 0, "an error log was made");
    ck_assert_msg(access(site_path("logs/sluice.pid"), F_OK) < 0, "a pid file was made");
    /* Beside a server that runs, whose port is taken and whose logs stay as they are. */
    site_start();
    explain(&run, (char *[]){(char *)"/none", NULL});
    ck_assert_int_eq(run.status, 0);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_msg(log && !strstr(log, "/none"), "%s", log);
    free(log);
    struct stat st;
    ck_assert(stat(site_path("logs/io.log"), &st) == 0 && st.st_size == 0);
}
END_TEST

/* ---- errors ---- */

static const struct wrong {
    const char *arguments[5], *message;
} wrong[] = {
    {{NULL}, "there is no URL"},
    {{"/a", "/b", NULL}, "more than one URL"},
    {{"-Z", "/a", NULL}, "invalid option: \"-Z\""},
    {{"/a", "-H", NULL}, "option \"-H\" wants a value"},
    {{"/a", "-H", "nothing", NULL}, "not \"nothing\""},
    {{"/a", "-H", "A: b\r\nC: d", NULL}, "-H takes one field"},
    {{"http://a b/", NULL}, "invalid host in the URL: \"a b\""},
    {{"http://me@a/", NULL}, "invalid host in the URL: \"me@a\""},
    {{"http:///", NULL}, "invalid host in the URL"},
    {{"http://a:1/", NULL}, "nothing listens on a port 1; there are: 127.0.0.1:"},
    {{"http://192.0.2.7/", NULL}, "nothing listens on 192.0.2.7; there are: 127.0.0.1:"},
    {{"-l", "127.0.0.1:1", "/a", NULL}, "nothing listens on 127.0.0.1:1; there are: 127.0.0.1:"},
    {{"-l", "127.0.0.1:99999", "/a", NULL}, "invalid port in \"127.0.0.1:99999\""},
    {{"-g", "foo;", "/a", NULL}, "unknown directive \"foo\""},
};

START_TEST(errors)
{
    struct site_run run;
    char *arguments[8];
    unsigned count = 0;
    prepare();
    for (; count < 5 && wrong[_i].arguments[count]; count++)
        arguments[count] = (char *)wrong[_i].arguments[count];
    arguments[count] = NULL;
    explain(&run, arguments);
    ck_assert_int_eq(run.status, 1);
    ck_assert_str_eq(run.out, "");
    ck_assert_msg(!strncmp(run.err, "sluice", 6) && strstr(run.err, wrong[_i].message), "%s", run.err);
}
END_TEST

START_TEST(configurations_that_serve_nothing)
{
    struct site_run run;
    site_conf("@MAIN@ events { } http { @HTTP@ }");
    explain(&run, (char *[]){(char *)"/a", NULL});
    ck_assert_int_eq(run.status, 1);
    ck_assert_ptr_nonnull(strstr(run.err, "nothing is served"));
    site_conf("@MAIN@ events { } http { @HTTP@ lisen 80; }");
    explain(&run, (char *[]){(char *)"/a", NULL});
    ck_assert_int_eq(run.status, 1);
    ck_assert_ptr_nonnull(strstr(run.err, "[emerg] unknown directive \"lisen\""));
    explain(&run, (char *[]){(char *)"-h", NULL});
    ck_assert_int_eq(run.status, 0);
    ck_assert(!strncmp(run.out, "Usage: sluice explain ", 22));
}
END_TEST

Suite *suite_explain(void)
{
    Suite *s = suite_create("explain");
    if (on_nginx())
        return s;
    TCase *same = site_case(s, "same", 60);
    tcase_add_loop_test(same, same_as_the_server, 0, sizeof asked / sizeof *asked);
    tcase_add_test(same, silence);
    TCase *words = site_case(s, "words", 60);
    if (needs_plain("steps_in_words", "its address is without ssl"))
        tcase_add_tcp_test(words, steps_in_words, "explain is asked with a URL");
    tcase_add_test(words, why_it_was_refused);
    tcase_add_tcp_test(words, clients_of_each_family, "each has a listen of its own");
    tcase_add_tcp_test(words, address_by_the_url, "explain is asked with a URL");
    if (needs_plain("by_http2", "it says itself where HTTP/2 is on"))
        tcase_add_tcp_test(words, by_http2, "each has a listen of its own");
    tcase_add_test(words, no_traces);
    TCase *mistakes = site_case(s, "mistakes", 60);
    tcase_add_tcp_loop_test(mistakes, errors, 0, sizeof wrong / sizeof *wrong, "messages name the addresses");
    tcase_add_test(mistakes, configurations_that_serve_nothing);
    return s;
}
