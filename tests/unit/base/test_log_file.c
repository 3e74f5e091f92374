/* test_log_file.c - log lines with and without the writer: order, reopening, full disks, closed
 * pipes, syslog. */
#include "base/log.h"
#include "base/log_file.h"
#include "base/log_private.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct log_file *open_log(const char *path, size_t buffer, int64_t flush)
{
    struct log_file *lf;
    ck_assert_int_eq(log_file_open(&lf, path, buffer, flush), 0);
    return lf;
}

static void add(struct log_file *lf, const char *line)
{
    log_file_write(lf, 6, line, strlen(line));
}

static void check_content(const char *path, const char *expected)
{
    char *content = unit_read(path, NULL);
    ck_assert_str_eq(content, expected);
    free(content);
}

/* Until the file holds this: how the tests wait for the writer. check's time limit ends a wait in
 * vain. */
static void await_content(const char *path, const char *expected)
{
    for (;;) {
        char *content = unit_read(path, NULL);
        bool same = strcmp(content, expected) == 0;
        free(content);
        if (same)
            return;
        poll(NULL, 0, 2);
    }
}

START_TEST(test_direct)
{
    const char *path = unit_path("a.log");
    struct log_file *lf = open_log(path, 0, 0);
    add(lf, "one\n");
    check_content(path, "one\n");
    char *at = log_file_reserve(lf, 100);
    ck_assert_ptr_nonnull(at);
    memcpy(at, "two\n", 4);
    log_file_commit(lf, 4);
    ck_assert_ptr_nonnull(log_file_reserve(lf, 100));
    log_file_commit(lf, 0);
    check_content(path, "one\ntwo\n");
    ck_assert_str_eq(log_file_path(lf), path);
    struct stat st;
    stat(path, &st);
    ck_assert_uint_eq(st.st_mode & 0133, 0);

    struct log_file *same = open_log(path, 0, 0); /* counted */
    ck_assert_ptr_eq(same, lf);
    log_file_close(same);
    add(lf, "three\n");
    check_content(path, "one\ntwo\nthree\n");
    log_file_close(lf);
}
END_TEST

/* Nothing changes for who writes plain lines when somebody opens the same file for compressed
 * ones. */
START_TEST(test_compressed)
{
    const char *path = unit_path("a.log");
    struct log_file *plain = open_log(path, 0, 0), *five, *nine;
    int rc = log_file_open_gzip(&five, path, 1024, 0, 5);
    if (rc < 0) {
        ck_assert_int_eq(rc, -ENOSYS); /* a build without zlib */
        log_file_close(plain);
        return;
    }
    ck_assert_int_eq(log_file_open_gzip(&nine, path, 1024, 0, 9), 0);
    ck_assert(plain != five && five != nine);
    add(plain, "one\n");
    check_content(path, "one\n");
    add(five, "two\n");
    char *content = unit_read(path, NULL);
    ck_assert_msg(memcmp(content, "one\n\x1f\x8b", 6) == 0, "%s", content);
    free(content);
    log_file_close(five);
    log_file_close(nine);
    log_file_close(plain);
    ck_assert_int_eq(log_file_open_gzip(&five, "stderr", 0, 0, 5), -EINVAL);
    ck_assert_int_eq(log_file_open_gzip(&five, "syslog:server=127.0.0.1", 0, 0, 5), -EINVAL);
}
END_TEST

START_TEST(test_errors)
{
    struct log_file *lf;
    ck_assert_int_eq(log_file_open(&lf, unit_path("no/such/folder"), 0, 0), -ENOENT);
    ck_assert_int_eq(log_file_open(&lf, unit_dir(), 0, 0), -EISDIR);
    static const char *const malformed[] = {
        "syslog:",
        "syslog:facility=local0",
        "syslog:server=",
        "syslog:server=unix:",
        "syslog:server=127.0.0.1:x",
        "syslog:server=127.0.0.1:70000",
        "syslog:server=[::1",
        "syslog:server=127.0.0.1,",
        "syslog:server=127.0.0.1,server=127.0.0.1",
        "syslog:server=127.0.0.1,facility=nope",
        "syslog:server=127.0.0.1,severity=warning",
        "syslog:server=127.0.0.1,tag=a-b",
        "syslog:server=127.0.0.1,tag=abcdefghijabcdefghijabcdefghijabc",
        "syslog:server=127.0.0.1,nohost",
        "syslog:server=127.0.0.1,x=y",
    };
    for (unsigned i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        ck_assert_msg(log_file_open(&lf, malformed[i], 0, 0) == -EINVAL, "%s", malformed[i]);
}
END_TEST

START_TEST(test_writer)
{
    const char *path = unit_path("a.log");
    struct log_file *lf = open_log(path, 0, 0);
    ck_assert_int_eq(log_file_writer_start(), 0);
    ck_assert_int_eq(log_file_writer_start(), -EBUSY);
    add(lf, "one\n");
    await_content(path, "one\n");
    poll(NULL, 0, 250); /* it sleeps now: the next line has to wake it */
    add(lf, "two\n");
    await_content(path, "one\ntwo\n");
    log_file_close(lf); /* while it runs: what is left is written all the same */
    lf = open_log(path, 0, 0);
    add(lf, "three\n");
    log_file_writer_stop();
    check_content(path, "one\ntwo\nthree\n");
    add(lf, "four\n");
    check_content(path, "one\ntwo\nthree\nfour\n");
    ck_assert_int_eq(log_file_writer_start(), 0); /* again */
    add(lf, "five\n");
    log_file_writer_stop();
    log_file_writer_stop();
    check_content(path, "one\ntwo\nthree\nfour\nfive\n");
    log_file_close(lf);
}
END_TEST

enum { THREADS = 4, LINES = 20000, LINE = 12 };

static struct log_file *shared;

static void *add_many(void *arg)
{
    int number = *(int *)arg;
    char line[32];
    for (int i = 0; i < LINES; i++) {
        int len = snprintf(line, sizeof line, "%02d %08d\n", number, i);
        log_file_write(shared, 6, line, (size_t)len);
    }
    return NULL;
}

/* From several threads at once: each line whole, each thread's lines in order, none missing unless
 * counted. */
START_TEST(test_many)
{
    const char *path = unit_path("many.log");
    shared = open_log(path, 0, 0);
    ck_assert_int_eq(log_file_writer_start(), 0);
    pthread_t threads[THREADS];
    int numbers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        pthread_create(&threads[i], NULL, add_many, &numbers[i]);
    }
    for (int i = 0; i < 2000; i++) { /* and reserved lines between them */
        char line[32];
        snprintf(line, sizeof line, "%02d %08d\n", THREADS, i);
        char *at = log_file_reserve(shared, LINE);
        if (!at)
            continue;
        memcpy(at, line, LINE);
        log_file_commit(shared, LINE);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    log_file_writer_stop();

    size_t len;
    char *all = unit_read(path, &len);
    int last[THREADS + 1] = {-1, -1, -1, -1, -1};
    ck_assert_uint_eq(len % LINE, 0);
    for (size_t at = 0; at < len; at += LINE) {
        int number, i;
        ck_assert_int_eq(sscanf(all + at, "%2d %8d", &number, &i), 2);
        ck_assert_int_gt(i, last[number]);
        last[number] = i;
    }
    ck_assert_uint_eq(len / LINE + log_file_dropped(shared), THREADS * LINES + 2000);
    free(all);
    log_file_close(shared);
}
END_TEST

START_TEST(test_buffered)
{
    const char *path = unit_path("b.log");
    struct log_file *lf = open_log(path, 16, 3600 * 1000);
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "0123456\n");
    poll(NULL, 0, 200); /* far longer than without buffer= */
    check_content(path, "");
    add(lf, "0123456\n"); /* the buffer's size is reached */
    await_content(path, "0123456\n0123456\n");
    add(lf, "x\n");
    log_file_writer_stop();
    check_content(path, "0123456\n0123456\nx\n");
    log_file_close(lf);
}
END_TEST

/* Of a configuration that is read again, its own settings count: shorter ones, and longer ones. */
START_TEST(test_buffered_anew)
{
    const char *path = unit_path("b.log");
    struct log_file *lf = open_log(path, 1024, 1);
    log_file_settings_begin();
    log_file_close(open_log(path, 16, 3600 * 1000));
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "0123456\n");
    poll(NULL, 0, 200);
    check_content(path, "");
    add(lf, "0123456\n");
    await_content(path, "0123456\n0123456\n");
    add(lf, "x\n");
    poll(NULL, 0, 200); /* far longer than the writer looks for more lines: it sleeps now */
    check_content(path, "0123456\n0123456\n");
    log_file_close(open_log(path, 1024, 1)); /* of the same settings: the sooner */
    await_content(path, "0123456\n0123456\nx\n");
    log_file_writer_stop();
    log_file_close(lf);
}
END_TEST

/* What was set by a configuration that is not to be used is as if it had not been read. */
START_TEST(test_buffered_as_before)
{
    const char *path = unit_path("b.log");
    struct log_file *lf = open_log(path, 1024, 1), *new;
    log_file_settings_begin();
    log_file_close(open_log(path, 0, 3600 * 1000));
    new = open_log(unit_path("new.log"), 0, 1);
    log_file_settings_undo();
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "one\n");
    add(new, "two\n");
    await_content(path, "one\n");
    await_content(unit_path("new.log"), "two\n");
    log_file_writer_stop();
    log_file_close(lf);
    log_file_close(new);
}
END_TEST

START_TEST(test_flush)
{
    const char *path = unit_path("b.log"), *other = unit_path("c.log");
    struct log_file *lf = open_log(path, 65536, 100), *fast = open_log(other, 0, 0);
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "slow\n");
    add(fast, "fast\n");
    await_content(other, "fast\n");
    await_content(path, "slow\n");
    log_file_writer_stop();
    log_file_close(lf);
    log_file_close(fast);
}
END_TEST

static void check_reopen(bool writer)
{
    const char *path = unit_path("r.log"), *old = unit_path("r.log.1");
    struct log_file *lf = open_log(path, writer ? 4096 : 0, 0);
    if (writer)
        ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "before\n");
    rename(path, old);
    ck_assert_int_eq(log_file_reopen_all(), 0);
    add(lf, "after\n");
    log_file_writer_stop();
    check_content(old, "before\n");
    check_content(path, "after\n");
    log_file_close(lf);
}

START_TEST(test_reopen)
{
    check_reopen(false);
}
END_TEST

START_TEST(test_reopen_writer)
{
    check_reopen(true);
}
END_TEST

/* Where the new file cannot be opened the old one stays in use. */
START_TEST(test_reopen_fails)
{
    const char *folder = unit_path("d"), *path = unit_path("d/r.log"), *moved = unit_path("e");
    mkdir(folder, 0755);
    struct log_file *lf = open_log(path, 0, 0);
    rename(folder, moved);
    ck_assert_int_eq(log_file_reopen_all(), -ENOENT);
    add(lf, "still\n");
    check_content(unit_path("e/r.log"), "still\n");
    log_file_close(lf);
}
END_TEST

START_TEST(test_chown)
{
    const char *path = unit_path("o.log");
    struct log_file *lf = open_log(path, 0, 0), *err = open_log("stderr", 0, 0);
    struct stat st;
    if (getuid() == 0) {
        ck_assert_int_eq(log_file_chown_all(1234, 5678), 0);
        stat(path, &st);
        ck_assert_uint_eq(st.st_uid, 1234);
        ck_assert_uint_eq(st.st_gid, 5678);
    } else {
        ck_assert_int_eq(log_file_chown_all(getuid(), getgid()), 0);
    }
    log_file_close(lf);
    log_file_close(err);
}
END_TEST

/* The log that logrotate gave to the workers' user; root may override no permissions. */
START_TEST(test_of_another_user)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct caps[_LINUX_CAPABILITY_U32S_3];
    const char *path = unit_write("theirs.log", "one\n", 4);

    if (geteuid() != 0)
        return;
    ck_assert(chmod(path, 0640) == 0 && chown(path, 65534, 65534) == 0);
    ck_assert_int_eq(syscall(SYS_capget, &header, caps), 0);
    caps[0].effective &= ~((1u << CAP_DAC_OVERRIDE) | (1u << CAP_DAC_READ_SEARCH));
    ck_assert_int_eq(syscall(SYS_capset, &header, caps), 0);
    ck_assert_int_lt(open(path, O_WRONLY | O_APPEND | O_CLOEXEC), 0);
    struct log_file *lf = open_log(path, 0, 0);
    add(lf, "two\n");
    log_file_close(lf);
    int mine = open(unit_path("mine"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    struct stat st;
    ck_assert(mine >= 0 && fstat(mine, &st) == 0 && st.st_uid == 0); /* root again */
    close(mine);
    caps[0].effective = caps[0].permitted;
    ck_assert_int_eq(syscall(SYS_capset, &header, caps), 0);
    check_content(path, "one\ntwo\n");
}
END_TEST

/* A disk without room: lines are counted, and the error log says so, once. */
START_TEST(test_full)
{
    struct log_file *lf;
    if (access("/dev/full", W_OK) < 0 || log_file_open(&lf, "/dev/full", 0, 0) < 0)
        return;
    const char *path = unit_path("error.log");
    struct log_output output = {.file = open_log(path, 0, 0), .level = LEVEL_NOTICE};
    struct log log = {&output, LEVEL_NOTICE};
    struct log *before = log_main;
    log_main = &log;
    add(lf, "direct\n");
    ck_assert_uint_eq(log_file_dropped(lf), 1);
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "one\ntwo\n");
    while (log_file_dropped(lf) < 3)
        poll(NULL, 0, 2);
    add(lf, "more\n");
    while (log_file_dropped(lf) < 4)
        poll(NULL, 0, 2);
    log_file_writer_stop();
    log_main = before;
    char *text = unit_read(path, NULL);
    char *first = strstr(text, "lines of \"/dev/full\" were dropped (28: No space left on device)\n");
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_null(strstr(first + 1, "lines of"));
    free(text);
    log_file_close(lf);
    log_file_close(output.file);
}
END_TEST

/* What does not fit is dropped whole, and the writer is the only one that waits. */
START_TEST(test_slow)
{
    const char *path = unit_path("fifo");
    static char line[1001];
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    struct log_file *lf = open_log(path, 0, 0);
    ck_assert_int_eq(log_file_writer_start(), 0);
    memset(line, 'x', sizeof line);
    line[999] = '\n';
    uint64_t accepted = 0;
    for (; log_file_dropped(lf) == 0; accepted++) /* nobody reads: the buffer must fill */
        log_file_write(lf, 6, line, 1000);
    accepted--;
    for (char *at; (at = log_file_reserve(lf, 1000)); accepted++) {
        memcpy(at, line, 1000);
        log_file_commit(lf, 1000);
    }
    ck_assert_uint_gt(accepted, 200);
    ck_assert_uint_eq(log_file_dropped(lf), 2);
    uint64_t bytes = 0;
    static char sink[65536];
    while (bytes < accepted * 1000) {
        struct pollfd pfd = {reader, POLLIN, 0};
        ck_assert_int_eq(poll(&pfd, 1, 10000), 1);
        ssize_t n = read(reader, sink, sizeof sink);
        ck_assert_int_gt(n, 0);
        bytes += (uint64_t)n;
    }
    ck_assert_uint_eq(bytes, accepted * 1000);
    log_file_writer_stop();
    close(reader);
    add(lf, "to nobody\n"); /* without a reader: no signal */
    ck_assert_uint_eq(log_file_dropped(lf), 3);
    log_file_close(lf);
}
END_TEST

/* The reader is away: what is open stays, and is written to when there is a reader again. check's
 * limit ends a wait. */
START_TEST(test_reopen_of_a_fifo)
{
    const char *path = unit_path("fifo");
    char bytes[16] = "";
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct log_file *lf = open_log(path, 0, 0);
    close(reader);
    if (_i)
        ck_assert_int_eq(log_file_writer_start(), 0);
    ck_assert_int_eq(log_file_reopen_all(), 0);
    if (_i)
        log_file_writer_stop();
    reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    add(lf, "a\n");
    ck_assert_int_eq(read(reader, bytes, sizeof bytes), 2);
    ck_assert_int_eq(log_file_reopen_all(), 0); /* now it is opened anew, and waits for room as before */
    add(lf, "b\n");
    ck_assert_int_eq(read(reader, bytes, sizeof bytes), 2);
    ck_assert_str_eq(bytes, "b\n");
    log_file_close(lf);
    close(reader);
}
END_TEST

/* Ends turns until the lines of so many in a row were there as soon as their turn was over: a busy
 * machine may be late with some, and then none is waited for during a second. check's time limit
 * ends a wait in vain. */
static void end_turns(struct log_file *lf, const char *path, unsigned in_a_row)
{
    static unsigned turn;
    for (unsigned good = 0; good < in_a_row; turn++) {
        char line[48];
        for (int n = 0; n < 3; n++) {
            snprintf(line, sizeof line, "turn %u line %d\n", turn, n);
            log_file_write_urgent(lf, 6, line, strlen(line));
        }
        log_file_end_turn();
        char *content = unit_read(path, NULL);
        good = strstr(content, line) ? good + 1 : 0;
        free(content);
        if (good == 0)
            poll(NULL, 0, 50);
    }
}

/* Urgent lines are written with the turn, in order, whatever other lines of the file wait for. */
START_TEST(test_urgent)
{
    const char *path = unit_path("a.log"), *other_path = unit_path("other.log");
    struct log_file *lf = open_log(path, 64 * 1024, 3600 * 1000), *other = open_log(other_path, 64 * 1024, 3600 * 1000);
    ck_assert_int_eq(log_file_writer_start(), 0);
    log_file_write_urgent(lf, 6, "a\n", 2); /* not in a turn */
    await_content(path, "a\n");
    log_file_take_turns(true);
    add(lf, "b\n");
    add(other, "waits\n");
    end_turns(lf, path, 20);
    poll(NULL, 0, 250); /* the writer sleeps */
    end_turns(lf, path, 1);
    check_content(other_path, "");
    log_file_write_urgent(lf, 6, "last\n", 5);
    log_file_take_turns(false);
    log_file_writer_stop();
    char *content = unit_read(path, NULL);
    ck_assert_ptr_eq(strstr(content, "a\nb\nturn 0 line 0\nturn 0 line 1\nturn 0 line 2\nturn 1 line 0\n"), content);
    ck_assert_ptr_nonnull(strstr(content, " line 2\nlast\n"));
    free(content);
    check_content(other_path, "waits\n");
    log_file_close(lf);
    log_file_close(other);
}
END_TEST

/* A writer that is busy with urgent lines does not go to sleep, or each line would wake it. On a busy
 * machine it may be long since the last line: once more, then. check's time limit ends it. */
START_TEST(test_urgent_awake)
{
    enum { TURNS = 20 };
    struct log_file *lf = open_log(unit_path("a.log"), 0, 0);

    ck_assert_int_eq(log_file_writer_start(), 0);
    log_file_take_turns(true);
    do {
        for (unsigned i = 0; i < TURNS; i++) {
            log_file_write_urgent(lf, 6, "line\n", 5);
            log_file_end_turn();
        }
        poll(NULL, 0, 10); /* it may be about to */
    } while (log_writer_sleeps);
    log_file_take_turns(false);
    log_file_writer_stop();
    log_file_close(lf);
}
END_TEST

/* A disk that does not answer holds up one turn, and only for a moment: check's time limit ends a
 * wait in each of them. */
START_TEST(test_urgent_stuck)
{
    enum { TURNS = 30000 };
    const char *path = unit_path("fifo");
    static char line[1001];
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    struct log_file *lf = open_log(path, 0, 0);
    ck_assert_int_eq(log_file_writer_start(), 0);
    log_file_take_turns(true);
    memset(line, 'x', sizeof line);
    line[999] = '\n';
    for (unsigned i = 0; i < TURNS; i++) {
        log_file_write_urgent(lf, 6, line, 1000);
        log_file_end_turn();
    }
    ck_assert_uint_gt(log_file_dropped(lf), 0);
    log_file_take_turns(false);
    close(reader);
    log_file_writer_stop();
}
END_TEST

/* Of a writer that never comes back nobody waits for more than its lines are worth. */
START_TEST(test_stuck)
{
    const char *path = unit_path("fifo"), *other_path = unit_path("other.log");
    static char line[1001];
    struct log_file *named;
    struct log_names_conf none = {.max = 0};
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    struct log_file *lf = open_log(path, 0, 0), *other = open_log(other_path, 0, 0);
    ck_assert_int_eq(log_file_open_names(&named, &none), 0);
    ck_assert_int_eq(log_file_writer_start(), 0);
    memset(line, 'x', sizeof line);
    line[999] = '\n';
    while (log_file_dropped(lf) == 0)
        log_file_write(lf, 6, line, 1000);
    struct pollfd pipe = {open(path, O_WRONLY | O_NONBLOCK), POLLOUT, 0};
    while (poll(&pipe, 1, 1) > 0) /* until it is full: nobody reads, and the writer is stuck in it */
        ;
    close(pipe.fd);
    add(other, "one\n");
    add(other, "two\n");
    log_file_write(named, 6, "x\0three\n", 8);
    log_file_writer_stop();
    ck_assert_uint_eq(log_file_dropped(other), 2);
    ck_assert_uint_eq(log_file_dropped(named), 1);
    add(other, "late\n"); /* returns */
    add(lf, "late\n");
    ck_assert_uint_eq(log_file_dropped(other), 3);
    close(reader);
}
END_TEST

START_TEST(test_closed_pipe)
{
    int ends[2], kept = dup(STDERR_FILENO);
    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    struct log_file *lf = open_log("/dev/stderr", 0, 0);
    ck_assert_str_eq(log_file_path(lf), "stderr");
    close(ends[0]);
    add(lf, "a\n");
    ck_assert_int_eq(log_file_writer_start(), 0);
    add(lf, "b\n");
    log_file_writer_stop();
    dup2(kept, STDERR_FILENO);
    ck_assert_uint_eq(log_file_dropped(lf), 2);
    log_file_close(lf);
    close(kept);
    close(ends[1]);
}
END_TEST

START_TEST(test_fork)
{
    const char *path = unit_path("f.log");
    struct log_file *lf = open_log(path, 0, 0);
    pid_t child = fork();
    if (child == 0) {
        int rc = log_file_writer_start();
        add(lf, "child\n");
        log_file_writer_stop();
        _exit(rc == 0 ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    add(lf, "parent\n");
    check_content(path, "child\nparent\n");
    log_file_close(lf);
}
END_TEST

static void check_datagram(int fd, const char *head, const char *tail)
{
    char got[1024];
    struct pollfd pfd = {fd, POLLIN, 0};
    ck_assert_int_eq(poll(&pfd, 1, 10000), 1);
    ssize_t n = recv(fd, got, sizeof got - 1, 0);
    ck_assert_int_gt(n, 0);
    got[n] = '\0';
    ck_assert_msg(strncmp(got, head, strlen(head)) == 0, "%s", got);
    char month[4];
    int day, hour, min, sec, end = 0;
    sscanf(got + strlen(head), "%3s %2d %2d:%2d:%2d%n", month, &day, &hour, &min, &sec, &end);
    ck_assert_int_eq(end, 15);
    ck_assert_str_eq(got + strlen(head) + end, tail);
}

START_TEST(test_syslog)
{
    char host[256] = "", target[256], tail[512];
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "%s", unit_path("log.sock"));
    snprintf(target, sizeof target, "syslog:server=unix:%s,facility=daemon,tag=Web_1,severity=notice", un.sun_path);
    struct log_file *lf = open_log(target, 0, 0);
    add(lf, "lost\n"); /* nobody listens yet */
    ck_assert_uint_eq(log_file_dropped(lf), 1);

    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    gethostname(host, sizeof host - 1);
    log_file_write(lf, 3, "an error\n", 9);
    snprintf(tail, sizeof tail, " %s Web_1: an error", host);
    check_datagram(fd, "<27>", tail);

    ck_assert_int_eq(log_file_writer_start(), 0);
    log_file_write(lf, 0, "with\nline feed\n", 15);
    char *at = log_file_reserve(lf, 50);
    memcpy(at, "reserved\n", 9);
    log_file_commit(lf, 9);
    snprintf(tail, sizeof tail, " %s Web_1: with\nline feed", host);
    check_datagram(fd, "<24>", tail);
    snprintf(tail, sizeof tail, " %s Web_1: reserved", host);
    check_datagram(fd, "<29>", tail);
    log_file_writer_stop();
    log_file_close(lf);
    close(fd);
}
END_TEST

START_TEST(test_syslog_udp)
{
    struct sockaddr_storage address = {0};
    socklen_t len = sizeof address;
    char target[128];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    address.ss_family = AF_INET;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
    getsockname(fd, (struct sockaddr *)&address, &len);
    unsigned port = (unsigned)((unsigned char *)&address)[2] << 8 | ((unsigned char *)&address)[3];
    snprintf(target, sizeof target, "syslog:server=127.0.0.1:%u,nohostname", port);
    struct log_file *lf = open_log(target, 0, 0);
    log_file_write(lf, 6, "hello\n", 6);
    check_datagram(fd, "<190>", " sluice: hello");
    log_file_close(lf);
    close(fd);
}
END_TEST

Suite *suite_base_log_file(void)
{
    Suite *s = suite_create("base/log_file");
    TCase *t = tcase_create("log_file");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, test_direct);
    tcase_add_test(t, test_compressed);
    tcase_add_test(t, test_errors);
    tcase_add_test(t, test_writer);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_buffered);
    tcase_add_test(t, test_buffered_anew);
    tcase_add_test(t, test_buffered_as_before);
    tcase_add_test(t, test_flush);
    tcase_add_test(t, test_reopen);
    tcase_add_test(t, test_reopen_writer);
    tcase_add_test(t, test_reopen_fails);
    tcase_add_test(t, test_chown);
    tcase_add_test(t, test_of_another_user);
    tcase_add_test(t, test_full);
    tcase_add_test(t, test_slow);
    tcase_add_loop_test(t, test_reopen_of_a_fifo, 0, 2);
    tcase_add_test(t, test_urgent);
    tcase_add_test(t, test_urgent_awake);
    tcase_add_test(t, test_urgent_stuck);
    tcase_add_test(t, test_stuck);
    tcase_add_test(t, test_closed_pipe);
    tcase_add_test(t, test_fork);
    tcase_add_test(t, test_syslog);
    tcase_add_test(t, test_syslog_udp);
    suite_add_tcase(s, t);
    return s;
}
