/* uri.h - request target to a path that is safe to append to a root. Pure. RFC 9112 3.2, RFC 3986
 * 5.2.4 and 6.2.2. */
#ifndef HTTP_SYNTAX_URI_H
#define HTTP_SYNTAX_URI_H

#include "base/text.h"

#include <stdbool.h>

struct uri {
    struct text host; /* of absolute-form, without port: wins over Host; absent otherwise */
    struct text path; /* as sent: from the first / up to ? ; "/" for an absolute-form without path */
    struct text args; /* after the first ?; absent when there is no ? */
    /* Path and query as sent, in one piece: $request_uri. For "http://b?x" "?x", and "/" for
     * "http://b". */
    struct text raw;
};

/* host[:port] as Host and an absolute-form carry it: reg-name, IPv4, [IPv6] or [vX.future]; a port
 * is at most 65535 and may be empty. *host is the part before the port, without a dot at its end
 * (what is in brackets keeps them). False: not of that form, or empty. */
bool uri_authority(struct text authority, struct text *host);

/* authority-form, the target of CONNECT: the same with a port. */
bool uri_tunnel(struct text target, struct text *host);

/* origin-form, absolute-form (http, https), or * (only with OPTIONS: path is "*"). 0; 400 for
 * anything else, a fragment (#) included. */
int uri_split(struct text target, struct uri *uri);

/* Percent-decodes once, resolves . and .., merges slashes when `merge`; writes at most path.len
 * bytes to `out` (no NUL; may be path.at). 0; 400 for a bad escape, a NUL in either form, or a path
 * that climbs above /. A decoded path begins with /. */
int uri_normalise(struct text path, bool merge, char *out, size_t *len);

/* True when `path` is already what uri_normalise() would make of it: no copy needed. */
bool uri_is_plain(struct text path);

/* Appends `path` percent-encoded for a Location field or an href: everything but unreserved,
 * sub-delims, : @ and /. `out` has room for 3 * path.len. Returns the length. */
size_t uri_escape(struct text path, char *out);
/* The same that leaves only unreserved and /: safe in HTML, in quotes, and as a relative
 * reference. */
size_t uri_escape_href(struct text path, char *out);

#endif
