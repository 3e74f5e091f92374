/* keepalive.h - see keepalive.c. RFC 9112, section 9.3. */
#ifndef HTTP_KEEPALIVE_H
#define HTTP_KEEPALIVE_H

#include <stdbool.h>

struct framing;
struct request;

/* By what the request asks for, and its location's keepalive_requests, keepalive_time, keepalive_timeout, keepalive_disable. */
bool keeps_alive(const struct request *r, const struct framing *f);

#endif
