/* sandbox.c - a process that serves gives up what it will not need, so that an exploited worker can
 * do little. Called by worker.c and single.c; each part can be switched off, and is left out where
 * the kernel lacks it. */
#include "server/confine/sandbox.h"

#include "base/log.h"
#include "server/confine/capabilities.h"
#include "server/confine/landlock.h"
#include "server/confine/opener.h"
#include "server/confine/sandbox_paths.h"
#include "server/confine/seccomp.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

/* Of gcc's and clang's coverage, where the program has it. */
extern void __gcov_init(void *) __attribute__((weak));
extern int __llvm_profile_write_file(void) __attribute__((weak));

/* Sanitizers trace their own process at its end, coverage writes files: neither works in here. */
static bool is_instrumented(void)
{
    return SANITIZED || __gcov_init || __llvm_profile_write_file;
}

/* ---- the parts: what to say about each, or NULL with *missing set ---- */

struct said {
    char text[256];
    size_t len;
};

static void say(struct said *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct said *s, const char *format, ...)
{
    va_list args;

    if (s->len > 0 && s->len + 2 < sizeof s->text)
        s->len += (size_t)snprintf(s->text + s->len, sizeof s->text - s->len, ", ");
    va_start(args, format);
    int n = vsnprintf(s->text + s->len, sizeof s->text - s->len, format, args);
    va_end(args);
    if (n > 0)
        s->len += (size_t)n < sizeof s->text - s->len ? (size_t)n : sizeof s->text - s->len - 1;
}

/* "sudo sluice DIR" means root's right to read; what root may write and do besides is not
 * needed. */
static void drop_capabilities(enum sandbox_role role, struct said *s)
{
    uint64_t keep = role == SANDBOX_QUICK && geteuid() == 0 ? UINT64_C(1) << CAP_DAC_READ_SEARCH : 0;
    int rc;

    capabilities_unbound();
    rc = capabilities_drop(keep);
    if (rc < 0)
        log_alert(-rc, "capset() failed");
    else
        say(s, keep ? "no capability but to read files" : "no capabilities");
}

static size_t count_rights(const struct grants *g, unsigned rights)
{
    size_t n = 0;

    for (size_t i = 0; i < g->count; i++)
        n += (g->at[i].rights & rights) != 0 && !(g->at[i].rights & GRANT_OWN) && !g->at[i].error;
    return n;
}

/* The first line at `notice`, what does not fit into it at `info`. */
static void log_granted(const struct grants *g, unsigned rights, const char *what)
{
    enum log_level level = LEVEL_NOTICE;
    char line[1600];
    size_t len = 0;

    for (size_t i = 0; i < g->count; i++) {
        const struct grant *at = &g->at[i];
        if (!(at->rights & rights) || at->rights & GRANT_OWN || at->error)
            continue;
        if (len > 0 && len + strlen(at->path) + 2 >= sizeof line) {
            log_write(log_main, level, 0, 0, "Landlock grants %s of %s", what, line);
            level = LEVEL_INFO;
            len = 0;
        }
        int n = snprintf(line + len, sizeof line - len, "%s%s", len > 0 ? ", " : "", at->path);
        len += (size_t)n < sizeof line - len ? (size_t)n : sizeof line - len - 1;
    }
    if (len > 0)
        log_write(log_main, level, 0, 0, "Landlock grants %s of %s", what, line);
}

/* A path of the configuration is never left out without a word. */
static void log_grants(const struct grants *g)
{
    enum { NOTICES_MOST = 16 };
    unsigned left_out = 0;

    log_granted(g, GRANT_READ, "reading");
    log_granted(g, GRANT_WRITE, "writing");
    for (size_t i = 0; i < g->count; i++) {
        const struct grant *at = &g->at[i];
        if (!at->error || at->rights & GRANT_OWN)
            continue;
        log_write(log_main, left_out++ < NOTICES_MOST ? LEVEL_NOTICE : LEVEL_INFO, 0, at->error,
                  "Landlock grants nothing of %s for now", at->path);
    }
}

static void start_opener(const struct cycle *c, const struct grants *grants)
{
    int rc = opener_start(c, grants, sandbox_conf_of(c)->seccomp);

    if (rc < 0)
        log_alert(-rc, "the opener process could not be started: files that are replaced need a reload");
}

/* `opener`: whether to have one. */
static void enter_landlock(const struct cycle *c, bool opener, bool first, struct said *s)
{
    struct grants grants = {.at = NULL};
    int rc = landlock_version();

    if (rc >= 0) {
        int failed = sandbox_paths(&grants, c);
        if (failed == 0 && opener)
            start_opener(c, &grants);
        rc = failed < 0 ? failed : landlock_enter(&grants);
    }
    if (rc >= 0)
        say(s, "Landlock %d (%zu paths to list, %zu to write)", rc, count_rights(&grants, GRANT_LIST),
            count_rights(&grants, GRANT_MAKE));
    if (rc >= 0 && first)
        log_grants(&grants);
    else if (first)
        log_warn(-rc, "%s, workers can open all that their user can",
                 rc == -ENOSYS || rc == -EOPNOTSUPP ? "this kernel has no Landlock" : "Landlock could not be entered");
    sandbox_paths_free(&grants);
}

static void on_log(void *arg, const char *path)
{
    bool *syslog = arg;

    *syslog = *syslog || strncmp(path, "syslog:", 7) == 0;
}

/* The calls of those disk readers alone that the configuration may come to (where io_uring is
 * denied, Linux AIO takes its place); a reload of this process may bring any. */
static unsigned reader_roles(const struct cycle *c, enum sandbox_role role)
{
    unsigned readers = c->io->readers, uring = 1U << AIO_ON | 1U << AIO_URING, aio = uring | 1U << AIO_LIBAIO;

    if (role == SANDBOX_SINGLE)
        return SECCOMP_URING | SECCOMP_AIO;
    return (readers & uring ? SECCOMP_URING : 0) | (readers & aio ? SECCOMP_AIO : 0);
}

static void enter_seccomp(const struct cycle *c, enum sandbox_role role, bool first, struct said *s)
{
    unsigned roles = SECCOMP_SERVES | reader_roles(c, role) | (role == SANDBOX_WORKER ? 0 : SECCOMP_MANAGES);
    bool syslog = false;
    int rc;

    log_file_each(on_log, &syslog);
    rc = seccomp_enter(roles | (syslog ? SECCOMP_SYSLOGS : 0));
    if (rc == 0)
        say(s, "seccomp");
    else if (first)
        log_warn(-rc, "this kernel accepts no seccomp filter: workers can make all system calls");
}

const struct sandbox_conf *sandbox_conf_of(const struct cycle *c)
{
    return conf_values(c->conf.root, &sandbox_module);
}

void sandbox_enter(const struct cycle *c, enum sandbox_role role, bool first)
{
    const struct sandbox_conf *conf = sandbox_conf_of(c);
    struct said said = {.len = 0};

    if (conf->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        log_alert(errno, "prctl(PR_SET_NO_NEW_PRIVS) failed");
    else if (conf->no_new_privs)
        say(&said, "no new privileges");
    if (conf->capabilities && role != SANDBOX_SINGLE)
        drop_capabilities(role, &said);
    if (is_instrumented()) {
        say(&said, "neither Landlock nor seccomp in an instrumented build");
    } else {
        if (conf->landlock && role != SANDBOX_SINGLE)
            enter_landlock(c, true, first, &said);
        if (conf->seccomp)
            enter_seccomp(c, role, first, &said);
    }
    log_write(log_main, first ? LEVEL_NOTICE : LEVEL_INFO, 0, 0, "confined: %s",
              said.len > 0 ? said.text : "not at all");
}

void sandbox_enter_files(const struct cycle *c)
{
    const struct sandbox_conf *conf = sandbox_conf_of(c);
    struct said said = {.len = 0};

    if (conf->no_new_privs)
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (conf->capabilities)
        drop_capabilities(SANDBOX_WORKER, &said);
    if (conf->landlock && !is_instrumented())
        enter_landlock(c, false, false, &said);
}

/* ---- directives ---- */

static const char *set_landlock_read(struct conf *cf, const struct conf_row *row, void *slot)
{
    (void)row;
    *(bool *)slot = true;
    for (unsigned i = 1; i < cf->count; i++)
        if (!conf_path(cf, cf->args[i]))
            return conf_error(cf, "no memory");
    return NULL;
}

#define ROW(name) name, CONF_MAIN, CONF_FLAG, conf_set_flag

static const struct conf_row rows[] = {
    {ROW("drop_capabilities"), CONF_SLOT(struct sandbox_conf, capabilities), .dflt = "on",
     .help = "Workers keep no capability, whatever user they run as. \"sluice DIR\" as root keeps the one that permits "
             "reading all files.",
     .differs = "Not in nginx."},
    {ROW("no_new_privs"), CONF_SLOT(struct sandbox_conf, no_new_privs), .dflt = "on",
     .help =
         "Nothing that a worker runs can gain privileges. Without it, landlock and seccomp need a privileged worker.",
     .differs = "Not in nginx."},
    {ROW("landlock"), CONF_SLOT(struct sandbox_conf, landlock), .dflt = "on",
     .help =
         "Workers can open nothing but, for reading, the paths of the configuration (with variables: the constant "
         "beginning; nothing, with a warning, where a path has none) and what is below them, and, for writing, the "
         "folders of the logs; no TCP socket can be bound or connected. A file or folder that replaces one of these "
         "paths is served at once, opened by a process beside each worker, and new workers start soon after. Symbolic "
         "links to other places get 403: landlock_read names those. With master_process off it is not used.",
     .differs = "Not in nginx."},
    {"landlock_read", CONF_MAIN, CONF_1MORE | CONF_REPEAT, set_landlock_read,
     CONF_SLOT(struct sandbox_conf, names_reads), .syntax = "path ...",
     .help = "Further paths that workers may read with what is below them, such as those that symbolic links in a root "
             "lead to, or that a path which begins with a variable (root $site;) can come to.",
     .differs = "Not in nginx."},
    {ROW("seccomp"), CONF_SLOT(struct sandbox_conf, seccomp), .dflt = "on",
     .help = "Workers can make only the system calls that serving files needs; a few that only an attacker would make "
             "end the worker.",
     .differs = "Not in nginx."},
    {.name = NULL},
};

struct conf_module sandbox_module = {
    .name = "Confinement of workers",
    .rows = rows,
    .size = sizeof(struct sandbox_conf),
    .levels = CONF_MAIN,
};
