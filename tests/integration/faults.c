/* faults.c - the test's side of faulty.h: the file that both map, and what is ordered in it. */
#include "faulty.h"
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
    struct faulty *control;
    char preload[4096], path[4096];
    char *env[3];
} faults;

struct faulty *faulty_setup(void)
{
    const char *library = getenv("FAULTY");
    if (!library || !*library || access(library, R_OK) < 0) {
        printf("skipped: no faulty.so for this build\n");
        return NULL;
    }
    snprintf(faults.preload, sizeof faults.preload, "LD_PRELOAD=%s", library);
    snprintf(faults.path, sizeof faults.path, FAULTY_ENV "=%s", site_path("faulty"));
    int fd = open(site_path("faulty"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, sizeof(struct faulty)), 0);
    faults.control = mmap(NULL, sizeof(struct faulty), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(faults.control, MAP_FAILED);
    close(fd);
    faults.env[0] = faults.preload;
    faults.env[1] = faults.path;
    return faults.control;
}

char *const *faulty_env(void)
{
    return faults.env;
}

pid_t faulty_follow_worker(void)
{
    char *log = log_await("logs/error.log", "start worker process "), *said = log;
    for (char *at = log; (at = strstr(at, "start worker process ")); at++)
        said = at + strlen("start worker process ");
    pid_t pid = atoi(said);
    free(log);
    atomic_store(&faults.control->pid, pid);
    return pid;
}

void faulty_arm(enum faulty_call call, int error, long skip, long most)
{
    struct faulty *f = faults.control;
    atomic_store(&f->call, FAULTY_NONE);
    atomic_store(&f->error, error);
    atomic_store(&f->skip, skip);
    atomic_store(&f->most, most);
    atomic_store(&f->seen, 0);
    atomic_store(&f->dealt, 0);
    atomic_store(&f->call, call);
}

void faulty_count(enum faulty_call call)
{
    faulty_arm(call, 0, 0, 0);
}

long faulty_seen(void)
{
    return atomic_load(&faults.control->seen);
}

long faulty_disarm(void)
{
    atomic_store(&faults.control->call, FAULTY_NONE);
    return atomic_load(&faults.control->dealt);
}
