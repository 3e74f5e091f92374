/* h2_peer.h - a client's half of an HTTP/2 connection, over bytes alone: frames of any content out,
 * and what a server sends held against RFC 9113.
 *
 * h2_feed() ends the test when the server breaks a rule that holds always: more DATA than the windows
 * allow, frames after the end of a stream, a malformed head, a body that content-length does not
 * announce, frames longer than allowed. So every test that uses this is a test of these. */
#ifndef H2_PEER_H
#define H2_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum h2_type {
    H2_DATA,
    H2_HEADERS,
    H2_PRIORITY,
    H2_RST_STREAM,
    H2_SETTINGS,
    H2_PUSH_PROMISE,
    H2_PING,
    H2_GOAWAY,
    H2_WINDOW_UPDATE,
    H2_CONTINUATION,
    H2_PRIORITY_UPDATE = 16,
};
enum { H2_ACK = 1, H2_END_STREAM = 1, H2_END_HEADERS = 4, H2_PADDED = 8, H2_PRIORITIZED = 0x20 };
enum { H2_HEADER_TABLE_SIZE = 1, H2_ENABLE_PUSH, H2_MAX_STREAMS, H2_INITIAL_WINDOW, H2_MAX_FRAME, H2_MAX_LIST };
enum { H2_SETTINGS_KNOWN = 10 }; /* the numbers below are kept in h2.settings */

extern const char h2_preface[]; /* 24 bytes */
enum { H2_PREFACE = 24, H2_FRAME_HEAD = 9 };

struct h2_stream {
    uint32_t id;
    int status;       /* of the final head; 0: it is not there */
    unsigned interim; /* heads of 1xx before it */
    char *head;       /* lines "name: value\n"; NULL: not there */
    char *trailers;
    char *body; /* NUL-terminated; NULL while empty, and with h2.on_data */
    size_t len;
    int64_t window;  /* what the server may still send */
    int64_t room;    /* what we may still send */
    int64_t taken;   /* of the window since the last WINDOW_UPDATE, with h2.gives_back */
    bool no_body;    /* the request was HEAD */
    bool ended;      /* END_STREAM came */
    bool reset;      /* RST_STREAM came */
    uint32_t code;   /* of RST_STREAM */
    bool given_up;   /* RST_STREAM went: what comes is not looked at */
    uint64_t number; /* of h2.received when it ended or was reset */
    void *user;
};

struct h2_bytes {
    char *at;
    size_t len, cap;
};

struct h2 {
    struct h2_bytes out, in;
    void *inflater, *deflater;
    struct h2_stream **streams;
    size_t count, cap;
    int64_t window, taken, room;
    int64_t initial, initial_room; /* of new streams */
    struct h2_pending {
        int64_t initial, table; /* -1: not among them */
    } pending[64];              /* SETTINGS that are not acknowledged */
    unsigned pending_first, pending_count;
    bool gives_back; /* WINDOW_UPDATE for all DATA, when half of a window is used up */
    bool answers;    /* SETTINGS and PING are acknowledged */
    void (*on_data)(struct h2 *h, struct h2_stream *s, const char *bytes, size_t len);

    uint32_t settings[H2_SETTINGS_KNOWN];           /* the server's */
    unsigned settings_frames, settings_acks, pings; /* SETTINGS, and acknowledgements of ours */
    uint64_t received;                              /* bytes of DATA of all streams */
    uint64_t frames[32];                            /* by type */
    uint64_t updates;                               /* increments of the connection's window that the server gave */
    uint32_t block_stream;                          /* a header block goes on; 0: none */
    bool block_ends_stream;
    struct h2_bytes block;
    unsigned goaways;
    uint32_t goaway_code, goaway_last;
};

void h2_init(struct h2 *h);
void h2_fini(struct h2 *h);

/* ---- out: into h->out ---- */

void h2_put(struct h2_bytes *b, const void *bytes, size_t len);
void h2_put_number(struct h2_bytes *b, uint64_t value, unsigned octets);
/* A literal, not Huffman coded; `indexed`: with incremental indexing. */
void h2_put_field(struct h2_bytes *b, const char *name, const char *value, bool indexed);
/* A frame; what it changes (windows, streams, settings) is followed. */
void h2_frame(struct h2 *h, unsigned type, unsigned flags, uint32_t stream, const void *bytes, size_t len);
/* Its head says `length`, whatever follows. */
void h2_frame_lying(struct h2 *h, unsigned type, unsigned flags, uint32_t stream, const void *bytes, size_t len,
                    size_t length);
void h2_setting(struct h2 *h, unsigned id, uint32_t value);
void h2_window_update(struct h2 *h, uint32_t stream, uint32_t increment);
void h2_reset(struct h2 *h, uint32_t stream, uint32_t code);
/* The preface and SETTINGS without a row. */
void h2_begin(struct h2 *h);
/* HEADERS of a request, compressed as a browser would; `fields`: lines "name: value\n", or "". */
void h2_request(struct h2 *h, uint32_t stream, bool ends, const char *method, const char *path, const char *fields);
/* The same with all of its fields given, ":method" and its like among them. */
void h2_request_of(struct h2 *h, uint32_t stream, bool ends, const char *fields);

/* ---- in ---- */

void h2_feed(struct h2 *h, const void *bytes, size_t len);
struct h2_stream *h2_stream(struct h2 *h, uint32_t id); /* NULL: never opened */
/* The value of a field in `head`, in one of 8 static buffers; NULL: absent. */
const char *h2_field(const char *head, const char *name);

const char *h2_error_name(uint32_t code);
const char *const *h2_error_names(void); /* NULL at the end */

#endif
