/* main_conf.c - the directives of the main context.
 * https://nginx.org/en/docs/ngx_core_module.html */
#include "server/conf/main_conf.h"

#include "base/number.h"
#include "base/paths.h"
#include "conf/error_log.h"
#include "server/conf/cpu.h"
#include "server/conf/cycle.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS_MOST = 1024 };

static bool is_only_read(const struct conf *cf)
{
    const struct cycle *c = cf->user;

    return c && c->source->only_read;
}

static const char *set_user(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct user_conf *user = slot;
    const char *group_name = cf->args[cf->count - 1].at;
    struct passwd *account;
    struct group *group;

    (void)row;
    if (geteuid() != 0) {
        conf_warn(cf, "the \"user\" directive makes sense only if the master process runs with super-user privileges, "
                      "ignored");
        return NULL;
    }
    if (is_only_read(cf))
        return NULL;
    errno = 0;
    account = getpwnam(cf->args[1].at);
    if (!account)
        return errno ? conf_error(cf, "getpwnam(\"%s\") failed (%d: %s)", cf->args[1].at, errno, strerror(errno))
                     : conf_error(cf, "getpwnam(\"%s\") failed", cf->args[1].at);
    user->name = cf->args[1].at;
    user->uid = account->pw_uid;
    errno = 0;
    group = getgrnam(group_name);
    if (!group)
        return errno ? conf_error(cf, "getgrnam(\"%s\") failed (%d: %s)", group_name, errno, strerror(errno))
                     : conf_error(cf, "getgrnam(\"%s\") failed", group_name);
    user->gid = group->gr_gid;
    return NULL;
}

static const char *set_worker_processes(struct conf *cf, const struct conf_row *row, void *slot)
{
    int64_t *workers = slot;
    uint64_t value;

    (void)row;
    if (text_equal(cf->args[1], TEXT("auto"))) {
        *workers = cpu_usable();
        *cf->workers = (unsigned)*workers;
        return NULL;
    }
    if (number_parse(cf->args[1], &value) < 0 || value == 0 || value > WORKERS_MOST)
        return conf_error(cf, "invalid value in \"worker_processes\" directive (1 to %d, or \"auto\")", WORKERS_MOST);
    *workers = (int64_t)value;
    *cf->workers = (unsigned)value;
    return NULL;
}

static const char *set_affinity_mask(struct conf *cf, struct text digits, cpu_set_t *mask)
{
    switch (cpu_mask_parse(digits, mask)) {
    case -ERANGE:
        return conf_error(cf, "\"worker_cpu_affinity\" supports up to %d CPUs only", CPU_SETSIZE);
    case -EINVAL:
        return conf_error(cf, "invalid character in CPU mask \"%s\"", digits.at);
    default:
        return NULL;
    }
}

static const char *set_affinity(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct affinity_conf *a = slot;
    unsigned first = 1;

    (void)row;
    a->masks = arena_zalloc(cf->arena, cf->count * sizeof *a->masks);
    if (!a->masks)
        return conf_error(cf, "no memory");
    if (text_equal(cf->args[1], TEXT("auto"))) {
        if (cf->count > 3)
            return conf_error(cf, "invalid number of arguments in \"worker_cpu_affinity\" directive");
        a->automatic = true;
        first = 2;
        if (cf->count == 2 && sched_getaffinity(0, sizeof *a->masks, &a->masks[a->count++]) < 0)
            return conf_error(cf, "sched_getaffinity() failed (%d: %s)", errno, strerror(errno));
    }
    for (unsigned i = first; i < cf->count; i++) {
        const char *error = set_affinity_mask(cf, cf->args[i], &a->masks[a->count++]);

        if (error)
            return error;
    }
    return NULL;
}

/* -20 .. 20, with a sign or without. */
static const char *set_priority(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct main_conf *mc = conf_values(cf->block, &server_main_module);
    struct text t = cf->args[1];
    bool minus = text_starts(t, TEXT("-"));
    uint64_t value;

    (void)row;
    (void)slot;
    if (minus || text_starts(t, TEXT("+")))
        t = text_from(t, 1);
    if (number_parse(t, &value) < 0 || value > 20)
        return conf_error(cf, "invalid number \"%s\"", cf->args[1].at);
    mc->priority = minus ? -(int64_t)value : (int64_t)value;
    mc->priority_set = true;
    return NULL;
}

static const char *set_env(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct env_conf **end = slot;
    struct env_conf *env = arena_zalloc(cf->arena, sizeof *env);

    (void)row;
    if (!env)
        return conf_error(cf, "no memory");
    if (cf->args[1].len == 0 || cf->args[1].at[0] == '=')
        return conf_error(cf, "invalid variable \"%s\" in \"env\" directive", cf->args[1].at);
    env->text = cf->args[1].at;
    while (*end)
        end = &(*end)->next;
    *end = env;
    return NULL;
}

static const char *set_events(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct main_conf *mc = conf_values(cf->block, &server_main_module);
    struct conf_block *block;
    const char *error;

    (void)row;
    (void)slot;
    error = conf_block(cf, CONF_EVENTS, NULL, &block, NULL);
    if (!error)
        mc->events = conf_values(block, &events_module);
    return error;
}

static const char *set_load_module(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    (void)slot;
    return conf_error(cf, "\"load_module\" is not supported: sluice has no loadable modules; remove the line");
}

/* As root without `user`: nobody, as nginx. */
static const char *finish_user(struct conf *cf, struct main_conf *mc)
{
    struct passwd *account;

    if (mc->user.name || geteuid() != 0 || is_only_read(cf))
        return NULL;
    account = getpwnam("nobody");
    if (!account)
        return conf_error(cf, "there is no user \"nobody\" to run workers as; name another with \"user\"");
    mc->user.name = "nobody";
    mc->user.by_default = true;
    mc->user.uid = account->pw_uid;
    mc->user.gid = account->pw_gid;
    return NULL;
}

static const char *finish(struct conf *cf, struct conf_block *block, void *values)
{
    struct main_conf *mc = values;

    (void)block;
    if (!mc->events)
        return conf_error(cf, "no \"events\" section in configuration");
    if (mc->affinity.count > 0 && !mc->affinity.automatic && mc->affinity.count != 1 &&
        mc->affinity.count != (uint64_t)mc->worker_processes)
        conf_warn(cf, "the number of \"worker_processes\" is not equal to the number of \"worker_cpu_affinity\" masks, "
                      "using last mask for remaining worker processes");
    if (getpid() == 1)
        mc->daemon = false; /* with process 1, a container ends */
    return finish_user(cf, mc);
}

/* A file, or none: where no path can be written, as in a container, and signals come from what
 * started the server. */
static const char *set_pid(struct conf *cf, const struct conf_row *row, void *slot)
{
    if (!text_equal(cf->args[1], TEXT("off")))
        return conf_set_path(cf, row, slot);
    *(const char **)slot = NULL;
    return NULL;
}

static const char *set_limit(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct limit_conf *limit = slot;

    limit->set = true;
    return conf_set_size(cf, row, &limit->value);
}

static const struct conf_row rows[] = {
    {"user", CONF_MAIN, CONF_TAKE12, set_user, CONF_SLOT(struct main_conf, user),
     .help = "User and group of the workers, where the master is root; without a group, the group of the user's name. "
             "Without this line: nobody, and root itself where it has no capabilities.",
     .syntax = "user [group]"},
    {"worker_processes", CONF_MAIN, CONF_TAKE1, set_worker_processes, CONF_SLOT(struct main_conf, worker_processes),
     .dflt = "1", .help = "How many workers; `auto`: one per CPU that may be used.", .syntax = "number | auto",
     .differs = "`auto` counts the CPUs of the affinity mask and of the cgroup's quota, not those of the machine"},
    {"worker_cpu_affinity", CONF_MAIN, CONF_1MORE, set_affinity, CONF_SLOT(struct main_conf, affinity),
     .help = "Binds workers to CPUs: a mask of 0 and 1 per worker, or `auto` for one CPU each.",
     .syntax = "cpumask ... | auto [cpumask]"},
    {"worker_rlimit_nofile", CONF_MAIN, CONF_TAKE1, set_limit, CONF_SLOT(struct main_conf, rlimit_nofile),
     .help = "Limit of open descriptors of a worker.", .syntax = "number",
     .differs = "without it the soft limit is raised to the hard limit"},
    {"worker_rlimit_core", CONF_MAIN, CONF_TAKE1, set_limit, CONF_SLOT(struct main_conf, rlimit_core),
     .help = "Limit of a worker's core file; lets workers leave one behind.", .syntax = "size"},
    {"worker_shutdown_timeout", CONF_MAIN, CONF_TAKE1, conf_set_msec, CONF_SLOT(struct main_conf, shutdown_timeout),
     .dflt = "0", .help = "How long a graceful stop may take before connections are closed; 0: as long as it takes."},
    {"drain_delay", CONF_MAIN, CONF_TAKE1, conf_set_msec, CONF_SLOT(struct main_conf, drain_delay), .dflt = "0",
     .help = "How long a graceful stop (QUIT) goes on as before, new connections included, while `ready` answers 503: "
             "the time that a balancer needs to notice. A second QUIT ends it; a reload and a change of the binary "
             "need none.",
     .differs = "Not in nginx."},
    {"worker_priority", CONF_MAIN, CONF_TAKE1, set_priority, .help = "Scheduling priority of workers, as nice(1).",
     .syntax = "number"},
    {"working_directory", CONF_MAIN, CONF_TAKE1, conf_set_path, CONF_SLOT(struct main_conf, working_directory),
     .help = "Current directory of workers; core files land there."},
    {"daemon", CONF_MAIN, CONF_FLAG, conf_set_flag, CONF_SLOT(struct main_conf, daemon), .dflt = "on",
     .help = "Run in the background. The command returns when the server serves, or says why it does not; from then on "
             "the server's standard error is the first file of error_log.",
     .differs = "as process 1, that of a container, it stays in the foreground"},
    {"master_process", CONF_MAIN, CONF_FLAG, conf_set_flag, CONF_SLOT(struct main_conf, master_process), .dflt = "on",
     .help = "Off: one process does everything, for debugging."},
    {"reload_on_change", CONF_MAIN, CONF_FLAG, conf_set_flag, CONF_SLOT(struct main_conf, reload_on_change),
     .dflt = "off",
     .help =
         "Reload, as by HUP, when a file of the configuration has changed: one that was read, a link on the way to "
         "it (`..data` of a ConfigMap of Kubernetes), one that an `include` with a pattern would read now, a file of "
         "ssl_certificate and other ssl_ directives. Changes that follow within 200 ms are one. What is wrong is "
         "logged, and the configuration before stays in use.",
     .differs = "Not in nginx. With master_process off it has no effect."},
    {"pid", CONF_MAIN, CONF_TAKE1, set_pid, CONF_SLOT(struct main_conf, pid), .dflt = SLUICE_PID_PATH,
     .help = "File that holds the master's process id; written once every socket listens, and removed at the end. A "
             "link, a "
             "device or a FIFO of that name is written through and stays, and so is a file in a folder that may not be "
             "written; what stays is emptied. `off`: no file, and no -s.",
     .syntax = "file | off",
     .differs = "nginx removes links, devices and FIFOs, too, when it ends or its pid file moves; `off` is not in "
                "nginx."},
    {"error_log", CONF_MAIN, CONF_1MORE | CONF_REPEAT, conf_set_error_log, CONF_SLOT(struct main_conf, error_log),
     .help =
         "Where errors go, and from which level on: debug, info, notice, warn, error, crit, alert, emerg. May stand "
         "more than once. What is wrong with the configuration itself goes to the file of -e, else the built-in one, "
         "and "
         "to the terminal.",
     .syntax = "file | stderr | syslog:server=... [level]",
     .differs = "without it, and where the built-in file cannot be opened, errors go to stderr; malformed requests and "
                "idle clients that close have no lines at level info"},
    {"env", CONF_MAIN, CONF_TAKE1 | CONF_REPEAT, set_env, CONF_SLOT(struct main_conf, env),
     .help = "Environment variables that workers keep or get; all others but TZ are removed.",
     .syntax = "variable[=value]"},
    {"events", CONF_MAIN, CONF_TAKE0 | CONF_BLOCK, set_events, .help = "Settings of a worker's connections.",
     .syntax = "{ ... }"},
    {"lock_file", CONF_MAIN, CONF_TAKE1, conf_set_accepted, .help = "Accepted; nothing here needs a lock file."},
    {"pcre_jit", CONF_MAIN, CONF_FLAG, conf_set_accepted, .help = "Accepted; PCRE2's JIT is used wherever it works."},
    {"timer_resolution", CONF_MAIN, CONF_TAKE1, conf_set_accepted,
     .help = "Accepted; the time is read once per turn of the loop."},
    {"debug_points", CONF_MAIN, CONF_TAKE1, conf_set_accepted, .help = "Accepted, without effect."},
    {"thread_stack_size", CONF_MAIN, CONF_TAKE1, conf_set_accepted, .help = "Accepted, without effect."},
    {"load_module", CONF_MAIN, CONF_TAKE1 | CONF_REPEAT, set_load_module,
     .help = "An error: there are no loadable modules."},
    {.name = NULL},
};

struct conf_module server_main_module = {
    .name = "Processes",
    .rows = rows,
    .size = sizeof(struct main_conf),
    .levels = CONF_MAIN,
    .finish = finish,
};
