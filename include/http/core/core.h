/* core.h - the directives of http, server and location, and what they come to when http { } has
 * been read. https://nginx.org/en/docs/http/ngx_http_core_module.html */
#ifndef HTTP_CORE_CORE_H
#define HTTP_CORE_CORE_H

#include "http/site/site.h"

extern struct conf_module http_module; /* http { }, server { }, location { } and what stands in them */

/* vhost_listen.c: setter of `listen`; the address of a server without one. */
conf_set_fn vhost_set_listen;
const char *vhost_default_listen(struct conf *cf, struct server *server);

/* vhost.c: setter of `server_name`, and what both come to when http { } has been read. */
conf_set_fn vhost_set_name;
const char *vhost_finish(struct conf *cf, struct http_main *http);

/* A copy of the location that `cf` reads in, for the settings of an `if` inside of it. NULL: no
 * memory. */
struct location *location_for_if(struct conf *cf);

/* `answer` instead of files, in the location or server that `cf` reads in, which is returned; as
 * nginx's content handlers, not in the blocks inside it. `content_conf`: for it. */
struct location *location_answers(struct conf *cf, bool (*answer)(struct request *r), const void *content_conf);

/* Setter of a struct root, as of `root`: what is read there is granted by conf_reads_noted(). */
conf_set_fn core_set_root;

/* Once the location's values are known: its files are below `root` instead of root or alias. */
void location_move(struct location *l, const struct root *root);

/* location.c: setter of `location`, trees built. */
conf_set_fn location_set;
const char *location_finish(struct conf *cf, struct server *server);

/* alias.c: warns where a request could leave the directory of an alias, if such paths were not
 * refused. */
void location_check_alias(struct conf *cf, const struct location *l);

#endif
