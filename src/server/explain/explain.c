/* explain.c - `sluice explain`: reads the command line and the configuration, makes the request
 * that a client would send, and prints what http/explain/explain.c finds out about it. Nothing is bound,
 * sent or logged. */
#include "server/explain/explain.h"

#include "base/log.h"
#include "base/number.h"
#include "http/explain/explain.h"
#include "http/syntax/uri.h"
#include "server/confine/privileges.h"
#include "server/confine/sandbox.h"
#include "server/process/running.h"
#include "server/process/start.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIELDS_MOST = 100, HOST_SIZE = 256, HTTP_PORT = 80, NO_PORT = -1, TOPIC_WIDTH = 10 };

struct asked {
    struct options options;          /* -c, -p, -g */
    const char *method;              /* -X, -I */
    const char *listen;              /* -l; NULL: chosen by the URL */
    struct address client;           /* -a */
    const char *fields[FIELDS_MOST]; /* -H */
    unsigned count;
    struct text authority; /* of the URL; absent: it is only a path */
    struct text target;    /* path and query as they will be sent */
    char host[HOST_SIZE];  /* without port, lower-case; that of -H 'Host:' wins over the URL's */
    int port;              /* of the URL */
    char address_why[80];
    struct running running;
};

__attribute__((format(printf, 1, 2))) static int fail(const char *format, ...)
{
    va_list args;

    fputs("sluice explain: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return -EINVAL;
}

/* ---- the command line ---- */

static void print_help(FILE *out)
{
    fputs("Usage: sluice explain [-c file] [-p prefix] [-g directives] [-l address:port]\n"
          "                      [-a address] [-X method] [-I] [-H 'name: value']... URL\n"
          "\n"
          "Says which server, location and file would answer, with which status and fields, and what would\n"
          "move the bytes and why. Reads the configuration, opens the file, sends nothing. For directio auto\n"
          "it looks at what the running server (that of the pid file) has counted, where it may.\n"
          "\n"
          "  -c, -p, -g    : the configuration, as for the server\n"
          "  -l address    : the address that the request comes in at (default: what fits the URL)\n"
          "  -a address    : that of the client, or unix: (default: 127.0.0.1, ::1 or unix:, as what is listened on)\n"
          "  -X method     : GET, unless this says otherwise; -I is -X HEAD\n"
          "  -H field      : a field of the request, e.g. -H 'Range: bytes=0-99'; may be given again\n"
          "  URL           : http://host[:port]/path, or only /path\n",
          out);
}

static int add_field(struct asked *a, const char *line)
{
    if (a->count == FIELDS_MOST)
        return fail("more than %d fields", FIELDS_MOST);
    if (!strchr(line, ':') || strpbrk(line, "\r\n"))
        return fail("-H takes one field, 'name: value', not \"%s\"", line);
    a->fields[a->count++] = line;
    return 0;
}

/* A client's address has no port that matters. */
static int set_client(struct asked *a, const char *value)
{
    memset(&a->client, 0, sizeof(a->client));
    if (inet_pton(AF_INET, value, &a->client.in4.sin_addr) == 1)
        a->client.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, value, &a->client.in6.sin6_addr) == 1)
        a->client.any.sa_family = AF_INET6;
    else if (strcmp(value, "unix:") == 0)
        a->client.any.sa_family = AF_UNIX;
    else
        return fail("-a takes an address as 192.0.2.1 or 2001:db8::1, or unix:, not \"%s\"", value);
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
    case 'H':
        return add_field(a, value);
    case ':':
        return fail("option \"-%c\" wants a value", optopt);
    default:
        return fail("invalid option: \"-%c\"", optopt);
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
        return fail("invalid host in the URL: \"%.*s\"", TEXT_ARG(authority));
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

static bool names_host(const struct asked *a)
{
    for (unsigned i = 0; i < a->count; i++) {
        if (strncasecmp(a->fields[i], "host:", 5) == 0)
            return true;
    }
    return false;
}

/* 0; 1: help was asked for; -EINVAL. */
static int parse_line(struct asked *a, int argc, char **argv, struct arena *arena)
{
    int letter, rc = 0;

    opterr = 0;
    optind = 1;
    while (rc == 0 && (letter = getopt(argc, argv, ":c:p:g:e:l:a:X:IH:h")) != -1) {
        if (letter == 'h')
            return 1;
        rc = set_option(a, letter, optarg);
    }
    if (rc < 0)
        return rc;
    if (optind + 1 != argc)
        return fail("%s", optind == argc ? "there is no URL; -h shows the usage" : "more than one URL");
    rc = parse_url(a, argv[optind], arena);
    if (rc == 0)
        take_host_field(a);
    return rc;
}

/* ---- the address that the request comes in at ---- */

static bool is_wildcard(const struct address *a)
{
    return a->any.sa_family == AF_INET    ? a->in4.sin_addr.s_addr == htonl(INADDR_ANY)
           : a->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr)
                                          : false;
}

/* The IP address that `host` is: "127.0.0.1", "[::1]", or localhost. False: it is a name. */
static bool ip_of(const char *host, struct address *ip)
{
    char text[INET6_ADDRSTRLEN];
    size_t len = strlen(host);

    memset(ip, 0, sizeof(*ip));
    ip->any.sa_family = AF_INET;
    if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, &ip->in4.sin_addr) == 1)
        return true;
    if (len < 3 || len - 2 >= sizeof(text) || host[0] != '[')
        return false;
    memcpy(text, host + 1, len - 2);
    text[len - 2] = '\0';
    ip->any.sa_family = AF_INET6;
    return inet_pton(AF_INET6, text, &ip->in6.sin6_addr) == 1;
}

static bool same_ip(const struct address *a, const struct address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    return a->any.sa_family == AF_INET ? a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr
                                       : IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
}

static bool name_is_known_at(const struct http_main *http, const struct address *address, struct text host)
{
    list_each (&http->servers, node, tmp) {
        const struct server *s = container_of(node, struct server, node);

        list_each (&s->listens, l, next) {
            if (address_equal(&container_of(l, struct server_listen, node)->address, address) && explain_name(s, host))
                return true;
        }
    }
    return false;
}

/* How well an address fits, and why. 0: a connection to that host and port does not come in
 * there. */
enum fit { FIT_NONE, FIT_SOME, FIT_WILDCARD, FIT_NAME, FIT_EXACT };

static enum fit fit_of(const struct asked *a, const struct http_main *http, const struct address *address)
{
    struct address ip;

    if (ip_of(a->host, &ip)) {
        if (address->any.sa_family == AF_UNIX)
            return FIT_NONE;
        if (same_ip(&ip, address))
            return FIT_EXACT;
        if (is_wildcard(address)) /* [::] may take IPv4, too */
            return address->any.sa_family == ip.any.sa_family ? FIT_WILDCARD : FIT_SOME;
        return strcmp(a->host, "localhost") == 0 ? FIT_SOME : FIT_NONE;
    }
    if (a->host[0] && name_is_known_at(http, address, text_of(a->host)))
        return FIT_NAME;
    return is_wildcard(address) ? FIT_WILDCARD : FIT_SOME;
}

/* The best of those on `port` (NO_PORT: of all); the first of equals. */
static const struct http_address *best_address(const struct asked *a, const struct http_main *http, int port,
                                               enum fit *best)
{
    const struct http_address *found = NULL;

    *best = FIT_NONE;
    for (unsigned i = 0; i < http->address_count; i++) {
        const struct http_address *h = &http->addresses[i];
        enum fit fit = fit_of(a, http, &h->address);

        if ((port != NO_PORT && address_port(&h->address) != port) || fit <= *best)
            continue;
        *best = fit;
        found = h;
    }
    return found;
}

static const char *fit_text(enum fit fit)
{
    static const char *const texts[] = {
        [FIT_NONE] = "",
        [FIT_SOME] = "the first that takes such a connection",
        [FIT_WILDCARD] = "every address of this machine",
        [FIT_NAME] = "a server here has this name",
        [FIT_EXACT] = "the address that the URL names",
    };
    return texts[fit];
}

static int no_address(const struct asked *a, const struct http_main *http)
{
    struct buffer known;
    char text[ADDRESS_TEXT_SIZE];

    buffer_init(&known);
    for (unsigned i = 0; i < http->address_count; i++) {
        address_format(&http->addresses[i].address, true, text);
        buffer_printf(&known, "%s%s", i > 0 ? ", " : "", text);
    }
    if (a->listen)
        fail("nothing listens on %s; there are: %.*s", a->listen, (int)known.len, known.data);
    else if (a->port != NO_PORT)
        fail("nothing listens on %s port %d; there are: %.*s", a->host, a->port, (int)known.len, known.data);
    else
        fail("nothing listens on %s; there are: %.*s", a->host, (int)known.len, known.data);
    buffer_fini(&known);
    return -EADDRNOTAVAIL;
}

static int given_address(const struct asked *a, struct explain_options *o)
{
    struct address given[16];
    unsigned count;
    const char *error;

    if (address_parse(text_of(a->listen), HTTP_PORT, given, 16, &count, &error) < 0)
        return fail("%s in \"%s\"", error, a->listen);
    for (unsigned i = 0; i < o->http->address_count; i++) {
        if (!address_equal(&o->http->addresses[i].address, &given[0]))
            continue;
        o->address = &o->http->addresses[i];
        o->address_why = "-l says so";
        return 0;
    }
    return no_address(a, o->http);
}

static int choose_address(struct asked *a, struct explain_options *o)
{
    enum fit fit;

    if (a->listen)
        return given_address(a, o);
    o->address = best_address(a, o->http, a->port != NO_PORT ? a->port : HTTP_PORT, &fit);
    if (!o->address && a->port == NO_PORT) /* a proxy may stand before it */
        o->address = best_address(a, o->http, NO_PORT, &fit);
    if (!o->address)
        return no_address(a, o->http);
    snprintf(a->address_why, sizeof(a->address_why), "%s%s",
             o->http->address_count == 1 ? "the only one" : fit_text(fit),
             a->host[0] && a->port == NO_PORT && address_port(&o->address->address) != HTTP_PORT ? " (none has port 80)"
                                                                                                 : "");
    o->address_why = a->address_why;
    return 0;
}

/* ---- the request ---- */

static void compose(const struct asked *a, const struct http_address *address, struct buffer *head)
{
    buffer_printf(head, "%s %.*s HTTP/1.1\r\n", a->method, TEXT_ARG(a->target));
    if (!names_host(a)) {
        struct text name = address->dflt->name.len > 0 ? address->dflt->name : TEXT("localhost");
        buffer_printf(head, "Host: %.*s\r\n", TEXT_ARG(a->authority.at ? a->authority : name));
    }
    for (unsigned i = 0; i < a->count; i++)
        buffer_printf(head, "%s\r\n", a->fields[i]);
    buffer_add_str(head, "\r\n");
}

/* ---- what is printed ---- */

struct printer {
    unsigned steps;
    bool bold;
};

/* What a terminal would take for a command is shown as \x1b. */
static void print_safely(const char *bytes, size_t len, bool lines)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (lines && c == '\r')
            continue;
        if ((c < ' ' && !(lines && c == '\n')) || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static void on_tell(void *arg, const char *topic, const char *words)
{
    struct printer *p = arg;

    if (topic)
        printf("%3u. %s%-*s%s ", ++p->steps, p->bold ? "\033[1m" : "", TOPIC_WIDTH, topic, p->bold ? "\033[0m" : "");
    else
        printf("%*s", TOPIC_WIDTH + 6, "");
    print_safely(words, strlen(words), false);
    putchar('\n');
}

static bool may_be_bold(void)
{
    const char *term = getenv("TERM"), *plain = getenv("NO_COLOR");

    return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0 && !(plain && *plain);
}

static void print_title(const struct asked *a, const struct cycle *c, bool as_worker)
{
    print_safely(a->method, strlen(a->method), false);
    putchar(' ');
    print_safely(a->target.at, a->target.len, false);
    if (a->host[0])
        printf(" for %s", a->host);
    if (as_worker)
        printf(", as user %s", c->main->user.name);
    printf("\n\n");
}

/* ---- all of it ---- */

/* Files are opened as the one that a worker would be, as far as we may. */
static int become_worker(const struct cycle *c, bool *changed)
{
    bool as_worker = c->main->master_process && c->main->user.name && geteuid() == 0;

    *changed = as_worker;
    if (!c->main->master_process)
        return 0;
    int rc = privileges_settle(c->main, 0, sandbox_conf_of(c)->capabilities);
    if (rc == 0)
        sandbox_enter_files(c);
    return rc;
}

static int explain(struct asked *a, struct cycle *c)
{
    char folder[PATH_MAX];
    struct printer printer = {.bold = may_be_bold()};
    struct explain_options o = {.http = c->http,
                                .io = c->io,
                                .aio_requests = (unsigned)c->events->aio_requests,
                                .client = a->client,
                                .tell = on_tell,
                                .arg = &printer};
    struct buffer request, head;
    bool as_worker;
    int rc;

    if (!c->http || c->http->address_count == 0)
        return fail("%s has no \"server\": nothing is served", c->source->name);
    if (choose_address(a, &o) < 0)
        return -EINVAL;
    if (getcwd(folder, sizeof(folder) - 1) && strcmp(folder, "/") != 0)
        o.folder = strcat(folder, "/");
    /* Before the privileges go: the kernel lets root look, and the user that the server was started
     * by. */
    running_ask(&a->running, c->main->pid);
    o.admission = a->running.admission;
    o.admission_why = a->running.why;
    rc = become_worker(c, &as_worker);
    if (rc < 0)
        return rc;
    buffer_init(&request);
    buffer_init(&head);
    compose(a, o.address, &request);
    o.head = (struct text){request.data, request.len};
    log_terminal_name = NULL;
    log_main = c->log; /* kept shut: what goes wrong is part of the explanation */
    print_title(a, c, as_worker);
    rc = request.failed ? -ENOMEM : explain_request(&o, &head);
    if (rc < 0)
        fail("%s", strerror(-rc));
    if (head.len > 0) {
        putchar('\n');
        print_safely(head.data, head.len, true);
    }
    buffer_fini(&request);
    buffer_fini(&head);
    return fflush(stdout) == 0 ? rc : -errno;
}

int explain_run(int argc, char **argv)
{
    struct asked a = {.method = "GET"};
    static struct cycle_source source;
    struct log *terminal = log_main;
    struct cycle *c = NULL;
    struct arena arena;
    int rc;

    arena_init(&arena, 4096);
    rc = parse_line(&a, argc, argv, &arena);
    if (rc == 1)
        print_help(stdout);
    log_file_stay_shut();
    if (rc == 0)
        rc = start_source(&source, &a.options);
    if (rc == 0)
        rc = cycle_read(&c, &source);
    if (rc == 0)
        rc = explain(&a, c);
    log_main = terminal;
    cycle_destroy(c, false);
    running_forget(&a.running);
    arena_fini(&arena);
    return rc < 0 ? 1 : 0;
}
