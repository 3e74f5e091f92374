/* test_listing.c - directories as pages: large ones do not hold up others, old times are shown as nginx shows them. */
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
        snprintf(name, sizeof(name), "entry-%06d.txt", i);
        int fd = openat(dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
        close(fd);
    }
    close(dir);
}

/* Asks for small files over one connection until the listing begins to come over the other; how many were answered. */
static unsigned answered_before(struct client *large, const char *target)
{
    unsigned answered = 0;
    struct client others;
    struct response r;
    client_open(&others, site_port(0));
    client_open(large, site_port(0));
    client_say(large, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", target);
    while (!client_has_input(large, 0)) {
        client_say(&others, "GET /small.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&others, &r));
        ck_assert_int_eq(r.status, 200);
        response_free(&r);
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
    struct client large;
    struct response r;
    make_many();
    site_write("html/small.txt", "hello\n");
    site_conf_server("keepalive_requests 1000000; autoindex on; location /html/ { alias @DIR@/html/many/; } "
                     "location /modern/ { alias @DIR@/html/many/; autoindex_style modern; } "
                     "location /xml/ { alias @DIR@/html/many/; autoindex_format xml; } "
                     "location /json/ { alias @DIR@/html/many/; autoindex_format json; }");
    site_start();
    for (size_t i = 0; i < sizeof(listings) / sizeof(*listings); i++) {
        ck_assert_uint_gt(answered_before(&large, listings[i].target), 10);
        ck_assert(client_receive(&large, &r));
        ck_assert_int_eq(r.status, 200);
        ck_assert_ptr_nonnull(strstr(r.body, listings[i].last));
        response_free(&r);
        client_close(&large);
    }
}
END_TEST

START_TEST(times_begin_in_1970)
{
    struct response r;
    site_write("html/d/old", "");
    site_set_mtime("html/d/old", -3600);
    site_conf_server(
        "location /d/ { autoindex on; } location /x/ { alias @DIR@/html/d/; autoindex on; autoindex_format "
        "xml; } location /l/ { alias @DIR@/html/d/; autoindex on; autoindex_localtime on; }");
    setenv("TZ", "America/New_York", 1);
    site_start();
    get(&r, "/d/");
    ck_assert_ptr_nonnull(strstr(r.body, " 01-Jan-1970 00:00 "));
    response_free(&r);
    get(&r, "/l/");
    ck_assert_ptr_nonnull(strstr(r.body, " 01-Jan-1970 00:00 "));
    response_free(&r);
    get(&r, "/x/");
    ck_assert_ptr_nonnull(strstr(r.body, "mtime=\"1970-01-01T00:00:00Z\""));
    response_free(&r);
}
END_TEST

Suite *suite_listing(void)
{
    Suite *s = suite_create("listing");
    TCase *t = site_case(s, "listing", 150);
    tcase_add_test(t, times_begin_in_1970);
    if (!on_nginx())
        tcase_add_test(t, others_are_answered_meanwhile);
    return s;
}
