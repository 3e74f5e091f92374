/* auth.h - a name and a password against a file of users: at once where the file is known and the
 * hash is a quick one, or known to be right; else on threads of its own, since reading may wait for
 * a disk, and a good hash takes its time. For access.c. RFC 7617. */
#ifndef HTTP_ACCESS_AUTH_H
#define HTTP_ACCESS_AUTH_H

#include "base/text.h"
#include "http/variable/variable.h"

struct auth;
struct auth_job;
struct request;

/* What `Authorization: Basic base64(user:password)` says. */
struct credentials {
    struct text user, password; /* in the request's arena; NUL-terminated */
};

/* False: the request has none, or none that can be understood. */
bool auth_credentials(struct request *r, struct credentials *out);

enum auth_outcome {
    AUTH_GOOD,
    AUTH_NO_CREDENTIALS,
    AUTH_NO_USER,        /* not in the file */
    AUTH_MISMATCH,       /* another password */
    AUTH_UNKNOWN_SCHEME, /* the stored password cannot be checked here */
    AUTH_CANNOT_OPEN,    /* the file: *error of auth_answer() */
    AUTH_CANNOT_READ,
    AUTH_CANNOT_CHECK
};

/* True: *outcome is the answer, one of the first five. False: auth_begin() finds it. */
bool auth_at_once(struct request *r, struct text file, const struct credentials *c, enum auth_outcome *outcome);

/* Begins to check `c` against `file`. 0: the request is resumed exactly once, from the loop, unless
 * auth_end() comes first. -EAGAIN: too many wait already; -ENOMEM. */
int auth_begin(struct auth_job **out, struct request *r, struct text file, const struct credentials *c);

/* False: not yet. *error: of AUTH_CANNOT_...: errno. */
bool auth_answer(const struct auth_job *j, enum auth_outcome *outcome, int *error);

/* No more interest, whether it is done or not. */
void auth_end(struct auth_job *j);

extern const struct variable_row auth_variables[]; /* $remote_user */

#endif
