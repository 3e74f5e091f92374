/* request_log.c - the error log's lines about a request, with nginx's tail. */
#include "file/elsewhere.h"
#include "http/request/request.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE = 2048 };

static size_t add(char *line, size_t at, const char *format, ...) __attribute__((format(printf, 3, 4)));

static size_t add(char *line, size_t at, const char *format, ...)
{
    va_list args;
    if (at >= LINE_SIZE)
        return at;
    va_start(args, format);
    int n = vsnprintf(line + at, LINE_SIZE - at, format, args);
    va_end(args);
    return n < 0 ? at : at + (size_t)n;
}

/* nginx puts the error between the message and the tail: " (2: No such file or directory)". */
static size_t add_error(char *line, size_t at, int err)
{
    char text[128];
    return err ? add(line, at, " (%d: %s)", err, strerror_r(err, text, sizeof text)) : at;
}

static size_t add_doing(char *line, size_t at, const char *doing)
{
    return doing ? add(line, at, " while %s", doing) : at;
}

/* The rest of a line that has its message up to `at`. */
static void log_tail(struct request *r, const struct log *log, enum log_level level, char line[LINE_SIZE], size_t at)
{
    char client[ADDRESS_TEXT_SIZE];

    peer_format(r->peer, client);
    at = add(line, at, ", client: %s, server: %.*s", client, TEXT_ARG(r->server->name));
    if (r->msg.line.at)
        at = add(line, at, ", request: \"%.*s\"", TEXT_ARG(r->msg.line));
    if (r->msg.fields[FIELD_HOST].at)
        at = add(line, at, ", host: \"%.*s\"", TEXT_ARG(r->msg.fields[FIELD_HOST]));
    if (r->msg.fields[FIELD_REFERER].at)
        add(line, at, ", referrer: \"%.*s\"", TEXT_ARG(r->msg.fields[FIELD_REFERER]));
    log_write(log, level, r->client->number, 0, "%s", line);
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
    char line[LINE_SIZE];

    if (!log_wants(log, level))
        return;
    int n = vsnprintf(line, sizeof line, format, args);
    log_tail(r, log, level, line, add_doing(line, add_error(line, n < 0 ? 0 : (size_t)n, err), doing));
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
    char line[LINE_SIZE];

    if (!log_wants(log, level))
        return;
    size_t at = add_error(line, add(line, 0, "open() \"%.*s\" failed", TEXT_ARG(path)), err);
    if (err == EACCES && elsewhere_refused(path.at, guard))
        at = add(line, at, ", by Landlock: \"landlock_read\" names further paths");
    log_tail(r, log, level, line, at);
}

void client_log(const struct client *client, enum log_level level, int err, const char *doing, const char *message)
{
    const struct log *log = configured_or_main(client->address->dflt->base.http->error_log);
    char line[LINE_SIZE], peer[ADDRESS_TEXT_SIZE], own[ADDRESS_TEXT_SIZE];

    if (!log_wants(log, level))
        return;
    size_t at = add_doing(line, add_error(line, add(line, 0, "%s", message), err), doing);
    peer_format(&client->peer, peer);
    address_format(&client->address->address, true, own);
    add(line, at, ", client: %s, server: %s", peer, own);
    log_write(log, level, client->number, 0, "%s", line);
}
