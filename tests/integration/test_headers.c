/* test_headers.c - the response head: order and spelling as nginx writes them, and the directives
 * that add to it. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MTIME = 1600000000 };

/* time() reads a coarser clock, which may still be in the last second. */
static time_t precise_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec;
}

static void pages(void)
{
    site_write("html/a.txt", "hello\n");
    site_set_mtime("html/a.txt", MTIME);
    site_mkdir("html/dir");
}

/* The names of the fields in their order, with ':' between. */
static void names_of(const struct site_response *r, char *out, size_t size)
{
    out[0] = '\0';
    for (const char *line = strstr(r->head, "\r\n") + 2; strncmp(line, "\r\n", 2); line = strstr(line, "\r\n") + 2)
        snprintf(out + strlen(out), size - strlen(out), "%.*s:", (int)strcspn(line, ":"), line);
}

static void expect_names(const char *method, const char *target, const char *fields, const char *expected)
{
    struct site_response r;
    char names[512];
    site_request(&r, method, target, fields);
    names_of(&r, names, sizeof names);
    ck_assert_msg(!strcmp(names, expected), "%s %s: %s\nexpected %s", method, target, names, expected);
    site_response_free(&r);
}

START_TEST(order)
{
    site_serve(
        "location = /moved { return 301 /x; } location = /away { return 301 http://a/x; } location = /text { return "
        "200 x; } location = /late { add_header X-A 1; expires 1h; alias @DIR@/html/a.txt; }");
    const char *file = "Server:Date:Content-Type:Content-Length:Last-Modified:Connection:ETag:Accept-Ranges:";
    expect_names("GET", "/a.txt", "", file);
    expect_names("HEAD", "/a.txt", "", file);
    expect_names("GET", "/a.txt", "Range: bytes=0-1\r\n",
                 "Server:Date:Content-Type:Content-Length:Last-Modified:Connection:ETag:Content-Range:");
    expect_names("GET", "/a.txt", "If-None-Match: *\r\n", "Server:Date:Last-Modified:Connection:ETag:");
    expect_names("GET", "/none", "", "Server:Date:Content-Type:Content-Length:Connection:");
    expect_names("GET", "/dir", "", "Server:Date:Content-Type:Content-Length:Location:Connection:");
    expect_names("GET", "/moved", "", "Server:Date:Content-Type:Content-Length:Location:Connection:");
    expect_names("GET", "/away", "", "Server:Date:Content-Type:Content-Length:Connection:Location:");
    expect_names("GET", "/text", "", "Server:Date:Content-Type:Content-Length:Connection:");
    expect_names("GET", "/late", "",
                 "Server:Date:Content-Type:Content-Length:Last-Modified:Connection:ETag:Expires:Cache-Control:X-A:"
                 "Accept-Ranges:");
    expect_names("GET", "/a.txt", "Range: bytes=9-\r\n",
                 "Server:Date:Content-Type:Content-Length:Connection:Content-Range:");
}
END_TEST

START_TEST(values)
{
    site_serve("");
    struct site_response r;
    char expected[512], date[30];
    time_t before = precise_time();
    site_get(&r, "/a.txt");
    const char *server = site_header(&r, "Server");
    ck_assert_msg(server && !strncmp(server, on_nginx() ? "nginx/" : "sluice/", 6), "%s", server);
    snprintf(date, sizeof date, "%s", site_header(&r, "Date"));
    struct tm tm;
    const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    ck_assert_msg(end && !*end, "Date: %s", date);
    time_t stamp = timegm(&tm), now = precise_time();
    ck_assert_msg(stamp >= before - 1 && stamp <= now, "Date: %s", date);
    snprintf(expected, sizeof expected,
             "HTTP/1.1 200 OK\r\nServer: %s\r\nDate: %s\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n"
             "Last-Modified: Sun, 13 Sep 2020 12:26:40 GMT\r\nConnection: close\r\nETag: "
             "\"5f5e1000-6\"\r\nAccept-Ranges: bytes\r\n\r\n",
             server, date);
    ck_assert_str_eq(r.head, expected);
    site_response_free(&r);
}
END_TEST

START_TEST(date_moves_on)
{
    site_serve("");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 3; i++) {
        struct tm tm;
        time_t before = precise_time();
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&c, &r));
        ck_assert_ptr_nonnull(strptime(site_header(&r, "Date"), "%a, %d %b %Y %H:%M:%S GMT", &tm));
        time_t stamp = timegm(&tm);
        ck_assert_msg(stamp >= before - 1 && stamp <= precise_time(), "Date is %jd s behind the request",
                      (intmax_t)(before - stamp));
        site_response_free(&r);
        sleep_msec(700);
    }
    client_close(&c);
}
END_TEST

START_TEST(etag_and_tokens_off)
{
    site_serve("etag off; server_tokens off;");
    struct site_response r;
    site_get(&r, "/a.txt");
    assert_header(&r, "ETag", NULL);
    assert_header(&r, "Server", on_nginx() ? "nginx" : "sluice");
    site_response_free(&r);
    site_get(&r, "/none");
    ck_assert_ptr_nonnull(strstr(r.body, on_nginx() ? "<center>nginx</center>" : "<center>sluice</center>"));
    site_response_free(&r);
}
END_TEST

START_TEST(add_header)
{
    site_serve(
        "add_header X-One 1; add_header X-Two \"a $uri b\"; add_header X-Always yes always; add_header X-Empty \"\";\n"
        "location /in/ { alias @DIR@/html/; } location /own/ { alias @DIR@/html/; add_header X-Own 1; }\n"
        "location = /r { return 204; } location = /e { return 404; }");
    struct site_response r;
    site_get(&r, "/a.txt");
    assert_header(&r, "X-One", "1");
    assert_header(&r, "X-Two", "a /a.txt b");
    assert_header(&r, "X-Always", "yes");
    assert_header(&r, "X-Empty", NULL);
    site_response_free(&r);
    site_get(&r, "/in/a.txt");
    assert_header(&r, "X-One", "1");
    site_response_free(&r);
    site_get(&r, "/own/a.txt"); /* one of its own: none of those outside */
    assert_header(&r, "X-Own", "1");
    assert_header(&r, "X-One", NULL);
    assert_header(&r, "X-Always", NULL);
    site_response_free(&r);
    site_get(&r, "/none");
    assert_header(&r, "X-One", NULL);
    assert_header(&r, "X-Always", "yes");
    site_response_free(&r);
    site_request(&r, "GET", "/a.txt", "If-None-Match: *\r\n");
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "X-One", "1");
    site_response_free(&r);
    site_request(&r, "GET", "/a.txt", "Range: bytes=0-1\r\n");
    assert_header(&r, "X-One", "1");
    site_response_free(&r);
    site_get(&r, "/r");
    assert_header(&r, "X-One", "1");
    site_response_free(&r);
    site_get(&r, "/dir");
    ck_assert_int_eq(r.status, 301);
    assert_header(&r, "X-One", "1");
    site_response_free(&r);
}
END_TEST

/* add_header of a name that the server has itself. */
START_TEST(add_header_of_known_names)
{
    site_serve("add_header Cache-Control public; add_header Cache-Control no-transform; add_header Last-Modified \"\"; "
               "add_header X-Same a; add_header X-Same b;");
    struct site_response r;
    site_get(&r, "/a.txt");
    ck_assert_uint_ge(site_header_count(&r, "Cache-Control"), 1);
    ck_assert_ptr_nonnull(strstr(r.head, "no-transform"));
    ck_assert_uint_eq(site_header_count(&r, "X-Same"), 2);
    assert_header(&r, "Last-Modified", NULL);
    site_response_free(&r);
}
END_TEST

/* One field of the name, with this value; NULL: none. */
static void expect_one(const char *target, const char *name, const char *value)
{
    struct site_response r;

    site_get(&r, target);
    ck_assert_msg(site_header_count(&r, name) == (value != NULL), "%s: %u times %s", target,
                  site_header_count(&r, name), name);
    assert_header(&r, name, value);
    site_response_free(&r);
}

/* Of what frames a response, or is there once, the server's own wins. */
START_TEST(add_header_of_single_fields)
{
    if (on_nginx())
        return;
    site_write("html/side.txt", "plain");
    site_write("html/side.txt.gz", "packed");
    site_write("html/f.bare", "0123456789");
    site_serve(
        "types { text/plain txt; }\n"
        "location /frame { add_header Content-Length 0 always; add_header transfer-encoding chunked;\n"
        " add_header Connection close; add_header Content-Range 'bytes 0-0/1'; add_header Date x; return 200 four; }\n"
        "location /frame404 { add_header Content-Length 0 always; add_header Content-Type a/b always; return 404; }\n"
        "location /cors { add_header Content-Type text/x; add_header Content-Type text/y; add_header Content-Length 0;"
        " return 204; }\n"
        "location /type { add_header Content-Type text/x; return 200 x; }\n"
        "location /untyped { default_type ''; add_header Content-Type text/x; add_header Content-Type text/y;"
        " return 200 x; }\n"
        "location /f.bare { default_type ''; add_header Content-Type text/x; }\n"
        "location /server { add_header Server mine; return 200 x; }\n"
        "location /nameless { server_tokens ''; add_header Server mine; add_header Server yours; return 200 x; }\n"
        "location /moved { add_header Location http://a/b; return 302 http://c/d; }\n"
        "location /created { add_header Location http://a/b; return 201 x; }\n"
        "location /side.txt { gzip_static always; add_header Content-Encoding gzip; }\n"
        "location /packed { add_header Content-Encoding gzip; return 200 x; }\n"
        "location /trailer { add_trailer Content-Length 9; add_trailer Content-Type a/b; return 200 four; }\n");
    expect_one("/frame", "Content-Length", "4");
    expect_one("/frame", "Transfer-Encoding", NULL);
    expect_one("/frame", "Content-Range", NULL);
    struct site_response r;
    site_get(&r, "/frame");
    ck_assert_uint_eq(site_header_count(&r, "Date"), 1);
    ck_assert_uint_eq(site_header_count(&r, "Connection"), 1);
    ck_assert_str_eq(r.body, "four");
    site_response_free(&r);
    site_get(&r, "/frame404");
    ck_assert_uint_eq(site_header_count(&r, "Content-Length"), 1);
    ck_assert_int_eq(atoi(site_header(&r, "Content-Length")), (int)r.len);
    ck_assert_uint_eq(site_header_count(&r, "Content-Type"), 1);
    site_response_free(&r);
    expect_one("/cors", "Content-Length", NULL);
    expect_one("/cors", "Content-Type", "text/x");
    expect_one("/type", "Content-Type", "text/plain");
    expect_one("/untyped", "Content-Type", "text/x");
    site_request(&r, "GET", "/f.bare", "Range: bytes=0-0,2-2\r\n");
    ck_assert_uint_eq(site_header_count(&r, "Content-Type"), 1);
    ck_assert_ptr_nonnull(strstr(site_header(&r, "Content-Type"), "multipart/byteranges"));
    ck_assert_uint_eq(count_text(r.body, "Content-Type: text/x\r\n"), 2);
    site_response_free(&r);
    site_get(&r, "/server");
    ck_assert_uint_eq(site_header_count(&r, "Server"), 1);
    ck_assert_str_ne(site_header(&r, "Server"), "mine");
    site_response_free(&r);
    expect_one("/nameless", "Server", "mine");
    expect_one("/moved", "Location", "http://c/d");
    expect_one("/created", "Location", "http://a/b");
    expect_one("/side.txt", "Content-Encoding", "gzip");
    expect_one("/packed", "Content-Encoding", "gzip");
    site_get(&r, "/trailer");
    ck_assert_str_eq(r.body, "four");
    assert_header(&r, "Content-Length", "4"); /* no trailer is left, so there are no chunks */
    site_response_free(&r);
    /* Each is warned of when the configuration is read, and it loads. */
    struct site_run run;
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    ck_assert_uint_ge(count_text(run.err, "\"Content-Length\" is ignored in \"add_header\""), 3);
    ck_assert_uint_eq(count_text(run.err, "\"Content-Length\" is ignored in \"add_trailer\""), 1);
    ck_assert_uint_ge(count_text(run.err, "\"Content-Type\" in \"add_header\" is added only where"), 3);
}
END_TEST

/* By the response's own Date: both are of one look at the clock. */
static void expect_expires(const char *target, long seconds, const char *cache_control)
{
    struct site_response r;
    char expected[30];
    struct tm tm;
    site_get(&r, target);
    ck_assert_ptr_nonnull(strptime(site_header(&r, "Date"), "%a, %d %b %Y %H:%M:%S GMT", &tm));
    http_date(expected, timegm(&tm) + seconds);
    assert_header(&r, "Cache-Control", cache_control);
    assert_header(&r, "Expires", expected);
    site_response_free(&r);
}

START_TEST(expires)
{
    site_serve(
        "location /h/ { alias @DIR@/html/; expires 1h; } location /m/ { alias @DIR@/html/; expires modified +24h; }\n"
        "location /neg/ { alias @DIR@/html/; expires -1; } location /epoch/ { alias @DIR@/html/; expires epoch; }\n"
        "location /max/ { alias @DIR@/html/; expires max; } location /off/ { alias @DIR@/html/; expires off; }\n"
        "location /zero/ { alias @DIR@/html/; expires 0; } location = /err { expires 1h; return 404; }");
    struct site_response r;
    expect_expires("/h/a.txt", 3600, "max-age=3600");
    expect_expires("/neg/a.txt", -1, "no-cache");
    expect_expires("/zero/a.txt", 0, "max-age=0");
    site_get(&r, "/epoch/a.txt");
    assert_header(&r, "Expires", "Thu, 01 Jan 1970 00:00:01 GMT");
    assert_header(&r, "Cache-Control", "no-cache");
    site_response_free(&r);
    site_get(&r, "/max/a.txt");
    assert_header(&r, "Expires", "Thu, 31 Dec 2037 23:55:55 GMT");
    assert_header(&r, "Cache-Control", "max-age=315360000");
    site_response_free(&r);
    site_get(&r, "/off/a.txt");
    assert_header(&r, "Expires", NULL);
    assert_header(&r, "Cache-Control", NULL);
    site_response_free(&r);
    site_get(&r, "/m/a.txt");
    assert_header(&r, "Expires", "Mon, 14 Sep 2020 12:26:40 GMT");
    site_response_free(&r);
    site_get(&r, "/err");
    assert_header(&r, "Expires", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(variables_in_fields)
{
    site_serve(
        "server_name srv; add_header X-V "
        "\"$request_method|$uri|$args|$arg_b|$is_args|$host|$http_x_custom|$scheme|$server_protocol|$request_uri|"
        "$server_name|$server_port|$remote_addr|$document_uri|$query_string\" always;\n"
        "add_header X-F \"$request_filename|$document_root|$realpath_root\" always; add_header X-C "
        "\"$cookie_k|$content_type|$sent_http_content_type\";");
    struct site_response r;
    char expected[1024];
    struct site_client c;
    client_open(&c, site_port(0));
    client_say(&c, "GET /%%61.txt?a=1&b=2 HTTP/1.1\r\nHost: Www.X:81\r\nX-Custom: yes\r\nCookie: j=1; "
                   "k=v\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    snprintf(expected, sizeof expected,
             "GET|/a.txt|a=1&b=2|2|?|www.x|yes|%s|HTTP/1.1|/%%61.txt?a=1&b=2|srv|%s|%s|/a.txt|a=1&b=2",
             site_transport()->scheme, site_transport()->is_tcp ? site_text("@PORT@") : "", site_transport()->peer);
    assert_header(&r, "X-V", expected);
    snprintf(expected, sizeof expected, "%s/html/a.txt|%s/html|%s/html", site_dir(), site_dir(), site_dir());
    assert_header(&r, "X-F", expected);
    assert_header(&r, "X-C", "v||text/plain");
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* HEAD says what GET would. */
START_TEST(head_equals_get)
{
    site_mkdir("html/list");
    site_serve("location /list/ { autoindex on; } expires max; add_header A b;");
    static const char *const targets[] = {"/a.txt", "/none", "/dir", "/dir/"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct site_response get_r, head_r;
        /* In the same second. */
        for (;;) {
            site_request(&get_r, "GET", targets[i], "");
            site_request(&head_r, "HEAD", targets[i], "");
            if (!strcmp(site_header(&get_r, "Date"), site_header(&head_r, "Date")))
                break;
            site_response_free(&get_r);
            site_response_free(&head_r);
        }
        ck_assert_str_eq(get_r.head, head_r.head);
        site_response_free(&get_r);
        site_response_free(&head_r);
    }
}
END_TEST

/* The fields X- in their order, with their values. */
static void expect_added(const char *target, const char *expected)
{
    struct site_response r;
    char found[256] = "";
    site_get(&r, target);
    for (const char *at = r.head; (at = strstr(at, "\r\nX-")); at += 2)
        snprintf(found + strlen(found), sizeof found - strlen(found), "%.*s ", (int)strcspn(at + 4, "\r"), at + 4);
    ck_assert_msg(!strcmp(found, expected), "%s: %sinstead of %s", target, found, expected);
    site_response_free(&r);
}

/* As nginx from 1.29.3 on: those of the level around come behind its own, and the rule holds inside
 * as well. */
START_TEST(add_header_inherit)
{
    site_write("html/a.txt", "hello\n");
    site_conf_http(
        "add_header X-A http; add_header_inherit merge;\n"
        "server { listen 127.0.0.1:@PORT@; root @DIR@/html; add_header X-A server; add_header X-B server;\n"
        "  location /none { return 200; }\n"
        "  location /own { add_header X-C own; return 200; location /own/in { add_header X-D in; return 200; } }\n"
        "  location /on { add_header_inherit on; add_header X-C own; return 200;\n"
        "    location /on/in { return 200; } location /on/merge { add_header_inherit merge; add_header X-D in; return "
        "200; } }\n"
        "  location /plain { add_header_inherit on; return 200; }\n"
        "  location /off { add_header_inherit off; return 200; location /off/on { add_header_inherit on; return 200; "
        "}\n"
        "    location /off/own { add_header X-C own; return 200; } }\n"
        "  location /if { add_header X-C own; if ($arg_x) { add_header X-D if; return 200; } if ($arg_y) { "
        "add_header_inherit off; return 200; } return 200; }\n"
        "}\n"
        "server { listen 127.0.0.1:@PORT1@; root @DIR@/html; add_trailer X-T around; add_trailer_inherit merge;\n"
        "  location /a { add_trailer X-T own; }\n"
        "}");
    site_start();
    expect_added("/none", "A: server B: server A: http ");
    expect_added("/own", "C: own A: server B: server A: http ");
    expect_added("/own/in", "D: in C: own A: server B: server A: http ");
    expect_added("/on", "C: own ");
    expect_added("/on/in", "C: own ");
    expect_added("/on/merge", "D: in C: own ");
    expect_added("/plain", "A: server B: server A: http ");
    expect_added("/off", "");
    expect_added("/off/on", "");
    expect_added("/off/own", "C: own ");
    expect_added("/if", "C: own A: server B: server A: http ");
    expect_added("/if?x=1", "D: if C: own A: server B: server A: http ");
    expect_added("/if?y=1", "");
    static const char trailers[] = "0\r\nX-T: own\r\nX-T: around\r\n\r\n";
    struct site_client c;
    client_open(&c, site_port(1));
    client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    while (client_fill(&c))
        ;
    ck_assert_msg(memmem(c.in, c.len, trailers, sizeof trailers - 1), "%.*s", (int)c.len, c.in);
    client_close(&c);
}
END_TEST

Suite *suite_headers(void)
{
    Suite *s = suite_create("headers");
    TCase *tc = site_case_with(s, "headers", 20, pages);
    tcase_add_test(tc, order);
    tcase_add_test(tc, values);
    tcase_add_test(tc, date_moves_on);
    tcase_add_test(tc, etag_and_tokens_off);
    tcase_add_test(tc, add_header);
    tcase_add_test(tc, add_header_of_known_names);
    tcase_add_test(tc, add_header_of_single_fields);
    tcase_add_test(tc, expires);
    tcase_add_test(tc, variables_in_fields);
    tcase_add_test(tc, head_equals_get);
    if (!on_nginx()) /* 1.22 does not know it */
        tcase_add_test(tc, add_header_inherit);
    return s;
}
