/* transport.c - see transport.h. */
#include "transport.h"
#include "harness.h"
#include "internal.h"
#include "transport_h2.h"
#include "transport_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- what sockets have in common ---- */

static int channel_to(struct channel *ch, int fd, const void *address, socklen_t len)
{
    if (connect(fd, address, len) == 0) {
        ch->fd = fd;
        return 0;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static ssize_t socket_send(struct channel *ch, const void *bytes, size_t len, bool wait)
{
    return send(ch->fd, bytes, len, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
}

static ssize_t socket_receive(struct channel *ch, void *bytes, size_t len, bool wait)
{
    return recv(ch->fd, bytes, len, wait ? 0 : MSG_DONTWAIT);
}

static bool socket_has_pending(const struct channel *ch)
{
    (void)ch;
    return false;
}

static int socket_end_sending(struct channel *ch)
{
    return shutdown(ch->fd, SHUT_WR);
}

static void socket_close(struct channel *ch)
{
    close(ch->fd);
    ch->fd = -1;
}

/* ---- plain: TCP over the loopback interface ---- */

void channel_tcp_address(char *out, size_t size, int port)
{
    snprintf(out, size, "127.0.0.1:%d", port);
}

int channel_connect_tcp(struct channel *ch, int port, int rcvbuf)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (rcvbuf)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return channel_to(ch, fd, &to, sizeof to);
}

/* RST instead of FIN. */
static void plain_reset(struct channel *ch)
{
    setsockopt(ch->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1, .l_linger = 0}, sizeof(struct linger));
    socket_close(ch);
}

static const struct site_transport plain = {
    .name = "plain",
    .peer = "127.0.0.1",
    .scheme = "http",
    .is_tcp = true,
    .address = channel_tcp_address,
    .connect = channel_connect_tcp,
    .send = socket_send,
    .receive = socket_receive,
    .has_pending = socket_has_pending,
    .end_sending = socket_end_sending,
    .reset = plain_reset,
    .close = socket_close,
};

const struct site_transport *transport_plain(void)
{
    return &plain;
}

struct channel channel_of_tcp(int fd)
{
    if (site_transport() == transport_tls())
        return channel_of_tls(fd);
    struct channel ch = {.transport = &plain, .fd = fd};
    if (site_transport()->preamble) {
        ch = channel_of_tls(fd);
        channel_offer(&ch, "\002h2");
    }
    return site_transport()->is_http2 ? channel_of_h2(ch) : ch;
}

void client_open_plain(struct site_client *c, int port)
{
    *c = (struct site_client){.channel = {.transport = &plain}};
    if (channel_connect_tcp(&c->channel, port, 0) < 0)
        ck_abort_msg("connect to port %d: %s", port, strerror(errno));
}

/* ---- unix: a socket below site_dir(), named by the port's number ---- */

static void unix_address(char *out, size_t size, int port)
{
    snprintf(out, size, "unix:%s/" SITE_SOCKETS "/%d", site_dir(), port);
}

static int unix_connect(struct channel *ch, int port, int rcvbuf)
{
    char address[2200];
    (void)rcvbuf; /* what is sent waits in the sender's buffer */
    unix_address(address, sizeof address, port);
    return channel_connect_unix(ch, address + strlen("unix:"));
}

static const struct site_transport over_unix = {
    .name = "unix",
    .peer = "unix:",
    .scheme = "http",
    .address = unix_address,
    .connect = unix_connect,
    .send = socket_send,
    .receive = socket_receive,
    .has_pending = socket_has_pending,
    .end_sending = socket_end_sending,
    .reset = socket_close, /* which is a reset where input is left unread */
    .close = socket_close,
};

int channel_connect_unix(struct channel *ch, const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    ck_assert_msg(strlen(path) < sizeof to.sun_path, "%s is too long for a socket's name; set TMPDIR", path);
    strcpy(to.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ch->transport = &over_unix;
    return channel_to(ch, fd, &to, sizeof to);
}

/* ---- the choice ---- */

static const struct site_transport *chosen;

void site_choose_transport(const char *name)
{
    const struct site_transport *const transports[] = {&plain, &over_unix, transport_tls(), transport_h2(),
                                                       transport_h2_tls()};
    chosen = NULL;
    for (size_t i = 0; !chosen && i < sizeof transports / sizeof *transports; i++) {
        if (transports[i] && !strcmp(transports[i]->name, name))
            chosen = transports[i];
    }
    if (chosen)
        return;
    fprintf(stderr,
            "HARNESS_TRANSPORT is plain, unix, tls, h2 or h2-tls (where there are their libraries), not \"%s\"\n",
            name);
    exit(2);
}

const struct site_transport *site_transport(void)
{
    const char *name = getenv("HARNESS_TRANSPORT");
    if (!chosen)
        site_choose_transport(name && *name ? name : "plain");
    return chosen;
}

static bool needs(bool met, const char *test, const char *why)
{
    if (!met)
        printf("  skipped over %s: %s: %s\n", site_transport()->name, test, why);
    return met;
}

bool needs_tcp(const char *test, const char *why)
{
    return needs(site_transport()->is_tcp, test, why);
}

bool needs_plain(const char *test, const char *why)
{
    return needs(!site_transport()->preamble && !site_transport()->is_http2, test, why);
}

bool needs_http1(const char *test, const char *why)
{
    return needs(!site_transport()->is_http2, test, why);
}
