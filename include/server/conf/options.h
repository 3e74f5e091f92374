/* options.h - the command line: nginx's, and `sluice DIR`. Pure.
 * https://nginx.org/en/docs/switches.html */
#ifndef SERVER_CONF_OPTIONS_H
#define SERVER_CONF_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

struct options {
    bool help, version, build; /* -h or -?, -v, -V (both show the version) */
    bool test, dump, quiet;    /* -t, -T (tests too), -q */
    bool reference;            /* --directives: docs/directives.md on stdout */
    int signal;                /* -s; 0: none */
    const char *prefix;        /* -p; NULL: the built-in one, as for the rest */
    const char *conf_file;     /* -c */
    const char *error_log;     /* -e */
    const char *globals;       /* -g */
    const char *directory;     /* sluice DIR */
    const char *listen;        /* -l, with DIR */
    bool tls, qr;              /* --tls, --qr, with DIR */
    char error[256];
};

/* 0, or -EINVAL with options->error. Texts stay in argv. */
int options_parse(struct options *options, int argc, char *const *argv);

void options_print_help(FILE *out);

#endif
