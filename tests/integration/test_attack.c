/* test_attack.c - crowds that mean harm, and one client that does not: it is served all the while,
 * memory stays bounded, and what was taken is given back.
 *
 * ATTACK: the size in percent; 100 (`make attack`): 5000 slow heads, 2000 slow readers of a file of
 * 1 GiB, 20000 connections that close at once, pipelines of 10000 requests, 100 times a listing of
 * 100000 files. */
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((off_t)1 << 20)

static unsigned percent(unsigned full)
{
    const char *size = getenv("ATTACK");
    unsigned n = full * (size ? (unsigned)atoi(size) : 5) / 100;
    return n > 0 ? n : 1;
}

/* ---- the server ---- */

static struct {
    pid_t worker;
    unsigned fds;
    long kib; /* resident */
} at_rest;

static unsigned open_files(pid_t pid)
{
    DIR *dir = opendir(site_path("/proc/%d/fd", (int)pid));
    unsigned n = 0;
    while (dir && readdir(dir))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

/* A line of /proc/PID/status in KiB: VmRSS, VmHWM. */
static long memory(pid_t pid, const char *what)
{
    char *status = site_read(site_path("/proc/%d/status", (int)pid), &(size_t){0});
    ck_assert_msg(status != NULL, "process %d: %s", (int)pid, strerror(errno));
    const char *line = strstr(status, what);
    long kib = line ? strtol(line + strlen(what) + 1, NULL, 10) : 0;
    free(status);
    return kib;
}

static void serve(const char *server)
{
    char text[2048];
    struct rlimit files;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    site_write("html/a", "content");
    snprintf(text, sizeof text,
             "@MAIN@\nevents { worker_connections 8000; }\nhttp { access_log off; error_log logs/http.log warn; "
             "keepalive_requests 100000;\n"
             "server { listen 127.0.0.1:@PORT@; root @DIR@/html; location = /pid { return 200 $pid; } %s } }",
             server);
    site_conf(text);
    site_start();
    struct site_response r;
    site_get(&r, "/pid");
    at_rest.worker = atoi(r.body);
    site_response_free(&r);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(site_status_of("/a"), 200);
    at_rest.fds = open_files(at_rest.worker);
    at_rest.kib = memory(at_rest.worker, "VmRSS:");
}

/* Back to what it was before; `slack`: descriptors kept for the next use, of threads or readers. */
static void await_rest(unsigned slack)
{
    unsigned fds = 0;
    for (int64_t deadline = now_msec() + scaled(20000); (fds = open_files(at_rest.worker)) > at_rest.fds + slack;
         sleep_msec(20))
        ck_assert_msg(now_msec() < deadline, "%u descriptors are open, there were %u", fds, at_rest.fds);
}

static void expect_memory(const char *what, long most_kib)
{
    long peak = memory(at_rest.worker, "VmHWM:") - at_rest.kib;
    printf("%s: %ld KiB more memory, bound %ld KiB\n", what, peak, most_kib);
    if (!site_is_instrumented()) /* a sanitizer has its own ideas of memory, coverage its counters */
        ck_assert_msg(peak <= most_kib, "%ld KiB", peak);
}

/* ---- a client that behaves, in a process of its own ---- */

enum { SAMPLES = 1 << 16 };

static struct polite {
    pid_t pid;
    struct shared {
        volatile bool stop;
        volatile unsigned count, failed;
        unsigned usec[SAMPLES];
    } * shared;
} polite;

static int64_t now_usec(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* The whole of a response of `len` bytes of body, on a connection of its own. */
static bool ask_politely(const char *request_text, size_t len)
{
    char bytes[8192];
    size_t got = 0;
    struct channel ch = {.transport = site_transport()};
    if (ch.transport->connect(&ch, site_port(0), 0) < 0)
        return false;
    size_t length = strlen(request_text);
    bool good = ch.transport->send(&ch, request_text, length, true) == (ssize_t)length;
    for (ssize_t n; good && (n = ch.transport->receive(&ch, bytes, sizeof bytes, true)) != 0;) {
        good = n > 0;
        if (got == 0)
            good = good && n > 12 && memcmp(bytes, "HTTP/1.1 20", 11) == 0;
        got += n > 0 ? (size_t)n : 0;
    }
    ch.transport->close(&ch);
    return good && got > len;
}

static void behave(const char *also, size_t len)
{
    struct shared *s = polite.shared;
    for (unsigned i = 0; !s->stop; i++) {
        int64_t begun = now_usec();
        bool own = also && i % 4 == 3;
        bool good = own ? ask_politely(also, len)
                        : ask_politely("GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", strlen("content"));
        s->failed += !good;
        s->usec[s->count % SAMPLES] = (unsigned)(now_usec() - begun);
        s->count++;
        usleep(2000);
    }
    _exit(0);
}

/* `also`: a request that takes its turn with one of a small file, and the length of its body. */
static void polite_start(const char *also, size_t len)
{
    polite.shared = mmap(NULL, sizeof *polite.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(polite.shared, MAP_FAILED);
    polite.pid = fork();
    ck_assert_int_ge(polite.pid, 0);
    if (polite.pid == 0)
        behave(also, len);
}

/* So many more have been answered from now on. */
static void polite_await(unsigned more)
{
    unsigned from = polite.shared->count;
    for (int64_t deadline = now_msec() + scaled(30000); polite.shared->count - from < more; sleep_msec(5))
        ck_assert_msg(now_msec() < deadline, "%u of %u answers", polite.shared->count - from, more);
}

static int compare(const void *a, const void *b)
{
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return (x > y) - (x < y);
}

static void polite_end(const char *what)
{
    struct shared *s = polite.shared;
    int status;
    s->stop = true;
    ck_assert_int_eq(waitpid(polite.pid, &status, 0), polite.pid);
    unsigned n = s->count < SAMPLES ? s->count : SAMPLES;
    ck_assert_uint_gt(n, 0);
    qsort(s->usec, n, sizeof *s->usec, compare);
    printf("%s: a client that behaves: %u requests, p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n", what, s->count,
           s->usec[n / 2] / 1e3, s->usec[(size_t)n * 99 / 100] / 1e3, s->usec[n - 1] / 1e3);
    ck_assert_msg(s->failed == 0, "%u of %u requests failed", s->failed, s->count);
}

/* ---- the crowd ---- */

/* Connected, non-blocking; `rcvbuf` 0: the kernel's. */
static int dial(int rcvbuf)
{
    struct channel ch = {.transport = site_transport()};
    ck_assert_msg(ch.transport->connect(&ch, site_port(0), rcvbuf) == 0, "connect: %s", strerror(errno));
    ck_assert_ptr_null(ch.session); /* thousands of bare sockets, in an array for poll(2) */
    fcntl(ch.fd, F_SETFL, O_NONBLOCK);
    return ch.fd;
}

static void say(int fd, const char *text)
{
    ssize_t n = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)n; /* refused, or already closed: it is an attacker's own problem */
}

/* Reads and forgets, until the server has closed them all. */
static void await_closed(struct pollfd *crowd, unsigned count)
{
    char bytes[65536];
    unsigned open = 0;
    for (unsigned i = 0; i < count; i++) {
        crowd[i].events = POLLIN;
        open += crowd[i].fd >= 0;
    }
    int64_t deadline = now_msec() + scaled(40000);
    while (open > 0) {
        ck_assert_msg(now_msec() < deadline, "%u are still connected", open);
        poll(crowd, count, 100);
        for (unsigned i = 0; i < count; i++) {
            if (crowd[i].fd < 0 || !crowd[i].revents)
                continue;
            ssize_t n = recv(crowd[i].fd, bytes, sizeof bytes, 0);
            if (n > 0 || (n < 0 && errno == EAGAIN))
                continue;
            close(crowd[i].fd);
            crowd[i].fd = -1;
            open--;
        }
    }
}

START_TEST(slow_heads)
{
    unsigned count = percent(5000);
    struct pollfd *crowd = calloc(count, sizeof *crowd);
    serve("client_header_timeout 3s;");
    polite_start(NULL, 0);
    for (unsigned i = 0; i < count; i++) {
        crowd[i].fd = dial(0);
        say(crowd[i].fd, "GET /a HTTP/1.1\r\nHost: a\r\nX-Slow: ");
    }
    for (int drops = 0; drops < 3; drops++) {
        for (unsigned i = 0; i < count; i++)
            say(crowd[i].fd, "x");
        polite_await(20);
    }
    await_closed(crowd, count);
    polite_end("slow heads");
    await_rest(0);
    /* A connection and 4 KiB of its head, and what the heap wastes. */
    expect_memory("slow heads", 2048 + (long)count * 6);
    free(crowd);
}
END_TEST

static const char *const reading[] = {"", "directio 4m;"};

START_TEST(slow_readers)
{
    unsigned count = percent(2000);
    struct pollfd *crowd = calloc(count, sizeof *crowd);
    char server[256];
    const char *big = site_data("big");
    site_write(big, "");
    ck_assert_int_eq(truncate(big, 1024 * MIB), 0);
    snprintf(server, sizeof server, "send_min_rate 100k 3s; location /big { root @DISK@/data; %s }", reading[_i]);
    serve(server);
    polite_start("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\nRange: bytes=5000000-5099999\r\n\r\n", 100000);
    for (unsigned i = 0; i < count; i++) {
        char text[128];
        crowd[i].fd = dial(4096);
        snprintf(text, sizeof text, "GET /big HTTP/1.1\r\nHost: a\r\nRange: bytes=%u-\r\n\r\n", i * 4096);
        say(crowd[i].fd, text);
    }
    polite_await(40);
    /* They take nothing, and lose their connections for it. */
    polite_end(_i ? "slow readers, direct" : "slow readers, sendfile");
    await_rest(16);
    for (unsigned i = 0; i < count; i++)
        close(crowd[i].fd);
    expect_memory(_i ? "slow readers, direct" : "slow readers, sendfile",
                  (_i ? (64 + 8) * 1024 : 0) + 8192 + (long)count * 16);
    free(crowd);
}
END_TEST

START_TEST(connect_and_close)
{
    unsigned count = percent(20000);
    serve("");
    polite_start(NULL, 0);
    for (unsigned i = 0; i < count; i++) {
        int fd = dial(0);
        if (i % 3 == 1)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
        if (i % 3 == 2)
            say(fd, "GET /a HTTP/1.1\r\n");
        close(fd);
    }
    polite_await(20);
    polite_end("connect and close");
    await_rest(0);
    expect_memory("connect and close", 4096);
}
END_TEST

/* Sends while there is room, and reads what comes; the answers are counted by their status
 * lines. */
static void pipeline(int fd, unsigned requests)
{
    static const char one[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", mark[] = "HTTP/1.1 200 OK\r\n";
    size_t len = requests * (sizeof one - 1), sent = 0, matched = 0;
    char *all = malloc(len), bytes[65536];
    unsigned answers = 0;
    for (unsigned i = 0; i < requests; i++)
        memcpy(all + i * (sizeof one - 1), one, sizeof one - 1);
    int64_t deadline = now_msec() + scaled(30000);
    while (answers < requests) {
        struct pollfd p = {.fd = fd, .events = (short)(POLLIN | (sent < len ? POLLOUT : 0))};
        ck_assert_msg(now_msec() < deadline, "%u answers", answers);
        poll(&p, 1, 100);
        if (p.revents & POLLOUT) {
            ssize_t n = send(fd, all + sent, len - sent, MSG_NOSIGNAL);
            sent += n > 0 ? (size_t)n : 0;
        }
        ssize_t n = recv(fd, bytes, sizeof bytes, 0);
        ck_assert_msg(n > 0 || (n < 0 && errno == EAGAIN), "ended after %u answers", answers);
        for (ssize_t i = 0; i < n; i++) {
            matched = bytes[i] == mark[matched] ? matched + 1 : bytes[i] == mark[0];
            if (matched == sizeof mark - 1)
                answers++, matched = 0;
        }
    }
    free(all);
}

START_TEST(pipelines)
{
    enum { PIPELINES = 4 };
    unsigned requests = percent(10000);
    pid_t pids[PIPELINES];
    serve("");
    polite_start(NULL, 0);
    for (int i = 0; i < PIPELINES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            pipeline(dial(0), requests);
            _exit(0);
        }
    }
    /* One that never reads: it is not answered without end. */
    int deaf = dial(4096);
    for (unsigned i = 0; i < requests; i++)
        say(deaf, "GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < PIPELINES; i++) {
        int status;
        ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
        ck_assert_int_eq(status, 0);
    }
    polite_await(20);
    close(deaf);
    polite_end("pipelines");
    await_rest(0);
    expect_memory("pipelines", 4096);
}
END_TEST

START_TEST(crowded_listing)
{
    enum { CLIENTS = 100 };
    unsigned files = percent(100000);
    struct pollfd crowd[CLIENTS];
    const char *folder = site_mkdir("html/many");
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned i = 0; i < files; i++) {
        char name[32];
        snprintf(name, sizeof name, "file-%06u", i);
        int fd = openat(dir, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        ck_assert_int_ge(fd, 0);
        close(fd);
    }
    close(dir);
    serve("autoindex on;");
    polite_start(NULL, 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        crowd[i].fd = dial(0);
        say(crowd[i].fd, "GET /many/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    }
    await_closed(crowd, CLIENTS);
    polite_await(20);
    polite_end("listings");
    await_rest(16);
    struct site_response r;
    site_get(&r, "/many/");
    ck_assert_int_eq(r.status, 200);
    ck_assert_uint_eq(count_text(r.body, "<a href=\"file-"), files);
    /* What one takes to be made, some times over: not a hundred times. */
    expect_memory("listings", 8192 + (long)(r.len / 1024) * 12);
    site_response_free(&r);
}
END_TEST

Suite *suite_attack(void)
{
    Suite *s = suite_create("attack");
    TCase *tc = site_case(s, "attack", 120);
    tcase_add_test(tc, slow_heads);
    tcase_add_loop_test(tc, slow_readers, 0, 2);
    tcase_add_test(tc, connect_and_close);
    tcase_add_test(tc, pipelines);
    tcase_add_test(tc, crowded_listing);
    return s;
}
