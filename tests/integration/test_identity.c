/* test_identity.c - entity tags and digests of content: where they come from, and that nothing is told
 * of a file that is another one by now. RFC 9110, 8.8.3; RFC 9530. */
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define HELLO  "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03" /* of "hello\n" */
#define OTHER  "7e4fa2eb8c7ac089739d5defc4489fad68a100d92082ca35c6b40a4524821f87" /* of "other\n" */
#define PACKED "2b27304023cf0e03f00adcc55f51b2df432f13a25cbdaec08ce49e5f47f08b7a"

static const char hello_tag[] = "\"WJG1tSLV3whtD_CxEPvZ0h\"", other_tag[] = "\"fk-i64x6wIlznV3vxEifrW\"";
static const char hello_field[] = "sha-256=:WJG1tSLV3whtD/CxEPvZ0hu0/HFjrzTQgoai6Eb2vgM=:",
                  other_field[] = "sha-256=:fk+i64x6wIlznV3vxEifrWihANkggso1xrQKRSSCH4c=:";

/* "foo", by gzip. */
static const char packed[] = "\x1f\x8b\x08\0\0\0\0\0\0\x03\x4b\xcb\xcf\x07\0\x21\x65\x73\x8c\x03\0\0\0";

enum { MTIME = 1600000000 };

static void expect_tag(const char *target, const char *fields, const char *tag, const char *digest)
{
    struct site_response r;
    site_request(&r, "GET", target, fields);
    ck_assert_int_eq(r.status, 200);
    assert_header(&r, "ETag", tag);
    assert_header(&r, "Repr-Digest", digest);
    site_response_free(&r);
}

/* False, with a line: the filesystem has no such attributes. */
static bool set_attribute(const char *path, const char *hex, time_t mtime)
{
    char value[200];
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    snprintf(value, sizeof value, "%s %lld %lld.%09ld", hex, (long long)st.st_size, (long long)mtime,
             st.st_mtim.tv_nsec);
    if (setxattr(path, "user.sluice.sha256", value, strlen(value), 0) == 0)
        return true;
    ck_assert_int_eq(errno, EOPNOTSUPP);
    printf("attributes are left out: the filesystem of %s has none\n", path);
    return false;
}

/* ---- sources ---- */

static const char *const caches[] = {"small_file_cache off;", "small_file_cache 16k;", "open_file_cache max=100;",
                                     "open_file_cache max=100; open_file_cache_valid 0s;"};

/* The first source that holds counts, whatever keeps the file, and again and again. */
START_TEST(the_first_that_holds)
{
    char conf[1000];
    if (on_nginx())
        return;
    site_write("html/all.txt", "hello\n");
    site_write("html/two.txt", "hello\n");
    site_write("html/beside.txt", "hello\n");
    site_write("html/none.txt", "hello\n");
    site_write("html/all.txt.etag", "\"beside\"");
    site_write("html/two.txt.etag", "\"beside\"");
    site_write("html/beside.txt.etag", "beside-1\n");
    site_write("list", HELLO "  all.txt\n");
    bool attributes = set_attribute(site_path("html/all.txt"), OTHER, site_mtime("html/all.txt")) &&
                      set_attribute(site_path("html/two.txt"), OTHER, site_mtime("html/two.txt"));
    snprintf(conf, sizeof conf, "etag content; repr_digest on; digest_manifest @DIR@/list; %s", caches[_i]);
    site_serve(conf);
    for (int i = 0; i < 3; i++) {
        expect_tag("/all.txt", "", hello_tag, hello_field);
        if (attributes)
            expect_tag("/two.txt", "", other_tag, other_field);
        else
            expect_tag("/two.txt", "", "\"beside\"", NULL);
        expect_tag("/beside.txt", "", "\"beside-1\"", NULL);
        struct site_response r;
        site_get(&r, "/none.txt");
        ck_assert(strncmp(site_header(&r, "ETag"), "W/\"", 3) == 0);
        assert_header(&r, "Repr-Digest", NULL);
        site_response_free(&r);
    }
}
END_TEST

/* Names are below root or alias, or a prefix in it; replicas whose files have other times agree. */
START_TEST(names_and_replicas)
{
    if (on_nginx())
        return;
    site_write("html/sub/a b.txt", "hello\n");
    site_write("other/sub/a b.txt", "hello\n");
    site_set_mtime("other/sub/a b.txt", MTIME);
    site_write("one", HELLO "  ./sub/a b.txt\n");
    site_write("below", "SHA256 (a b.txt) = " HELLO "\n");
    site_serve_http("etag content;",
                    "digest_manifest @DIR@/one;"
                    "location /other/ { alias @DIR@/other/; }"
                    "location /below/ { alias @DIR@/other/; digest_manifest @DIR@/below prefix=/sub/; }"
                    "location /no/ { alias @DIR@/other/; digest_manifest off; }"
                    "location = /one { alias '@DIR@/other/sub/a b.txt'; }"
                    "location /var/ { root @DIR@/$arg_d; rewrite ^/var(.*) $1 break; }"
                    "location /mtime/ { alias @DIR@/other/; etag mtime; }");
    expect_tag("/sub/a%20b.txt", "", hello_tag, NULL);
    expect_tag("/other/sub/a%20b.txt", "", hello_tag, NULL);
    expect_tag("/below/sub/a%20b.txt", "", hello_tag, NULL);
    expect_tag("/var/sub/a%20b.txt?d=other", "", hello_tag, NULL);
    expect_tag("/mtime/sub/a%20b.txt", "", "\"5f5e1000-6\"", NULL);
    const char *fallback = "W/\"5f5e1000-6\""; /* changed, if not in its time, just now */
    expect_tag("/no/sub/a%20b.txt", "", fallback, NULL);
    expect_tag("/one", "", fallback, NULL); /* it has no name below an alias that is all of it */
}
END_TEST

/* One cache, and one path that locations know by different lists. */
START_TEST(locations_share_a_cache)
{
    if (on_nginx())
        return;
    site_write("html/sub/a.txt", "hello\n");
    site_set_mtime("html/sub/a.txt", MTIME);
    site_write("one", HELLO "  sub/a.txt\n");
    site_write("two", OTHER "  a.txt\n");
    site_serve_http("open_file_cache max=10;",
                    "location / { }"
                    "location /one/ { alias @DIR@/html/; etag content; digest_manifest @DIR@/one; }"
                    "location /two/ { alias @DIR@/html/sub/; etag content; digest_manifest @DIR@/two; }");
    for (int i = 0; i < 2; i++) {
        expect_tag("/sub/a.txt", "", "\"5f5e1000-6\"", NULL);
        expect_tag("/one/sub/a.txt", "", hello_tag, NULL);
        expect_tag("/two/a.txt", "", other_tag, NULL);
    }
}
END_TEST

/* ---- what is stale ---- */

START_TEST(stale_is_told_once)
{
    char conf[1000];
    if (on_nginx())
        return;
    site_write("html/a.txt", "other\n");
    site_write("html/b.txt", "hello\n");
    site_set_mtime("html/b.txt", MTIME);
    site_write("html/c.txt.etag", "v1");
    site_set_mtime("html/c.txt.etag", MTIME);
    site_write("html/c.txt", "hello\n");
    site_write("list", "# size=7 mtime=1600000000.000000000 inode=1\n" HELLO "  a.txt\n"
                       "# size=6 mtime=1600000000.000000000 inode=1\n" HELLO "  b.txt\n");
    site_set_mtime("list", MTIME - 10); /* older than both: b.txt is as it was noted */
    bool attributes = set_attribute(site_path("html/c.txt"), HELLO, MTIME);
    snprintf(conf, sizeof conf, "etag content; repr_digest on; digest_manifest @DIR@/list; %s", caches[_i]);
    site_serve(conf);
    for (int i = 0; i < 3; i++) {
        struct site_response r;
        site_get(&r, "/a.txt");
        ck_assert(strncmp(site_header(&r, "ETag"), "W/\"", 3) == 0);
        assert_header(&r, "Repr-Digest", NULL);
        site_response_free(&r);
        site_get(&r, "/c.txt");
        ck_assert(strncmp(site_header(&r, "ETag"), "W/\"", 3) == 0);
        site_response_free(&r);
        expect_tag("/b.txt", "", hello_tag, hello_field);
    }
    char *log = log_await("logs/error.log", "c.txt\" is not as");
    ck_assert_uint_eq(count_text(log, "a.txt\" is not as the manifest"), 1);
    ck_assert_uint_eq(count_text(log, attributes ? "c.txt\" is not as the attribute" : "c.txt\" is not as the sidecar"),
                      1);
    ck_assert_uint_eq(count_text(log, "b.txt\" is not as"), 0);
    free(log);
}
END_TEST

/* What changes while it is served: the tag changes with it. */
START_TEST(a_file_that_changes)
{
    char conf[1000];
    struct site_response r;
    if (on_nginx())
        return;
    site_write("html/a.txt", "hello\n");
    site_write("list", HELLO "  a.txt\n");
    snprintf(conf, sizeof conf, "etag content; repr_digest on; digest_manifest @DIR@/list; %s",
             caches[_i == 2 ? 3 : _i]);
    site_serve(conf);
    expect_tag("/a.txt", "", hello_tag, hello_field);
    site_write("html/new.txt", "other\n");
    ck_assert_int_eq(rename(site_path("html/new.txt"), site_path("html/a.txt")), 0);
    site_get(&r, "/a.txt");
    ck_assert_str_eq(r.body, "other\n");
    ck_assert(strncmp(site_header(&r, "ETag"), "W/\"", 3) == 0);
    assert_header(&r, "Repr-Digest", NULL);
    site_response_free(&r);
    site_write("list", OTHER "  a.txt\n");
    site_kill(SIGHUP);
    free(log_await("logs/error.log", "reconfiguring"));
    do { /* until the old worker is gone */
        site_get(&r, "/a.txt");
        bool is_new = strcmp(site_header(&r, "ETag"), other_tag) == 0;
        if (is_new)
            assert_header(&r, "Repr-Digest", other_field);
        site_response_free(&r);
        if (is_new)
            return;
    } while (true);
}
END_TEST

/* Writes until the file is younger than now, by the clock of inodes, which goes in steps. */
static void write_later(const char *name, const char *text)
{
    struct timespec now;
    struct stat st;

    clock_gettime(CLOCK_REALTIME, &now);
    do {
        site_write(name, text);
        site_set_mtime(name, MTIME);
        ck_assert_int_eq(stat(site_path("%s", name), &st), 0);
    } while (st.st_ctim.tv_sec < now.tv_sec || (st.st_ctim.tv_sec == now.tv_sec && st.st_ctim.tv_nsec <= now.tv_nsec));
}

/* The next release has the time and size of the last one; the list is still that one's. */
START_TEST(a_release_that_is_switched)
{
    char conf[1000];
    struct site_response r;
    if (on_nginx())
        return;
    site_write("one/a.txt", "hello\n");
    site_set_mtime("one/a.txt", MTIME);
    site_write("list", _i % 2 ? HELLO "  a.txt\n" : "# size=6 mtime=1600000000.000000000 inode=1\n" HELLO "  a.txt\n");
    ck_assert_int_eq(symlink("one", site_path("current")), 0);
    snprintf(conf, sizeof conf,
             "etag content; repr_digest on; digest_manifest @DIR@/list; %s location / { root "
             "@DIR@/current; }",
             caches[_i / 2 == 2 ? 3 : _i / 2]);
    site_serve(conf);
    expect_tag("/a.txt", "", hello_tag, hello_field);
    write_later("two/a.txt", "other\n");
    ck_assert_int_eq(symlink("two", site_path("next")), 0);
    ck_assert_int_eq(rename(site_path("next"), site_path("current")), 0);
    site_get(&r, "/a.txt");
    ck_assert_str_eq(r.body, "other\n");
    ck_assert_str_ne(site_header(&r, "ETag"), hello_tag);
    assert_header(&r, "Repr-Digest", NULL);
    site_response_free(&r);
    free(log_await("logs/error.log", "a.txt\" is not as the manifest"));
}
END_TEST

/* ---- Repr-Digest ---- */

static void serve_digests(void)
{
    site_write("html/a.txt", "hello\n");
    site_write_bytes("html/a.txt.gz", packed, sizeof packed - 1);
    site_write("html/gone.html", "other\n");
    site_write("list", HELLO "  a.txt\n" PACKED "  a.txt.gz\n" OTHER "  gone.html\n");
    site_serve_http("log_format digest '$status <$file_digest>'; access_log logs/digest.log digest;",
                    "etag content; repr_digest on; digest_manifest @DIR@/list; error_page 404 /gone.html;"
                    "add_header X-Linked-ETag '\"$file_digest\"'; gzip_vary on;"
                    "location / { gzip_static on; }"
                    "location /fly/ { alias @DIR@/html/; gzip on; gzip_min_length 1; gzip_types *; }"
                    "location /un/ { alias @DIR@/html/; gzip_static always; gunzip on; }"
                    "location /off/ { alias @DIR@/html/; repr_digest off; }");
}

static const struct asked {
    const char *method, *target, *fields;
    int status;
    const char *digest;
} asks[] = {
    {"GET", "/a.txt", "", 200, hello_field},
    {"HEAD", "/a.txt", "", 200, hello_field},
    {"GET", "/a.txt", "Range: bytes=1-2\r\n", 206, hello_field},
    {"GET", "/a.txt", "Range: bytes=0-0,2-3\r\n", 206, hello_field},
    {"GET", "/a.txt", "Range: bytes=1-2\r\nIf-Range: \"WJG1tSLV3whtD_CxEPvZ0h\"\r\n", 206, hello_field},
    {"GET", "/a.txt", "Range: bytes=9-\r\n", 416, NULL},
    {"GET", "/a.txt", "If-None-Match: \"WJG1tSLV3whtD_CxEPvZ0h\"\r\n", 304, hello_field},
    {"GET", "/a.txt", "If-Match: \"x\"\r\n", 412, NULL},
    {"GET", "/none", "", 404, NULL},
    {"GET", "/off/a.txt", "", 200, NULL},
    /* Each coding has its own; what is made on the way has none, nor has its 304. */
    {"GET", "/a.txt", "Accept-Encoding: gzip\r\n", 200, "sha-256=:KycwQCPPDgPwCtzFX1Gy30MvE6Jcva7AjOSeX0fwi3o=:"},
    {"GET", "/a.txt", "Accept-Encoding: gzip\r\nRange: bytes=1-2\r\n", 206,
     "sha-256=:KycwQCPPDgPwCtzFX1Gy30MvE6Jcva7AjOSeX0fwi3o=:"},
    {"GET", "/a.txt", "Accept-Encoding: gzip\r\nIf-None-Match: \"KycwQCPPDgPwCtzFX1Gy30-gz\"\r\n", 304,
     "sha-256=:KycwQCPPDgPwCtzFX1Gy30MvE6Jcva7AjOSeX0fwi3o=:"},
    {"GET", "/fly/a.txt", "", 200, hello_field},
    {"GET", "/fly/a.txt", "Accept-Encoding: gzip\r\n", 200, NULL},
    {"GET", "/fly/a.txt", "Accept-Encoding: gzip\r\nIf-None-Match: \"WJG1tSLV3whtD_CxEPvZ0h-gzip\"\r\n", 304, NULL},
    {"GET", "/un/a.txt", "", 200, NULL},
    {"GET", "/un/a.txt", "Accept-Encoding: gzip\r\n", 200, "sha-256=:KycwQCPPDgPwCtzFX1Gy30MvE6Jcva7AjOSeX0fwi3o=:"},
    /* What the client wants. */
    {"GET", "/a.txt", "Want-Repr-Digest: sha-256=0\r\n", 200, NULL},
    {"GET", "/a.txt", "Want-Repr-Digest: sha-512=3, sha-256=0;x=1\r\n", 200, NULL},
    {"GET", "/a.txt", "Want-Repr-Digest: sha-256=0\r\nwant-repr-digest: sha-512=1\r\n", 200, NULL},
    {"HEAD", "/a.txt", "Want-Repr-Digest: sha-256=0\r\n", 200, NULL},
    {"GET", "/a.txt", "Want-Repr-Digest: sha-256=10\r\n", 200, hello_field},
    {"GET", "/a.txt", "Want-Repr-Digest: sha-256=0, sha-256=1\r\n", 200, hello_field},
    {"GET", "/a.txt", "Want-Repr-Digest: sha-512=9\r\n", 200, hello_field},
    {"GET", "/a.txt", "Want-Repr-Digest: sha-256=00\r\n", 200, hello_field}, /* malformed, so ignored */
    {"GET", "/a.txt", "Want-Repr-Digest:\r\n", 200, hello_field},
};

START_TEST(repr_digest)
{
    const struct asked *a = &asks[_i];
    struct site_response r;
    if (on_nginx())
        return;
    serve_digests();
    site_request(&r, a->method, a->target, a->fields);
    ck_assert_msg(r.status == a->status, "%s %s%s: %d", a->method, a->target, a->fields, r.status);
    assert_header(&r, "Repr-Digest", a->digest);
    ck_assert_uint_eq(site_header_count(&r, "Repr-Digest"), a->digest != NULL);
    site_response_free(&r);
}
END_TEST

/* Of add_header's and the server's, the latter wins. */
START_TEST(repr_digest_beside_add_header)
{
    struct site_response r;
    struct site_run run;
    if (on_nginx())
        return;
    site_write("html/a.txt", "hello\n");
    site_write("html/b.txt", "other\n");
    site_write("list", HELLO "  a.txt\n");
    site_serve("digest_manifest @DIR@/list; repr_digest on; add_header repr-digest 'sha-256=:AAAA:';"
               "location /off/ { alias @DIR@/html/; repr_digest off; add_header Repr-Digest sha-256=:AAAA:;"
               " add_header Repr-Digest sha-512=:AAAA:; }");
    site_get(&r, "/a.txt");
    ck_assert_uint_eq(site_header_count(&r, "Repr-Digest"), 1);
    assert_header(&r, "Repr-Digest", hello_field);
    site_response_free(&r);
    site_get(&r, "/b.txt");
    ck_assert_uint_eq(site_header_count(&r, "Repr-Digest"), 0);
    site_response_free(&r);
    site_get(&r, "/off/a.txt");
    ck_assert_uint_eq(site_header_count(&r, "Repr-Digest"), 2);
    site_response_free(&r);
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    const char *told = strstr(run.err, "\"repr-digest\" is ignored in \"add_header\" where \"repr_digest\" is on");
    ck_assert_msg(told && !strstr(told + 1, "\"repr-digest\" is ignored"), "%s", run.err);
}
END_TEST

START_TEST(the_variable)
{
    struct site_response r;
    if (on_nginx())
        return;
    serve_digests();
    site_get(&r, "/a.txt");
    assert_header(&r, "X-Linked-ETag", "\"" HELLO "\"");
    site_response_free(&r);
    expect_status("/off/", 403);
    free(log_await("logs/digest.log", "200 <" HELLO ">"));
    free(log_await("logs/digest.log", "403 <->"));
}
END_TEST

/* Codings of one size and time, and even of one content, are different representations. */
START_TEST(codings_differ)
{
    static const char *const fields[] = {"", "Accept-Encoding: gzip\r\n", "Accept-Encoding: br\r\n"};
    char tags[3][64];
    struct site_response r;
    if (on_nginx())
        return;
    site_write("html/a.txt", "hello\n");
    site_write("html/a.txt.gz", "hello\n");
    site_write("html/a.txt.br", "hello\n");
    site_write("list", HELLO "  a.txt\n" HELLO "  a.txt.gz\n" HELLO "  a.txt.br\n");
    site_serve("etag content; digest_manifest @DIR@/list; gzip_static on; brotli_static on;");
    for (size_t i = 0; i < 3; i++) {
        site_request(&r, "GET", "/a.txt", fields[i]);
        snprintf(tags[i], sizeof tags[i], "%s", site_header(&r, "ETag"));
        site_response_free(&r);
    }
    ck_assert_str_eq(tags[0], hello_tag);
    ck_assert_str_ne(tags[1], tags[0]);
    ck_assert_str_ne(tags[2], tags[0]);
    ck_assert_str_ne(tags[2], tags[1]);
}
END_TEST

/* ---- etag_parts ---- */

/* Of a file that was not changed for long: strong. */
START_TEST(parts_of_an_old_file)
{
    char tag[100];
    struct stat st;
    struct site_response r;
    if (on_nginx())
        return;
    ck_assert_int_eq(stat("/etc/passwd", &st), 0);
    if (st.st_ctime > time(NULL) - 5)
        return;
    site_serve("location = /plain { alias /etc/passwd; } location = /parts { alias /etc/passwd; etag_parts nsec mtime "
               "size inode; }"
               "location = /inode { alias /etc/passwd; etag_parts mtime size inode; }"
               "location = /content { alias /etc/passwd; etag content; }");
    snprintf(tag, sizeof tag, "\"%llx-%llx\"", (long long)st.st_mtime, (long long)st.st_size);
    expect_tag("/plain", "", tag, NULL);
    expect_tag("/content", "", tag, NULL);
    snprintf(tag, sizeof tag, "\"%llx-%llx-%llx\"", (long long)st.st_mtime, (long long)st.st_size,
             (long long)st.st_ino);
    expect_tag("/inode", "", tag, NULL);
    snprintf(tag, sizeof tag, "\"%llx-%llx-%llx-%lx\"", (long long)st.st_mtime, (long long)st.st_size,
             (long long)st.st_ino, st.st_mtim.tv_nsec);
    site_get(&r, "/parts");
    assert_header(&r, "ETag", tag);
    site_response_free(&r);
}
END_TEST

/* One that has just been written: weak where the parts say more, as nginx's where they do not. */
START_TEST(parts_of_a_new_file)
{
    char tag[100];
    struct stat st;
    if (on_nginx())
        return;
    site_write("html/a.txt", "hello\n");
    ck_assert_int_eq(stat(site_path("html/a.txt"), &st), 0);
    site_serve("location /parts/ { alias @DIR@/html/; etag_parts mtime size nsec; } location /on/ { alias @DIR@/html/; "
               "etag on; }");
    /* A machine that needs two seconds for this much finds it strong. */
    struct site_response r;
    snprintf(tag, sizeof tag, "\"%llx-6-%lx\"", (long long)st.st_mtime, st.st_mtim.tv_nsec);
    site_get(&r, "/parts/a.txt");
    const char *got = site_header(&r, "ETag");
    ck_assert_str_eq(strncmp(got, "W/", 2) == 0 ? got + 2 : got, tag);
    ck_assert(strncmp(got, "W/", 2) == 0 || time(NULL) > st.st_ctime + 1);
    site_response_free(&r);
    snprintf(tag, sizeof tag, "\"%llx-6\"", (long long)st.st_mtime);
    expect_tag("/on/a.txt", "", tag, NULL);
}
END_TEST

/* ---- the configuration ---- */

static const struct wrong {
    const char *text, *error;
} wrongs[] = {
    {"etag maybe;", "it must be \"on\", \"mtime\", \"content\" or \"off\""},
    {"etag_parts mtime;", "\"etag_parts\" needs both mtime and size"},
    {"etag_parts mtime size mtime;", "duplicate value \"mtime\""},
    {"etag_parts mtime size ctime;", "invalid value \"ctime\" in \"etag_parts\""},
    {"digest_manifest @DIR@/none;", "/none\" cannot be read: No such file"},
    {"digest_manifest @DIR@/html;", "cannot be read: Is a directory"},
    {"digest_manifest @DIR@/bad;", "it has no line of a SHA-256 digest and a name"},
    {"digest_manifest prefix=a;", "must name a file before \"prefix=\""},
    {"digest_manifest @DIR@/good; digest_manifest off;", "\"digest_manifest off\" stands beside manifests"},
    {"digest_manifest;", "invalid number of arguments"},
    {"repr_digest yes;", "it must be \"on\" or \"off\""},
    {"etag MTIME; etag_parts size mtime; digest_manifest @DIR@/good; digest_manifest @DIR@/good prefix=x; repr_digest "
     "on;",
     NULL},
};

START_TEST(configurations)
{
    if (on_nginx())
        return;
    site_write("good", HELLO "  a\n");
    site_write("bad", "a\nb\n");
    expect_conf_server(wrongs[_i].text, wrongs[_i].error);
}
END_TEST

START_TEST(signed_lists)
{
    struct site_run run;
    if (on_nginx())
        return;
    site_write("signed", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n" HELLO "  a\n");
    site_conf_server("digest_manifest @DIR@/signed;");
    site_check(&run);
    ck_assert_int_eq(run.status, 0);
    ck_assert_msg(strstr(run.err, "2 lines are no SHA-256 digest and name, the first one is line 1") != NULL, "%s",
                  run.err);
}
END_TEST

START_TEST(explained)
{
    struct site_run run;
    if (on_nginx())
        return;
    site_write("html/a.txt", "hello\n");
    site_write("html/b.txt", "hello\n");
    site_write("html/b.txt.etag", "v1");
    site_write("list", HELLO "  a.txt\n");
    site_conf_server("etag content; digest_manifest @DIR@/list; location = /t { alias @DIR@/html/a.txt; etag_parts "
                     "mtime size nsec; etag on; }");
    char *const a[] = {"", "explain", "-c", (char *)site_text("@DIR@/sluice.conf"), "/a.txt", NULL};
    site_run_bare(&run, a);
    ck_assert_msg(strstr(run.out, "\"WJG1tSLV3whtD_CxEPvZ0h\": the content's digest, from the manifest") != NULL, "%s",
                  run.out);
    char *const b[] = {"", "explain", "-c", (char *)site_text("@DIR@/sluice.conf"), "/b.txt", NULL};
    site_run_bare(&run, b);
    ck_assert_msg(strstr(run.out, "\"v1\": from the sidecar") != NULL, "%s", run.out);
    char *const t[] = {"", "explain", "-c", (char *)site_text("@DIR@/sluice.conf"), "/t", NULL};
    site_run_bare(&run, t);
    ck_assert_msg(strstr(run.out, "made of the file's time and size") != NULL, "%s", run.out);
}
END_TEST

Suite *suite_identity(void)
{
    Suite *s = suite_create("identity");
    TCase *tc = site_case(s, "identity", 40);
    tcase_add_loop_test(tc, the_first_that_holds, 0, 4);
    tcase_add_test(tc, names_and_replicas);
    tcase_add_test(tc, locations_share_a_cache);
    tcase_add_loop_test(tc, stale_is_told_once, 0, 4);
    tcase_add_loop_test(tc, a_file_that_changes, 0, 3);
    tcase_add_loop_test(tc, a_release_that_is_switched, 0, 6);
    tcase_add_loop_test(tc, repr_digest, 0, sizeof asks / sizeof *asks);
    tcase_add_test(tc, repr_digest_beside_add_header);
    tcase_add_test(tc, the_variable);
    tcase_add_test(tc, codings_differ);
    tcase_add_test(tc, parts_of_an_old_file);
    tcase_add_test(tc, parts_of_a_new_file);
    tcase_add_loop_test(tc, configurations, 0, sizeof wrongs / sizeof *wrongs);
    tcase_add_test(tc, signed_lists);
    tcase_add_test(tc, explained);
    return s;
}
