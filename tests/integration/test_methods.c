/* test_methods.c - which methods content answers: the same ones, whatever step found it. Beside
 * nginx's answers in methods.case. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void serve(void)
{
    site_write("html/a.txt", "text\n");
    site_write("html/index.html", "index\n");
    site_write("html/one/x.txt", "one\n");
    site_serve("location /file/ { alias @DIR@/html/; }\n"
               "location /try/ { alias @DIR@/html/; try_files $uri =404; }\n"
               "location /try-dir/ { alias @DIR@/html/one/; try_files $uri $uri/ =404; autoindex on; }\n"
               "location /try-page/ { try_files /none /a.txt; }\n"
               "location /shell/ { try_files $uri @shell; }\n"
               "location @shell { try_files /index.html =404; }\n"
               "location /index/ { alias @DIR@/html/; }\n"
               "location /listing/ { alias @DIR@/html/one/; autoindex on; }\n"
               "location /random/ { alias @DIR@/html/one/; random_index on; }\n"
               "location /stub { stub_status; }\n"
               "location /status { status; }\n"
               "location /gif { empty_gif; }\n"
               "location /try-stub { stub_status; try_files /a.txt =404; }\n"
               "location /try-status { status; try_files /a.txt =404; }\n"
               "location /try-gif { empty_gif; try_files /a.txt =404; }\n"
               "location /page { error_page 404 = @page; return 404; }\n"
               "location @page { try_files /a.txt =404; }\n"
               "location /nowhere/ { rewrite ^/nowhere/(.*)$ /$1 break; alias @DIR@/html/; }\n"
               "location ~ ^/climbs(.*)$ { alias @DIR@/html/$1; }\n"
               "location /return { return 200 text; }\n");
}

static const char *const refused[] = {"PUT",      "DELETE", "PATCH", "OPTIONS", "TRACE",    "CONNECT",
                                      "PROPFIND", "MKCOL",  "COPY",  "LOCK",    "PROPPATCH"};
enum { REFUSED = sizeof refused / sizeof *refused };

static const struct content {
    const char *target;
    int get, post;
    const char *only_of_get; /* text of the content, which no refusal has */
} contents[] = {
    {"/file/a.txt", 200, 405, "text\n"},
    {"/file/one", 301, 301, NULL},
    {"/file/none", 404, 404, NULL},
    {"/try/a.txt", 200, 405, "text\n"},
    {"/try-dir/", 200, 403, "x.txt"},
    {"/try-dir/x.txt", 200, 405, "one\n"},
    {"/try-page/x", 200, 405, "text\n"},
    {"/shell/none", 200, 405, "index\n"},
    {"/index/", 200, 405, "index\n"},
    {"/listing/", 200, 403, "x.txt"},
    {"/random/", 200, 405, "one\n"},
    {"/stub", 200, 405, "Active connections"},
    {"/status?format=json", 200, 405, "requests"},
    {"/gif", 200, 405, "GIF89a"},
    {"/try-stub", 200, 405, "Active connections"},
    {"/try-status?format=json", 200, 405, "requests"},
    {"/try-gif", 200, 405, "GIF89a"},
    {"/page", 200, 405, "text\n"},
    {"/nowhere/a.txt", 500, 500, NULL},
    {"/climbs../html/a.txt", 404, 404, "text\n"},
};

static int ask(const char *method, const char *target, const char *never)
{
    struct site_response r;

    site_request(&r, method, target, "");
    int status = r.status;
    ck_assert_msg(!never || !strstr(r.body, never), "%s %s: %s", method, target, r.body);
    if (status == 405)
        assert_header(&r, "Allow", "GET, HEAD");
    site_response_free(&r);
    return status;
}

START_TEST(one_door_to_all_content)
{
    const struct content *c = &contents[_i];

    serve();
    site_allow_alerts();
    ck_assert_msg(site_status_of(c->target) == c->get, "GET %s: %d", c->target, site_status_of(c->target));
    int post = ask("POST", c->target, c->get == 200 && c->post == 405 ? c->only_of_get : NULL);
    ck_assert_msg(post == c->post, "POST %s: %d", c->target, post);
    for (unsigned i = 0; i < REFUSED; i++) {
        int status = ask(refused[i], c->target, c->only_of_get);
        int expected = strcmp(refused[i], "CONNECT") == 0 ? 400 : 405; /* a path is no authority */
        ck_assert_msg(status == expected, "%s %s: %d", refused[i], c->target, status);
    }
}
END_TEST

/* What is not made by a content step answers every method, but for the two that no server like this
 * one takes. */
START_TEST(return_answers_all)
{
    serve();
    for (unsigned i = 0; i < REFUSED; i++) {
        bool never = strcmp(refused[i], "TRACE") == 0 || strcmp(refused[i], "CONNECT") == 0;
        if (!never)
            ck_assert_msg(ask(refused[i], "/return", NULL) == 200, "%s", refused[i]);
    }
    ck_assert_int_eq(ask("TRACE", "/return", NULL), 405);
    ck_assert_int_eq(ask("TRACE", "/none", NULL), 405);
}
END_TEST

/* An uploader that is told 200 takes its file for stored. */
START_TEST(upload_to_an_app_shell)
{
    site_write("html/index.html", "shell\n");
    site_serve("location / { try_files $uri /index.html; }");
    struct site_response r;
    site_request(&r, "PUT", "/new.txt", "Content-Length: 3\r\n\r\nabc");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
    ck_assert_int_eq(ask("DELETE", "/none", "shell"), 405);
    ck_assert_int_eq(ask("DELETE", "/index.html", "shell"), 405);
    ck_assert_int_eq(site_status_of("/none"), 200);
}
END_TEST

/* `error_page 405 =200` lets a page answer POST; to CONNECT a 200 would be a tunnel. */
START_TEST(no_page_opens_a_tunnel)
{
    static const struct {
        const char *line;
        int status;
    } rows[] = {{"CONNECT a:443 HTTP/1.1", 405},
                {"CONNECT /x HTTP/1.1", 400},
                {"CONNECT a:443 HTTP/3.1", 505},
                {"PUT /x HTTP/1.1", 200}};
    site_write("html/index.html", "index\n");
    site_serve("error_page 400 405 505 =200 /index.html;");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        client_say(&c, "%s\r\nHost: a\r\nConnection: %s\r\n\r\n", rows[i].line, i < 3 ? "keep-alive" : "close");
        ck_assert(client_receive(&c, &r));
        ck_assert_msg(r.status == rows[i].status, "%s: %d", rows[i].line, r.status);
        assert_header(&r, "Connection", "close");
        site_response_free(&r);
        ck_assert(client_ends(&c));
        client_close(&c);
    }
}
END_TEST

Suite *suite_methods(void)
{
    Suite *s = suite_create("methods");
    TCase *t = site_case(s, "methods", 30);

    if (on_nginx())
        return s;
    tcase_add_loop_test(t, one_door_to_all_content, 0, sizeof contents / sizeof *contents);
    tcase_add_test(t, return_answers_all);
    tcase_add_test(t, no_page_opens_a_tunnel);
    tcase_add_test(t, upload_to_an_app_shell);
    return s;
}
