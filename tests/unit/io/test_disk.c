/* test_disk.c - the readers behind one contract: more reads than room, the line, closing early, and
 * a kernel that denies io_uring. */
#include "io/disk.h"

#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 4096, BLOCKS = 64 };

static struct loop *loop;
static struct pool *pool;
static struct watch *watch;
static int fd, gate[2];

static void on_pool(void *arg, unsigned what)
{
    (void)what;
    pool_reap(arg);
}

static void setup(void)
{
    char path[4300];
    ck_assert_int_eq(loop_create(&loop), 0);
    ck_assert_int_eq(pool_create(&pool, "test", 2, 8), 0);
    watch = watch_create(loop, pool_eventfd(pool), LOOP_READ, false, on_pool, pool);
    snprintf(path, sizeof path, "%s/blocks", unit_disk_dir() ? unit_disk_dir() : unit_dir());
    unit_write_pattern(path, BLOCK * BLOCKS);
    fd = open(path, O_RDONLY | O_CLOEXEC | (unit_disk_dir() ? O_DIRECT : 0));
    ck_assert_int_ge(fd, 0);
}

static void teardown(void)
{
    close(fd);
    watch_destroy(watch);
    pool_destroy(pool);
    loop_destroy(loop);
}

struct one {
    struct disk_read read;
    bool inside_submit;
    int calls;
    int *left;
};

static void on_done(struct disk_read *r)
{
    struct one *o = container_of(r, struct one, read);
    ck_assert(!o->inside_submit);
    o->calls++;
    if (--*o->left == 0)
        loop_stop(loop);
}

static void submit_len(struct disk *d, struct one *o, off_t at, char *buffer, size_t len, int *left)
{
    o->read.fd = fd;
    o->read.offset = at;
    o->read.buffer = buffer;
    o->read.len = len;
    o->read.done = on_done;
    o->left = left;
    ++*left;
    o->inside_submit = true;
    disk_submit(d, &o->read);
    o->inside_submit = false;
}

static void submit(struct disk *d, struct one *o, off_t at, char *buffer, int *left)
{
    submit_len(d, o, at, buffer, BLOCK, left);
}

static const struct {
    int mode;
    const char *name;
} readers[] = {{AIO_URING, "io_uring"}, {AIO_LIBAIO, "libaio"}, {AIO_THREADS, "threads"}, {AIO_OFF, "off"}};

/* 0 where this reader is not to be had here. */
static struct disk *open_disk(int i, unsigned depth)
{
    struct disk *d = NULL;
    const char *note = NULL;
    int rc = disk_open(&d, loop, (enum aio_mode)readers[i].mode, pool, depth, &note);
    if (rc < 0) {
        ck_assert_ptr_nonnull(note);
        return NULL;
    }
    ck_assert_str_eq(disk_name(d), readers[i].name);
    return d;
}

/* Many more than the depth and the pool's queue: each calls back once, with its own bytes. */
START_TEST(test_line)
{
    enum { N = 300 };
    struct one *all = calloc(N, sizeof *all);
    char *bytes = aligned_alloc(BLOCK, N * BLOCK);
    int left = 0;
    struct disk *d = open_disk(_i, 4);
    for (int i = 0; d && i < N; i++)
        submit(d, &all[i], i % BLOCKS * BLOCK, bytes + i * BLOCK, &left);
    if (d)
        loop_run(loop);
    for (int i = 0; d && i < N; i++) {
        ck_assert_int_eq(all[i].calls, 1);
        ck_assert_int_eq(all[i].read.result, BLOCK);
        assert_pattern(bytes + i * BLOCK, BLOCK, i % BLOCKS * BLOCK);
    }
    if (d)
        ck_assert_uint_eq(disk_in_flight(d), 0);
    disk_close(d);
    free(all);
    free(bytes);
}
END_TEST

/* Errors come back as results: a bad descriptor, and a read past the end. */
START_TEST(test_results)
{
    struct one o[3] = {{.calls = 0}};
    char *bytes = aligned_alloc(BLOCK, 3 * BLOCK);
    int left = 0, good = fd;
    struct disk *d = open_disk(_i, 4);
    if (d) {
        submit(d, &o[0], BLOCK * BLOCKS, bytes, &left);
        fd = -1;
        submit(d, &o[1], 0, bytes + BLOCK, &left);
        fd = good;
        submit(d, &o[2], BLOCK, bytes + 2 * BLOCK, &left);
        loop_run(loop);
        ck_assert_int_eq(o[0].read.result, 0);
        ck_assert_int_eq(o[1].read.result, -EBADF);
        ck_assert_int_eq(o[2].read.result, BLOCK);
        assert_pattern(bytes + 2 * BLOCK, BLOCK, BLOCK);
    }
    disk_close(d);
    free(bytes);
}
END_TEST

/* Closed with reads in flight and in line: all of them are called back, none is lost. */
START_TEST(test_close)
{
    enum { N = 50 };
    struct one all[N];
    char *bytes = aligned_alloc(BLOCK, N * BLOCK);
    int left = 0;
    memset(all, 0, sizeof all);
    struct disk *d = open_disk(_i, 4);
    for (int i = 0; d && i < N; i++)
        submit(d, &all[i], i * BLOCK, bytes + i * BLOCK, &left);
    disk_close(d);
    for (int i = 0; d && i < N; i++) {
        ck_assert_int_eq(all[i].calls, 1);
        ck_assert(all[i].read.result == BLOCK || all[i].read.result == -ECANCELED);
    }
    ck_assert_int_eq(left, 0);
    free(bytes);
}
END_TEST

/* Into the page cache only; `prompt` by every reader, whether it makes a difference to it or not. */
static void warm(int mode, bool prompt)
{
    struct one o = {.calls = 0};
    int left = 0;
    struct disk *d = open_disk(mode, 4);
    if (!d)
        return;
    o.read.buffered = o.read.warm = true;
    o.read.prompt = prompt;
    int direct = fd, plain = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    fd = plain;
    submit(d, &o, 0, NULL, &left);
    fd = direct;
    loop_run(loop);
    ck_assert_int_eq(o.read.result, BLOCK);
    close(plain);
    disk_close(d);
}

START_TEST(test_warm)
{
    warm(_i, false);
}
END_TEST

START_TEST(test_warm_prompt)
{
    warm(_i, true);
}
END_TEST

/* From a disk, at its first and its last byte; and behind the end of a file that became shorter. */
START_TEST(test_warm_cold)
{
    enum { SIZE = 100 * 1000 };
    char path[4200];
    unsigned char there[(SIZE + 4095) / 4096];
    int left = 0;
    if (!unit_disk_dir())
        return;
    struct disk *d = open_disk(_i, 4);
    if (!d)
        return;
    snprintf(path, sizeof path, "%s/cold", unit_disk_dir());
    unit_write_pattern(path, SIZE);
    int direct = fd, plain = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ck_assert_int_eq(fsync(plain), 0);
    ck_assert_int_eq(posix_fadvise(plain, 0, 0, POSIX_FADV_DONTNEED), 0);
    struct one whole = {.calls = 0}, beyond = {.calls = 0};
    fd = plain;
    whole.read.buffered = whole.read.warm = whole.read.prompt = true;
    beyond.read.buffered = beyond.read.warm = beyond.read.prompt = true;
    submit_len(d, &whole, 0, NULL, SIZE, &left);
    submit_len(d, &beyond, SIZE + 10, NULL, BLOCK, &left);
    fd = direct;
    loop_run(loop);
    ck_assert_int_eq(whole.read.result, SIZE);
    ck_assert_int_eq(beyond.read.result, 0);
    void *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, plain, 0);
    ck_assert_ptr_ne(map, MAP_FAILED);
    ck_assert_int_eq(mincore(map, SIZE, there), 0);
    for (size_t i = 0; i < sizeof there; i++)
        ck_assert_msg(there[i] & 1, "page %zu", i);
    munmap(map, SIZE);
    close(plain);
    disk_close(d);
}
END_TEST

static void deny_with(int call, unsigned error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof filter[0], .filter = filter};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void deny(int call)
{
    deny_with(call, EPERM);
}

static void await_byte(struct job *job)
{
    char byte;
    (void)job;
    (void)!read(gate[0], &byte, 1);
}

static void ignore(struct job *job)
{
    (void)job;
}

static void open_gate(void *arg)
{
    static const char bytes[16];
    (void)arg;
    ck_assert_int_eq(write(gate[1], bytes, sizeof bytes), sizeof bytes);
}

/* The kernel takes no read, and the pool that has to help out is full of the work of others: the
 * read waits, and goes on when there is room, though nothing of its reader's own is under way that
 * would start it. */
START_TEST(test_refused_and_no_room)
{
    static struct job others[10]; /* the pool gives the last of them back when the test is over */
    struct one o = {.calls = 0};
    int left = 0;
    if (getenv("CK_FORK") && !strcmp(getenv("CK_FORK"), "no"))
        return;
    struct disk *d = open_disk(1, 8);
    if (!d)
        return;
    ck_assert_int_eq(pipe(gate), 0);
    for (int i = 0; i < 10; i++) { /* two for the threads, eight for the queue */
        others[i] = (struct job){.run = await_byte, .done = ignore};
        while (pool_submit(pool, &others[i]) < 0)
            sched_yield();
    }
    deny_with(SYS_io_submit, EAGAIN);
    char *bytes = aligned_alloc(BLOCK, BLOCK);
    submit(d, &o, BLOCK, bytes, &left);
    struct timer *timer = loop_timer(loop, open_gate, NULL);
    timer_set(timer, 50);
    loop_run(loop);
    ck_assert_int_eq(o.calls, 1);
    ck_assert_int_eq(o.read.result, BLOCK);
    assert_pattern(bytes, BLOCK, BLOCK);
    timer_destroy(timer);
    disk_close(d);
    free(bytes);
    close(gate[0]);
    close(gate[1]);
}
END_TEST

/* As in a container whose profile has no io_uring. check runs each test in a process of its own:
 * the filter goes with it. */
START_TEST(test_denied)
{
    struct disk *d = NULL;
    const char *note = NULL;
    if (getenv("CK_FORK") && !strcmp(getenv("CK_FORK"), "no"))
        return;
    deny(SYS_io_uring_setup);
    ck_assert_int_lt(disk_open(&d, loop, AIO_URING, pool, 8, &note), 0);
    ck_assert_ptr_nonnull(note);
    ck_assert_int_eq(disk_open(&d, loop, AIO_ON, pool, 8, &note), 0);
    ck_assert_str_ne(disk_name(d), "io_uring");
    ck_assert_ptr_nonnull(note);
    if (strstr(note, "denied"))
        ck_assert_str_eq(note, "io_uring is denied (Operation not permitted)");
    disk_close(d);

    deny(SYS_io_setup);
    ck_assert_int_eq(disk_open(&d, loop, AIO_ON, pool, 8, &note), 0);
    ck_assert_str_eq(disk_name(d), "threads");
    struct one o = {.calls = 0};
    char *bytes = aligned_alloc(BLOCK, BLOCK);
    int left = 0;
    submit(d, &o, 0, bytes, &left);
    loop_run(loop);
    assert_pattern(bytes, BLOCK, 0);
    disk_close(d);
    free(bytes);
}
END_TEST

Suite *suite_io_disk(void)
{
    Suite *s = suite_create("io/disk");
    TCase *t = tcase_create("disk");
    tcase_set_timeout(t, 30);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_line, 0, 4);
    tcase_add_loop_test(t, test_results, 0, 4);
    tcase_add_loop_test(t, test_close, 0, 4);
    tcase_add_loop_test(t, test_warm, 0, 4);
    tcase_add_loop_test(t, test_warm_prompt, 0, 4);
    tcase_add_loop_test(t, test_warm_cold, 0, 4);
    tcase_add_test(t, test_denied);
    tcase_add_test(t, test_refused_and_no_room);
    suite_add_tcase(s, t);
    return s;
}
