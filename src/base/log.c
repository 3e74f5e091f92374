/* log.c - the error log: one line per event, to every output that wants its level. */
#include "base/log.h"
#include "base/clock.h"
#include "base/line.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 2048 }; /* a longer line is cut, as nginx cuts it */

static struct log_output stderr_output = {.level = LEVEL_NOTICE};
static struct log stderr_log = {&stderr_output, LEVEL_NOTICE};
struct log *log_main = &stderr_log;
const char *log_terminal_name;

static const char *const names[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"};

int log_level_parse(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* The cached text when it is this thread's and still right; the master, for one, has no loop that
 * keeps it so. */
static void put_date(char out[CLOCK_ERROR_LEN + 1])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (clock_is_mine() && clock_now.sec == now.tv_sec)
        memcpy(out, clock_now.error, CLOCK_ERROR_LEN + 1);
    else
        clock_format_error(out, now.tv_sec);
}

/* The kernel is asked once per thread, and again in a process that was forked from it. */
static _Thread_local struct {
    pid_t process, thread;
} own_ids;
static pthread_once_t forks_are_seen = PTHREAD_ONCE_INIT;

static void forget_ids(void)
{
    own_ids.process = 0;
}

/* Where it fails (no memory), forks before the first line are seen all the same. */
static void see_forks(void)
{
    (void)pthread_atfork(NULL, NULL, forget_ids);
}

static void know_ids(void)
{
    if (own_ids.process)
        return;
    pthread_once(&forks_are_seen, see_forks);
    own_ids.process = getpid();
    own_ids.thread = gettid();
}

/* What snprintf() wrote of what it wanted to write. */
static size_t written(int wanted, size_t room)
{
    return wanted < 0 ? 0 : (size_t)wanted < room ? (size_t)wanted : room - 1;
}

static void write_stderr(const char *line, size_t len)
{
    ssize_t n;
    do
        n = write(STDERR_FILENO, line, len);
    while (n < 0 && errno == EINTR);
}

static bool is_stderr(const struct log_output *o)
{
    return !o->file || log_file_is_stderr(o->file);
}

/* `spare`: not to stderr, where the same is said in other words. */
static void write_outputs(const struct log *log, enum log_level level, const char *line, size_t len, bool spare)
{
    for (const struct log_output *o = log->outputs; o; o = o->next) {
        if (level > o->level || (spare && is_stderr(o)))
            continue;
        if (o->file)
            log_file_write_urgent(o->file, (int)level, line, len);
        else
            write_stderr(line, len);
    }
}

/* Descriptor 2 of a new binary is the old one's error log, and that may be ours as well. */
static bool says_it_there(const struct log *log, enum log_level level)
{
    for (const struct log_output *o = log->outputs; o; o = o->next) {
        if (level <= o->level && !is_stderr(o) && log_file_reaches_stderr(o->file))
            return true;
    }
    return false;
}

/* The head of the line is there already. `l` has room for the tail and the line's end. */
static void finish_line(struct line *l, struct text message, int err)
{
    char text[160];
    struct line tail = LINE(text);

    line_error(&tail, err < 0 ? -err : err);
    struct line body = {l->at, l->len, l->size - tail.len - 1};
    line_put_escaped(&body, message);
    l->len = body.len;
    line_put(l, line_text(&tail));
    line_put(l, TEXT("\n"));
}

static void say_on_terminal(enum log_level level, struct text message, int err)
{
    char text[LINE_SIZE];
    struct line line = LINE(text);

    line_put(&line, text_of(log_terminal_name));
    line_put(&line, TEXT(": ["));
    line_put(&line, text_of(names[level]));
    line_put(&line, TEXT("] "));
    finish_line(&line, message, err);
    write_stderr(line.at, line.len);
}

static void say_in_outputs(const struct log *log, enum log_level level, uint64_t connection, struct text message,
                           int err, bool spare)
{
    char text[LINE_SIZE], date[CLOCK_ERROR_LEN + 1];
    struct line line = LINE(text);

    put_date(date);
    know_ids();
    line_put(&line, (struct text){date, CLOCK_ERROR_LEN});
    line_put(&line, TEXT(" ["));
    line_put(&line, text_of(names[level]));
    line_put(&line, TEXT("] "));
    line_number(&line, (uint64_t)own_ids.process);
    line_put(&line, TEXT("#"));
    line_number(&line, (uint64_t)own_ids.thread);
    line_put(&line, TEXT(": "));
    if (connection > 0) {
        line_put(&line, TEXT("*"));
        line_number(&line, connection);
        line_put(&line, TEXT(" "));
    }
    finish_line(&line, message, err);
    write_outputs(log, level, line.at, line.len, spare);
}

static bool is_starting(const struct log *log)
{
    return log_terminal_name && log == log_main;
}

static bool is_unwanted(const struct log *log, enum log_level level)
{
    return !log_wants(log, level) || (is_starting(log) && log == &stderr_log && level > LEVEL_WARN);
}

static void say(const struct log *log, enum log_level level, uint64_t connection, struct text message, int err)
{
    bool terminal = is_starting(log) && level <= LEVEL_WARN && !says_it_there(log, level);

    if (terminal)
        say_on_terminal(level, message, err);
    say_in_outputs(log, level, connection, message, err, terminal);
}

void log_line(const struct log *log, enum log_level level, uint64_t connection, struct text message)
{
    int kept_errno = errno;

    if (!is_unwanted(log, level))
        say(log, level, connection, message, 0);
    errno = kept_errno;
}

__attribute__((format(printf, 5, 0))) static void
write_args(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, va_list args)
{
    if (is_unwanted(log, level))
        return;

    char message[LINE_SIZE];
    int kept_errno = errno;
    size_t len = written(vsnprintf(message, sizeof message, format, args), sizeof message);
    say(log, level, connection, (struct text){message, len}, err);
    errno = kept_errno;
}

void log_write(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_args(log, level, connection, err, format, args);
    va_end(args);
}
