/* error_log.c - `error_log`: where to, and how much. Its rows live in the modules of the contexts
 * it stands in. */
#include "conf/error_log.h"

#include <errno.h>
#include <string.h>

static void on_arena_gone(void *arg)
{
    log_file_close(arg);
}

const char *error_log_add(struct arena *arena, struct log **log, const char *path, enum log_level level)
{
    struct log_output **end;
    struct log_output *output = arena_zalloc(arena, sizeof *output);
    int rc;

    if (!*log) {
        *log = arena_zalloc(arena, sizeof **log);
        if (*log)
            (*log)->level = LEVEL_EMERG;
    }
    if (!output || !*log)
        return "no memory";
    rc = log_file_open(&output->file, path, 0, 0);
    if (rc == -EINVAL && strncmp(path, "syslog:", 7) == 0)
        return arena_printf(arena, "invalid syslog parameter in \"%s\"", path);
    if (rc < 0)
        return arena_printf(arena, "open() \"%s\" failed (%d: %s)", path, -rc, strerror(-rc));
    if (arena_at_fini(arena, on_arena_gone, output->file) < 0) {
        log_file_close(output->file);
        return "no memory";
    }
    output->level = level;
    if (level > (*log)->level)
        (*log)->level = level;
    for (end = &(*log)->outputs; *end;)
        end = &(*end)->next;
    *end = output;
    return NULL;
}

/* nginx's debug_core, debug_http ... select parts of its own code: all of them are `debug` here. */
static const char *parse_level(struct conf *cf, enum log_level *level)
{
    *level = LEVEL_ERROR;
    for (unsigned i = 2; i < cf->count; i++) {
        bool debug = text_starts(cf->args[i], TEXT("debug_"));

        if (log_level_parse(debug ? "debug" : cf->args[i].at, level) < 0)
            return conf_error(cf, "invalid log level \"%s\"", cf->args[i].at);
        if (i > 2 && !debug)
            return conf_error(cf, "duplicate log level \"%s\"", cf->args[i].at);
    }
    return NULL;
}

static bool is_stream(const char *path)
{
    return strcmp(path, "stderr") == 0 || strcmp(path, "/dev/stderr") == 0 || strncmp(path, "syslog:", 7) == 0;
}

const char *conf_set_error_log(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct log **log = slot;
    const char *path = cf->args[1].at;
    const char *error;
    enum log_level level;

    (void)row;
    if (text_starts(cf->args[1], TEXT("memory:")))
        return conf_error(cf, "\"memory:\" logs are not supported");
    error = parse_level(cf, &level);
    if (error)
        return error;
    if (!is_stream(path))
        path = conf_full_path(cf, cf->args[1]);
    if (!path)
        return conf_error(cf, "no memory");
    error = error_log_add(cf->arena, log, path, level);
    return error ? conf_error(cf, "%s", error) : NULL;
}
