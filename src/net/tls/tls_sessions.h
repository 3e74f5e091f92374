/* tls_sessions.h - how the sessions of one server are resumed: from tickets that the client keeps,
 * or from a cache that the workers share. Shared by the files of this folder that call libssl. */
#ifndef NET_TLS_TLS_SESSIONS_H
#define NET_TLS_TLS_SESSIONS_H

#include "base/list.h"
#include "base/zone.h"
#include "net/tls/ticket_keys.h"
#include "net/tls/tls_private.h"

struct tls_sessions {
    struct list node; /* among those whose tickets are made with the server's own keys */
    int64_t life;     /* seconds */
    bool tickets;
    struct ticket_key *keys; /* of ssl_session_ticket_key, the first encrypts; NULL: the server's own */
    unsigned key_count;
    struct zone *cache; /* NULL: none */
};

/* For a context that has its certificates, and what clients are asked for. NULL or an error text. */
const char *tls_sessions_use(struct tls_context *c, struct arena *arena);
void tls_sessions_leave(struct tls_context *c);

/* `ssl` is one of this context now: what it does not take from there by itself. */
void tls_sessions_take(SSL *ssl, const struct tls_context *c);

/* tls_tickets.c: after tls_sessions_use(), and before tls_sessions_leave(). */
const char *tls_tickets_use(struct tls_context *c, struct arena *arena);
void tls_tickets_leave(struct tls_context *c);

/* tls_scope.c: sessions are resumed only where this digest is the same. False: no memory. */
enum { TLS_SCOPE_LEN = 32 };
bool tls_scope(const struct tls_context *c, unsigned char digest[TLS_SCOPE_LEN]);

/* The context that an SSL is of now, by the name that the client asked for; `ssl`'s callbacks are
 * those of the first one. */
struct tls_context *tls_sessions_context(const SSL *ssl);

#endif
