/* h2.h - HTTP/2: the carrier of many requests at once on a connection. RFC 9113. The folder of this
 * file is the only door to nghttp2. */
#ifndef HTTP_H2_H2_H
#define HTTP_H2_H2_H

#include "http/request/connections.h"

/* Takes connections that speak HTTP/2; NULL: this sluice was built without. */
handover_fn *h2_handover(void);

#endif
