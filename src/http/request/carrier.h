/* carrier.h - what brings a request and takes its response: an HTTP/1 connection, or `sluice
 * explain`. The request reaches its carrier through this table alone, and knows no socket. */
#ifndef HTTP_REQUEST_CARRIER_H
#define HTTP_REQUEST_CARRIER_H

#include "base/text.h"

#include <stdbool.h>

struct address;
struct request;
struct tcp_info;

struct carrier_ops {
    /* What the request waited for is there: its processing goes on, at once, since a turn to send
     * is given for the time of this call only (turn.h). May end the request: touch nothing of it
     * afterwards. Legal from the loop only, never inside the call that began the wait. */
    void (*resume)(struct request *r);

    /* The address that the client came to: 0 or -errno (-ENOTCONN: there is no socket). */
    int (*local)(const struct request *r, struct address *out);

    /* A response field that the carrier adds itself (Connection, Transfer-Encoding ...), by the
     * name that $sent_http_ uses; absent: it does not. */
    struct text (*field)(struct request *r, struct text name);

    /* tcp(7), TCP_INFO: 0 or -errno. */
    int (*tcp_info)(const struct request *r, struct tcp_info *out);
};

/* Embedded by the carrier, which finds itself with container_of(). */
struct carrier {
    const struct carrier_ops *ops;
    bool takes_files; /* its transport has sendfile, and its framing permits a slice of a file */
};

#endif
