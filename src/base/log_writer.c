/* log_writer.c - the one thread of a process that writes log lines, so that no disk ever holds up
 * the loop.
 *
 * While lines come it looks at the files every 20 ms, and nobody needs to wake it; after a short
 * while without lines it sleeps, and the first line wakes it. Urgent lines, which are those of the
 * error log, wake it at once; those of a turn of the loop together, at its end, which also waits a
 * moment for them to be written. Should a turn not end, they are found at the next look. Files are
 * taken out of the registry by this thread alone while it runs, which is why it may walk the list
 * without holding the lock during its writes. */
#include "base/log.h"
#include "base/log_private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    POLL_MSEC = 20,
    IDLE_POLLS = 5,         /* before it sleeps */
    STOP_MSEC = 2000,       /* for the last lines */
    TURN_MSEC = 10,         /* a turn waits at most so long for its urgent lines */
    PAUSE_MSEC = 1000,      /* and, after it did so in vain, not at all */
    REPORT_MSEC = 60 * 1000 /* between two reports of dropped lines */
};

#define NEVER INT64_MAX

atomic_bool log_writer_runs, log_writer_sleeps, log_writer_abandoned;

static pthread_t thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the next two lines */
static bool poked, stopping, ended;
static pthread_cond_t poke, over, written; /* on CLOCK_MONOTONIC */
static int64_t stop_deadline;              /* set with `stopping`, and read by who has seen that */

static atomic_uint_fast64_t urgent_lines; /* that were added */
static uint64_t urgent_written;           /* of them; under `lock` */
static _Thread_local bool takes_turns;    /* this is the loop's thread; what follows is its own */
static bool turn_has_lines;               /* urgent ones */
static int64_t patient_again;             /* log_now_msec(): then it waits for a slow disk again */

static bool lines_come; /* some were written since the writer last asked: its own */

/* urgent_written when it waited in vain: nothing comes of it before that changes. */
static uint64_t missed_written = UINT64_MAX;

void log_writer_wake(void)
{
    if (!log_writer_runs)
        return;
    pthread_mutex_lock(&lock);
    poked = true;
    log_writer_sleeps = false;
    pthread_mutex_unlock(&lock);
    pthread_cond_signal(&poke); /* after it, or who wakes up waits for the lock */
}

void log_writer_hurry(void)
{
    atomic_fetch_add_explicit(&urgent_lines, 1, memory_order_release);
    if (takes_turns)
        turn_has_lines = true;
    if (!takes_turns || log_writer_sleeps)
        log_writer_wake();
}

static struct timespec at_msec(int64_t msec)
{
    return (struct timespec){msec / 1000, msec % 1000 * 1000000};
}

/* A disk that is slow holds up the loop for one part in a hundred of its time, one that does not
 * answer once. Called with the lock held. */
static void await_written(uint64_t lines)
{
    int64_t now = log_now_msec();
    struct timespec until = at_msec(now + TURN_MSEC);
    int rc = 0;

    if (urgent_written >= lines || now < patient_again || urgent_written == missed_written)
        return;
    while (urgent_written < lines && rc == 0)
        rc = pthread_cond_timedwait(&written, &lock, &until);
    if (urgent_written >= lines)
        return;
    patient_again = now + PAUSE_MSEC;
    missed_written = urgent_written;
}

void log_file_end_turn(void)
{
    if (!turn_has_lines)
        return;
    turn_has_lines = false;
    if (!log_writer_runs)
        return;
    uint64_t lines = atomic_load_explicit(&urgent_lines, memory_order_relaxed);
    pthread_mutex_lock(&lock);
    bool all = urgent_written >= lines;
    pthread_mutex_unlock(&lock);
    if (all)
        return;
    log_writer_wake();
    pthread_mutex_lock(&lock);
    await_written(lines);
    pthread_mutex_unlock(&lock);
}

void log_file_take_turns(bool on)
{
    log_file_end_turn();
    takes_turns = on;
}

static void put_records(struct log_file *lf, const char *at, size_t len)
{
    struct log_record record;
    for (const char *end = at + len; at < end; at += record.len) {
        memcpy(&record, at, sizeof record);
        at += sizeof record;
        int rc = log_syslog_send(lf->syslog, record.severity, at, record.len);
        if (rc < 0) {
            lf->last_errno = -rc;
            log_file_drop(lf, 1);
        }
    }
}

static void put(struct log_file *lf, char *bytes, size_t len, int64_t patience)
{
    if (len == 0)
        return;
    if (lf->syslog)
        put_records(lf, bytes, len);
    else if (lf->names)
        log_names_put(lf, bytes, len, patience);
    else
        log_file_put(lf, lf->fd, bytes, len, patience);
}

static void reopen(struct log_file *lf)
{
    int rc = log_file_reopen_now(lf);
    if (rc < 0)
        log_emerg(rc, "open() \"%s\" failed", lf->path);
}

/* Gives the producers the other buffer, and writes what was in the first. */
static void drain(struct log_file *lf, int64_t patience)
{
    pthread_mutex_lock(&lf->lock);
    while (lf->drain_capacity < lf->capacity) {
        size_t capacity = lf->capacity;
        pthread_mutex_unlock(&lf->lock);
        char *larger = realloc(lf->drain, capacity);
        if (!larger)
            return; /* the next turn tries again */
        lf->drain = larger;
        lf->drain_capacity = capacity;
        pthread_mutex_lock(&lf->lock);
    }
    char *full = lf->fill;
    size_t len = lf->used;
    bool wants_reopen = lf->reopen;
    size_t before = wants_reopen ? lf->reopen_at : len;
    lf->fill = lf->drain;
    lf->used = 0;
    lf->reopen = lf->urgent = false;
    lf->drain = full;
    lf->drain_capacity = full ? lf->capacity : 0;
    pthread_mutex_unlock(&lf->lock);

    put(lf, full, before, patience);
    if (wants_reopen)
        reopen(lf);
    if (len > before)
        put(lf, full + before, len - before, patience);
    lf->since_msec = 0;
    lines_come = lines_come || len > 0;
}

static bool is_error_log(const struct log_file *lf)
{
    for (const struct log_output *o = log_main->outputs; o; o = o->next) {
        if (o->file == lf)
            return true;
    }
    return false;
}

/* Says how many lines are lost. Returns when there may be more to say. */
static int64_t report(struct log_file *lf, int64_t now)
{
    uint64_t dropped = lf->dropped;
    if (dropped == lf->reported || is_error_log(lf))
        return NEVER;
    if (lf->reported_msec > 0 && now - lf->reported_msec < REPORT_MSEC)
        return lf->reported_msec + REPORT_MSEC;
    unsigned long long lines = dropped - lf->reported;
    const char *failed = lf->names ? log_names_failed(lf->names) : "";
    if (lf->names)
        log_error(lf->last_errno, "%llu lines of logs with variables were dropped%s%s%s", lines,
                  *failed ? ", the last one of \"" : "", failed, *failed ? "\"" : "");
    else
        log_error(lf->last_errno, "%llu lines of \"%s\" were dropped", lines, lf->path);
    lf->reported = dropped;
    lf->reported_msec = now;
    lf->last_errno = 0;
    return NEVER;
}

/* Writes what is due. Returns when this file wants to be looked at again. */
static int64_t serve(struct log_file *lf, bool closed, bool last, int64_t now)
{
    pthread_mutex_lock(&lf->lock);
    size_t used = lf->used;
    struct log_buffering buffering = lf->buffering;
    bool wants_reopen = lf->reopen, urgent = lf->urgent;
    pthread_mutex_unlock(&lf->lock);

    if (used > 0 && lf->since_msec == 0)
        lf->since_msec = now;
    int64_t due = lf->since_msec > 0 ? lf->since_msec + buffering.wait_msec : NEVER;
    if (wants_reopen || (used > 0 && (last || closed || urgent || used >= buffering.threshold || now >= due))) {
        int64_t left = last ? stop_deadline - now : -1;
        drain(lf, last && left < 0 ? 0 : left);
        due = NEVER;
    }
    int64_t report_due = report(lf, now);
    int64_t names_due = lf->names ? log_names_expire(lf->names, now) : NEVER;
    due = due < report_due ? due : report_due;
    return due < names_due ? due : names_due;
}

/* The file after `node`, or the first one for NULL; *closed: nobody uses it any more. */
static struct log_file *next_file(struct log_file *lf, bool *closed)
{
    pthread_mutex_lock(&log_registry_lock);
    struct list *node = lf ? lf->node.next : log_registry.next;
    struct log_file *next = node == &log_registry ? NULL : container_of(node, struct log_file, node);
    *closed = next && next->refs == 0;
    pthread_mutex_unlock(&log_registry_lock);
    return next;
}

/* Unless someone has opened it again in the meantime. Returns the file before it. */
static struct log_file *forget(struct log_file *lf)
{
    pthread_mutex_lock(&log_registry_lock);
    struct list *before = lf->node.prev;
    bool gone = lf->refs == 0;
    if (gone)
        list_remove(&lf->node);
    pthread_mutex_unlock(&log_registry_lock);
    if (!gone)
        return lf;
    log_file_free(lf);
    return before == &log_registry ? NULL : container_of(before, struct log_file, node);
}

static int64_t serve_all(bool last)
{
    int64_t due = NEVER;
    bool closed;
    for (struct log_file *lf = next_file(NULL, &closed); lf; lf = next_file(lf, &closed)) {
        int64_t wanted = serve(lf, closed, last, log_now_msec());
        if (wanted < due)
            due = wanted;
        if (closed)
            lf = forget(lf);
    }
    return due;
}

/* Writes what is due, and says so to whoever waits for urgent lines: those that were there when it
 * began are written. */
static int64_t serve_all_urgent(bool last)
{
    uint64_t lines = atomic_load_explicit(&urgent_lines, memory_order_acquire);
    int64_t due = serve_all(last);

    pthread_mutex_lock(&lock);
    bool news = urgent_written != lines;
    urgent_written = lines;
    pthread_mutex_unlock(&lock);
    if (news)
        pthread_cond_signal(&written);
    return due;
}

/* Whether a file holds lines that serve() has not seen. */
static bool anything_new(void)
{
    bool closed, found = false;
    for (struct log_file *lf = next_file(NULL, &closed); lf && !found; lf = next_file(lf, &closed)) {
        pthread_mutex_lock(&lf->lock);
        found = closed || lf->reopen || (lf->used > 0 && lf->since_msec == 0);
        pthread_mutex_unlock(&lf->lock);
    }
    return found;
}

/* Until `due`, or someone pokes. */
static void wait_until(int64_t due)
{
    struct timespec at = at_msec(due);
    pthread_mutex_lock(&lock);
    while (!poked && !stopping) {
        int rc = due == NEVER ? pthread_cond_wait(&poke, &lock) : pthread_cond_timedwait(&poke, &lock, &at);
        if (rc == ETIMEDOUT)
            break;
    }
    poked = false;
    pthread_mutex_unlock(&lock);
}

/* A line added after serve_all() looked must wake the writer, or be seen here: the producer reads
 * the flag under the lock of its file, which anything_new() takes after the flag was set. */
static void sleep_until(int64_t due)
{
    log_writer_sleeps = true;
    if (!anything_new())
        wait_until(due);
    log_writer_sleeps = false;
}

static bool is_stopping(void)
{
    pthread_mutex_lock(&lock);
    bool yes = stopping;
    pthread_mutex_unlock(&lock);
    return yes;
}

static void *writer_main(void *arg)
{
    (void)arg;
    pthread_setname_np(pthread_self(), "log writer");
    int idle = 0;
    for (bool last = false; !last;) {
        last = is_stopping();
        int64_t due = serve_all_urgent(last);
        int64_t now = log_now_msec();
        if (last)
            break;
        idle = due == NEVER && !lines_come ? idle + 1 : 0;
        lines_come = false;
        if (due == NEVER ? idle <= IDLE_POLLS : due <= now + POLL_MSEC)
            wait_until(due == NEVER ? now + POLL_MSEC : due);
        else
            sleep_until(due);
    }
    pthread_mutex_lock(&lock);
    ended = true;
    pthread_cond_signal(&over);
    pthread_mutex_unlock(&lock);
    return NULL;
}

int log_file_writer_start(void)
{
    if (log_writer_runs || log_writer_abandoned)
        return -EBUSY;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&poke, &attributes);
    pthread_cond_init(&over, &attributes);
    pthread_cond_init(&written, &attributes);
    pthread_condattr_destroy(&attributes);
    poked = stopping = ended = false;
    log_writer_sleeps = false;

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    log_writer_runs = true; /* already while the thread starts: what is logged waits for it */
    int rc = -pthread_create(&thread, NULL, writer_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc < 0)
        log_writer_runs = false;
    return rc;
}

/* What came in while the thread ended, and files that were closed meanwhile. */
static void finish_alone(void)
{
    log_writer_runs = false;
    serve_all(true);
}

/* The writer does not come back: what waits for it is lost, and counted. */
static void abandon(void)
{
    log_writer_abandoned = true;
    log_writer_runs = false;
    pthread_detach(thread);
    pthread_mutex_lock(&log_registry_lock);
    list_each (&log_registry, node, tmp) {
        struct log_file *lf = container_of(node, struct log_file, node);
        pthread_mutex_lock(&lf->lock);
        uint64_t lines = log_file_count_waiting(lf);
        lf->used = 0;
        pthread_mutex_unlock(&lf->lock);
        if (lines > 0)
            log_file_drop(lf, lines);
    }
    pthread_mutex_unlock(&log_registry_lock);
}

void log_file_writer_stop(void)
{
    if (!log_writer_runs)
        return;
    pthread_mutex_lock(&lock);
    stop_deadline = log_now_msec() + STOP_MSEC;
    stopping = true;
    pthread_cond_signal(&poke);
    int64_t until = stop_deadline + POLL_MSEC;
    struct timespec at = at_msec(until);
    int rc = 0;
    while (!ended && rc == 0)
        rc = pthread_cond_timedwait(&over, &lock, &at);
    bool done = ended;
    pthread_mutex_unlock(&lock);
    if (done) {
        pthread_join(thread, NULL);
        finish_alone();
        return;
    }
    abandon(); /* a disk that does not answer */
}
