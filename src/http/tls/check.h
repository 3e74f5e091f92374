/* check.h - whether a request may be answered over the connection of TLS that it came by.
 * https://nginx.org/en/docs/http/ngx_http_ssl_module.html#errors */
#ifndef HTTP_TLS_CHECK_H
#define HTTP_TLS_CHECK_H

struct request;

/* 0; or the status to refuse the request with, which is logged: 421, 425, 495, 496, and 497 for plain
 * HTTP where TLS is expected. r->server is known. */
int tls_check(struct request *r);

#endif
