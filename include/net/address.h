/* address.h - socket addresses as text and back. inet_pton(3), ip(7), ipv6(7), unix(7);
 * https://nginx.org/en/docs/http/ngx_http_core_module.html#listen */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include "base/text.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct address {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
    };
};

enum { ADDRESS_TEXT_SIZE = sizeof "unix:" + sizeof(((struct sockaddr_un *)NULL)->sun_path) };

/* "80", "*:80", "127.0.0.1", "127.0.0.1:80", "[::1]:80", "localhost:80", "unix:/path" as nginx's
 * listen takes them. A missing port is `default_port`. A host name is resolved (blocking; at
 * configuration time only) and may yield several. 0; -EINVAL with *error saying what ("invalid
 * port", "host not found" ...). */
int address_parse(struct text t, uint16_t default_port, struct address *out, unsigned most, unsigned *count,
                  const char **error);

bool address_equal(const struct address *a, const struct address *b);
uint16_t address_port(const struct address *a); /* 0 for unix: */

/* "127.0.0.1", "::1", "unix:"; with_port: "127.0.0.1:80", "[::1]:80", "unix:/path". NUL-terminated;
 * returns the length. */
size_t address_format(const struct address *a, bool with_port, char out[ADDRESS_TEXT_SIZE]);

#endif
