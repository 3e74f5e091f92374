/* explain_private.h - what the rooms of `sluice explain` share: explain_line.c reads the command
 * line, explain_address.c chooses the address, explain.c makes the request and prints. */
#ifndef SERVER_EXPLAIN_EXPLAIN_PRIVATE_H
#define SERVER_EXPLAIN_EXPLAIN_PRIVATE_H

#include "server/explain/explain.h"

#include "http/explain/explain.h"
#include "server/process/running.h"
#include "server/process/start.h"

enum url_scheme { URL_NONE, URL_HTTP, URL_HTTPS };

enum { FIELDS_MOST = 100, HOST_SIZE = 256, NO_PORT = -1 };

struct asked {
    struct options options;          /* -c, -p, -g */
    const char *method;              /* -X, -I */
    bool http2;                      /* --http2 */
    const char *listen;              /* -l; NULL: chosen by the URL */
    struct address client;           /* -a */
    const char *fields[FIELDS_MOST]; /* -H */
    unsigned count;
    enum url_scheme scheme;
    struct text authority; /* of the URL; absent: it is only a path */
    struct text target;    /* path and query as they will be sent */
    char host[HOST_SIZE];  /* without port, lower-case; that of -H 'Host:' wins over the URL's */
    int port;              /* of the URL */
    char address_why[80];
    struct running running;
};

/* Says what is wrong on the terminal; -EINVAL. */
int explain_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

void explain_help(FILE *out);

/* 0; 1: help was asked for; -EINVAL, and it was said why. Texts are the command line's or in
 * `arena`. */
int explain_parse(struct asked *a, int argc, char **argv, struct arena *arena);

/* Fills o->address and o->address_why. 0 or -errno, and it was said why. */
int explain_choose_address(struct asked *a, struct explain_options *o);

#endif
