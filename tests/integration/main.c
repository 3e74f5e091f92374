/* main.c - runs the suites of tests/integration, a few at a time, each in a process of its own; the
 * build writes the list.
 *
 * A suite's process adopts whatever its tests leave running, and has folders of its own for what
 * they write: a process or a file that is still there at its end fails the suite. A test that
 * failed has left its folder: the ends of its logs are shown. */
#include "transport.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SUITE(s) Suite *suite_##s(void);
#include SUITES
#undef SUITE

static struct suite {
    const char *name;
    Suite *(*make)(void);
    bool wanted;
    pid_t pid;
    FILE *output;
    char folder[256], disk[256]; /* for $TMPDIR, and for where that is in memory */
    struct timespec started;
} suites[] = {
#define SUITE(s) {.name = #s, .make = suite_##s},
#include SUITES
#undef SUITE
    {.name = NULL}};

static struct {
    unsigned checks, failures, errors;
} total;

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    (void)remove(path);
    return 0;
}

static void show_tail(const char *folder, const char *name)
{
    char path[1024], line[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    if (fseek(f, -6000, SEEK_END) < 0)
        rewind(f);
    for (bool first = true; fgets(line, sizeof line, f);) {
        if (strstr(line, "[notice]") || strstr(line, "while waiting for request"))
            continue;
        if (first)
            printf("  --- end of %s\n", path);
        first = false;
        printf("  %.400s%s", line, strlen(line) > 400 ? "...\n" : "");
    }
    fclose(f);
}

/* How much is left in a suite's folder. */
static unsigned left_in(const char *folder, bool failed)
{
    unsigned count = 0;
    DIR *d = *folder ? opendir(folder) : NULL;
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        char path[1024];
        snprintf(path, sizeof path, "%s/%.200s", folder, e->d_name);
        if (failed) {
            show_tail(path, "logs/error.log");
            show_tail(path, "logs/stderr");
        } else {
            printf("left behind: %s\n", path);
        }
        count++;
    }
    if (d)
        closedir(d);
    return failed ? 0 : count;
}

static void print_command(pid_t pid)
{
    char path[64], text[200];
    snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
    FILE *f = fopen(path, "r");
    size_t len = f ? fread(text, 1, sizeof text, f) : 0;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(text[i] ? text[i] : ' ');
    printf("left running: %d %.*s\n", (int)pid, (int)len, text);
    if (f)
        fclose(f);
}

static pid_t parent_of(const char *pid)
{
    char path[280];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *f = fopen(path, "r");
    if (f && fscanf(f, "%*d (%*[^)]) %*c %d", &parent) != 1)
        parent = 0;
    if (f)
        fclose(f);
    return parent;
}

/* Without ps(1), which not every system has. */
static unsigned end_children(void)
{
    unsigned count = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] < '0' || e->d_name[0] > '9' || parent_of(e->d_name) != getpid())
            continue;
        print_command((pid_t)atoi(e->d_name));
        kill((pid_t)atoi(e->d_name), SIGKILL);
        count++;
    }
    if (d)
        closedir(d);
    return count;
}

/* Orphans come here. Those of a failed test were killed or signalled a moment ago: give them that
 * moment. */
static unsigned processes_left(void)
{
    for (int i = 0; i < 400; i++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return 0;
        if (pid == 0)
            nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    return end_children();
}

static void run_suite(const struct suite *s, enum print_output mode)
{
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setenv("TMPDIR", s->folder, 1);
    setenv("HARNESS_DISK", s->disk, 1);
    if (getenv("HARNESS_SCALE") && !getenv("CK_TIMEOUT_MULTIPLIER"))
        setenv("CK_TIMEOUT_MULTIPLIER", getenv("HARNESS_SCALE"), 1);
    SRunner *runner = srunner_create(s->make());
    srunner_run_all(runner, mode);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    unsigned left = processes_left();
    left += left_in(s->folder, failed > 0);
    left += left_in(s->disk, failed > 0);
    fflush(stdout);
    _exit(failed || left ? 1 : 0);
}

/* Open to workers that dropped their privileges. */
static bool make_folder(char *at, size_t size, const char *base)
{
    snprintf(at, size, "%.200s/sluice-it-XXXXXX", base);
    return mkdtemp(at) && chmod(at, 0755) == 0;
}

static void remove_folders(const struct suite *s)
{
    nftw(s->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    if (*s->disk)
        nftw(s->disk, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void start(struct suite *s, enum print_output mode)
{
    const char *base = getenv("TMPDIR");
    if (!make_folder(s->folder, sizeof s->folder, base && *base ? base : "/tmp")) {
        perror(s->folder);
        exit(2);
    }
    if (!make_folder(s->disk, sizeof s->disk, "/var/tmp"))
        s->disk[0] = '\0';
    s->output = tmpfile();
    clock_gettime(CLOCK_MONOTONIC, &s->started);
    fflush(stdout);
    s->pid = fork();
    if (s->pid < 0) {
        perror("fork");
        exit(2);
    }
    if (s->pid == 0) {
        dup2(fileno(s->output), 1);
        dup2(fileno(s->output), 2);
        run_suite(s, mode);
    }
}

/* Passes on what the suite said; its count goes into the total. False: it said none. */
static bool pass_on(FILE *output)
{
    char line[4096];
    bool counted = false;
    rewind(output);
    while (fgets(line, sizeof line, output)) {
        unsigned percent, checks, failures, errors;
        if (sscanf(line, "%u%%: Checks: %u, Failures: %u, Errors: %u", &percent, &checks, &failures, &errors) == 4) {
            total.checks += checks;
            total.failures += failures;
            total.errors += errors;
            counted = true;
        } else if (strncmp(line, "Running suite(s)", 16) != 0) {
            fputs(line, stdout);
        }
    }
    return counted;
}

static void finish(struct suite *s, int status)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double seconds = (double)(now.tv_sec - s->started.tv_sec) + (double)(now.tv_nsec - s->started.tv_nsec) / 1e9;
    unsigned before = total.failures + total.errors, checks = total.checks;
    bool counted = pass_on(s->output);
    bool failed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
    if (!counted || (failed && total.failures + total.errors == before)) {
        total.checks++;
        total.errors++;
    }
    printf("  %-4s %-12s %3u tests, %.1f s\n", failed ? "FAIL" : "ok", s->name, total.checks - checks, seconds);
    fflush(stdout);
    fclose(s->output);
    remove_folders(s);
    s->pid = 0;
}

static void finish_one(void)
{
    int status;
    pid_t pid;
    do
        pid = wait(&status);
    while (pid < 0 && errno == EINTR);
    for (struct suite *s = suites; s->name; s++) {
        if (s->pid == pid)
            finish(s, status);
    }
}

static void want(const char *name)
{
    for (struct suite *s = suites; s->name; s++) {
        if (!strcmp(s->name, name)) {
            s->wanted = true;
            return;
        }
    }
    fprintf(stderr, "no suite %s; -l lists them\n", name);
    exit(2);
}

static void on_signal(int sig)
{
    for (struct suite *s = suites; s->name; s++) {
        if (s->pid > 0) {
            kill(s->pid, SIGTERM);
            remove_folders(s);
        }
    }
    _exit(128 + sig);
}

int main(int argc, char **argv)
{
    enum print_output mode = CK_NORMAL;
    unsigned most = 2, running = 0;
    bool all = true;
    for (int option; (option = getopt(argc, argv, "lvs:t:j:")) != -1;) {
        if (option == 'l') {
            for (struct suite *s = suites; s->name; s++)
                puts(s->name);
            return 0;
        }
        if (option == 'v')
            mode = CK_VERBOSE;
        else if (option == 'j')
            most = (unsigned)atoi(optarg) ? (unsigned)atoi(optarg) : 1;
        else if (option == 't')
            setenv("CK_RUN_CASE", optarg, 1);
        else if (option == 's')
            want(optarg), all = false;
        else
            return fprintf(stderr, "usage: %s [-l] [-v] [-j jobs] [-s suite]... [-t case]\n", argv[0]), 2;
    }
    (void)site_transport(); /* an unknown name ends it here */
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    signal(SIGPIPE, SIG_IGN); /* whoever read the output may be gone: the folders are removed all the same */
    /* 200 downloads at once, and the server has them too. */
    struct rlimit files = {.rlim_cur = 4096, .rlim_max = 4096};
    if (getenv("ATTACK")) /* thousands, and the server raises its limit to what there is */
        getrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_NOFILE, &files);
    for (struct suite *s = suites; s->name; s++) {
        if (!all && !s->wanted)
            continue;
        if (running == most)
            finish_one(), running--;
        start(s, mode);
        running++;
    }
    while (running-- > 0)
        finish_one();
    unsigned bad = total.failures + total.errors;
    printf("%u%%: Checks: %u, Failures: %u, Errors: %u\n", total.checks ? (total.checks - bad) * 100 / total.checks : 0,
           total.checks, total.failures, total.errors);
    return bad || !total.checks ? 1 : 0;
}
