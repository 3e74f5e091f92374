/* test_trouble.c - what goes wrong in the middle of a response: a disk with a bad part, a file that
 * is cut. The response ends early and is never padded, the log says which file, where and why, and
 * other connections go on. */
#include "deny.h"
#include "harness.h"
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB  ((off_t)1 << 20)
#define SIZE (24 * MIB + 321)

enum { FIRST_BYTES = 30000, GOOD_SIZE = 3 << 20 };

static const struct way {
    const char *method, *aio;
    bool copies; /* what is on its way to the socket does not change with the file */
} ways[] = {
    {"direct", "io_uring", true}, {"direct", "libaio", true},     {"direct", "threads", true},
    {"direct", "off", true},      {"buffered", "on", true},       {"buffered", "off", true},
    {"sendfile", "on", false},    {"sendfile", "threads", false}, {"sendfile", "off", false},
    {"mmap", "on", false},        {"mmap", "off", false},
};
enum { WAYS = sizeof ways / sizeof *ways };

/* /f is served in the way that is on trial; so is /good, from where nothing fails. */
static void serve(const char *root, const struct way *w)
{
    char text[4096];
    snprintf(text, sizeof text,
             "@MAIN@\nevents { }\nhttp {\n@HTTP@\nlog_format io '$request_uri $status $body_bytes_sent $io_method';\n"
             "server {\nlisten 127.0.0.1:@PORT@;\naccess_log logs/io.log io;\nroot %s;\n"
             "io_method %s; aio %s; output_buffers 4 1m;\nlocation = /good { root %s/good; }\n"
             "location = /status { status; access_log off; }\n}\n}\n",
             root, w->method, w->aio, *site_disk() ? site_disk() : site_dir());
    site_pattern(site_path("%s/good/good", *site_disk() ? site_disk() : site_dir()), GOOD_SIZE);
    site_conf(text);
    site_start();
    site_allow_alerts();
}

static void begin(struct site_client *c, const char *target, off_t size)
{
    struct site_response r;
    client_open_sized(c, site_port(0), 16384);
    client_say(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", target);
    ck_assert(client_head(c, &r));
    ck_assert_int_eq(r.status, 200);
    ck_assert_int_eq(strtoll(site_header(&r, "Content-Length"), NULL, 10), size);
    client_expect_pattern(c, 0, FIRST_BYTES);
    site_response_free(&r);
}

/* All that still comes, until the connection ends; what came in all. */
static off_t drain(struct site_client *c, bool compare)
{
    off_t got = FIRST_BYTES;
    while (c->len > 0 || client_fill(c)) {
        if (compare)
            assert_pattern(c->in, c->len, got);
        got += (off_t)c->len;
        c->len = 0;
    }
    client_close(c);
    return got;
}

/* What the log says of `path`: the offset that could not be read, and the errno; ENODATA for a file
 * that was cut. */
static off_t failed_offset(const char *path, int *error)
{
    long long offset = -1;
    char *log = log_await("logs/error.log", path);
    for (char *at = log; (at = strstr(at, path)) && offset < 0; at++) {
        const char *rest = at + strlen(path);
        if (sscanf(rest, "\" at offset %lld failed (%d:", &offset, error) == 2)
            break;
        *error = ENODATA;
        offset = -1;
        (void)sscanf(rest, "\" was truncated while it was sent, at offset %lld", &offset);
    }
    ck_assert_msg(offset >= 0, "nothing of that kind on %s in\n%s", path, log);
    free(log);
    return (off_t)offset;
}

static void expect_logged(const char *target, off_t sent, const char *method)
{
    char line[256];
    long long bytes;
    char word[64], *log;
    snprintf(line, sizeof line, "%s 200 ", target);
    log = log_await("logs/io.log", line);
    ck_assert_int_eq(sscanf(strstr(log, line) + strlen(line), "%lld %63s", &bytes, word), 2);
    ck_assert_str_eq(word, method);
    ck_assert_int_ge(bytes, sent); /* what is with the kernel need not have arrived */
    ck_assert_int_lt(bytes, SIZE);
    free(log);
}

static void fetch_good(void)
{
    struct site_client c;
    begin(&c, "/good", GOOD_SIZE);
    client_expect_pattern(&c, FIRST_BYTES, GOOD_SIZE - FIRST_BYTES);
    client_close(&c);
}

/* Nothing of it is left, whatever became of it: no descriptor, no read, no buffer; and what was cut
 * is counted. */
static void expect_given_back(const char *path, unsigned cut)
{
    char gone[4200];
    snprintf(gone, sizeof gone, "%s (deleted)", path);
    site_await_closed(path);
    site_await_closed(gone);
    for (int64_t deadline = now_msec() + scaled(8000);
         site_metric("sluice_direct_buffers_bytes") || site_metric("sluice_disk_reads_in_flight"); sleep_msec(5))
        ck_assert_msg(now_msec() < deadline, "%ju bytes of buffers, %ju reads",
                      (uintmax_t)site_metric("sluice_direct_buffers_bytes"),
                      (uintmax_t)site_metric("sluice_disk_reads_in_flight"));
    ck_assert_uint_eq(site_metric("sluice_responses_cut_total"), cut);
}

/* Both are under way when it happens. */
static void ends_early(const struct way *w, const char *path, void (*happen)(const char *path), int expected)
{
    struct site_client victim, other;
    int error;
    begin(&other, "/good", GOOD_SIZE);
    begin(&victim, "/f", SIZE);
    happen(path);
    off_t got = drain(&victim, w->copies || expected == EIO);
    ck_assert_msg(got < SIZE, "%s, aio %s: all of it came", w->method, w->aio);
    off_t offset = failed_offset(path, &error);
    /* A mapping that cannot be read is no more than that to the kernel. */
    if (error != expected && !(error == EFAULT && !strcmp(w->method, "mmap")))
        ck_abort_msg("%s, aio %s: errno %d instead of %d", w->method, w->aio, error, expected);
    if (w->copies || expected == EIO)
        ck_assert_msg(got <= offset, "%s, aio %s: %jd bytes came, but %jd could not be read", w->method, w->aio,
                      (intmax_t)got, (intmax_t)offset);
    expect_logged("/f", got, w->method);
    client_expect_pattern(&other, FIRST_BYTES, GOOD_SIZE - FIRST_BYTES);
    client_say(&other, "GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=-9\r\n\r\n");
    struct site_response r;
    ck_assert(client_receive(&other, &r));
    assert_pattern(r.body, r.len, GOOD_SIZE - 9);
    site_response_free(&r);
    client_close(&other);
    fetch_good();
    expect_given_back(path, 1);
}

static void end_server(void)
{
    site_stop(SIGTERM);
    unlink(site_path("logs/io.log"));
    unlink(site_path("logs/error.log"));
}

/* ---- disks ---- */

static void nothing_more(const char *path)
{
    (void)path;
}

/* Reads of threads, and of the loop, fail from there on; no disk is needed for it. */
START_TEST(reads_fail)
{
    enum { BAD = 8 << 20 };
    static const struct way by_threads[] = {
        {"direct", "threads", true}, {"direct", "off", true}, {"buffered", "threads", true}};
    char path[4096];
    snprintf(path, sizeof path, "%s", site_pattern(site_data("f"), SIZE));
    if (!*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    if (!deny_from(SYS_pread64, 3, BAD, EIO))
        return;
    serve("@DISK@/data", &by_threads[_i]);
    ends_early(&by_threads[_i], path, nothing_more, EIO);
}
END_TEST

/* Where the middle of the file is on its disk. */
static off_t place_on_disk(const char *path, off_t offset)
{
    struct fiemap *ask = calloc(1, sizeof *ask + sizeof(struct fiemap_extent));
    ck_assert_ptr_nonnull(ask);
    ask->fm_start = (uint64_t)offset;
    ask->fm_length = 1;
    ask->fm_flags = FIEMAP_FLAG_SYNC;
    ask->fm_extent_count = 1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(ioctl(fd, FS_IOC_FIEMAP, ask), 0);
    close(fd);
    ck_assert_uint_eq(ask->fm_mapped_extents, 1);
    off_t place = (off_t)(ask->fm_extents[0].fe_physical + ((uint64_t)offset - ask->fm_extents[0].fe_logical));
    free(ask);
    return place;
}

/* The end of the disk goes missing: the kernel answers with EIO. */
START_TEST(disk_fails)
{
    char path[4096], image[4096];
    snprintf(image, sizeof image, "%s", site_write("image", ""));
    if (!mounts_enter())
        return;
    for (unsigned i = 0; i < WAYS; i++) {
        /* Anew, since what was read is in memory then. */
        ck_assert_int_eq(truncate(image, 0), 0);
        ck_assert_int_eq(truncate(image, 64 * MIB), 0);
        if (!run_tool("mkfs.ext4", "-q", "-F", "-b", "4096", "-O", "^has_journal", image, NULL) ||
            !mount_image("ext4", "mnt", image, 512, false, ""))
            return;
        snprintf(path, sizeof path, "%s", site_pattern("mnt/f", SIZE));
        off_t place = place_on_disk(path, 12 * MIB);
        mount_end("mnt");
        if (!mount_image("ext4", "mnt", image, 512, true, ""))
            return;
        ck_assert_int_eq(truncate(image, place), 0);
        serve("@DIR@/mnt", &ways[i]);
        ends_early(&ways[i], path, nothing_more, EIO);
        end_server();
        mount_end("mnt");
    }
}
END_TEST

/* ---- files ---- */

static void cut(const char *path)
{
    ck_assert_int_eq(truncate(path, 100), 0);
}

START_TEST(file_is_cut)
{
    const struct way *w = &ways[_i];
    char path[4096];
    if (!strcmp(w->method, "direct") && !*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return;
    }
    snprintf(path, sizeof path, "%s", site_pattern(site_data("f"), SIZE));
    serve(*site_disk() ? "@DISK@/data" : "@DIR@/data", w);
    ends_early(w, path, cut, ENODATA);
    /* What it is now. */
    struct site_response r;
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, 100);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
}
END_TEST

/* In place, and as long as before: what was sent does not belong to what would follow. */
static void rewrite(const char *path)
{
    char other[65536];
    struct timespec later[2] = {{0, UTIME_OMIT}, {site_mtime(path) + 10, 0}};
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    memset(other, 'x', sizeof other);
    for (off_t at = 0; at < SIZE; at += sizeof other) {
        size_t len = SIZE - at < (off_t)sizeof other ? (size_t)(SIZE - at) : sizeof other;
        ck_assert_int_eq(pwrite(fd, other, len, at), (ssize_t)len);
    }
    ck_assert_int_eq(futimens(fd, later), 0);
    close(fd);
}

/* Longer than it was: bytes are added to a log while it is fetched. */
static void append(const char *path)
{
    site_pattern_at(path, SIZE, 100000);
    site_set_mtime(path, site_mtime(path) + 10);
}

static void replace(const char *path)
{
    char fresh[4096];
    snprintf(fresh, sizeof fresh, "%s", site_write("fresh", "new\n"));
    ck_assert_int_eq(unlink(path), 0);
    if (rename(fresh, path) < 0)
        site_write(path, "new\n"); /* another filesystem */
}

static void removal(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static bool start_way(const struct way *w, char *path, size_t size)
{
    if (!strcmp(w->method, "direct") && !*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return false;
    }
    snprintf(path, size, "%s", site_pattern(site_data("f"), SIZE));
    serve(*site_disk() ? "@DISK@/data" : "@DIR@/data", w);
    return true;
}

START_TEST(file_is_rewritten)
{
    const struct way *w = &ways[_i];
    char path[4096];
    struct site_client c;
    if (!start_way(w, path, sizeof path))
        return;
    begin(&c, "/f", SIZE);
    rewrite(path);
    off_t got = drain(&c, false);
    ck_assert_msg(got < SIZE, "%s, aio %s: all of it came", w->method, w->aio);
    free(log_await("logs/error.log", "\" was rewritten while it was sent,"));
    expect_logged("/f", got, w->method);
    fetch_good();
    expect_given_back(path, 1);
    struct site_response r;
    site_get(&r, "/f");
    ck_assert_uint_eq(r.len, (size_t)SIZE);
    ck_assert_int_eq(r.body[0], 'x');
    ck_assert_int_eq(r.body[SIZE - 1], 'x');
    site_response_free(&r);
    char *log = site_read("logs/error.log", NULL);
    ck_assert_uint_eq(count_text(log, "[alert]"), 1);
    free(log);
}
END_TEST

/* What was promised still is there. */
static void goes_on(const struct way *w, void (*happen)(const char *path))
{
    char path[4096];
    struct site_client c;
    if (!start_way(w, path, sizeof path))
        return;
    begin(&c, "/f", SIZE);
    happen(path);
    client_expect_pattern(&c, FIRST_BYTES, SIZE - FIRST_BYTES);
    client_say(&c, "GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=-9\r\n\r\n");
    struct site_response r;
    ck_assert(client_receive(&c, &r));
    assert_pattern(r.body, r.len, GOOD_SIZE - 9);
    site_response_free(&r);
    ck_assert(client_ends(&c));
    client_close(&c);
    expect_given_back(path, 0);
}

START_TEST(file_grows)
{
    goes_on(&ways[_i], append);
}
END_TEST

START_TEST(file_is_replaced)
{
    goes_on(&ways[_i], replace);
}
END_TEST

START_TEST(file_is_removed)
{
    goes_on(&ways[_i], removal);
}
END_TEST

/* A cache that does not look at the file for a minute: a response that begins after the change is
 * of one piece. */
START_TEST(cached_file_was_rewritten_before)
{
    const struct way cached = {"sendfile", "on; open_file_cache max=9; open_file_cache_valid 60s", false};
    char path[4096];
    struct site_client c;
    if (!start_way(&cached, path, sizeof path))
        return;
    struct site_response r;
    site_request(&r, "HEAD", "/f", "");
    site_response_free(&r);
    rewrite(path);
    client_open_sized(&c, site_port(0), 16384);
    client_say(&c, "GET /f HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_uint_eq(r.len, (size_t)SIZE);
    ck_assert_uint_eq(strspn(r.body, "x"), (size_t)SIZE);
    site_response_free(&r);
    client_close(&c);
}
END_TEST

/* What is in memory was the file when the response began, and is sent to its end. */
START_TEST(content_in_memory)
{
    const struct way memory = {"memory", "on; open_file_cache max=9; open_file_cache_content 32m cap=64m", true};
    char path[4096];
    struct site_client c;
    snprintf(path, sizeof path, "%s", site_pattern(site_data("f"), SIZE));
    serve(*site_disk() ? "@DISK@/data" : "@DIR@/data", &memory);
    struct site_response r;
    for (int i = 0; i < 2; i++) {
        site_get(&r, "/f");
        ck_assert_int_eq(r.len, SIZE);
        site_response_free(&r);
    }
    begin(&c, "/f", SIZE);
    cut(path);
    client_expect_pattern(&c, FIRST_BYTES, SIZE - FIRST_BYTES);
    client_close(&c);
    free(log_await_count("logs/io.log", " memory\n", 1));
}
END_TEST

/* Locations may share a cache and differ in what they keep in memory: one that keeps nothing sends
 * what the file is now. */
START_TEST(content_of_one_location_only)
{
    char path[4096];
    snprintf(path, sizeof path, "%s", site_write("html/f.txt", "first"));
    site_conf_http("open_file_cache max=9; open_file_cache_valid 60s;\n"
                   "server { listen 127.0.0.1:@PORT@; root @DIR@/html;\n"
                   "location /live/ { alias @DIR@/html/; open_file_cache_content off; }\n"
                   "location /small/ { alias @DIR@/html/; open_file_cache_content 4; } }\n");
    site_start();
    static const struct {
        const char *target, *before, *now;
    } looks[] = {{"/f.txt", "first", "first"}, {"/live/f.txt", "first", "other"}, {"/small/f.txt", "first", "other"}};
    struct site_response r;
    for (int i = 0; i < 6; i++) {
        if (i == 3) {
            int fd = open(path, O_WRONLY | O_CLOEXEC);
            ck_assert_int_eq(pwrite(fd, "other", 5, 0), 5);
            close(fd);
        }
        site_get(&r, looks[i % 3].target);
        ck_assert_msg(strcmp(r.body, i < 3 ? looks[i % 3].before : looks[i % 3].now) == 0, "%s: %s",
                      looks[i % 3].target, r.body);
        site_response_free(&r);
    }
}
END_TEST

Suite *suite_trouble(void)
{
    Suite *s = suite_create("trouble");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "trouble", 80);
    tcase_add_loop_test(t, reads_fail, 0, 3);
    tcase_add_plain_test(t, disk_fails, "TLS takes memory only");
    tcase_add_plain_loop_test(t, file_is_cut, 0, WAYS, "TLS takes memory only");
    tcase_add_plain_loop_test(t, file_is_rewritten, 0, WAYS, "TLS takes memory only");
    tcase_add_loop_test(t, file_grows, 0, WAYS);
    tcase_add_loop_test(t, file_is_replaced, 0, WAYS);
    tcase_add_loop_test(t, file_is_removed, 0, WAYS);
    tcase_add_test(t, cached_file_was_rewritten_before);
    tcase_add_test(t, content_in_memory);
    tcase_add_test(t, content_of_one_location_only);
    return s;
}
