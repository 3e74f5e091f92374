/* test_listing.c - directories as pages: large ones do not hold up others, old times are what they
 * are, names are as wide as they look. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 100000 };

static void make_many(void)
{
    int dir = open(site_mkdir("html/many"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(dir, 0);
    for (int i = 0; i < MANY; i++) {
        char name[32];
        snprintf(name, sizeof name, "entry-%06d.txt", i);
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
        close(fd);
    }
    close(dir);
}

/* Asks for small files over one connection until the listing begins to come over the other; how
 * many were answered. */
static unsigned answered_before(struct site_client *large, const char *target)
{
    unsigned answered = 0;
    struct site_client others;
    struct site_response r;
    client_open(&others, site_port(0));
    client_open(large, site_port(0));
    client_say(large, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target);
    while (!client_has_input(large, 0)) {
        client_say(&others, "GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&others, &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        answered++;
    }
    client_close(&others);
    return answered;
}

static const struct {
    const char *target, *last;
} listings[] = {
    {"/html/", "\">entry-099999.txt</a>"},
    {"/modern/", "\">entry-099999.txt</a>"},
    {"/xml/", ">entry-099999.txt</file>"},
    {"/json/", "{ \"name\":\"entry-099999.txt\""},
};

/* One worker: were the directory read in its loop, nobody else would be answered before it. */
START_TEST(others_are_answered_meanwhile)
{
    struct site_client large;
    struct site_response r;
    make_many();
    site_write("html/small.txt", "hello\n");
    site_serve("keepalive_requests 1000000; autoindex on; location /html/ { alias @DIR@/html/many/; } "
               "location /modern/ { alias @DIR@/html/many/; autoindex_style modern; } "
               "location /xml/ { alias @DIR@/html/many/; autoindex_format xml; } "
               "location /json/ { alias @DIR@/html/many/; autoindex_format json; }");
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++) {
        ck_assert_uint_gt(answered_before(&large, listings[i].target), 10);
        ck_assert(client_receive(&large, &r));
        ck_assert_int_eq(r.status, 200);
        ck_assert_ptr_nonnull(strstr(r.body, listings[i].last));
        site_response_free(&r);
        client_close(&large);
    }
}
END_TEST

/* Where nginx knows no times before 1970. */
static void expect_time(const char *target, const char *time, const char *nginx)
{
    struct site_response r;
    site_get(&r, target);
    ck_assert_msg(strstr(r.body, on_nginx() ? nginx : time) != NULL, "%s", r.body);
    site_response_free(&r);
}

START_TEST(times_before_1970)
{
    struct site_response r;
    site_write("html/d/old", "");
    site_set_mtime("html/d/old", -3600);
    site_conf_server(
        "location /d/ { autoindex on; } location /x/ { alias @DIR@/html/d/; autoindex on; autoindex_format "
        "xml; } location /l/ { alias @DIR@/html/d/; autoindex on; autoindex_localtime on; }");
    setenv("TZ", "Etc/GMT+5", 1);
    site_start();
    expect_time("/d/", " 31-Dec-1969 23:00 ", " 01-Jan-1970 00:00 ");
    expect_time("/l/", " 31-Dec-1969 18:00 ", " 01-Jan-1970 00:00 ");
    expect_time("/x/", "mtime=\"1969-12-31T23:00:00Z\"", "mtime=\"1970-01-01T00:00:00Z\"");
    site_get(&r, "/d/old"); /* the same */
    if (!on_nginx())
        assert_header(&r, "Last-Modified", "Wed, 31 Dec 1969 23:00:00 GMT");
    site_response_free(&r);
}
END_TEST

static void expect_names(const char *target, const char *charset, const char *expected)
{
    struct site_response r;
    char fields[128] = "";
    if (*charset)
        snprintf(fields, sizeof fields, "X-Charset: %s\r\n", charset);
    site_request(&r, "GET", target, fields);
    ck_assert_msg(strstr(r.body, expected) != NULL, "%s", r.body);
    site_response_free(&r);
}

#define TEN "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"

/* By the charset that the page has, also where two that differ in it are asked for at once. */
START_TEST(width_by_charset)
{
    site_write("html/d/" TEN TEN TEN TEN TEN "a", "");
    site_write("html/d/" TEN, "");
    site_serve("autoindex on; location /b/ { alias @DIR@/html/d/; }"
               "location /u/ { alias @DIR@/html/d/; charset UTF-8; }"
               "location /k/ { alias @DIR@/html/d/; charset koi8-r; }"
               "location /v/ { alias @DIR@/html/d/; charset $http_x_charset; }");
    static const char bytes[] = "\">" TEN TEN "\xc3\xbc\xc3\xbc\xc3\xbc\xc3..&gt;</a> ";
    static const char characters[] =
        "\">" TEN TEN TEN TEN "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc..&gt;</a> ";
    expect_names("/b/", "", bytes);
    expect_names("/k/", "", bytes);
    expect_names("/u/", "", characters);
    expect_names("/u/", "", "\">" TEN "</a>                                         ");
    if (on_nginx()) /* which crashes where the variable is empty */
        return;
    expect_names("/v/", "", bytes);
    expect_names("/v/", "utf-8", characters);
    expect_names("/v/", "koi8-r", bytes);
}
END_TEST

Suite *suite_listing(void)
{
    Suite *s = suite_create("listing");
    TCase *t = site_case(s, "listing", 150);
    tcase_add_test(t, times_before_1970);
    tcase_add_test(t, width_by_charset);
    if (!on_nginx())
        tcase_add_test(t, others_are_answered_meanwhile);
    return s;
}
