/* parse.h - bytes to a request's head: a strict pre-scan, then llhttp. The only door to llhttp. RFC
 * 9112.
 *
 * The head must lie in one piece of memory; spans point into it. Everything ambiguous is refused:
 * see parse_scan(). */
#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

#include "base/arena.h"
#include "http/syntax/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What HTTP/1 says beside the message: RFC 9112, sections 6, 9.3 and 10.1.1 of RFC 9110. */
struct framing {
    bool keep_alive; /* by version and Connection */
    bool chunked;
    bool expect_continue; /* Expect: 100-continue, HTTP/1.1 only */
};

static inline bool has_body(const struct message *m, const struct framing *f)
{
    return f->chunked || m->length > 0;
}

/* What the pre-scan of a so far incomplete head has seen; zero it before the first byte. */
struct scan {
    size_t at; /* bytes looked at */
    size_t line_start;
    unsigned lines; /* complete ones; the request line is the first */
    bool odd_names; /* a field has more in its name than letters, digits and hyphens */
    bool skipped;   /* an empty line before it was taken off */
};

/* SCAN_BAD: bare LF or CR, NUL or other control byte, obs-fold, empty or malformed field name,
 * space before the colon, anything but METHOD SP target SP HTTP/d.d in the request line, # or 8-bit
 * bytes in the target. */
enum scan_result {
    SCAN_MORE,     /* not complete yet */
    SCAN_COMPLETE, /* the head ends at scan->at */
    SCAN_BAD       /* 400 */
};

/* Looks at the new bytes only: bytes[0..len) is the head so far; no byte is needed beyond it. One
 * empty line before the request line (RFC 9112, 2.2) is taken off by parse_skip_empty(), to be
 * called before each scan; it returns how many bytes are to be left out. */
enum scan_result parse_scan(struct scan *scan, const char *bytes, size_t len);
size_t parse_skip_empty(struct scan *scan, const char *bytes, size_t len);

/* Whether a field's name is one of letters, digits, hyphens, and perhaps underscores. */
bool parse_name_is_plain(struct text name, bool underscores);

/* A complete head (SCAN_COMPLETE) to a message and its framing. 0, or the status to answer before
 * closing: 400, 413 (Content-Length overflow), 431 (more than `most` fields), 500 (no memory), 501
 * (a method nobody knows, a transfer coding other than chunked), 505 (not HTTP/1). Checks
 * Host (RFC 9112, 3.2: exactly one on 1.1, at most one on 1.0, of valid form), Content-Length and
 * Transfer-Encoding (RFC 9112, 6), and refuses a second one of the fields that nginx wants once.
 * `arena`: for headers. What was understood before the refusal stays in *m; line, method_name and
 * version always. */
int parse_head(struct message *m, struct framing *f, const char *head, size_t len, unsigned most, struct arena *arena);

/* For the log, what is known of a head that was refused, or of which only a part came: the request
 * line as far as it goes, of that the parts before the first malformed one, then the complete
 * fields (at most `most`) before the first malformed one, and the name in Host where that is valid.
 * A method is text alone: m->method is METHOD_GET. Returns how many bytes the complete and
 * well-formed lines have. */
size_t parse_known(struct message *m, struct text bytes, unsigned most, struct arena *arena);

/* A body that is read and thrown away. */
struct body {
    bool chunked;
    bool done;
    uint64_t left;    /* of a Content-Length body */
    uint64_t seen;    /* body bytes so far, framing not counted */
    uint64_t framing; /* bytes of chunk heads and trailers: callers cap it */
    void *decoder;    /* llhttp state for chunked, in the arena */
};

/* 0 or -ENOMEM. */
int body_begin(struct body *b, const struct message *m, const struct framing *f, struct arena *arena);

/* Takes bytes off the body; returns how many (the rest is the next request), or -EINVAL when the
 * framing is broken (400 and close). Sets b->done at the end, after trailers, which are ignored.
 * Same strictness as the head: bare LF is refused. */
ssize_t body_take(struct body *b, const char *bytes, size_t len);

#endif
