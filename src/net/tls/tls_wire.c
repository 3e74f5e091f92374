/* tls_wire.c - between libssl and the socket. Called by tls.c and tls_send.c; see tls_state.h.
 *
 * Records gather in one buffer of the process, so that several of them leave with one send(). Only
 * what the socket does not take is kept, in a buffer of the connection's own. libssl never hears
 * that a socket is full, or that it has ended: it could not write to a connection whose end it has
 * seen, and the client may still wait for its response. */
#include "net/tls/tls_state.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    OVERHEAD = 128, /* of a record, at most: header, explicit nonce, padding and tag */
    GATHER = 5 * (TLS_RECORD + OVERHEAD)
};

/* Of the connection that is between tls_wire_begin() and tls_wire_end(). */
static struct {
    size_t len;
    char bytes[GATHER];
} gathered;

static bool is_full(const int error)
{
    return error == EAGAIN || error == EWOULDBLOCK;
}

static int broke(struct tls *s, int error)
{
    s->error = -error;
    return s->error;
}

/* Bytes that the socket took, 0: none now; or -errno, which is s->error then. */
static ssize_t to_socket(struct tls *s, const char *bytes, size_t len, bool more)
{
    ssize_t n;

    do
        n = send(s->transport->fd, bytes, len, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return n;
    return is_full(errno) ? 0 : broke(s, errno);
}

/* ---- what waits ---- */

/* To the end of what waits. 0 or -ENOMEM. */
static int keep(struct tls *s, const char *bytes, size_t len)
{
    if (!s->out || s->out_cap - s->out_len < len) {
        size_t cap = s->out_len + len < 2 * s->out_cap ? 2 * s->out_cap : s->out_len + len;
        char *larger = realloc(s->out, cap);
        if (!larger)
            return broke(s, ENOMEM);
        s->out = larger;
        s->out_cap = cap;
    }
    memcpy(s->out + s->out_len, bytes, len);
    s->out_len += len;
    s->transport->holds = true;
    return 0;
}

static void forget(struct tls *s)
{
    free(s->out);
    s->out = NULL;
    s->out_sent = s->out_len = s->out_cap = 0;
    s->transport->untold += s->unpaid;
    s->unpaid = 0;
    s->transport->holds = false;
}

/* The socket took `took` bytes of what waited: about as many of the responses, but never all of them
 * before the last record is out. */
static void pay(struct tls *s, size_t took)
{
    size_t part = took < s->unpaid ? took : s->unpaid > 0 ? s->unpaid - 1 : 0;

    s->transport->untold += part;
    s->unpaid -= part;
}

int tls_wire_flush(struct tls *s)
{
    while (s->out_sent < s->out_len) {
        size_t left = s->out_len - s->out_sent;
        ssize_t n = s->error ? s->error : to_socket(s, s->out + s->out_sent, left, false);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return -EAGAIN;
        s->out_sent += (size_t)n;
        pay(s, (size_t)n);
    }
    forget(s);
    if (s->fin_due)
        shutdown(s->transport->fd, SHUT_WR);
    s->fin_due = false;
    return 0;
}

/* ---- what gathers ---- */

/* Out with it, in which `payload` bytes of responses are; what the socket does not take waits. 0 or
 * -errno. */
static int spill(struct tls *s, bool more, size_t payload)
{
    size_t len = gathered.len;

    gathered.len = 0;
    if (len == 0)
        return 0;
    ssize_t n = to_socket(s, gathered.bytes, len, more);
    if (n < 0)
        return (int)n;
    if ((size_t)n == len)
        return 0;
    s->unpaid = payload;
    pay(s, (size_t)n);
    return keep(s, gathered.bytes + n, len - (size_t)n);
}

static int on_write(BIO *b, const char *bytes, int len)
{
    struct tls *s = BIO_get_data(b);
    size_t n = (size_t)len;

    if (!s->out && gathered.len + n > GATHER && spill(s, true, 0) < 0)
        return -1;
    if (s->out || n > GATHER)
        return keep(s, bytes, n) < 0 ? -1 : len;
    memcpy(gathered.bytes + gathered.len, bytes, n);
    gathered.len += n;
    return len;
}

void tls_wire_begin(struct tls *s)
{
    s->drained = false;
    gathered.len = 0;
}

int tls_wire_end(struct tls *s, bool more, size_t payload)
{
    int rc = s->error;

    if (rc == 0 && s->out) /* it did not even gather in one piece */
        s->unpaid += payload;
    else if (rc == 0)
        rc = spill(s, more, payload);
    return rc == 0 && s->out ? tls_wire_flush(s) : rc;
}

/* ---- the way in ---- */

static int take_early(struct tls *s, char *to, int room)
{
    size_t left = s->early_len - s->early_at, n = left < (size_t)room ? left : (size_t)room;

    memcpy(to, s->early + s->early_at, n);
    s->early_at += n;
    if (s->early_at == s->early_len) {
        free(s->early);
        s->early = NULL;
    }
    return (int)n;
}

/* A read that brought less than it might took all there was, as far as anybody knows. */
static int on_read(BIO *b, char *to, int room)
{
    struct tls *s = BIO_get_data(b);
    ssize_t n = -1;

    BIO_clear_retry_flags(b);
    if (s->early)
        return take_early(s, to, room);
    if (!s->ended) {
        do
            n = recv(s->transport->fd, to, (size_t)room, 0);
        while (n < 0 && errno == EINTR);
        s->drained = n < room;
        s->ended = n == 0 || (n < 0 && !is_full(errno));
        if (n < 0 && s->ended)
            broke(s, errno);
    }
    if (n > 0)
        return (int)n;
    BIO_set_retry_read(b);
    return -1;
}

static long on_control(BIO *b, int command, long number, void *pointer)
{
    (void)b, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH; /* tls_wire_end() does it */
}

/* ---- the BIO ---- */

static BIO_METHOD *method(void)
{
    static BIO_METHOD *made;

    if (made)
        return made;
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "connection");
    if (m && BIO_meth_set_write(m, on_write) && BIO_meth_set_read(m, on_read) && BIO_meth_set_ctrl(m, on_control))
        made = m;
    else
        BIO_meth_free(m);
    return made;
}

int tls_wire_attach(struct tls *s)
{
    BIO_METHOD *m = method();
    BIO *b = m ? BIO_new(m) : NULL;

    if (!b)
        return -ENOMEM;
    BIO_set_data(b, s);
    BIO_set_init(b, 1);
    SSL_set_bio(s->ssl, b, b);
    return 0;
}
