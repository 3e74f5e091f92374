/* rewrite.h - rewrite, if, set, break and return: one sequence of instructions per server and
 * location. https://nginx.org/en/docs/http/ngx_http_rewrite_module.html */
#ifndef HTTP_REWRITE_REWRITE_H
#define HTTP_REWRITE_REWRITE_H

#include "conf/directive.h"

#include <stdbool.h>

struct request;
struct location;
struct http_conf;
struct rewrite_program;

/* Values of rewrite_module, http, server and location. */
struct rewrite_conf {
    bool log;                        /* rewrite_log */
    bool warn;                       /* uninitialized_variable_warn */
    struct rewrite_program *program; /* of this very block: never inherited; NULL: no instruction */
};

extern struct conf_module rewrite_module;

enum rewrite_outcome {
    REWRITE_ENDS,    /* r->uri_changed says whether the URI leads elsewhere; r->location may be that of an `if` now */
    REWRITE_WAITS,   /* for a file that an `if` asks about; to be called again */
    REWRITE_ANSWERS, /* r->step says how it goes on */
};

/* Runs the instructions from where r->rewrite_at says. */
enum rewrite_outcome rewrite_run(struct request *r, const struct rewrite_program *p);

#endif
