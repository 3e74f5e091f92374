/* tls_context.h - what the handshakes of one server need: certificates, keys, protocols, ciphers,
 * made once from the configuration, by the process that may read the keys. ssl(7) */
#ifndef NET_TLS_TLS_CONTEXT_H
#define NET_TLS_TLS_CONTEXT_H

#include "net/tls/tls_conf.h"

struct tls_context; /* counted */

/* Whether this sluice was built with libssl. */
bool tls_available(void);

/* "OpenSSL 3.0.19 27 Jan 2026", for -V. */
const char *tls_library(void);

enum { TLS_EARLY_DATA_MOST = 16 * 1024 }; /* bytes: one record */

/* Reads the files that `conf` names and checks them against each other; warns of what is doubtful.
 * `conf` outlives the context. NULL, or an error text with its own FILE:LINE in `arena`; *out is then NULL. */
const char *tls_context_create(struct tls_context **out, const struct tls_conf *conf, struct arena *arena);

/* Whether each of its certificates is one for the host name or address. */
bool tls_context_covers(const struct tls_context *c, const char *host);

/* Whose context it is: for the caller's own use. */
void tls_context_own(struct tls_context *c, const void *owner);
const void *tls_context_owner(const struct tls_context *c);

const struct tls_conf *tls_context_conf(const struct tls_context *c);
struct text tls_context_passwords(const struct tls_context *c); /* lines; absent: none */

/* When the first of its certificates ends, in seconds since 1970; 0: it has none. */
int64_t tls_context_not_after(const struct tls_context *c);

void tls_context_acquire(struct tls_context *c);
void tls_context_release(struct tls_context *c); /* NULL is legal */

#endif
