/* healthcheck_target.h - what `sluice healthcheck` asks: an address, and a request to it. */
#ifndef SERVER_COMMAND_HEALTHCHECK_TARGET_H
#define SERVER_COMMAND_HEALTHCHECK_TARGET_H

#include "net/address.h"
#include "server/conf/options.h"

enum { TARGET_HOST = 256, TARGET_PATH = 2048 };

struct target {
    struct address address;
    bool tls, proxy_header;
    bool any;               /* no location has `health`: any answer below 500 will do */
    char host[TARGET_HOST]; /* of the field Host, with its port where that is not the default */
    char path[TARGET_PATH];
    char shown[TARGET_HOST + TARGET_PATH + 16]; /* in messages: the URL */
    char error[256];
};

/* http[s]://host[:port][/path]. 0, or -EINVAL with t->error. Looks host names up. */
int target_of_url(struct target *t, const char *url);

/* A location with `health` in the configuration that the options mean, or "/" there; `path` NULL,
 * or another path to ask at that server. 0, or -errno with t->error (empty: it was logged). */
int target_of_configuration(struct target *t, const struct options *options, const char *path);

#endif
