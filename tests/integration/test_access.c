/* test_access.c - who may: allow, deny, satisfy, limit_except, and how they meet error_page,
 * internal, return and index. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int status_with(const char *method, const char *target, const char *fields)
{
    struct site_response r;
    site_request(&r, method, target, fields);
    int status = r.status;
    site_response_free(&r);
    return status;
}

START_TEST(the_first_rule_that_fits_decides)
{
    site_write("html/x", "x");
    site_serve("location /all/ { alias @DIR@/html/; deny all; }\n"
               "location /me/ { alias @DIR@/html/; allow 127.0.0.1; deny all; }\n"
               "location /net/ { alias @DIR@/html/; allow 127.0.0.0/8; deny all; }\n"
               "location /hole/ { alias @DIR@/html/; deny 127.0.0.1; allow 127.0.0.0/8; }\n"
               "location /late/ { alias @DIR@/html/; allow 127.0.0.0/8; deny 127.0.0.1; }\n"
               "location /others/ { alias @DIR@/html/; deny 192.0.2.0/24; deny ::1; deny unix:; }\n"
               "location /six/ { alias @DIR@/html/; allow ::/0; deny all; }\n");
    expect_status("/all/x", 403);
    expect_status("/all/nothing", 403); /* whether it is there is not told */
    expect_status("/me/x", 200);
    expect_status("/net/x", 200);
    expect_status("/hole/x", 403);
    expect_status("/late/x", 200);
    expect_status("/others/x", 200);
    expect_status("/six/x", 403);
    free(log_await("logs/error.log", "access forbidden by rule, client: 127.0.0.1"));
}
END_TEST

START_TEST(rules_are_inherited_as_a_whole)
{
    site_write("html/x", "x");
    site_serve(
        "deny all;\n"
        "location /own/ { alias @DIR@/html/; allow 127.0.0.1; }\n"
        "location /inherits/ { alias @DIR@/html/; location /inherits/own/ { alias @DIR@/html/; allow all; } }\n");
    expect_status("/x", 403);
    expect_status("/own/x", 200);
    expect_status("/inherits/x", 403);
    expect_status("/inherits/own/x", 200);
}
END_TEST

START_TEST(return_comes_before_the_rules)
{
    site_serve("location /r { deny all; return 200 text; } location /s { deny all; }");
    expect_status("/r", 200);
    expect_status("/s", 403);
}
END_TEST

START_TEST(unix_clients)
{
    site_write("html/x", "x");
    site_conf_http("server { listen 127.0.0.1:@PORT@; listen unix:@DIR@/s; root @DIR@/html;\n"
                   "location /no/ { alias @DIR@/html/; deny unix:; }\n"
                   "location /yes/ { alias @DIR@/html/; allow unix:; deny all; } }");
    site_start();
    expect_status("/no/x", 200);
    expect_status("/yes/x", 403);
    static const struct {
        const char *target;
        int status;
    } local[] = {{"/no/x", 403}, {"/yes/x", 200}};
    for (unsigned i = 0; i < 2; i++) {
        struct site_client c;
        struct site_response r;
        client_open_unix(&c, site_path("s"));
        client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", local[i].target);
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, local[i].status);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

START_TEST(pages_of_403_are_subject_to_the_rules_too)
{
    site_write("html/x", "x");
    site_write("html/403.html", "page");
    site_serve("location / { deny all; error_page 403 /403.html; }\n"
               "location /open/ { alias @DIR@/html/; deny all; error_page 403 /page403; }\n"
               "location /named/ { deny all; error_page 403 @named; } location @named { root @DIR@/html; try_files "
               "/403.html =500; }\n"
               "location /shut/ { deny all; error_page 403 = @shut; } location @shut { deny all; }\n"
               "location = /page403 { internal; alias @DIR@/html/403.html; }\n");
    struct site_response r;
    site_get(&r, "/x"); /* the page itself is in the denied location */
    ck_assert_int_eq(r.status, 403);
    ck_assert_ptr_null(strstr(r.body, "page"));
    site_response_free(&r);
    site_get(&r, "/open/x");
    ck_assert_int_eq(r.status, 403);
    ck_assert_str_eq(r.body, "page");
    site_response_free(&r);
    site_get(&r, "/named/x");
    ck_assert_int_eq(r.status, 403);
    ck_assert_str_eq(r.body, "page");
    site_response_free(&r);
    expect_status("/page403", 404);
    expect_status("/shut/x", 403);
}
END_TEST

START_TEST(rules_of_where_an_internal_redirect_leads)
{
    site_write("html/d/index.html", "index");
    site_write("html/d/secret", "secret");
    site_serve("location = /d/index.html { deny all; }\n"
               "location /try { try_files /nothing /d/secret; } location = /d/secret { deny all; }\n"
               "location /file { try_files /d/secret =404; }\n"
               "location /in/ { deny all; location /in/up/ { allow all; try_files /nothing /d/; } }\n");
    expect_status("/d/", 403);
    expect_status("/try", 403);
    expect_status("/file", 200); /* the file is served by this location */
    expect_status("/in/x", 403);
    expect_status("/in/up/x", 403);
}
END_TEST

START_TEST(limit_except)
{
    site_write("html/x", "x");
    site_serve("location /get/ { alias @DIR@/html/; limit_except GET { deny all; } }\n"
               "location /post/ { alias @DIR@/html/; limit_except post OPTIONS { allow 192.0.2.1; deny all; } }\n"
               "location /both/ { alias @DIR@/html/; deny all; limit_except GET { allow all; } }\n"
               "location /outer/ { alias @DIR@/html/; limit_except GET { deny all; }\n"
               "  location /outer/inner/ { alias @DIR@/html/; } }\n");
    expect_status("/get/x", 200);
    ck_assert_int_eq(status_with("HEAD", "/get/x", ""), 200);
    ck_assert_int_eq(status_with("POST", "/get/x", "Content-Length: 0\r\n"), 403);
    ck_assert_int_eq(status_with("DELETE", "/get/x", ""), 403);
    ck_assert_int_eq(status_with("PATCH", "/get/x", ""), 403);
    expect_status("/post/x", 403);
    ck_assert_int_eq(status_with("HEAD", "/post/x", ""), 403);
    ck_assert_int_eq(status_with("POST", "/post/x", "Content-Length: 0\r\n"), 405);
    ck_assert_int_eq(status_with("OPTIONS", "/post/x", ""), 405);
    expect_status("/both/x", 403);
    ck_assert_int_eq(status_with("PUT", "/both/x", "Content-Length: 0\r\n"), 405);
    ck_assert_int_eq(status_with("DELETE", "/outer/x", ""), 403);
    ck_assert_int_eq(status_with("DELETE", "/outer/inner/x", ""), 405); /* it is for its own location only */
}
END_TEST

/* Instructions come before rules of access; what limit_except refuses, they must not answer. */
START_TEST(limit_except_beside_instructions)
{
    site_write("html/x", "x");
    site_serve("location /ret/ { limit_except GET { deny all; } return 200 ret; }\n"
               "location /if/ { limit_except GET { deny all; } if ($request_method = PUT) { return 201 put; } }\n"
               "location /rw/ { limit_except GET { deny all; } rewrite ^ /open last; }\n"
               "location /open { return 200 open; }\n"
               "location /post/ { limit_except POST { deny all; } return 200 post; }");
    expect_status("/ret/", 200);
    ck_assert_int_eq(status_with("HEAD", "/ret/", ""), 200);
    ck_assert_int_eq(status_with("DELETE", "/ret/", ""), 403);
    ck_assert_int_eq(status_with("PUT", "/if/", "Content-Length: 0\r\n"), 403);
    expect_status("/rw/", 200);
    ck_assert_int_eq(status_with("DELETE", "/rw/", ""), 403);
    expect_status("/post/", 403);
    ck_assert_int_eq(status_with("POST", "/post/", "Content-Length: 0\r\n"), 200);
}
END_TEST

/* 2,000 networks beside and inside of each other: still the first in the file. */
START_TEST(many_rules)
{
    enum { RULES = 1000 };
    size_t size = RULES * 80 + 500, at = 0;
    char *conf = malloc(size);
    for (unsigned i = 0; i < RULES; i++) {
        at += (size_t)snprintf(conf + at, size - at, "deny 10.%u.%u.0/24; allow 10.%u.%u.128/25;\n", i / 256, i % 256,
                               i / 256, i % 256);
    }
    snprintf(conf + at, size - at, "allow @PEER@; deny all; location / { root @DIR@/html; }");
    site_write("html/x", "x");
    site_conf_server(conf);
    free(conf);
    site_start();
    expect_status("/x", 200);
}
END_TEST

static const struct {
    const char *line, *error;
} wrong[] = {
    {"allow 192.0.2.0/33;", "invalid parameter \"192.0.2.0/33\""},
    {"deny ::1/129;", "invalid parameter \"::1/129\""},
    {"deny example.org;", "invalid parameter \"example.org\""},
    {"deny 192.0.2;", "invalid parameter \"192.0.2\""},
    {"deny \"\";", "invalid parameter \"\""},
    {"allow 127.0.0.1 ::1;", "invalid number of arguments in \"allow\" directive"},
    {"satisfy some;", "invalid value \"some\""},
    {"limit_except BREW { deny all; }", "invalid method \"BREW\""},
    {"limit_except GET { root /; }", "\"root\" directive is not allowed here"},
    {"limit_except GET { satisfy any; }", "\"satisfy\" directive is not allowed here"},
};

START_TEST(what_is_refused)
{
    char text[256];
    snprintf(text, sizeof text, "location / { %s }", wrong[_i].line);
    expect_conf_server(text, wrong[_i].error);
}
END_TEST

START_TEST(bits_that_mean_nothing_are_warned_of)
{
    struct site_run run;
    site_conf_server("location / { allow 127.0.0.1/8; deny 2001:db8::1/32; }");
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    ck_assert_ptr_nonnull(strstr(run.err, "low address bits of 127.0.0.1/8 are meaningless"));
    ck_assert_ptr_nonnull(strstr(run.err, "low address bits of 2001:db8::1/32 are meaningless"));
}
END_TEST

Suite *suite_access(void)
{
    Suite *s = suite_create("access");
    TCase *tc = site_case(s, "access", 30);

    tcase_add_tcp_test(tc, the_first_rule_that_fits_decides, "networks are of IP addresses");
    tcase_add_test(tc, rules_are_inherited_as_a_whole);
    tcase_add_test(tc, return_comes_before_the_rules);
    tcase_add_tcp_test(tc, unix_clients, "clients of TCP beside those of a unix socket");
    tcase_add_test(tc, pages_of_403_are_subject_to_the_rules_too);
    tcase_add_test(tc, rules_of_where_an_internal_redirect_leads);
    tcase_add_test(tc, limit_except);
    tcase_add_test(tc, limit_except_beside_instructions);
    tcase_add_test(tc, many_rules);
    tcase_add_loop_test(tc, what_is_refused, 0, sizeof wrong / sizeof *wrong);
    tcase_add_test(tc, bits_that_mean_nothing_are_warned_of);
    return s;
}
