/* listen.c - opens listening sockets; accepts from them in batches, with a spare descriptor for
 * when none is left. */
#include "net/listen.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BACKLOG = 511,
    BATCH = 16,               /* the most connections taken per turn without multi_accept */
    PATIENCE = 3,             /* turns in which as many came as were expected, before more are expected */
    BATCH_MULTI = 1024,       /* and with it: the others wait for one turn */
    DRAIN_MOST = 4096,        /* taken from a queue that is given up */
    REST_MSEC = 500,          /* after accepting failed */
    REPORT_EVERY_MSEC = 1000, /* at most */
    DEFER_SEC = 1             /* TCP_DEFER_ACCEPT, as nginx sets it */
};

static int set_int(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) < 0 ? -errno : 0;
}

/* Options that an already listening socket takes too. Only those that were asked for can fail the
 * caller. */
static int set_options(int fd, int family, const struct listen_options *o)
{
    int rc = 0;

    if (o->rcvbuf > 0)
        rc = set_int(fd, SOL_SOCKET, SO_RCVBUF, o->rcvbuf);
    if (rc == 0 && o->sndbuf > 0)
        rc = set_int(fd, SOL_SOCKET, SO_SNDBUF, o->sndbuf);
    if (rc < 0 || family == AF_UNIX)
        return rc;
    if (o->keepalive >= 0)
        rc = set_int(fd, SOL_SOCKET, SO_KEEPALIVE, o->keepalive > 0);
    if (rc == 0 && o->keepidle > 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, o->keepidle);
    if (rc == 0 && o->keepintvl > 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, o->keepintvl);
    if (rc == 0 && o->keepcnt > 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, o->keepcnt);
    if (rc == 0 && o->fastopen > 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_FASTOPEN, o->fastopen);
    if (rc == 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, o->deferred ? DEFER_SEC : 0);
    /* Linux hands TCP_NODELAY down to accepted sockets: one system call less per connection. */
    if (rc == 0)
        rc = set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return rc;
}

static int set_unbound_options(int fd, int family, const struct listen_options *o)
{
    int rc;

    if (family == AF_UNIX)
        return 0;
    rc = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && o->reuseport && !o->exclusive)
        rc = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_INET6)
        rc = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, o->ipv6only != 0);
    return rc;
}

/* A socket file that nobody listens on is left over from a process that was killed. A link to one
 * is not ours to remove. */
static bool unix_is_stale(const struct address *address)
{
    struct stat st;
    bool refused;
    int fd;

    if (lstat(address->un.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    refused = connect(fd, &address->any, address->len) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

static int bind_address(int fd, const struct address *address)
{
    if (bind(fd, &address->any, address->len) == 0)
        return 0;
    if (errno != EADDRINUSE || address->any.sa_family != AF_UNIX || !unix_is_stale(address))
        return -errno;
    if (unlink(address->un.sun_path) < 0 || bind(fd, &address->any, address->len) < 0)
        return -errno;
    return 0;
}

int listen_open(const struct address *address, const struct listen_options *options, int *out)
{
    int family = address->any.sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int rc;

    if (fd < 0)
        return -errno;
    rc = set_unbound_options(fd, family, options);
    if (rc == 0)
        rc = set_options(fd, family, options);
    if (rc == 0)
        rc = bind_address(fd, address);
    /* Set after bind(), which has then refused a port that others share, and before listen(), which
     * joins them. */
    if (rc == 0 && family != AF_UNIX && options->reuseport && options->exclusive)
        rc = set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_UNIX && chmod(address->un.sun_path, 0666) < 0)
        rc = -errno;
    if (rc == 0 && listen(fd, options->backlog > 0 ? options->backlog : BACKLOG) < 0)
        rc = -errno;
    if (rc < 0) {
        close(fd);
        return rc;
    }
    *out = fd;
    return 0;
}

int listen_adopt(int fd, const struct listen_options *options)
{
    int status = fcntl(fd, F_GETFL);
    struct address address;
    int rc;

    if (status < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return -errno;
    rc = listen_address_of(fd, &address);
    if (rc == 0)
        rc = set_options(fd, address.any.sa_family, options);
    if (rc == 0 && listen(fd, options->backlog > 0 ? options->backlog : BACKLOG) < 0)
        rc = -errno;
    return rc;
}

int listen_address_of(int fd, struct address *address)
{
    address->len = sizeof address->un;
    return getsockname(fd, &address->any, &address->len) < 0 ? -errno : 0;
}

struct acceptor {
    struct loop *loop;
    struct acceptor_options options;
    struct watch *watch; /* NULL: paused or resting */
    struct timer *rest;
    bool paused, resting;
    unsigned expected;   /* connections per turn; asking for one more than there are costs a system call */
    unsigned met;        /* turns in a row in which that many came */
    int spare;           /* given up to accept, and close, one connection when descriptors run out; -1: none */
    int64_t next_report; /* clock_now.msec */
    bool *destroyed;     /* set while a batch is under way */
};

static void on_readable(void *arg, unsigned what);

static void watch_if_wanted(struct acceptor *a)
{
    bool wanted = !a->paused && !a->resting;

    if (!wanted) {
        watch_destroy(a->watch);
        a->watch = NULL;
        return;
    }
    if (a->watch)
        return;
    a->watch = watch_create(a->loop, a->options.listen_fd, LOOP_READ, false, on_readable, a);
    if (!a->watch) {
        a->resting = true;
        timer_set(a->rest, REST_MSEC);
    }
}

static void on_rested(void *arg)
{
    struct acceptor *a = arg;

    a->resting = false;
    watch_if_wanted(a);
}

static void open_spare(struct acceptor *a)
{
    if (a->spare < 0)
        a->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* The client that waits is told by a closed connection rather than left waiting. */
static void turn_away(struct acceptor *a)
{
    int fd;

    if (a->spare < 0)
        return;
    close(a->spare);
    a->spare = -1;
    fd = accept4(a->options.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0)
        close(fd);
    open_spare(a);
}

/* May destroy the acceptor through its user: the last thing a batch does. */
static void accept_failed(struct acceptor *a, int error)
{
    if (error == EMFILE || error == ENFILE)
        turn_away(a);
    a->resting = true;
    watch_if_wanted(a);
    timer_set(a->rest, REST_MSEC);
    if (clock_now.msec < a->next_report)
        return;
    a->next_report = clock_now.msec + REPORT_EVERY_MSEC;
    if (a->options.failed)
        a->options.failed(a->options.arg, error);
}

/* Errors of the connection that was to be accepted (accept(2)), not of accepting. */
static bool is_passing(int error)
{
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:
        return true;
    default:
        return false;
    }
}

/* A lone connection per turn is the usual case, and a flood the one that matters: what is expected
 * doubles while turns meet it and falls back to what came when one does not. What is left over is
 * reported again: the watch is level-triggered. */
static void learn(struct acceptor *a, unsigned came, bool more)
{
    if (!more) {
        a->expected = came > 0 ? came : 1;
        a->met = 0;
    } else if (++a->met >= PATIENCE || a->expected > 1) {
        a->expected = 2 * a->expected < BATCH ? 2 * a->expected : BATCH;
        a->met = 0;
    }
}

/* 0 after one connection, or after an error of that connection alone; -EAGAIN when none waits;
 * other -errno. */
static int accept_one(struct acceptor *a)
{
    struct address peer;
    int fd;

    peer.len = sizeof peer.un;
    fd = accept4(a->options.listen_fd, &peer.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return is_passing(errno) ? 0 : -errno;
    a->options.accepted(a->options.arg, fd, &peer);
    return 0;
}

static void on_readable(void *arg, unsigned what)
{
    struct acceptor *a = arg;
    unsigned most = a->options.multi ? BATCH_MULTI : a->expected;
    unsigned n = 0;
    bool destroyed = false;
    int rc = 0;

    (void)what;
    open_spare(a);
    a->destroyed = &destroyed;
    for (; n < most; n++) {
        rc = accept_one(a);
        if (destroyed)
            return;
        if (rc < 0 || a->paused)
            break;
    }
    a->destroyed = NULL;
    learn(a, n, n == most);
    if (rc < 0 && rc != -EAGAIN)
        accept_failed(a, -rc);
}

int acceptor_create(struct acceptor **out, struct loop *loop, const struct acceptor_options *options)
{
    struct acceptor *a = calloc(1, sizeof *a);

    if (!a)
        return -ENOMEM;
    a->loop = loop;
    a->options = *options;
    a->spare = -1;
    a->expected = 1;
    a->rest = loop_timer(loop, on_rested, a);
    if (!a->rest) {
        free(a);
        return -ENOMEM;
    }
    open_spare(a);
    errno = 0;
    watch_if_wanted(a);
    if (!a->watch) {
        int error = errno;

        acceptor_destroy(a);
        return error ? -error : -ENOMEM;
    }
    *out = a;
    return 0;
}

void acceptor_drain(struct acceptor *a)
{
    for (unsigned n = 0; n < DRAIN_MOST && !a->paused; n++)
        if (accept_one(a) < 0)
            return;
}

void acceptor_pause(struct acceptor *a)
{
    a->paused = true;
    watch_if_wanted(a);
}

void acceptor_resume(struct acceptor *a)
{
    a->paused = false;
    watch_if_wanted(a);
}

void acceptor_destroy(struct acceptor *a)
{
    if (!a)
        return;
    if (a->destroyed)
        *a->destroyed = true;
    watch_destroy(a->watch);
    timer_destroy(a->rest);
    if (a->spare >= 0)
        close(a->spare);
    free(a);
}
