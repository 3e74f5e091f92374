/* status.c - status codes: reason phrases and short pages, worded as nginx words them. Pure; called
 * by respond.c and head.c. */
#include "http/syntax/status.h"

#include <errno.h>

struct status {
    int code;
    const char *line;  /* "404 Not Found" */
    const char *title; /* of the page, where it is not `line` */
    const char *more;  /* a line of its own on the page */
    bool page;
};

/* 494 to 497 are nginx's own; clients see 400. */
static const struct status table[] = {
    {100, "100 Continue", NULL, NULL, false},
    {101, "101 Switching Protocols", NULL, NULL, false},
    {200, "200 OK", NULL, NULL, false},
    {201, "201 Created", NULL, NULL, false},
    {202, "202 Accepted", NULL, NULL, false},
    {204, "204 No Content", NULL, NULL, false},
    {206, "206 Partial Content", NULL, NULL, false},
    {301, "301 Moved Permanently", NULL, NULL, true},
    {302, "302 Moved Temporarily", "302 Found", NULL, true},
    {303, "303 See Other", NULL, NULL, true},
    {304, "304 Not Modified", NULL, NULL, false},
    {307, "307 Temporary Redirect", NULL, NULL, true},
    {308, "308 Permanent Redirect", NULL, NULL, true},
    {400, "400 Bad Request", NULL, NULL, true},
    {401, "401 Unauthorized", "401 Authorization Required", NULL, true},
    {402, "402 Payment Required", NULL, NULL, true},
    {403, "403 Forbidden", NULL, NULL, true},
    {404, "404 Not Found", NULL, NULL, true},
    {405, "405 Not Allowed", NULL, NULL, true},
    {406, "406 Not Acceptable", NULL, NULL, true},
    {408, "408 Request Time-out", NULL, NULL, true},
    {409, "409 Conflict", NULL, NULL, true},
    {410, "410 Gone", NULL, NULL, true},
    {411, "411 Length Required", NULL, NULL, true},
    {412, "412 Precondition Failed", NULL, NULL, true},
    {413, "413 Request Entity Too Large", NULL, NULL, true},
    {414, "414 Request-URI Too Large", NULL, NULL, true},
    {415, "415 Unsupported Media Type", NULL, NULL, true},
    {416, "416 Requested Range Not Satisfiable", NULL, NULL, true},
    {421, "421 Misdirected Request", NULL, NULL, true},
    {425, "425 Too Early", NULL, NULL, true},
    {429, "429 Too Many Requests", NULL, NULL, true},
    {431, "431 Request Header Fields Too Large", NULL, NULL, true},
    {494, "400 Bad Request", "400 Request Header Or Cookie Too Large", "Request Header Or Cookie Too Large", true},
    {495, "400 Bad Request", "400 The SSL certificate error", "The SSL certificate error", true},
    {496, "400 Bad Request", "400 No required SSL certificate was sent", "No required SSL certificate was sent", true},
    {497, "400 Bad Request", "400 The plain HTTP request was sent to HTTPS port",
     "The plain HTTP request was sent to HTTPS port", true},
    {500, "500 Internal Server Error", NULL, NULL, true},
    {501, "501 Not Implemented", NULL, NULL, true},
    {502, "502 Bad Gateway", NULL, NULL, true},
    {503, "503 Service Temporarily Unavailable", NULL, NULL, true},
    {504, "504 Gateway Time-out", NULL, NULL, true},
    {505, "505 HTTP Version Not Supported", NULL, NULL, true},
    {507, "507 Insufficient Storage", NULL, NULL, true},
};

enum { TABLE_LENGTH = sizeof table / sizeof table[0], FIRST = 100, LAST = 999 };

static const struct status *find(int code)
{
    size_t low = 0, high = TABLE_LENGTH;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (table[middle].code == code)
            return &table[middle];
        if (table[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* "299 ": made once for every code that a configuration may name. */
static struct text digits(int code)
{
    static char lines[LAST - FIRST + 1][4];
    if (code < FIRST || code > LAST)
        code = 500;
    char *line = lines[code - FIRST];
    line[2] = (char)('0' + code % 10);
    line[1] = (char)('0' + code / 10 % 10);
    line[0] = (char)('0' + code / 100);
    line[3] = ' ';
    return (struct text){line, 4};
}

struct text status_line(int status)
{
    if (status == 200)
        return TEXT("200 OK");
    const struct status *s = find(status);
    return s ? text_of(s->line) : digits(status);
}

struct text status_page(int status, struct text server, struct arena *arena)
{
    const struct status *s = find(status);
    if (!s || !s->page)
        return TEXT_NONE;
    const char *title = s->title ? s->title : s->line;
    /* nginx's heading differs from its title only where there is a line below it. */
    const char *heading = s->more ? s->line : title;
    const struct text parts[] = {
        TEXT("<html>\r\n<head><title>"),
        text_of(title),
        TEXT("</title></head>\r\n<body>\r\n<center><h1>"),
        text_of(heading),
        TEXT("</h1></center>\r\n"),
        s->more ? TEXT("<center>") : TEXT_NONE,
        text_of(s->more),
        s->more ? TEXT("</center>\r\n") : TEXT_NONE,
        TEXT("<hr><center>"),
        server,
        TEXT("</center>\r\n</body>\r\n</html>\r\n"),
    };
    return arena_join(arena, parts, sizeof parts / sizeof *parts);
}

int status_of_errno(int error)
{
    switch (error < 0 ? -error : error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return 404;
    case EACCES:
    case EPERM:
    case ELOOP:
    case EMLINK:
    case EXDEV: /* a path that openat2() keeps beneath its root */
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        return 503;
    default:
        return 500;
    }
}

bool status_is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool status_is_fatal(int status)
{
    switch (status) {
    case 400:
    case 408:
    case 413:
    case 414:
    case 431:
    case 500:
    case 501:
    case 505:
        return true;
    default:
        return false;
    }
}
