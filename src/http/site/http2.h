/* http2.h - whether this sluice was built with HTTP/2: for the directives that ask for it. */
#ifndef HTTP_SITE_HTTP2_H
#define HTTP_SITE_HTTP2_H

#include <stdbool.h>

bool http2_available(void);

#endif
