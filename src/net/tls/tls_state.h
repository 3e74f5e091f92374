/* tls_state.h - the state of a connection of TLS, its way to the socket and from it: shared by tls.c,
 * tls_send.c, tls_wire.c. SSL_read(3), SSL_write(3), BIO_meth_new(3). */
#ifndef NET_TLS_TLS_STATE_H
#define NET_TLS_TLS_STATE_H

#include "net/tls/tls.h"
#include "net/tls/tls_count.h"

#include <openssl/ssl.h>

enum { TLS_RECORD = SSL3_RT_MAX_PLAIN_LENGTH };

/* Requests before the handshake's end. */
enum tls_early {
    EARLY_NONE,     /* there are none, or it has ended */
    EARLY_EXPECTED, /* the first message may bring some */
    EARLY_READING,  /* it has, and more may come */
    EARLY_READ      /* all are read; the rest of the handshake is to come */
};

/* Pairs of a server that has variables in their names: tls_pair.h. */
enum tls_pairs { PAIRS_UNASKED, PAIRS_AWAITED, PAIRS_GIVEN, PAIRS_REFUSED };

/* libssl never meets a socket that takes nothing: what it makes is taken at once (tls_wire.c), so
 * that no SSL_write() is ever repeated. What the socket does not take then waits in `out`. */
struct tls {
    SSL *ssl;
    struct transport *transport;
    const struct tls_acceptor *acceptor;
    const struct tls_context *context; /* of the server that the client asked for; NULL: it has not said yet */

    /* Records that wait for the socket: out[out_sent, out_len), on the heap; NULL: none. And the
     * bytes of responses in them. */
    char *out;
    size_t out_sent, out_len, out_cap;
    size_t unpaid;

    char *early; /* what was read before there was TLS: early[early_at, early_len); on the heap */
    size_t early_at, early_len;

    /* Early data that was read to know whether there is any: ahead[ahead_at, ahead_len), on the heap;
     * NULL: none. */
    char *ahead;
    size_t ahead_at, ahead_len;
    enum tls_early early_state;
    enum tls_pairs pairs;

    unsigned long trouble; /* libssl's error behind -EPROTO */
    int error;             /* -errno that every further call meets, 0: none */
    bool drained;          /* the last read brought less than it might */
    bool ended;            /* the socket's input is over */
    bool done;             /* the handshake is */
    bool silent;           /* close_notify is out, or was made: nothing more is sent */
    bool offers_h2;        /* the server that the client asked for speaks HTTP/2 */
    bool fin_due;          /* and so is a FIN, when `out` is empty */
};

/* ---- tls_wire.c: between libssl and the socket ---- */

int tls_wire_attach(struct tls *s); /* gives s->ssl its BIO: 0 or -ENOMEM */

/* Before libssl is called, and after: what it made meanwhile goes to the socket, with `payload` bytes
 * of responses in it. 0: all of it; -EAGAIN: the rest waits; another -errno, which is s->error
 * then. */
void tls_wire_begin(struct tls *s);
int tls_wire_end(struct tls *s, bool more, size_t payload);
int tls_wire_flush(struct tls *s); /* of what waits in s->out */

/* ---- tls_call.c: around every call ---- */

/* libssl's queue of errors is empty before each call: asked first, since that costs less. */
void tls_forget_errors(void);

/* What a call of libssl came to, which returned `rc`: 0: the end; -EAGAIN; -EINPROGRESS: the handshake
 * waits for pairs (tls_pair.h); another -errno. */
int tls_outcome(struct tls *s, int rc);

/* After it: what libssl made meanwhile goes out, and so does the alert that says why it gave up. 0,
 * -EAGAIN, or another -errno. */
int tls_let_out(struct tls *s);

/* A handshake is over. */
void tls_count_done(const SSL *ssl);

/* ---- tls_early.c: each between tls_wire_begin() and tls_let_out() ---- */

/* Where s->early_state is EARLY_EXPECTED. > 0: there is early data, and the connection may be read
 * from and written to; 0: there is none, go on with the handshake; -errno. */
ssize_t tls_early_begin(struct tls *s);

/* From EARLY_READING on. Bytes; 0: the handshake has ended; -errno. */
ssize_t tls_early_recv(struct tls *s, void *to, size_t room);

/* ---- tls.c ---- */

/* The connection's acceptor, from libssl's callbacks. */
const struct tls_acceptor *tls_acceptor_of(const SSL *ssl);

/* What the transport asks of every context. */
void tls_need(SSL_CTX *context);

#endif
