/* servers.h - the TLS contexts of the servers of a configuration.
 * https://nginx.org/en/docs/http/configuring_https_servers.html */
#ifndef HTTP_TLS_SERVERS_H
#define HTTP_TLS_SERVERS_H

#include "http/site/site.h"

/* Reads the certificates and keys of all servers: before privileges are dropped. What is made lives
 * as long as `arena`, which is the configuration's. NULL, or an error text with its own FILE:LINE. */
const char *tls_servers_open(struct http_main *http, struct arena *arena);

#endif
