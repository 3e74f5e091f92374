/* tls_early.c - requests that come with the first message of a resumed handshake, and are answered
 * before its end. See tls_state.h. RFC 8446, 2.3; RFC 8470; SSL_read_early_data(3) */
#include "net/tls/tls_private.h"
#include "net/tls/tls_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Bytes; 0: there are no more of them; -errno. */
static ssize_t read_early(struct tls *s, void *to, size_t room)
{
    size_t n = 0;

    switch (SSL_read_early_data(s->ssl, to, room, &n)) {
    case SSL_READ_EARLY_DATA_SUCCESS:
        return n > 0 ? (ssize_t)n : -EAGAIN;
    case SSL_READ_EARLY_DATA_FINISH:
        s->early_state = EARLY_READ;
        return 0;
    default:
        break;
    }
    int rc = tls_outcome(s, 0);
    return rc == 0 ? -ECONNRESET : rc;
}

ssize_t tls_early_begin(struct tls *s)
{
    if (!s->ahead)
        s->ahead = malloc(TLS_EARLY_DATA_MOST);
    if (!s->ahead)
        return -ENOMEM;
    ssize_t n = read_early(s, s->ahead, TLS_EARLY_DATA_MOST);
    if (n > 0) {
        s->ahead_len = (size_t)n;
        s->early_state = EARLY_READING;
    } else if (n == 0) {
        free(s->ahead);
        s->ahead = NULL;
        s->early_state = EARLY_NONE;
    }
    return n;
}

static ssize_t take_ahead(struct tls *s, char *to, size_t room)
{
    size_t left = s->ahead_len - s->ahead_at, n = left < room ? left : room;

    memcpy(to, s->ahead + s->ahead_at, n);
    s->ahead_at += n;
    if (s->ahead_at == s->ahead_len) {
        free(s->ahead);
        s->ahead = NULL;
    }
    return (ssize_t)n;
}

ssize_t tls_early_recv(struct tls *s, void *to, size_t room)
{
    if (s->ahead)
        return take_ahead(s, to, room);
    if (s->early_state == EARLY_READING) {
        ssize_t n = read_early(s, to, room);
        if (n != 0)
            return n;
    }
    int rc = SSL_do_handshake(s->ssl);
    if (rc != 1) {
        rc = tls_outcome(s, rc);
        return rc == 0 ? -ECONNRESET : rc;
    }
    s->early_state = EARLY_NONE;
    tls_count_done(s->ssl);
    return 0;
}
