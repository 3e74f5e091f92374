/* htpasswd.h - files of users and passwords as htpasswd(1) and nginx know them:
 * "user:password[:comment]" lines.
 * https://nginx.org/en/docs/http/ngx_http_auth_basic_module.html#auth_basic_user_file */
#ifndef HTTP_ACCESS_HTPASSWD_H
#define HTTP_ACCESS_HTPASSWD_H

#include "base/text.h"

enum { HTPASSWD_STORED_MOST = 1024 }; /* bytes of a stored password, NUL included */

/* Looks for one user in bytes that come piece by piece. */
struct htpasswd_search {
    struct text user;
    enum { HTPASSWD_NAME, HTPASSWD_SKIP, HTPASSWD_PASSWORD, HTPASSWD_FOUND } state;
    size_t matched; /* bytes of the user's name */
    size_t len;     /* of stored */
    char stored[HTPASSWD_STORED_MOST];
};

void htpasswd_begin(struct htpasswd_search *s, struct text user);

/* True: the user is there, and s->stored is NUL-terminated; no more bytes are wanted. */
bool htpasswd_feed(struct htpasswd_search *s, const char *bytes, size_t len);
bool htpasswd_end(struct htpasswd_search *s); /* the same, when there are no more bytes */

/* Whether checking against `stored` takes long enough to remember that it went well. */
bool htpasswd_is_slow(const char *stored);

/* 1: it is this password; 0: it is not; -ENOSYS: nobody here knows the scheme; or another -errno.
 * Schemes: $apr1$, {SHA}, {SSHA}, {PLAIN}, and those of crypt(3). May take long: not in the
 * loop. */
int htpasswd_check(const char *stored, const char *password);

#endif
