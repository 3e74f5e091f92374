/* test_variants.c - gzip_static, brotli_static, zstd_static: who gets which side file, and what the
 * head says of it. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MTIME = 1600000000 };

/* What side files hold is never looked at: here it names them. */
static void write_files(void)
{
    site_write("html/a.txt", "plain a\n");
    site_write("html/a.txt.gz", "GZIP of a, of its own length\n");
    site_write("html/a.txt.br", "BROTLI of a\n");
    site_write("html/a.txt.zst", "ZSTANDARD of a\n");
    site_write("html/gz.txt", "plain gz\n");
    site_write("html/gz.txt.gz", "GZIP of gz\n");
    site_write("html/none.txt", "plain none\n");
    site_write("html/only.txt.gz", "GZIP alone\n");
    site_write("html/dir.txt", "plain dir\n");
    site_mkdir("html/dir.txt.gz");
    site_write("html/index.html", "plain index\n");
    site_write("html/index.html.gz", "GZIP of index\n");
    site_set_mtime("html/a.txt", MTIME);
    site_set_mtime("html/a.txt.gz", MTIME + 16);
}

/* A request; "" for no Accept-Encoding. */
static void ask(struct site_response *r, const char *target, const char *accept, const char *more)
{
    char fields[512] = "";
    if (*accept)
        snprintf(fields, sizeof fields, "Accept-Encoding: %s\r\n", accept);
    strncat(fields, more, sizeof fields - strlen(fields) - 1);
    site_request(r, "GET", target, fields);
}

/* The first word of the body, and Vary. */
static void expect(const char *target, const char *accept, const char *word, bool vary)
{
    struct site_response r;
    ask(&r, target, accept, "");
    const char *coding = !strcmp(word, "GZIP")        ? "gzip"
                         : !strcmp(word, "BROTLI")    ? "br"
                         : !strcmp(word, "ZSTANDARD") ? "zstd"
                                                      : NULL;
    ck_assert_msg(!strncmp(r.body, word, strlen(word)), "%s for \"%s\": %s, not %s", target, accept, r.body, word);
    assert_header(&r, "Content-Encoding", coding);
    assert_header(&r, "Vary", vary ? "Accept-Encoding" : NULL);
    if (r.status == 200)
        assert_header(&r, "Content-Type", "text/plain");
    site_response_free(&r);
}

static const struct {
    const char *accept, *word;
} choices[] = {
    {"", "plain"},
    {"gzip", "GZIP"},
    {"gzip, deflate, br", "BROTLI"},
    {"gzip, deflate, br, zstd", "BROTLI"},
    {"gzip, zstd", "ZSTANDARD"},
    {"gzip;q=1, br;q=0.5", "GZIP"},
    {"zstd;q=0.9, br;q=0.8", "ZSTANDARD"},
    {"br;q=0, *", "ZSTANDARD"},
    {"*;q=0", "plain"},
    {"identity", "plain"},
    {"gzip;q=0", "plain"},
    {"gzip;q=0.5, identity;q=0.8", "plain"},
    {"gzip;q=0.5, identity;q=0.5", "GZIP"},
};

START_TEST(best_liked_one)
{
    site_serve("gzip_static on; brotli_static on; zstd_static on; default_type text/plain;");
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
        expect("/a.txt", choices[i].accept, choices[i].word, true);
    expect("/gz.txt", "gzip, br, zstd", "GZIP", false); /* without gzip_vary, as nginx; no other is there */
    expect("/none.txt", "gzip, br, zstd", "plain", false);
    expect("/only.txt", "gzip", "GZIP", false);
    ck_assert_int_eq(site_status_of("/only.txt"), 404);
    expect("/dir.txt", "gzip", "plain", false);
}
END_TEST

START_TEST(gzip_alone)
{
    site_serve("gzip_static on; default_type text/plain; location /off/ { alias @DIR@/html/; gzip_static off; }");
    expect("/gz.txt", "gzip", "GZIP", false);
    expect("/gz.txt", "", "plain", false);
    expect("/a.txt", "gzip, br, zstd", "GZIP", false);
    expect("/off/gz.txt", "gzip", "plain", false);
    struct site_response r;
    ask(&r, "/", "gzip", "");
    ck_assert_str_eq(r.body, "GZIP of index\n");
    assert_header(&r, "Content-Type", "text/html");
    site_response_free(&r);
}
END_TEST

/* Also the answer that has no coding says that others may get another one, and the 404 where only
 * the side file is there. */
START_TEST(vary)
{
    site_serve("gzip_static on; gzip_vary on; default_type text/plain;");
    expect("/gz.txt", "gzip", "GZIP", true);
    expect("/gz.txt", "", "plain", true);
    expect("/none.txt", "gzip", "plain", false);
    struct site_response r;
    site_get(&r, "/only.txt");
    ck_assert_int_eq(r.status, 404);
    assert_header(&r, "Vary", "Accept-Encoding");
    site_response_free(&r);
    ask(&r, "/gz.txt", "gzip", "If-None-Match: *\r\n");
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "Vary", "Accept-Encoding");
    site_response_free(&r);
}
END_TEST

START_TEST(always)
{
    site_serve("gzip_static always; gzip_vary on; default_type text/plain;"
               "location /br/ { alias @DIR@/html/; brotli_static on; }");
    expect("/gz.txt", "", "GZIP", false);
    expect("/gz.txt", "gzip;q=0", "GZIP", false);
    expect("/only.txt", "", "GZIP", false);
    expect("/none.txt", "", "plain", false);
    if (on_nginx())
        return;
    expect("/br/a.txt", "br", "BROTLI", true);
    expect("/br/a.txt", "", "GZIP", true);
    expect("/br/gz.txt", "br", "GZIP", false);
}
END_TEST

/* The side file's own validators, dates and bytes; the original's type. */
START_TEST(head_of_a_side_file)
{
    site_serve("gzip_static on; types { text/x-a txt; application/gzip gz; } add_header X-A 1;");
    struct site_response r;
    char date[30];
    ask(&r, "/a.txt", "gzip", "");
    assert_header(&r, "Content-Type", "text/x-a");
    assert_header(&r, "Content-Length", "29");
    assert_header(&r, "ETag", on_nginx() ? "\"5f5e1010-1d\"" : "\"5f5e1010-1d-gz\"");
    http_date(date, MTIME + 16);
    assert_header(&r, "Last-Modified", date);
    if (!on_nginx())
        assert_header(&r, "Accept-Ranges", "bytes");
    const char *etag = strstr(r.head, "ETag"), *coding = strstr(r.head, "Content-Encoding"),
               *added = strstr(r.head, "X-A");
    ck_assert(etag < coding && coding < added);
    site_response_free(&r);

    ask(&r, "/a.txt", "gzip", "If-None-Match: \"5f5e1000-8\"\r\n"); /* the original's */
    ck_assert_int_eq(r.status, 200);
    site_response_free(&r);
    ask(&r, "/a.txt", "gzip", "If-None-Match: \"5f5e1010-1d\", \"5f5e1010-1d-gz\"\r\n");
    ck_assert_int_eq(r.status, 304);
    assert_header(&r, "ETag", on_nginx() ? "\"5f5e1010-1d\"" : "\"5f5e1010-1d-gz\"");
    assert_header(&r, "Content-Encoding", NULL);
    site_response_free(&r);
    ask(&r, "/a.txt", "gzip", "If-Match: \"5f5e1000-8\"\r\n");
    ck_assert_int_eq(r.status, 412);
    assert_header(&r, "Content-Encoding", NULL);
    site_response_free(&r);
    site_request(&r, "HEAD", "/a.txt", "Accept-Encoding: gzip\r\n");
    assert_header(&r, "Content-Length", "29");
    assert_header(&r, "Content-Encoding", "gzip");
    site_response_free(&r);
    site_request(&r, "POST", "/a.txt", "Accept-Encoding: gzip\r\n");
    ck_assert_int_eq(r.status, 405);
    site_response_free(&r);
}
END_TEST

START_TEST(ranges_of_a_side_file)
{
    site_serve("gzip_static on;");
    struct site_response r;
    if (on_nginx())
        return; /* has none */
    ask(&r, "/a.txt", "gzip", "Range: bytes=0-3\r\n");
    ck_assert_int_eq(r.status, 206);
    ck_assert_str_eq(r.body, "GZIP");
    assert_header(&r, "Content-Range", "bytes 0-3/29");
    assert_header(&r, "Content-Encoding", "gzip");
    site_response_free(&r);
    ask(&r, "/a.txt", "gzip", "Range: bytes=0-3\r\nIf-Range: \"5f5e1000-8\"\r\n");
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(r.len, 29);
    site_response_free(&r);
    ask(&r, "/a.txt", "gzip", "Range: bytes=29-\r\n");
    ck_assert_int_eq(r.status, 416);
    assert_header(&r, "Content-Range", "bytes */29");
    assert_header(&r, "Content-Encoding", NULL);
    site_response_free(&r);
}
END_TEST

START_TEST(conditions_of_gzip)
{
    site_serve("gzip_static on; gzip_disable \"^old\" msie6; default_type text/plain;"
               "location /old/ { alias @DIR@/html/; gzip_http_version 1.0; }"
               "location /via/ { alias @DIR@/html/; gzip_proxied any; }"
               "location /auth/ { alias @DIR@/html/; gzip_proxied auth; }");
    static const struct {
        const char *target, *fields, *word;
    } rows[] = {
        {"/gz.txt", "User-Agent: OLD 1\r\n", "plain"},
        {"/gz.txt", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)\r\n", "plain"},
        {"/gz.txt", "User-Agent: Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)\r\n", "GZIP"},
        {"/gz.txt", "User-Agent: Mozilla/4.0 (compatible; MSIE 8.0)\r\n", "GZIP"},
        {"/gz.txt", "Via: 1.1 x\r\n", "plain"},
        {"/via/gz.txt", "Via: 1.1 x\r\n", "GZIP"},
        {"/auth/gz.txt", "Via: 1.1 x\r\nAuthorization: Basic eDp5\r\n", "GZIP"},
    };
    struct site_response r;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ask(&r, rows[i].target, "gzip", rows[i].fields);
        ck_assert_msg(!strncmp(r.body, rows[i].word, strlen(rows[i].word)), "%s %s: %s", rows[i].target, rows[i].fields,
                      r.body);
        site_response_free(&r);
    }
    static const char *const targets[] = {"/gz.txt", "/old/gz.txt"};
    for (int i = 0; i < 2; i++) {
        struct site_client c;
        client_open(&c, site_port(0));
        client_say(&c, "GET %s HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n", targets[i]);
        ck_assert(client_receive(&c, &r));
        assert_header(&r, "Content-Encoding", i ? "gzip" : NULL);
        site_response_free(&r);
        client_close(&c);
    }
}
END_TEST

START_TEST(try_files_and_error_pages)
{
    site_serve("gzip_static on; default_type text/plain; location /t/ { try_files /gz.txt =404; }"
               "location /e/ { error_page 404 /gz.txt; root @DIR@/no; }");
    expect("/t/x", "gzip", "GZIP", false);
    expect("/t/x", "", "plain", false);
    expect("/e/x", "gzip", "GZIP", false);
    struct site_response r;
    ask(&r, "/e/x", "gzip", "");
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
}
END_TEST

/* The policy looks at the side file: here its original is too small for O_DIRECT. */
START_TEST(bytes_move_by_the_side_file)
{
    const char *base = *site_disk() ? site_disk() : site_dir();
    char path[4200];
    struct site_response r;
    write_files();
    snprintf(path, sizeof path, "%s/v/x", base);
    site_write(path, "small");
    snprintf(path, sizeof path, "%s/v/x.gz", base);
    site_pattern(path, 200000);
    site_conf_http(
        "log_format m '$request_uri $io_method $body_bytes_sent;'; server { listen 127.0.0.1:@PORT@; root @DISK@/v; "
        "gzip_static on; directio 64k; access_log logs/m.log m; }");
    site_start();
    ask(&r, "/x", "gzip", "");
    ck_assert_uint_eq(r.len, 200000);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
    ask(&r, "/x", "gzip", "Range: bytes=70001-150000\r\n");
    ck_assert_uint_eq(r.len, 80000);
    assert_pattern(r.body, r.len, 70001);
    site_response_free(&r);
    ask(&r, "/x", "", "");
    ck_assert_str_eq(r.body, "small");
    site_response_free(&r);
    char *log = log_await_count("logs/m.log", ";", 3);
    if (*site_disk())
        ck_assert_msg(strstr(log, "/x direct 200000;\n/x direct 80000;\n/x buffered 5;"), "%s", log);
    free(log);
}
END_TEST

/* What is not there is remembered, too. */
START_TEST(absent_side_files_are_cached)
{
    site_serve(
        "gzip_static on; open_file_cache max=100 inactive=1h; open_file_cache_valid 1h; open_file_cache_errors on; "
        "default_type text/plain; location /now/ { alias @DIR@/html/; open_file_cache_errors off; }");
    expect("/none.txt", "gzip", "plain", false);
    expect("/now/none.txt", "gzip", "plain", false);
    site_write("html/none.txt.gz", "GZIP at last\n");
    expect("/none.txt", "gzip", "plain", false);
    if (!on_nginx()) /* the same cache, the same name: nginx shares the entry, too, and so do we */
        expect("/none.txt", "br", "plain", false);
}
END_TEST

/* Both coldly opened, one request after another on one connection. */
START_TEST(pipelined)
{
    site_serve("gzip_static on; brotli_static on;");
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 20; i++)
        client_say(&c, "GET /a.txt HTTP/1.1\r\nHost: a\r\nAccept-Encoding: %s\r\n\r\n", i % 2 ? "br" : "gzip");
    for (int i = 0; i < 20; i++) {
        ck_assert(client_receive(&c, &r));
        ck_assert(!strncmp(r.body, i % 2 && !on_nginx() ? "BROTLI" : "GZIP", 4));
        site_response_free(&r);
    }
    client_close(&c);
}
END_TEST

START_TEST(explained)
{
    struct site_run run;
    char prefix[4096], url[64];
    if (on_nginx())
        return;
    write_files();
    site_conf_server("gzip_static on; brotli_static on; gzip on; gzip_types *; gzip_min_length 5;");
    snprintf(prefix, sizeof prefix, "%s/", site_dir());
    snprintf(url, sizeof url, "http://127.0.0.1:%d/a.txt", site_port(0));
    char *argv[] = {(char *)"sluice",
                    (char *)"explain",
                    (char *)"-p",
                    prefix,
                    (char *)"-c",
                    (char *)"sluice.conf",
                    (char *)"-H",
                    (char *)"Accept-Encoding: gzip, br;q=0",
                    url,
                    NULL};
    argv[5] = (char *)site_path("sluice.conf");
    site_run_bare(&run, argv);
    ck_assert_msg(run.status == 0, "%s%s", run.out, run.err);
    ck_assert_msg(strstr(run.out, "a.txt.gz is there, and the client accepts it"), "%s", run.out);
    ck_assert_msg(strstr(run.out, "a.txt.br is there, so the answer varies; but Accept-Encoding does not accept it"),
                  "%s", run.out);
    ck_assert_msg(strstr(run.out, "Content-Encoding: gzip"), "%s", run.out);
    ck_assert_msg(strstr(run.out, "not compressed: it is compressed already"), "%s", run.out);

    snprintf(url, sizeof url, "http://127.0.0.1:%d/none.txt", site_port(0));
    site_run_bare(&run, argv);
    ck_assert_msg(strstr(run.out, "none.txt.gz: No such file or directory"), "%s", run.out);
    ck_assert_msg(strstr(run.out, "compressed by gzip: the client accepts it"), "%s", run.out);
    argv[7] = (char *)"Accept-Encoding: identity";
    site_run_bare(&run, argv);
    ck_assert_msg(strstr(run.out, "not compressed: Accept-Encoding does not ask for it"), "%s", run.out);
}
END_TEST

START_TEST(bad_lines)
{
    static const char *const bad[] = {"gzip_static yes;", "brotli_static;", "zstd_static on on;", "brotli yes;",
                                      "zstd_comp_level 0;"};
    struct site_run run;
    site_conf_server(bad[_i]);
    site_check(&run);
    ck_assert_int_ne(run.status, 0);
}
END_TEST

Suite *suite_variants(void)
{
    Suite *s = suite_create("variants");
    TCase *tc = site_case_with(s, "variants", 20, write_files);
    tcase_add_test(tc, best_liked_one);
    tcase_add_test(tc, gzip_alone);
    tcase_add_test(tc, vary);
    tcase_add_test(tc, always);
    tcase_add_test(tc, head_of_a_side_file);
    tcase_add_test(tc, ranges_of_a_side_file);
    tcase_add_test(tc, conditions_of_gzip);
    tcase_add_test(tc, try_files_and_error_pages);
    tcase_add_plain_test(tc, bytes_move_by_the_side_file, "TLS takes memory only");
    tcase_add_test(tc, absent_side_files_are_cached);
    tcase_add_test(tc, pipelined);
    if (needs_plain("explained", "TLS takes memory only"))
        tcase_add_tcp_test(tc, explained, "explain is asked with a URL");
    tcase_add_loop_test(tc, bad_lines, 0, 5);
    return s;
}
