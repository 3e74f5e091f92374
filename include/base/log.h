/* log.h - the error log: levels, nginx's line format, one or more outputs.
 *
 * Low layers return -errno and never log; the edges log once, with what was being done. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/log_file.h"
#include "base/text.h"

#include <stdbool.h>

/* https://nginx.org/en/docs/ngx_core_module.html#error_log; the numbers are syslog's severities. */
enum log_level { LEVEL_EMERG, LEVEL_ALERT, LEVEL_CRIT, LEVEL_ERROR, LEVEL_WARN, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG };

struct log_output {
    struct log_output *next;
    struct log_file *file; /* NULL: straight to descriptor 2 */
    enum log_level level;
};

struct log {
    struct log_output *outputs;
    enum log_level level; /* the most talkative of the outputs */
};

static inline bool log_wants(const struct log *log, enum log_level level)
{
    return level <= log->level;
}

/* "2026/11/22 01:20:02 [error] 12#12: *5 message (2: No such file or directory)\n". `connection` 0:
 * no "*N"; `err` 0: no parenthesis. Control bytes in the message are escaped as \xXX. */
void log_write(const struct log *log, enum log_level level, uint64_t connection, int err, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The same for a message that is there already. */
void log_line(const struct log *log, enum log_level level, uint64_t connection, struct text message);

/* "emerg" .. "debug" -> level; -EINVAL. */
int log_level_parse(const char *name, enum log_level *level);

/* Where what belongs to no server goes: starts as stderr at notice, replaced when the configuration
 * is read. The writer of log_file.h reports through it: change it only while no writer runs. */
extern struct log *log_main;

/* While set (a program being started by a person), log_main says warnings and worse on descriptor
 * 2, too, as "NAME: [warn] message"; the first log says nothing else. */
extern const char *log_terminal_name;

/* From now on descriptor 2 is the first file of this log, also when that is reopened; /dev/null
 * where there is none. Where the log goes to stderr, it stays what it is. 0 or -errno. */
int log_stderr_take(const struct log *log);
int log_stderr_move(const struct log *log); /* the same for another log, if it was taken at all */

#define log_emerg(err, ...)  log_write(log_main, LEVEL_EMERG, 0, err, __VA_ARGS__)
#define log_alert(err, ...)  log_write(log_main, LEVEL_ALERT, 0, err, __VA_ARGS__)
#define log_error(err, ...)  log_write(log_main, LEVEL_ERROR, 0, err, __VA_ARGS__)
#define log_warn(err, ...)   log_write(log_main, LEVEL_WARN, 0, err, __VA_ARGS__)
#define log_notice(err, ...) log_write(log_main, LEVEL_NOTICE, 0, err, __VA_ARGS__)
#define log_info(err, ...)   log_write(log_main, LEVEL_INFO, 0, err, __VA_ARGS__)

#endif
