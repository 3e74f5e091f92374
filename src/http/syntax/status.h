/* status.h - status codes: reason phrases, and nginx's short HTML pages. Pure. RFC 9110, section
 * 15. */
#ifndef HTTP_SYNTAX_STATUS_H
#define HTTP_SYNTAX_STATUS_H

#include "base/arena.h"
#include "base/text.h"

#include <stdbool.h>

/* "200 OK"; a code without a known phrase is its digits and a space. The text is static or in
 * static tables. */
struct text status_line(int status);

/* The page for 3xx, 4xx and 5xx as nginx prints it (CRLF line ends), with `server` ("sluice/1.2.3",
 * or "sluice" with server_tokens off) in its foot. Absent for codes without a page. In the arena,
 * or static. */
struct text status_page(int status, struct text server, struct arena *arena);

/* 301, 302, 303, 307, 308: with a Location. */
bool status_is_redirect(int status);

/* The status for an errno (or -errno) of opening a file: 404 (ENAMETOOLONG too, as nginx), 403, 503
 * (EMFILE, ENFILE, ENOMEM), 500. */
int status_of_errno(int error);

/* After these, how the request was framed, or the server's own state, is not trusted: nothing more
 * is taken from its sender over the same connection. */
bool status_is_fatal(int status);

#endif
