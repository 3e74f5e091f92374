/* test_dictionary.c - side files that were compressed with a dictionary which the client has, and the
 * field that makes clients keep one. What side files hold behind their heads is never looked at.
 * RFC 9842. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SHA-256 of "hello\n" and of "other\n", two dictionaries. */
#define HELLO_BYTES                                                                                                    \
    "\x58\x91\xb5\xb5\x22\xd5\xdf\x08\x6d\x0f\xf0\xb1\x10\xfb\xd9\xd2\x1b\xb4\xfc\x71\x63\xaf\x34\xd0\x82\x86\xa2\xe8" \
    "\x46\xf6\xbe\x03"
#define OTHER_BYTES                                                                                                    \
    "\x7e\x4f\xa2\xeb\x8c\x7a\xc0\x89\x73\x9d\x5d\xef\xc4\x48\x9f\xad\x68\xa1\x00\xd9\x20\x82\xca\x35\xc6\xb4\x0a\x45" \
    "\x24\x82\x1f\x87"
#define HELLO     "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM"
#define OTHER     "fk+i64x6wIlznV3vxEifrWihANkggso1xrQKRSSCH4c"
#define DCB       "\xff\x44\x43\x42"
#define DCZ       "\x5e\x2a\x4d\x18\x20\0\0\0"
#define ALL       "Accept-Encoding: gzip, deflate, br, zstd, dcb, dcz\r\n"
#define AVAILABLE "Available-Dictionary: :"

enum { MTIME = 1600000000 };

static const char secure[] = "dictionary_static on; assume_secure_transport on; brotli_static on; ";

#define WRITE(name, bytes) site_write_bytes(name, bytes, sizeof(bytes) - 1)

static void write_files(void)
{
    site_write("html/a.js", "plain\n");
    site_write("html/a.js.br", "BROTLI\n");
    WRITE("html/a.js.5891b5b522d5df08.dcb", DCB HELLO_BYTES "dcb of hello");
    WRITE("html/a.js.5891b5b522d5df08.dcz", DCZ HELLO_BYTES "dcz of hello");
    WRITE("html/a.js.7e4fa2eb8c7ac089.dcz", DCZ OTHER_BYTES "dcz of other");
    site_write("html/one.js", "plain\n");
    WRITE("html/one.js.dcz", DCZ HELLO_BYTES "the only one");
    site_write("html/none.js", "plain\n");
    site_set_mtime("html/a.js.5891b5b522d5df08.dcz", MTIME);
    site_set_mtime("html/a.js.7e4fa2eb8c7ac089.dcz", MTIME);
}

static const char *fields_of(const char *accept, const char *available)
{
    static char fields[32768];
    snprintf(fields, sizeof fields, "%s%s", accept, available);
    return fields;
}

/* Which coding comes, NULL: none; and its last bytes. */
static void expect(const char *target, const char *accept, const char *available, const char *coding, const char *end)
{
    struct site_response r;
    site_request(&r, "GET", target, fields_of(accept, available));
    ck_assert_int_eq(r.status, 200);
    const char *got = site_header(&r, "Content-Encoding");
    ck_assert_msg(coding ? got && !strcmp(got, coding) : !got, "%s, %s%s: %s, not %s", target, accept, available, got,
                  coding);
    ck_assert_msg(r.len >= strlen(end) && !memcmp(r.body + r.len - strlen(end), end, strlen(end)), "%s", r.body);
    assert_header(&r, "Vary", "Accept-Encoding, Available-Dictionary");
    site_response_free(&r);
}

/* ---- the choice ---- */

static const struct {
    const char *accept, *available, *coding, *end;
} choices[] = {
    {ALL, AVAILABLE HELLO "=:\r\n", "dcb", "dcb of hello"},
    {ALL, AVAILABLE OTHER "=:\r\n", "dcz", "dcz of other"},
    {"Accept-Encoding: br, dcz\r\n", AVAILABLE HELLO "=:\r\n", "dcz", "dcz of hello"},
    {"Accept-Encoding: dcb;q=0.5, dcz\r\n", AVAILABLE HELLO "=:\r\n", "dcz", "dcz of hello"},
    {"Accept-Encoding: br, dcz;q=0.9\r\n", AVAILABLE HELLO "=:\r\n", "br", "BROTLI\n"},
    {"Accept-Encoding: dcz;q=0, dcb;q=0\r\n", AVAILABLE HELLO "=:\r\n", NULL, "plain\n"},
    {"Accept-Encoding: dcz;q=0.5, identity\r\n", AVAILABLE HELLO "=:\r\n", NULL, "plain\n"},
    {"Accept-Encoding: *\r\n", AVAILABLE HELLO "=:\r\n", "br", "BROTLI\n"},
    {"", AVAILABLE HELLO "=:\r\n", NULL, "plain\n"},
    {ALL, "", "br", "BROTLI\n"},
    /* written in other ways */
    {ALL, AVAILABLE HELLO ":\r\n", "dcb", "dcb of hello"},
    {ALL, AVAILABLE HELLO "=:;a=1\r\n", "dcb", "dcb of hello"},
    {ALL, "AVAILABLE-DICTIONARY: :" HELLO "=:\r\n", "dcb", "dcb of hello"},
    {ALL, AVAILABLE HELLO "=:\r\nDictionary-ID: \"x\"\r\n", "dcb", "dcb of hello"},
    /* malformed, or of nothing that is here */
    {ALL, "Available-Dictionary:\r\n", "br", "BROTLI\n"},
    {ALL, "Available-Dictionary: ::\r\n", "br", "BROTLI\n"},
    {ALL, "Available-Dictionary: :\r\n", "br", "BROTLI\n"},
    {ALL, "Available-Dictionary: " HELLO "=\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "==:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=:x\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE "W" HELLO "=:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE "AAAA:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE "WJG1tSLV3whtD_CxEPvZ0hu0_HFjrzTQgoai6Eb2vgM=:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE "WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgA=:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE "../../../../../../../../../../../../../../x=:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=:, :" HELLO "=:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=:\r\n" AVAILABLE HELLO "=:\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=:\r\n" AVAILABLE OTHER "=:\r\n", "br", "BROTLI\n"},
    /* pages of other origins: RFC 9842, 9.3.3 */
    {ALL, AVAILABLE HELLO "=:\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: no-cors\r\n", "dcb", "dcb of hello"},
    {ALL, AVAILABLE HELLO "=:\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", "dcb", "dcb of hello"},
    {ALL, AVAILABLE HELLO "=:\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=:\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nOrigin: https://a.test\r\n",
     "dcb", "dcb of hello"},
    {ALL, AVAILABLE HELLO "=:\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\nOrigin: https://b.test\r\n",
     "br", "BROTLI\n"},
    {ALL, AVAILABLE HELLO "=:\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: cors\r\n", "br", "BROTLI\n"},
};

static const char *const caches[] = {"small_file_cache off;", "small_file_cache 16k;", "open_file_cache max=100;",
                                     "open_file_cache max=100; open_file_cache_valid 0s;"};

START_TEST(the_one_that_the_client_can_decode)
{
    char conf[1000];
    snprintf(conf, sizeof conf, "%s add_header Access-Control-Allow-Origin https://a.test; %s", secure, caches[_i]);
    site_serve(conf);
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        expect("/a.js", choices[i].accept, choices[i].available, choices[i].coding, choices[i].end);
    expect("/one.js", ALL, AVAILABLE HELLO "=:\r\n", "dcz", "the only one");
    expect("/one.js", ALL, AVAILABLE OTHER "=:\r\n", NULL, "plain\n");
    expect("/none.js", ALL, AVAILABLE HELLO "=:\r\n", NULL, "plain\n");
}
END_TEST

/* A field as long as a head may be. */
START_TEST(a_huge_field)
{
    static char field[8000];
    site_serve(secure);
    size_t at = (size_t)snprintf(field, sizeof field, "%s", AVAILABLE);
    memset(field + at, 'A', 7000);
    strcpy(field + at + 7000, ":\r\n");
    expect("/a.js", ALL, field, "br", "BROTLI\n");
}
END_TEST

/* A name is no proof: the head of the file decides, and it may be wrong in every way. */
START_TEST(heads_that_do_not_fit)
{
    WRITE("html/short.js.dcz", DCZ "\x58\x91");
    site_write("html/empty.js.dcz", "");
    WRITE("html/almost.js.dcb", DCB "\x58\x91\xb5\xb5\x22\xd5\xdf\x08\x6d\x0f\xf0\xb1\x10\xfb\xd9\xd2\x1b");
    WRITE("html/magic.js.dcz", "\x28\xb5\x2f\xfd\x20\0\0\0" HELLO_BYTES "zstd");
    WRITE("html/wrong.js.5891b5b522d5df08.dcz", DCZ OTHER_BYTES "of another");
    WRITE("html/swapped.js.dcz", DCB HELLO_BYTES "dcb, by its head");
    site_mkdir("html/folder.js.dcz");
    static const char *const names[] = {"short", "empty", "almost", "magic", "wrong", "swapped", "folder"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        site_write(site_path("html/%s.js", names[i]), "plain\n");
    site_serve(secure);
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            expect(site_path("html/%s.js", names[i]) + strlen(site_path("html")), ALL, AVAILABLE HELLO "=:\r\n", NULL,
                   "plain\n");
    free(log_await("logs/error.log", "short.js.dcz\" does not begin as dcz does"));
}
END_TEST

/* The file that is there now counts, and not what was there before. */
START_TEST(files_that_change)
{
    char conf[300];
    snprintf(conf, sizeof conf, "%s %s", secure, caches[_i]);
    if (strstr(conf, "open_file_cache max") && !strstr(conf, "valid"))
        return; /* it may be as old as that cache allows */
    site_serve(conf);
    expect("/one.js", ALL, AVAILABLE HELLO "=:\r\n", "dcz", "the only one");
    WRITE("html/one.new", DCZ OTHER_BYTES "another one.");
    ck_assert_int_eq(rename(site_path("html/one.new"), site_path("html/one.js.dcz")), 0);
    expect("/one.js", ALL, AVAILABLE HELLO "=:\r\n", NULL, "plain\n");
    expect("/one.js", ALL, AVAILABLE OTHER "=:\r\n", "dcz", "another one.");
}
END_TEST

/* ---- the answer ---- */

static const char *tag_for(const char *target, const char *available)
{
    static char tags[4][100];
    static unsigned next;
    struct site_response r;
    site_request(&r, "GET", target, fields_of("Accept-Encoding: dcz\r\n", available));
    char *tag = tags[next++ % 4];
    snprintf(tag, sizeof tags[0], "%s", site_header(&r, "ETag"));
    site_response_free(&r);
    return tag;
}

/* Two of the same size and time are two representations. */
START_TEST(tags)
{
    static const char *const kinds[] = {"mtime", "content"};
    char conf[400];
    snprintf(conf, sizeof conf, "%s etag %s;", secure, kinds[_i]);
    site_serve(conf);
    const char *plain = tag_for("/a.js", ""), *hello = tag_for("/a.js", AVAILABLE HELLO "=:\r\n"),
               *other = tag_for("/a.js", AVAILABLE OTHER "=:\r\n");
    ck_assert_str_ne(plain, hello);
    ck_assert_str_ne(plain, other);
    ck_assert_str_ne(hello, other);
    ck_assert_ptr_nonnull(strstr(hello, "-dcz-5891b5b522d5df08\""));
}
END_TEST

START_TEST(conditions)
{
    char fields[500];
    struct site_response r;
    site_serve(secure);
    const char *tag = tag_for("/a.js", AVAILABLE HELLO "=:\r\n");
    snprintf(fields, sizeof fields, "Accept-Encoding: dcz\r\n" AVAILABLE HELLO "=:\r\nIf-None-Match: %s\r\n", tag);
    site_request(&r, "GET", "/a.js", fields);
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "ETag", tag);
    assert_header(&r, "Vary", "Accept-Encoding, Available-Dictionary");
    assert_header(&r, "Content-Encoding", NULL);
    site_response_free(&r);
    snprintf(fields, sizeof fields, "Accept-Encoding: dcz\r\n" AVAILABLE OTHER "=:\r\nIf-None-Match: %s\r\n", tag);
    site_request(&r, "GET", "/a.js", fields);
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    snprintf(fields, sizeof fields, "Accept-Encoding: dcz\r\n" AVAILABLE HELLO "=:\r\nIf-Match: \"x\"\r\n");
    site_request(&r, "GET", "/a.js", fields);
    ck_assert_int_eq(r.status, 412);
    assert_header(&r, "Vary", "Accept-Encoding, Available-Dictionary");
    site_response_free(&r);
}
END_TEST

START_TEST(ranges_and_heads)
{
    struct site_response r;
    site_serve(secure);
    const char *fields = "Accept-Encoding: dcz\r\n" AVAILABLE HELLO "=:\r\nRange: bytes=40-42\r\n";
    site_request(&r, "GET", "/a.js", fields);
    ck_assert_int_eq(r.status, 206);
    assert_header(&r, "Content-Encoding", "dcz");
    assert_header(&r, "Content-Range", "bytes 40-42/52");
    assert_header(&r, "Vary", "Accept-Encoding, Available-Dictionary");
    ck_assert_str_eq(r.body, "dcz");
    site_response_free(&r);
    site_request(&r, "HEAD", "/a.js", fields);
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Encoding", "dcz");
    assert_header(&r, "Content-Length", "52");
    ck_assert_uint_eq(r.len, 0);
    site_response_free(&r);
}
END_TEST

/* The manifest says the digest of what is sent, and the head the dictionary: both are known of one file. */
START_TEST(digests)
{
    char command[600], conf[400];
    site_mkdir("lists");
    snprintf(command, sizeof command, "cd '%s' && sha256sum one.js one.js.dcz >../lists/sums", site_path("html"));
    ck_assert_int_eq(system(command), 0);
    snprintf(conf, sizeof conf, "%s etag content; repr_digest on; digest_manifest @DIR@/lists/sums; %s", secure,
             caches[_i]);
    site_serve(conf);
    for (int again = 0; again < 3; again++) {
        struct site_response r;
        site_request(&r, "GET", "/one.js", "Accept-Encoding: dcz\r\n" AVAILABLE HELLO "=:\r\n");
        assert_header(&r, "Content-Encoding", "dcz");
        assert_header(&r, "ETag", "\"NgF8mNMcXF6GCKGbGdeL9m-dcz-5891b5b522d5df08\"");
        assert_header(&r, "Repr-Digest", "sha-256=:NgF8mNMcXF6GCKGbGdeL9mw/vC/wzbF6WElRb+hW4DA=:");
        site_response_free(&r);
    }
}
END_TEST

/* Nothing is recoded or compressed again. */
START_TEST(bytes_stay_as_they_are)
{
    struct site_response r;
    site_serve_http("charset_map koi8-r utf-8 { 80 D190; }",
                    "dictionary_static on; assume_secure_transport on; gzip on; gzip_min_length 0; gzip_types *; "
                    "gunzip on; charset utf-8; source_charset koi8-r; charset_types *; types { text/javascript js; }");
    site_request(&r, "GET", "/a.js", ALL AVAILABLE HELLO "=:\r\n");
    assert_header(&r, "Content-Encoding", "dcb");
    ck_assert_uint_eq(r.len, 48);
    ck_assert_int_eq(memcmp(r.body, DCB HELLO_BYTES "dcb of hello", 48), 0);
    assert_header(&r, "Vary", "Accept-Encoding, Available-Dictionary");
    site_response_free(&r);
}
END_TEST

/* ---- transports ---- */

static bool is_tls(void)
{
    return !strcmp(site_text("@SCHEME@"), "https");
}

/* What others can read is not compressed with a dictionary, nor made one. */
START_TEST(only_over_tls)
{
    struct site_response r;
    site_serve("dictionary_static on; compression_dictionary /a*.js; "
               "location /told/ { alias @DIR@/html/; assume_secure_transport on; }");
    site_request(&r, "GET", "/a.js", ALL AVAILABLE HELLO "=:\r\n");
    assert_header(&r, "Content-Encoding", is_tls() ? "dcb" : NULL);
    assert_header(&r, "Vary", is_tls() ? "Accept-Encoding, Available-Dictionary" : NULL);
    assert_header(&r, "Use-As-Dictionary", is_tls() ? "match=\"/a*.js\"" : NULL);
    site_response_free(&r);
    site_request(&r, "GET", "/told/a.js", ALL AVAILABLE HELLO "=:\r\n");
    assert_header(&r, "Content-Encoding", "dcb");
    assert_header(&r, "Use-As-Dictionary", "match=\"/a*.js\"");
    site_response_free(&r);
}
END_TEST

/* ---- in words ---- */

START_TEST(explained)
{
    struct site_run run;
    site_conf_server(secure);
    char *argv[] = {(char *)"sluice",
                    (char *)"explain",
                    (char *)"-c",
                    (char *)site_path("sluice.conf"),
                    (char *)"-HAccept-Encoding: dcz",
                    (char *)"-HAvailable-Dictionary: :" HELLO "=:",
                    NULL,
                    NULL};
    argv[6] = (char *)site_text("http://127.0.0.1:@PORT@/a.js");
    site_run_bare(&run, argv);
    ck_assert_msg(strstr(run.out, "a.js.5891b5b522d5df08.dcz is there, and the client accepts it"), "%s%s", run.out,
                  run.err);
    argv[5] = (char *)"-HAvailable-Dictionary: :" OTHER "=:";
    argv[6] = (char *)site_text("http://127.0.0.1:@PORT@/one.js");
    site_run_bare(&run, argv);
    ck_assert_msg(strstr(run.out, "one.js.dcz is there, so the answer varies; but it was made with another dictionary"),
                  "%s%s", run.out, run.err);
}
END_TEST

/* ---- Use-As-Dictionary ---- */

static void expect_use(const char *method, const char *target, const char *fields, int status, const char *value)
{
    struct site_response r;
    site_request(&r, method, target, fields);
    ck_assert_int_eq(r.status, status);
    assert_header(&r, "Use-As-Dictionary", value);
    site_response_free(&r);
}

START_TEST(files_become_dictionaries)
{
    site_write("html/b \"\\\xc3\xa9.js", "odd\n");
    site_write("html/404.html", "gone\n");
    site_serve("assume_secure_transport on; compression_dictionary /*.js match-dest=script,worker 'id=a \"b'; "
               "error_page 404 /404.html; "
               "location /uri/ { alias @DIR@/html/; compression_dictionary $uri; }"
               "location /off/ { alias @DIR@/html/; compression_dictionary off; }"
               "location /none/ { alias @DIR@/html/; compression_dictionary $arg_none; }"
               "location = /text { return 200 text; } location /list/ { alias @DIR@/html/; autoindex on; }");
    const char *value = "match=\"/*.js\", match-dest=(\"script\" \"worker\"), id=\"a \\\"b\"";
    expect_use("GET", "/a.js", "", 200, value);
    expect_use("HEAD", "/a.js", "", 200, value);
    expect_use("GET", "/a.js", "If-None-Match: *\r\n", 304, value);
    expect_use("GET", "/a.js", "Range: bytes=0-1\r\n", 206, NULL);
    expect_use("GET", "/a.js", "Range: bytes=100-\r\n", 416, NULL);
    expect_use("GET", "/gone.js", "", 404, NULL);
    expect_use("GET", "/text", "", 200, NULL);
    expect_use("GET", "/list/", "", 200, NULL);
    expect_use("GET", "/uri/a.js", "", 200, "match=\"/uri/a.js\"");
    expect_use("GET", "/uri/b%20%22%5C%C3%A9.js", "", 200, "match=\"/uri/b \\\"\\\\%C3%A9.js\"");
    expect_use("GET", "/off/a.js", "", 200, NULL);
    expect_use("GET", "/none/a.js", "", 200, NULL);
    expect_use("GET", "/none/a.js?none=x", "", 200, "match=\"x\"");
}
END_TEST

START_TEST(configuration)
{
    expect_conf_server("compression_dictionary /a id=x match-dest=a;", NULL);
    expect_conf_server("compression_dictionary /a off;", "invalid parameter \"off\"");
    expect_conf_server("compression_dictionary '/(a|b)';", "invalid pattern");
    expect_conf_server("compression_dictionary '';", "invalid pattern");
    expect_conf_server("compression_dictionary \xc3\xa9;", "invalid pattern");
    expect_conf_server("compression_dictionary /a match-dest=;", "must name destinations");
    expect_conf_server("compression_dictionary /a match-dest='a\"';", "invalid destination");
    expect_conf_server("compression_dictionary /a id=;", "\"id=\" must be");
    expect_conf_server("compression_dictionary /a ttl=5;", "invalid parameter");
    expect_conf_server("dictionary_static always;", "it must be \"on\" or \"off\"");
}
END_TEST

Suite *suite_dictionary(void)
{
    Suite *s = suite_create("dictionary");
    if (on_nginx())
        return s;
    TCase *tc = site_case_with(s, "dictionary", 60, write_files);
    tcase_add_loop_test(tc, the_one_that_the_client_can_decode, 0, sizeof caches / sizeof *caches);
    tcase_add_test(tc, a_huge_field);
    tcase_add_test(tc, heads_that_do_not_fit);
    tcase_add_loop_test(tc, files_that_change, 0, sizeof caches / sizeof *caches);
    tcase_add_loop_test(tc, tags, 0, 2);
    tcase_add_test(tc, conditions);
    tcase_add_test(tc, ranges_and_heads);
    tcase_add_loop_test(tc, digests, 0, sizeof caches / sizeof *caches);
    tcase_add_test(tc, bytes_stay_as_they_are);
    tcase_add_test(tc, only_over_tls);
    tcase_add_plain_test(tc, explained, "explain is told a plain address");
    tcase_add_test(tc, files_become_dictionaries);
    tcase_add_test(tc, configuration);
    return s;
}
