/* test_faults.c - every call that can fail does so, once, at each point of a request: memory,
 * descriptors, disk, socket. At most that one response is lost, its bytes are never wrong, the
 * cause is in the log once, the next request is served, and neither a descriptor nor memory stays
 * behind. */
#include "faulty.h"
#include "harness.h"
#include "mounts.h"
#include "transport.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_SIZE = 300001, MOST_POINTS = 500, EVERY = 1 << 30, ROUNDS = 5 };

static struct {
    struct faulty *control;
    pid_t worker;
    unsigned lost; /* responses since the server started */
    long dealt;    /* calls that failed */
} now;

/* ---- the server ---- */

static const struct place {
    const char *target, *fields;
} places[] = {
    {"/sendfile/f", ""},
    {"/sendfile/f", "Range: bytes=100-200000\r\n"},
    {"/sendfile/f", "Range: bytes=0-9,50000-60000,-7\r\n"},
    {"/cached/small", ""},
    {"/cached/f", ""},
    {"/mmap/f", ""},
    {"/buffered/f", ""},
    {"/inline/f", ""},
    {"/direct/f", ""},
    {"/direct/f", "Range: bytes=1000-90000,200000-200001\r\n"},
    {"/uring/f", ""},
    {"/list/", ""},
    {"/none", ""},
};
enum { PLACES = sizeof places / sizeof *places };

static const char conf[] =
    "@MAIN@\nevents { worker_connections 64; }\nhttp {\n@HTTP@\n"
    "small_file_cache off;\n" /* whose blocks of memory would come when a request is repeated */
    "server {\n"
    "listen 127.0.0.1:@PORT@;\nroot @DIR@/html; log_not_found off; error_page 404 /gone.html;\n"
    "add_header X-Who \"$remote_addr $request_uri\";\n"
    "location /sendfile/ { alias @DISK@/data/; }\n"
    "location /cached/ { alias @DISK@/data/; open_file_cache max=9; open_file_cache_content 8k; }\n"
    "location /mmap/ { alias @DISK@/data/; io_method mmap; }\n"
    "location /buffered/ { alias @DISK@/data/; io_method buffered; aio threads; }\n"
    "location /inline/ { alias @DISK@/data/; io_method buffered; aio off; }\n"
    "location /direct/ { alias @DISK@/data/; io_method direct; aio threads; }\n"
    "location /uring/ { alias @DISK@/data/; io_method direct; aio on; }\n"
    "location /memory/ { alias @DIR@/mnt/; io_method direct; aio threads; }\n"
    "location /list/ { alias @DISK@/data/; autoindex on; }\n}\n}\n";

static bool start(void)
{
    now.control = faulty_setup();
    if (!now.control)
        return false;
    site_pattern(site_data("f"), FILE_SIZE);
    site_pattern(site_data("small"), 3000);
    site_write("html/gone.html", "gone\n");
    site_set_mtime(site_data("f"), 784111777); /* not the time that it is now */
    site_set_mtime(site_data("small"), 784111777);
    site_set_mtime("html/gone.html", 784111777);
    site_conf(conf);
    site_start_with(faulty_env(), -1);
    site_await_port(site_port(0));
    site_allow_alerts();
    now.worker = faulty_follow_worker();
    return true;
}

/* ---- one request ---- */

struct answer {
    char *bytes;
    size_t len, head_len; /* head_len 0: none came, or not the whole of it */
    int status;
};

/* Dates and boundaries differ from one response to the next. */
static void level(struct answer *a, const char *before, size_t len)
{
    char *at = memmem(a->bytes, a->len, before, strlen(before));
    if (!at || at + strlen(before) + len > a->bytes + a->len)
        return;
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)len, at + strlen(before));
    for (char *w = a->bytes; (w = memmem(w, a->len - (size_t)(w - a->bytes), word, len)); w += len)
        memset(w, '.', len);
}

static struct answer ask(const struct place *p)
{
    struct site_client c;
    struct answer a = {0};
    client_open(&c, site_port(0));
    client_say(&c, "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", p->target, p->fields);
    while (client_fill(&c))
        ;
    a.bytes = malloc(c.len + 1);
    ck_assert_ptr_nonnull(a.bytes);
    memcpy(a.bytes, c.len ? c.in : "", c.len);
    a.bytes[a.len = c.len] = '\0';
    client_close(&c);
    level(&a, "\r\nDate: ", 29);
    level(&a, "boundary=", 20);
    char *end = memmem(a.bytes, a.len, "\r\n\r\n", 4);
    if (end) {
        a.head_len = (size_t)(end + 4 - a.bytes);
        ck_assert_int_eq(sscanf(a.bytes, "HTTP/1.1 %d ", &a.status), 1);
    }
    return a;
}

enum outcome { RIGHT, REFUSED, CUT };

static size_t promised(const struct answer *a)
{
    const char *field = strstr(a->bytes, "\r\nContent-Length: ");
    ck_assert_msg(field && field < a->bytes + a->head_len, "no Content-Length in %.*s", (int)a->head_len, a->bytes);
    return strtoul(field + 18, NULL, 10);
}

/* What came, beside what should have come. */
static enum outcome judge(const struct answer *a, const struct answer *good, const char *what)
{
    if (a->len == good->len && !memcmp(a->bytes, good->bytes, a->len))
        return RIGHT;
    if (a->head_len > 0 && a->status >= 400 && a->status != good->status) {
        ck_assert_msg(a->len - a->head_len == promised(a), "%s: a page of %zu bytes", what, a->len - a->head_len);
        return REFUSED;
    }
    /* A range that there is no memory for may be ignored: RFC 9110, 14.2. */
    if (good->status == 206 && a->status == 200 && a->len - a->head_len == FILE_SIZE) {
        assert_pattern(a->bytes + a->head_len, FILE_SIZE, 0);
        return RIGHT;
    }
    ck_assert_msg(a->len < good->len && !memcmp(a->bytes, good->bytes, a->len),
                  "%s: wrong bytes: %zu instead of %zu\n%.*s\ninstead of\n%.*s", what, a->len, good->len,
                  (int)a->head_len, a->bytes, (int)good->head_len, good->bytes);
    return CUT;
}

static struct answer good_answer(const struct place *p)
{
    struct answer a = ask(p);
    ck_assert_msg(a.status == (*p->fields                   ? 206
                               : strcmp(p->target, "/none") ? 200
                                                            : 404),
                  "%s: %d", p->target, a.status);
    return a;
}

/* ---- what there is in the worker ---- */

struct holdings {
    unsigned descriptors;
    long blocks;
};

static struct holdings holdings(void)
{
    return (struct holdings){descriptors(now.worker), atomic_load(&now.control->blocks)};
}

/* What lingers is over when its client has closed. One block for each round would be a leak; one or
 * two in all are spares. */
static void expect_no_more_than(struct holdings before, const char *what)
{
    before.blocks += ROUNDS - 2;
    for (int64_t deadline = now_msec() + scaled(8000);; sleep_msec(5)) {
        struct holdings is = holdings();
        if (is.descriptors <= before.descriptors && is.blocks <= before.blocks)
            return;
        ck_assert_msg(now_msec() < deadline, "%s: %u descriptors and %ld blocks of memory, before %u and %ld", what,
                      is.descriptors, is.blocks, before.descriptors, before.blocks);
    }
}

/* Lines that say why a response was lost. */
static void expect_logged(const char *what)
{
    char *log = NULL;
    unsigned lines = 0;
    for (int64_t deadline = now_msec() + scaled(4000); now_msec() < deadline; sleep_msec(5)) {
        free(log);
        log = site_read("logs/error.log", NULL);
        lines = count_text(log, " [error] ") + count_text(log, " [crit] ") + count_text(log, " [alert] ");
        if (lines >= now.lost)
            break;
    }
    ck_assert_msg(lines == now.lost, "%s: %u responses were lost, %u lines say why\n%s", what, now.lost, lines, log);
    free(log);
}

/* ---- sweeps ---- */

enum effect {
    MAY_LOSE, /* the response, and says why */
    HARMLESS, /* nothing may be lost */
    SILENT,   /* the client's own doing: nothing to say */
    SAYS_MORE /* there may be more lines than losses */
};

struct fault {
    enum faulty_call call;
    int error;
    const char *name;
    enum effect effect;
};

static const struct fault faults[] = {
    {FAULTY_ALLOC, ENOMEM, "no memory", SAYS_MORE},
    {FAULTY_MMAP, ENOMEM, "mmap: ENOMEM", HARMLESS},
    {FAULTY_OPEN, EMFILE, "open: EMFILE", MAY_LOSE},
    {FAULTY_OPEN, ENFILE, "open: ENFILE", MAY_LOSE},
    {FAULTY_OPEN, EINTR, "open: EINTR", HARMLESS},
    {FAULTY_OPEN, EIO, "open: EIO", MAY_LOSE},
    {FAULTY_STAT, EIO, "fstat: EIO", MAY_LOSE},
    {FAULTY_PREAD, EIO, "pread: EIO", MAY_LOSE},
    {FAULTY_PREAD, EINTR, "pread: EINTR", HARMLESS},
    {FAULTY_PREAD, FAULTY_SHORT, "pread: short", HARMLESS},
    {FAULTY_SENDFILE, EIO, "sendfile: EIO", MAY_LOSE},
    {FAULTY_SENDFILE, EBADMSG, "sendfile: EBADMSG", MAY_LOSE},
    {FAULTY_SENDFILE, EINTR, "sendfile: EINTR", HARMLESS},
    {FAULTY_SENDFILE, FAULTY_SHORT, "sendfile: short", HARMLESS},
    {FAULTY_SEND, EINTR, "send: EINTR", HARMLESS},
    {FAULTY_SEND, FAULTY_SHORT, "send: short", HARMLESS},
    {FAULTY_SEND, EPIPE, "send: EPIPE", SILENT},
    {FAULTY_SEND, ENOMEM, "send: ENOMEM", MAY_LOSE},
    {FAULTY_SEND, EFAULT, "send: EFAULT", MAY_LOSE},
    {FAULTY_RECV, EINTR, "recv: EINTR", HARMLESS},
    {FAULTY_RECV, ECONNRESET, "recv: ECONNRESET", SILENT},
    {FAULTY_ACCEPT, EINTR, "accept4: EINTR", HARMLESS},
    {FAULTY_ACCEPT, ECONNABORTED, "accept4: ECONNABORTED", HARMLESS},
    {FAULTY_OPENDIR, EMFILE, "opendir: EMFILE", MAY_LOSE},
    {FAULTY_OPENDIR, EACCES, "opendir: EACCES", MAY_LOSE},
    {FAULTY_WATCH, ENOSPC, "epoll_ctl: ENOSPC", SAYS_MORE}, /* what lingers has sent all */
};
enum { FAULTS = sizeof faults / sizeof *faults };

/* True: the request does not come so far. */
static bool fails_at(const struct fault *f, const struct place *p, const struct answer *good, long point)
{
    char what[200];
    snprintf(what, sizeof what, "%s %s: %s at point %ld", p->target, p->fields, f->name, point);
    faulty_arm(f->call, f->error, point, 1);
    struct answer a = ask(p);
    long dealt = faulty_disarm();
    enum outcome o = judge(&a, good, what);
    ck_assert_msg(o == RIGHT || (dealt && f->effect != HARMLESS), "%s: %zu bytes of %zu, status %d", what, a.len,
                  good->len, a.status);
    now.dealt += dealt;
    now.lost += o != RIGHT && f->effect != SILENT;
    free(a.bytes);
    return dealt == 0;
}

static void sweep(const struct fault *f, const struct place *p)
{
    struct answer good = good_answer(p);
    long point = 0;
    while (!fails_at(f, p, &good, point))
        ck_assert_int_lt(++point, MOST_POINTS);
    struct answer after = good_answer(p);
    ck_assert_int_eq(judge(&after, &good, p->target), RIGHT);
    free(after.bytes);
    free(good.bytes);
}

/* Of DATA frames, whose bytes are copied behind their heads. */
static bool is_never_called(enum faulty_call call)
{
    return site_transport()->is_http2 && (call == FAULTY_MMAP || call == FAULTY_SENDFILE);
}

/* One after the other over all places; later rounds must leave nothing behind that the first did
 * not need. */
START_TEST(call_fails)
{
    const struct fault *f = &faults[_i];
    if (!start())
        return;
    struct holdings before = {0};
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < PLACES; i++)
            sweep(f, &places[i]);
        if (round == 0)
            before = holdings();
    }
    ck_assert_msg(now.dealt >= ROUNDS || is_never_called(f->call), "%s: only %ld calls failed", f->name, now.dealt);
    expect_no_more_than(before, f->name);
    if (f->effect != SAYS_MORE)
        expect_logged(f->name);
}
END_TEST

/* Nothing but small pieces and interruptions, all the time. */
START_TEST(calls_are_short)
{
    static const enum faulty_call calls[] = {FAULTY_PREAD, FAULTY_SENDFILE, FAULTY_SEND};
    if (!start())
        return;
    for (size_t i = 0; i < PLACES; i++) {
        struct answer good = good_answer(&places[i]);
        for (size_t n = 0; n < sizeof calls / sizeof *calls; n++) {
            faulty_arm(calls[n], FAULTY_SHORT, 0, EVERY);
            struct answer a = ask(&places[i]);
            faulty_disarm();
            ck_assert_int_eq(judge(&a, &good, places[i].target), RIGHT);
            free(a.bytes);
        }
        free(good.bytes);
    }
}
END_TEST

/* tmpfs takes O_DIRECT (since Linux 6.6) and reads of any length, so that they can end inside of a
 * block. */
START_TEST(direct_calls_are_short)
{
    static const struct place place = {"/memory/f", "Range: bytes=1000-90000\r\n"};
    if (!mounts_enter() || !mount_plain("tmpfs", "mnt", "size=16m"))
        return;
    site_pattern("mnt/f", FILE_SIZE);
    if (!start())
        return;
    struct answer good = good_answer(&place);
    assert_pattern(good.bytes + good.head_len, 89001, 1000);
    for (long point = 0; point < 4; point++) {
        faulty_arm(FAULTY_PREAD, FAULTY_SHORT, point, EVERY);
        struct answer a = ask(&place);
        faulty_disarm();
        ck_assert_int_eq(judge(&a, &good, place.target), RIGHT);
        free(a.bytes);
    }
    free(good.bytes);
}
END_TEST

/* ---- as long as it lasts ---- */

/* No descriptors for anybody: who comes is turned away or waits, who is there goes on, and then all
 * is as before. */
START_TEST(descriptors_run_out)
{
    static const int errors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
    if (!start())
        return;
    struct site_client c, waiting;
    struct site_response r;
    client_open(&c, site_port(0));
    for (int i = 0; i < 2; i++) {
        client_say(&c, "GET /cached/small HTTP/1.1\r\nHost: a\r\n\r\n");
        ck_assert(client_receive(&c, &r));
        site_response_free(&r);
    }
    struct answer first = good_answer(&places[0]); /* what is opened at its first use, and kept */
    free(first.bytes);
    struct holdings before = holdings();
    faulty_arm(FAULTY_ACCEPT, errors[_i], 0, EVERY);
    client_open(&waiting, site_port(0));
    free(log_await("logs/error.log", "accept4() failed ("));
    client_say(&c, "GET /cached/small HTTP/1.1\r\nHost: a\r\n\r\n");
    ck_assert(client_receive(&c, &r));
    ck_assert_int_eq(r.status, 200);
    assert_pattern(r.body, r.len, 0);
    site_response_free(&r);
    faulty_disarm();
    /* Turned away, or accepted late. */
    client_say(&waiting, "GET /sendfile/small HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    if (client_receive(&waiting, &r)) {
        ck_assert_int_eq(r.status, 200);
        site_response_free(&r);
    }
    client_close(&waiting);
    struct answer a = good_answer(&places[0]);
    free(a.bytes);
    for (int64_t deadline = now_msec() + scaled(8000); descriptors(now.worker) > before.descriptors; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    client_close(&c);
}
END_TEST

/* No memory at all, with responses under way: they end early or go on, and the server lives. */
START_TEST(memory_runs_out)
{
    if (!start())
        return;
    struct site_client c[PLACES];
    struct answer good[PLACES];
    for (size_t i = 0; i < PLACES; i++) {
        good[i] = good_answer(&places[i]);
        client_open_sized(&c[i], site_port(0), 8192);
        client_say(&c[i], "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", places[i].target,
                   places[i].fields);
        ck_assert(client_fill(&c[i]));
    }
    faulty_arm(FAULTY_ALLOC, ENOMEM, 0, EVERY);
    for (size_t i = 0; i < PLACES; i++) {
        while (client_fill(&c[i]))
            ;
        struct answer a = {.bytes = c[i].in, .len = c[i].len};
        level(&a, "\r\nDate: ", 29);
        level(&a, "boundary=", 20);
        ck_assert_msg(a.len <= good[i].len && !memcmp(a.bytes, good[i].bytes, a.len), "%s: wrong bytes",
                      places[i].target);
        client_close(&c[i]);
    }
    for (int i = 0; i < 10; i++) {
        struct answer a = ask(&places[i]);
        ck_assert(a.len == 0 || a.status >= 500);
        free(a.bytes);
    }
    faulty_disarm();
    for (size_t i = 0; i < PLACES; i++) {
        struct answer a = good_answer(&places[i]);
        ck_assert_int_eq(judge(&a, &good[i], places[i].target), RIGHT);
        free(a.bytes);
        free(good[i].bytes);
    }
    site_stop(SIGQUIT);
}
END_TEST

Suite *suite_faults(void)
{
    Suite *s = suite_create("faults");
    if (on_nginx())
        return s;
    TCase *t = site_case(s, "faults", 60);
    tcase_add_http1_loop_test(t, call_fails, 0, 1, "without memory, libnghttp2 1.52 aborts by an assertion of its own");
    tcase_add_loop_test(t, call_fails, 1, FAULTS);
    tcase_add_test(t, calls_are_short);
    tcase_add_test(t, direct_calls_are_short);
    tcase_add_loop_test(t, descriptors_run_out, 0, 4);
    tcase_add_test(t, memory_runs_out);
    return s;
}
