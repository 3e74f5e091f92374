/* test_h2_same.c - the same requests over HTTP/1 and HTTP/2, without and with TLS: status, fields and
 * bytes are the same. What each must be is in the suites of the features; here it is only said
 * which status shows that a row does what it is for. */
#include "h2_client.h"
#include "transport_tls.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LARGE = 2000000 };

static const char conf[] =
    "types { text/plain txt; text/html html; text/css css; }\n"
    "add_header X-Of $uri; index index.html; client_max_body_size 2000; absolute_redirect on;\n"
    "location /gzip/ { alias @DIR@/html/; gzip on; gzip_types text/plain; gzip_min_length 1; gzip_vary on; }\n"
    "location /side/ { gzip_static on; gzip_vary on; }\n"
    "location /charset/ { alias @DIR@/html/; charset utf-8; }\n"
    "location /trailers/ { alias @DIR@/html/; add_trailer X-Status $status; }\n"
    "location /list/ { autoindex on; } location /json/ { alias @DIR@/html/list/; autoindex on; autoindex_format json; "
    "}\n"
    "location /paged/ { alias @DIR@/html/; error_page 403 404 405 413 416 /gone.html; }\n"
    "location /named/ { error_page 404 = @named; } location @named { return 200 $request_uri; }\n"
    "location /moved { return 301 /a.txt; } location /away { return 302 http://example.com/; }\n"
    "location /auth/ { alias @DIR@/html/; auth_basic \"the realm\"; auth_basic_user_file users; }\n"
    "location /denied/ { deny all; } location /secret { internal; }\n"
    "location /once/ { alias @DIR@/html/; limit_req zone=requests; }\n"
    "location /few/ { alias @DIR@/html/; limit_conn none 1; }\n"
    "location /slow/ { alias @DIR@/html/; limit_rate 1m; limit_rate_after 1m; }\n"
    "location /p/ { secure_link_secret key; if ($secure_link = \"\") { return 403; } rewrite ^ /a.txt last; }\n"
    "location /old/ { rewrite ^/old/(.*)$ /$1 last; } location = /gone { return 410; }\n"
    "location /if/ { if ($arg_x) { return 200 \"x is $arg_x\\n\"; } return 200 none; }\n"
    "location /language { if ($http_accept_language ~ ^de) { return 200 deutsch; } return 200 other; }\n"
    "location /cookie { return 200 \"$cookie_a|$http_cookie|$host|$scheme|$args|$request_method\"; }\n"
    "location /expires/ { alias @DIR@/html/; expires 1h; } location /tagless/ { alias @DIR@/html/; etag off; }\n"
    "location /nothing { return 204; } location /gif { empty_gif; }\n"
    "location /try/ { try_files $uri /a.txt; } location /silent { return 444; } location /certificate { return 496; }\n"
    "location /max/ { alias @DIR@/html/; max_ranges 1; }\n";

static void pages(void)
{
    static const char *const texts[][2] = {{"html/a.txt", "The quick brown fox jumps over the lazy dog.\n"},
                                           {"html/index.html", "<p>root</p>\n"},
                                           {"html/gone.html", "<p>gone</p>\n"},
                                           {"html/empty.txt", ""},
                                           {"html/dir/index.html", "dir\n"},
                                           {"html/list/one & two.txt", "1\n"},
                                           {"html/list/\xc3\xa4.css", "2\n"},
                                           {"html/side/s.css", "plain\n"},
                                           {"html/side/s.css.gz", "taken for compressed\n"},
                                           {"users", "me:{PLAIN}pass\n"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        site_write(texts[i][0], texts[i][1]);
        site_set_mtime(texts[i][0], 1600000000);
    }
    site_pattern("html/large", LARGE);
    site_set_mtime("html/large", 1600000000);
}

/* ---- an answer in a form that both have ---- */

struct answer {
    int status;            /* 0: there was none */
    char *head, *trailers; /* lines "name: value\n" */
    char *body;
    size_t len;
};

static void answer_free(struct answer *a)
{
    free(a->head);
    free(a->trailers);
    free(a->body);
}

static bool is_of_http1(const char *line)
{
    return !strncmp(line, "connection:", 11) || !strncmp(line, "transfer-encoding:", 18) ||
           !strncmp(line, "keep-alive:", 11);
}

/* Names in lower case; of both, what is not the connection's. */
static char *plain_lines(const char *lines)
{
    char *out = calloc(1, strlen(lines) + 2), *to = out;
    ck_assert_ptr_nonnull(out);
    for (const char *next; *lines && *lines != '\r'; lines = next) {
        next = lines + strcspn(lines, "\n");
        next += *next == '\n';
        char *begin = to;
        for (const char *c = lines; c < next; c++) {
            if (*c != '\r')
                *to++ = (char)(c < lines + strcspn(lines + 1, ":") + 1 ? tolower((unsigned char)*c) : *c);
        }
        *to = '\0';
        if (*begin == ':' || !strncmp(begin, "date:", 5) || is_of_http1(begin))
            *(to = begin) = '\0';
    }
    return out;
}

/* Boundaries are of one length. */
static void mask_boundary(struct answer *a)
{
    char *at = strstr(a->head, "boundary="), boundary[128];
    size_t len = at ? strcspn(at + 9, "\n") : 0;
    if (len == 0 || len >= sizeof boundary)
        return;
    memcpy(boundary, at + 9, len);
    memset(at + 9, '*', len);
    for (char *b = a->body; (b = memmem(b, a->len - (size_t)(b - a->body), boundary, len)); b += len)
        memset(b, '*', len);
}

/* ---- both ways to ask ---- */

struct row {
    int status; /* 0: no answer */
    const char *method, *target, *fields, *body;
};

static struct answer ask_http1(const struct row *q)
{
    struct site_client c;
    struct site_response r;
    struct answer a = {0};
    client_open(&c, site_port(0));
    client_say(&c, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n", q->method, q->target);
    for (const char *line = q->fields; *line; line += strcspn(line, "\n") + 1)
        client_say(&c, "%.*s\r\n", (int)strcspn(line, "\n"), line);
    if (q->body)
        client_say(&c, "Content-Length: %zu\r\n", strlen(q->body));
    client_say(&c, "\r\n%s", q->body ? q->body : "");
    bool head = !strcmp(q->method, "HEAD");
    bool there = head ? client_receive_head(&c, &r) : client_receive(&c, &r);
    while (there && r.status == 100) {
        site_response_free(&r);
        there = client_receive(&c, &r);
    }
    if (there) {
        a.status = r.status;
        a.head = plain_lines(strchr(r.head, '\n') + 1);
        a.trailers = plain_lines(r.trailers ? r.trailers : "");
        a.len = head ? 0 : r.len;
        a.body = calloc(1, a.len + 1);
        memcpy(a.body, a.len ? r.body : "", a.len);
        mask_boundary(&a);
        site_response_free(&r);
    }
    client_close(&c);
    return a;
}

static struct answer ask_http2(struct h2_client *k, const struct row *q)
{
    struct answer a = {0};
    char *fields, length[64] = "";
    if (q->body)
        snprintf(length, sizeof length, "content-length: %zu\n", strlen(q->body));
    ck_assert_int_ge(asprintf(&fields, ":method: %s\n:scheme: %s\n:authority: localhost\n:path: %s\n%s%s", q->method,
                              site_transport()->scheme, q->target, q->fields, length),
                     0);
    k->highest += 2;
    h2_request_of(&k->h, k->highest, !q->body, fields);
    free(fields);
    if (q->body)
        h2_frame(&k->h, H2_DATA, H2_END_STREAM, k->highest, q->body, strlen(q->body));
    struct h2_stream *s = h2_await(k, k->highest);
    ck_assert_msg(s, "%s: the connection ends", q->target);
    if (s->ended) {
        a = (struct answer){.status = s->status, .head = plain_lines(s->head), .len = s->len};
        a.trailers = plain_lines(s->trailers ? s->trailers : "");
        a.body = calloc(1, s->len + 1);
        memcpy(a.body, s->len ? s->body : "", s->len);
        mask_boundary(&a);
    }
    return a;
}

static void expect_same(struct h2_client *k, const struct row *q)
{
    struct answer one = ask_http1(q), two = ask_http2(k, q);
    const char *what = q->target;
    ck_assert_msg(one.status == q->status, "%s %s: HTTP/1 has %d, expected %d", q->method, what, one.status, q->status);
    ck_assert_msg(two.status == one.status, "%s %s: HTTP/2 has %d, HTTP/1 %d", q->method, what, two.status, one.status);
    if (one.status) {
        /* Over HTTP/1, trailers take chunks, and so there is no content-length. */
        bool lengths = one.trailers[0] == '\0';
        ck_assert_msg(!lengths || !strcmp(one.head, two.head), "%s %s: HTTP/1:\n%sHTTP/2:\n%s", q->method, what,
                      one.head, two.head);
        ck_assert_msg(one.len == two.len && !memcmp(one.body, two.body, one.len),
                      "%s %s: %zu bytes over HTTP/1, %zu over HTTP/2:\n%.300s\n%.300s", q->method, what, one.len,
                      two.len, one.body, two.body);
        ck_assert_msg(!strcmp(one.trailers, two.trailers), "%s: trailers \"%s\" over HTTP/1, \"%s\" over HTTP/2", what,
                      one.trailers, two.trailers);
    }
    answer_free(&one);
    answer_free(&two);
}

#define AUTH "authorization: Basic bWU6cGFzcw==\n"
#define S100 "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define S500 S100 S100 S100 S100 S100

static const struct row rows[] = {
    {200, "GET", "/a.txt", "", NULL},
    {200, "HEAD", "/a.txt", "", NULL},
    {200, "GET", "/large", "", NULL},
    {200, "GET", "/empty.txt", "", NULL},
    {200, "GET", "/", "", NULL},
    {200, "GET", "/%61.txt?x=1", "", NULL},
    {400, "GET", "/a.txt#y", "", NULL},
    {404, "GET", "/none", "", NULL},
    {404, "HEAD", "/none", "", NULL},
    {400, "GET", "/%00", "", NULL},
    {301, "GET", "/dir", "", NULL},
    {301, "GET", "/dir?a=b", "", NULL},
    {206, "GET", "/a.txt", "range: bytes=1-3\n", NULL},
    {206, "GET", "/a.txt", "range: bytes=-5\n", NULL},
    {206, "GET", "/large", "range: bytes=1000000-\n", NULL},
    {206, "GET", "/a.txt", "range: bytes=0-1,5-6,-2\n", NULL},
    {200, "HEAD", "/a.txt", "range: bytes=0-1\n", NULL},
    {206, "GET", "/large", "range: bytes=5-300004,700000-1700000\n", NULL},
    {416, "GET", "/a.txt", "range: bytes=100-\n", NULL},
    {200, "GET", "/max/a.txt", "range: bytes=0-1,5-6\n", NULL},
    {206, "GET", "/a.txt", "range: bytes=0-1\nif-range: Sun, 13 Sep 2020 12:26:40 GMT\n", NULL},
    {200, "GET", "/a.txt", "range: bytes=0-1\nif-range: Sun, 13 Sep 2020 12:26:41 GMT\n", NULL},
    {304, "GET", "/a.txt", "if-none-match: *\n", NULL},
    {304, "GET", "/a.txt", "if-modified-since: Sun, 13 Sep 2020 12:26:40 GMT\n", NULL},
    {304, "HEAD", "/a.txt", "if-none-match: *\n", NULL},
    {412, "GET", "/a.txt", "if-match: \"x\"\n", NULL},
    {412, "GET", "/a.txt", "if-unmodified-since: Sun, 13 Sep 2020 12:26:39 GMT\n", NULL},
    {200, "GET", "/side/s.css", "accept-encoding: gzip\n", NULL},
    {200, "GET", "/side/s.css", "", NULL},
    {206, "GET", "/side/s.css", "accept-encoding: gzip\nrange: bytes=2-\n", NULL},
    {200, "GET", "/gzip/a.txt", "accept-encoding: gzip\n", NULL},
    {200, "HEAD", "/gzip/a.txt", "accept-encoding: gzip\n", NULL},
    {200, "GET", "/gzip/a.txt", "accept-encoding: gzip;q=0\n", NULL},
    {304, "GET", "/gzip/a.txt", "accept-encoding: gzip\nif-none-match: *\n", NULL},
    {200, "GET", "/charset/a.txt", "", NULL},
    {200, "GET", "/trailers/a.txt", "te: trailers\n", NULL},
    {200, "HEAD", "/trailers/a.txt", "", NULL},
    {404, "GET", "/trailers/none", "", NULL},
    {200, "GET", "/list/", "", NULL},
    {200, "HEAD", "/list/", "", NULL},
    {200, "GET", "/json/", "", NULL},
    {404, "GET", "/paged/none", "", NULL},
    {405, "POST", "/paged/a.txt", "", "text"},
    {416, "GET", "/paged/a.txt", "range: bytes=1000-\n", NULL},
    {200, "GET", "/named/none", "", NULL},
    {301, "GET", "/moved", "", NULL},
    {302, "GET", "/away", "", NULL},
    {401, "GET", "/auth/a.txt", "", NULL},
    {401, "GET", "/auth/a.txt", "authorization: Basic bWU6cGFzdw==\n", NULL},
    {200, "GET", "/auth/a.txt", AUTH, NULL},
    {403, "GET", "/denied/a.txt", "", NULL},
    {404, "GET", "/secret", "", NULL},
    {200, "GET", "/once/a.txt", "", NULL},
    {503, "GET", "/once/a.txt", "", NULL},
    {200, "GET", "/few/a.txt", "", NULL},
    {200, "GET", "/slow/a.txt", "", NULL},
    {200, "GET", "/slow/large", "", NULL},
    {200, "GET", "/p/d05d91c9ad31ba7e726b2a3c7f24c702/dir/file?x", "", NULL},
    {403, "GET", "/p/d05d91c9ad31ba7e726b2a3c7f24c702/dir/other", "", NULL},
    {200, "GET", "/old/a.txt", "", NULL},
    {410, "GET", "/gone", "", NULL},
    {200, "GET", "/if/?x=5", "", NULL},
    {200, "GET", "/if/", "", NULL},
    {200, "GET", "/language", "accept-language: de-DE\n", NULL},
    {200, "GET", "/cookie?q", "cookie: a=1; b=2\n", NULL},
    {200, "GET", "/tagless/a.txt", "", NULL},
    {204, "GET", "/nothing", "", NULL},
    {200, "GET", "/gif", "", NULL},
    {200, "GET", "/try/none", "", NULL},
    {400, "GET", "/certificate", "", NULL},
    {0, "GET", "/silent", "", NULL},
    {405, "POST", "/a.txt", "", "text"},
    {405, "PUT", "/a.txt", "", S500 S500},
    {405, "DELETE", "/a.txt", "", NULL},
    {200, "GET", "/a.txt", "", "a body of GET"},
    {200, "POST", "/cookie", "", "text"},
    {405, "POST", "/a.txt", "expect: 100-continue\n", "text"},
    {200, "GET", "/a.txt", "expect: 100-continue\n", NULL},
    {413, "POST", "/a.txt", "", S500 S500 S500 S500 "x"},
    {413, "POST", "/paged/a.txt", "", S500 S500 S500 S500 "x"},
};

START_TEST(same)
{
    struct h2_client k;
    if (_i == 1)
        site_choose_transport("tls");
    site_serve_http("limit_req_zone $server_protocol zone=requests:1m rate=1r/m;\n"
                    "limit_conn_zone $server_protocol zone=none:1m; http2 on;\n",
                    conf);
    h2_start(&k, site_port(0));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_same(&k, &rows[i]);
    h2_close(&k);
}
END_TEST

/* Their scheme is the client's connection's, whatever :scheme says. */
START_TEST(redirects_have_the_scheme)
{
    struct h2_client k;
    char expected[64];
    if (_i == 1)
        site_choose_transport("tls");
    site_serve("http2 on;");
    h2_start(&k, site_port(0));
    struct h2_stream *s = h2_await(&k, h2_get(&k, "/dir", ""));
    ck_assert(s && s->status == 301);
    snprintf(expected, sizeof expected, "%s://localhost:%d/dir/", _i == 1 ? "https" : "http", site_port(0));
    ck_assert_str_eq(h2_field(s->head, "location"), expected);
    h2_close(&k);
}
END_TEST

Suite *suite_h2_same(void)
{
    Suite *s = suite_create("h2_same");
    TCase *t = site_case_with(s, "h2_same", 60, pages);
    if (!needs_plain("h2_same", "it chooses its transports itself"))
        return s;
    tcase_add_loop_test(t, same, 0, transport_tls() ? 2 : 1);
    tcase_add_loop_test(t, redirects_have_the_scheme, 0, transport_tls() ? 2 : 1);
    return s;
}
