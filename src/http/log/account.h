/* account.h - what is told of a request that has ended: the worker's counters, the access log.
 * Called by its carrier, once for each request, before steps_abandon().
 * https://nginx.org/en/docs/http/ngx_http_log_module.html */
#ifndef HTTP_LOG_ACCOUNT_H
#define HTTP_LOG_ACCOUNT_H

struct request;

/* The whole response is with the transport. */
void account_complete(struct request *r);

/* The request ends before that. `status`: what it is logged with where no response has a status
 * yet. Nothing happens where the response was complete. */
void account_cut(struct request *r, int status);

#endif
