/* request.h - one request and its response: everything that dies together when the response is out.
 * RFC 9110, sections 3.4 and 6. */
#ifndef HTTP_REQUEST_REQUEST_H
#define HTTP_REQUEST_REQUEST_H

#include "base/arena.h"
#include "file/cache.h"
#include "file/open.h"
#include "http/request/carrier.h"
#include "http/request/client.h"
#include "http/site/site.h"
#include "http/syntax/accept_encoding.h"
#include "http/syntax/message.h"
#include "http/syntax/pattern.h"
#include "io/sink.h"
#include "net/loop.h"

struct limit_held;
struct listing_part;
struct access_wait; /* access.c */
struct userid;      /* userid.c */
struct random_job;
struct registry; /* registry.c */
struct paced;
struct timer;
struct worker;

/* One response header field that is not among those below; in the order of adding. */
struct field_line {
    struct field_line *next;
    struct text name, value;
};

/* What the request has asked for by the digest of its content: known without the file's name and
 * times. */
struct addressed {
    struct text type, etag;
    struct field_line *fields, **fields_end; /* of a 200, 206 and 304 */
};

/* How the content is changed before it is sent; content.c. */
struct content_plan {
    bool made; /* the plan */
    bool trailers;
    enum coding decoded;         /* the side file's, which is undone; or CODING_NONE */
    enum coding encoded;         /* that it is compressed by; or CODING_NONE */
    const struct recode *recode; /* NULL: no recoding */
};

struct response {
    int status;
    struct text type;          /* Content-Type */
    uint64_t length;           /* Content-Length */
    bool no_length;            /* 304, 204, 1xx: no Content-Length and no Content-Type */
    struct text last_modified; /* absent: no such field */
    bool own_date;             /* it is the file's: add_header has not put another in its place */
    struct text location;      /* redirects */
    struct text etag;
    struct text allow;
    struct text content_range;
    struct text server; /* server_tokens string, once asked for */
    bool accept_ranges;
    bool vary;            /* Vary: Accept-Encoding */
    bool vary_dictionary; /* and Available-Dictionary */
    bool unsized;         /* the length of what is sent is not known: no Content-Length */
    enum coding coding;   /* of the side file */
    size_t suffix;        /* bytes of its name behind that of the file */
    struct content_plan plan;
    struct text bare_type;          /* type without the charset that was added; absent: none was */
    const struct source *encoder;   /* inside of file.source: $gzip_ratio */
    struct field_line *coding_line; /* Content-Encoding among fields, of a side file */
    struct field_line *fields, **fields_end;
    struct field_line *trailers; /* behind the body, once it has ended */
    struct text body;            /* generated content: error page, listing, text; else absent */
    struct sink_body file;       /* the file's bytes; source NULL: none */
    enum io_method method;       /* $io_method */
    struct addressed *addressed; /* r->file, by its digest; NULL: by its name */
    bool of_file;                /* its content is r->file's, or a part of it */
    bool dated;                  /* there is a date of what is sent: */
    time_t modified;             /* it */
    off_t from, to;              /* the part of the file that the body is of; with several ranges, around all of them */
    bool stamped;                /* `stamp` is of the file: before the first bytes, or after the first turn */
    struct file_stamp stamp;
};

/* How far the processing of a request has come; steps.c. */
enum step {
    STEP_ROUTE,    /* instructions of the server; then STEP_LOCATION */
    STEP_LOCATION, /* the location is found */
    STEP_NAMED,    /* r->location was named: @name */
    STEP_REWRITE,  /* its instructions */
    STEP_LIMIT,
    STEP_ACCESS,
    STEP_TRY_FILES,
    STEP_CONTENT,
    STEP_RANDOM_INDEX,
    STEP_INDEX,
    STEP_VARIANT,
    STEP_FILE,
    STEP_LISTING,
    STEP_FIELDS, /* the response is decided: its fields, then what is sent of a file */
    STEP_READY
};

/* What became of a request: $limit_req_status, $limit_conn_status. */
enum limit_status {
    LIMIT_NONE, /* nothing was limited */
    LIMIT_PASSED,
    LIMIT_DELAYED,
    LIMIT_REJECTED,
    LIMIT_DELAYED_DRY_RUN,
    LIMIT_REJECTED_DRY_RUN
};

/* What it counts as; limits.h. */
struct limit_state {
    struct limit_held *held; /* what it counts as in zones of limit_conn */
    struct timer *timer;     /* it waits for its time; NULL: it does not */
    unsigned char req, conn; /* enum limit_status: each is asked once per request */
};

/* How a response has been taken so far. Zeroed at its beginning; min_rate.h. */
struct slowness {
    int64_t blocked_msec; /* when the wait for the client began; 0: there is none */
    int64_t counted_msec; /* up to when it is in waited_msec */
    int64_t waited_msec;  /* in this window */
    uint64_t taken;       /* before this window, of all that was ever sent on the connection */
};

struct request {
    struct arena arena;
    struct carrier *carrier;
    struct worker *worker;
    struct deferred turn; /* when it stands in line for it: bulk.h */
    const struct client *client;
    const union peer *peer; /* the client's, or what realip.c put in its place: what everything asks for */
    unsigned ordinal;       /* among the requests of its connection, from 1: $connection_requests */
    bool pipelined;         /* it was there before the last response was out: $pipe */
    struct message msg;
    const struct server *server;
    const struct location *location;

    struct text raw_uri; /* target's path and query as sent: $request_uri */
    struct text uri;     /* decoded, normalised; internal redirects change it */
    struct text args;    /* .at NULL: no ? */
    struct text host;    /* lower-case, without port; empty when there is none */
    struct text path;    /* NUL-terminated file name for uri, made by steps.c */

    enum step step;
    unsigned step_at;                      /* index within try_files or index */
    unsigned redirects;                    /* internal ones so far */
    unsigned rewrite_at;                   /* index of the instruction to go on with */
    const struct rewrite_program *rewrite; /* of the location that was found; `if` may have put another in its place */
    const struct return_action *returned;  /* that decided the response, or NULL */
    bool internal;                         /* after an internal redirect */
    bool uri_changed;                      /* by rewrite: another location is to be found */
    bool uri_broken;                       /* by `rewrite ... break`: it need not fit the location */
    bool climbs_by_conf;                   /* ".." in uri, where there is one, is the configuration's own */
    bool awaits_body;                      /* of the request: it is read as soon as the location is found */
    bool in_error_page;                    /* and an error in it is not led to another one */
    int fatal_status;                      /* the first one that is (status.h); 0: none */
    bool head_only;                        /* HEAD */
    bool silent;                           /* 444 (408, 499): close without a response */
    int error_status;                      /* status that an error page stands for, 0: none */

    struct file_lookup lookup;
    bool found; /* an asynchronous lookup has answered: found_rc, found_file */
    int found_rc;
    struct file *found_file;
    struct file *file; /* that is being served */
    struct listing_part *listing;
    struct access_wait *access;
    struct text challenge;     /* WWW-Authenticate, kept through error_page */
    struct text unsatisfied;   /* Content-Range of a 416, the same */
    struct text moved_to;      /* Location of a redirect before it is made absolute, the same; absent: none */
    bool moved_by_server;      /* and no text of the configuration */
    struct random_job *random; /* random_index.c */
    struct registry *registry; /* registry.c */

    struct limit_state limits;
    struct paced *paced; /* limit_rate; NULL: as fast as the client takes it */
    bool rate_given;     /* $limit_rate was set, to: */
    uint64_t rate;
    struct slowness slowness; /* send_min_rate */

    struct captures captures;
    struct text *values;  /* of own variables, by their slots; NULL: none has any yet */
    unsigned evaluations; /* of own variables inside each other */

    struct response out;
    size_t head_len;       /* of the response head; with all frames' heads */
    int64_t start_msec;    /* clock_now.msec when its first byte was seen */
    uint64_t received;     /* bytes of the request so far: $request_length */
    uint64_t body_sent;    /* $body_bytes_sent */
    bool complete;         /* $request_completion */
    bool logged;           /* counted, and in the access log */
    int64_t io_wait_msec;  /* $io_wait */
    const char *id;        /* $request_id, once asked for */
    struct userid *userid; /* once asked for */
    /* What a location answered stays, also where an internal redirect leads to another one. */
    struct text invalid_referer; /* $invalid_referer, once asked for */
    bool secure_asked;
    /* $secure_link and $secure_link_expires, once $secure_link was asked for. */
    struct text secure_link, secure_expires;
};

/* Room for the struct and a usual request's allocations in one piece. */
enum { REQUEST_SPACE = 4096 };

/* A request of this carrier and client at its beginning, without a server yet: route_begin(). NULL:
 * no memory. */
struct request *request_create(struct worker *w, struct carrier *carrier, const struct client *client);
/* The same, not counted: one that nobody has sent, for variables of a connection. */
struct request *request_create_unseen(struct worker *w, struct carrier *carrier, const struct client *client);
void request_destroy(struct request *r); /* after steps_abandon() */

/* What the request waited for is there; see carrier.h. May end the request. */
static inline void request_resume(struct request *r)
{
    r->carrier->ops->resume(r);
}

/* A line in the error log of the request's location, with nginx's tail: client, server, request,
 * host. */
void request_log(struct request *r, enum log_level level, int err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same for a path that could not be opened, by `guard` (may be NULL): open() "PATH" failed (13:
 * ...). Where Landlock may have refused it, the line says which directive would not. */
struct open_options;
void request_log_open(struct request *r, enum log_level level, int err, struct text path,
                      const struct open_options *guard);

/* The same, and behind the error " while " and what was being done. */
void request_log_doing(struct request *r, enum log_level level, int err, const char *doing, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The same where there is no request: in the error log of the address' default server, with the
 * client and the address. */
void client_log(const struct client *client, enum log_level level, int err, const char *doing, const char *message);

/* Why its connection takes no more, -errno: a line, unless the client went away, or the way to it. */
void client_log_sending(const struct client *client, int error);

#endif
