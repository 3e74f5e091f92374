/* access.h - who may: allow, deny, auth_basic, satisfy, limit_except. The access phase.
 * https://nginx.org/en/docs/http/ngx_http_access_module.html, ngx_http_auth_basic_module.html */
#ifndef HTTP_ACCESS_ACCESS_H
#define HTTP_ACCESS_ACCESS_H

#include "conf/directive.h"
#include "http/access/access_rules.h"

struct request;
struct template;
struct limit_except;

enum satisfy { SATISFY_ALL, SATISFY_ANY };

/* Values of access_module: one per http, server, location and limit_except block. */
struct access_conf {
    struct access_rules *rules; /* NULL: none */
    int satisfy;                /* enum satisfy */
    struct template *realm;     /* auth_basic; NULL: off */
    struct user_file {
        struct template *path;
        /* The folder of values that are relative, where the path begins with a variable; else
         * NULL. */
        const char *beside;
    } user_file;
    int64_t auth_delay;          /* ms */
    struct limit_except *except; /* of this very location; NULL: none */
};

extern struct conf_module access_module;

/* One step of r's processing: on to the next one, or to an error. False: it waits for a deadline or
 * for auth.h, the request is resumed exactly once, from the loop, unless access_abandon() comes
 * first, and then the step is to be taken again. */
bool access_step(struct request *r);

/* Gives up what the step waits for. */
void access_abandon(struct request *r);

/* What counts for r in a location: with limit_except, for its method. NULL: everybody may. */
const struct access_conf *access_chosen(const struct request *r, const struct access_conf *a);

/* What the last step found out about the client's name and password, in words; NULL: it did not
 * ask. */
const char *access_auth_words(const struct request *r);

#endif
