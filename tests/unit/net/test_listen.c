/* test_listen.c - net/listen and net/socket: options, batches, running out of descriptors, unix:
 * sockets. */
#include "unit.h"

#include "net/listen.h"
#include "net/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CLIENTS = 40 };

static const struct listen_options plain = {.backlog = 511, .ipv6only = -1, .keepalive = -1};
static struct loop *loop;
static struct timer *limit;
static struct acceptor *acceptor;
static unsigned accepted, failures, stop_after, pause_after;
static bool destroy_inside;
static int last_error, kept[CLIENTS], clients[CLIENTS];

static void stop(void *arg)
{
    (void)arg;
    loop_stop(loop);
}

static void setup(void)
{
    accepted = failures = stop_after = pause_after = 0;
    destroy_inside = false;
    last_error = 0;
    acceptor = NULL;
    for (int i = 0; i < CLIENTS; i++)
        kept[i] = clients[i] = -1;
    ck_assert_int_eq(loop_create(&loop), 0);
    limit = loop_timer(loop, stop, NULL);
}

static void teardown(void)
{
    acceptor_destroy(acceptor);
    timer_destroy(limit);
    loop_destroy(loop);
    for (int i = 0; i < CLIENTS; i++) {
        if (kept[i] >= 0)
            close(kept[i]);
        if (clients[i] >= 0)
            close(clients[i]);
    }
}

static void run_for(int64_t msec)
{
    timer_set(limit, msec);
    loop_run(loop);
}

/* A listening socket on a free loopback port. */
static int open_loopback(const struct listen_options *options, struct address *address)
{
    int fd;

    memset(address, 0, sizeof *address);
    address->len = sizeof address->in4;
    address->in4.sin_family = AF_INET;
    address->in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(listen_open(address, options, &fd), 0);
    ck_assert_int_eq(listen_address_of(fd, address), 0);
    return fd;
}

static int connect_to(const struct address *address)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, &address->any, address->len), 0);
    return fd;
}

static void on_accepted(void *arg, int fd, const struct address *peer)
{
    (void)arg;
    ck_assert_int_ne(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_uint_eq(peer->any.sa_family, AF_INET);
    ck_assert_uint_lt(accepted, CLIENTS);
    kept[accepted++] = fd;
    if (accepted == pause_after)
        acceptor_pause(acceptor);
    if (destroy_inside) {
        acceptor_destroy(acceptor);
        acceptor = NULL;
    }
    if (accepted == stop_after)
        loop_stop(loop);
}

static void on_failed(void *arg, int error)
{
    (void)arg;
    failures++;
    last_error = error;
    loop_stop(loop);
}

static void start(int listen_fd, bool multi)
{
    struct acceptor_options options = {
        .multi = multi,
        .listen_fd = listen_fd,
        .accepted = on_accepted,
        .failed = on_failed,
    };

    ck_assert_int_eq(acceptor_create(&acceptor, loop, &options), 0);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof value;

    ck_assert_int_eq(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

START_TEST(test_options)
{
    struct listen_options o = plain;
    struct address address;
    int fd, twin;

    o.reuseport = true;
    o.deferred = true;
    o.keepalive = 1;
    o.keepidle = 77;
    o.rcvbuf = 65536;
    fd = open_loopback(&o, &address);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_REUSEPORT), 1);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_RCVBUF), 2 * 65536); /* the kernel doubles it: socket(7) */
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_KEEPIDLE), 77);
    ck_assert_int_ge(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 1);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(listen_open(&address, &o, &twin), 0);
    close(twin);
    o.exclusive = true;
    ck_assert_int_eq(listen_open(&address, &o, &twin), -EADDRINUSE);
    o.exclusive = false;
    o.reuseport = false;
    ck_assert_int_eq(listen_open(&address, &o, &twin), -EADDRINUSE);
    o.deferred = false;
    o.keepalive = 0;
    ck_assert_int_eq(listen_adopt(fd, &o), 0);
    ck_assert_int_eq(option(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    ck_assert_int_eq(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    close(fd);
}
END_TEST

/* The first of several sockets notices strangers, and yet lets its own kind join. */
START_TEST(test_exclusive)
{
    struct listen_options o = plain;
    struct address address;
    int first, second, third;

    o.reuseport = o.exclusive = true;
    first = open_loopback(&o, &address);
    ck_assert_int_eq(option(first, SOL_SOCKET, SO_REUSEPORT), 1);
    ck_assert_int_eq(listen_open(&address, &o, &second), -EADDRINUSE);
    o.exclusive = false;
    ck_assert_int_eq(listen_open(&address, &o, &second), 0);
    ck_assert_int_eq(listen_open(&address, &o, &third), 0);
    close(first);
    close(second);
    close(third);
}
END_TEST

START_TEST(test_accepts)
{
    struct address address, local;
    int fd = open_loopback(&plain, &address);

    start(fd, _i == 1);
    for (int i = 0; i < CLIENTS; i++)
        clients[i] = connect_to(&address);
    stop_after = CLIENTS;
    run_for(5000);
    ck_assert_uint_eq(accepted, CLIENTS);
    ck_assert_int_eq(option(kept[0], IPPROTO_TCP, TCP_NODELAY), 1);
    ck_assert_int_eq(socket_local(kept[0], &local), 0);
    ck_assert(address_equal(&local, &address));
    ck_assert_uint_eq(socket_unsent(kept[0]), 0);
    ck_assert_int_eq(socket_nodelay(kept[0], false), 0);
    ck_assert_int_eq(socket_reset_on_close(kept[0]), 0);
    close(fd);
}
END_TEST

START_TEST(test_pause)
{
    struct address address;
    int fd = open_loopback(&plain, &address);

    start(fd, true);
    for (int i = 0; i < 10; i++)
        clients[i] = connect_to(&address);
    pause_after = 3;
    run_for(50);
    ck_assert_uint_eq(accepted, 3); /* the rest stays queued in the kernel */
    acceptor_resume(acceptor);
    stop_after = 10;
    run_for(5000);
    ck_assert_uint_eq(accepted, 10);
    close(fd);
}
END_TEST

START_TEST(test_destroy_inside)
{
    struct address address;
    int fd = open_loopback(&plain, &address);

    start(fd, true);
    for (int i = 0; i < 3; i++)
        clients[i] = connect_to(&address);
    destroy_inside = true;
    run_for(50);
    ck_assert_uint_eq(accepted, 1);
    close(fd);
}
END_TEST

/* With no descriptor left the waiting client is closed rather than left waiting, and accepting goes
 * on later. */
START_TEST(test_out_of_descriptors)
{
    struct rlimit old, tight;
    struct address address;
    int fd = open_loopback(&plain, &address);
    int highest;
    char byte;

    if (unit_on_valgrind()) /* which keeps descriptors to itself */
        return;
    clients[0] = connect_to(&address);
    clients[1] = connect_to(&address);
    ck_assert_int_eq(fcntl(clients[0], F_SETFL, O_NONBLOCK), 0);
    start(fd, true);
    highest = dup(0);
    close(highest);
    getrlimit(RLIMIT_NOFILE, &old);
    tight = old;
    tight.rlim_cur = (rlim_t)highest;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
    run_for(5000);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    ck_assert_uint_eq(failures, 1);
    ck_assert_int_eq(last_error, EMFILE);
    ck_assert_uint_eq(accepted, 0);
    ck_assert_int_eq(recv(clients[0], &byte, 1, 0), 0);
    stop_after = 1;
    run_for(5000);
    ck_assert_uint_eq(accepted, 1);
    close(fd);
}
END_TEST

START_TEST(test_unix)
{
    const char *path = unit_path("s.sock");
    struct address address;
    struct stat st;
    int fd, again;

    memset(&address, 0, sizeof address);
    address.any.sa_family = AF_UNIX;
    ck_assert_uint_lt(strlen(path), sizeof address.un.sun_path);
    strcpy(address.un.sun_path, path);
    address.len = sizeof address.un;
    ck_assert_int_eq(listen_open(&address, &plain, &fd), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0666);
    ck_assert_int_eq(listen_open(&address, &plain, &again), -EADDRINUSE); /* somebody listens */
    close(fd);
    ck_assert_int_eq(listen_open(&address, &plain, &again), 0); /* nobody does: left over */
    close(again);
    unlink(path);
    fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(listen_open(&address, &plain, &again), -EADDRINUSE); /* a file of somebody's is not removed */
    ck_assert_int_eq(access(path, F_OK), 0);
    unlink(path);
    ck_assert_int_eq(listen_open(&address, &plain, &fd), 0);
    close(fd);
    ck_assert_int_eq(rename(path, unit_path("left")), 0);
    ck_assert_int_eq(symlink("left", path), 0);
    ck_assert_int_eq(listen_open(&address, &plain, &again), -EADDRINUSE); /* a link is not, wherever it leads */
    ck_assert(lstat(path, &st) == 0 && S_ISLNK(st.st_mode));
}
END_TEST

Suite *suite_net_listen(void)
{
    Suite *s = suite_create("net/listen");
    TCase *tc = tcase_create("listen");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_options);
    tcase_add_test(tc, test_exclusive);
    tcase_add_loop_test(tc, test_accepts, 0, 2);
    tcase_add_test(tc, test_pause);
    tcase_add_test(tc, test_destroy_inside);
    tcase_add_test(tc, test_out_of_descriptors);
    tcase_add_test(tc, test_unix);
    suite_add_tcase(s, tc);
    return s;
}
