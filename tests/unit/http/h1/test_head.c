/* test_head.c - response heads, byte by byte. */
#include "http/configured.h"

#include "base/version.h"
#include "http/h1/head.h"
#include "http/respond/headers.h"

static struct configured conf;
static struct request r;
static struct client c;
static struct reply reply;

static void begin(const char *directives)
{
    char bytes[512];
    snprintf(bytes, sizeof bytes, "http { access_log off; server { listen 127.0.0.1:1; %s } }", directives);
    configure(&conf, bytes);
    ck_assert_msg(conf.http != NULL, "%s", conf.result.error);
    request_init(&r, &c, &conf, "a", "/");
    memcpy(clock_now.http, "Sun, 06 Nov 1994 08:49:37 GMT", CLOCK_HTTP_LEN);
}

static void expect(const char *head)
{
    char got[2048];
    size_t len = head_compose(&r, &reply, got);
    ck_assert_uint_le(len, head_bound(&r));
    got[len] = '\0';
    ck_assert_str_eq(got, head);
    request_fini(&r);
    unconfigure(&conf);
}

START_TEST(file_in_full)
{
    begin("");
    r.out.status = 200;
    r.out.type = TEXT("text/html");
    r.out.length = 12345678901ULL;
    r.out.last_modified = TEXT("Sat, 05 Nov 1994 08:49:37 GMT");
    r.out.etag = TEXT("\"1-2\"");
    r.out.accept_ranges = true;
    expect("HTTP/1.1 200 OK\r\nServer: sluice/" SLUICE_VERSION "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
           "Content-Type: text/html\r\nContent-Length: 12345678901\r\nLast-Modified: Sat, 05 Nov 1994 08:49:37 GMT\r\n"
           "Connection: keep-alive\r\nETag: \"1-2\"\r\nAccept-Ranges: bytes\r\n\r\n");
}
END_TEST

START_TEST(not_modified)
{
    begin("server_tokens off; keepalive_timeout 10s 5s;");
    r.out.status = 304;
    r.out.no_length = true;
    r.out.type = TEXT("text/html");
    r.out.etag = TEXT("\"1-2\"");
    expect("HTTP/1.1 304 Not Modified\r\nServer: sluice\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
           "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\nETag: \"1-2\"\r\n\r\n");
}
END_TEST

START_TEST(redirect_and_close)
{
    begin("server_tokens off;");
    r.out.status = 301;
    r.out.location = TEXT("http://a/b/");
    reply.close = true;
    expect("HTTP/1.1 301 Moved Permanently\r\nServer: sluice\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
           "Content-Length: 0\r\nLocation: http://a/b/\r\nConnection: close\r\n\r\n");
}
END_TEST

START_TEST(added_fields_stand_before_ranges)
{
    begin("server_tokens off; add_header X-A one; add_header X-B \"$uri\" always; add_header X-C \"\"; expires -1;");
    r.out.status = 206;
    r.out.length = 5;
    r.out.content_range = TEXT("bytes 0-4/10");
    headers_apply(&r);
    clock_format_http(clock_now.http, 784111777);
    const struct field_line *expires = r.out.fields;
    ck_assert_ptr_nonnull(expires);
    r.out.fields = expires->next; /* its date is the machine's */
    expect("HTTP/1.1 206 Partial Content\r\nServer: sluice\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
           "Content-Length: 5\r\nConnection: keep-alive\r\nCache-Control: no-cache\r\nX-A: one\r\nX-B: /\r\n"
           "Content-Range: bytes 0-4/10\r\n\r\n");
}
END_TEST

START_TEST(errors_get_only_what_is_always)
{
    begin("server_tokens off; add_header X-A one; add_header X-B two always; expires max;");
    r.out.status = 404;
    headers_apply(&r);
    expect("HTTP/1.1 404 Not Found\r\nServer: sluice\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
           "Content-Length: 0\r\nConnection: keep-alive\r\nX-B: two\r\n\r\n");
}
END_TEST

Suite *suite_http_head(void);

Suite *suite_http_head(void)
{
    Suite *s = suite_create("http/head");
    TCase *t = tcase_create("all");
    tcase_add_test(t, file_in_full);
    tcase_add_test(t, not_modified);
    tcase_add_test(t, redirect_and_close);
    tcase_add_test(t, added_fields_stand_before_ranges);
    tcase_add_test(t, errors_get_only_what_is_always);
    suite_add_tcase(s, t);
    return s;
}
