/* siege.c - see siege.h. */
#include "siege.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned siege_percent(unsigned full)
{
    const char *size = getenv("ATTACK");
    unsigned n = full * (size ? (unsigned)atoi(size) : 10) / 100;
    return n > 0 ? n : 1;
}

/* ---- the server ---- */

static struct {
    pid_t worker;
    unsigned fds;
    long kib;
} at_rest;

long siege_memory(const char *what)
{
    char *status = site_read(site_path("/proc/%d/status", (int)at_rest.worker), &(size_t){0});
    ck_assert_msg(status != NULL, "the worker is gone");
    const char *line = strstr(status, what);
    long kib = line ? strtol(line + strlen(what) + 1, NULL, 10) : 0;
    free(status);
    return kib;
}

/* VmHWM begins anew, where that is allowed: proc(5). */
static void forget_peak(void)
{
    int fd = open(site_path("/proc/%d/clear_refs", (int)at_rest.worker), O_WRONLY);
    ssize_t n = fd >= 0 ? write(fd, "5", 1) : 0;
    (void)n;
    if (fd >= 0)
        close(fd);
}

void siege_serve(const char *main, const char *http, const char *server)
{
    char text[4096];
    site_write("html/a", "content");
    snprintf(text, sizeof text,
             "@MAIN@\n%s\nhttp { access_log off; error_log logs/http.log info; %s\n"
             "server { listen 127.0.0.1:@PORT@; root @DIR@/html; %s } }",
             main, http, server);
    site_conf(text);
    site_start();
    at_rest.worker = site_worker();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(site_status_of("/a"), 200);
    at_rest.fds = descriptors(at_rest.worker);
    at_rest.kib = siege_memory("VmRSS:");
    forget_peak();
}

static void await_rest(void)
{
    unsigned fds = 0;
    for (int64_t deadline = now_msec() + scaled(20000); (fds = descriptors(at_rest.worker)) > at_rest.fds + 2;
         sleep_msec(20))
        ck_assert_msg(now_msec() < deadline, "%u descriptors are open, there were %u", fds, at_rest.fds);
}

/* What is left may be memory that is kept for the next connections. */
static void expect_memory(const char *what, long most_kib)
{
    long peak = siege_memory("VmHWM:") - at_rest.kib, left = siege_memory("VmRSS:") - at_rest.kib;
    printf("%s: %ld KiB more memory at most, %ld KiB afterwards, bound %ld KiB\n", what, peak, left, most_kib);
    if (!site_is_instrumented())
        ck_assert_msg(peak <= most_kib && left <= most_kib, "%ld KiB, %ld KiB", peak, left);
}

/* ---- a client that behaves, in a process of its own ---- */

enum { SAMPLES = 1 << 15 };

static struct {
    pid_t pid;
    struct shared {
        volatile bool stop;
        volatile unsigned count, failed;
        unsigned usec[SAMPLES];
    } * shared;
} polite;

static unsigned now_usec(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (unsigned)(t.tv_sec * 1000000 + t.tv_nsec / 1000);
}

static bool ask_politely(void)
{
    static const char request[] = "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    char bytes[4096];
    struct channel ch = {.transport = site_transport()};
    if (ch.transport->connect(&ch, site_port(0), 0) < 0)
        return false;
    bool good = ch.transport->send(&ch, request, sizeof request - 1, true) > 0;
    ssize_t n = good ? ch.transport->receive(&ch, bytes, sizeof bytes, true) : -1;
    ch.transport->close(&ch);
    return n > 12 && memcmp(bytes, "HTTP/1.1 200", 12) == 0;
}

void siege_begin(void)
{
    polite.shared = mmap(NULL, sizeof *polite.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(polite.shared, MAP_FAILED);
    polite.pid = fork();
    ck_assert_int_ge(polite.pid, 0);
    if (polite.pid > 0)
        return;
    struct shared *s = polite.shared;
    while (!s->stop) {
        unsigned begun = now_usec();
        s->failed += !ask_politely();
        s->usec[s->count % SAMPLES] = now_usec() - begun;
        s->count++;
    }
    _exit(0);
}

static int by_value(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

void siege_end_polite(const char *during)
{
    struct shared *s = polite.shared;
    unsigned before = s->count;
    while (s->count < before + 3) /* while all that was done is still there */
        sleep_msec(5);
    s->stop = true;
    ck_assert_int_eq(waitpid(polite.pid, NULL, 0), polite.pid);
    unsigned count = s->count < SAMPLES ? s->count : SAMPLES;
    qsort(s->usec, count, sizeof *s->usec, by_value);
    printf("%s: the other client: %u connections, %u failed, median %.2f ms, p99 %.2f ms\n", during, s->count,
           s->failed, s->usec[count / 2] / 1000.0, s->usec[count * 99 / 100] / 1000.0);
    ck_assert_uint_eq(s->failed, 0);
}

/* ---- after each of them ---- */

/* The worker is still that one, and what clients did is told at info, if at all. */
static void expect_quiet_log(void)
{
    char *log = site_read("logs/http.log", NULL);
    static const char *const worse[] = {"[warn]", "[error]", "[crit]", "[alert]", "[emerg]"};
    for (unsigned i = 0; log && i < sizeof worse / sizeof *worse; i++) {
        const char *line = strstr(log, worse[i]);
        ck_assert_msg(!line, "%.200s", line);
    }
    free(log);
    ck_assert_int_eq(site_worker(), at_rest.worker);
}

void siege_end(const char *what, long most_kib)
{
    siege_end_polite(what);
    await_rest();
    expect_memory(what, most_kib);
    expect_quiet_log();
}
