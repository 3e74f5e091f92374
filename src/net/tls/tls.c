/* tls.c - a connection of TLS: begun, agreed on, read from, ended. Sending is in tls_send.c. See
 * tls.h. */
#include "net/tls/tls.h"

#include "net/socket.h"
#include "net/tls/tls_private.h"
#include "net/tls/tls_send.h"
#include "net/tls/tls_state.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Of answers that nobody takes (a client may ask for new keys without end): with more of them
 * waiting, nothing is read. */
enum { ANSWERS_MOST = 16 * 1024 };

/* ---- the handshake ---- */

static int tls_handshake(struct transport *t)
{
    struct tls *s = t->tls;
    int rc = transport_flush(t);

    if (rc < 0)
        return rc;
    tls_wire_begin(s);
    tls_forget_errors();
    ssize_t early = s->early_state == EARLY_EXPECTED ? tls_early_begin(s) : 0;
    if (early != 0) {
        s->done = early > 0;
        rc = tls_let_out(s);
        return early < 0 ? (int)early : rc == -EAGAIN ? 0 : rc;
    }
    rc = SSL_do_handshake(s->ssl);
    if (rc != 1) {
        rc = tls_outcome(s, rc);
        tls_let_out(s);
        return rc == 0 ? -ECONNRESET : rc;
    }
    s->done = true;
    tls_count_done(s->ssl);
    rc = tls_let_out(s);
    return rc == -EAGAIN ? 0 : rc;
}

/* ---- input ---- */

/* What comes behind our close_notify is not looked at. */
static ssize_t throw_away(struct transport *t, void *to, size_t room)
{
    ssize_t n;

    do
        n = recv(t->fd, to, room, 0);
    while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

static bool owes_answers(struct transport *t)
{
    const struct tls *s = t->tls;

    return t->holds && tls_wire_flush(t->tls) < 0 && s->out_len - s->out_sent > ANSWERS_MOST;
}

/* All that is there, as far as there is room: what stays inside of libssl, no event tells of. */
static ssize_t read_on(struct tls *s, char *to, size_t room, int *rc)
{
    size_t got = 0;

    *rc = -EAGAIN;
    while (got < room) {
        size_t n = 0;
        int ok = SSL_read_ex(s->ssl, to + got, room - got, &n);
        if (!ok) {
            *rc = tls_outcome(s, ok);
            break;
        }
        got += n;
        if (s->drained && !SSL_has_pending(s->ssl))
            break;
    }
    return (ssize_t)got;
}

static ssize_t tls_recv(struct transport *t, void *to, size_t room)
{
    struct tls *s = t->tls;
    int rc;

    if (s->silent)
        return throw_away(t, to, room);
    t->pending = owes_answers(t);
    if (s->error)
        return s->error;
    if (t->pending)
        return -EAGAIN;
    tls_wire_begin(s);
    tls_forget_errors();
    ssize_t got = s->early_state == EARLY_NONE ? 0 : tls_early_recv(s, to, room);
    if (got == 0)
        got = read_on(s, to, room, &rc);
    else
        rc = got > 0 ? 0 : (int)got;
    int sent = tls_let_out(s);
    if (rc == -EAGAIN && sent < 0 && sent != -EAGAIN)
        rc = sent;
    t->pending = got > 0 && rc != -EAGAIN;
    return got > 0 ? got : rc;
}

/* New keys are asked for, an alert comes, or the end: libssl looks at the next record, and keeps it
 * where it is of a request. */
static bool tls_attend(struct transport *t)
{
    struct tls *s = t->tls;
    char byte;
    size_t n;

    if (!s->silent && !owes_answers(t) && !s->error && s->early_state == EARLY_NONE) {
        tls_wire_begin(s);
        tls_forget_errors();
        if (!SSL_peek_ex(s->ssl, &byte, 1, &n))
            tls_outcome(s, 0);
        tls_let_out(s);
    }
    return !s->error && !socket_is_broken(t->fd);
}

/* ---- output that is no response's ---- */

static size_t tls_unsent(const struct transport *t)
{
    const struct tls *s = t->tls;

    return s->unpaid > 0 ? 0 : s->out_len - s->out_sent;
}

static int tls_flush(struct transport *t)
{
    return tls_wire_flush(t->tls);
}

/* ---- the end ---- */

static void release(struct tls *s)
{
    /* Or libssl would take the session for broken, and forget it. */
    if (s->done && s->error != -EPROTO)
        SSL_set_shutdown(s->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(s->ssl);
    free(s->early);
    free(s->ahead);
    free(s->out);
    free(s);
}

/* close_notify, once. 0 or -errno. */
static int say_goodbye(struct tls *s)
{
    char byte;

    if (s->silent)
        return 0;
    s->silent = true;
    if (s->error || !s->done)
        return s->error;
    tls_wire_begin(s);
    tls_forget_errors();
    if (s->early_state != EARLY_NONE) /* the client's last message may be there */
        (void)tls_early_recv(s, &byte, 1);
    if (SSL_shutdown(s->ssl) < 0)
        ERR_clear_error();
    return tls_let_out(s);
}

static int tls_finish(struct transport *t)
{
    struct tls *s = t->tls;
    int rc = say_goodbye(s);

    if (rc == -EAGAIN) {
        s->fin_due = true;
        return 0;
    }
    return shutdown(t->fd, SHUT_WR) < 0 ? -errno : rc;
}

static void tls_close(struct transport *t, bool clean)
{
    struct tls *s = t->tls;

    if (clean && !s->unpaid)
        say_goodbye(s);
    release(s);
    t->tls = NULL;
    close(t->fd);
    t->fd = -1;
}

static void tls_moved(struct transport *t)
{
    t->tls->transport = t;
}

/* ---- the beginning ---- */

static const struct transport_ops tls_ops = {
    .handshake = tls_handshake,
    .recv = tls_recv,
    .send = tls_send,
    .unsent = tls_unsent,
    .flush = tls_flush,
    .attend = tls_attend,
    .moved = tls_moved,
    .finish = tls_finish,
    .close = tls_close,
};

static int keep_early(struct tls *s, struct text early)
{
    if (early.len == 0)
        return 0;
    s->early = malloc(early.len);
    if (!s->early)
        return -ENOMEM;
    memcpy(s->early, early.at, early.len);
    s->early_len = early.len;
    return 0;
}

int transport_tls(struct transport *t, const struct tls_acceptor *a, struct text early)
{
    struct tls *s = calloc(1, sizeof *s);

    if (!s)
        return -ENOMEM;
    tls_forget_errors();
    s->transport = t;
    s->acceptor = a;
    s->early_state = a->fallback->conf->early_data ? EARLY_EXPECTED : EARLY_NONE;
    s->ssl = SSL_new(a->fallback->ssl);
    if (!s->ssl || !SSL_set_app_data(s->ssl, s) || tls_wire_attach(s) < 0 || keep_early(s, early) < 0) {
        release(s);
        return -ENOMEM;
    }
    SSL_set_accept_state(s->ssl);
    *t = (struct transport){.ops = &tls_ops, .fd = t->fd, .tls = s};
    return 0;
}

/* A handshake record, or the hello of SSL 2 that very old clients begin with: refused either way by
 * libssl, in its own words. */
bool tls_begins(unsigned char byte)
{
    return byte == SSL3_RT_HANDSHAKE || (byte & 0x80);
}

const struct tls_acceptor *tls_acceptor_of(const SSL *ssl)
{
    const struct tls *s = SSL_get_app_data(ssl);

    return s->acceptor;
}

void tls_need(SSL_CTX *context)
{
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_clear_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_clear_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}
