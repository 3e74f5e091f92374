/* log_private.h - what log_file.c (registry, appending), log_put.c, log_open.c, log_writer.c (the
 * thread), log_names.c, log_gzip.c and log_syslog.c share. */
#ifndef BASE_LOG_PRIVATE_H
#define BASE_LOG_PRIVATE_H

#include "base/list.h"
#include "base/log_file.h"
#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>

struct log_syslog;

struct log_buffering {
    unsigned settings; /* that it follows from; 0: none yet */
    size_t threshold;  /* bytes that make the writer write at once */
    int wait_msec;     /* and how long lines may wait otherwise */
};

struct log_file {
    struct list node; /* in the registry, under its lock */
    unsigned refs;    /* likewise; 0: closed, gone when all is written */
    char *path;       /* as given; the standard streams by their names */
    struct log_syslog *syslog;
    struct log_names *names; /* its lines begin with their path; the writer's own while it runs */
    int gzip_level;          /* each turn of the writer becomes a gzip member of its own; 0: plain. Never changes */
    bool is_stream;          /* stdout, stderr: not ours to close or reopen */
    bool is_descriptor;      /* a descriptor of this process by another name: nothing to be opened again */
    bool may_signal;         /* a pipe or socket, where a write may raise SIGPIPE */
    size_t capacity;         /* of each buffer; never shrinks */
    atomic_uint_fast64_t dropped;

    pthread_mutex_t lock; /* of what follows: nearly always free, never held during a system call of the writer */
    int fd;
    char *fill; /* where lines are added; allocated by the first one */
    size_t used;
    struct log_buffering buffering;
    struct log_buffering previous; /* before the configuration was read that was read last */
    size_t reopen_at;              /* bytes of `fill` that belong to the old file, when a reopen is wanted */
    bool reopen;
    bool urgent; /* a line in `fill` does not wait */

    /* The writer's own. */
    char *drain;           /* the other buffer */
    size_t drain_capacity; /* buffers may grow when a file is opened again with a larger `buffer` */
    int64_t since_msec;    /* when it first saw what is waiting now; 0: nothing waits */
    uint64_t reported;     /* of `dropped` */
    int64_t reported_msec; /* 0: never */
    int last_errno;        /* of a failed write */
    bool torn;             /* a failed write left half a line behind */
};

/* In a syslog's buffer, and where lines name their files, each line has this before it. */
struct log_record {
    uint32_t len;
    int32_t severity; /* -1: the target's */
};

/* log_file.c */
extern struct list log_registry;
extern pthread_mutex_t log_registry_lock;

/* Lines in the buffer that the writer has not taken. Called with the lock held. */
uint64_t log_file_count_waiting(const struct log_file *lf);
/* Replaces the descriptor by a newly opened one; the old one stays when that fails. 0 or -errno. */
int log_file_reopen_now(struct log_file *lf);
/* Frees a file that nothing refers to and that the caller took out of the registry. */
void log_file_free(struct log_file *lf);
int64_t log_now_msec(void);

/* log_put.c */

/* Writes `len` bytes, or drops them: counts the lines that could not be written. `patience_msec`:
 * how long to wait in all for a pipe that is full, -1: for ever. Called by one thread at a time per
 * file. */
void log_file_put(struct log_file *lf, int fd, const char *bytes, size_t len, int64_t patience_msec);
/* How many of the bytes could be written; fewer: lf->last_errno says why. */
size_t log_file_put_bytes(struct log_file *lf, int fd, const char *bytes, size_t len, int64_t patience_msec);
uint64_t log_file_count_lines(const char *bytes, size_t len);
/* `lines` are lost. */
void log_file_drop(struct log_file *lf, uint64_t lines);

/* log_open.c */

/* The name under which a standard stream is kept, or NULL: it is another path. */
const char *log_stream_name(const char *path);
/* Whether `path` is, or links to, a descriptor of this process that lines can be written to. */
bool log_is_descriptor(const char *path);
/* Opens for appending, and makes it; `flags`: further ones of open(2). The descriptor, or
 * -errno. */
int log_file_open_path(const char *path, int flags);
/* The same for a path that may be a descriptor of this process: then *descriptor is set, and what
 * is returned is another one of it, which outlives what a daemon does to the first three. */
int log_file_open_any(const char *path, int flags, bool *descriptor);

/* log_writer.c */
extern atomic_bool log_writer_runs;
extern atomic_bool log_writer_sleeps;    /* until someone wakes it */
extern atomic_bool log_writer_abandoned; /* it was stuck in a write when it should have ended */
void log_writer_wake(void);
void log_writer_hurry(void); /* a line that does not wait is in its file's buffer */

/* log_gzip.c: `bytes` as one gzip member on the heap. 0 or -errno; -ENOSYS without zlib. */
int log_gzip(const char *bytes, size_t len, int level, char **out, size_t *out_len);
bool log_gzip_works(void);

/* log_names.c */
int log_names_create(struct log_names **out, const struct log_names_conf *conf);
void log_names_destroy(struct log_names *n);
/* Writes what the buffer holds, and moves lines inside of it. */
void log_names_put(struct log_file *lf, char *records, size_t len, int64_t patience_msec);
/* One line, behind its path and a NUL. */
void log_names_put_line(struct log_file *lf, const char *record, size_t len, int64_t patience_msec);
/* Closes what has not been used for long; returns when there may be more, INT64_MAX: never. */
int64_t log_names_expire(struct log_names *n, int64_t now);
void log_names_close(struct log_names *n); /* all of them: they are opened anew */
/* The path that could not be written last; empty: none. */
const char *log_names_failed(const struct log_names *n);

/* log_stderr.c */
void log_stderr_reopened(const struct log_file *lf); /* it has another descriptor */
void log_stderr_forget(const struct log_file *lf);   /* it is about to be closed */

/* log_syslog.c */
int log_syslog_open(struct log_syslog **out, struct text parameters);
void log_syslog_close(struct log_syslog *s);
/* One datagram; `severity` -1: the target's. 0 or -errno. */
int log_syslog_send(struct log_syslog *s, int severity, const char *line, size_t len);
/* The next send connects again. */
void log_syslog_reset(struct log_syslog *s);

#endif
