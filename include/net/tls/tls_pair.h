/* tls_pair.h - a certificate with its key that is read while a handshake waits for it, where their
 * names depend on the client. SSL_CTX_set_cert_cb(3) */
#ifndef NET_TLS_TLS_PAIR_H
#define NET_TLS_TLS_PAIR_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdbool.h>

struct tls;
struct tls_context;
struct tls_pair; /* counted, by the thread of the loop; nothing of it changes */

/* Of two texts of PEM, with a line of `passwords` for the key (absent: none). Any thread. 0; -ENOMEM;
 * or -EINVAL: what failed is added to `why` ("PEM_read_bio_X509() failed (SSL: error:...)"), and
 * *of_key says whether with the key. One reference for the caller. */
int tls_pair_read(struct tls_pair **out, struct text certificate, struct text key, struct text passwords,
                  struct buffer *why, bool *of_key);

void tls_pair_acquire(struct tls_pair *p);
void tls_pair_release(struct tls_pair *p); /* NULL is legal */

/* ---- a handshake, whose handshake() has said -EINPROGRESS ---- */

/* Of the server that it is with, whose pairs it waits for. */
struct tls_context *tls_pairs_awaited(const struct tls *s);

/* One of them; the next handshake() goes on. NULL: there are none, and it is refused by the alert
 * internal_error. 0, or -errno: likewise refused. */
int tls_pair_give(struct tls *s, const struct tls_pair *p);

#endif
