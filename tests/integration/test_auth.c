/* test_auth.c - auth_basic: every scheme of stored passwords, satisfy, auth_delay, WWW-Authenticate
 * through error_page, many at once, clients that go away, and the file that changes. */
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLD_SEC = 4 /* a younger file is read for each request */ };

/* Stored passwords by openssl-passwd(1) and crypt(3); each is "secret". */
static const char users[] =
    "# a comment, plain:{PLAIN}x\n"
    "\n"
    "pla:{PLAIN}x\n"
    "plain:{PLAIN}secret:a comment\n"
    "cr:{PLAIN}secret\r\n"
    "sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
    "ssha:{SSHA}1G904nLkTkGWjKNnQuB/hpWXC/hzYWx0c2FsdA==\n"
    "apr1:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n"
    "md5:$1$saltsalt$9xy1btjgzLYfb7hivXtC//\n"
    "sha256:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA\n"
    "sha512:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1\n"
    "bcrypt:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n"
    "yescrypt:$y$j75$saltsaltsalt$jyf/lxrpdyAIshWRo1x5DRC6KIE7sNRRtjcomR3PgHA\n"
    "des:saHW9GdxihkGQ\n"
    "weird:$99$x$y\n"
    "empty:\n"
    "broken1:$apr1$saltsalt\n"
    "broken2:{SSHA}!\n"
    "broken3:{SSHA}c2hvcnQ=\n"
    "broken4:*0\n"
    "nocolon\n"
    "last:{PLAIN}secret"; /* no line end */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* An Authorization line; in a static buffer. */
static const char *basic_bytes(const char *bytes, size_t len)
{
    static char line[4096];
    size_t at = (size_t)sprintf(line, "Authorization: Basic ");
    for (size_t i = 0; i < len; i += 3) {
        unsigned three = (unsigned)(unsigned char)bytes[i] << 16;
        three |= i + 1 < len ? (unsigned)(unsigned char)bytes[i + 1] << 8 : 0;
        three |= i + 2 < len ? (unsigned char)bytes[i + 2] : 0;
        line[at++] = digits[three >> 18];
        line[at++] = digits[three >> 12 & 63];
        line[at++] = i + 1 < len ? digits[three >> 6 & 63] : '=';
        line[at++] = i + 2 < len ? digits[three & 63] : '=';
    }
    strcpy(line + at, "\r\n");
    return line;
}

static const char *basic(const char *credentials)
{
    return basic_bytes(credentials, strlen(credentials));
}

static int status_as(const char *target, const char *fields)
{
    struct site_response r;
    site_request(&r, "GET", target, fields);
    int status = r.status;
    site_response_free(&r);
    return status;
}

static void expect_as(const char *credentials, int status)
{
    int got = status_as("/x", basic(credentials));
    ck_assert_msg(got == status, "%s: %d, expected %d", credentials, got, status);
}

static void write_users(const char *text)
{
    site_write("users", text);
}

static void start(const char *more)
{
    char conf[2048];
    snprintf(conf, sizeof conf, "auth_basic \"the realm\"; auth_basic_user_file users;\n%s", more);
    site_write("html/x", "x");
    site_serve(conf);
}

static const char *const schemes[] = {"plain", "cr",     "sha",    "ssha",   "apr1",     "md5",
                                      "des",   "sha256", "sha512", "bcrypt", "yescrypt", "last"};

START_TEST(every_scheme)
{
    char text[64];
    write_users(users);
    start("");
    for (unsigned i = 0; i < 2; i++) { /* the second time from memory, or not */
        snprintf(text, sizeof text, "%s:secret", schemes[_i]);
        expect_as(text, 200);
        snprintf(text, sizeof text, "%s:secreT", schemes[_i]);
        expect_as(text, 401);
        snprintf(text, sizeof text, "%s:", schemes[_i]);
        expect_as(text, 401);
        snprintf(text, sizeof text, "%s:secret1", schemes[_i]);
        expect_as(text, 401);
    }
}
END_TEST

static const char *const strangers[] = {
    "nobody:secret",
    "pl:secret",
    "plain2:secret",
    "#:x",
    "weird:secret",
    "empty:",
    "empty:secret",
    "broken1:secret",
    "broken2:secret",
    "broken3:secret",
    "broken4:secret",
    "nocolon:secret",
    "nocolon:",
    ":secret",
    "plain",
    "",
    "plain:secret:a comment",
};

START_TEST(strangers_stay_outside)
{
    write_users(users);
    start("");
    expect_as(strangers[_i], 401);
    expect_as("plain:secret", 200);
}
END_TEST

START_TEST(fields_that_are_no_credentials)
{
    static const char *const fields[] = {
        "",
        "Authorization: Basic\r\n",
        "Authorization: Basic \r\n",
        "Authorization: Bearer cGxhaW46c2VjcmV0\r\n",
        "Authorization: cGxhaW46c2VjcmV0\r\n",
        "Authorization: Basic cGxhaW46c2VjcmV0!\r\n",
        "Authorization: Basic c\r\n",
        "Authorization: Basic =cGxhaW46c2VjcmV0\r\n",
        "Authorization: Basic cGxhaW46c2VjcmV0 x\r\n",
    };
    write_users(users);
    start("");
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++)
        ck_assert_int_eq(status_as("/x", fields[i]), 401);
    ck_assert_int_eq(status_as("/x", "Authorization: bAsIc    cGxhaW46c2VjcmV0\r\n"), 200);
    ck_assert_int_eq(status_as("/x", "Authorization: Basic cGxhaW46c2VjcmV0=behind\r\n"), 200); /* as nginx */
    if (!on_nginx())
        ck_assert_int_eq(status_as("/x", basic_bytes("plain:secret\0x", 14)), 401);
    ck_assert_int_eq(status_as("/x", basic_bytes("plain\0:secret", 13)), 401);
    char long_password[3000];
    memset(long_password, 'x', sizeof long_password - 1);
    memcpy(long_password, "bcrypt:secret", 13);
    long_password[sizeof long_password - 1] = '\0';
    expect_as(long_password, 401);
}
END_TEST

START_TEST(challenge)
{
    struct site_response r;
    write_users(users);
    site_write("html/401.html", "please");
    start("location = /401.html { auth_basic off; }\n"
          "location /page/ { error_page 401 /401.html; }\n"
          "location /two/ { error_page 401 =200 /401.html; }\n"
          "location /away/ { error_page 401 https://login.example/; }\n"
          "location /named/ { error_page 401 @named; } location @named { auth_basic off; return 402 text; }\n"
          "location /var/ { auth_basic $http_x; add_header X-Y z always; }\n");
    site_get(&r, "/nothing");
    ck_assert_int_eq(r.status, 401);
    assert_header(&r, "WWW-Authenticate", "Basic realm=\"the realm\"");
    ck_assert_ptr_nonnull(strstr(r.body, "401 Authorization Required"));
    site_response_free(&r);
    site_get(&r, "/page/x");
    ck_assert_int_eq(r.status, 401);
    ck_assert_str_eq(r.body, "please");
    assert_header(&r, "WWW-Authenticate", "Basic realm=\"the realm\"");
    site_response_free(&r);
    site_get(&r, "/two/x");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "WWW-Authenticate", "Basic realm=\"the realm\"");
    site_response_free(&r);
    site_get(&r, "/away/x");
    ck_assert_int_eq(r.status, 302);
    assert_header(&r, "Location", "https://login.example/");
    site_response_free(&r);
    site_get(&r, "/named/x");
    ck_assert_int_eq(r.status, 401);
    ck_assert_str_eq(r.body, "text");
    site_response_free(&r);
    site_request(&r, "GET", "/var/x", "X: off\r\n");
    ck_assert_int_eq(r.status, 404); /* "off" may come from a variable */
    site_response_free(&r);
    site_request(&r, "GET", "/var/x", "X: a b\r\n");
    ck_assert_int_eq(r.status, 401);
    assert_header(&r, "WWW-Authenticate", "Basic realm=\"a b\"");
    assert_header(&r, "X-Y", "z");
    site_response_free(&r);
    ck_assert_int_eq(status_as("/page/x", basic("plain:secret")), 404);
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\nHEAD /x HTTP/1.1\r\nHost: a\r\n%s\r\n", basic("plain:secret"));
    client_receive_head(&c, &r);
    ck_assert_int_eq(r.status, 401);
    assert_header(&r, "WWW-Authenticate", "Basic realm=\"the realm\"");
    site_response_free(&r);
    client_receive_head(&c, &r);
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "WWW-Authenticate", NULL);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(satisfy)
{
    struct site_response r;
    write_users(users);
    start("location /any-in/ { alias @DIR@/html/; satisfy any; allow @PEER@; deny all; }\n"
          "location /any-out/ { alias @DIR@/html/; satisfy any; deny all; }\n"
          "location /any-off/ { alias @DIR@/html/; satisfy any; deny all; auth_basic off; }\n"
          "location /any-none/ { alias @DIR@/html/; satisfy any; allow 192.0.2.1; auth_basic off; }\n"
          "location /any-auth/ { alias @DIR@/html/; satisfy any; }\n"
          "location /all-in/ { alias @DIR@/html/; allow @PEER@; deny all; }\n"
          "location /all-out/ { alias @DIR@/html/; deny all; }\n"
          "location /except/ { alias @DIR@/html/; auth_basic off; limit_except GET { auth_basic e; } }\n");
    const char *good = basic("plain:secret");
    ck_assert_int_eq(status_as("/any-in/x", ""), 200);
    ck_assert_int_eq(status_as("/any-out/x", ""), 401);
    ck_assert_int_eq(status_as("/any-out/x", good), 200);
    ck_assert_int_eq(status_as("/any-off/x", good), 403);
    ck_assert_int_eq(status_as("/any-none/x", ""), 200);
    ck_assert_int_eq(status_as("/any-auth/x", ""), 401);
    ck_assert_int_eq(status_as("/any-auth/x", good), 200);
    ck_assert_int_eq(status_as("/all-in/x", ""), 401);
    ck_assert_int_eq(status_as("/all-in/x", good), 200);
    ck_assert_int_eq(status_as("/all-out/x", good), 403);
    ck_assert_int_eq(status_as("/except/x", ""), 200);
    site_request(&r, "DELETE", "/except/x", "");
    ck_assert_int_eq(r.status, 401);
    assert_header(&r, "WWW-Authenticate", "Basic realm=\"e\"");
    site_response_free(&r);
    site_request(&r, "DELETE", "/except/x", basic("plain:secret"));
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
}
END_TEST

START_TEST(satisfy_any_takes_the_challenge_back)
{
    struct site_response r;
    write_users(users);
    site_write("html/y", "y");
    start("location = /x { error_page 401 /y; } location = /y { satisfy any; allow all; }");
    site_get(&r, "/x");
    ck_assert_int_eq(r.status, 401);
    ck_assert_str_eq(r.body, "y");
    assert_header(&r, "WWW-Authenticate", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(files_by_variable_and_files_that_change)
{
    site_write("ann.pw", "ann:{PLAIN}a\n");
    site_write("html/x", "x");
    site_serve("auth_basic r; auth_basic_user_file @DIR@/$arg_u.pw;");
    ck_assert_int_eq(status_as("/x?u=ann", basic("ann:a")), 200);
    ck_assert_int_eq(status_as("/x?u=bob", basic("ann:a")), 403); /* no such file */
    free(log_await("logs/error.log", "bob.pw\" failed (2: No such file or directory)"));
    site_write("ann.pw", "ann:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n");
    ck_assert_int_eq(status_as("/x?u=ann", basic("ann:a")), 401);
    ck_assert_int_eq(status_as("/x?u=ann", basic("ann:secret")), 200);
    site_write("ann.pw", "bob:$apr1$saltsalt$LrttParrLPdxvgutaSXWJ0\n");
    ck_assert_int_eq(status_as("/x?u=ann", basic("ann:secret")),
                     401); /* what is remembered helps nobody who is not there */
    free(log_await("logs/error.log", "user \"ann\" was not found in"));
    ck_assert_int_eq(status_as("/x?u=ann", basic("bob:secret")), 200);
    site_allow_alerts();
    site_mkdir("dir.pw");
    ck_assert_int_eq(status_as("/x?u=dir", basic("ann:a")), 500);
    if (on_nginx()) /* waits for the writer */
        return;
    ck_assert_int_eq(mkfifo(site_path("fifo.pw"), 0644), 0);
    ck_assert_int_eq(status_as("/x?u=fifo", basic("ann:a")), 401);
}
END_TEST

/* A large file, whose lines lie across the ends of what is read at once. */
/* A value is relative to the folder of the configuration, not to the one that the server was
 * started in; ".." of a request leads nowhere. */
START_TEST(files_by_argument)
{
    static const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/arg?f=users", 200},   {"/arg?f=sub/users", 200},  {"/arg?f=none", 403},  {"/arg?f=sub/../users", 403},
        {"/below?f=users", 200}, {"/below?f=../users", 403}, {"/own?f=users", 200}, {"/set", 200},
        {"/map?m=a", 200},       {"/map?m=b", 403},
    };
    write_users("plain:{PLAIN}secret\n");
    site_write("sub/users", "plain:{PLAIN}secret\n");
    site_write("html/x", "x");
    site_conf("@MAIN@\nlandlock_read @DIR@;\nevents { }\nhttp {\n@HTTP@\n"
              "map $arg_m $users { default none; a users; }\n"
              "server {\nlisten 127.0.0.1:@PORT@;\nroot @DIR@/html;\nauth_basic x;\n"
              "location = /arg { auth_basic_user_file $arg_f; try_files /x =404; }\n"
              "location = /below { auth_basic_user_file sub/$arg_f; try_files /x =404; }\n"
              "location = /own { auth_basic_user_file sub/../$arg_f; try_files /x =404; }\n"
              "location = /set { set $u sub/users; auth_basic_user_file $u; try_files /x =404; }\n"
              "location = /map { auth_basic_user_file $users; try_files /x =404; } } }");
    site_start();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (on_nginx() && strstr(cases[i].target, ".."))
            continue;
        int status = status_as(cases[i].target, basic("plain:secret"));
        ck_assert_msg(status == cases[i].status, "%s: %d", cases[i].target, status);
        if (cases[i].status == 200)
            ck_assert_int_eq(status_as(cases[i].target, basic("plain:wrong")), 401);
    }
}
END_TEST

START_TEST(many_users)
{
    enum { USERS = 20000 };
    char *text = malloc(USERS * 40), credentials[40];
    size_t at = 0;
    for (unsigned i = 0; i < USERS; i++)
        at += (size_t)sprintf(text + at, "user%u:{PLAIN}secret%u\n", i, i * 7);
    write_users(text);
    free(text);
    start("");
    for (unsigned i = 0; i < USERS; i += 617) {
        sprintf(credentials, "user%u:secret%u", i, i * 7);
        expect_as(credentials, 200);
        sprintf(credentials, "user%u:secret%u", i, i * 7 + 1);
        expect_as(credentials, 401);
    }
}
END_TEST

START_TEST(remote_user)
{
    write_users(users);
    site_write("html/x", "x");
    site_conf_http("log_format u '[$remote_user] $status'; access_log @DIR@/logs/u.log u;\n"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html; auth_basic r; auth_basic_user_file users; }");
    site_start();
    expect_as("plain:secret", 200);
    expect_as("some one:x", 401);
    site_stop(SIGTERM);
    free(log_await("logs/u.log", "[plain] 200"));
    free(log_await("logs/u.log", "[some one] 401"));
}
END_TEST

/* The answer waits; other requests of the worker do not. */
START_TEST(auth_delay)
{
    struct site_client slow, gone;
    struct site_response r;
    write_users(users);
    start("auth_delay 1s; location /open { auth_basic off; return 200 open; }");
    client_open(&gone, site_port(0));
    client_say(&gone, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n");
    client_open(&slow, site_port(0));
    int64_t from = now_msec();
    client_say(&slow, "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", basic("plain:wrong"));
    client_reset(&gone); /* while it waits */
    ck_assert_int_eq(site_status_of("/open"), 200);
    ck_assert_int_eq(status_as("/x", basic("plain:secret")), 200);
    ck_assert(client_receive(&slow, &r));
    ck_assert_int_eq(r.status, 401);
    ck_assert_int_ge(now_msec() - from, 950); /* the one thing about time that is promised: not before */
    site_response_free(&r);
    client_say(&slow, "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", basic("plain:secret"));
    ck_assert(client_receive(&slow, &r));
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    client_close(&slow);
    free(log_await("logs/error.log", "delaying unauthorized request"));
}
END_TEST

/* One hash of some seconds: the loop is free for others all the while, and the one who waits may
 * leave. */
START_TEST(a_slow_hash_holds_up_nobody)
{
    struct site_client slow, gone;
    struct site_response r;
    write_users("plain:{PLAIN}secret\nslow:$6$rounds=1000000$saltsalt$x\n");
    start("location /open { auth_basic off; return 200 open; }");
    site_allow_alerts(); /* the hash for who is gone may outlast the end */
    client_open(&slow, site_port(0));
    client_say(&slow, "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", basic("slow:guess"));
    client_open(&gone, site_port(0));
    client_say(&gone, "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", basic("slow:guess"));
    client_reset(&gone);
    ck_assert_int_eq(site_status_of("/open"), 200);
    expect_as("plain:secret", 200);
    ck_assert(on_nginx() || !client_has_input(&slow, 0)); /* in the loop, it would have been answered first */
    ck_assert(client_receive(&slow, &r));
    ck_assert_int_eq(r.status, 401);
    site_response_free(&r);
    client_close(&slow);
}
END_TEST

/* A file that is older than a moment is kept in memory; what it says counts until it changes, and
 * not one request longer. */
START_TEST(a_kept_file_that_changes)
{
    static const char old[] = "sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
                              "bcrypt:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n";
    char *changed = strdup(old);
    memcpy(strstr(changed, "5en6"), "6en5", 4);
    memcpy(strstr(changed, "bcrypt"), "bcrypz", 6);
    write_users(old);
    start("");
    sleep(OLD_SEC);
    for (unsigned i = 0; i < 3; i++) {
        expect_as("sha:secret", 200);
        expect_as("bcrypt:secret", 200);
        expect_as("bcrypt:secre", 401);
        expect_as("sha:secret2", 401);
        expect_as("bcrypz:secret", 401);
    }
    write_users(changed); /* of the same size */
    expect_as("sha:secret", 401);
    expect_as("bcrypt:secret", 401);
    expect_as("bcrypz:secret", 200);
    ck_assert_int_eq(unlink(site_path("users")), 0);
    expect_as("bcrypz:secret", 403);
    free(changed);
}
END_TEST

/* A quick hash of a file that is kept, and a slow one that went well before, need no thread. */
START_TEST(known_users_do_not_wait_for_guesses)
{
    enum { GUESSES = 8 }; /* more than there are threads */
    struct site_client slow[GUESSES];
    write_users("sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n"
                "bcrypt:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n"
                "slow:$6$rounds=2000000$saltsalt$x\n");
    start("");
    site_allow_alerts();
    sleep(OLD_SEC);
    expect_as("bcrypt:secret", 200);
    for (unsigned i = 0; i < GUESSES; i++) {
        client_open(&slow[i], site_port(0));
        client_say(&slow[i], "GET /x HTTP/1.1\r\nHost: a\r\n%s\r\n", basic("slow:guess"));
    }
    expect_as("sha:secret", 200);
    expect_as("bcrypt:secret", 200);
    for (unsigned i = 0; i < GUESSES; i++) {
        ck_assert(!client_has_input(&slow[i], 0));
        client_reset(&slow[i]);
    }
}
END_TEST

Suite *suite_auth(void)
{
    Suite *s = suite_create("auth");
    TCase *tc = site_case(s, "auth", 60);

    tcase_add_loop_test(tc, every_scheme, 0, sizeof schemes / sizeof *schemes);
    tcase_add_loop_test(tc, strangers_stay_outside, 0, sizeof strangers / sizeof *strangers);
    tcase_add_test(tc, fields_that_are_no_credentials);
    tcase_add_test(tc, challenge);
    tcase_add_test(tc, satisfy);
    tcase_add_test(tc, satisfy_any_takes_the_challenge_back);
    tcase_add_test(tc, files_by_variable_and_files_that_change);
    tcase_add_test(tc, files_by_argument);
    tcase_add_test(tc, many_users);
    tcase_add_test(tc, remote_user);
    tcase_add_test(tc, auth_delay);
    tcase_add_test(tc, a_slow_hash_holds_up_nobody);
    tcase_add_test(tc, a_kept_file_that_changes);
    tcase_add_test(tc, known_users_do_not_wait_for_guesses);
    return s;
}
