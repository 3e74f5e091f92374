/* test_routing.c - Host to server, URI to location, and what a location does with it: root, alias,
 * index, try_files, error_page, return, internal, autoindex. */
#include "harness.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(kinds_of_locations)
{
    site_serve(
        "location = / { return 200 exact-root; } location / { return 200 root; }\n"
        "location /docs/ { return 200 docs; } location ^~ /images/ { return 200 images; }\n"
        "location ~* \\.(gif|jpg|jpeg)$ { return 200 picture; } location ~ \\.GIF2$ { return 200 gif2; }\n"
        "location = /docs/exact.gif { return 200 exact; } location /docs/deep/er/ { return 200 deeper; }\n"
        "location ~ ^/docs/first { return 200 first-regex; } location ~ ^/docs/first-more { return 200 never; }");
    expect_body("/", "exact-root");
    expect_body("/index.html", "root");
    expect_body("/docs/document.html", "docs");
    expect_body("/docs", "root");
    expect_body("/images/1.gif", "images");
    expect_body("/docs/1.jpg", "picture");
    expect_body("/docs/1.JPG", "picture");
    expect_body("/x.GIF2", "gif2");
    expect_body("/x.gif2", "root");
    expect_body("/docs/exact.gif", "exact");
    expect_body("/docs/exact.gif?q", "exact");
    expect_body("/docs/deep/er/x", "deeper");
    expect_body("/docs/deep/e", "docs");
    expect_body("/docs/first-more", "first-regex");
    expect_body("/%64ocs/x", "docs"); /* decoded before it is matched */
    expect_body("//docs//x", "docs");
    expect_body("/images/../docs/x", "docs");
}
END_TEST

START_TEST(order_in_the_file_does_not_matter_for_prefixes)
{
    site_serve("location /a { return 200 a; } location /abcd { return 200 abcd; } location /ab { return 200 ab; }\n"
               "location /abc { return 200 abc; } location /b { return 200 b; } location = /ab { return 200 =ab; }");
    expect_body("/a", "a");
    expect_body("/ab", "=ab");
    expect_body("/abx", "ab");
    expect_body("/abc", "abc");
    expect_body("/abcde", "abcd");
    expect_body("/acd", "a");
    expect_body("/b", "b");
    ck_assert_int_eq(site_status_of("/c"), 404);
}
END_TEST

START_TEST(nested_locations)
{
    site_serve(
        "location / { return 200 root;\n"
        "  location /a/ { return 200 a; location ~ \\.txt$ { return 200 a-txt; } location /a/b/ { return 200 ab; } }\n"
        "}\nlocation ~ \\.txt$ { return 200 txt; } location ^~ /quiet/ { return 200 quiet; location ~ \\.txt$ { return "
        "200 quiet-txt; } }");
    expect_body("/x", "root");
    expect_body("/a/x", "a");
    expect_body("/a/b/x", "ab");
    expect_body("/a/x.txt", "a-txt"); /* regexes of the inner location come first */
    expect_body("/x.txt", "txt");
    expect_body("/quiet/x.txt", "quiet-txt");
    expect_body("/quiet/x", "quiet");
}
END_TEST

START_TEST(captures)
{
    site_serve("location ~ ^/u/([a-z]+)/(?<rest>.*)$ { return 200 \"$1|$2|$rest\"; }");
    expect_body("/u/ann/x/y", "ann|x/y|x/y");
    expect_body("/u/bob/", "bob||");
}
END_TEST

/* ---- servers ---- */

static const struct named {
    const char *host, *server;
} named[] = {
    {"example.com", "exact"},
    {"EXAMPLE.com", "exact"},
    {"example.com:81", "exact"},
    {"example.com.", "exact"},
    {"www.example.com", "star-front"},
    {"a.b.example.com", "star-front"},
    {"long.example.com", "longer-front"},
    {"x.long.example.com", "longer-front"},
    {"mail.example.org", "star-end"},
    {"mail.x", "star-end"},
    {"mail.x.y", "star-end"},
    {"dotted.net", "dot"},
    {"sub.dotted.net", "dot"},
    {"user42.io", "regex"},
    {"user.io", "default"},
    {"unknown", "default"},
    {"192.0.2.1", "default"},
    {"[::1]", "default"},
    {"www.example.com.evil", "default"},
};

START_TEST(server_names)
{
    site_conf_http("server { listen 127.0.0.1:@PORT@; server_name first; return 200 first; }\n"
                   "server { listen 127.0.0.1:@PORT@ default_server; server_name _; return 200 default; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name example.com; return 200 exact; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name *.example.com; return 200 star-front; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name *.long.example.com long.example.com; return 200 "
                   "longer-front; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name mail.*; return 200 star-end; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name .dotted.net; return 200 dot; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name ~^user\\d+\\.io$; return 200 regex; }\n");
    site_start();
    struct site_client c;
    client_open(&c, site_port(0));
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        struct site_response r;
        client_say(&c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", named[i].host);
        ck_assert(client_receive(&c, &r));
        ck_assert_msg(!strcmp(r.body, named[i].server), "%s: %s, expected %s", named[i].host, r.body, named[i].server);
        site_response_free(&r);
    }
    client_close(&c);
}
END_TEST

START_TEST(servers_by_address)
{
    site_conf_http("server { listen 127.0.0.1:@PORT@; server_name a; return 200 one; }\n"
                   "server { listen 127.0.0.1:@PORT1@; server_name a; return 200 two; }\n"
                   "server { listen 127.0.0.1:@PORT1@; server_name b; return 200 two-b; }\n"
                   "server { listen @PORT2@; server_name a; return 200 any; }\n"
                   "server { listen 127.0.0.1:@PORT2@; server_name c; return 200 loop; }\n");
    site_start();
    static const struct {
        unsigned port;
        const char *host, *body;
    } rows[] = {{0, "a", "one"}, {0, "b", "one"},  {1, "a", "two"}, {1, "b", "two-b"},
                {1, "x", "two"}, {2, "a", "loop"}, {2, "c", "loop"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_client c;
        struct site_response r;
        client_open(&c, site_port(rows[i].port));
        client_say(&c, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", rows[i].host);
        ck_assert(client_receive(&c, &r));
        ck_assert_msg(!strcmp(r.body, rows[i].body), "row %zu: %s", i, r.body);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

START_TEST(empty_name_is_a_request_without_host)
{
    site_conf_http("server { listen 127.0.0.1:@PORT@; server_name a; return 200 default; }\n"
                   "server { listen 127.0.0.1:@PORT@; server_name \"\"; return 200 nameless; }\n");
    site_start();
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET / HTTP/1.0\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_str_eq(r.body, "nameless");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* ---- files ---- */

START_TEST(root_and_alias)
{
    site_write("html/a.txt", "html-a");
    site_write("other/sub/a.txt", "other-sub-a");
    site_write("other/a.txt", "other-a");
    site_write("one.txt", "one");
    site_serve("location /sub/ { root @DIR@/other; } location /al/ { alias @DIR@/other/; } location /al2 { alias "
               "@DIR@/other; }\n"
               "location = /single { alias @DIR@/one.txt; }\n"
               "location ~ ^/re/(.+)\\.text$ { alias @DIR@/other/$1.txt; } location /rel/ { alias other/; }");
    expect_body("/a.txt", "html-a");
    expect_body("/sub/a.txt", "other-sub-a");
    expect_body("/al/a.txt", "other-a");
    expect_body("/al/sub/a.txt", "other-sub-a");
    expect_body("/al2/a.txt", "other-a");
    expect_body("/single", "one");
    expect_body("/re/a.text", "other-a");
    expect_body("/rel/a.txt", "other-a");
    ck_assert_int_eq(site_status_of("/al/../one.txt"), 404);
    ck_assert_int_eq(site_status_of("/al"), 404);
}
END_TEST

START_TEST(indexes)
{
    site_write("html/a/two.html", "two");
    site_write("html/b/one.html", "one");
    site_write("html/b/two.html", "two");
    site_write("html/c/x", "");
    site_write("html/fallback.html", "fallback");
    site_serve("index one.html two.html; location /c/ { index none.html /fallback.html; } location /no-dir/ { "
               "index none.html /fallback.html; } location /d/ { alias "
               "@DIR@/html/a/; index two.html; }");
    expect_body("/a/", "two");
    expect_body("/b/", "one");
    expect_body("/c/", "fallback");
    expect_body("/d/", "two");
    ck_assert_int_eq(site_status_of("/"), 403);
    ck_assert_int_eq(site_status_of("/none/"), 404);
    ck_assert_int_eq(site_status_of("/no-dir/"), 404);
}
END_TEST

/* An index is a new look at the locations. */
START_TEST(index_redirects_internally)
{
    site_write("html/a/index.html", "file");
    site_serve("location = /a/index.html { return 200 \"location $uri\"; }");
    expect_body("/a/", "location /a/index.html");
}
END_TEST

START_TEST(try_files)
{
    site_write("html/a.txt", "a");
    site_write("html/b.html", "b");
    site_write("html/dir/index.html", "dir");
    site_write("html/app.html", "app");
    site_serve("location / { try_files $uri $uri.html $uri/ /app.html; }\n"
               "location /code/ { try_files $uri =410; } location /named/ { try_files $uri @named; }\n"
               "location @named { return 200 \"named $uri\"; }\n"
               "location /al/ { alias @DIR@/html/; try_files $uri =404; }");
    expect_body("/a.txt", "a");
    expect_body("/b", "b");
    expect_body("/dir/", "dir");
    expect_body("/nothing?x", "app");
    ck_assert_int_eq(site_status_of("/code/x"), 410);
    expect_body("/named/x", "named /named/x");
    expect_body("/al/a.txt", "a");
    ck_assert_int_eq(site_status_of("/al/none"), 404);
}
END_TEST

START_TEST(error_pages)
{
    site_write("html/404.html", "<p>not here</p>");
    site_write("html/x", "x");
    site_serve("error_page 404 /404.html; location = /404.html { internal; }\n"
               "location /ok/ { error_page 404 =200 /404.html; } location /any/ { error_page 404 = /gone; }\n"
               "location = /gone { return 410; } location /named/ { error_page 404 @named; } location @named { "
               "return 200 \"named\"; }\n"
               "location /away/ { error_page 404 http://a.b/c; } location /moved/ { error_page 404 =301 /x; }\n"
               "location /none/ { error_page 404 /no/such/page; }");
    struct site_response r;
    site_get(&r, "/nothing");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "<p>not here</p>");
    assert_header(&r, "Last-Modified", NULL);
    site_response_free(&r);
    site_get(&r, "/404.html");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "<p>not here</p>");
    site_response_free(&r);
    expect_body("/ok/x", "<p>not here</p>");
    ck_assert_int_eq(site_status_of("/any/x"), 410);
    site_get(&r, "/named/x");
    ck_assert_int_eq(r.status, 404);
    ck_assert_str_eq(r.body, "named");
    site_response_free(&r);
    site_get(&r, "/away/x");
    ck_assert_int_eq(r.status, 302);
    assert_header(&r, "Location", "http://a.b/c");
    site_response_free(&r);
    site_get(&r, "/none/x");
    ck_assert_int_eq(r.status, 404);
    ck_assert_ptr_nonnull(strstr(r.body, "<title>404 Not Found</title>"));
    site_response_free(&r);
    /* Conditions and ranges are about the page that was asked for. */
    site_request(&r, "GET", "/nothing", "Range: bytes=0-3\r\n");
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
    site_request(&r, "POST", "/nothing", "Content-Length: 0\r\n");
    ck_assert(r.status == 405 || r.status == 404);
    site_response_free(&r);
}
END_TEST

START_TEST(internal_locations)
{
    site_write("html/in/x", "inside");
    site_serve("location /in/ { internal; } location /via { try_files /none /in/x; }");
    ck_assert_int_eq(site_status_of("/in/x"), 404);
    expect_body("/via", "inside");
}
END_TEST

START_TEST(inheritance)
{
    site_write("html/a.txt", "a");
    site_write("other/in/a.txt", "inner");
    site_conf_http("default_type x/http; types { } server_tokens off;\n"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html; default_type x/server;\n"
                   "location /in/ { root @DIR@/other; default_type x/location; location /in/er/ { } } }");
    site_start();
    struct site_response r;
    site_get(&r, "/a.txt");
    assert_header(&r, "Content-Type", "x/server");
    assert_header(&r, "Server", on_nginx() ? "nginx" : "sluice");
    site_response_free(&r);
    site_get(&r, "/in/a.txt");
    ck_assert_str_eq(r.body, "inner");
    assert_header(&r, "Content-Type", "x/location");
    site_response_free(&r);
}
END_TEST

START_TEST(media_types)
{
    static const char *const rows[][2] = {
        {"a.html", "text/html"},    {"a.HTML", "text/html"}, {"a.tar.gz", "application/gz"}, {"a", "x/default"},
        {"a.unknown", "x/default"}, {".html", "x/default"},  {"dir.html/a", "x/default"},    {"a.", "x/default"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        site_write(site_path("html/%s", rows[i][0]), "x");
    site_serve("types { text/html html htm; application/gz gz; } default_type x/default;");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct site_response r;
        site_get(&r, site_path("/%s", rows[i][0]));
        /* A name that is all extension: nginx takes it for one. */
        if (strcmp(rows[i][0], ".html"))
            assert_header(&r, "Content-Type", rows[i][1]);
        site_response_free(&r);
    }
}
END_TEST

/* ---- autoindex ---- */

START_TEST(autoindex)
{
    site_write("html/list/b.txt", "12345");
    site_write("html/list/a file & <b>\"'.txt", "x");
    site_write("html/list/.hidden", "x");
    site_write("html/list/sub/x", "x");
    site_write("html/list/caf\xc3\xa9", "x");
    site_set_mtime("html/list/b.txt", 1600000000);
    site_serve("location /list/ { autoindex on; }");
    struct site_response r;
    site_get(&r, "/list/");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Type", "text/html");
    ck_assert_ptr_nonnull(strstr(r.body, "<title>Index of /list/</title>"));
    ck_assert_ptr_nonnull(strstr(r.body, "<a href=\"../\">../</a>"));
    ck_assert_ptr_nonnull(strstr(r.body, "<a href=\"sub/\">sub/</a>"));
    ck_assert_ptr_nonnull(strstr(r.body, "<a href=\"b.txt\">b.txt</a>"));
    ck_assert_ptr_nonnull(strstr(r.body, "13-Sep-2020 12:26                   5"));
    ck_assert_ptr_null(strstr(r.body, ".hidden"));
    ck_assert_ptr_null(strstr(r.body, "<b>"));
    ck_assert_ptr_nonnull(strstr(r.body, "a file &amp; &lt;b&gt;"));
    ck_assert_ptr_nonnull(strstr(r.body, "caf%C3%A9"));
    /* Folders first, then by name. */
    ck_assert(strstr(r.body, "sub/") < strstr(r.body, "b.txt") && strstr(r.body, "a file") < strstr(r.body, "b.txt"));
    /* Its links lead somewhere. */
    char *href = strstr(r.body, "<a href=\"a"), target[200] = "/list/";
    ck_assert_ptr_nonnull(href);
    strncat(target, href + 9, strcspn(href + 9, "\""));
    site_response_free(&r);
    expect_body(target, "x");
    ck_assert_int_eq(site_status_of("/list/sub/"), 200);
    ck_assert_int_eq(site_status_of("/"), 403);
    site_request(&r, "HEAD", "/list/", "");
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
}
END_TEST

START_TEST(autoindex_of_many)
{
    char name[64];
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "html/list/file-%04d", i);
        site_write(name, "");
    }
    site_serve("autoindex on; autoindex_exact_size off;");
    struct site_response r;
    site_get(&r, "/list/");
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(count_text(r.body, "<a href=\"file-"), 3000);
    site_response_free(&r);
}
END_TEST

START_TEST(autoindex_json)
{
    site_write("html/list/b \"q\".txt", "12345");
    site_mkdir("html/list/sub");
    site_set_mtime("html/list/b \"q\".txt", 1600000000);
    site_set_mtime("html/list/sub", 1600000000);
    site_serve("location /list/ { autoindex on; autoindex_format json; }");
    struct site_response r;
    site_get(&r, "/list/");
    assert_header(&r, "Content-Type", "application/json");
    ck_assert_str_eq(
        r.body, "[\r\n{ \"name\":\"sub\", \"type\":\"directory\", \"mtime\":\"Sun, 13 Sep 2020 12:26:40 GMT\" },\r\n"
                "{ \"name\":\"b \\\"q\\\".txt\", \"type\":\"file\", \"mtime\":\"Sun, 13 Sep 2020 12:26:40 GMT\", "
                "\"size\":5 }\r\n]");
    site_response_free(&r);
}
END_TEST

START_TEST(random_index)
{
    bool seen[3] = {false, false, false};
    site_write("html/r/a.txt", "0");
    site_write("html/r/b.txt", "1");
    site_write("html/r/c.txt", "2");
    site_write("html/r/.hidden", "x");
    site_write("html/r/sub/index.html", "index");
    site_mkdir("html/r/empty");
    site_serve("location /r/ { random_index on; }");
    for (int i = 0; i < 1000 && !(seen[0] && seen[1] && seen[2]); i++) {
        struct site_response r;
        site_get(&r, "/r/?x=1");
        ck_assert_int_eq(r.status, 200);
        ck_assert_msg(r.len == 1 && r.body[0] >= '0' && r.body[0] <= '2', "%s", r.body);
        seen[r.body[0] - '0'] = true;
        site_response_free(&r);
    }
    ck_assert(seen[0] && seen[1] && seen[2]);
    expect_body("/r/sub/", "index"); /* a file like others here */
    ck_assert_int_eq(site_status_of("/r/none/"), 404);
    ck_assert_int_eq(site_status_of("/r/empty/"), 403);
}
END_TEST

START_TEST(empty_gif)
{
    struct site_response r;
    site_serve("location /g { empty_gif; location /g/in/ { } }");
    site_get(&r, "/g");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Type", "image/gif");
    assert_header(&r, "Last-Modified", "Mon, 28 Sep 1970 06:00:00 GMT");
    ck_assert_uint_eq(r.len, 43);
    ck_assert_int_eq(memcmp(r.body, "GIF89a\1\0\1\0", 10), 0);
    ck_assert_int_eq(r.body[42], ';');
    site_response_free(&r);
    site_request(&r, "GET", "/g", "If-Modified-Since: Mon, 28 Sep 1970 06:00:00 GMT\r\n");
    ck_assert_int_eq(r.status, 304);
    site_response_free(&r);
    site_request(&r, "POST", "/g", "Content-Length: 0\r\n");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
    ck_assert_int_eq(site_status_of("/g/in/er"), 404); /* not inherited */
}
END_TEST

Suite *suite_routing(void)
{
    Suite *s = suite_create("routing");
    TCase *tc = site_case(s, "routing", 20);
    tcase_add_test(tc, kinds_of_locations);
    tcase_add_test(tc, order_in_the_file_does_not_matter_for_prefixes);
    tcase_add_test(tc, nested_locations);
    tcase_add_test(tc, captures);
    tcase_add_test(tc, server_names);
    tcase_add_plain_test(tc, servers_by_address, "it writes its own listen");
    tcase_add_test(tc, empty_name_is_a_request_without_host);
    tcase_add_test(tc, root_and_alias);
    tcase_add_test(tc, indexes);
    tcase_add_test(tc, index_redirects_internally);
    tcase_add_test(tc, try_files);
    tcase_add_test(tc, error_pages);
    tcase_add_test(tc, internal_locations);
    tcase_add_test(tc, inheritance);
    tcase_add_test(tc, media_types);
    tcase_add_test(tc, autoindex);
    tcase_add_test(tc, autoindex_of_many);
    tcase_add_test(tc, autoindex_json);
    tcase_add_test(tc, random_index);
    tcase_add_test(tc, empty_gif);
    return s;
}
