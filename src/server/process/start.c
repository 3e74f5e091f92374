/* start.c - from the command line to a running server: reads the configuration, binds, goes to the
 * background, and hands over to master.c or single.c. */
#include "server/process/start.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/paths.h"
#include "net/tls/tls_tickets.h"
#include "server/process/daemon.h"
#include "server/process/here.h"
#include "server/process/master.h"
#include "server/process/pid_file.h"
#include "server/process/single.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Relative to what the shell calls the current folder, and with a slash at its end. */
static char *prefix_of(const char *given)
{
    char *folder = here_path(given), *prefix = NULL;

    if (folder && asprintf(&prefix, "%s%s", folder, folder[1] ? "/" : "") < 0)
        prefix = NULL;
    free(folder);
    return prefix;
}

static char *join(const char *folder, const char *name)
{
    char *path;

    return asprintf(&path, "%s%s", folder, name) < 0 ? NULL : path;
}

/* A relative -c is below the prefix, as with nginx; where there is no such file, it is what the
 * person who typed it sees. */
static char *conf_path_of(const char *prefix, const char *file)
{
    char *below;

    if (file[0] == '/')
        return strdup(file);
    below = join(prefix, file);
    if (!below || access(below, F_OK) == 0 || access(file, F_OK) < 0)
        return below;
    free(below);
    return here_path(file);
}

int start_source(struct cycle_source *source, const struct options *options)
{
    memset(source, 0, sizeof *source);
    source->prefix = prefix_of(options->prefix ? options->prefix : SLUICE_PREFIX);
    if (source->prefix)
        source->file = conf_path_of(source->prefix, options->conf_file ? options->conf_file : SLUICE_CONF_PATH);
    if (!source->file) {
        log_emerg(ENOMEM, "the configuration could not be read");
        return -ENOMEM;
    }
    source->name = source->file;
    source->globals = options->globals;
    source->error_log = options->error_log;
    source->testing = options->test;
    return 0;
}

static void print_dump(const struct cycle *c)
{
    struct buffer b;

    buffer_init(&b);
    conf_dump_files(&c->conf, &b);
    if (b.len > 0)
        fwrite(b.data, 1, b.len, stdout);
    fflush(stdout);
    buffer_fini(&b);
}

/* All that a start would do, short of serving. */
static int try_out(struct cycle *c)
{
    struct sockets none = {.at = NULL};
    int rc = pid_file_check(c->main->pid);

    return rc < 0 ? rc : cycle_bind(c, &none);
}

int start_test(const struct options *options)
{
    static struct cycle_source source;
    struct cycle *c;
    int rc = start_source(&source, options);

    if (rc < 0)
        return 1;
    rc = cycle_read(&c, &source);
    if (rc == 0) {
        if (!options->quiet)
            fprintf(stderr, "sluice: the configuration file %s syntax is ok\n", source.name);
        rc = try_out(c);
    }
    if (rc < 0) {
        fprintf(stderr, "sluice: configuration file %s test failed\n", source.name);
        return 1;
    }
    if (!options->quiet)
        fprintf(stderr, "sluice: configuration file %s test is successful\n", source.name);
    if (options->dump)
        print_dump(c);
    cycle_destroy(c, true);
    return 0;
}

int start_signal(const struct options *options)
{
    static struct cycle_source source;
    struct cycle *c;
    int rc;

    if (start_source(&source, options) < 0 || cycle_read(&c, &source) < 0)
        return 1;
    rc = pid_file_signal(c->main->pid, options->signal);
    cycle_destroy(c, false);
    return rc < 0 ? 1 : 0;
}

void start_take_force(struct cycle *c, struct sockets *inherited)
{
    sockets_settle(&c->sockets, c->http, inherited);
    sockets_close(inherited, false);
    log_main = c->log;
    if (!c->http)
        log_warn(0, "no \"http\" section in configuration: nothing is served");
}

static int hand_over(struct cycle *c, char *const *argv, pid_t earlier)
{
    int started = -1;

    /* A new binary is in the background already, in the place of the old one. */
    if (c->main->daemon && earlier == 0 && daemon_start(&started) < 0) {
        cycle_destroy(c, true);
        return 1;
    }
    if (c->main->master_process) {
        const struct master_start start = {
            .cycle = c,
            .argv = argv,
            .earlier = earlier,
            .started = started,
        };

        return master_run(&start);
    }
    return single_run(&(struct single_start){.cycle = c, .pid_file = true, .earlier = earlier, .started = started});
}

static void inherit_ticket_keys(void)
{
    int rc = tls_tickets_inherit();

    if (rc < 0)
        log_warn(rc, "the ticket keys of the old binary cannot be used, sessions end with it");
}

int start_run(const struct options *options, char *const *argv)
{
    static struct cycle_source source; /* read again at each reload */
    struct sockets inherited;
    struct cycle *c;
    struct log *terminal = log_main;
    pid_t earlier;

    if (start_source(&source, options) < 0)
        return 1;
    if (!options->conf_file && access(source.file, F_OK) < 0)
        fprintf(stderr, "sluice: there is no configuration; `sluice DIR` serves a directory without one\n");
    source.starting = true;
    if (cycle_read(&c, &source) < 0)
        return 1;
    source.starting = false;
    log_main = c->log; /* what fails from here on is in the log that the configuration names */
    inherit_ticket_keys();
    if (sockets_inherit(&inherited) < 0 || cycle_bind(c, &inherited) < 0) {
        log_main = terminal;
        cycle_destroy(c, true);
        return 1;
    }
    earlier = inherited.earlier;
    start_take_force(c, &inherited);
    return hand_over(c, argv, earlier);
}
