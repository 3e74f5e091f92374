/* test_sockets.c - server/sockets: who gets which socket, at start and when the number of workers
 * changes. */
#include "unit.h"

#include "base/log.h"
#include "server/conf/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct log silent;
static struct http_address addresses[2];
static struct http_main http = {.addresses = addresses, .address_count = 1};
static struct sockets first, second;

/* A free port on the loopback address: bound once, to learn its number. */
static void free_port(struct http_address *a, bool reuseport)
{
    int fd;

    memset(a, 0, sizeof *a);
    a->options = (struct listen_options){.ipv6only = -1, .keepalive = -1};
    a->address.len = sizeof a->address.in4;
    a->address.in4.sin_family = AF_INET;
    a->address.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(listen_open(&a->address, &a->options, &fd), 0);
    ck_assert_int_eq(listen_address_of(fd, &a->address), 0);
    close(fd);
    a->options.reuseport = reuseport;
}

static void setup(void)
{
    log_main = &silent;
    http.address_count = 1;
    memset(&first, 0, sizeof first);
    memset(&second, 0, sizeof second);
    free_port(&addresses[0], true);
    free_port(&addresses[1], false);
}

static void teardown(void)
{
    sockets_close(&second, true);
    sockets_close(&first, true);
}

static unsigned owned_by(const struct sockets *s, unsigned worker)
{
    unsigned count = 0;

    for (unsigned i = 0; i < s->count; i++)
        count += s->at[i].worker == worker;
    return count;
}

START_TEST(test_one_per_worker)
{
    http.address_count = 2;
    ck_assert_int_eq(sockets_bind(&first, &http, 3, NULL, false), 0);
    ck_assert_uint_eq(first.count, 4);
    for (unsigned w = 0; w < 3; w++)
        ck_assert_uint_eq(owned_by(&first, w), 1);
    ck_assert_uint_eq(owned_by(&first, SOCKET_SHARED), 1);
}
END_TEST

static void take_over(unsigned before, unsigned after)
{
    ck_assert_int_eq(sockets_bind(&first, &http, before, NULL, false), 0);
    ck_assert_int_eq(sockets_bind(&second, &http, after, &first, false), 0);
    for (unsigned i = 0; i < first.count; i++) {
        bool found = false;

        for (unsigned k = 0; k < second.count; k++)
            found = found || second.at[k].fd == first.at[i].fd;
        ck_assert(found); /* no queue is dropped */
    }
}

START_TEST(test_more_workers)
{
    take_over(2, 4);
    ck_assert_uint_eq(second.count, 4);
    for (unsigned w = 0; w < 4; w++)
        ck_assert_uint_eq(owned_by(&second, w), 1);
    sockets_settle(&second, &http, &first);
    sockets_close(&first, true);
    ck_assert_int_ge(fcntl(second.at[0].fd, F_GETFD), 0);
}
END_TEST

START_TEST(test_fewer_workers)
{
    take_over(5, 2);
    ck_assert_uint_eq(second.count, 5);
    ck_assert_uint_eq(owned_by(&second, 0), 3);
    ck_assert_uint_eq(owned_by(&second, 1), 2);
}
END_TEST

START_TEST(test_shared_stays_shared)
{
    addresses[0].options.reuseport = false;
    ck_assert_int_eq(sockets_bind(&first, &http, 2, NULL, false), 0);
    addresses[0].options.reuseport = true;
    ck_assert_int_eq(sockets_bind(&second, &http, 2, &first, false), 0);
    ck_assert_uint_eq(second.count, 1);
    ck_assert_uint_eq(second.at[0].worker, SOCKET_SHARED);
}
END_TEST

/* A configuration that fails must not close what the one in force has. */
START_TEST(test_failure_keeps_the_earlier)
{
    ck_assert_int_eq(sockets_bind(&first, &http, 2, NULL, false), 0);
    http.address_count = 2;
    addresses[1].address.in4.sin_addr.s_addr = htonl(0x01020304); /* not ours */
    ck_assert_int_eq(sockets_bind(&second, &http, 2, &first, false), -EADDRNOTAVAIL);
    for (unsigned i = 0; i < first.count; i++)
        ck_assert_int_ge(fcntl(first.at[i].fd, F_GETFD), 0);
    ck_assert(!first.at[0].taken);
}
END_TEST

START_TEST(test_testing_takes_used_ports)
{
    ck_assert_int_eq(sockets_bind(&first, &http, 2, NULL, false), 0);
    ck_assert_int_eq(sockets_bind(&second, &http, 2, NULL, true), 0);
    ck_assert_uint_eq(second.count, 0);
}
END_TEST

START_TEST(test_inherit)
{
    struct sockets handed;
    char text[64], *fds;

    ck_assert_int_eq(sockets_bind(&first, &http, 2, NULL, false), 0);
    fds = sockets_pass_on(&first);
    snprintf(text, sizeof text, "%d;%d;", first.at[0].fd, first.at[1].fd);
    ck_assert_str_eq(fds, text);
    ck_assert_int_eq(fcntl(first.at[0].fd, F_GETFD) & FD_CLOEXEC, 0);
    setenv("SLUICE_FDS", fds, 1);
    free(fds);
    ck_assert_int_eq(sockets_inherit(&handed), 0);
    ck_assert_ptr_null(getenv("SLUICE_FDS"));
    ck_assert_int_eq(handed.earlier, getppid()); /* an older binary does not tell */
    ck_assert_uint_eq(handed.count, 2);
    ck_assert(address_equal(&handed.at[0].address, &addresses[0].address));
    ck_assert_int_ne(fcntl(first.at[0].fd, F_GETFD) & FD_CLOEXEC, 0);
    free(handed.at);
}
END_TEST

START_TEST(test_inherit_nonsense)
{
    struct sockets handed;

    setenv("SLUICE_FDS", "0;x;", 1); /* 0 is no listening socket */
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", "1", 1); /* somebody else */
    ck_assert_int_eq(sockets_inherit(&handed), 0);
    ck_assert_uint_eq(handed.count, 0);
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    free(handed.at);
}
END_TEST

/* Who made a socket travels with it; those that a service manager made come last. */
START_TEST(test_inherit_handed)
{
    struct sockets handed;
    char text[64], *fds;

    ck_assert_int_eq(sockets_bind(&first, &http, 3, NULL, false), 0);
    first.at[1].handed = true;
    fds = sockets_pass_on(&first);
    snprintf(text, sizeof text, "%d;%d;%ds;", first.at[0].fd, first.at[2].fd, first.at[1].fd);
    ck_assert_str_eq(fds, text);
    setenv("SLUICE_FDS", fds, 1);
    setenv("SLUICE_MASTER", "4711", 1);
    free(fds);
    ck_assert_int_eq(sockets_inherit(&handed), 0);
    ck_assert_ptr_null(getenv("SLUICE_MASTER"));
    ck_assert_uint_eq(handed.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(handed.at[i].handed == (i == 2));
        ck_assert_int_eq(handed.at[i].earlier, 4711);
    }
    ck_assert_int_eq(sockets_bind(&second, &http, 3, &handed, false), 0);
    ck_assert(second.at[2].handed);
    sockets_settle(&second, &http, &handed);
    fds = sockets_pass_on(&second); /* and on, with the next one */
    ck_assert_str_eq(fds, text);
    free(fds);
    free(handed.at);
    for (unsigned i = 0; i < 3; i++)
        first.at[i].taken = true;
}
END_TEST

/* A master without sockets upgrades itself, too. */
START_TEST(test_inherit_none)
{
    struct sockets handed;

    setenv("SLUICE_FDS", "", 1);
    ck_assert_int_eq(sockets_inherit(&handed), 0);
    ck_assert_int_eq(handed.earlier, getppid());
    ck_assert_uint_eq(handed.count, 0);
    ck_assert_int_eq(sockets_inherit(&handed), 0);
    ck_assert_int_eq(handed.earlier, 0);
}
END_TEST

static void bind_unix(const char *path)
{
    addresses[1].options.reuseport = false;
    memset(&addresses[1].address, 0, sizeof addresses[1].address);
    addresses[1].address.un.sun_family = AF_UNIX;
    strcpy(addresses[1].address.un.sun_path, path);
    addresses[1].address.len = sizeof addresses[1].address.un;
    http.address_count = 2;
    ck_assert_int_eq(sockets_bind(&first, &http, 1, NULL, false), 0);
    ck_assert_int_eq(access(path, F_OK), 0);
}

/* What stands where the file of a unix: socket was, when it is closed. */
enum { ITS_OWN, NO_LONGER, A_FILE, A_LINK, ANOTHER_SOCKET, A_MANAGERS, A_MASTERS, CASES };

START_TEST(test_unix_file)
{
    const char *path = unit_path("s.sock"), *away = unit_path("away");
    struct stat st;
    bool stays = _i != ITS_OWN && _i != NO_LONGER;

    bind_unix(path);
    if (_i >= NO_LONGER && _i <= ANOTHER_SOCKET)
        ck_assert_int_eq(rename(path, away), 0);
    if (_i == A_FILE)
        unit_write("s.sock", "", 0);
    if (_i == A_LINK)
        ck_assert_int_eq(symlink("away", path), 0);
    if (_i == ANOTHER_SOCKET) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        ck_assert_int_eq(bind(fd, &addresses[1].address.any, addresses[1].address.len), 0);
        close(fd);
    }
    first.at[1].handed = _i == A_MANAGERS;
    first.at[1].earlier = _i == A_MASTERS ? getppid() : getpid(); /* the latter is not our parent: gone */
    sockets_close(&first, true);
    ck_assert((lstat(path, &st) == 0) == stays);
}
END_TEST

Suite *suite_server_sockets(void)
{
    Suite *s = suite_create("server/sockets");
    TCase *tc = tcase_create("sockets");

    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, test_one_per_worker);
    tcase_add_test(tc, test_more_workers);
    tcase_add_test(tc, test_fewer_workers);
    tcase_add_test(tc, test_shared_stays_shared);
    tcase_add_test(tc, test_failure_keeps_the_earlier);
    tcase_add_test(tc, test_testing_takes_used_ports);
    tcase_add_test(tc, test_inherit);
    tcase_add_test(tc, test_inherit_nonsense);
    tcase_add_test(tc, test_inherit_handed);
    tcase_add_test(tc, test_inherit_none);
    tcase_add_loop_test(tc, test_unix_file, 0, CASES);
    suite_add_tcase(s, tc);
    return s;
}
