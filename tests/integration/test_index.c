/* test_index.c - what answers for a folder: names of index behind an alias, random_index. */
#include "harness.h"

#include <string.h>
#include <unistd.h>

/* A link to a file is one, unless links are not followed. */
START_TEST(random_index_of_links)
{
    site_write("html/file.txt", "linked");
    site_write("out.txt", "out");
    site_mkdir("html/r/sub");
    ck_assert_int_eq(symlink("../file.txt", site_path("html/r/link.txt")), 0);
    ck_assert_int_eq(symlink("sub", site_path("html/r/folder")), 0);
    ck_assert_int_eq(symlink("nowhere", site_path("html/r/dangling")), 0);
    site_conf_server(on_nginx()
                         ? "location /r/ { random_index on; }"
                         : "location /r/ { random_index on; }\n"
                           "location /none/ { alias @DIR@/html/r/; random_index on; disable_symlinks on; }\n"
                           "location ~ ^/regex/ { alias @DIR@/html/r; random_index on; error_page 301 = /got; }\n"
                           "location /got { return 200 got; }\n"
                           "location /beneath/ { alias @DIR@/html/b/; random_index on; root_confine on; }");
    site_write("html/b/in.txt", "in");
    ck_assert_int_eq(symlink("in.txt", site_path("html/b/in2.txt")), 0);
    ck_assert_int_eq(symlink("../../out.txt", site_path("html/b/out.txt")), 0);
    site_start();
    for (int i = 0; i < 20; i++)
        expect_body("/r/", "linked");
    if (on_nginx())
        return;
    ck_assert_int_eq(site_status_of("/none/"), 403); /* nothing that may be served */
    expect_body("/regex/", "got");
    for (int i = 0; i < 20; i++)
        expect_body("/beneath/", "in");
}
END_TEST

/* The same of listings. */
START_TEST(listing_of_links)
{
    struct site_response r;

    if (on_nginx())
        return;
    site_write("out.txt", "out");
    site_write("html/b/in.txt", "in");
    ck_assert_int_eq(symlink("in.txt", site_path("html/b/link-in")), 0);
    ck_assert_int_eq(symlink("../../out.txt", site_path("html/b/link-out")), 0);
    site_serve("autoindex on; location /alias/ { alias @DIR@/html/b/; root_confine on; }\n"
               "location ~ ^/regex/ { alias @DIR@/html/b; disable_symlinks on from=@DIR@/html/b; }\n"
               "location /b/ { root_confine on; }\n");
    site_get(&r, "/alias/");
    ck_assert_msg(strstr(r.body, "link-in") && !strstr(r.body, "link-out"), "%s", r.body);
    site_response_free(&r);
    site_get(&r, "/b/");
    ck_assert_msg(strstr(r.body, "link-in") && !strstr(r.body, "link-out"), "%s", r.body);
    site_response_free(&r);
    site_get(&r, "/regex/");
    ck_assert_msg(strstr(r.body, "in.txt") && !strstr(r.body, "link-"), "%s", r.body);
    site_response_free(&r);
}
END_TEST

/* The whole path is the alias': names of index, and listings, are behind it. */
START_TEST(index_of_regex_alias)
{
    struct site_response r;
    site_write("html/with/index.html", "index");
    site_write("html/with/b.html", "b");
    site_write("html/without/x.txt", "x");
    site_write("html/page.txt", "page");
    site_serve("location ~ ^/al/(.*)$ { alias @DIR@/html/$1; index none.html b.html; }\n"
               "location ~ ^/list/(.*)$ { alias @DIR@/html/$1; autoindex on; }\n"
               "location ~ ^/no/(.*)$ { alias @DIR@/html/$1; }\n"
               "location ~ ^/abs/(.*)/$ { alias @DIR@/html/$1; index none.html /page.txt; }\n"
               "location ~ ^/fixed/ { alias @DIR@/html/without/; index none.html; }\n"
               "location ~ ^/bare/ { alias @DIR@/html/with; index b.html; }\n"
               "location ~ ^/gone/ { alias @DIR@/html/none/; }\n");
    expect_body("/al/with/", "b");
    ck_assert_int_eq(site_status_of("/al/without/"), 403);
    ck_assert_int_eq(site_status_of("/al/none/"), 404);
    expect_body("/list/with/", "index");
    site_get(&r, "/list/without/");
    ck_assert_int_eq(r.status, 200);
    ck_assert_ptr_nonnull(strstr(r.body, "x.txt"));
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/no/without/"), 403);
    expect_body("/abs/with/", "page");
    ck_assert_int_eq(site_status_of("/fixed/"), 403);
    ck_assert_int_eq(site_status_of("/bare/"), 403); /* "withb.html" */
    ck_assert_int_eq(site_status_of("/gone/"), 404);
}
END_TEST

Suite *suite_index(void)
{
    Suite *s = suite_create("index");
    TCase *tc = site_case(s, "index", 20);
    tcase_add_test(tc, random_index_of_links);
    tcase_add_test(tc, listing_of_links);
    tcase_add_test(tc, index_of_regex_alias);
    return s;
}
