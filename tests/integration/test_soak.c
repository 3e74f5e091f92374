/* test_soak.c - make soak: all kinds of clients for SOAK_MINUTES, a reload each minute. What the
 * server holds is written down and must stay flat. In the last third there are no reloads, so that
 * a worker that grows has the time to show it. */
#include "harness.h"
#include "load.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

enum {
    SMALL = 1000,
    MEDIUM = 300000,
    BIG = 48 << 20,
    LISTED = 200,
    WORKERS = 2,
    ROWS_MOST = 600,
    GROWTH_KIB = 4096, /* and a tenth: what an allocator may keep */
    GROWTH_FILES = 8   /* connections that come and go */
};

static int minutes(void)
{
    const char *set = getenv("SOAK_MINUTES");
    return set ? atoi(set) : 0;
}

/* ---- clients ---- */

static int port;

/* Reads a little now and then of something large, and leaves. */
static void slow_reader(int stop, struct counts *counts, const void *arg)
{
    static const char ask[] = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
    char some[8192];
    (void)arg;
    while (load_goes_on(stop)) {
        struct channel ch;
        if (!load_dial(&ch, port) || ch.transport->send(&ch, ask, sizeof ask - 1, true) < 0)
            load_failed(counts, "slow reader: %s", strerror(errno));
        for (int i = 0; ch.fd >= 0 && i < 40 && load_goes_on(stop); i++) {
            if (ch.transport->receive(&ch, some, sizeof some, true) <= 0) {
                load_failed(counts, "slow reader: cut");
                break;
            }
            sleep_msec(50);
        }
        if (ch.fd >= 0)
            ch.transport->close(&ch);
        counts->done++;
    }
}

/* Goes by reset, in the middle of whatever there is. */
static void resetter(int stop, struct counts *counts, const void *arg)
{
    static const char *const beginnings[] = {
        "",
        "GET /f HT",
        "GET /big HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /direct/big HTTP/1.1\r\nHost: a\r\nRange: bytes=100-\r\n\r\n",
        "POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc",
        "GET /list/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "nonsense\r\n\r\n",
    };
    (void)arg;
    for (unsigned i = 0; load_goes_on(stop); i++) {
        const char *text = beginnings[i % (sizeof beginnings / sizeof *beginnings)];
        struct channel ch;
        if (!load_dial(&ch, port)) {
            load_failed(counts, "connect: %s", strerror(errno));
            continue;
        }
        (void)!ch.transport->send(&ch, text, strlen(text), true);
        sleep_msec((int)(i % 4) * 5);
        ch.transport->reset(&ch);
        counts->done++;
    }
}

/* Folders, in HTML that nobody needs to understand. */
static void lister(int stop, struct counts *counts, const void *arg)
{
    static const char ask[] = "GET /list/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    static char page[262144];
    (void)arg;
    for (; load_goes_on(stop); sleep_msec(20)) {
        struct channel ch;
        size_t len = 0;
        bool sent = load_dial(&ch, port) && ch.transport->send(&ch, ask, sizeof ask - 1, true) > 0;
        for (ssize_t n; sent && (n = ch.transport->receive(&ch, page + len, sizeof page - 1 - len, true)) > 0;)
            len += (size_t)n;
        page[len] = '\0';
        if (strncmp(page, "HTTP/1.1 200 ", 13) || !strstr(page, "</html>"))
            load_failed(counts, "list: %zu bytes, %.40s", len, page);
        counts->done++;
        if (ch.fd >= 0)
            ch.transport->close(&ch);
    }
}

static struct load_requests askers[] = {
    {.target = "/f", .fields = "", .len = SMALL, .keep = true, .pause_msec = 1},
    {.target = "/f", .fields = "", .len = SMALL, .pause_msec = 1},
    {.target = "/f", .fields = "", .len = SMALL, .keep = true, .pause_msec = 700},
    {.target = "/medium", .fields = "", .len = MEDIUM, .keep = true, .pause_msec = 5},
    {.target = "/direct/big", .fields = "", .len = BIG, .keep = true, .pause_msec = 500},
    {.target = "/direct/big",
     .fields = "Range: bytes=1000001-3000000\r\n",
     .first = 1000001,
     .len = 2000000,
     .keep = true,
     .pause_msec = 20},
    {.target = "/big", .fields = "Range: bytes=77-500076\r\n", .first = 77, .len = 500000, .pause_msec = 5},
    {.target = "/mapped/medium", .fields = "", .len = MEDIUM, .pause_msec = 10},
};
enum { ASKERS = sizeof askers / sizeof *askers, LOADERS = ASKERS + 5 };

static void start_loaders(struct loader *loaders)
{
    static load_fn *const others[LOADERS - ASKERS] = {slow_reader, slow_reader, resetter, resetter, lister};
    port = site_port(0);
    for (unsigned i = 0; i < ASKERS; i++) {
        askers[i].port = port;
        loader_start(&loaders[i], load_requests, &askers[i]);
    }
    for (unsigned i = ASKERS; i < LOADERS; i++)
        loader_start(&loaders[i], others[i - ASKERS], NULL);
}

/* ---- what the server holds ---- */

struct row {
    int second, reloads;
    unsigned processes;
    long master_kib, worker_kib; /* RSS; of the largest worker */
    unsigned master_files, worker_files;
};

static long rss_kib(pid_t pid)
{
    char line[200];
    long kib = 0;
    FILE *f = fopen(site_path("/proc/%d/status", (int)pid), "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib;
}

static unsigned files_of(pid_t pid)
{
    unsigned count = 0;
    DIR *d = opendir(site_path("/proc/%d/fd", (int)pid));
    while (d && readdir(d))
        count++;
    if (d)
        closedir(d);
    return count > 2 ? count - 2 : 0;
}

static struct row take_row(int second, int reloads)
{
    pid_t pids[64];
    struct row r = {.second = second, .reloads = reloads};
    unsigned count = site_workers(pids, 64);
    r.processes = count;
    r.master_kib = rss_kib(site_pid());
    r.master_files = files_of(site_pid());
    for (unsigned i = 0; i < count && i < 64; i++) {
        long kib = rss_kib(pids[i]);
        unsigned files = files_of(pids[i]);
        r.worker_kib = kib > r.worker_kib ? kib : r.worker_kib;
        r.worker_files = files > r.worker_files ? files : r.worker_files;
    }
    return r;
}

static void print_rows(const struct row *rows, int count, uint64_t requests)
{
    printf("\n  time   reloads  workers  master KiB  files  largest worker KiB  files\n");
    for (int i = 0; i < count; i++)
        printf("  %02d:%02d  %7d  %7u  %10ld  %5u  %18ld  %5u\n", rows[i].second / 60, rows[i].second % 60,
               rows[i].reloads, rows[i].processes, rows[i].master_kib, rows[i].master_files, rows[i].worker_kib,
               rows[i].worker_files);
    printf("  %ju requests\n\n", (uintmax_t)requests);
    fflush(stdout);
}

/* The most in rows [from, to). */
static struct row most(const struct row *rows, int from, int to)
{
    struct row m = {0};
    for (int i = from; i < to; i++) {
        m.master_kib = rows[i].master_kib > m.master_kib ? rows[i].master_kib : m.master_kib;
        m.worker_kib = rows[i].worker_kib > m.worker_kib ? rows[i].worker_kib : m.worker_kib;
        m.master_files = rows[i].master_files > m.master_files ? rows[i].master_files : m.master_files;
        m.worker_files = rows[i].worker_files > m.worker_files ? rows[i].worker_files : m.worker_files;
    }
    return m;
}

static void expect_flat(const struct row *rows, int count)
{
    struct row before = most(rows, 0, (count + 2) / 3), after = most(rows, count - (count + 2) / 3, count);
    ck_assert_msg(after.master_kib <= before.master_kib + before.master_kib / 10 + GROWTH_KIB / 4,
                  "the master grew from %ld to %ld KiB", before.master_kib, after.master_kib);
    ck_assert_msg(after.worker_kib <= before.worker_kib + before.worker_kib / 10 + GROWTH_KIB,
                  "workers grew from %ld to %ld KiB", before.worker_kib, after.worker_kib);
    ck_assert_msg(after.master_files <= before.master_files, "the master's descriptors grew from %u to %u",
                  before.master_files, after.master_files);
    ck_assert_msg(after.worker_files <= before.worker_files + GROWTH_FILES,
                  "the workers' descriptors grew from %u to %u", before.worker_files, after.worker_files);
}

/* ---- the run ---- */

static void configure(int generation)
{
    char text[2048];
    snprintf(text, sizeof text,
             "daemon off; worker_processes %d; pid logs/sluice.pid; error_log logs/error.log notice;\n"
             "events { worker_connections 512; }\nhttp { access_log off; open_file_cache max=100;\n"
             "server { listen 127.0.0.1:@PORT@ reuseport; root @DISK@/data;\n"
             "location = /generation { return 200 %d; }\nlocation /list/ { autoindex on; }\n"
             "location /direct/ { alias @DISK@/data/; io_method direct; }\n"
             "location /mapped/ { alias @DISK@/data/; io_method mmap; } } }",
             WORKERS, generation);
    site_conf(text);
}

static void begin(void)
{
    char name[64];
    site_pattern(site_data("f"), SMALL);
    site_pattern(site_data("medium"), MEDIUM);
    site_pattern(site_data("big"), BIG);
    for (int i = 0; i < LISTED; i++) {
        snprintf(name, sizeof name, "list/file %d", i);
        site_write(site_data(name), "");
    }
    configure(0);
    site_start();
}

static void reload(int generation)
{
    char expected[16];
    struct site_response r;
    snprintf(expected, sizeof expected, "%d", generation);
    configure(generation);
    site_kill(SIGHUP);
    for (int64_t deadline = now_msec() + scaled(20000);; sleep_msec(20)) {
        site_get(&r, "/generation");
        bool is = !strcmp(r.body, expected);
        site_response_free(&r);
        if (is)
            return;
        ck_assert_int_lt(now_msec(), deadline);
    }
}

/* A row just before each reload, when the old workers are long gone; short runs have shorter
 * minutes. */
START_TEST(soak)
{
    static struct row rows[ROWS_MOST];
    struct loader loaders[LOADERS];
    int seconds = minutes() * 60, every = seconds >= 900 ? 60 : seconds / 15, count = 0, reloads = 0;
    begin();
    start_loaders(loaders);
    int64_t start = now_msec();
    for (int at = every; at <= seconds && count < ROWS_MOST; at += every) {
        while (now_msec() < start + at * INT64_C(1000))
            sleep_msec(100);
        rows[count++] = take_row(at, reloads);
        if (at <= seconds * 2 / 3)
            reload(++reloads);
    }
    struct counts total = {0};
    for (unsigned i = 0; i < LOADERS; i++) {
        struct counts c = loader_stop(&loaders[i]);
        total.done += c.done;
        total.failed += c.failed;
        if (c.failed)
            printf("client %u: %ju failed (%s)\n", i, (uintmax_t)c.failed, c.what);
    }
    print_rows(rows, count, total.done);
    ck_assert_uint_eq(total.failed, 0);
    expect_flat(rows, count);
    site_await_workers(WORKERS);
}
END_TEST

Suite *suite_soak(void)
{
    Suite *s = suite_create("soak");
    if (minutes() <= 0)
        return s;
    TCase *t = site_case(s, "soak", minutes() * 60 + 300);
    tcase_add_test(t, soak);
    return s;
}
