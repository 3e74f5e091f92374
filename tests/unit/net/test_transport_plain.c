/* test_transport_plain.c - bytes both ways over loopback TCP and a Unix socket, full sockets, ends,
 * files. */
#include "net/transport.h"

#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum kind { TCP, UNIX, KINDS };

static struct transport t;
static int peer;

static void tcp_pair(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    fds[1] = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)&at, len), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    ck_assert_int_eq(connect(fds[1], (struct sockaddr *)&at, len), 0);
    fds[0] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    ck_assert_int_ge(fds[0], 0);
    close(listener);
}

static void open_pair(enum kind kind)
{
    int fds[2];

    if (kind == TCP)
        tcp_pair(fds);
    else
        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    ck_assert_int_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    transport_plain(&t, fds[0]);
    peer = fds[1];
}

static void close_pair(void)
{
    transport_close(&t, true);
    if (peer >= 0)
        close(peer);
}

/* What the peer sent may take its time over TCP. */
static ssize_t recv_soon(void *to, size_t room)
{
    ssize_t n;

    for (int i = 0; i < 2000 && (n = transport_recv(&t, to, room)) == -EAGAIN; i++)
        usleep(1000);
    return n;
}

static ssize_t send_text(const char *text, bool more)
{
    struct iovec piece = {(void *)(uintptr_t)text, strlen(text)};

    return transport_send(&t, &piece, 1, more);
}

static void expect_at_peer(const char *text)
{
    char got[256];
    size_t len = strlen(text);

    ck_assert_uint_le(len, sizeof got);
    ck_assert_int_eq(recv(peer, got, len, MSG_WAITALL), (ssize_t)len);
    ck_assert_mem_eq(got, text, len);
}

START_TEST(test_receives)
{
    char got[8];

    open_pair((enum kind)_i);
    ck_assert_int_eq(transport_recv(&t, got, sizeof got), -EAGAIN);
    ck_assert_int_eq(send(peer, "0123456789", 10, 0), 10);
    ck_assert_int_eq(recv_soon(got, sizeof got), 8);
    ck_assert_mem_eq(got, "01234567", 8);
    ck_assert_int_eq(recv_soon(got, sizeof got), 2);
    ck_assert_int_eq(transport_recv(&t, got, sizeof got), -EAGAIN);
    ck_assert_int_eq(shutdown(peer, SHUT_WR), 0);
    ck_assert_int_eq(recv_soon(got, sizeof got), 0);
    ck_assert_int_eq(transport_recv(&t, got, sizeof got), 0);
    close_pair();
}
END_TEST

START_TEST(test_reset)
{
    char got[8];
    struct linger hard = {.l_onoff = 1};

    open_pair(TCP);
    ck_assert_int_eq(setsockopt(peer, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    close(peer);
    peer = -1;
    ck_assert_int_eq(recv_soon(got, sizeof got), -ECONNRESET);
    close_pair();
}
END_TEST

START_TEST(test_sends_pieces)
{
    struct iovec pieces[] = {{(void *)(uintptr_t) "head ", 5}, {NULL, 0}, {(void *)(uintptr_t) "and body", 8}};

    open_pair((enum kind)_i);
    ck_assert_int_eq(send_text("one piece", false), 9);
    expect_at_peer("one piece");
    ck_assert_int_eq(transport_send(&t, pieces, 3, false), 13);
    expect_at_peer("head and body");
    ck_assert_int_eq(send_text("first, ", true), 7);
    ck_assert_int_eq(send_text("second", false), 6);
    expect_at_peer("first, second");
    ck_assert_uint_eq(transport_unsent(&t), 0);
    close_pair();
}
END_TEST

/* The kernel holds it for 200 ms at the longest: a test that was itself stopped for so long says
 * nothing. */
START_TEST(test_more_is_held_back)
{
    struct timespec begun, done;
    int unsent = -1;

    open_pair(TCP);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    ck_assert_int_eq(send_text("part", true), 4);
    ck_assert_int_eq(ioctl(t.fd, SIOCOUTQNSD, &unsent), 0);
    clock_gettime(CLOCK_MONOTONIC, &done);
    if ((done.tv_sec - begun.tv_sec) * 1000 + (done.tv_nsec - begun.tv_nsec) / 1000000 < 150)
        ck_assert_int_eq(unsent, 4);
    ck_assert_int_eq(transport_finish(&t), 0); /* and the end lets it go */
    expect_at_peer("part");
    close_pair();
}
END_TEST

START_TEST(test_full)
{
    static char bytes[1 << 20];
    struct iovec pieces[] = {{bytes, sizeof bytes}, {bytes, sizeof bytes}};
    ssize_t n = 0;
    size_t sent = 0, got = 0;

    open_pair((enum kind)_i);
    for (unsigned i = 0; n >= 0 && i < 1000; i++) {
        sent += (size_t)n;
        n = transport_send(&t, pieces, 1 + (int)(i % 2), i % 3 == 0);
    }
    ck_assert_int_eq(n, -EAGAIN);
    ck_assert_int_eq(transport_finish(&t), 0);
    while ((n = recv(peer, bytes, sizeof bytes, 0)) > 0)
        got += (size_t)n;
    ck_assert_uint_eq(got, sent);
    close_pair();
}
END_TEST

/* No signal comes of it. */
START_TEST(test_peer_is_gone)
{
    const char *path = unit_write("f", "file", 4);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct iovec pieces[] = {{(void *)(uintptr_t) "a", 1}, {(void *)(uintptr_t) "b", 1}};

    signal(SIGPIPE, SIG_DFL);
    open_pair(UNIX);
    close(peer);
    peer = -1;
    ck_assert_int_eq(send_text("x", false), -EPIPE);
    ck_assert_int_eq(transport_send(&t, pieces, 2, true), -EPIPE);
    signal(SIGPIPE, SIG_IGN); /* as in the server: sendfile() has no flag for it */
    ck_assert_int_eq(transport_sendfile(&t, fd, 0, 4), -EPIPE);
    close(fd);
    close_pair();
}
END_TEST

START_TEST(test_unreadable_memory)
{
    struct iovec piece = {(void *)(uintptr_t)8, 100};

    open_pair((enum kind)_i);
    ck_assert_int_eq(transport_send(&t, &piece, 1, false), -EFAULT);
    close_pair();
}
END_TEST

START_TEST(test_files)
{
    const char *path = unit_write("f", "0123456789", 10);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    open_pair((enum kind)_i);
    ck_assert(transport_takes_files(&t));
    ck_assert_int_eq(send_text("head:", true), 5);
    ck_assert_int_eq(transport_sendfile(&t, fd, 3, 4), 4);
    ck_assert_int_eq(transport_sendfile(&t, fd, 8, 100), 2);
    ck_assert_int_eq(transport_sendfile(&t, fd, 10, 100), 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 0);
    expect_at_peer("head:345689");
    ck_assert_int_eq(transport_sendfile(&t, -1, 0, 1), -EBADF);
    close(fd);
    close_pair();
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

/* A signal every millisecond, which ends system calls; the socket waits, as it does not in the
 * server, so that there is something to end. */
START_TEST(test_signals_are_not_seen)
{
    struct sigaction act = {.sa_handler = on_alarm};
    struct itimerval often = {.it_interval.tv_usec = 1000, .it_value.tv_usec = 1000}, never = {0};
    struct timeval patience = {.tv_usec = 200000};
    char got[8];

    open_pair((enum kind)_i);
    ck_assert_int_eq(fcntl(t.fd, F_SETFL, 0), 0);
    ck_assert_int_eq(setsockopt(t.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    sigaction(SIGALRM, &act, NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        usleep(50000);
        _exit(send(peer, "late", 4, 0) != 4);
    }
    setitimer(ITIMER_REAL, &often, NULL);
    ssize_t n = transport_recv(&t, got, sizeof got);
    setitimer(ITIMER_REAL, &never, NULL);
    ck_assert_int_eq(n, 4);
    close_pair();
}
END_TEST

START_TEST(test_finish)
{
    char got[8];

    open_pair((enum kind)_i);
    ck_assert_int_eq(send_text("last", true), 4);
    ck_assert_int_eq(transport_finish(&t), 0);
    expect_at_peer("last");
    ck_assert_int_eq(recv(peer, got, sizeof got, 0), 0);
    ck_assert_int_eq(send(peer, "yes?", 4, 0), 4); /* the other way is open */
    ck_assert_int_eq(recv_soon(got, sizeof got), 4);
    int fd = t.fd;
    close_pair();
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
    ck_assert_int_eq(t.fd, -1);
}
END_TEST

Suite *suite_net_transport_plain(void)
{
    Suite *s = suite_create("net/transport_plain");
    TCase *tc = tcase_create("transport_plain");

    tcase_add_loop_test(tc, test_receives, 0, KINDS);
    tcase_add_test(tc, test_reset);
    tcase_add_loop_test(tc, test_sends_pieces, 0, KINDS);
    tcase_add_test(tc, test_more_is_held_back);
    tcase_add_loop_test(tc, test_full, 0, KINDS);
    tcase_add_test(tc, test_peer_is_gone);
    tcase_add_loop_test(tc, test_unreadable_memory, 0, KINDS);
    tcase_add_loop_test(tc, test_files, 0, KINDS);
    tcase_add_loop_test(tc, test_signals_are_not_seen, 0, KINDS);
    tcase_add_loop_test(tc, test_finish, 0, KINDS);
    suite_add_tcase(s, tc);
    return s;
}
