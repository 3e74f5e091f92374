/* children.c - the master's worker processes. A worker that dies is started again, at most once a
 * second. */
#include "server/process/children.h"

#include "base/log.h"
#include "base/title.h"
#include "server/process/readers.h"
#include "server/process/signals.h"
#include "server/process/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    READY_MSEC = 5000,  /* the most to wait for a generation of workers to serve */
    RESPAWN_MSEC = 1000 /* between two starts of the same worker */
};

static int64_t now_msec(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int children_init(struct children *cs)
{
    memset(cs, 0, sizeof *cs);
    cs->not_theirs = -1;
    if (pipe2(cs->alive, O_CLOEXEC) < 0 || pipe2(cs->outdated, O_CLOEXEC | O_NONBLOCK) < 0 ||
        fcntl(cs->outdated[0], F_SETOWN, getpid()) < 0 || fcntl(cs->outdated[0], F_SETFL, O_NONBLOCK | O_ASYNC) < 0)
        return -errno;
    return scoreboard_create(&cs->scoreboard);
}

void children_fini(struct children *cs)
{
    scoreboard_destroy(cs->scoreboard);
    free(cs->at);
    close(cs->alive[0]);
    close(cs->alive[1]);
    close(cs->outdated[0]);
    close(cs->outdated[1]);
}

static struct child *add(struct children *cs)
{
    if (cs->count == cs->cap) {
        unsigned cap = cs->cap ? 2 * cs->cap : 16;
        struct child *at = realloc(cs->at, cap * sizeof *at);

        if (!at)
            return NULL;
        cs->at = at;
        cs->cap = cap;
    }
    memset(&cs->at[cs->count], 0, sizeof cs->at[0]);
    return &cs->at[cs->count++];
}

/* `ready`: a pipe whose last writer closes it, or NULL. */
static int fork_worker(struct children *cs, struct child *child, struct cycle *cycle, const int *ready)
{
    pid_t pid;

    child->slot = scoreboard_take(cs->scoreboard);
    pid = fork();
    if (pid < 0) {
        int error = errno;
        log_alert(error, "fork() failed while spawning \"worker process\"");
        scoreboard_give(cs->scoreboard, child->slot);
        return -error;
    }
    if (pid == 0) {
        struct worker_start start = {
            .cycle = cycle,
            .number = child->number,
            .scoreboard = cs->scoreboard,
            .counters = scoreboard_counters(cs->scoreboard, child->slot),
            .master_alive = cs->alive[0],
            .outdated = cs->outdated[1],
            .generation = child->generation,
            .ready = ready ? ready[1] : -1,
        };

        close(cs->alive[1]);
        close(cs->outdated[0]);
        if (cs->not_theirs >= 0)
            close(cs->not_theirs);
        if (ready)
            close(ready[0]);
        title_set("sluice: worker process");
        free(cs->at);
        worker_run(&start);
    }
    child->pid = pid;
    child->started = now_msec();
    child->respawn_at = 0;
    log_notice(0, "start worker process %d", (int)pid);
    return 0;
}

/* Every worker writes a byte when it serves, or closes its end by dying. Returns how many serve. */
static unsigned wait_until_ready(int fd, unsigned workers)
{
    int64_t until = now_msec() + READY_MSEC;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    unsigned ready = 0;

    while (ready < workers) {
        int64_t left = until - now_msec();
        char bytes[64];
        ssize_t n;

        if (left <= 0)
            break;
        if (poll(&wait, 1, (int)left) <= 0)
            continue;
        n = read(fd, bytes, sizeof bytes);
        if (n == 0)
            break;
        if (n > 0)
            ready += (unsigned)n;
    }
    return ready;
}

int children_start(struct children *cs, struct cycle *cycle)
{
    unsigned workers = cycle_workers(cycle);
    unsigned serving;
    int ready[2];
    int rc = 0;

    if (pipe2(ready, O_CLOEXEC) < 0) {
        log_alert(errno, "pipe2() failed");
        return -errno;
    }
    readers_try(cs->scoreboard, cycle);
    log_notice(0, "start worker processes");
    cs->generation++;
    for (unsigned n = 0; n < workers && rc == 0; n++) {
        struct child *child = add(cs);

        if (!child) {
            rc = -ENOMEM;
            break;
        }
        child->number = n;
        child->generation = cs->generation;
        rc = fork_worker(cs, child, cycle, ready);
        if (rc < 0)
            child->respawn_at = now_msec() + RESPAWN_MSEC;
    }
    close(ready[1]);
    serving = wait_until_ready(ready[0], workers);
    close(ready[0]);
    if (serving < workers)
        log_alert(0, "%u of %u worker processes serve", serving, workers);
    return serving > 0 ? 0 : rc < 0 ? rc : -ECHILD;
}

static void tell(struct child *child, int signal)
{
    if (child->pid > 0 && kill(child->pid, signal) < 0 && errno != ESRCH)
        log_alert(errno, "kill(%d, %d) failed", (int)child->pid, signal);
}

void children_signal(struct children *cs, int signal)
{
    for (unsigned i = 0; i < cs->count; i++)
        tell(&cs->at[i], signal);
}

void children_signal_leaving(struct children *cs, int signal)
{
    for (unsigned i = 0; i < cs->count; i++) {
        if (cs->at[i].leaving)
            tell(&cs->at[i], signal);
    }
}

static void forget(struct children *cs, unsigned i)
{
    cs->at[i] = cs->at[--cs->count];
}

void children_retire(struct children *cs, bool newest)
{
    for (unsigned i = cs->count; i-- > 0;) {
        if (!newest && cs->at[i].generation == cs->generation)
            continue;
        cs->at[i].leaving = true;
        if (cs->at[i].pid == 0)
            forget(cs, i);
    }
}

static void log_exit(pid_t pid, int status)
{
    if (WIFSIGNALED(status))
        log_alert(0, "worker process %d exited on signal %d%s", (int)pid, WTERMSIG(status),
                  WCOREDUMP(status) ? " (core dumped)" : "");
    else
        log_notice(0, "worker process %d exited with code %d", (int)pid, WEXITSTATUS(status));
}

bool children_reaped(struct children *cs, pid_t pid, int status)
{
    for (unsigned i = 0; i < cs->count; i++) {
        struct child *child = &cs->at[i];
        bool fatal = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_FATAL;

        if (child->pid != pid)
            continue;
        log_exit(pid, status);
        scoreboard_give(cs->scoreboard, child->slot);
        if (fatal && !child->leaving)
            log_alert(0, "worker process %d exited with fatal code %d and cannot be respawned", (int)pid, WORKER_FATAL);
        if (child->leaving || fatal) {
            forget(cs, i);
            return true;
        }
        child->pid = 0;
        child->respawn_at = child->started + RESPAWN_MSEC;
        return true;
    }
    return false;
}

int64_t children_respawn(struct children *cs, struct cycle *cycle)
{
    int64_t next = -1;

    for (unsigned i = 0; i < cs->count; i++) {
        struct child *child = &cs->at[i];
        int64_t left = child->respawn_at - now_msec();

        if (child->pid > 0 || child->leaving)
            continue;
        if (left <= 0 && fork_worker(cs, child, cycle, NULL) < 0) {
            child->respawn_at = now_msec() + RESPAWN_MSEC;
            left = RESPAWN_MSEC;
        }
        if (left > 0 && (next < 0 || left < next))
            next = left;
    }
    return next;
}

unsigned children_alive(const struct children *cs)
{
    unsigned count = 0;

    for (unsigned i = 0; i < cs->count; i++)
        count += cs->at[i].pid > 0;
    return count;
}

unsigned children_leaving(const struct children *cs)
{
    unsigned count = 0;

    for (unsigned i = 0; i < cs->count; i++)
        count += cs->at[i].pid > 0 && cs->at[i].leaving;
    return count;
}

unsigned children_serving(const struct children *cs)
{
    unsigned count = 0;

    for (unsigned i = 0; i < cs->count; i++)
        count += !cs->at[i].leaving;
    return count;
}
