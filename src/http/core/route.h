/* route.h - Host to server, URI to location. Lookups do not grow with the number of names or
 * prefixes. RFC 9110, 4.2 and 7.2; https://nginx.org/en/docs/http/request_processing.html */
#ifndef HTTP_CORE_ROUTE_H
#define HTTP_CORE_ROUTE_H

#include "http/core/core.h"
#include "http/request/request.h"

/* A request at its beginning: the default server of the address that it came in on. */
void route_begin(struct request *r);

/* The server for r->host at `address`; sets captures of a regex name. */
const struct server *route_server(const struct http_address *address, struct request *r);

/* The same for a name in lower case before there is a request, as a client gives it to TLS. */
const struct server *route_server_named(const struct http_address *address, struct text host);

/* The location for r->uri in r->server by nginx's rules: exact; longest prefix; unless that is ^~,
 * the first matching regex, in the innermost location first. NULL: a regex failed (match limit):
 * 500. */
const struct location *route_location(struct request *r);

/* @name, or NULL. */
const struct location *route_named(const struct server *server, struct text name);

/* Building, when the configuration has been read. */
struct location_tree *location_tree_create(struct arena *arena);
int location_tree_add(struct location_tree *t, struct location *l, struct arena *arena); /* -EEXIST: duplicate */

struct name_table *name_table_create(struct arena *arena);
/* 0; -EEXIST: the name is taken by another server (nginx: a warning, ignored). */
int name_table_add(struct name_table *t, const struct server_name *name, const struct server *server,
                   struct arena *arena);

#endif
