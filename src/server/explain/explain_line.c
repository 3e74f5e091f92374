/* explain_line.c - the command line of `sluice explain`: options, fields, and the URL in its
 * parts. */
#include "explain_private.h"

#include "base/number.h"
#include "http/syntax/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

int explain_fail(const char *format, ...)
{
    va_list args;

    fputs("sluice explain: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return -EINVAL;
}

void explain_help(FILE *out)
{
    fputs("Usage: sluice explain [-c file] [-p prefix] [-g directives] [-l address:port]\n"
          "                      [-a address] [-X method] [-I] [-H 'name: value']... [--http2] URL\n"
          "\n"
          "Says which server, location and file would answer, with which status and fields, and what would\n"
          "move the bytes and why. Reads the configuration, opens the file, sends nothing. For directio auto\n"
          "it looks at what the running server (that of the pid file) has counted, where it may.\n"
          "\n"
          "  -c, -p, -g    : the configuration, as for the server\n"
          "  -l address    : the address that the request comes in at (default: what fits the URL)\n"
          "  -a address    : that of the client, or unix: (default: 127.0.0.1, ::1 or unix:, as what is listened on)\n"
          "  -X method     : GET, unless this says otherwise; -I is -X HEAD\n"
          "  --http2       : the client speaks HTTP/2, where the server does\n"
          "  -H field      : a field of the request, e.g. -H 'Range: bytes=0-99'; may be given again\n"
          "  URL           : http[s]://host[:port]/path, or only /path\n",
          out);
}

static int add_field(struct asked *a, const char *line)
{
    if (a->count == FIELDS_MOST)
        return explain_fail("more than %d fields", FIELDS_MOST);
    if (!strchr(line, ':') || strpbrk(line, "\r\n"))
        return explain_fail("-H takes one field, 'name: value', not \"%s\"", line);
    a->fields[a->count++] = line;
    return 0;
}

/* A client's address has no port that matters. */
static int set_client(struct asked *a, const char *value)
{
    memset(&a->client, 0, sizeof a->client);
    if (inet_pton(AF_INET, value, &a->client.in4.sin_addr) == 1)
        a->client.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, value, &a->client.in6.sin6_addr) == 1)
        a->client.any.sa_family = AF_INET6;
    else if (strcmp(value, "unix:") == 0)
        a->client.any.sa_family = AF_UNIX;
    else
        return explain_fail("-a takes an address as 192.0.2.1 or 2001:db8::1, or unix:, not \"%s\"", value);
    return 0;
}

static int set_option(struct asked *a, int letter, const char *value)
{
    switch (letter) {
    case 'c':
        a->options.conf_file = value;
        return 0;
    case 'p':
        a->options.prefix = value;
        return 0;
    case 'g':
        a->options.globals = value;
        return 0;
    case 'e': /* taken, as for the server; nothing is logged */
        return 0;
    case 'l':
        a->listen = value;
        return 0;
    case 'a':
        return set_client(a, value);
    case 'X':
        a->method = value;
        return 0;
    case 'I':
        a->method = "HEAD";
        return 0;
    case '2':
        a->http2 = true;
        return 0;
    case 'H':
        return add_field(a, value);
    case ':':
        return explain_fail("option \"-%c\" wants a value", optopt);
    default:
        return explain_fail("invalid option: \"-%c\"", optopt);
    }
}

static void lower_into(char out[HOST_SIZE], struct text host)
{
    size_t len = host.len < HOST_SIZE ? host.len : HOST_SIZE - 1;

    for (size_t i = 0; i < len; i++)
        out[i] = text_lower(host.at[i]);
    out[len] = '\0';
}

static int parse_authority(struct asked *a, struct text authority)
{
    struct text host, port;
    uint64_t number;

    if (!uri_authority(authority, &host) || host.len >= HOST_SIZE)
        return explain_fail("invalid host in the URL: \"%.*s\"", TEXT_ARG(authority));
    a->authority = authority;
    lower_into(a->host, host);
    port = text_from(authority, host.len);
    if (text_starts(port, TEXT(".")))
        port = text_from(port, 1);
    if (text_starts(port, TEXT(":")) && number_parse(text_from(port, 1), &number) == 0)
        a->port = (int)number;
    return 0;
}

/* [http[s]://]host[:port][/path][?args][#...], or a path. */
static int parse_url(struct asked *a, const char *word, struct arena *arena)
{
    struct text url = {word, strcspn(word, "#")};
    const struct text schemes[] = {TEXT("http://"), TEXT("https://")};
    size_t end = 0;

    a->port = NO_PORT;
    a->target = url;
    if (text_starts(url, TEXT("/")))
        return 0;
    for (unsigned i = 0; i < 2; i++) {
        if (url.len >= schemes[i].len && text_equal_nocase((struct text){url.at, schemes[i].len}, schemes[i])) {
            url = text_from(url, schemes[i].len);
            a->scheme = i == 0 ? URL_HTTP : URL_HTTPS;
            break;
        }
    }
    while (end < url.len && url.at[end] != '/' && url.at[end] != '?')
        end++;
    a->target = text_from(url, end);
    if (!text_starts(a->target, TEXT("/")))
        a->target = text_of(arena_printf(arena, "/%.*s", TEXT_ARG(a->target)));
    return parse_authority(a, (struct text){url.at, end});
}

/* The host that counts is the one that the request names. */
static void take_host_field(struct asked *a)
{
    for (unsigned i = 0; i < a->count; i++) {
        struct text line = text_of(a->fields[i]), name = {line.at, text_find(line, ':')}, host;

        if (!text_equal_nocase(name, TEXT("host")))
            continue;
        a->authority = TEXT_NONE;
        a->host[0] = '\0';
        if (uri_authority(text_trim(text_from(line, name.len + 1)), &host))
            lower_into(a->host, host);
    }
}

int explain_parse(struct asked *a, int argc, char **argv, struct arena *arena)
{
    static const struct option longer[] = {{"http2", no_argument, NULL, '2'}, {NULL, 0, NULL, 0}};
    int letter, rc = 0;

    opterr = 0;
    optind = 1;
    while (rc == 0 && (letter = getopt_long(argc, argv, ":c:p:g:e:l:a:X:IH:h", longer, NULL)) != -1) {
        if (letter == 'h')
            return 1;
        if (letter == '?' && optopt == 0)
            return explain_fail("invalid option: \"%s\"", argv[optind - 1]);
        rc = set_option(a, letter, optarg);
    }
    if (rc < 0)
        return rc;
    if (optind + 1 != argc)
        return explain_fail("%s", optind == argc ? "there is no URL; -h shows the usage" : "more than one URL");
    rc = parse_url(a, argv[optind], arena);
    if (rc == 0)
        take_host_field(a);
    return rc;
}
