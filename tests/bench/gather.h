/* gather.h - records that leave together: a BIO that gathers what libssl writes, about four records,
 * for the floors of TLS (tls_floor.c, h2_floor.c). */
#ifndef BENCH_GATHER_H
#define BENCH_GATHER_H

#include <errno.h>
#include <openssl/bio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { RECORD = 16384, GATHER = 4 * (RECORD + 64) };

/* What was encrypted, and not yet sent. Buffers that are not in use form a list, linked by their
 * first bytes. */
struct gathered {
    char *bytes;
    size_t len, sent;
    int fd;
};
static void *spare;

static char *take_buffer(void)
{
    void *buffer = spare;

    if (!buffer)
        return malloc(GATHER);
    memcpy(&spare, buffer, sizeof spare);
    return buffer;
}

static void give_buffer(struct gathered *out)
{
    if (out->bytes) {
        memcpy(out->bytes, &spare, sizeof spare);
        spare = out->bytes;
    }
    *out = (struct gathered){.fd = out->fd};
}

/* True: all is with the kernel. */
static bool send_gathered(struct gathered *out)
{
    while (out->sent < out->len) {
        ssize_t n = send(out->fd, out->bytes + out->sent, out->len - out->sent, MSG_NOSIGNAL);
        if (n < 0)
            return false;
        out->sent += (size_t)n;
    }
    give_buffer(out);
    return true;
}

static int gather(BIO *b, const char *from, int len)
{
    struct gathered *out = BIO_get_data(b);

    BIO_clear_retry_flags(b);
    if (out->len + (size_t)len > GATHER && !send_gathered(out)) {
        if (errno == EAGAIN)
            BIO_set_retry_write(b);
        return -1;
    }
    if (!out->bytes)
        out->bytes = take_buffer();
    memcpy(out->bytes + out->len, from, (size_t)len);
    out->len += (size_t)len;
    return len;
}

static long control(BIO *b, int command, long number, void *pointer)
{
    (void)b;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* the loop does it */
}

static BIO_METHOD *gathers(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gather");

    if (!m || !BIO_meth_set_write(m, gather) || !BIO_meth_set_ctrl(m, control))
        abort();
    return m;
}

#endif
