/* test_parse.c - heads, whole and split at every byte: what is read, what is refused, and with
 * which status. */
#include "unit.h"

#include "http/h1/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define HOST "Host: a\r\n"

static struct arena arena;
static struct framing f; /* of the last head */

static void setup(void)
{
    arena_init(&arena, 4096);
}

static void teardown(void)
{
    arena_fini(&arena);
}

/* An exact copy on the heap, so that a sanitizer sees reads past the end. */
static char *copy(const char *bytes, size_t len)
{
    char *at = malloc(len ? len : 1);
    ck_assert_ptr_nonnull(at);
    memcpy(at, bytes, len);
    return at;
}

static enum scan_result scan_whole(const char *bytes, size_t len, size_t *end)
{
    struct scan scan = {0};
    char *at = copy(bytes, len);
    enum scan_result result = parse_scan(&scan, at, len);
    free(at);
    *end = scan.at;
    return result;
}

/* In two pieces cut at `cut`, or (cut 0) byte by byte. */
static enum scan_result scan_split(const char *bytes, size_t len, size_t cut, size_t *end)
{
    struct scan scan = {0};
    enum scan_result result = SCAN_MORE;
    for (size_t n = cut ? cut : 1; n <= len && result == SCAN_MORE; n = cut && n < len ? len : n + 1) {
        char *at = copy(bytes, n);
        result = parse_scan(&scan, at, n);
        free(at);
    }
    *end = scan.at;
    return result;
}

/* The result of the scan, the same however the bytes arrive. */
static enum scan_result scan(const char *bytes, size_t len)
{
    size_t end, split_end;
    enum scan_result whole = scan_whole(bytes, len, &end);
    for (size_t cut = 0; cut < len; cut++) {
        ck_assert_msg(scan_split(bytes, len, cut, &split_end) == whole, "split at %zu of %s", cut, bytes);
        if (whole == SCAN_COMPLETE)
            ck_assert_uint_eq(end, split_end);
    }
    return whole;
}

/* 0 or the status that a head comes to; 400 also where the scan refuses it. */
static int status_len(struct message *m, const char *head, size_t len)
{
    enum scan_result result = scan(head, len);
    ck_assert_msg(result != SCAN_MORE, "incomplete: %s", head);
    return result == SCAN_BAD ? 400 : parse_head(m, &f, arena_copy(&arena, head, len), len, 100, &arena);
}

static int status(const char *head)
{
    struct message m;
    return status_len(&m, head, strlen(head));
}

static struct message parsed(const char *head)
{
    struct message m;
    int rc = status_len(&m, head, strlen(head));
    ck_assert_msg(rc == 0, "%d: %s", rc, head);
    return m;
}

static void is_text(struct text t, const char *expected)
{
    ck_assert_msg(t.at != NULL, "absent, not \"%s\"", expected);
    ck_assert_msg(text_equal(t, text_of(expected)), "\"%.*s\", not \"%s\"", TEXT_ARG(t), expected);
}

START_TEST(test_browser)
{
    struct message m = parsed("GET /a/b.html?q=1 HTTP/1.1\r\n"
                              "Host: www.example.org:8080\r\n"
                              "User-Agent:Mozilla/5.0 (X11; Linux x86_64)\r\n"
                              "Accept: text/html,*/*;q=0.8 \t \r\n"
                              "Accept-Encoding: \tgzip, br\r\n"
                              "X-Empty:\r\n"
                              "X-Blank:  \t\r\n"
                              "Range: bytes=0-1\r\n"
                              "If-Range: \"e\"\r\n"
                              "If-Match: *\r\n"
                              "If-None-Match: \"x\", \"y\"\r\n"
                              "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                              "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:38 GMT\r\n"
                              "Referer: http://r/\r\n"
                              "Authorization: Basic eDp5\r\n"
                              "Upgrade: h2c\r\n"
                              "Connection: Upgrade, Keep-Alive\r\n"
                              "\r\n");
    ck_assert_int_eq(m.method, METHOD_GET);
    is_text(m.method_name, "GET");
    is_text(m.line, "GET /a/b.html?q=1 HTTP/1.1");
    is_text(m.target, "/a/b.html?q=1");
    ck_assert_uint_eq(m.protocol, PROTOCOL_1_1);
    ck_assert_uint_eq(m.count, 16);
    is_text(m.headers[0].name, "Host");
    is_text(m.headers[2].value, "text/html,*/*;q=0.8");
    is_text(m.headers[4].name, "X-Empty");
    is_text(m.headers[4].value, "");
    is_text(m.headers[5].value, "");
    is_text(m.headers[15].name, "Connection");
    is_text(m.fields[FIELD_HOST], "www.example.org:8080");
    is_text(m.fields[FIELD_USER_AGENT], "Mozilla/5.0 (X11; Linux x86_64)");
    is_text(m.fields[FIELD_ACCEPT_ENCODING], "gzip, br");
    is_text(m.fields[FIELD_RANGE], "bytes=0-1");
    is_text(m.fields[FIELD_IF_RANGE], "\"e\"");
    is_text(m.fields[FIELD_IF_MATCH], "*");
    is_text(m.fields[FIELD_IF_NONE_MATCH], "\"x\", \"y\"");
    is_text(m.fields[FIELD_IF_MODIFIED_SINCE], "Sun, 06 Nov 1994 08:49:37 GMT");
    is_text(m.fields[FIELD_IF_UNMODIFIED_SINCE], "Sun, 06 Nov 1994 08:49:38 GMT");
    is_text(m.fields[FIELD_REFERER], "http://r/");
    is_text(m.fields[FIELD_AUTHORIZATION], "Basic eDp5");
    is_text(m.fields[FIELD_UPGRADE], "h2c");
    is_text(m.fields[FIELD_CONNECTION], "Upgrade, Keep-Alive");
    ck_assert_ptr_null(m.fields[FIELD_CONTENT_LENGTH].at);
    ck_assert_ptr_null(m.fields[FIELD_TRANSFER_ENCODING].at);
    ck_assert_ptr_null(m.fields[FIELD_EXPECT].at);
    ck_assert(f.keep_alive);
    ck_assert(!has_body(&m, &f));
}
END_TEST

START_TEST(test_field_names_ignore_case)
{
    struct message m =
        parsed("GET / HTTP/1.1\r\nhOST: a\r\nRANGE: bytes=1-\r\ncontent-LENGTH: 3\r\nEXPECT: 100-Continue\r\n\r\n");
    is_text(m.fields[FIELD_HOST], "a");
    is_text(m.fields[FIELD_RANGE], "bytes=1-");
    ck_assert(m.has_length);
    ck_assert_uint_eq(m.length, 3);
    ck_assert(f.expect_continue);
}
END_TEST

/* Names of the length of a known one are not mistaken for it. */
START_TEST(test_near_names)
{
    struct message m =
        parsed("GET / HTTP/1.1\r\n" HOST "Hosu: b\r\nRangf: x\r\nExpecu: x\r\nRefererx: x\r\nUpgradf: x\r\n"
               "If-Rangf: x\r\nIf-Matci: x\r\nConnectioo: close\r\nUser-Agenu: x\r\nIf-None-Matci: x\r\n"
               "Authorizatioo: x\r\nProxy-Authorizatioo: x\r\nContent-Rangf: x\r\nContent-Lengtg: "
               "7\r\nAccept-Encodinh: x\r\nTransfer-Encodinf: chunked\r\n"
               "If-Modified-Sincf: x\r\nIf-Unmodified-Sincf: x\r\nzzzz: b\r\nzzzzzzzzzzzzzzzzz: b\r\n\r\n");
    for (int field = 0; field < FIELD_COUNT; field++)
        ck_assert_msg((field == FIELD_HOST) == (m.fields[field].at != NULL), "field %d", field);
    ck_assert(f.keep_alive);
    ck_assert(!has_body(&m, &f));
}
END_TEST

static const struct {
    const char *name;
    enum method method;
} methods[] = {{"GET", METHOD_GET},         {"HEAD", METHOD_HEAD},      {"POST", METHOD_POST},
               {"PUT", METHOD_PUT},         {"DELETE", METHOD_DELETE},  {"OPTIONS", METHOD_OPTIONS},
               {"CONNECT", METHOD_CONNECT}, {"PATCH", METHOD_OTHER},    {"TRACE", METHOD_OTHER},
               {"PROPFIND", METHOD_OTHER},  {"M-SEARCH", METHOD_OTHER}, {"UNLOCK", METHOD_OTHER}};

START_TEST(test_methods)
{
    char head[100];
    sprintf(head, "%s /x HTTP/1.1\r\n" HOST "\r\n", methods[_i].name);
    struct message m = parsed(head);
    ck_assert_int_eq(m.method, methods[_i].method);
    is_text(m.method_name, methods[_i].name);
    is_text(m.target, "/x");
}
END_TEST

START_TEST(test_unknown_method_is_501)
{
    static const char *const names[] = {
        "FOO",     "GETX", "GE", "get", "Get", "G!#$%&'*+-.^_`|~", "0", "QUERY" /* some versions of llhttp know it */,
        "DESCRIBE"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char head[100];
        sprintf(head, "%s / HTTP/1.1\r\n" HOST "\r\n", names[i]);
        struct message m;
        ck_assert_msg(status_len(&m, head, strlen(head)) == 501, "%s", names[i]);
        is_text(m.method_name, names[i]);
        ck_assert_ptr_nonnull(m.line.at);
    }
}
END_TEST

/* A head, and the status it comes to; 0: it is fine. */
static const struct {
    const char *head;
    int status;
} heads[] = {
    {"GET / HTTP/1.1\r\n" HOST "\r\n", 0},
    /* Smuggling by a bare CR, and a head that ends in one. */
    {"GET / HTTP/1.1\r\n" HOST "X: \rTransfer-Encoding: chunked\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n\rX", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400},
    {"GET / HTTP/1.1\r" HOST "\r\n\r\n", 400},
    /* White space in or before names, folded lines. */
    {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X\t: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST " X: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X:\r\n b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n " HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST " \r\n\r\n", 400},
    /* Bare LF. */
    {"GET / HTTP/1.1\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "\n", 400},
    {"GET / HTTP/1.1\nHost: a\n\n", 400},
    /* Names. */
    {"GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X(: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X\x80: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "!#$%&'*+-.^_`|~09az: a\r\n\r\n", 0},
    /* Values. */
    {"GET / HTTP/1.1\r\n" HOST "X: \x01\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: \x1f\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "X: \x80\xff\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST "X: a\tb\r\n\r\n", 0},
    /* Versions. */
    {"GET / HTTP/1.0\r\n\r\n", 0},
    {"GET /\r\n\r\n", 400},
    {"GET / \r\n" HOST "\r\n", 400},
    {"GET / HTTP/0.9\r\n" HOST "\r\n", 400},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505},
    {"PRI * HTTP/2.0\r\n\r\n", 505},
    {"GET / HTTP/3.0\r\n" HOST "\r\n", 505},
    {"GET / HTTP/1.2\r\n" HOST "\r\n", 0},
    {"GET / HTTP/1.9\r\n" HOST "\r\n", 0},
    {"GET / HTTP/1.9\r\n\r\n", 400},
    {"GET / HTTP/1.9\r\n" HOST "X: \x01\r\n\r\n", 400},
    {"GET / HTTP/1.9\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {"GET / HTTP/1.9\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 413},
    {"HELLO / HTTP/1.9\r\n" HOST "\r\n", 501},
    {"GET / HTTP/2\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.10\r\n" HOST "\r\n", 400},
    {"GET / HTTP/11.1\r\n" HOST "\r\n", 400},
    {"GET / http/1.1\r\n" HOST "\r\n", 400},
    {"GET / RTSP/1.0\r\n" HOST "\r\n", 400},
    {"GET / ICE/1.0\r\n" HOST "\r\n", 400},
    {"DESCRIBE / RTSP/1.0\r\n" HOST "\r\n", 400},
    /* The request line's spaces and bytes. */
    {"GET  / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /  HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 400},
    {" GET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET\t/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\tHTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /a b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\t HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\x80 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /a#b HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET HTTP/1.1\r\n" HOST "\r\n", 400},
    {"/ HTTP/1.1\r\n" HOST "\r\n", 400},
    {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET /\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~! HTTP/1.1\r\n" HOST "\r\n", 0},
    /* Forms of the target. */
    {"GET http://b/x HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET HTTP://b HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET https://b?x HTTP/1.1\r\n" HOST "\r\n", 0},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET //x//y HTTP/1.1\r\n" HOST "\r\n", 0},
    {"GET x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"GET ?x HTTP/1.1\r\n" HOST "\r\n", 400},
    {"CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n", 0}, /* authority-form: uri_tunnel() reads it */
    {"CONNECT /x HTTP/1.1\r\n" HOST "\r\n", 0},   /* and refuses this */
    /* Host. */
    {"GET / HTTP/1.1\r\n\r\n", 400},
    {"GET http://b/ HTTP/1.1\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400},
    {"GET / HTTP/1.0\r\n" HOST HOST "\r\n", 400},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
    {"GET / HTTP/1.0\r\nHost:\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a:80\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
    /* Content-Length. */
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 007 \r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n", 413},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551616\r\n\r\n", 413},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999999\r\n\r\n", 413},
    {"POST / HTTP/1.1\r\n" HOST "X: content-length: 1\r\nContent-Length: 99999999999999999999x\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1 1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\t\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5 \t \r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
    /* Transfer-Encoding. */
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 0},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \tChunKed \r\n\r\n", 0},
    {"POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n", 501},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a=b\r\n\r\n", 501},
    /* Fields that may stand once, and some that may repeat. */
    {"GET / HTTP/1.1\r\n" HOST "If-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "If-Match: \"a\"\r\nIf-Match: \"b\"\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "If-Range: \"a\"\r\nIf-Range: \"b\"\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "If-Modified-Since: a\r\nIf-Modified-Since: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "If-Unmodified-Since: a\r\nIf-Unmodified-Since: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Authorization: a\r\nAuthorization: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Expect: a\r\nExpect: a\r\n\r\n", 400},
    {"GET / HTTP/1.1\r\n" HOST "Range: bytes=1-\r\nRange: bytes=2-\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST "User-Agent: a\r\nUser-Agent: b\r\n\r\n", 0},
    {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\n", 0},
};

START_TEST(test_heads)
{
    int got = status(heads[_i].head);
    ck_assert_msg(got == heads[_i].status, "%d, not %d: %s", got, heads[_i].status, heads[_i].head);
}
END_TEST

static void check_same_fields(const struct message *m, const struct message *k)
{
    ck_assert_uint_eq(k->count, m->count);
    for (unsigned i = 0; i < m->count; i++) {
        ck_assert(text_equal(k->headers[i].name, m->headers[i].name));
        ck_assert(text_equal(k->headers[i].value, m->headers[i].value));
    }
    for (int field = 0; field < FIELD_COUNT; field++) {
        ck_assert_ptr_eq(k->fields[field].at, m->fields[field].at);
        ck_assert_uint_eq(k->fields[field].len, m->fields[field].len);
    }
}

/* What is known of a head for the log is what parse_head() says, where that takes it; and of each
 * beginning, not more. */
START_TEST(test_known)
{
    struct message m, k;
    struct text head = text_of(heads[_i].head);
    size_t end;
    if (scan_whole(head.at, head.len, &end) == SCAN_COMPLETE && parse_head(&m, &f, head.at, end, 100, &arena) == 0) {
        ck_assert_uint_eq(parse_known(&k, head, 100, &arena), end);
        ck_assert_ptr_eq(k.line.at, m.line.at);
        ck_assert(text_equal(k.line, m.line) && text_equal(k.method_name, m.method_name));
        ck_assert(text_equal(k.target, m.target) && text_equal(k.version, m.version) && text_equal(k.host, m.host));
        ck_assert_uint_eq(k.protocol, m.protocol);
        check_same_fields(&m, &k);
    }
    for (size_t len = 0; len <= head.len; len++) {
        char *part = malloc(len + 1); /* so that a sanitizer sees a read behind the end */
        memcpy(part, head.at, len);
        part = realloc(part, len ? len : 1);
        struct text bytes = {part, len};
        size_t known = parse_known(&k, bytes, 3, &arena);
        ck_assert_uint_le(known, len);
        ck_assert(known == 0 || bytes.at[known - 1] == '\n');
        ck_assert_uint_le(k.count, 3);
        ck_assert(known > 0 || (!k.version.at && k.count == 0));
        free(part);
    }
}
END_TEST

/* Which of the two depends on the version of llhttp. */
START_TEST(test_chunked_twice)
{
    int got = status("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n");
    ck_assert(got == 400 || got == 501);
    got = status("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n");
    ck_assert(got == 400 || got == 501);
}
END_TEST

START_TEST(test_nul)
{
    static const char in_value[] = "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
    static const char in_name[] = "GET / HTTP/1.1\r\n" HOST "X\0: a\r\n\r\n";
    static const char in_target[] = "GET /\0 HTTP/1.1\r\n" HOST "\r\n";
    struct message m;
    ck_assert_int_eq(status_len(&m, in_value, sizeof in_value - 1), 400);
    ck_assert_int_eq(status_len(&m, in_name, sizeof in_name - 1), 400);
    ck_assert_int_eq(status_len(&m, in_target, sizeof in_target - 1), 400);
}
END_TEST

/* A control byte at each place of eight is seen, and bytes around the limits are not mistaken for
 * one. */
START_TEST(test_control_bytes)
{
    for (int value = 0; value < 256; value++) {
        for (size_t pad = 0; pad < 17; pad++) {
            char head[100];
            int n =
                sprintf(head, "GET / HTTP/1.1\r\n" HOST "X: %.*s", (int)pad, "\xff\x80\x20\x7e!!!!\x81\xa0\xfe~  ~~~");
            head[n++] = (char)value;
            n += sprintf(head + n, "y\r\n\r\n");
            bool fine = (value >= 0x20 && value != 0x7f) || value == '\t';
            size_t end;
            enum scan_result result = scan_whole(head, (size_t)n, &end);
            ck_assert_msg((result == SCAN_COMPLETE) == fine, "byte %d after %zu", value, pad);
        }
    }
}
END_TEST

START_TEST(test_scan_stops_at_the_end)
{
    static const char two[] = "GET /1 HTTP/1.1\r\n" HOST "\r\nGET /2 HTTP/1.1\n";
    struct scan scan = {0};
    ck_assert_int_eq(parse_scan(&scan, two, sizeof two - 1), SCAN_COMPLETE);
    ck_assert_uint_eq(scan.at, strlen("GET /1 HTTP/1.1\r\n" HOST "\r\n"));
    ck_assert_uint_eq(scan.lines, 3);
}
END_TEST

START_TEST(test_scan_wants_more)
{
    static const char *const heads_so_far[] = {"",
                                               "G",
                                               "GET / HTTP/1.1\r",
                                               "GET / HTTP/1.1\r\n",
                                               "GET / HTTP/1.1\r\nHost: a\r\n",
                                               "\r",
                                               "GET / HTTP/1.1\r\n\r"};
    for (size_t i = 0; i < sizeof heads_so_far / sizeof heads_so_far[0]; i++)
        ck_assert_int_eq(scan(heads_so_far[i], strlen(heads_so_far[i])), SCAN_MORE);
}
END_TEST

/* Bytes of another protocol are refused before a line of them is there. */
START_TEST(test_scan_refuses_early)
{
    ck_assert_int_eq(scan("\x16\x03\x01\x02", 4), SCAN_BAD);
    ck_assert_int_eq(scan("SSH-2.0-x\n", 10), SCAN_BAD);
}
END_TEST

START_TEST(test_skip_empty)
{
    struct scan scan = {0};
    ck_assert_uint_eq(parse_skip_empty(&scan, "", 0), 0);
    ck_assert_uint_eq(parse_skip_empty(&scan, "GET", 3), 0);
    ck_assert_uint_eq(parse_skip_empty(&scan, "\nGET", 4), 0);
    ck_assert_uint_eq(parse_skip_empty(&scan, "\r", 1), 0);
    ck_assert_uint_eq(parse_skip_empty(&scan, "\r\n\r\nGET", 7), 2);
    ck_assert_uint_eq(parse_skip_empty(&scan, "\r\nGET", 5), 0); /* one, however the bytes come */
    scan = (struct scan){.at = 2};
    ck_assert_uint_eq(parse_skip_empty(&scan, "\r\nGET", 5), 0);
}
END_TEST

static const struct {
    const char *fields;
    bool keeps_10, keeps_11;
} connections[] = {
    {"", false, true},
    {"Connection: close\r\n", false, false},
    {"Connection: Close\r\n", false, false},
    {"Connection: keep-alive\r\n", true, true},
    {"Connection: KEEP-alive\r\n", true, true},
    {"Connection: keep-alive, close\r\n", false, false},
    {"Connection: close, keep-alive\r\n", false, false},
    {"Connection: x ,, close\r\n", false, false},
    {"Connection: upgrade\r\nConnection: close\r\n", false, false},
    {"Connection: close\r\nConnection: keep-alive\r\n", false, false},
    {"Connection: upgrade\r\nConnection: keep-alive\r\n", true, true},
    {"Connection: closed\r\n", false, true},
    {"Connection: keep-alives\r\n", false, true},
    {"Connection:\r\n", false, true},
    {"Proxy-Connection: close\r\n", false, true},
};

START_TEST(test_keep_alive)
{
    char head[200];
    for (int minor = 0; minor < 2; minor++) {
        sprintf(head, "GET / HTTP/1.%d\r\n" HOST "%s\r\n", minor, connections[_i].fields);
        struct message m = parsed(head);
        ck_assert_uint_eq(m.protocol, (unsigned)minor);
        ck_assert_msg(f.keep_alive == (minor ? connections[_i].keeps_11 : connections[_i].keeps_10), "%s", head);
    }
}
END_TEST

START_TEST(test_expect)
{
    parsed("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n");
    ck_assert(f.expect_continue);
    parsed("POST / HTTP/1.0\r\n" HOST "Expect: 100-continue\r\n\r\n");
    ck_assert(!f.expect_continue);
    parsed("POST / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n");
    ck_assert(!f.expect_continue);
    parsed("POST / HTTP/1.1\r\n" HOST "\r\n");
    ck_assert(!f.expect_continue);
}
END_TEST

START_TEST(test_repeated_field_is_the_first)
{
    struct message m = parsed("GET / HTTP/1.1\r\n" HOST "Range: bytes=1-\r\nRange: bytes=2-\r\n\r\n");
    is_text(m.fields[FIELD_RANGE], "bytes=1-");
    ck_assert_uint_eq(m.count, 3);
    is_text(m.headers[2].value, "bytes=2-");
}
END_TEST

/* An empty first one is there nevertheless. */
START_TEST(test_empty_is_not_absent)
{
    struct message m = parsed("GET / HTTP/1.1\r\n" HOST "Range:\r\nRange: bytes=2-\r\n\r\n");
    is_text(m.fields[FIELD_RANGE], "");
}
END_TEST

START_TEST(test_field_count)
{
    char head[8000];
    for (unsigned most = 15; most <= 100; most += 17) {
        for (unsigned n = most - 1; n <= most + 1; n++) {
            int len = sprintf(head, "GET / HTTP/1.1\r\n" HOST);
            for (unsigned i = 1; i < n; i++)
                len += sprintf(head + len, "X-%u: %u\r\n", i, i);
            len += sprintf(head + len, "\r\n");
            struct message m;
            int rc = parse_head(&m, &f, head, (size_t)len, most, &arena);
            ck_assert_msg(rc == (n > most ? 431 : 0), "%u of %u: %d", n, most, rc);
            if (rc)
                continue;
            ck_assert_uint_eq(m.count, n);
            for (unsigned i = 1; i < n; i++) {
                char name[16];
                sprintf(name, "X-%u", i);
                is_text(m.headers[i].name, name);
                is_text(m.headers[i].value, name + 2);
            }
        }
    }
}
END_TEST

/* Any bytes that pass the scan can be given to parse_head(), and their first line is kept. */
START_TEST(test_random)
{
    static const char alphabet[] = "GET / HTTP/1.1\r\n\r\n\r\nHost: a:\t,chunked0x\x80\x01\"";
    unsigned seed = 1;
    for (int round = 0; round < 20000; round++) {
        char bytes[200];
        size_t len = (size_t)sprintf(bytes, "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nX: a\r\n\r\n");
        for (int change = 0; change < 3; change++) {
            seed = seed * 1103515245 + 12345;
            bytes[(seed >> 8) % len] = alphabet[(seed >> 20) % (sizeof alphabet - 1)];
        }
        size_t end;
        if (scan_whole(bytes, len, &end) != SCAN_COMPLETE)
            continue;
        struct message m;
        char *head = copy(bytes, end);
        int rc = parse_head(&m, &f, head, end, 100, &arena);
        ck_assert(rc == 0 || (rc >= 400 && rc < 600));
        ck_assert_ptr_nonnull(m.line.at);
        free(head);
    }
}
END_TEST

Suite *suite_http_parse(void)
{
    Suite *s = suite_create("http/parse");
    TCase *t = tcase_create("heads");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_browser);
    tcase_add_test(t, test_field_names_ignore_case);
    tcase_add_test(t, test_near_names);
    tcase_add_loop_test(t, test_methods, 0, sizeof methods / sizeof methods[0]);
    tcase_add_test(t, test_unknown_method_is_501);
    tcase_add_loop_test(t, test_heads, 0, sizeof heads / sizeof heads[0]);
    tcase_add_loop_test(t, test_known, 0, sizeof heads / sizeof heads[0]);
    tcase_add_test(t, test_chunked_twice);
    tcase_add_test(t, test_nul);
    tcase_add_test(t, test_control_bytes);
    tcase_add_test(t, test_scan_stops_at_the_end);
    tcase_add_test(t, test_scan_wants_more);
    tcase_add_test(t, test_scan_refuses_early);
    tcase_add_test(t, test_skip_empty);
    tcase_add_loop_test(t, test_keep_alive, 0, sizeof connections / sizeof connections[0]);
    tcase_add_test(t, test_expect);
    tcase_add_test(t, test_repeated_field_is_the_first);
    tcase_add_test(t, test_empty_is_not_absent);
    tcase_add_test(t, test_field_count);
    tcase_add_test(t, test_random);
    suite_add_tcase(s, t);
    return s;
}
