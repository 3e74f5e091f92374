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
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* The cached text when it is this thread's and still right; the master, for one, has no loop that keeps it so. */
static void put_date(char out[CLOCK_ERROR_LEN + 1])
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (clock_is_mine() && clock_now.sec == now.tv_sec)
        memcpy(out, clock_now.error, CLOCK_ERROR_LEN + 1);
    else
        clock_format_error(out, now.tv_sec);
}

/* Copies `len` bytes of message with control bytes as \xXX, as far as they fit; returns the new length of `line`. */
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

static void write_outputs(const struct log *log, enum log_level level, const char *line, size_t len)
{
    for (const struct log_output *o = log->outputs; o; o = o->next) {
        if (level > o->level)
            continue;
        if (o->file)
            log_file_write_urgent(o->file, (int)level, line, len);
        else
            write_stderr(line, len);
    }
}

__attribute__((format(printf, 5, 0))) static void
write_args(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, va_list args)
{
    bool terminal = log_terminal_name && log == &stderr_log;
    if (!log_wants(log, level) || (terminal && level > LEVEL_WARN))
        return;

    char message[LINE_SIZE], line[LINE_SIZE], date[CLOCK_ERROR_LEN + 1], tail[160];
    int kept_errno = errno;
    size_t message_len = written(vsnprintf(message, sizeof(message), format, args), sizeof(message));
    put_date(date);
    int head = terminal ? snprintf(line, sizeof(line), "%s: [%s] ", log_terminal_name, names[level])
                        : snprintf(line, sizeof(line), "%s [%s] %d#%d: ", date, names[level], getpid(), gettid());
    size_t at = written(head, sizeof(line));
    if (connection > 0)
        at += written(snprintf(line + at, sizeof(line) - at, "*%llu ", (unsigned long long)connection),
                      sizeof(line) - at);

    size_t tail_len = 0;
    if (err != 0) {
        char text[128];
        int number = err < 0 ? -err : err;
        tail_len = written(snprintf(tail, sizeof(tail), " (%d: %s)", number, strerror_r(number, text, sizeof(text))),
                           sizeof(tail));
    }
    at = add_escaped(line, at, sizeof(line) - tail_len - 1, message, message_len);
    memcpy(line + at, tail, tail_len);
    at += tail_len;
    line[at++] = '\n';
    write_outputs(log, level, line, at);
    errno = kept_errno;
}

void log_write(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_args(log, level, connection, err, format, args);
    va_end(args);
}
