/* log.c - the error log: one line per event, to every output that wants its level. */
#include "base/log.h"
#include "base/clock.h"

#include <errno.h>
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

/* Copies `len` bytes of message with control bytes as \xXX, as far as they fit; returns the new
 * length of `line`. */
static size_t add_escaped(char *line, size_t at, size_t size, const char *message, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)message[i];
        if (c >= 0x20 && c != 0x7f) {
            if (at + 1 > size)
                break;
            line[at++] = (char)c;
        } else {
            if (at + 4 > size)
                break;
            line[at++] = '\\';
            line[at++] = 'x';
            line[at++] = "0123456789ABCDEF"[c >> 4];
            line[at++] = "0123456789ABCDEF"[c & 15];
        }
    }
    return at;
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

struct line {
    char at[LINE_SIZE];
    size_t len;
};

/* The head of the line is there already. */
static void finish_line(struct line *line, const char *message, size_t len, int err)
{
    char tail[160] = "";
    size_t tail_len = 0;
    if (err != 0) {
        char text[128];
        int number = err < 0 ? -err : err;
        tail_len = written(snprintf(tail, sizeof tail, " (%d: %s)", number, strerror_r(number, text, sizeof text)),
                           sizeof tail);
    }
    line->len = add_escaped(line->at, line->len, sizeof line->at - tail_len - 1, message, len);
    memcpy(line->at + line->len, tail, tail_len);
    line->len += tail_len;
    line->at[line->len++] = '\n';
}

static void say_on_terminal(enum log_level level, const char *message, size_t len, int err)
{
    struct line line;
    line.len = written(snprintf(line.at, sizeof line.at, "%s: [%s] ", log_terminal_name, names[level]), sizeof line.at);
    finish_line(&line, message, len, err);
    write_stderr(line.at, line.len);
}

static void say_in_outputs(const struct log *log, enum log_level level, uint64_t connection, const char *message,
                           size_t len, int err, bool spare)
{
    struct line line;
    char date[CLOCK_ERROR_LEN + 1];
    put_date(date);
    line.len = written(snprintf(line.at, sizeof line.at, "%s [%s] %d#%d: ", date, names[level], getpid(), gettid()),
                       sizeof line.at);
    if (connection > 0)
        line.len +=
            written(snprintf(line.at + line.len, sizeof line.at - line.len, "*%llu ", (unsigned long long)connection),
                    sizeof line.at - line.len);
    finish_line(&line, message, len, err);
    write_outputs(log, level, line.at, line.len, spare);
}

__attribute__((format(printf, 5, 0))) static void
write_args(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, va_list args)
{
    bool starting = log_terminal_name && log == log_main;
    if (!log_wants(log, level) || (starting && log == &stderr_log && level > LEVEL_WARN))
        return;

    char message[LINE_SIZE];
    int kept_errno = errno;
    size_t len = written(vsnprintf(message, sizeof message, format, args), sizeof message);
    bool terminal = starting && level <= LEVEL_WARN && !says_it_there(log, level);
    if (terminal)
        say_on_terminal(level, message, len, err);
    say_in_outputs(log, level, connection, message, len, err, terminal);
    errno = kept_errno;
}

void log_write(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_args(log, level, connection, err, format, args);
    va_end(args);
}
