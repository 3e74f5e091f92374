/* tls_fact.h - what was agreed on in a connection of TLS, and what its client's certificate says: as
 * nginx's variables $ssl_ have it. https://nginx.org/en/docs/http/ngx_http_ssl_module.html#variables */
#ifndef NET_TLS_TLS_FACT_H
#define NET_TLS_TLS_FACT_H

#include "base/arena.h"

#include <stdbool.h>

struct tls;
struct tls_context;

enum tls_fact {
    TLS_PROTOCOL,    /* "TLSv1.3" */
    TLS_CIPHER,      /* "TLS_AES_128_GCM_SHA256" */
    TLS_CIPHERS,     /* of the client, with ":" between them */
    TLS_CURVE,       /* "X25519" */
    TLS_CURVES,      /* of the client */
    TLS_SIGALG,      /* that the server has signed with */
    TLS_SERVER_NAME, /* that the client asked for */
    TLS_ALPN,
    TLS_SESSION_ID,     /* hexadecimal */
    TLS_SESSION_REUSED, /* "r" or "." */
    TLS_EARLY_DATA,     /* "1" while what is read came before the handshake's end, else absent */

    /* Of the client's certificate; absent: it has sent none. */
    TLS_CLIENT_CERT, /* PEM, each line but the first with a tab before it */
    TLS_CLIENT_RAW_CERT,
    TLS_CLIENT_ESCAPED_CERT, /* escaped as a part of a URI */
    TLS_CLIENT_S_DN,
    TLS_CLIENT_I_DN,
    TLS_CLIENT_S_DN_LEGACY,
    TLS_CLIENT_I_DN_LEGACY,
    TLS_CLIENT_SERIAL,
    TLS_CLIENT_FINGERPRINT, /* SHA-1, hexadecimal */
    TLS_CLIENT_VERIFY,      /* "SUCCESS", "FAILED:reason", "NONE" */
    TLS_CLIENT_SIGALG,
    TLS_CLIENT_V_START,
    TLS_CLIENT_V_END,
    TLS_CLIENT_V_REMAIN /* days */
};

/* Once the handshake is done. NUL-terminated, in `arena` or as long as the connection; absent: there
 * is no such thing, or no memory. */
struct text tls_fact(const struct tls *s, enum tls_fact which, struct arena *arena);

/* Whether the handshake was with the server of this context. */
bool tls_is_of(const struct tls *s, const struct tls_context *c);

/* The client's certificate: */
enum tls_client { TLS_CLIENT_NONE, TLS_CLIENT_VALID, TLS_CLIENT_BAD };

/* Whether it is valid. `any`: one of an authority that is not known is valid, too. *why, where it is
 * not valid: "(18:self-signed certificate)", in `arena`. */
enum tls_client tls_client_state(const struct tls *s, bool any, struct arena *arena, const char **why);

/* Its session is not resumed: the certificate is looked at again. */
void tls_forget_session(const struct tls *s);

#endif
