/* test_registry.c - oci_layout by raw requests: what each URI of a registry answers, what never gets
 * out, and that an answer is never older than the layout. Digests are made up: nobody hashes. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INDEX     "application/vnd.oci.image.index.v1+json"
#define MANIFEST  "application/vnd.oci.image.manifest.v1+json"
#define AT_V2     "location /v2/ { oci_layout @DIR@/images; } "
#define IMMUTABLE "max-age=31536000, immutable"

enum { LARGE = 3000001 };

/* "sha256:" and a letter 64 times, in one of a few buffers that take turns. */
static const char *digest(char letter)
{
    static char texts[8][72];
    static unsigned next;
    char *text = texts[next++ % 8];

    strcpy(text, "sha256:");
    memset(text + 7, letter, 64);
    text[71] = '\0';
    return text;
}

static const char *entry(const char *type, char letter, const char *tag)
{
    static char texts[8][512];
    static unsigned next;
    char *text = texts[next++ % 8], named[200] = "";

    if (tag)
        snprintf(named, sizeof named, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}", tag);
    snprintf(text, sizeof texts[0], "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":9%s}", type, digest(letter),
             named);
    return text;
}

static const char *blob_name(const char *layout, char letter)
{
    return site_path("%s/blobs/sha256/%s", layout, digest(letter) + 7);
}

static void write_index(const char *path, const char *entries)
{
    char text[8192];

    snprintf(text, sizeof text, "{\"schemaVersion\":2,\"manifests\":[%s]}", entries);
    site_write(path, text);
}

/* team/app: v1 is a, v2 an index c of a and b; b has the referrers d and e; f is a large blob. */
static void make_layout(void)
{
    char text[4096];

    site_write("images/team/app/oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    snprintf(text, sizeof text, "%s,%s,%s,%s", entry(MANIFEST, 'a', "v1"), entry(INDEX, 'c', "v2"),
             entry(MANIFEST, 'd', NULL), entry(MANIFEST, 'e', NULL));
    write_index("images/team/app/index.json", text);
    site_write(blob_name("images/team/app", 'a'), "{\"a\":1}\n");
    site_write(blob_name("images/team/app", 'b'), "{\"b\":1}\n");
    snprintf(text, sizeof text, "%s,%s", entry(MANIFEST, 'a', NULL), entry(MANIFEST, 'b', NULL));
    write_index(blob_name("images/team/app", 'c'), text);
    snprintf(text, sizeof text, "{\"artifactType\":\"application/sig\",\"subject\":{\"digest\":\"%s\"}}", digest('b'));
    site_write(blob_name("images/team/app", 'd'), text);
    snprintf(text, sizeof text, "{\"artifactType\":\"application/sbom+json\",\"subject\":{\"digest\":\"%s\"}}",
             digest('b'));
    site_write(blob_name("images/team/app", 'e'), text);
    site_pattern(blob_name("images/team/app", 'f'), LARGE);
}

static const char *uri(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *uri(const char *format, ...)
{
    static char texts[4][512];
    static unsigned next;
    char *text = texts[next++ % 4];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof texts[0], format, args);
    va_end(args);
    return text;
}

static void expect_error(const char *method, const char *target, int status, const char *code)
{
    struct site_response r;
    char text[100];

    site_request(&r, method, target, "");
    ck_assert_msg(r.status == status, "%s %s: %d, not %d", method, target, r.status, status);
    assert_header(&r, "Content-Type", "application/json");
    snprintf(text, sizeof text, "{\"errors\":[{\"code\":\"%s\",\"message\":\"", code);
    ck_assert_msg(strncmp(r.body, text, strlen(text)) == 0, "%s %s: %s", method, target, r.body);
    site_response_free(&r);
}

/* ---- answers ---- */

START_TEST(base)
{
    struct site_response r;

    site_serve(AT_V2);
    site_get(&r, "/v2/");
    ck_assert_int_eq(r.status, 200);
    ck_assert_str_eq(r.body, "{}\n");
    assert_header(&r, "Content-Type", "application/json");
    assert_header(&r, "Docker-Distribution-API-Version", "registry/2.0");
    site_response_free(&r);
}
END_TEST

static const struct {
    const char *by;
    char letter;
    const char *type, *cache; /* by digest: NULL */
} manifests[] = {
    {"v1", 'a', MANIFEST, "no-cache"}, {"v2", 'c', INDEX, "no-cache"}, {NULL, 'a', MANIFEST, IMMUTABLE},
    {NULL, 'b', MANIFEST, IMMUTABLE},  {NULL, 'c', INDEX, IMMUTABLE},
};

START_TEST(manifest)
{
    const char *by = manifests[_i].by ? manifests[_i].by : digest(manifests[_i].letter), *target;
    char tag[100];
    size_t len;

    snprintf(tag, sizeof tag, "\"%s\"", digest(manifests[_i].letter));
    site_serve(AT_V2);
    target = uri("/v2/team/app/manifests/%s", by);
    char *bytes = site_read(blob_name("images/team/app", manifests[_i].letter), &len);
    for (unsigned head = 0; head < 3; head++) { /* the third has If-None-Match */
        struct site_response r;
        char field[200];
        snprintf(field, sizeof field, "If-None-Match: %s\r\n", tag);
        site_request(&r, head == 1 ? "HEAD" : "GET", target, head == 2 ? field : "");
        ck_assert_int_eq(r.status, head == 2 ? 304 : 200);
        ck_assert_uint_eq(r.len, head ? 0 : len);
        ck_assert(head || memcmp(r.body, bytes, len) == 0);
        assert_header(&r, "Content-Type", head == 2 ? NULL : manifests[_i].type);
        assert_header(&r, "ETag", tag);
        assert_header(&r, "Docker-Content-Digest", digest(manifests[_i].letter));
        assert_header(&r, "Cache-Control", manifests[_i].cache);
        assert_header(&r, "Last-Modified", NULL);
        site_response_free(&r);
    }
    free(bytes);
}
END_TEST

/* From the page cache and past it. */
static const char *const ways[] = {AT_V2, "directio 4k; " AT_V2, "open_file_cache max=10; " AT_V2,
                                   "root_confine on; " AT_V2, "gzip_static always; expires 1h; " AT_V2};

START_TEST(blob)
{
    struct site_client c;
    struct site_response r;

    site_serve(ways[_i]);
    client_open(&c, site_port(0));
    client_say(&c, "GET /v2/team/app/blobs/%s HTTP/1.1\r\nHost: h\r\n\r\n", digest('f'));
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Type", "application/octet-stream");
    assert_header(&r, "Content-Length", "3000001");
    assert_header(&r, "Docker-Content-Digest", digest('f'));
    assert_header(&r, "Cache-Control", IMMUTABLE);
    assert_header(&r, "Expires", NULL);
    assert_header(&r, "Accept-Ranges", "bytes");
    site_response_free(&r);
    client_expect_pattern(&c, 0, LARGE);
    client_close(&c);
    client_open(&c, site_port(0));
    client_say(&c, "GET /v2/team/app/blobs/%s HTTP/1.1\r\nHost: h\r\nRange: bytes=1000001-\r\nIf-Range: \"%s\"\r\n\r\n",
               digest('f'), digest('f'));
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 206);
    assert_header(&r, "Content-Range", "bytes 1000001-3000000/3000001");
    assert_header(&r, "Docker-Content-Digest", digest('f'));
    site_response_free(&r);
    client_expect_pattern(&c, 1000001, LARGE - 1000001);
    client_close(&c);
}
END_TEST

START_TEST(blob_head_and_range_beyond)
{
    struct site_response r;

    site_serve(AT_V2);
    site_request(&r, "HEAD", uri("/v2/team/app/blobs/%s", digest('f')), "");
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "Content-Length", "3000001");
    assert_header(&r, "Docker-Content-Digest", digest('f'));
    site_response_free(&r);
    site_request(&r, "GET", uri("/v2/team/app/blobs/%s", digest('f')), "Range: bytes=3000001-\r\n");
    ck_assert_int_eq(r.status, 416);
    assert_header(&r, "Content-Range", "bytes */3000001");
    assert_header(&r, "Docker-Content-Digest", NULL);
    assert_header(&r, "Cache-Control", NULL);
    site_response_free(&r);
    site_request(&r, "GET", uri("/v2/team/app/blobs/%s", digest('f')), "If-Match: \"other\"\r\n");
    ck_assert_int_eq(r.status, 412);
    site_response_free(&r);
}
END_TEST

static const struct {
    const char *query, *tags, *link;
} pages[] = {
    {"", "\"v1\",\"v2\"", NULL},
    {"?n=2", "\"v1\",\"v2\"", NULL},
    {"?n=1", "\"v1\"", "</v2/team/app/tags/list?n=1&last=v1>; rel=\"next\""},
    {"?n=1&last=v1", "\"v2\"", NULL},
    {"?last=v1", "\"v2\"", NULL},
    {"?last=v2&n=5", "", NULL},
    {"?last=a&n=1", "\"v1\"", "</v2/team/app/tags/list?n=1&last=v1>; rel=\"next\""},
    {"?n=0", "", NULL},
    {"?n=18446744073709551615", "\"v1\",\"v2\"", NULL},
    {"?last=%22", "\"v1\",\"v2\"", NULL},
};

START_TEST(tags)
{
    char body[200];

    site_serve(AT_V2);
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        struct site_response r;
        site_get(&r, uri("/v2/team/app/tags/list%s", pages[i].query));
        snprintf(body, sizeof body, "{\"name\":\"team/app\",\"tags\":[%s]}\n", pages[i].tags);
        ck_assert_int_eq(r.status, 200);
        ck_assert_str_eq(r.body, body);
        assert_header(&r, "Content-Type", "application/json");
        assert_header(&r, "Link", pages[i].link);
        site_response_free(&r);
    }
    expect_error("GET", "/v2/team/app/tags/list?n=x", 400, "PAGINATION_NUMBER_INVALID");
}
END_TEST

static const struct {
    char subject;
    const char *query, *letters; /* of the referrers */
    bool filtered;
} referred[] = {
    {'b', "", "de", false},
    {'b', "?artifactType=application/sig", "d", true},
    {'b', "?artifactType=application%2Fsbom%2Bjson", "e", true},
    {'b', "?artifactType=application/none", "", true},
    {'a', "", "", false},
    {'0', "", "", false},
};

START_TEST(referrers)
{
    site_serve(AT_V2);
    for (size_t i = 0; i < sizeof referred / sizeof *referred; i++) {
        struct site_response r;
        site_get(&r, uri("/v2/team/app/referrers/%s%s", digest(referred[i].subject), referred[i].query));
        ck_assert_int_eq(r.status, 200);
        assert_header(&r, "Content-Type", INDEX);
        assert_header(&r, "OCI-Filters-Applied", referred[i].filtered ? "artifactType" : NULL);
        ck_assert_uint_eq(count_text(r.body, "\"digest\""), strlen(referred[i].letters));
        for (const char *c = referred[i].letters; *c; c++)
            ck_assert_msg(strstr(r.body, digest(*c)) != NULL, "%s", r.body);
        site_response_free(&r);
    }
    expect_error("GET", "/v2/team/app/referrers/sha256:x", 400, "DIGEST_INVALID");
}
END_TEST

static const struct {
    const char *method, *target; /* @: sixty-four zeros */
    int status;
    const char *code;
} errors[] = {
    {"GET", "/v2/team/app/manifests/v3", 404, "MANIFEST_UNKNOWN"},
    {"GET", "/v2/team/app/manifests/.v3", 404, "MANIFEST_UNKNOWN"},
    {"GET", "/v2/team/app/manifests/sha256:@", 404, "MANIFEST_UNKNOWN"},
    {"GET", "/v2/team/app/manifests/sha256:0", 400, "DIGEST_INVALID"},
    {"GET", "/v2/team/app/blobs/sha256:@", 404, "BLOB_UNKNOWN"},
    {"GET", "/v2/team/app/blobs/sha512:@@", 404, "BLOB_UNKNOWN"},
    {"GET", "/v2/team/app/blobs/sha256:..%2f..%2findex.json", 400, "DIGEST_INVALID"},
    {"GET", "/v2/team/app/blobs/v1", 400, "DIGEST_INVALID"},
    {"GET", "/v2/team/app/blobs/md5:0", 400, "DIGEST_INVALID"},
    {"GET", "/v2/team/blobs/sha256:@", 404, "NAME_UNKNOWN"},
    {"GET", "/v2/team/manifests/v1", 404, "NAME_UNKNOWN"},
    {"GET", "/v2/none/manifests/v1", 404, "NAME_UNKNOWN"},
    {"GET", "/v2/none/tags/list", 404, "NAME_UNKNOWN"},
    {"GET", "/v2/none/referrers/sha256:@", 404, "NAME_UNKNOWN"},
    {"GET", "/v2/Team/app/manifests/v1", 404, "NAME_INVALID"},
    {"GET", "/v2/team/.app/tags/list", 404, "NAME_INVALID"},
    {"GET", "/v2/_catalog", 404, "NAME_UNKNOWN"},
    {"GET", "/v2/team/app/index.json", 404, "NAME_UNKNOWN"},
    {"POST", "/v2/team/app/blobs/uploads/", 405, "UNSUPPORTED"},
    {"PUT", "/v2/team/app/manifests/v1", 405, "UNSUPPORTED"},
    {"DELETE", "/v2/team/app/manifests/v1", 405, "UNSUPPORTED"},
    {"PATCH", "/v2/team/app/blobs/uploads/1", 405, "UNSUPPORTED"},
};

START_TEST(refusals)
{
    site_serve("error_page 404 405 /page; " AT_V2);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        char target[512], *to = target;
        for (const char *c = errors[i].target; *c; c++)
            to += *c == '@' ? sprintf(to, "%064d", 0) : sprintf(to, "%c", *c);
        expect_error(errors[i].method, target, errors[i].status, errors[i].code);
    }
    struct site_response r;
    site_request(&r, "PUT", "/v2/team/app/manifests/v1", "Content-Length: 0\r\n");
    assert_header(&r, "Allow", "GET, HEAD");
    site_response_free(&r);
    expect_status("/v2/%2e%2e/images/team/app/index.json", 404);
    site_request(&r, "HEAD", "/v2/team/app/manifests/v3", "");
    ck_assert_int_eq(r.status, 404);
    site_response_free(&r);
}
END_TEST

/* ---- places ---- */

static void expect_v1(const char *name, const char *body)
{
    expect_body(uri("/v2/%s/manifests/v1", name), body);
}

START_TEST(places)
{
    site_serve("oci_layout @DIR@/images; location /v2/one/ { oci_layout @DIR@/images/team/app name=one/app; } "
               "location /v2/var/ { set $part team; oci_layout images/$part name=var; } "
               "location /v2/if/ { oci_layout @DIR@/images/team/app name=if/app; if ($arg_x) { add_header X y; } } "
               "location /v2/team/app/here/ { return 200 here; }");
    expect_v1("team/app", "{\"a\":1}\n");
    expect_v1("one/app", "{\"a\":1}\n");
    expect_error("GET", "/v2/one/other/manifests/v1", 404, "NAME_UNKNOWN");
    expect_error("GET", "/v2/var/manifests/v1", 404, "NAME_UNKNOWN"); /* images/team is no layout */
    expect_body("/v2/if/app/manifests/v1?x=1", "{\"a\":1}\n");
    expect_body("/v2/team/app/here/", "here");
}
END_TEST

START_TEST(words)
{
    expect_conf_server("location / { oci_layout images; }", NULL);
    expect_conf_server("oci_layout images name=a/b;", NULL);
    expect_conf_server("oci_layout images name=A;", "invalid name of a repository \"A\"");
    expect_conf_server("oci_layout images name=;", "invalid name of a repository \"\"");
    expect_conf_server("oci_layout images other;", "invalid parameter \"other\"");
    expect_conf_server("oci_layout;", "invalid number of arguments in \"oci_layout\" directive");
    expect_conf_server("location / { oci_layout a; oci_layout b; }", "\"oci_layout\" directive is duplicate");
    expect_conf_http("oci_layout images; server { }", "\"oci_layout\" directive is not allowed here");
}
END_TEST

/* Links lead where the location lets them. */
START_TEST(links)
{
    char outside[512], inside[512];

    site_write("outside/secret", "secret\n");
    snprintf(outside, sizeof outside, "%s", site_path("outside/secret"));
    snprintf(inside, sizeof inside, "%s", blob_name("images/team/app", '1'));
    ck_assert_int_eq(symlink(outside, inside), 0);
    ck_assert_int_eq(symlink("../../../..", site_path("images/up")), 0);
    site_conf("@MAIN@\nlandlock_read @DIR@;\nevents { }\nhttp {\n@HTTP@\nserver {\nlisten 127.0.0.1:@PORT@;\n"
              "location /free/ { rewrite ^/free(.*) /v2$1 break; oci_layout @DIR@/images; }\n"
              "location /closed/ { rewrite ^/closed(.*) /v2$1 break; oci_layout @DIR@/images; root_confine on; }\n"
              "location /strict/ { rewrite ^/strict(.*) /v2$1 break; oci_layout @DIR@/images; disable_symlinks on; }\n"
              "}\n}\n");
    site_start();
    expect_body(uri("/free/team/app/blobs/%s", digest('1')), "secret\n");
    expect_error("GET", uri("/closed/team/app/blobs/%s", digest('1')), 403, "DENIED");
    expect_error("GET", uri("/strict/team/app/blobs/%s", digest('1')), 403, "DENIED");
    expect_error("GET", "/closed/up/tags/list", 403, "DENIED");
    expect_body("/closed/team/app/manifests/v1", "{\"a\":1}\n");
    expect_body("/strict/team/app/manifests/v1", "{\"a\":1}\n");
}
END_TEST

/* ---- what changes ---- */

static void become(const char *entries, bool in_place)
{
    char from[512];

    if (in_place) {
        write_index("images/team/app/index.json", entries);
        return;
    }
    write_index("images/team/app/index.new", entries);
    snprintf(from, sizeof from, "%s", site_path("images/team/app/index.new"));
    ck_assert_int_eq(rename(from, site_path("images/team/app/index.json")), 0);
}

/* A tag moves fifty times; whatever is kept, the next answer has it where it is. */
START_TEST(tags_that_move)
{
    site_serve(AT_V2);
    expect_v1("team/app", "{\"a\":1}\n");
    for (unsigned i = 0; i < 50; i++) {
        become(entry(MANIFEST, i % 2 ? 'a' : 'b', "v1"), _i);
        expect_v1("team/app", i % 2 ? "{\"a\":1}\n" : "{\"b\":1}\n");
        expect_status(uri("/v2/team/app/manifests/%s", digest(i % 2 ? 'b' : 'a')), 404);
    }
    become(entry(MANIFEST, 'b', "v2"), _i);
    expect_body("/v2/team/app/tags/list", "{\"name\":\"team/app\",\"tags\":[\"v2\"]}\n");
}
END_TEST

/* One that is old enough to be kept: read once, and anew when it changes. */
START_TEST(old_layout)
{
    site_set_mtime("images/team/app/index.json", 1000000000);
    site_serve(AT_V2);
    sleep_msec(2100); /* until its inode is older than two seconds */
    for (unsigned i = 0; i < 3; i++)
        expect_v1("team/app", "{\"a\":1}\n");
    expect_status(uri("/v2/team/app/referrers/%s", digest('b')), 200);
    expect_status(uri("/v2/team/app/referrers/%s", digest('b')), 200);
    expect_v1("team/app", "{\"a\":1}\n");
    become(entry(MANIFEST, 'b', "v1"), false);
    site_set_mtime("images/team/app/index.json", 1000000000);
    expect_v1("team/app", "{\"b\":1}\n");
}
END_TEST

START_TEST(missing_and_broken)
{
    struct site_response r;
    char text[1024];

    snprintf(text, sizeof text, "%s,%s", entry(MANIFEST, '2', "v1"), entry(INDEX, '3', "v2"));
    become(text, false);
    site_serve(AT_V2);
    expect_error("GET", "/v2/team/app/manifests/v1", 404, "MANIFEST_UNKNOWN");
    expect_error("GET", "/v2/team/app/manifests/v2", 404, "MANIFEST_UNKNOWN");
    site_write(blob_name("images/team/app", '2'), "{\"2\":1}\n");
    expect_v1("team/app", "{\"2\":1}\n");
    site_write("images/team/app/index.json", "{\"manifests\":");
    site_get(&r, "/v2/team/app/manifests/v1");
    ck_assert_int_eq(r.status, 500);
    site_response_free(&r);
    free(log_await("logs/error.log", "or its oci-layout is not of an OCI image layout"));
    become(entry(MANIFEST, 'a', "v1"), false);
    expect_v1("team/app", "{\"a\":1}\n");
    ck_assert_int_eq(unlink(site_path("images/team/app/index.json")), 0);
    expect_error("GET", "/v2/team/app/manifests/v1", 404, "NAME_UNKNOWN");
    expect_status(uri("/v2/team/app/blobs/%s", digest('a')), 200);
}
END_TEST

/* A crowd asks for what has to be read, and half of it goes away. */
START_TEST(crowd)
{
    enum { CLIENTS = 40 };
    struct site_client c[CLIENTS];

    char *text = malloc(300 * 4000 + 1), *to = text;
    ck_assert_ptr_nonnull(text);
    for (unsigned i = 0; i < 4000; i++)
        to += sprintf(to, "%s{\"mediaType\":\"" MANIFEST "\",\"digest\":\"sha256:%064u\",\"size\":1}", i ? "," : "", i);
    char *all = NULL;
    ck_assert_int_gt(asprintf(&all, "{\"manifests\":[%s,%s]}", text, entry(MANIFEST, 'a', "v1")), 0);
    site_write("images/team/app/index.json", all);
    free(all);
    free(text);
    site_serve(AT_V2);
    for (unsigned i = 0; i < CLIENTS; i++) {
        client_open(&c[i], site_port(0));
        client_say(&c[i], "GET /v2/team/app/%s HTTP/1.1\r\nHost: h\r\n\r\n",
                   i % 4 == 3 ? uri("referrers/%s", digest('b')) : "manifests/v1");
    }
    for (unsigned i = 0; i < CLIENTS; i += 2)
        client_close(&c[i]);
    for (unsigned i = 1; i < CLIENTS; i += 2) {
        struct site_response r;
        ck_assert(client_receive(&c[i], &r));
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
        client_close(&c[i]);
    }
    expect_v1("team/app", "{\"a\":1}\n");
}
END_TEST

START_TEST(explained)
{
    struct site_run run;
    char file[512], uri_asked[] = "/v2/team/app/manifests/v1";
    char *argv[] = {(char *)"sluice", (char *)"explain", (char *)"-c", file, uri_asked, NULL};

    site_conf_server("etag content; " AT_V2);
    snprintf(file, sizeof file, "%s", site_path("sluice.conf"));
    site_run_bare(&run, argv);
    ck_assert_msg(run.status == 0, "%s", run.err);
    ck_assert_msg(strstr(run.out, "the digest that it was asked for by") != NULL, "%s", run.out);
    ck_assert_msg(strstr(run.out, digest('a') + 7) != NULL, "%s", run.out);
}
END_TEST

Suite *suite_registry(void)
{
    Suite *s = suite_create("registry");
    TCase *t = site_case_with(s, "answers", 20, make_layout);
    tcase_add_test(t, base);
    tcase_add_loop_test(t, manifest, 0, sizeof manifests / sizeof *manifests);
    tcase_add_loop_test(t, blob, 0, sizeof ways / sizeof *ways);
    tcase_add_test(t, blob_head_and_range_beyond);
    tcase_add_test(t, tags);
    tcase_add_test(t, referrers);
    tcase_add_test(t, refusals);
    t = site_case_with(s, "places", 20, make_layout);
    tcase_add_test(t, places);
    tcase_add_test(t, words);
    tcase_add_test(t, links);
    tcase_add_test(t, explained);
    t = site_case_with(s, "changes", 20, make_layout);
    tcase_add_loop_test(t, tags_that_move, 0, 2);
    tcase_add_test(t, old_layout);
    tcase_add_test(t, missing_and_broken);
    tcase_add_test(t, crowd);
    return s;
}
