/* access_rules.h - the rules of allow and deny: in the order of the file, the first that fits an
 * address decides. A list while the configuration is read, then a sorted table: a search costs the
 * logarithm of how many there are. Pure.
 * https://nginx.org/en/docs/http/ngx_http_access_module.html */
#ifndef HTTP_ACCESS_ACCESS_RULES_H
#define HTTP_ACCESS_ACCESS_RULES_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct access_rule {
    bool deny;
    struct text text; /* as it was written: 192.0.2.0/24 */
    const char *file; /* and where */
    unsigned line;
};

struct access_rules;

/* NULL: no memory. */
struct access_rules *access_rules_create(struct arena *arena);

/* Adds an address, a CIDR, "unix:" or "all". 0; 1: added, but bits below the mask are set and mean
 * nothing; -EINVAL: none of these; -ENOMEM. `rule` and its text must live as long as the rules. */
int access_rules_add(struct access_rules *rules, const struct access_rule *rule, struct arena *arena);

/* After the last one was added, once or more often: makes the table. 0 or -ENOMEM. */
int access_rules_finish(struct access_rules *rules, struct arena *arena);

/* The first rule that fits; NULL: none. An IPv4 address inside of IPv6 (::ffff:192.0.2.1) is taken
 * as the IPv4 address. */
const struct access_rule *access_rules_find(const struct access_rules *rules, const struct sockaddr *peer);

#endif
