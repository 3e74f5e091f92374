/* request_log.c - the error log's lines about a request, with nginx's tail. */
#include "base/line.h"
#include "file/elsewhere.h"
#include "http/request/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE = 2048 };

static void put_doing(struct line *l, const char *doing)
{
    if (doing)
        line_put(l, TEXT(" while "));
    line_put(l, text_of(doing));
}

static void put_quoted(struct line *l, struct text what, struct text t)
{
    if (!t.at)
        return;
    line_put(l, what);
    line_put(l, t);
    line_put(l, TEXT("\""));
}

/* The rest of a line that has its message. */
static void log_tail(struct request *r, const struct log *log, enum log_level level, struct line *l)
{
    char client[ADDRESS_TEXT_SIZE];

    line_put(l, TEXT(", client: "));
    line_put(l, (struct text){client, peer_format(r->peer, client)});
    line_put(l, TEXT(", server: "));
    line_put(l, r->server->name);
    put_quoted(l, TEXT(", request: \""), r->msg.line);
    put_quoted(l, TEXT(", host: \""), r->msg.fields[FIELD_HOST]);
    put_quoted(l, TEXT(", referrer: \""), r->msg.fields[FIELD_REFERER]);
    log_line(log, level, r->client->number, line_text(l));
}

static const struct log *configured_or_main(const struct log *configured)
{
    return configured ? configured : log_main;
}

static const struct log *log_of(const struct request *r)
{
    return configured_or_main(r->location ? r->location->http->error_log : NULL);
}

static void log_args(struct request *r, enum log_level level, int err, const char *doing, const char *format,
                     va_list args) __attribute__((format(printf, 5, 0)));

static void log_args(struct request *r, enum log_level level, int err, const char *doing, const char *format,
                     va_list args)
{
    const struct log *log = log_of(r);
    char text[LINE_SIZE];
    struct line l = LINE(text);

    if (!log_wants(log, level))
        return;
    int n = vsnprintf(text, sizeof text, format, args);
    l.len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    line_error(&l, err); /* nginx puts it between the message and the tail */
    put_doing(&l, doing);
    log_tail(r, log, level, &l);
}

void request_log(struct request *r, enum log_level level, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_args(r, level, err, NULL, format, args);
    va_end(args);
}

void request_log_doing(struct request *r, enum log_level level, int err, const char *doing, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_args(r, level, err, doing, format, args);
    va_end(args);
}

void request_log_open(struct request *r, enum log_level level, int err, struct text path,
                      const struct open_options *guard)
{
    const struct log *log = log_of(r);
    char text[LINE_SIZE];
    struct line l = LINE(text);

    if (!log_wants(log, level))
        return;
    line_put(&l, TEXT("open() \""));
    line_put(&l, path);
    line_put(&l, TEXT("\" failed"));
    line_error(&l, err);
    if (err == EACCES && elsewhere_refused(path.at, guard))
        line_put(&l, TEXT(", by Landlock: \"landlock_read\" names further paths"));
    log_tail(r, log, level, &l);
}

void client_log(const struct client *client, enum log_level level, int err, const char *doing, const char *message)
{
    const struct log *log = configured_or_main(client->address->dflt->base.http->error_log);
    char text[LINE_SIZE], peer[ADDRESS_TEXT_SIZE], own[ADDRESS_TEXT_SIZE];
    struct line l = LINE(text);

    if (!log_wants(log, level))
        return;
    line_put(&l, text_of(message));
    line_error(&l, err);
    put_doing(&l, doing);
    line_put(&l, TEXT(", client: "));
    line_put(&l, (struct text){peer, peer_format(&client->peer, peer)});
    line_put(&l, TEXT(", server: "));
    line_put(&l, (struct text){own, address_format(&client->address->address, true, own)});
    log_line(log, level, client->number, line_text(&l));
}

void client_log_sending(const struct client *client, int error)
{
    switch (error) {
    case -ECONNRESET:
    case -EPIPE:
    case -ENOTCONN:
    case -ETIMEDOUT:
    case -ECONNABORTED:
    case -ENETDOWN:
    case -ENETUNREACH:
    case -EHOSTDOWN:
    case -EHOSTUNREACH:
        return;
    default:
        log_write(log_main, LEVEL_CRIT, client->number, -error, "sending failed");
    }
}
