/* session_store.h - TLS sessions in memory that the workers share, found by their ids: bytes under
 * bytes, with an end. Nothing here knows what a session is. SSL_CTX_sess_set_get_cb(3)
 *
 * A zone (base/zone.h) of 32 KiB or more is the store; any process that has it may use it at any
 * time. When it is full, the oldest sessions go. */
#ifndef NET_TLS_SESSION_STORE_H
#define NET_TLS_SESSION_STORE_H

#include "base/text.h"
#include "base/zone.h"

enum { SESSION_BYTES_MOST = 4096 }; /* longer ones (large client certificates) are not kept */

/* In place of one that has the same id. `end`: seconds, of the clock that `now` is of. */
void session_store_put(struct zone *z, struct text id, struct text bytes, int64_t end);

/* Its length, copied to `to`, which has room for SESSION_BYTES_MOST; 0: there is none, or it has
 * ended. */
size_t session_store_get(struct zone *z, struct text id, int64_t now, char *to);
void session_store_remove(struct zone *z, struct text id);

#endif
