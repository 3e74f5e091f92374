/* h2_client.h - the harness's HTTP/2 client: h2_peer.h over a connection, everything with a deadline.
 *
 * What it sends may be a text. A script is a row of statements with semicolons between them:
 *
 *   GET 1 /a {accept: x}       HEADERS of a request, END_STREAM and END_HEADERS; likewise HEAD
 *   POST 1 /a {...}            without END_STREAM
 *   DATA 1 END_STREAM 'abc'    any frame: its type or 0x17, a stream, flags, parts of the payload
 *   await 1                    until that stream has ended or was reset; `head 1`: until its head is there
 *   settle                     until a PING was answered, and all that came before it
 *   bytes 00ff 'abc'           as they are
 *   shut                       the sending side
 *   stall, drain               windows are not given back from here on; are again, and for all that came
 *
 * Parts of a payload: 'text', hexadecimal bytes, 20*ff (a byte twenty times), =5 (32 bits), #5 (16 bits), NAME=5 (a row of
 * SETTINGS), {name: value | name: value} (literal fields; +name: with incremental indexing), length=5 (what the frame's
 * head says of its length).
 *
 * What it expects is a text, too, clauses with semicolons between them:
 *
 *   1: 200 'content'           the stream's answer, whole; the body may be left out, or be `5 bytes`
 *   1: RST CANCEL|NO_ERROR     RST_STREAM with one of these
 *   1: open 7                  a head and so many bytes of body are there, the end is not
 *   1: nothing                 neither head nor RST_STREAM
 *   GOAWAY PROTOCOL_ERROR      with this (or these), and the connection ends
 *   CLOSED                     the connection ends, with or without GOAWAY
 *   goes on                    nothing but that the next request is answered, which holds for all of the others
 *
 * " or " stands between two such texts of which either will do. */
#ifndef H2_CLIENT_H
#define H2_CLIENT_H

#include "h2_peer.h"
#include "harness.h"

struct h2_row;

struct h2_client {
    struct site_client c;
    struct h2 h;
    uint32_t highest;         /* stream of a request */
    bool ended;               /* by the server */
    const struct h2_row *row; /* that is tried; NULL: none */
};

void h2_open(struct h2_client *k, int port); /* connected; nothing is sent */
void h2_open_over(struct h2_client *k, struct site_client *c);
void h2_start(struct h2_client *k, int port); /* and the preface, and both SETTINGS acknowledged */
void h2_close(struct h2_client *k);
void h2_end(struct h2_client *k); /* the same by a reset */

void h2_flush(struct h2_client *k); /* h.out; what the server does not take when it has closed is lost */
bool h2_pump(struct h2_client *k);  /* flushes, waits for bytes; false: the end */
bool h2_pump_within(struct h2_client *k, int msec); /* false, too: nothing came */
void h2_settle(struct h2_client *k);                /* PING and its answer */
/* Ends with the stream; NULL when the connection ends first. */
struct h2_stream *h2_await(struct h2_client *k, uint32_t stream);
struct h2_stream *h2_await_head(struct h2_client *k, uint32_t stream);
void h2_await_end(struct h2_client *k); /* of the connection */

uint32_t h2_get(struct h2_client *k, const char *path, const char *fields);              /* sends; returns the stream */
void h2_expect_get(struct h2_client *k, const char *path, int status, const char *body); /* body NULL: any */

void h2_run(struct h2_client *k, const char *script);
/* NULL: it is so, and, unless the connection was to end, a request for /content is answered.
 * Otherwise what is wrong. */
const char *h2_check(struct h2_client *k, const char *expected);
const char *h2_told(const struct h2_client *k); /* what has come so far, in words */

/* ---- tables of scripts ---- */

struct h2_row {
    const char *rule; /* section of RFC 9113, or another one's */
    const char *what; /* in words, for a failure */
    const char *script, *expected;
};

/* Pages: /content ("content"), /big (1 MiB of the pattern). A server on @PORT@ with HTTP/2 and these directives. */
enum { H2_BIG = 1 << 20 };
void h2_pages(void);
void h2_serve(const char *server);
/* Its script on a connection that has begun; `bare`: on one where nothing was sent. */
void h2_try(const struct h2_row *row, bool bare);

#endif
