/* privileges.c - what a worker gives up and takes on before it serves. The order is nginx's. */
#include "server/confine/privileges.h"

#include "base/log.h"
#include "server/conf/cpu.h"
#include "server/confine/capabilities.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* `env NAME` keeps what the master was started with; all else but TZ goes. */
static void set_environment(const struct env_conf *list)
{
    static char *none[] = {NULL};
    char **old = environ;

    environ = none;
    for (char **p = old; *p; p++) {
        if (strncmp(*p, "TZ=", 3) == 0)
            putenv(*p);
    }
    for (const struct env_conf *env = list; env; env = env->next) {
        size_t len = strlen(env->text);

        if (strchr(env->text, '=')) {
            putenv(strdup(env->text));
            continue;
        }
        for (char **p = old; *p; p++) {
            if (strncmp(*p, env->text, len) == 0 && (*p)[len] == '=')
                putenv(*p);
        }
    }
}

static void set_limit(__rlimit_resource_t resource, const char *name, int64_t value)
{
    const struct rlimit limit = {(rlim_t)value, (rlim_t)value};

    if (setrlimit(resource, &limit) < 0)
        log_alert(errno, "setrlimit(%s, %lld) failed", name, (long long)value);
}

void privileges_set_limits(const struct main_conf *conf)
{
    struct rlimit files;

    if (conf->rlimit_nofile.set)
        set_limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", conf->rlimit_nofile.value);
    else if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (conf->rlimit_core.set)
        set_limit(RLIMIT_CORE, "RLIMIT_CORE", conf->rlimit_core.value);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < (rlim_t)conf->events->connections)
        log_warn(0, "%lld worker_connections exceed open file resource limit: %lld",
                 (long long)conf->events->connections, (long long)files.rlim_cur);
}

/* Root without capabilities, as in a container, is root in name only, and cannot become another. */
static int become(const struct user_conf *user)
{
    if (!user->name || geteuid() != 0 || (user->by_default && capabilities_none()))
        return 0;
    if (setgid(user->gid) < 0) {
        log_emerg(errno, "setgid(%d) failed", (int)user->gid);
        return -EPERM;
    }
    if (initgroups(user->name, user->gid) < 0)
        log_emerg(errno, "initgroups(%s, %d) failed", user->name, (int)user->gid);
    if (setuid(user->uid) < 0) {
        log_emerg(errno, "setuid(%d) failed", (int)user->uid);
        return -EPERM;
    }
    return 0;
}

static void bind_to_cpus(const struct affinity_conf *a, unsigned n)
{
    cpu_set_t mask;

    if (a->count == 0)
        return;
    if (a->automatic) {
        int cpu = cpu_of_worker(&a->masks[0], n);

        if (cpu < 0)
            return;
        CPU_ZERO(&mask);
        CPU_SET((size_t)cpu, &mask);
    } else {
        mask = a->masks[n < a->count ? n : a->count - 1];
    }
    if (sched_setaffinity(0, sizeof mask, &mask) < 0)
        log_alert(errno, "sched_setaffinity() failed");
}

int privileges_settle(const struct main_conf *conf, unsigned n, bool drop_capabilities)
{
    int rc;

    set_environment(conf->env);
    if (conf->priority_set && setpriority(PRIO_PROCESS, 0, (int)conf->priority) < 0)
        log_alert(errno, "setpriority(%d) failed", (int)conf->priority);
    privileges_set_limits(conf);
    if (drop_capabilities)
        capabilities_unbound();
    rc = become(&conf->user);
    if (rc < 0)
        return rc;
    bind_to_cpus(&conf->affinity, n);
    /* Linux forbids core files after a change of user; who sets their size wants them. */
    if (conf->rlimit_core.set && prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0)
        log_alert(errno, "prctl(PR_SET_DUMPABLE) failed");
    if (conf->working_directory && chdir(conf->working_directory) < 0) {
        log_alert(errno, "chdir(\"%s\") failed", conf->working_directory);
        return -errno;
    }
    return 0;
}
