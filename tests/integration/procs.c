/* procs.c - the server's processes as /proc shows them, and what the kernel has. */
#include "harness.h"
#include "internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Field 3 (state), 4 (parent) and 5 (group) of /proc/PID/stat. */
static bool process_is(const char *pid, pid_t *parent, pid_t *group)
{
    char path[64], line[512], state;
    snprintf(path, sizeof path, "/proc/%.16s/stat", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    bool got = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    char *after = got ? strrchr(line, ')') : NULL;
    return after && sscanf(after + 1, " %c %d %d", &state, parent, group) == 3 && state != 'Z';
}

/* By its title, "sluice: worker process" and what may follow: a child that only tries the disk
 * readers has none of its own. */
static bool is_worker(const char *pid)
{
    char path[64], title[128] = "";

    snprintf(path, sizeof path, "/proc/%.16s/cmdline", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    size_t n = fread(title, 1, sizeof title - 1, f);
    fclose(f);
    title[n] = '\0';
    return strstr(title, ": worker process") != NULL;
}

/* In `group`; of `parent`, where it is not 0, the workers. */
static unsigned find_processes(pid_t group, pid_t parent, pid_t *pids, unsigned most)
{
    unsigned count = 0;
    DIR *proc = opendir("/proc");
    ck_assert_ptr_nonnull(proc);
    for (struct dirent *e; (e = readdir(proc));) {
        pid_t its_parent, its_group, pid = atoi(e->d_name);
        if (pid <= 0 || !process_is(e->d_name, &its_parent, &its_group) || its_group != group ||
            (parent != 0 && (its_parent != parent || !is_worker(e->d_name))))
            continue;
        if (count < most)
            pids[count] = pid;
        count++;
    }
    closedir(proc);
    return count;
}

/* Whatever a worker starts leaves the group, but not before it runs. */
unsigned site_workers(pid_t *pids, unsigned most)
{
    return find_processes(site_pid(), site_pid(), pids, most);
}

void site_await_workers(unsigned count)
{
    int64_t deadline = now_msec() + scaled(8000);
    for (unsigned is; (is = site_workers(NULL, 0)) != count; sleep_msec(5)) {
        if (now_msec() > deadline)
            ck_abort_msg("%u workers instead of %u", is, count);
    }
}

static bool holds_open(pid_t pid, const char *path)
{
    bool holds = false;
    DIR *d = opendir(site_path("/proc/%d/fd", (int)pid));
    for (struct dirent *e; d && !holds && (e = readdir(d));) {
        char to[4096] = "";
        holds = readlinkat(dirfd(d), e->d_name, to, sizeof to - 1) > 0 && !strcmp(to, path);
    }
    if (d)
        closedir(d);
    return holds;
}

void site_await_closed(const char *path)
{
    pid_t pids[8];
    unsigned holders = 1;
    for (int64_t deadline = now_msec() + scaled(8000); holders > 0; sleep_msec(2)) {
        unsigned count = site_workers(pids, 8);
        ck_assert_int_lt(now_msec(), deadline);
        holders = holds_open(site_pid(), path);
        for (unsigned i = 0; i < count && i < 8; i++)
            holders += holds_open(pids[i], path);
    }
}

/* Before the line, there may be the worker of an older binary. */
pid_t site_worker(void)
{
    pid_t pid = 0;
    free(log_await("logs/error.log", "start worker process "));
    site_await_workers(1);
    ck_assert_uint_eq(site_workers(&pid, 1), 1);
    return pid;
}

unsigned processes_in(pid_t group)
{
    return find_processes(group, 0, NULL, 0);
}

unsigned descriptors(pid_t pid)
{
    unsigned count = 0;
    DIR *d = opendir(site_path("/proc/%d/fd", (int)pid));
    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

bool has_landlock(void)
{
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) > 0;
}
