/* test_small_files.c - small_file_cache: responses from memory that are never older than the file,
 * and nothing held that keeps a file or a mount. */
#include "harness.h"
#include "load.h"
#include "mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLD_SEC = 3 /* what is younger is not kept */, TIMES = 12 /* asked, until it is */ };

#define LOG "log_format io '$request_uri $status $io_method'; access_log logs/io.log io; "

static void serve(const char *http, const char *server)
{
    char text[8192];
    snprintf(text, sizeof text,
             LOG "%s server { listen 127.0.0.1:@PORT@; root @DIR@/html; %s location = /status { status; access_log "
                 "off; } }",
             http, server);
    site_conf_http(text);
    site_start();
}

static double kept(void)
{
    return site_metric("sluice_small_file_cache_entries");
}

static double hits(void)
{
    return site_metric("sluice_small_file_cache_hits_total");
}

/* Asks until lookups are answered from memory. */
static void await_hit(const char *target)
{
    double before = hits();

    for (int64_t deadline = now_msec() + scaled(10000); hits() == before;) {
        ck_assert_msg(now_msec() < deadline, "%s is not kept", target);
        (void)site_status_of(target);
    }
}

static void age(void)
{
    sleep(OLD_SEC);
}

/* ---- all features ---- */

/* One request, again and again: the same response each time, but for its date. */
static void same_each_time(const char *method, const char *target, const char *fields)
{
    struct site_response first, r;

    site_request(&first, method, target, fields);
    for (int i = 1; i < TIMES; i++) {
        site_request(&r, method, target, fields);
        ck_assert_msg(r.status == first.status && r.len == first.len && memcmp(r.body, first.body, r.len) == 0,
                      "%s %s: %d, %zu bytes; the first time %d, %zu", method, target, r.status, r.len, first.status,
                      first.len);
        static const char *const names[] = {"Content-Type",     "Content-Length", "ETag",
                                            "Last-Modified",    "Content-Range",  "Location",
                                            "Content-Encoding", "Vary",           "Accept-Ranges"};
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            const char *value = site_header(&first, names[n]);
            bool boundary = value && strncmp(value, "multipart/", 10) == 0;
            if (!boundary)
                assert_header(&r, names[n], value);
        }
        site_response_free(&r);
    }
    site_response_free(&first);
}

START_TEST(features)
{
    static const char *const fields[] = {"",
                                         "Range: bytes=10-19\r\n",
                                         "Range: bytes=-5\r\n",
                                         "Range: bytes=900000-\r\n",
                                         "If-Modified-Since: Fri, 31 Dec 2100 00:00:00 GMT\r\n",
                                         "If-None-Match: *\r\n",
                                         "If-Match: \"other\"\r\n",
                                         "Accept-Encoding: gzip\r\n"};
    static const char *const targets[] = {
        "/plain/f.html",  "/plain/",     "/plain",           "/plain/none",      "/plain/empty",    "/plain/large",
        "/try/none",      "/try/f.html", "/gzip/f.html",     "/side/f.html",     "/charset/f.html", "/buffered/f.html",
        "/slow/f.html",   "/if/f.html",  "/if/none",         "/sendfile/f.html", "/direct/f.html",  "/mmap/f.html",
        "/memory/f.html", "/list/",      "/confined/f.html", "/refused/f.html",  "/owned/f.html"};
    static char text[9000];
    for (size_t i = 0; i < sizeof text - 1; i++)
        text[i] = "<p>small file</p>\n"[i % 18];
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        char name[64];
        snprintf(name, sizeof name, "html%.*s/f.html", (int)strcspn(targets[i] + 1, "/") + 1, targets[i]);
        site_write(name, text);
    }
    site_write("html/plain/index.html", "index");
    site_write("html/plain/empty", "");
    site_write("html/index.html", "fallback");
    site_write("html/404.html", "not there");
    site_write("html/side/f.html.gz", "not really compressed");
    site_pattern("html/plain/large", 40000);
    serve("charset_map koi8-r utf-8 { 80 E282AC; }",
          "error_page 404 /404.html; location /try/ { try_files $uri $uri/ /index.html; } "
          "location /gzip/ { gzip on; } location /side/ { gzip_static on; } "
          "location /charset/ { charset utf-8; source_charset koi8-r; } location /buffered/ { sendfile off; } "
          "location /slow/ { limit_rate 1m; } location /if/ { if (-f $request_filename) { return 200 there; } } "
          "location /sendfile/ { io_method sendfile; } location /direct/ { directio 4k; } "
          "location /mmap/ { io_method mmap; } location /memory/ { io_method memory; } "
          "location /list/ { autoindex on; index none; } location /confined/ { root_confine on; } "
          "location /refused/ { disable_symlinks on; } location /owned/ { disable_symlinks if_not_owner; }");
    age();
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        for (size_t n = 0; n < sizeof fields / sizeof *fields; n++)
            same_each_time("GET", targets[i], fields[n]);
        same_each_time("HEAD", targets[i], "");
    }
}
END_TEST

/* What each location does with the bytes when the file has been asked for often. */
START_TEST(methods)
{
    static const struct {
        const char *target, *method;
        bool kept;
    } rows[] = {{"/f", "memory", true},
                {"/buffered/f", "memory", true},
                {"/confined/f", "memory", true},
                {"/owned/f", "memory", true},
                {"/auto/f", "memory", true},
                {"/memory/f", "memory", true},
                {"/sendfile/f", "sendfile", false},
                {"/mmap/f", "mmap", false},
                {"/large", "sendfile", false},
                {"/off/f", "buffered", false},
                {"/cached/f", "memory", false}};
    char line[64];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(line, sizeof line, "html%s", rows[i].target);
        site_pattern(line, strcmp(rows[i].target, "/large") ? 5000 : 16 * 1024 + 1);
    }
    serve("", "location /buffered/ { sendfile off; } location /confined/ { root_confine on; } "
              "location /owned/ { disable_symlinks if_not_owner; } location /auto/ { directio auto=4k; } "
              "location /memory/ { io_method memory; } location /sendfile/ { io_method sendfile; } "
              "location /mmap/ { io_method mmap; } location /off/ { small_file_cache off; } "
              "location /cached/ { open_file_cache max=10; }");
    age();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].kept)
            await_hit(rows[i].target);
        else
            for (int n = 0; n < TIMES; n++)
                expect_status(rows[i].target, 200);
        snprintf(line, sizeof line, "%s?last", rows[i].target);
        expect_status(line, 200);
        snprintf(line, sizeof line, "%s?last 200 %s\n", rows[i].target, rows[i].method);
        free(log_await("logs/io.log", line));
    }
    unsigned count = descriptors(site_worker());
    ck_assert(kept() == 6);
    await_hit("/f");
    ck_assert_uint_eq(descriptors(site_worker()), count);
}
END_TEST

/* ---- never older than the file ---- */

enum { FILES = 10000, LEN = 64, READERS = 2 };

struct board {
    atomic_uint written[FILES]; /* the version of the last write that has returned */
};

struct reader {
    struct board *board;
    int port;
    unsigned seed;
};

static void version_text(char text[LEN + 1], unsigned version)
{
    memset(text, '.', LEN);
    text[LEN] = '\0';
    text[snprintf(text, LEN, "%010u", version)] = '\n';
}

/* Asks for one file after another and counts what is older than it was when it was asked for. */
static void read_versions(int stop, struct counts *counts, const void *arg)
{
    const struct reader *reader = arg;
    unsigned seed = reader->seed;
    struct site_client c;
    struct site_response r;

    client_open(&c, reader->port);
    while (load_goes_on(stop)) {
        unsigned file = (unsigned)rand_r(&seed) % FILES, least = atomic_load(&reader->board->written[file]);
        client_say(&c, "GET /v/%u HTTP/1.1\r\nHost: a\r\n\r\n", file);
        if (!client_receive(&c, &r)) { /* after keepalive_requests */
            client_close(&c);
            client_open(&c, reader->port);
            continue;
        }
        unsigned version = r.status == 200 && r.len == LEN ? (unsigned)strtoul(r.body, NULL, 10) : 0;
        if (version < least)
            load_failed(counts, "file %u: %d, version %u after %u", file, r.status, version, least);
        counts->done++;
        site_response_free(&r);
    }
    client_close(&c);
}

/* In place; by a new file; by a new file of the same size and time. */
static void write_version(unsigned file, unsigned version)
{
    char name[32], text[LEN + 1], next[4096];
    struct stat st;

    snprintf(name, sizeof name, "html/v/%u", file);
    const char *path = site_path("%s", name);
    version_text(text, version);
    unsigned way = version == 1 ? 0 : file % 3;
    int fd = open(way == 0 ? path : site_path("html/v/next"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, text, LEN, 0), LEN);
    close(fd);
    if (way == 0)
        return;
    snprintf(next, sizeof next, "%s", site_path("html/v/next"));
    if (way == 2) {
        ck_assert_int_eq(stat(path, &st), 0);
        struct timespec times[2] = {st.st_atim, st.st_mtim};
        ck_assert_int_eq(utimensat(AT_FDCWD, next, times, 0), 0);
    }
    ck_assert_int_eq(rename(next, path), 0);
}

static void expect_version(struct site_client *c, unsigned file, unsigned version)
{
    struct site_response r;

    client_say(c, "GET /v/%u HTTP/1.1\r\nHost: a\r\n\r\n", file);
    ck_assert(client_receive(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_msg(strtoul(r.body, NULL, 10) == version, "file %u: %.10s, after %u", file, r.body, version);
    site_response_free(&r);
}

START_TEST(never_older)
{
    struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct loader loaders[READERS];
    struct reader readers[READERS];
    struct site_client c;

    ck_assert_ptr_ne(board, MAP_FAILED);
    if (!mounts_enter() || !mount_plain("tmpfs", "html/v", "size=64m,mode=755")) /* where 10,000 files take no time */
        site_mkdir("html/v");
    for (unsigned i = 0; i < FILES; i++) {
        write_version(i, 1);
        atomic_store(&board->written[i], 1);
    }
    serve("keepalive_requests 1000000;", "");
    age();
    client_open(&c, site_port(0));
    for (unsigned round = 0; kept() < FILES / 2; round++)
        for (unsigned i = 0; i < 2 * FILES; i++)
            expect_version(&c, i / 2, 1);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = (struct reader){board, site_port(0), i};
        loader_start(&loaders[i], read_versions, &readers[i]);
    }
    for (unsigned i = 0; i < FILES; i++) {
        expect_version(&c, i, 1);
        write_version(i, 2);
        atomic_store(&board->written[i], 2);
        expect_version(&c, i, 2);
    }
    loaders_stop_well(loaders, READERS);
    client_close(&c);
    munmap(board, sizeof *board);
}
END_TEST

static void put_in_place(const char *path)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_eq(pwrite(fd, "xyz", 3, 0), 3);
    close(fd);
}

static void put_link(const char *path)
{
    char target[4096];

    snprintf(target, sizeof target, "%s.new", path);
    site_write(target, "xyz");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("f.new", path), 0);
}

static void forbid(const char *path)
{
    ck_assert_int_eq(chmod(path, 0), 0);
}

static void forbid_folder(const char *path)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    ck_assert_int_eq(chmod(folder, 0), 0);
}

static void remove_file(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static void put_folder(const char *path)
{
    remove_file(path);
    site_mkdir(path);
}

static void lead_out(const char *path)
{
    remove_file(path);
    ck_assert_int_eq(symlink("../../outside", path), 0);
}

START_TEST(changes)
{
    static const struct {
        void (*make)(const char *path);
        int status;
        const char *body;
    } rows[] = {{put_in_place, 200, "xyz"}, {put_link, 200, "xyz"},  {forbid, 403, NULL},  {forbid_folder, 403, NULL},
                {remove_file, 404, NULL},   {put_folder, 301, NULL}, {lead_out, 403, NULL}};
    enum { ROWS = sizeof rows / sizeof *rows };
    char target[32], name[64];
    struct site_response r;

    site_write("outside", "abc");
    for (size_t i = 0; i < ROWS; i++) {
        snprintf(name, sizeof name, "html/%zu/f", i);
        site_write(name, "abc");
    }
    site_write("html/index.html", "fallback");
    site_write("one/release/f", "abc");
    site_write("two/release/f", "xyz");
    ck_assert_int_eq(symlink("one", site_path("current")), 0);
    serve("", "location / { root_confine on; } location /release/ { root @DIR@/current; } "
              "location /try/ { try_files $uri $uri/ /index.html; }");
    age();

    await_hit("/release/f");
    ck_assert_int_eq(symlink("two", site_path("next")), 0);
    ck_assert_int_eq(rename(site_path("next"), site_path("current")), 0);
    expect_body("/release/f", "xyz");

    for (int i = 0; i < TIMES; i++)
        expect_body("/try/late", "fallback");
    await_hit("/try/late");
    site_write("html/try/late", "there");
    expect_body("/try/late", "there");

    for (size_t i = 0; i < ROWS; i++) {
        snprintf(target, sizeof target, "/%zu/f", i);
        await_hit(target);
        expect_body(target, "abc");
        rows[i].make(site_path("html%s", target));
        site_get(&r, target);
        ck_assert_msg(r.status == rows[i].status, "%zu: %d", i, r.status);
        if (rows[i].body)
            ck_assert_str_eq(r.body, rows[i].body);
        site_response_free(&r);
    }
    ck_assert_int_eq(chmod(site_path("html/3"), 0755), 0); /* so that it can be removed */
}
END_TEST

/* ---- nothing is held ---- */

/* A mount ends though its files are kept. A daemon may take any time to answer, even to a look at
 * the name: what lies behind one is not kept. */
START_TEST(mounts)
{
    enum { SIZE = 3000 };

    if (!mounts_enter() || !mount_fuse("html/daemon", FUSE_TAKES_DIRECT, SIZE) ||
        !mount_plain("tmpfs", "html/mnt", "size=1m,mode=755"))
        return;
    site_write("html/mnt/f", "abc");
    ck_assert_int_eq(symlink("daemon/f", site_path("html/link")), 0);
    serve("", "");
    age();
    await_hit("/mnt/f");
    expect_body("/mnt/f", "abc");
    mount_end("html/mnt");
    expect_status("/mnt/f", 404);

    double entries = kept(), before = hits();
    for (int i = 0; i < TIMES; i++) {
        expect_status("/daemon/f", 200);
        expect_status("/link", 200);
        expect_status("/daemon/none", 404);
    }
    ck_assert(kept() == entries && hits() == before);
}
END_TEST

/* ---- configuration ---- */

START_TEST(configuration)
{
    static const struct {
        const char *text, *error;
    } rows[] = {
        {"small_file_cache 4k;", NULL},
        {"small_file_cache 4k cap=1m;", NULL},
        {"small_file_cache off; server { location / { small_file_cache 1k; } }", NULL},
        {"small_file_cache 0;", "\"small_file_cache\": \"0\" keeps nothing; \"small_file_cache off\" says so"},
        {"small_file_cache 1m cap=1k;",
         "\"small_file_cache\" keeps files of up to 1048576 bytes, but all of them may take only 1024"},
        {"small_file_cache 20m;",
         "\"small_file_cache\" keeps files of up to 20971520 bytes, but all of them may take only 16777216"},
        {"small_file_cache cap=1k;", "invalid \"small_file_cache\" parameter \"cap=1k\""},
        {"small_file_cache on;", "invalid \"small_file_cache\" parameter \"on\""},
    };
    char text[256];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(text, sizeof text, "%s server { listen 127.0.0.1:@PORT@; }", rows[i].text);
        expect_conf_http(text, rows[i].error);
    }
}
END_TEST

Suite *suite_small_files(void)
{
    Suite *s = suite_create("small_files");
    TCase *tc = site_case(s, "small_files", 120);
    tcase_add_test(tc, features);
    tcase_add_test(tc, methods);
    tcase_add_test(tc, never_older);
    tcase_add_test(tc, changes);
    tcase_add_test(tc, mounts);
    tcase_add_test(tc, configuration);
    return s;
}
