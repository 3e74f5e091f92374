/* tls.h - TLS as a transport: what a connection needs to know of it. net/ is the only door to
 * libssl. RFC 8446, RFC 5246.
 *
 * Everything is the thread's that runs the loop: what is encrypted gathers in one buffer of the
 * process on its way to a socket. */
#ifndef NET_TLS_TLS_H
#define NET_TLS_TLS_H

#include "base/text.h"
#include "net/tls/tls_context.h"
#include "net/transport.h"

#include <stdbool.h>

/* Of a listening address; outlives its connections. */
struct tls_acceptor {
    struct tls_context *fallback; /* the default server's */
    /* The context of the server with this name, in lower case; absent: the client gave none. Asked
     * before anything is agreed on. NULL: the fallback's. *h2: it speaks HTTP/2. */
    struct tls_context *(*choose)(void *user, struct text name, bool *h2);
    void *user;
};

/* The first byte of what a client sends: of a TLS record, or of anything else. */
bool tls_begins(unsigned char byte);

/* A plain transport becomes one of TLS, as a server; bytes of `early` were read from the socket
 * already. 0; or -errno, with the transport as it was. */
int transport_tls(struct transport *t, const struct tls_acceptor *a, struct text early);

/* Whether the handshake, which is done, has agreed on HTTP/2. RFC 7301 */
bool tls_agreed_h2(const struct tls *s);

/* Why handshake(), recv() or send() said -EPROTO, in libssl's words. NUL-terminated. */
void tls_trouble(const struct tls *s, char *out, size_t size);

#endif
