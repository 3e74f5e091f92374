/* test_scale.c - the direct path with many ranges, with many slow clients, and where a reader is
 * denied. */
#include "deny.h"
#include "harness.h"
#include "pages.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)
#define GIB ((off_t)1 << 30)

/* `root` is where files come from: "@DISK@/data", or a folder of the site. */
static void serve(const char *main_conf, const char *root, const char *conf)
{
    char text[4096];
    snprintf(text, sizeof text,
             "@MAIN@\n%s\nevents { worker_connections 2048; }\nhttp {\n@HTTP@\n"
             "log_format io '$request_uri $status $body_bytes_sent $io_method';\n"
             "server {\nlisten 127.0.0.1:@PORT@ backlog=1024;\naccess_log logs/io.log io;\nroot %s;\n%s\n}\n}\n",
             main_conf, root, conf);
    site_conf(text);
    site_start();
}

/* ---- a file of 1 GiB: 128 KiB of pattern at each 2 MiB, nothing between ---- */

enum { STEP = 2 << 20, FILLED = 128 << 10 };

static const char *make_sparse(const char *path)
{
    site_pattern_at(path, 0, FILLED);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    /* Blocks of the disk where that can be had, otherwise holes. */
    if (fallocate(fd, 0, 0, GIB) < 0)
        ck_assert_int_eq(ftruncate(fd, GIB), 0);
    close(fd);
    for (off_t at = STEP; at < GIB; at += STEP)
        site_pattern_at(path, at, FILLED);
    return path;
}

static bool is_zero(const char *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, len - 1));
}

/* `len` bytes are those of the file at `offset`. */
static void assert_sparse(const char *bytes, size_t len, off_t offset)
{
    while (len > 0) {
        off_t in_step = offset % STEP;
        bool filled = in_step < FILLED;
        size_t piece = (size_t)((filled ? FILLED : STEP) - in_step);
        piece = len < piece ? len : piece;
        if (filled)
            assert_pattern(bytes, piece, offset);
        else
            ck_assert_msg(is_zero(bytes, piece), "not zeros between %jd and %jd", (intmax_t)offset,
                          (intmax_t)(offset + (off_t)piece));
        bytes += piece;
        len -= piece;
        offset += (off_t)piece;
    }
}

/* ---- ranges ---- */

enum { RANGES = 500 };

START_TEST(random_ranges_of_a_large_file)
{
    if (!*site_disk()) {
        printf("skipped: no filesystem with O_DIRECT\n");
        return;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s", make_sparse(site_data("large")));
    bool cold = pages_evict(path);
    serve("", "@DISK@/data", "directio 4m;");
    unsigned seed = 11;
    struct site_client c;
    client_open(&c, site_port(0));
    for (int i = 0; i < RANGES; i++) {
        /* Half of them anywhere, half around something that is not zero. */
        off_t near = rand_r(&seed) % (GIB / STEP) * STEP + rand_r(&seed) % (2 * FILLED);
        off_t first = i % 2 ? rand_r(&seed) % GIB : near;
        off_t last = first + rand_r(&seed) % (i % 3 ? 5000 : 300000);
        struct site_response r;
        if (last >= GIB)
            last = GIB - 1;
        client_say(&c, "GET /large HTTP/1.1\r\nHost: a\r\nRange: bytes=%jd-%jd\r\n\r\n", (intmax_t)first,
                   (intmax_t)last);
        ck_assert(client_receive(&c, &r));
        ck_assert_int_eq(r.status, 206);
        ck_assert_uint_eq(r.len, (size_t)(last - first + 1));
        assert_sparse(r.body, r.len, first);
        site_response_free(&r);
    }
    client_close(&c);
    char *log = log_await_count("logs/io.log", " direct\n", RANGES);
    free(log);
    ck_assert_msg(!cold || pages_resident(path) == 0, "%zu pages are in memory", pages_resident(path));
}
END_TEST

/* ---- a thousand slow clients ---- */

enum {
    CLIENTS = 1000,
    TICK_MSEC = 50,
    TICK_BYTES = 2500, /* 50 kB/s */
    ENOUGH = 60000,    /* for each */
    MEMORY_MIB = 24,
    RECEIVE_BUFFER = 8192
};

struct slow {
    struct site_client c;
    char head[1024]; /* until it is complete */
    size_t head_len;
    bool in_body;
    off_t start, got;
};

static void slow_open(struct slow *s, int i)
{
    s->start = (off_t)i % 500 * STEP + i * 37;
    client_open_sized(&s->c, site_port(0), RECEIVE_BUFFER);
    client_say(&s->c, "GET /large HTTP/1.1\r\nHost: a\r\nRange: bytes=%jd-\r\n\r\n", (intmax_t)s->start);
}

/* How many of these bytes belong to the head. */
static size_t slow_head(struct slow *s, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        ck_assert_uint_lt(s->head_len, sizeof s->head);
        s->head[s->head_len++] = bytes[i];
        if (s->head_len < 4 || memcmp(s->head + s->head_len - 4, "\r\n\r\n", 4) != 0)
            continue;
        ck_assert(!strncmp(s->head, "HTTP/1.1 206 ", 13));
        s->in_body = true;
        return i + 1;
    }
    return len;
}

/* What a tick allows, of what is there. */
static void slow_take(struct slow *s)
{
    char bytes[TICK_BYTES];
    ssize_t n = client_read(&s->c, bytes, sizeof bytes, false);
    if (n < 0 && errno == EAGAIN)
        return;
    ck_assert_msg(n > 0, "a slow client was closed after %jd bytes", (intmax_t)s->got);
    size_t head = s->in_body ? 0 : slow_head(s, bytes, (size_t)n), body = (size_t)n - head;
    assert_sparse(bytes + head, body, s->start + s->got);
    s->got += (off_t)body;
}

static long status_kib(pid_t pid, const char *field)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    size_t len = strlen(field);
    while (fgets(line, sizeof line, f)) {
        if (!strncmp(line, field, len) && line[len] == ':')
            kib = atol(line + len + 1);
    }
    fclose(f);
    return kib;
}

/* As many as this process may have descriptors for. */
static int clients_possible(void)
{
    struct rlimit files;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    return files.rlim_cur < CLIENTS + 64 ? (int)files.rlim_cur - 64 : CLIENTS;
}

static int all_take(struct slow *slow, int count)
{
    int done = 0;
    for (int i = 0; i < count; i++) {
        slow_take(&slow[i]);
        done += slow[i].got >= ENOUGH;
    }
    return done;
}

START_TEST(slow_clients_stay_inside_the_memory)
{
    static struct slow slow[CLIENTS];
    char memory[64];
    int count = clients_possible();
    make_sparse(site_data("large"));
    pages_evict(site_data("large"));
    snprintf(memory, sizeof memory, "directio_memory %dm;", MEMORY_MIB);
    serve(memory, "@DISK@/data", "directio 4m; output_buffers 4 1m; open_file_cache max=100; send_timeout 600s;");
    pid_t pid = site_worker();
    long before = status_kib(pid, "VmRSS");
    for (int i = 0; i < count; i++) {
        slow_open(&slow[i], i);
        if (i % 50 == 0)
            sleep_msec(5); /* a queue that overflows costs seconds of TCP's patience */
    }
    int64_t deadline = now_msec() + scaled(50000);
    for (int done; (done = all_take(slow, count)) < count; sleep_msec(TICK_MSEC))
        ck_assert_msg(now_msec() < deadline, "%d of %d slow clients have %d bytes", done, count, ENOUGH);
    long peak = status_kib(pid, "VmHWM");
    printf("  note: %d slow clients: %ld KiB before, %ld KiB at most, directio_memory %d KiB\n", count, before, peak,
           MEMORY_MIB << 10);
    /* Beside the buffers: the few that are kept for later, and connections. A sanitizer's memory is
     * its own matter. */
    if (scaled(1) == 1)
        ck_assert_msg(peak - before < (MEMORY_MIB + 12) * 1024 + count * 16, "%ld KiB before, %ld KiB at most", before,
                      peak);
    for (int i = 0; i < count; i++)
        client_reset(&slow[i].c);
}
END_TEST

/* ---- readers that are denied ---- */

enum { DENIED_SIZE = 3 << 20 };

static void fetch(const char *target, off_t first, off_t last)
{
    struct site_client c;
    struct site_response r;
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=%jd-%jd\r\n\r\n", target,
               (intmax_t)first, (intmax_t)last);
    ck_assert(client_head(&c, &r));
    ck_assert_int_eq(r.status, 206);
    client_expect_pattern(&c, first, last - first + 1);
    ck_assert(client_ends(&c));
    site_response_free(&r);
    client_close(&c);
}

static const struct denied {
    int uring, libaio; /* errno, 0: allowed */
    const char *conf, *why, *instead;
} denials[] = {
    {EPERM, 0, "aio on;", "io_uring is denied (Operation not permitted)", "libaio"},
    {EPERM, 0, "aio io_uring;", "io_uring is denied (Operation not permitted)", "libaio"},
    {EACCES, 0, "aio on;", "io_uring is denied (Permission denied)", "libaio"},
    {ENOSYS, 0, "aio on;", "io_uring is not in this kernel (Function not implemented)", "libaio"},
    {EPERM, EPERM, "aio on;", "io_uring is denied (Operation not permitted)", "threads"},
    {EPERM, ENOSYS, "aio io_uring;", "io_uring is denied (Operation not permitted)", "threads"},
    {0, EPERM, "aio libaio;", "Linux AIO is denied (Operation not permitted)", "threads"},
    {0, EAGAIN, "aio libaio;", "Linux AIO has no room left (fs.aio-max-nr)", "threads"},
};

static void serve_denied(const char *conf)
{
    char text[256];
    snprintf(text, sizeof text, "directio 1m; %s location /again/ { alias @DISK@/data/; }", conf);
    serve("", "@DISK@/data", text);
}

/* Also that of a build without one of the libraries. */
static bool works_when_allowed(const char *reader)
{
    char conf[64], line[64];
    snprintf(conf, sizeof conf, "aio %s;", reader);
    snprintf(line, sizeof line, " reading disks by %s\n", reader);
    serve_denied(conf);
    fetch("/f", 0, 9);
    char *log = log_await("logs/error.log", "reading disks by ");
    bool works = strstr(log, line);
    free(log);
    site_stop(SIGTERM);
    unlink(site_path("logs/error.log"));
    unlink(site_path("logs/io.log"));
    return works;
}

START_TEST(denied_reader)
{
    const struct denied *d = &denials[_i];
    char line[256];
    site_pattern(site_data("f"), DENIED_SIZE);
    if ((d->uring && !works_when_allowed("io_uring")) ||
        ((d->libaio || !strcmp(d->instead, "libaio")) && !works_when_allowed("libaio"))) {
        printf("skipped: a reader is denied or not built in already\n");
        return;
    }
    if ((d->uring && !deny(SYS_io_uring_setup, d->uring)) || (d->libaio && !deny(SYS_io_setup, d->libaio)))
        return;
    pages_evict(site_data("f"));
    serve_denied(d->conf);
    for (int i = 0; i < 5; i++) {
        fetch("/f", i * 511, DENIED_SIZE - 1 - i * 1001);
        fetch("/again/f", 7, 70000);
    }
    free(log_await_count("logs/io.log", *site_disk() ? " direct\n" : "\n", 10));
    char *log = log_await("logs/error.log", "reading disks by ");
    snprintf(line, sizeof line, "%s; reading disks by %s\n", d->why, d->instead);
    ck_assert_msg(strstr(log, line), "not \"%s\" but\n%s", line, log);
    ck_assert_uint_eq(count_text(log, "reading disks by "), 1);
    ck_assert_uint_eq(count_text(log, "[warn]"), *site_disk() ? 1 : 2);
    free(log);
}
END_TEST

/* ---- a cache larger than the limit of open files ---- */

/* Each file is there, whatever max= says; connections that come later are taken. */
START_TEST(cache_and_descriptors)
{
    enum { FILES = 400, LATER = 20 };
    struct site_client clients[LATER];
    char name[32];

    for (int i = 0; i < FILES; i++) {
        snprintf(name, sizeof name, "html/%d", i);
        site_write(name, "text");
    }
    site_conf("@MAIN@\nworker_rlimit_nofile 160;\nevents { worker_connections 40; }\nhttp {\n@HTTP@\n"
              "open_file_cache max=100000;\n"
              "server { listen 127.0.0.1:@PORT@; root @DIR@/html; location = /status { status; } } }\n");
    site_start();
    for (int i = 0; i < 2 * FILES; i++) {
        snprintf(name, sizeof name, "/%d", i % FILES);
        ck_assert_int_eq(site_status_of(name), 200);
    }
    double entries = site_metric("sluice_file_cache_entries");
    ck_assert_msg(entries >= 20 && entries <= 120, "%.0f entries", entries);
    for (int i = 0; i < LATER; i++) {
        client_open(&clients[i], site_port(0));
        client_say(&clients[i], "GET /%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
    }
    for (int i = 0; i < LATER; i++) {
        ck_assert(client_fill(&clients[i]));
        ck_assert_int_eq(memcmp(clients[i].in, "HTTP/1.1 200", 12), 0);
        client_close(&clients[i]);
    }
}
END_TEST

Suite *suite_scale(void)
{
    Suite *s = suite_create("scale");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "scale", 80);
    tcase_add_test(t, random_ranges_of_a_large_file);
    tcase_add_test(t, slow_clients_stay_inside_the_memory);
    tcase_add_loop_test(t, denied_reader, 0, sizeof denials / sizeof *denials);
    tcase_add_test(t, cache_and_descriptors);
    return s;
}
