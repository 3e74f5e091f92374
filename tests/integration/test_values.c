/* test_values.c - values of response fields: line ends and control bytes, from the configuration
 * and from requests. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

static void expect_value(const char *target, const char *name, const char *value)
{
    struct site_response r;

    site_get(&r, target);
    ck_assert_msg(site_header_count(&r, name) == 1 && !strcmp(site_header(&r, name), value), "%s: %s: %s\nnot %s",
                  target, name, site_header(&r, name), value);
    site_response_free(&r);
}

/* The value may span lines, be indented, and hold tabs: it is one line with the same words. */
#define POLICY_LINES "default-src 'self';\n        img-src *; \t\r\n\tscript-src\t'none'"
#define POLICY       "default-src 'self'; img-src *; script-src\t'none'"

START_TEST(constant_text_is_one_line)
{
    if (on_nginx())
        return;
    site_write("html/a.txt", "a");
    site_write("html/f.odd", "a");
    site_write("users", "");
    site_conf_http(
        "map $uri $mapped { default \"" POLICY_LINES "\"; }\n"
        "server { listen 127.0.0.1:@PORT@; root @DIR@/html; types { \"text/odd;\n v=1\" odd; text/plain txt; }\n"
        "set $given \"" POLICY_LINES "\";\n"
        "location /add { add_header X-P \"" POLICY_LINES "\" always; return 200 x; }\n"
        "location /map { add_header X-P $mapped; return 200 x; }\n"
        "location /set { add_header X-P \"\n a $given b\n\"; return 200 x; }\n"
        "location /type { default_type \"text/x;\n\tp=1\"; return 200 \"two\nlines\"; }\n"
        "location /charset { charset \"utf\n-8\"; return 200 x; }\n"
        "location /tokens { server_tokens \"my\n server\"; return 200 x; }\n"
        "location /realm { auth_basic \"a\n realm\tof $uri\"; auth_basic_user_file @DIR@/users; }\n"
        "location /return { return 302 \"/x?a=%20b\n &c=%0A\td$uri\"; }\n"
        "location /rewrite { rewrite ^ \"/x\n ?b=$uri\" redirect; }\n"
        "location /page { error_page 404 \"http://else.example/\n?%20$uri\"; return 404; }\n"
        "location /cookie { userid on; userid_name n; userid_path \"/a\n b\"; userid_p3p \"CP=\n x\"; }\n"
        "location / { absolute_redirect off; } }");
    site_start();
    expect_value("/add", "X-P", POLICY);
    expect_value("/map", "X-P", POLICY);
    expect_value("/set", "X-P", "a " POLICY " b");
    expect_value("/type", "Content-Type", "text/x; p=1");
    expect_value("/f.odd", "Content-Type", "text/odd; v=1");
    expect_value("/charset", "Content-Type", "text/plain; charset=utf -8");
    expect_value("/tokens", "Server", "my server");
    expect_value("/realm", "WWW-Authenticate", "Basic realm=\"a realm\tof /realm\"");
    expect_value("/return", "Location", site_text("@SCHEME@://localhost@:PORT@/x?a=%20b &c=%0A\td/return"));
    expect_value("/rewrite", "Location", site_text("@SCHEME@://localhost@:PORT@/x ?b=/rewrite"));
    expect_value("/page", "Location", "http://else.example/ ?%20/page");
    expect_value("/cookie", "P3P", "CP= x");
    struct site_response r;
    site_get(&r, "/cookie");
    const char *cookie = site_header(&r, "Set-Cookie");
    ck_assert_msg(cookie && strstr(cookie, "; path=/a b"), "%s", cookie);
    site_response_free(&r);
    site_get(&r, "/type"); /* a body is no field */
    ck_assert_str_eq(r.body, "two\nlines");
    site_response_free(&r);
}
END_TEST

/* %00 is refused with the target. A tab, too, is one that the request brought. */
#define BYTES   "%01%09%0d%0a%1f%7f"
#define ENCODED "%01%09%0D%0A%1F%7F"

START_TEST(text_of_requests_is_encoded)
{
    if (on_nginx())
        return;
    site_write("users", "");
    site_mkdir("html/d");
    site_serve("set $copy $uri; absolute_redirect off;\n"
               "location /add { add_header X-P \"a\t$uri; \xc3\xa9 ?%20\"; add_header X-C $copy; return 200 x; }\n"
               "location /trail { add_trailer X-T \"a $uri\"; return 200 x; }\n"
               "location /tokens { server_tokens $uri; return 200 x; }\n"
               "location /charset { charset $uri; return 200 x; }\n"
               "location /realm { auth_basic $uri; auth_basic_user_file @DIR@/users; }\n"
               "location /return { return 302 \"/x?a=%20 $uri\"; }\n"
               "location /rewrite { rewrite ^ \"/x?%20=$uri?\" redirect; }\n"
               "location /page { error_page 404 http://else.example$uri; return 404; }\n"
               "location ~ (?s)^/d-(.*)$ { set $args \"$1\"; rewrite ^ /d break; }\n");
    expect_value("/add/" BYTES "%C3%A9%20%22", "X-P", "a\t/add/" ENCODED "\xc3\xa9 \"; \xc3\xa9 ?%20");
    expect_value("/add/" BYTES, "X-C", "/add/" ENCODED);
    expect_value("/tokens" BYTES, "Server", "/tokens" ENCODED);
    expect_value("/charset" BYTES, "Content-Type", "text/plain; charset=/charset" ENCODED);
    expect_value("/realm" BYTES, "WWW-Authenticate", "Basic realm=\"/realm" ENCODED "\"");
    expect_value("/return" BYTES, "Location", "/x?a=%20 /return" ENCODED);
    expect_value("/rewrite" BYTES, "Location", "/x?%20=/rewrite" ENCODED);
    expect_value("/page" BYTES, "Location", "http://else.example/page" ENCODED);
    expect_value("/d-" BYTES, "Location", "/d/?" ENCODED);
    struct site_client c;
    char bytes[512];
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "/trail" BYTES);
    size_t len = 0;
    while (client_fill(&c))
        ;
    len = c.len < sizeof bytes - 1 ? c.len : sizeof bytes - 1;
    memcpy(bytes, c.in, len);
    bytes[len] = '\0';
    ck_assert_msg(strstr(bytes, "\r\nX-T: a /trail" ENCODED "\r\n\r\n"), "%s", bytes);
    client_close(&c);
}
END_TEST

Suite *suite_values(void)
{
    Suite *s = suite_create("values");
    TCase *tc = site_case(s, "values", 20);
    tcase_add_test(tc, constant_text_is_one_line);
    tcase_add_test(tc, text_of_requests_is_encoded);
    return s;
}
