/* tls_send.c - bytes of responses into records: as full ones as can be, several with one write to
 * the socket. See tls_send.h.
 *
 * Bytes count as taken when the kernel has them. What was encrypted and is not with the kernel yet
 * waits (tls_wire.c), and the caller comes with the same bytes again, as it does after a socket that
 * was full; then it is told how many of them went meanwhile. */
#include "net/tls/tls_send.h"

#include "net/tls/tls_state.h"

#include <errno.h>
#include <string.h>

/* Records of a call: those of 64 KiB and a head. */
enum { MOST = 5 * TLS_RECORD, BODY_MOST = 4 * TLS_RECORD };

static size_t records(size_t len)
{
    return (len + TLS_RECORD - 1) / TLS_RECORD;
}

static int encrypt(struct tls *s, const char *bytes, size_t len)
{
    size_t n = 0;

    tls_counters->records += records(len);
    int ok = s->early_state == EARLY_NONE ? SSL_write_ex(s->ssl, bytes, len, &n)
                                          : SSL_write_early_data(s->ssl, bytes, len, &n);
    if (ok && n == len)
        return 0;
    if (tls_outcome(s, 0) == 0 || s->error == 0) /* which cannot be: it never waits */
        s->error = -EPROTO;
    return s->error;
}

/* A head and what is behind it as one, where that makes a record less: for the price of a copy,
 * which is that of a record. */
static bool joins(const struct iovec *pieces, int count)
{
    size_t head = pieces[0].iov_len, body = count > 1 ? pieces[1].iov_len : 0;

    return body > 0 && head < TLS_RECORD && records(head + body) < records(head) + records(body);
}

/* The first record of both. Bytes of the second piece in it, or -errno. */
static ssize_t encrypt_joined(struct tls *s, const struct iovec *pieces)
{
    static char joined[TLS_RECORD];
    size_t head = pieces[0].iov_len, body = TLS_RECORD - head;

    if (body > pieces[1].iov_len)
        body = pieces[1].iov_len;
    memcpy(joined, pieces[0].iov_base, head);
    memcpy(joined + head, pieces[1].iov_base, body);
    int rc = encrypt(s, joined, head + body);
    return rc < 0 ? rc : (ssize_t)body;
}

/* Bytes that were encrypted, or -errno. */
static ssize_t encrypt_pieces(struct tls *s, const struct iovec *pieces, int count)
{
    size_t skip = 0, total = 0;

    if (joins(pieces, count)) {
        ssize_t body = encrypt_joined(s, pieces);
        if (body < 0)
            return body;
        skip = (size_t)body;
        total = pieces[0].iov_len + skip;
        pieces++;
        count--;
    }
    for (int i = 0; i < count && total < BODY_MOST; i++, skip = 0) {
        size_t len = pieces[i].iov_len - skip;
        if (len > MOST - total) /* to a record's end */
            len = (MOST - total) / TLS_RECORD * TLS_RECORD;
        if (len == 0)
            continue;
        int rc = encrypt(s, (const char *)pieces[i].iov_base + skip, len);
        if (rc < 0)
            return rc;
        total += len;
    }
    return (ssize_t)total;
}

/* Of bytes that were encrypted before, as many as are with the kernel now. */
static ssize_t collect(struct transport *t, const struct iovec *pieces, int count)
{
    size_t brought = 0;

    for (int i = 0; i < count; i++)
        brought += pieces[i].iov_len;
    size_t n = t->untold < brought ? t->untold : brought;
    t->untold -= n;
    return n > 0 ? (ssize_t)n : -EAGAIN;
}

ssize_t tls_send(struct transport *t, const struct iovec *pieces, int count, bool more)
{
    struct tls *s = t->tls;
    int rc = transport_flush(t);

    if (rc < 0 && rc != -EAGAIN)
        return rc;
    if (s->error)
        return s->error;
    if (t->untold + s->unpaid > 0)
        return collect(t, pieces, count);
    if (t->holds)
        return -EAGAIN; /* answers to the client's records: first these */
    tls_wire_begin(s);
    tls_forget_errors();
    ssize_t n = encrypt_pieces(s, pieces, count);
    if (n < 0)
        return n;
    rc = tls_wire_end(s, more, (size_t)n);
    if (rc < 0)
        return rc == -EAGAIN ? collect(t, pieces, count) : rc;
    t->untold = 0; /* the caller is told now */
    return n;
}
