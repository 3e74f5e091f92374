/* healthcheck.c - `sluice healthcheck`: one request, one line, exit code 0 or 1; for images without
 * a shell, and for scripts.
 *
 * All of it blocks: a timer ends the process where it takes too long, whatever it waits for. */
#include "server/command/healthcheck.h"

#include "base/log.h"
#include "base/number.h"
#include "base/version.h"
#include "healthcheck_target.h"
#include "net/tls/dial.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { TIMEOUT_MSEC = 1000, ANSWER_MOST = 4096 };

struct check {
    struct options options;
    const char *what; /* the URL or path; NULL: none was given */
    int64_t timeout;  /* msec */
    struct target target;
    char answer[ANSWER_MOST + 1];
};

static void help(void)
{
    fputs(
        "Usage: sluice healthcheck [-c filename] [-p prefix] [-g directives] [--timeout time] [URL]\n"
        "\n"
        "Asks a server once, and says in one line how it is. Exit code 0: it answers well (2xx, 3xx); 1: it does not.\n"
        "Without a URL, the configuration says where to ask: a location with \"health\", else \"/\", where any answer\n"
        "below 500 will do.\n"
        "\n"
        "  -c, -p, -g      : the configuration, as for the server\n"
        "  --timeout time  : how long it may take (default: 1s)\n"
        "  URL             : http[s]://host[:port][/path], or only /path\n",
        stdout);
}

/* ---- the line ---- */

static int unhealthy(const char *where, const char *what, const char *why)
{
    fprintf(stderr, "unhealthy: %s: %s%s%s\n", where, what, why ? ": " : "", why ? why : "");
    return 1;
}

/* Of what a server sends, only what a terminal cannot mistake for a command. */
static void print_first_line(FILE *out, const char *body)
{
    for (int left = 80; left > 0 && *body >= ' ' && *body < 0x7f; left--)
        fputc(*body++, out);
}

static int judge(struct check *k)
{
    const char *blank = strstr(k->answer, "\r\n\r\n");
    int minor, status;

    if (sscanf(k->answer, "HTTP/1.%1d %3d", &minor, &status) != 2 || status < 100)
        return unhealthy(k->target.shown, k->answer[0] ? "the answer is not HTTP" : "closed without an answer", NULL);
    bool well = status >= 200 && (k->target.any ? status < 500 : status < 400);
    FILE *out = well ? stdout : stderr;
    fprintf(out, "%s: %s: %d ", well ? "healthy" : "unhealthy", k->target.shown, status);
    if (k->target.any)
        fputs("(no location has \"health\")", out);
    else
        print_first_line(out, blank ? blank + 4 : "");
    fputc('\n', out);
    return well ? 0 : 1;
}

/* ---- the time ---- */

static char late[TARGET_HOST + TARGET_PATH + 120];
static volatile sig_atomic_t late_len;

static void on_late(int signal)
{
    (void)signal;
    if (write(STDERR_FILENO, late, (size_t)late_len) < 0)
        _exit(1);
    _exit(1);
}

/* What is said when the time is over, and from now on. */
static void say_when_late(const struct check *k, const char *where)
{
    int len = snprintf(late, sizeof late, "unhealthy: %s: no answer within %lld ms\n", where, (long long)k->timeout);

    late_len = len < (int)sizeof late ? len : (int)sizeof late - 1;
}

static void limit(const struct check *k)
{
    struct sigaction action = {.sa_handler = on_late};
    struct itimerval timer = {.it_value = {k->timeout / 1000, k->timeout % 1000 * 1000}};

    say_when_late(k, k->what ? k->what : "the configuration");
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---- the question ---- */

static const char *reason(long rc, const char *doing)
{
    if (rc == -ENOSYS && strcmp(doing, "TLS handshake") == 0)
        return "this sluice was built without TLS";
    return strerror((int)-rc);
}

static int ask(struct check *k)
{
    struct target *t = &k->target;
    const struct dial d = {.to = &t->address, .proxy_header = t->proxy_header, .tls = t->tls, .name = NULL};
    char request[TARGET_HOST + TARGET_PATH + 160];
    const char *doing;
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sluice-healthcheck/" SLUICE_VERSION
                       "\r\nAccept: text/plain, */*\r\nConnection: close\r\n\r\n",
                       t->path, t->host);
    long n = dial(&d, (struct text){request, (size_t)len}, k->answer, ANSWER_MOST, &doing);

    if (n < 0)
        return unhealthy(t->shown, doing, reason(n, doing));
    k->answer[n] = '\0';
    return judge(k);
}

static int find_target(struct check *k)
{
    if (k->what && k->what[0] != '/')
        return target_of_url(&k->target, k->what);
    return target_of_configuration(&k->target, &k->options, k->what);
}

/* ---- the command line ---- */

static int misused(const char *what, const char *value)
{
    fprintf(stderr, "sluice healthcheck: %s%s%s%s\n", what, value ? " \"" : "", value ? value : "", value ? "\"" : "");
    return -EINVAL;
}

static int set_timeout(struct check *k, const char *value)
{
    if (number_parse_msec(text_of(value), &k->timeout) < 0 || k->timeout <= 0)
        return misused("--timeout takes a time as 500ms or 2s, not", value);
    return 0;
}

static int set_option(struct check *k, int letter, char *const *argv)
{
    switch (letter) {
    case 'c':
        k->options.conf_file = optarg;
        return 0;
    case 'p':
        k->options.prefix = optarg;
        return 0;
    case 'g':
        k->options.globals = optarg;
        return 0;
    case 't':
        return set_timeout(k, optarg);
    case ':':
        return misused("a value is missing after", argv[optind - 1]);
    default:
        return misused("invalid option", argv[optind - 1]);
    }
}

/* 0; 1: help was asked for; -EINVAL, and it was said why. */
static int parse(struct check *k, int argc, char **argv)
{
    static const struct option longer[] = {
        {"timeout", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int letter, rc = 0;

    opterr = 0;
    optind = 1;
    while (rc == 0 && (letter = getopt_long(argc, argv, ":c:p:g:h", longer, NULL)) != -1) {
        if (letter == 'h')
            return 1;
        rc = set_option(k, letter, argv);
    }
    if (rc == 0 && optind + 1 < argc)
        return misused("more than one URL:", argv[optind + 1]);
    k->what = optind < argc ? argv[optind] : NULL;
    return rc;
}

int healthcheck_run(int argc, char **argv)
{
    static struct check k = {.timeout = TIMEOUT_MSEC};
    struct log *terminal = log_main;
    int rc = parse(&k, argc, argv);

    if (rc == 1)
        help();
    if (rc != 0)
        return rc == 1 ? 0 : 1;
    limit(&k);
    rc = find_target(&k);
    log_main = terminal;
    if (rc < 0)
        return k.target.error[0] ? unhealthy(k.what ? k.what : "the configuration", k.target.error, NULL) : 1;
    say_when_late(&k, k.target.shown);
    return ask(&k);
}
