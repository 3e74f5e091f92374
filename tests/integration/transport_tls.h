/* transport_tls.h - the row of transports that needs libssl, and what the suites of TLS share;
 * transport_tls_none.c stands in for it in builds without, which have none of these suites. */
#ifndef TRANSPORT_TLS_H
#define TRANSPORT_TLS_H

#include "transport.h"

struct site_client;
struct ssl_st;
struct bio_st;

const struct site_transport *transport_tls(void);              /* NULL: there is none */
void channel_offer(struct channel *ch, const char *protocols); /* by ALPN, before the handshake; a length before each */
struct channel channel_of_tls(int fd); /* over a connected socket; the handshake comes with the first bytes */

void transport_tls_renew(void); /* another certificate in the place of the server's */

/* transport.c */
const struct site_transport *transport_plain(void);
void channel_tcp_address(char *out, size_t size, int port);
int channel_connect_tcp(struct channel *ch, int port, int rcvbuf);

/* ---- whatever HARNESS_TRANSPORT says ---- */

/* A server with TLS on @PORT@, root @DIR@/html; rows of main and events, of http and of the server.
 * serve_: it is started. `options` stand in its `listen`, a space before each. */
void conf_tls(const char *events, const char *http, const char *server);
void serve_over_tls(const char *events, const char *http, const char *server);
void serve_over_tls_with(const char *options, const char *events, const char *http, const char *server);

void client_open_tls(struct site_client *c, int port, int rcvbuf); /* rcvbuf 0: the kernel's choice */
void client_open_plain(struct site_client *c, int port);
struct ssl_st *client_ssl(struct site_client *c);

/* A client that has its records in memory before they go, and sends them in pieces. */
struct raw_tls {
    struct ssl_st *ssl;
    struct bio_st *in, *out;
    int fd;
    const char *before; /* goes before the first record, in the same pieces; NULL: nothing */
    size_t step;        /* bytes of a piece, 0: all at once */
};

void records_open(struct raw_tls *raw, int port);
void records_flush(struct raw_tls *raw, size_t step); /* what is in raw->out; 0: all at once */
bool records_pump(struct raw_tls *raw);               /* waits for bytes; false: the end */
void records_agree(struct raw_tls *raw);              /* the handshake, in pieces of raw->step */
/* A response with a body of so many bytes; its length with the head. */
size_t records_read(struct raw_tls *raw, char *to, size_t room, size_t body);
void records_close(struct raw_tls *raw);

#endif
