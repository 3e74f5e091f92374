/* headers.h - add_header, add_trailer and expires. RFC 9110, sections 5 and 6.5; RFC 9111, 5.2.2
 * and 5.3. https://nginx.org/en/docs/http/ngx_http_headers_module.html */
#ifndef HTTP_RESPOND_HEADERS_H
#define HTTP_RESPOND_HEADERS_H

#include "conf/directive.h"
#include "http/variable/variable.h"

#include <time.h>

struct request;

/* Names that a response has once, where the server's own wins. */
enum added_single {
    ADDED_FREE,   /* none of them */
    ADDED_NEVER,  /* the server alone can know it: Content-Length, Date ... */
    ADDED_SERVER, /* these are added where the response has none of its own */
    ADDED_TYPE,   /* Content-Type */
    ADDED_LOCATION,
    ADDED_CODING, /* Content-Encoding, of side files */
    ADDED_DIGEST  /* Repr-Digest: never where repr_digest is on, else as often as it is said */
};

struct added_header {
    struct added_header *next;
    struct text name;
    struct template *value;
    bool always;
    bool told; /* that it is ignored, once for all levels */
    const char *file;
    unsigned line;
    enum added_single single;
};

struct expires {
    enum { EXPIRES_OFF, EXPIRES_EPOCH, EXPIRES_MAX, EXPIRES_ACCESS, EXPIRES_MODIFIED, EXPIRES_DAILY } kind;
    int64_t sec;               /* offset, may be negative; of the day for @ */
    struct template *variable; /* decides at run time; NULL: kind and sec do */
};

/* What a level gets of the fields of the level around it. */
enum inherit_rule { INHERIT_OFF, INHERIT_ON /* if it has none of its own */, INHERIT_MERGE /* behind its own */ };

/* Values of headers_module, http, server and location. */
struct headers_conf {
    struct added_header *added;
    struct expires expires;
    struct added_header *trailers;
    int header_rule, trailer_rule; /* enum inherit_rule */
    /* As the file says, with a level's own alone: what the two above were before the rules
     * applied. */
    struct added_header *said, *said_trailers;
};

extern struct conf_module headers_module;

/* Puts on r->out what the location says: Location of a redirect, expires, add_header, userid. The
 * one place that does, whatever made the response. */
void headers_apply(struct request *r);

/* The same for the fields alone that conditions of a 200 look at: validators and, where asked for,
 * those of caching. For r->out as it will be thrown away. */
void headers_foresee(struct request *r, bool caching);

/* Whether add_trailer has some for this response; and their lines, each with CRLF. */
bool headers_have_trailers(const struct request *r);
struct text headers_trailers(struct request *r);

#endif
