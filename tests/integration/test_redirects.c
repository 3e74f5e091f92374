/* test_redirects.c - where redirects lead, and what error_page makes of them. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

/* `location` NULL: any; "/...": of this server; `body` NULL: the short page. */
static void expect(const char *target, int status, const char *location, const char *body)
{
    struct site_response r;
    char url[256];

    site_get(&r, target);
    if (location[0] == '/')
        snprintf(url, sizeof url, "%s%s", site_text("@SCHEME@://localhost@:PORT@"), location);
    else
        snprintf(url, sizeof url, "%s", location);
    const char *got = site_header(&r, "Location");
    ck_assert_msg(r.status == status && site_header_count(&r, "Location") == 1 && !strcmp(got, url),
                  "%s: %d %s, not %d %s", target, r.status, got, status, url);
    ck_assert_msg(body ? !strcmp(r.body, body) : strstr(r.body, "<title>") != NULL, "%s: %s", target, r.body);
    site_response_free(&r);
}

START_TEST(error_pages_stand_for_redirects)
{
    site_write("html/page.html", "page");
    site_mkdir("html/dir");
    site_conf_server("error_page 301 302 = /page.html;\n"
                     "location /return { return 302 /x; } location /url { return 302 http://o/x; }\n"
                     "location /bare { return 302; }\n"
                     "location /rewrite { rewrite ^ /y redirect; } location /permanent { rewrite ^ /y permanent; }\n"
                     "location /kept { error_page 302 /page.html; return 302 /x; }\n"
                     "location /303 { error_page 303 =404 /page.html; return 303 /x; }\n"
                     "location /named { error_page 301 @n; return 301 /x; }\n"
                     "location /rnamed { error_page 301 @n; rewrite ^ /x permanent; }\n"
                     "location @n { return 200 named; }\n"
                     "location /again { error_page 301 @again; return 301 /x; } location @again { return 302 /z; }\n"
                     "location /to-url { error_page 302 https://u/z; return 302 /x; }\n"
                     "location /to-301 { error_page 302 =301 https://u/z; return 302 /x; }\n"
                     "location /none { error_page 302 /nothing; return 302 /x; }\n"
                     "location /loop { recursive_error_pages on; error_page 302 /loop; return 302 /x; }\n");
    site_allow_alerts();
    site_start();
    expect("/return", 200, "/x", "page");
    expect("/url", 200, "http://o/x", "page");
    expect("/bare", 200, "", "page");
    expect("/rewrite", 200, "/y", "page");
    expect("/permanent", 200, "/y", "page");
    expect("/dir", 200, "/dir/", "page");
    expect("/kept", 302, "/x", "page");
    expect("/303", 404, "/x", "page");
    expect("/named", 301, "/x", "named");
    expect("/rnamed", 301, "/x", "named");
    expect("/again", 302, "/z", NULL);
    expect("/to-url", 302, "https://u/z", NULL);
    expect("/to-301", 301, "https://u/z", NULL);
    expect("/none", 404, "/x", NULL);
    expect("/loop", 500, "/x", NULL);
}
END_TEST

static void expect_location(unsigned port, const char *target, const char *fields, const char *location)
{
    struct site_client c;
    struct site_response r;

    client_open(&c, site_port(port));
    client_say(&c, "GET %s HTTP/1.0\r\n%s\r\n", target, fields);
    ck_assert(client_receive(&c, &r));
    const char *got = site_header(&r, "Location");
    ck_assert_msg(r.status == 301 && got && !strcmp(got, location), "%s: %d %s, not %s", target, r.status, got,
                  location);
    site_response_free(&r);
    client_close(&c);
}

/* "//example.org/" would be another host. */
START_TEST(own_redirects_stay_here)
{
    char url[128];

    if (on_nginx())
        return;
    site_mkdir("html/example.org/sub");
    site_conf_http("merge_slashes off;\n"
                   "server { listen @PORT@; root @DIR@/html; absolute_redirect off;\n"
                   "location /go/ { rewrite ^/go/(.*)$ //$1 last; } location /cdn { return 301 //cdn.example/x; } }\n"
                   "server { listen @PORT1@; root @DIR@/html; }\n"
                   "server { listen unix:@DIR@/sock; root @DIR@/html; }\n"
                   "server { listen @PORT2@; root @DIR@/html; server_name_in_redirect on; server_name \"a\n b\"; }\n");
    site_start();
    expect_location(0, "//example.org", "", "/example.org/");
    expect_location(0, "///example.org?a//b", "", "/example.org/?a//b");
    expect_location(0, "//example.org//sub", "", "/example.org//sub/");
    expect_location(0, "/%2fexample.org", "", "/example.org/");
    expect_location(0, "/example.org", "", "/example.org/");
    expect_location(0, "/go/example.org", "", "/example.org/");
    expect_location(0, "/go//example.org", "", "/example.org/");
    expect_location(0, "/cdn", "", "//cdn.example/x"); /* the configuration may */
    snprintf(url, sizeof url, "http://a:%d//example.org/", site_port(1));
    expect_location(1, "//example.org", "Host: a\r\n", url);
    snprintf(url, sizeof url, "http://a b:%d/example.org/", site_port(2)); /* one line, however the name is written */
    expect_location(2, "/example.org", "", url);

    struct site_client c;
    struct site_response r;
    client_open_unix(&c, site_path("sock"));
    client_say(&c, "GET //example.org HTTP/1.0\r\n\r\n"); /* no name to put before the path */
    ck_assert(client_receive(&c, &r));
    assert_header(&r, "Location", "/example.org/");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

Suite *suite_redirects(void)
{
    Suite *s = suite_create("redirects");
    TCase *tc = site_case(s, "redirects", 20);
    tcase_add_test(tc, error_pages_stand_for_redirects);
    if (needs_plain("own_redirects_stay_here", "it writes its own listen"))
        tcase_add_tcp_test(tc, own_redirects_stay_here, "ports of redirects");
    return s;
}
