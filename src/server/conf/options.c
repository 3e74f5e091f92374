/* options.c - the command line: letters may be run together (-tq), and a value may follow its
 * letter or stand alone, as with nginx. */
#include "server/conf/options.h"

#include "base/paths.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

struct line {
    int argc;
    char *const *argv;
    int at; /* the argument under way */
};

__attribute__((format(printf, 2, 3))) static int fail(struct options *o, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(o->error, sizeof o->error, format, args);
    va_end(args);
    return -EINVAL;
}

static int set_signal(struct options *o, const char *name)
{
    static const struct {
        const char *name;
        int signal;
    } signals[] = {{"stop", SIGTERM}, {"quit", SIGQUIT}, {"reopen", SIGUSR1}, {"reload", SIGHUP}};

    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        if (strcmp(name, signals[i].name) == 0) {
            o->signal = signals[i].signal;
            return 0;
        }
    }
    return fail(o, "invalid option: \"-s %s\"", name);
}

/* Letters without a value. */
static bool set_switch(struct options *o, char letter)
{
    switch (letter) {
    case '?':
    case 'h':
        o->version = o->help = true;
        return true;
    case 'v':
        o->version = true;
        return true;
    case 'V':
        o->version = o->build = true;
        return true;
    case 't':
        o->test = true;
        return true;
    case 'T':
        o->test = o->dump = true;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    default:
        return false;
    }
}

/* Letters with one; *what says what it is, for the error. */
static const char **value_of(struct options *o, char letter, const char **what)
{
    static const char *signal_name;

    switch (letter) {
    case 'p':
        *what = "directory name";
        return &o->prefix;
    case 'c':
        *what = "file name";
        return &o->conf_file;
    case 'e':
        *what = "file name";
        return &o->error_log;
    case 'g':
        *what = "parameter";
        return &o->globals;
    case 's':
        *what = "parameter";
        return &signal_name;
    case 'l':
        *what = "address";
        return &o->listen;
    default:
        return NULL;
    }
}

static int parse_letters(struct options *o, struct line *line, const char *letters)
{
    for (const char *p = letters; *p; p++) {
        const char *what = NULL;
        const char **value;

        if (set_switch(o, *p))
            continue;
        value = value_of(o, *p, &what);
        if (!value)
            return fail(o, "invalid option: \"%c\"", *p);
        if (p[1] != '\0')
            *value = p + 1;
        else if (line->at + 1 < line->argc)
            *value = line->argv[++line->at];
        else
            return fail(o, "option \"-%c\" requires %s", *p, what);
        return *p == 's' ? set_signal(o, *value) : 0;
    }
    return 0;
}

static int parse_long(struct options *o, const char *name)
{
    if (strcmp(name, "--help") == 0)
        return parse_letters(o, NULL, "h");
    if (strcmp(name, "--version") == 0)
        return parse_letters(o, NULL, "v");
    if (strcmp(name, "--tls") == 0) {
        o->tls = true;
        return 0;
    }
    if (strcmp(name, "--qr") == 0) {
        o->qr = true;
        return 0;
    }
    if (strcmp(name, "--directives") != 0)
        return fail(o, "invalid option: \"%s\"", name);
    o->reference = true;
    return 0;
}

static int parse_one(struct options *o, struct line *line)
{
    const char *word = line->argv[line->at];

    if (strncmp(word, "--", 2) == 0)
        return parse_long(o, word);
    if (word[0] == '-')
        return word[1] ? parse_letters(o, line, word + 1) : fail(o, "invalid option: \"-\"");
    if (o->directory || word[0] == '\0')
        return fail(o, "invalid option: \"%s\"", word);
    o->directory = word;
    return 0;
}

/* A directory is served with built-in settings: what chooses other settings, or another process,
 * does not go with it. */
static int check(struct options *o)
{
    const char *other = o->conf_file ? "-c"
                        : o->prefix  ? "-p"
                        : o->signal  ? "-s"
                        : o->dump    ? "-T"
                        : o->test    ? "-t"
                                     : NULL;

    if (o->directory && other)
        return fail(o, "option \"%s\" does not go with a directory (\"%s\")", other, o->directory);
    if (o->listen && !o->directory)
        return fail(o, "option \"-l\" goes with a directory; a configuration file has \"listen\"");
    if (o->tls && !o->directory)
        return fail(o, "option \"--tls\" goes with a directory; a configuration file has \"listen ... ssl\"");
    if (o->qr && !o->directory)
        return fail(o, "option \"--qr\" goes with a directory");
    return 0;
}

int options_parse(struct options *options, int argc, char *const *argv)
{
    struct line line = {.argc = argc, .argv = argv, .at = 1};

    memset(options, 0, sizeof *options);
    for (; line.at < argc; line.at++) {
        int rc = parse_one(options, &line);

        if (rc < 0)
            return rc;
    }
    return check(options);
}

void options_print_help(FILE *out)
{
    fputs("Usage: sluice DIR [-l address:port] [--tls] [--qr]\n"
          "       sluice [options]\n"
          "       sluice explain [-c filename] [-X method] [-H field]... URL\n"
          "       sluice dict OLD... NEW [--dcz] [--dcb] [-o FILE]\n"
          "       sluice hash DIR [-o FILE] [--xattr] [--check] [--threads N]\n"
          "       sluice healthcheck [-c filename] [--timeout time] [URL]\n"
          "       sluice tune DIR [--json] [--time seconds]\n"
          "\n"
          "sluice DIR serves a directory at once:\n"
          "  -l address    : listen there (default: 127.0.0.1:8080, or the next free port)\n"
          "  --tls         : HTTPS (port 8443), with a certificate made for localhost\n"
          "  --qr          : listen on every address, and draw a QR code of the network's\n"
          "\n"
          "Options:\n"
          "  -?,-h         : this help\n"
          "  -v, -V        : show version, with -V build, and exit\n"
          "  -t, -T [-q]   : test configuration, with -T dump it, and exit; -q: say only errors\n"
          "  -s signal     : send signal to a master process: stop, quit, reopen, reload\n"
          "  -p prefix     : set prefix path (default: " SLUICE_PREFIX ")\n"
          "  -e filename   : set error log (default: " SLUICE_ERROR_LOG_PATH ")\n"
          "  -c filename   : set configuration (default: " SLUICE_CONF_PATH ")\n"
          "  -g directives : set global directives out of configuration file\n",
          out);
}
