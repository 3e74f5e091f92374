/* test_uri.c - from the target of a request to a file, and to nothing outside the root; what is
 * neither file nor folder. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void pages(void)
{
    site_write("html/a.txt", "hello\n");
    site_write("html/dir/b.txt", "in dir\n");
    site_write("html/dir/index.html", "index of dir\n");
    site_write("html/with space+plus%25.txt", "odd\n");
    site_write("html/caf\xc3\xa9.txt", "utf8\n");
    site_write("secret.txt", "secret\n");
}

static const struct mapped {
    const char *target, *body; /* body NULL: 404 */
} mapped[] = {
    {"/a.txt", "hello\n"},
    {"/%61.txt", "hello\n"},
    {"/%61%2e%74xt", "hello\n"},
    {"/a%2Etxt?x=y", "hello\n"},
    {"//a.txt", "hello\n"},
    {"///dir///b.txt", "in dir\n"},
    {"/./a.txt", "hello\n"},
    {"/dir/./b.txt", "in dir\n"},
    {"/dir/../a.txt", "hello\n"},
    {"/dir/%2e%2e/a.txt", "hello\n"},
    {"/dir/.%2e/a.txt", "hello\n"},
    {"/none/../a.txt", "hello\n"},
    {"/dir/x/../../a.txt", "hello\n"},
    {"/dir//../a.txt", "hello\n"},
    {"/dir/b.txt/..", "index of dir\n"},
    {"/dir/.", "index of dir\n"},
    {"/dir/", "index of dir\n"},
    {"/dir%2fb.txt", "in dir\n"},
    {"/with%20space+plus%2525.txt", "odd\n"},
    {"/caf%C3%A9.txt", "utf8\n"},
    {"/caf%c3%a9.txt", "utf8\n"},
    {"/a.txt%3Fq", NULL},
    {"/%2561.txt", NULL}, /* decoded once */
    {"/A.TXT", NULL},
    {"/...", NULL},
    {"/.../a.txt", NULL},
    {"/dir/..a", NULL},
    {"/secret.txt", NULL},
};

START_TEST(targets)
{
    site_serve("");
    for (size_t i = 0; i < sizeof mapped / sizeof *mapped; i++) {
        struct site_response r;
        site_get(&r, mapped[i].target);
        ck_assert_msg(r.status == (mapped[i].body ? 200 : 404), "%s: %d", mapped[i].target, r.status);
        if (mapped[i].body)
            ck_assert_msg(!strcmp(r.body, mapped[i].body), "%s: %s", mapped[i].target, r.body);
        site_response_free(&r);
    }
}
END_TEST

static const char *const climbing[] = {
    "/../secret.txt",
    "/..",
    "/../",
    "/%2e%2e/secret.txt",
    "/%2E%2E%2Fsecret.txt",
    "/..%2fsecret.txt",
    "/dir/../../secret.txt",
    "/dir/%2e%2e/%2e%2e/secret.txt",
    "//../secret.txt",
    "/./../secret.txt",
    "/dir/..%2f..%2fsecret.txt",
    "/a.txt/../../secret.txt",
    "/../../../../../../../../etc/passwd",
    "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "/dir/../../html/a.txt",
};

START_TEST(nothing_above_the_root)
{
    site_serve("");
    for (size_t i = 0; i < sizeof climbing / sizeof *climbing; i++)
        ck_assert_msg(site_status_of(climbing[i]) == 400, "%s: %d", climbing[i], site_status_of(climbing[i]));
    static const char *const harmless[] = {"/..%5csecret.txt", "/..\\secret.txt", "/%252e%252e/secret.txt",
                                           "/..;/secret.txt"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        int status = site_status_of(harmless[i]);
        ck_assert_msg(status == 404 || status == 400, "%s: %d", harmless[i], status);
    }
}
END_TEST

/* The same with slashes not merged: // does not hide a step upwards. */
START_TEST(merge_slashes_off)
{
    site_serve("merge_slashes off; location = //x { return 200 two; } location = /x { return 200 one; }");
    struct site_response r;
    site_get(&r, "//x");
    ck_assert_str_eq(r.body, "two");
    site_response_free(&r);
    site_get(&r, "/x");
    ck_assert_str_eq(r.body, "one");
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("//../../secret.txt"), 400);
    site_get(&r, "/dir//b.txt");
    ck_assert_str_eq(r.body, "in dir\n");
    site_response_free(&r);
}
END_TEST

static const char *const malformed[] = {"/%", "/%2", "/%zz", "/a%", "/%g1", "/%00", "/a.txt%00.html", "/%1"};

START_TEST(bad_escapes)
{
    site_serve("");
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        ck_assert_msg(site_status_of(malformed[i]) == 400, "%s: %d", malformed[i], site_status_of(malformed[i]));
    /* In the query they are data. */
    ck_assert_int_eq(site_status_of("/a.txt?%zz%00%"), 200);
}
END_TEST

START_TEST(directory_redirects)
{
    site_serve("location /abs/ { alias @DIR@/html/; } location /rel/ { absolute_redirect off; alias @DIR@/html/; }\n"
               "location /noport/ { port_in_redirect off; alias @DIR@/html/; }");
    static const struct {
        const char *target, *location;
    } rows[] = {
        {"/dir", "@SCHEME@://localhost@:PORT@/dir/"},
        {"/dir?x=1&y=%20", "@SCHEME@://localhost@:PORT@/dir/?x=1&y=%20"},
        {"/dir?", "@SCHEME@://localhost@:PORT@/dir/"},
        {"//dir", "@SCHEME@://localhost@:PORT@/dir/"},
        {"/abs/dir", "@SCHEME@://localhost@:PORT@/abs/dir/"},
        {"/rel/dir?q", "/rel/dir/?q"},
        {"/noport/dir", "@SCHEME@://localhost/noport/dir/"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_response r;
        const char *location = site_text(rows[i].location);
        site_get(&r, rows[i].target);
        ck_assert_msg(r.status == 301, "%s: %d", rows[i].target, r.status);
        if (i == 2) /* an empty query: with or without its mark */
            ck_assert(site_header(&r, "Location") && !strncmp(site_header(&r, "Location"), location, strlen(location)));
        else
            assert_header(&r, "Location", location);
        ck_assert_ptr_nonnull(strstr(r.body, "301 Moved Permanently"));
        site_response_free(&r);
    }
}
END_TEST

/* What comes back in Location was decoded on the way in: it must not open a line of its own, or
 * lose its escapes. */
START_TEST(redirects_are_escaped)
{
    site_mkdir("html/a b");
    site_mkdir("html/x\r\nSet-Cookie: y");
    site_mkdir("html/q?");
    site_serve("absolute_redirect off;");
    struct site_response r;
    site_get(&r, "/a%20b");
    ck_assert_int_eq(r.status, 301);
    assert_header(&r, "Location", "/a%20b/");
    site_response_free(&r);
    site_get(&r, "/x%0d%0aSet-Cookie:%20y");
    assert_header(&r, "Set-Cookie", NULL);
    ck_assert(r.status == 400 || (r.status == 301 && strstr(site_header(&r, "Location"), "%0D%0A")));
    site_response_free(&r);
    site_get(&r, "/q%3F");
    assert_header(&r, "Location", "/q%3F/");
    site_response_free(&r);
}
END_TEST

START_TEST(host_of_redirects)
{
    site_serve("server_name www.example.com;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET /dir HTTP/1.1\r\nHost: other.example\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_header(&r, "Location", site_text("@SCHEME@://other.example@:PORT@/dir/"));
    site_response_free(&r);
    /* Without Host, by the address of the socket; a path in the file system is no host, though. */
    bool by_name = !site_transport()->is_tcp && !on_nginx();
    client_say(&c, "GET /dir HTTP/1.0\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    assert_header(&r, "Location", by_name ? "http://www.example.com/dir/" : site_text("@SCHEME@://@LISTEN@/dir/"));
    site_response_free(&r);
    client_close(&c);
}
END_TEST

START_TEST(neither_file_nor_folder)
{
    site_serve("");
    site_allow_alerts();
    ck_assert_int_eq(mkfifo(site_path("html/fifo"), 0666), 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(site_path("html/sock")), sizeof at.sun_path);
    strcpy(at.sun_path, site_path("html/sock"));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    ck_assert_int_eq(symlink("/dev/null", site_path("html/null")), 0);
    ck_assert_int_eq(symlink("/dev/zero", site_path("html/zero")), 0);
    ck_assert_int_eq(symlink("loop", site_path("html/loop")), 0);
    ck_assert_int_eq(symlink("nowhere", site_path("html/dangling")), 0);
    static const char *const names[] = {"/fifo", "/sock", "/null", "/zero", "/loop", "/dangling"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int status = site_status_of(names[i]);
        bool is_fine = status == 403 || status == 404 || (on_nginx() && !strcmp(names[i], "/sock"));
        ck_assert_msg(is_fine, "%s: %d", names[i], status);
        ck_assert_msg(site_status_of("/a.txt") == 200, "after %s", names[i]);
    }
    close(fd);
}
END_TEST

START_TEST(symbolic_links_are_followed)
{
    site_serve("");
    ck_assert_int_eq(symlink("a.txt", site_path("html/link")), 0);
    ck_assert_int_eq(symlink("dir", site_path("html/dlink")), 0);
    struct site_response r;
    site_get(&r, "/link");
    ck_assert_str_eq(r.body, "hello\n");
    site_response_free(&r);
    site_get(&r, "/dlink/b.txt");
    ck_assert_str_eq(r.body, "in dir\n");
    site_response_free(&r);
}
END_TEST

START_TEST(absolute_form)
{
    site_serve("server_name one; location = /x { return 200 one; } }\n"
               "server { listen 127.0.0.1:@PORT@; server_name two; location = /x { return 200 two; }");
    static const struct {
        const char *text, *body;
    } rows[] = {
        {"GET /x HTTP/1.1\r\nHost: one\r\n\r\n", "one"},
        {"GET /x HTTP/1.1\r\nHost: two\r\n\r\n", "two"},
        {"GET http://two/x HTTP/1.1\r\nHost: one\r\n\r\n", "two"}, /* the target wins over Host */
        {"GET http://one:1234/x HTTP/1.1\r\nHost: two\r\n\r\n", "one"},
        {"GET http://TWO/x?y HTTP/1.1\r\nHost: one\r\n\r\n", "two"},
        {"GET /x HTTP/1.1\r\nHost: TWO.\r\n\r\n", "two"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(0));
        client_say(&c, "%s", rows[i].text);
        ck_assert(client_receive(&c, &r));
        ck_assert_msg(r.status == 200 && !strcmp(r.body, rows[i].body), "%s%d %s", rows[i].text, r.status, r.body);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

START_TEST(long_paths)
{
    site_serve("large_client_header_buffers 4 32k;");
    static char target[20000];
    size_t len = 0;
    while (len < 9000)
        len += (size_t)sprintf(target + len, "/abcdefgh");
    ck_assert_int_eq(site_status_of(target), 404);
    len = 0;
    while (len < 12000)
        len += (size_t)sprintf(target + len, "/dir/..");
    strcpy(target + len, "/a.txt");
    ck_assert_int_eq(site_status_of(target), 200);
    len = 0;
    while (len < 12000)
        len += (size_t)sprintf(target + len, "%%2f");
    ck_assert_int_ne(site_status_of(target), 500);
}
END_TEST

Suite *suite_uri(void)
{
    Suite *s = suite_create("uri");
    TCase *tc = site_case_with(s, "uri", 20, pages);
    tcase_add_test(tc, targets);
    tcase_add_test(tc, nothing_above_the_root);
    tcase_add_test(tc, merge_slashes_off);
    tcase_add_test(tc, bad_escapes);
    tcase_add_test(tc, directory_redirects);
    tcase_add_test(tc, redirects_are_escaped);
    tcase_add_test(tc, host_of_redirects);
    tcase_add_test(tc, neither_file_nor_folder);
    tcase_add_test(tc, symbolic_links_are_followed);
    tcase_add_test(tc, absolute_form);
    tcase_add_test(tc, long_paths);
    return s;
}
