/* harness.h - what integration tests share: a folder, a configuration, the real binary on free
 * loopback ports, and a client that speaks raw bytes.
 *
 *
 * Every test runs in a process of its own (check forks), so there is one site per test and no
 * handle to pass around. All functions end the test with a message where something fails that is
 * not the point of the test. Whatever a test leaves (processes, files) is removed when its process
 * ends; site_teardown() also insists that the server ended well.
 *
 *
 * Environment: SLUICE (binary, default build/sluice), HARNESS_NGINX=1 (the binary is nginx: skips
 * what it does not know), HARNESS_TRANSPORT (plain, unix, tls, h2 ...; transport.h), HARNESS_SCALE (factor on
 * deadlines), TMPDIR, HARNESS_DISK (a folder for O_DIRECT, where TMPDIR takes none). */
#ifndef HARNESS_H
#define HARNESS_H

#include "transport.h"

#include "../pattern.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

bool on_nginx(void);
int scaled(int msec); /* a deadline, longer for slow builds */

/* ---- files ---- */

/* The prefix, with conf, logs/ and html/ in it; and a folder that takes O_DIRECT (maybe the same),
 * "" where none does. */
const char *site_dir(void);
const char *site_disk(void);

/* A path below site_dir(), in one of 16 static buffers that take turns. Absolute paths stay as
 * they are. */
const char *site_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Below @DISK@/data: site_disk(), or site_dir() where there is none. */
const char *site_data(const char *name);

/* Writing makes parent folders. Names as for site_path(). Return the path. */
const char *site_write(const char *name, const char *text);
const char *site_write_bytes(const char *name, const void *bytes, size_t len);
const char *site_pattern(const char *name, off_t len);            /* bytes of pattern_byte() */
void site_pattern_at(const char *name, off_t offset, size_t len); /* into an existing or new file, sparse around it */
const char *site_mkdir(const char *name);
char *site_read(const char *name, size_t *len); /* NUL-terminated, on the heap; NULL: no such file */
void site_set_mtime(const char *name, time_t t);
time_t site_mtime(const char *name);
void http_date(char out[30], time_t t);

/* ---- server ---- */

int site_port(unsigned n); /* n = 0..7: @PORT@, @PORT1@ ... @PORT7@ */

/* Writes a configuration. `listen 127.0.0.1:@PORT@` listens where the transport has that port. In
 * the text are replaced, and in what site_text() is given:
 *   @DIR@, @DISK@             site_dir(), site_disk()
 *   @PORT@, @PORT1@ ..        ports; @:PORT@ as Location has it: nothing over a unix socket
 *   @SCHEME@                  of the URLs that lead there: http or https
 *   @LISTEN@, @LISTEN1@ ..    what the server of such a port listens on
 *   @PEER@                    $remote_addr of the test's clients
 *   @MAIN@, @HTTP@            daemon off, pid, error_log, one worker; the access log
 * The short forms supply what is around a server's directives, or around those of http. */
void site_conf(const char *text);        /* the whole file: dir/sluice.conf */
void site_conf_http(const char *text);   /* inside http { }; must hold the servers */
void site_conf_server(const char *text); /* inside server { }, which listens on @PORT@ with root @DIR@/html */

void site_serve(const char *server);                        /* site_conf_server(), site_start() */
void site_serve_http(const char *http, const char *server); /* such a server, with rows of http before it */

const char *site_text(const char *text); /* in one of 8 static buffers */

void site_start(void); /* runs the binary on the written file, waits until @PORT@ accepts */
void site_start_unawaited(void);
/* `extra_env`: NAME=value entries ("@PID@" is the server's own), NULL at the end; `listen_fd`:
 * handed over as 3, or -1. */
void site_start_with(char *const extra_env[], int listen_fd);
void site_start_args(char *const argv[]); /* exactly these arguments (argv[0] is replaced); not awaited */
/* Likewise, started in `folder` (NULL: this one), with `stdout_fd` (0: logs/stdout) as its
 * standard output; `argv` NULL: on the written file. */
void site_start_from(const char *folder, int stdout_fd, char *const argv[]);
void site_await_port(int port);
bool site_accepts(int port);
pid_t site_pid(void);
void site_forget(void);   /* the test has collected the process itself */
void site_kill(int sig);  /* to the master */
int site_wait_exit(void); /* waits for the master; its exit status, or 128 + signal */
void site_stop(int sig);  /* signals, expects status 0 and that no process of its group is left */
unsigned site_workers(pid_t *pids, unsigned most); /* the master's children, in its process group */
void site_await_workers(unsigned count);
pid_t site_worker(void); /* the only one, once it runs */
unsigned descriptors(pid_t pid);
bool has_landlock(void);
void site_await_closed(const char *path); /* until neither the master nor a worker has this file open */
/* Servers and runs belong to this user from now on, and the folder of the logs; after the
 * configuration was written. False, with a line on stdout: that is impossible here. */
bool site_run_as(uid_t uid);
void site_allow_alerts(void); /* site_teardown() does not object to [alert], [crit], [emerg] in the error log */

/* A run of the binary to its end: `-p DIR -e logs/error.log` and the given arguments (NULL at the
 * end). */
struct site_run {
    int status;
    char out[16384], err[16384];
};
void site_run(struct site_run *run, ...) __attribute__((sentinel));
void site_run_bare(struct site_run *run, char *const argv[]); /* exactly these arguments; argv[0] is replaced */

/* The written configuration by -t; and the same for a text. `error` NULL: it is taken; otherwise a
 * part of what is said. */
void site_check(struct site_run *run);
void expect_conf_http(const char *text, const char *error);
void expect_conf_server(const char *text, const char *error);

void site_setup(void);    /* check fixtures */
void site_teardown(void); /* stops a running server by TERM and checks how it went */

/* A case of `suite` with these fixtures; `seconds` is the limit of each of its tests. */
TCase *site_case(Suite *suite, const char *name, int seconds);
/* And with pages that every test of it finds. */
TCase *site_case_with(Suite *suite, const char *name, int seconds, void (*pages)(void));

/* For what only TCP has: false over another transport, with a line that says what was left out and
 * why. Asked where tests are added to a suite, so that the line comes once. */
bool needs_tcp(const char *test, const char *why);
bool needs_plain(const char *test, const char *why); /* for what only plain HTTP/1 has */
bool needs_http1(const char *test, const char *why); /* for what only HTTP/1 has, plain or over TLS */
#define tcase_add_http1_loop_test(tc, test, from, to, why)                                                             \
    do {                                                                                                               \
        if (needs_http1(#test, why))                                                                                   \
            tcase_add_loop_test(tc, test, from, to);                                                                   \
    } while (0)
#define tcase_add_http1_test(tc, test, why) tcase_add_http1_loop_test(tc, test, 0, 1, why)
#define tcase_add_plain_loop_test(tc, test, from, to, why)                                                             \
    do {                                                                                                               \
        if (needs_plain(#test, why))                                                                                   \
            tcase_add_loop_test(tc, test, from, to);                                                                   \
    } while (0)
#define tcase_add_plain_test(tc, test, why) tcase_add_plain_loop_test(tc, test, 0, 1, why)
#define tcase_add_tcp_loop_test(tc, test, from, to, why)                                                               \
    do {                                                                                                               \
        if (needs_tcp(#test, why))                                                                                     \
            tcase_add_loop_test(tc, test, from, to);                                                                   \
    } while (0)
#define tcase_add_tcp_test(tc, test, why) tcase_add_tcp_loop_test(tc, test, 0, 1, why)

/* Waits until the file contains `text`, and returns the whole of it (free it). */
char *log_await(const char *name, const char *text);
char *log_await_count(const char *name, const char *text, unsigned count);
unsigned count_text(const char *haystack, const char *needle);
/* The server's confinement is left out: sanitizers and coverage do not work in it. Waits for a
 * worker to say so. */
bool site_is_instrumented(void);

void sleep_msec(int msec);
int64_t now_msec(void);

/* ---- client ---- */

struct site_client {
    struct channel channel;
    char *in; /* received and not yet used */
    size_t len, cap;
    bool eof;
    int error; /* ECONNRESET ... after eof */
};

struct site_response {
    int status, minor;
    char *head; /* status line to empty line, NUL-terminated */
    size_t head_len;
    char *body; /* NUL-terminated too; chunks joined */
    size_t len;
    char *trailers; /* lines, behind a chunked body; NULL: there was none */
    bool chunked, until_close;
};

void client_open(struct site_client *c, int port);
void client_open_sized(struct site_client *c, int port, int rcvbuf); /* SO_RCVBUF before connecting; 0: default */
void client_open_unix(struct site_client *c, const char *path);      /* whatever the transport, as the next */
void client_open_tcp(struct site_client *c, int fd);                 /* a socket that the test has connected */
void client_close(struct site_client *c);
void client_reset(struct site_client *c); /* RST instead of FIN, where there is one */
void client_end_sending(struct site_client *c);
ssize_t client_read(struct site_client *c, void *bytes, size_t len, bool wait); /* past c->in: as recv(2) */

/* Bytes that went out; fewer when the server closed. */
size_t client_send(struct site_client *c, const void *bytes, size_t len);
size_t client_say(struct site_client *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Waits for more input; false at the end of the stream (c->eof, c->error). */
bool client_fill(struct site_client *c);

bool client_head(struct site_client *c, struct site_response *r);           /* false: closed without a byte */
void client_body(struct site_client *c, struct site_response *r);           /* after client_head() */
bool client_receive(struct site_client *c, struct site_response *r);        /* both */
bool client_receive_head(struct site_client *c, struct site_response *r);   /* answer to HEAD: no body */
void client_expect_pattern(struct site_client *c, off_t offset, off_t len); /* takes len body bytes, compares */
void client_skip(struct site_client *c, off_t len);

bool client_ends(struct site_client *c);       /* the stream ends, with nothing more before it, within a few seconds */
bool client_stays_open(struct site_client *c); /* nothing comes and it does not end, for a moment */
bool client_has_input(struct site_client *c, int msec);

void site_response_free(struct site_response *r);
/* Value of a field, or NULL; in one of 8 static buffers. */
const char *site_header(const struct site_response *r, const char *name);
unsigned site_header_count(const struct site_response *r, const char *name);
void assert_header(const struct site_response *r, const char *name, const char *value); /* value NULL: absent */

/* One request on a connection of its own; `fields` are whole lines with \r\n, or "". Free the
 * response. */
void site_request(struct site_response *r, const char *method, const char *target, const char *fields);
void site_get(struct site_response *r, const char *target);
int site_status_of(const char *target); /* of GET */
/* GET, of an answer with status 200, or that status. */
void expect_body(const char *target, const char *body);
void expect_for(const char *target, const char *fields, const char *body);
void expect_status(const char *target, int status);
double site_metric(const char *name); /* of a sample in the metrics at /status */
/* Exactly these bytes, then a response; the status, 0 when it closed without one. Closes. */
int site_status_of_bytes(const char *bytes, size_t len);

#endif
