/* test_h2_endings.c - connections of HTTP/2 while the server changes: reloads, a new binary, a worker
 * that is killed. Each stream that the server accepted is answered, and what the clients count is
 * what the access log has. RFC 9113, 6.8. RELOADS=200: so many instead of a few. */
#include "h2_client.h"
#include "load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL = 1000, LARGE = 300000, DOWNLOAD = 4 << 20, RELOADS = 20, MOST_STREAMS = 16 };

static void configure(int generation)
{
    char text[2048];
    snprintf(text, sizeof text,
             "daemon off; worker_processes 2; pid logs/sluice.pid; error_log logs/error.log notice;\n"
             "events { worker_connections 512; }\n"
             "http { @HTTP@ server { listen 127.0.0.1:@PORT@; http2 on; root @DIR@/html; add_header X-Pid $pid;\n"
             "location = /generation { access_log off; return 200 %d; } } }",
             generation);
    site_conf(text);
}

static void begin(void)
{
    site_pattern("html/f", SMALL);
    site_pattern("html/large", LARGE);
    site_pattern("html/download", DOWNLOAD);
    configure(0);
    site_start();
}

static void await_generation(int generation)
{
    char expected[16];
    snprintf(expected, sizeof expected, "%d", generation);
    for (int64_t deadline = now_msec() + scaled(20000);; sleep_msec(5)) {
        struct site_response r;
        site_get(&r, "/generation");
        bool is = !strcmp(r.body, expected);
        site_response_free(&r);
        if (is)
            return;
        ck_assert_msg(now_msec() < deadline, "generation %d does not come", generation);
    }
}

/* ---- clients that count ---- */

struct kind {
    const char *path;
    size_t len;
    unsigned streams; /* at a time */
    bool late;        /* goes on asking until GOAWAY has the last id: as if the requests were under way */
};

static bool may_ask(const struct kind *kind, const struct h2 *h)
{
    return h->goaways == 0 || (kind->late && h->goaway_last == INT32_MAX);
}

/* What became of a stream. False: nothing yet. */
static bool judge(struct h2_client *k, uint32_t id, bool lives, const struct kind *kind, struct counts *counts)
{
    struct h2_stream *s = h2_stream(&k->h, id);
    if (s && s->ended) {
        if (s->status != 200 || s->len != kind->len || !pattern_matches(s->body, s->len, 0))
            load_failed(counts, "%s, stream %u: status %d, %zu bytes", kind->path, id, s->status, s->len);
        else
            counts->done++;
        free(s->body);
        s->body = NULL;
        s->len = 0;
        return true;
    }
    if (k->h.goaways > 0 && id > k->h.goaway_last) {
        counts->retried++;
        return true;
    }
    if (lives && !(s && s->reset))
        return false;
    load_failed(counts, "%s, stream %u is lost: %s, %u GOAWAY, the last id %u", kind->path, id,
                s && s->reset ? h2_error_name(s->code) : "the end", k->h.goaways, k->h.goaway_last);
    return true;
}

static void use_connection(struct h2_client *k, int stop, struct counts *counts, const struct kind *kind)
{
    uint32_t open[MOST_STREAMS];
    unsigned count = 0;
    for (bool lives = true; lives;) {
        while (count < kind->streams && may_ask(kind, &k->h) && load_goes_on(stop))
            open[count++] = h2_get(k, kind->path, "");
        if (count == 0)
            return;
        lives = h2_pump(k);
        for (unsigned i = 0; i < count;) {
            if (judge(k, open[i], lives, kind, counts))
                open[i] = open[--count];
            else
                i++;
        }
    }
}

static void load_streams(int stop, struct counts *counts, const void *arg)
{
    while (load_goes_on(stop) && counts->failed == 0) {
        struct h2_client k;
        h2_start(&k, site_port(0));
        use_connection(&k, stop, counts, arg);
        h2_close(&k);
    }
}

static const struct kind kinds[] = {
    {"/f", SMALL, 16, false},
    {"/f", SMALL, 3, true},
    {"/large", LARGE, 8, false},
    {"/large", LARGE, 4, true},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static void start_clients(struct loader *loaders)
{
    for (unsigned i = 0; i < KINDS; i++)
        loader_start(&loaders[i], load_streams, &kinds[i]);
}

/* Lines of the access log: each is a stream that a client has had the whole of. */
static void expect_as_counted(uint64_t done)
{
    char *log = site_read("logs/access.log", NULL);
    unsigned whole =
        count_text(log, "GET /f HTTP/2.0\" 200 1000 ") + count_text(log, "GET /large HTTP/2.0\" 200 300000 ");
    unsigned all = count_text(log, "HTTP/2.0\"");
    free(log);
    ck_assert_msg(whole == done && all == done, "clients had %ju streams, the log has %u, %u of them whole",
                  (uintmax_t)done, all, whole);
}

static int wanted_reloads(void)
{
    const char *set = getenv("RELOADS");
    return set && atoi(set) > 0 ? atoi(set) : RELOADS;
}

START_TEST(reloads)
{
    struct loader loaders[KINDS];
    begin();
    start_clients(loaders);
    for (int i = 1; i <= wanted_reloads(); i++) {
        configure(i);
        site_kill(SIGHUP);
        await_generation(i);
    }
    struct counts c = loaders_stop_well(loaders, KINDS);
    site_stop(SIGQUIT);
    expect_as_counted(c.done);
    printf("%d reloads: %ju streams, none lost, %ju behind the last id asked again\n", wanted_reloads(),
           (uintmax_t)c.done, (uintmax_t)c.retried);
}
END_TEST

/* ---- a new binary ---- */

static pid_t pid_in_file(void)
{
    char *text = site_read("logs/sluice.pid", NULL);
    pid_t pid = text ? atoi(text) : 0;
    free(text);
    return pid;
}

/* Ours by PR_SET_CHILD_SUBREAPER, when its parent has gone. */
static void end_master(pid_t pid)
{
    int status;
    ck_assert_int_eq(kill(pid, SIGQUIT), 0);
    for (int64_t deadline = now_msec() + scaled(15000); waitpid(pid, &status, WNOHANG) != pid; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "master %d ended with %x", (int)pid, (unsigned)status);
}

/* USR2, WINCH, QUIT. */
START_TEST(binary_is_replaced)
{
    struct loader loaders[KINDS];
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    begin();
    start_clients(loaders);
    pid_t old = site_pid(), fresh;
    configure(1);
    ck_assert_int_eq(kill(old, SIGUSR2), 0);
    for (int64_t deadline = now_msec() + scaled(15000); (fresh = pid_in_file()) == old || fresh <= 0; sleep_msec(5))
        ck_assert_int_lt(now_msec(), deadline);
    ck_assert_int_eq(kill(old, SIGWINCH), 0);
    free(log_await_count("logs/error.log", "gracefully shutting down", 2));
    await_generation(1);
    end_master(old);
    site_forget();
    struct counts c = loaders_stop_well(loaders, KINDS);
    end_master(fresh);
    expect_as_counted(c.done);
    printf("a new binary: %ju streams, none lost, %ju behind the last id asked again\n", (uintmax_t)c.done,
           (uintmax_t)c.retried);
}
END_TEST

/* ---- h2load ---- */

static bool has_h2load(void)
{
    if (system("command -v h2load >/dev/null 2>&1") == 0)
        return true;
    printf("  skipped: under_h2load: there is no h2load\n");
    return false;
}

/* One after another: each gives up what it has not asked yet when GOAWAY comes. */
static pid_t start_h2load(void)
{
    char command[512];
    snprintf(command, sizeof command,
             "while [ ! -e stop ]; do h2load -n 2000 -c 4 -m 16 http://127.0.0.1:%d/f || exit; done >logs/h2load",
             site_port(0));
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (chdir(site_dir()) == 0)
            execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    return pid;
}

/* Their count of answers is the log's. */
START_TEST(under_h2load)
{
    int status;
    unsigned runs = 0;
    uint64_t answered = 0, missed = 0;
    begin();
    pid_t pid = start_h2load();
    for (int i = 1; i <= wanted_reloads(); i++) {
        free(log_await_count("logs/h2load", "requests: ", (unsigned)i)); /* each reload meets another one */
        configure(i);
        site_kill(SIGHUP);
        await_generation(i);
    }
    site_write("stop", "");
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    site_stop(SIGQUIT);
    char *said = site_read("logs/h2load", NULL);
    for (const char *at = said; (at = strstr(at, "requests: ")); at++, runs++) {
        unsigned succeeded, failed;
        ck_assert_int_eq(
            sscanf(at, "requests: %*u total, %*u started, %*u done, %u succeeded, %u failed", &succeeded, &failed), 2);
        answered += succeeded;
        missed += failed;
    }
    free(said);
    expect_as_counted(answered);
    printf("%d reloads under %u runs of h2load: %ju streams, none lost, %ju not accepted\n", wanted_reloads(), runs,
           (uintmax_t)answered, (uintmax_t)missed);
}
END_TEST

/* ---- GOAWAY ---- */

/* With the highest id, then with that of the last stream. What is under way goes on. */
START_TEST(goaway)
{
    struct h2_client idle, busy, silent;
    begin();
    h2_start(&idle, site_port(0));
    h2_expect_get(&idle, "/f", 200, NULL);
    h2_start(&silent, site_port(0));
    h2_start(&busy, site_port(0));
    busy.h.gives_back = false;
    uint32_t id = h2_get(&busy, "/large", "");
    ck_assert_ptr_nonnull(h2_await_head(&busy, id));
    site_kill(_i == 0 ? SIGHUP : SIGQUIT);
    while (busy.h.goaways == 0)
        ck_assert(h2_pump(&busy));
    ck_assert_uint_eq(busy.h.goaway_last, INT32_MAX);
    h2_settle(&busy); /* its own acknowledgement went before */
    while (busy.h.goaways == 1)
        ck_assert(h2_pump(&busy));
    ck_assert_uint_eq(busy.h.goaway_last, 1);
    ck_assert_uint_eq(busy.h.goaway_code, 0);
    h2_run(&busy, "drain");
    struct h2_stream *s = h2_await(&busy, id);
    ck_assert_msg(s && s->ended && s->len == LARGE && pattern_matches(s->body, s->len, 0), "%s", h2_told(&busy));
    h2_await_end(&busy);
    h2_await_end(&idle);
    ck_assert_msg(idle.h.goaways > 0 && idle.h.goaway_last == 1 && idle.h.goaway_code == 0, "%s", h2_told(&idle));
    h2_await_end(&silent);
    ck_assert_msg(silent.h.goaways > 0 && silent.h.goaway_last == 0 && silent.h.goaway_code == 0, "%s",
                  h2_told(&silent));
    h2_close(&idle);
    h2_close(&busy);
    h2_close(&silent);
    if (_i == 1) {
        ck_assert_int_eq(site_wait_exit(), 0);
        site_forget();
    }
}
END_TEST

/* What it had under way is lost, and nothing else. */
START_TEST(worker_is_killed)
{
    enum { CLIENTS = 12 };
    struct h2_client k[CLIENTS];
    pid_t pids[CLIENTS];
    uint32_t ids[CLIENTS];
    begin();
    site_allow_alerts();
    for (int i = 0; i < CLIENTS; i++) {
        h2_start(&k[i], site_port(0));
        k[i].h.gives_back = false;
        ids[i] = h2_get(&k[i], "/download", "");
        struct h2_stream *s = h2_await_head(&k[i], ids[i]);
        ck_assert(s && s->status == 200);
        pids[i] = atoi(h2_field(s->head, "x-pid"));
    }
    ck_assert_int_eq(kill(pids[0], SIGKILL), 0);
    for (int i = 0; i < CLIENTS; i++) {
        if (pids[i] == pids[0]) {
            h2_await_end(&k[i]);
        } else {
            h2_run(&k[i], "drain");
            struct h2_stream *s = h2_await(&k[i], ids[i]);
            ck_assert_msg(s && s->ended && s->len == DOWNLOAD && pattern_matches(s->body, s->len, 0), "%s",
                          h2_told(&k[i]));
        }
        h2_end(&k[i]);
    }
    site_await_workers(2);
    ck_assert_int_eq(site_status_of("/f"), 200);
}
END_TEST

Suite *suite_h2_endings(void)
{
    Suite *s = suite_create("h2_endings");
    TCase *t = site_case(s, "h2_endings", 120);
    if (!needs_plain("h2_endings", "its client does not agree on h2 in a handshake"))
        return s;
    tcase_add_test(t, reloads);
    tcase_add_test(t, binary_is_replaced);
    if (has_h2load())
        tcase_add_test(t, under_h2load);
    tcase_add_loop_test(t, goaway, 0, 2);
    tcase_add_test(t, worker_is_killed);
    return s;
}
