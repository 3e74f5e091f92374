/* scripted.h - a carrier of requests for unit tests: streams of one client, several at a time, as a
 * protocol with many streams on a connection has them. The test says which one goes on next. */
#ifndef SCRIPTED_H
#define SCRIPTED_H

#include "http/configured.h"

#include "base/buffer.h"
#include "http/worker/worker.h"

/* Rows of http { }: what a log line tells of each; who may say for whom a request is. */
#define LOGGED                                                                                                         \
    "log_format each '$connection.$connection_requests $remote_addr $realip_remote_addr $request_uri $status '\n"      \
    "                '$body_bytes_sent $remote_user $limit_rate $sent_http_stream $request_completion';\n"             \
    "access_log @/log each; error_log @/errors info;\n"                                                                \
    "set_real_ip_from 192.0.2.0/24; real_ip_header X-Forwarded-For;\n"

#define SERVER(text) "server { listen 127.0.0.1:1; root %; " text "}"

enum { FIELDS_MOST = 8 };

/* A worker and a client. */
struct scene {
    struct configured conf;
    struct loop *loop;
    struct worker worker;
    struct client client, as_it_was;
    struct timer *guard;
    struct deferred next_turn; /* streams that wait for nothing go on */
    struct deferred turn_end;  /* stops the loop where nothing is left to wait for */
    struct list streams;       /* that have not ended, in the order of their beginning */
    unsigned begun;
    bool memory_only; /* streams that begin from now on: their transport has no sendfile */
    bool one_turn;
    struct buffer order; /* a letter of each stream for each time that it sent something */
};

/* A request, and what its client got. */
struct stream {
    struct list node; /* in scene->streams */
    struct carrier carrier;
    struct scene *scene;
    struct request *request; /* NULL: it has ended */
    struct transport transport;
    struct sink sink;
    struct header headers[FIELDS_MOST];
    char letter;       /* in scene->order: A is the first stream */
    bool waits;        /* to be resumed */
    bool sends;        /* its body is under way */
    unsigned resumed;  /* how often */
    size_t window;     /* bytes that the client takes each time it is asked; 0: all */
    size_t taken;      /* of the window */
    struct buffer got; /* the body */
    int status;        /* of its end */
    bool failed;       /* what was promised could not be sent */
};

/* `conf`: the inside of http { }, where @ stands for unit_dir(), and % for a folder on a disk where
 * there is one. The client comes from 192.0.2.1. */
void scene_open(struct scene *s, const char *conf);
void scene_close(struct scene *s); /* no stream is left; the client is what it was */

/* A GET of `target` at host "h". Then pairs of texts: names and values of further fields; NULL. */
void stream_begin(struct scene *s, struct stream *st, const char *target, ...);

/* One step of its way, or one turn to send. It does not wait, and has not ended. */
void stream_step(struct stream *st);

/* Steps of both in turns, outside of the loop, until each waits or has ended. */
void streams_step(struct stream *a, struct stream *b);

/* Until all streams of the scene have ended. */
void scene_run(struct scene *s);

/* Until something has happened. */
void scene_turn(struct scene *s);

/* The client wants no more of it. */
void stream_cut(struct stream *st);

void stream_free(struct stream *st); /* it has ended */

/* `text` with @ and % as in scene_open(); one at a time. */
const char *scene_text(const char *text);

void scene_write(const char *name, off_t size); /* a pattern file */

/* The client got the pattern file of this size. */
void stream_check(const struct stream *st, size_t size);

void scene_check_file(const char *name, const char *part); /* `part` is in the file, below unit_dir() */
void scene_check_logged(const char *part);                 /* in the access log */
unsigned scene_lines_logged(void);

#endif
