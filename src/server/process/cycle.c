/* cycle.c - one configuration: read, bound, given up. Used by start.c at start and by the master at
 * a reload. */
#include "server/conf/cycle.h"

#include "base/paths.h"
#include "conf/error_log.h"
#include "http/tls/servers.h"
#include "io/room.h"
#include "server/conf/foreign.h"
#include "server/confine/sandbox.h"
#include "server/process/modules.h"

#include <errno.h>
#include <stdlib.h>

enum { ARENA_CHUNK = 16 * 1024 };

/* The file of -e, else the built-in one. */
static const char *open_first_log(struct cycle *c)
{
    const char *path = c->source->error_log ? c->source->error_log : SLUICE_ERROR_LOG_PATH;

    if (path[0] != '/' && strcmp(path, "stderr") != 0 && strncmp(path, "syslog:", 7) != 0)
        path = arena_printf(&c->arena, "%s%s", c->source->prefix, path);
    return path ? error_log_add(&c->arena, &c->log, path, LEVEL_ERROR) : "no memory";
}

/* Without `error_log` lines; where nothing is installed, or we are nobody in particular, stderr. */
static const char *open_default_log(struct cycle *c)
{
    const char *error = open_first_log(c);

    if (error && !c->source->error_log)
        error = error_log_add(&c->arena, &c->log, "stderr", LEVEL_ERROR);
    return error;
}

/* At a start the log that the configuration names is not known, and who starts it may not be
 * looking. */
static void report(struct cycle *c)
{
    struct log *before = log_main;

    if (c->source->starting && !open_first_log(c))
        log_main = c->log;
    log_emerg(0, "%s", c->conf.error ? c->conf.error : "no memory");
    log_main = before;
}

static int read_rows(struct cycle *c)
{
    uint64_t limit = room_limit("");
    const struct conf_input input = {
        .file = c->source->file,
        .bytes = c->source->bytes,
        .name = c->source->name,
        .globals = text_of(c->source->globals),
        .prefix = c->source->prefix,
        .memory = limit == UINT64_MAX ? 0 : limit,
        .modules = server_modules,
        .foreign = server_foreign,
        .testing = c->source->testing,
        .user = c,
    };
    int rc = conf_read(&input, &c->arena, &c->conf);

    if (rc < 0)
        report(c);
    return rc;
}

/* The one before goes on, as it was. */
static int give_up(struct cycle *c, int rc)
{
    log_file_settings_undo();
    cycle_destroy(c, false);
    return rc;
}

int cycle_read(struct cycle **out, const struct cycle_source *source)
{
    struct cycle *c = calloc(1, sizeof *c);
    const char *error;
    int rc;

    if (!c) {
        log_emerg(ENOMEM, "the configuration could not be read");
        return -ENOMEM;
    }
    arena_init(&c->arena, ARENA_CHUNK);
    c->source = source;
    log_file_settings_begin();
    rc = read_rows(c);
    if (rc < 0)
        return give_up(c, rc);
    c->main = conf_values(c->conf.root, &server_main_module);
    c->events = c->main->events;
    c->io = conf_values(c->conf.root, &io_main_module);
    c->http = http_main_of(c->conf.root);
    c->log = c->main->error_log;
    error = c->log ? NULL : open_default_log(c);
    if (error) {
        log_emerg(0, "%s", error);
        return give_up(c, -EIO);
    }
    sandbox_check(c);
    *out = c;
    return 0;
}

unsigned cycle_workers(const struct cycle *c)
{
    return c->main->master_process ? (unsigned)c->main->worker_processes : 1;
}

static int read_certificates(struct cycle *c)
{
    const char *error = c->http ? tls_servers_open(c->http, &c->arena) : NULL;

    if (error)
        log_emerg(0, "%s", error);
    return error ? -EINVAL : 0;
}

int cycle_bind(struct cycle *c, struct sockets *earlier)
{
    int rc = read_certificates(c);

    if (rc == 0)
        rc = sockets_bind(&c->sockets, c->http, cycle_workers(c), earlier, c->source->testing);

    if (rc < 0)
        log_file_settings_undo();
    return rc;
}

void cycle_destroy(struct cycle *c, bool remove_files)
{
    if (!c)
        return;
    sockets_close(&c->sockets, remove_files);
    arena_fini(&c->arena);
    free(c);
}
