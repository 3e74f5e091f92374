/* log_file.h - files that log lines go to, written by one thread so that a slow or full disk never
 * holds up the loop.
 *
 * A process registers its files (log_file_open, one per path) and, if it serves, starts the writer
 * after its fork. Without a running writer (the master, -t) a line is written at once by the
 * caller. With it, lines go into a bounded buffer per file; the writer empties it within about 20
 * ms (`flush` and `size` given to log_file_open let it wait longer, nginx's buffer= and flush=),
 * and at once for urgent lines. Lines that do not fit are dropped and counted; log_file_dropped()
 * tells, and the error log says so at most once a minute. */
#ifndef BASE_LOG_FILE_H
#define BASE_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct log_file;

/* `buffer` is how much makes the writer write at once; the memory behind it is larger, so that
 * lines have room while it does. Without `buffer`: 512 KiB of memory (touched only as far as lines
 * fill it), written every 20 ms. With it and without `flush_msec`, lines wait a second at most.
 *
 * Finds or makes the log of `path` (copied) in this process. "stderr", "stdout"/"-" and
 * "/dev/stderr" name the standard streams, "/proc/self/fd/N" and links to it a descriptor of this
 * process; "syslog:server=...,facility=,tag=,severity=,nohostname" a syslog server (unix: datagram
 * or UDP). Opens the file (O_APPEND|O_CREAT, 0644). `buffer`: bytes to collect, 0 = default;
 * `flush_msec`: longest wait, 0 = default. Counted: log_file_close() gives it back. 0 or -errno;
 * -EINVAL for a malformed syslog: text, -EADDRNOTAVAIL for a syslog server whose name cannot be
 * resolved. */
int log_file_open(struct log_file **out, const char *path, size_t buffer, int64_t flush_msec);
void log_file_close(struct log_file *lf);

/* The same for a file whose lines are compressed (`level`: 1 to 9), each turn of the writer by
 * itself: `zcat` reads it. A path with another level, or opened without one, is another log, so
 * that nothing changes for who has it open. Also -ENOSYS without zlib, -EINVAL for what is no
 * file. */
int log_file_open_gzip(struct log_file **out, const char *path, size_t buffer, int64_t flush_msec, int level);

/* A configuration is about to be read: how a file is buffered follows from those that open it from
 * now on. */
void log_file_settings_begin(void);

/* That configuration is not to be used: files are buffered as they were before. */
void log_file_settings_undo(void);

/* Which files stay open where lines name their files. */
struct log_names_conf {
    unsigned id;           /* those with another one are apart, with a bound of their own */
    uint64_t max;          /* how many; 0: each is closed when its lines are written, the rest says nothing */
    int64_t inactive_msec; /* closed when not used for longer */
    int64_t valid_msec;    /* after this, whether the path still leads to the file is looked up */
    uint64_t min_uses;     /* stays open when used as often without becoming inactive */
};

/* Lines written to this one begin with the full path of their file and a NUL. Files are made (0644)
 * and opened by who writes; lines of one that cannot be opened, or is no regular file, are dropped.
 * Counted as above. 0 or -errno. */
int log_file_open_names(struct log_file **out, const struct log_names_conf *conf);

/* A line whose path must not be opened: it counts as dropped. The loop's thread only. */
void log_file_refuse(struct log_file *lf);

/* From now on files are known, and neither made, opened nor written: for who reads a configuration
 * and is to leave no traces. */
void log_file_stay_shut(void);

/* Appends one line (`line` ends with \n); never blocks when the writer runs; any thread.
 * `severity`: syslog's 0-7, used only by syslog outputs, which frame each line themselves (RFC
 * 3164) and strip the \n. Without a writer a failed write counts as dropped, and EPIPE never
 * becomes a signal. */
void log_file_write(struct log_file *lf, int severity, const char *line, size_t len);

/* The same for a line that does not wait for those that follow, whatever `buffer` says. In the
 * loop's thread it is in the file before the turn ends, unless the disk takes longer than a moment
 * (10 ms, then not again for a second, nor before the disk has answered); elsewhere, the writer
 * begins with it at once. */
void log_file_write_urgent(struct log_file *lf, int severity, const char *line, size_t len);

/* This thread's work comes in turns from now on, or no longer: each is ended before the thread
 * waits. One thread of a process. */
void log_file_take_turns(bool on);
void log_file_end_turn(void);

/* Room for `len` bytes inside the file's buffer, to format a line in place: returns NULL when it
 * does not fit (counted as dropped). The loop's thread only; a reserve that succeeded MUST be
 * committed, with the length actually used (0: nothing is logged), before anything else is logged:
 * the file is locked in between. On syslog the line has the target's own severity= (default:
 * info). */
char *log_file_reserve(struct log_file *lf, size_t len);
void log_file_commit(struct log_file *lf, size_t used);

/* Standard error itself; or anything, a file too, that descriptor 2 leads to as well. */
bool log_file_is_stderr(const struct log_file *lf);
bool log_file_reaches_stderr(const struct log_file *lf);

const char *log_file_path(const struct log_file *lf);
/* Counts the dropped lines of all files there too, from now on: memory that others may look at. */
void log_file_count_drops(uint64_t *total);
uint64_t log_file_dropped(const struct log_file *lf); /* lines, since start */

/* From now on, where this process may not open a log (EACCES), `fn` does: the descriptor, or
 * -errno. Called by whatever thread opens. */
typedef int log_open_fn(const char *path);
void log_file_open_elsewhere(log_open_fn *fn);

/* Every registered path: "stderr", "stdout" (also for other descriptors of this process) and
 * "syslog:..." too, and "variable paths ...". */
void log_file_each(void (*fn)(void *arg, const char *path), void *arg);

/* Reopens every registered file by its path (USR1): what was logged before goes to the old file. On
 * a file that cannot be opened the old one stays in use; returns the first -errno, or 0, also where
 * the path leads to the old one itself. With a writer running, it does the work. */
int log_file_reopen_all(void);

/* Changes the owner of every registered regular file, before privileges are dropped. 0 or the first
 * -errno. */
int log_file_chown_all(uid_t uid, gid_t gid);

int log_file_writer_start(void); /* 0 or -errno; blocks all signals in its thread */
/* Writes what is left and joins; later lines are written directly. A writer that is stuck for 2 s
 * is left alone: what it has not taken counts as dropped, and so does each later line. */
void log_file_writer_stop(void);

#endif
