/* test_tune.c - `sluice tune DIR`: the real measurement in a short time, its JSON, filesystems
 * without O_DIRECT, and that no file is left however it ends. */
#include "deny.h"
#include "harness.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A folder to measure in: one that takes O_DIRECT, where there is any. */
static const char *folder(void)
{
    const char *path = site_path("%s/tuned", *site_disk() ? site_disk() : site_dir());
    if (mkdir(path, 0755) < 0)
        ck_assert_int_eq(errno, EEXIST);
    return path;
}

static unsigned entries(const char *path)
{
    unsigned count = 0;
    DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    for (const struct dirent *e; (e = readdir(d));)
        count += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(d);
    return count;
}

static void tune(struct site_run *run, const char *dir, const char *option, const char *other)
{
    char *argv[] = {(char *)"sluice", (char *)"tune", (char *)dir, (char *)option, (char *)other, NULL};
    site_run_bare(run, argv);
}

/* Enough of RFC 8259 to know that it is JSON; NULL: it is not. */
static const char *json_value(const char *at);

static const char *json_space(const char *at)
{
    return at + strspn(at, " \n");
}

static const char *json_string(const char *at)
{
    if (*at != '"')
        return NULL;
    for (at++; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20 || (*at == '\\' && !*++at))
            return NULL;
    }
    return at + 1;
}

static const char *json_list(const char *at, char end)
{
    at = json_space(at + 1);
    if (*at == end)
        return at + 1;
    for (;; at = json_space(at + 1)) {
        if (end == '}') {
            at = json_string(at);
            if (!at || *(at = json_space(at)) != ':')
                return NULL;
            at = json_space(at + 1);
        }
        at = json_value(at);
        if (!at)
            return NULL;
        at = json_space(at);
        if (*at == end)
            return at + 1;
        if (*at != ',')
            return NULL;
    }
}

static const char *json_value(const char *at)
{
    static const char *const words[] = {"null", "true", "false"};
    char *end;

    if (*at == '{' || *at == '[')
        return json_list(at, *at == '{' ? '}' : ']');
    if (*at == '"')
        return json_string(at);
    for (unsigned i = 0; i < 3; i++) {
        if (strncmp(at, words[i], strlen(words[i])) == 0)
            return at + strlen(words[i]);
    }
    strtod(at, &end);
    return end == at ? NULL : end;
}

static void assert_json(const char *text)
{
    const char *end = json_value(text);
    ck_assert_msg(end && strcmp(end, "\n") == 0, "not JSON: %.2000s", text);
}

/* `text` is in the output, or a message that says what was there. */
static void assert_has(const char *output, const char *text)
{
    ck_assert_msg(strstr(output, text), "no %s in: %.2000s", text, output);
}

START_TEST(json)
{
    struct site_run run;
    const char *dir = folder();
    int64_t from = now_msec();
    tune(&run, dir, "--json", "--time=2");
    ck_assert_msg(run.status == 0, "%d: %s", run.status, run.err);
    ck_assert_str_eq(run.err, "");
    ck_assert_int_lt(now_msec() - from, scaled(15000));
    assert_json(run.out);
    assert_has(run.out, "\"state\": \"");
    assert_has(run.out, "{\"name\": \"aio\", \"value\": \"");
    assert_has(run.out, "{\"name\": \"directio\", \"value\": \"");
    if (*site_disk()) {
        assert_has(run.out, "\"state\": \"works\"");
        assert_has(run.out, "{\"size\": 65536, \"depth\": 1, \"bytes_per_second\": ");
        assert_has(run.out, "{\"name\": \"output_buffers\", \"value\": \"");
    }
    ck_assert_uint_eq(entries(dir), 0);
}
END_TEST

/* The block that is recommended is a configuration that works. */
START_TEST(block)
{
    struct site_run run;
    const char *dir = folder();
    tune(&run, dir, "--time", "1");
    ck_assert_msg(run.status == 0, "%d: %s", run.status, run.err);
    ck_assert_ptr_null(strchr(run.err, '\r')); /* no progress bar: not a terminal */
    const char *at = strstr(run.out, "\n# sluice tune ");
    ck_assert_msg(at, "%s", run.out);
    site_pattern("html/file", 1000);
    site_serve(at);
    ck_assert_int_eq(site_status_of("/file"), 200);
}
END_TEST

/* The signal may come before the binary runs: the handlers of check, which the child has until
 * then, would end the test. */
static pid_t start(const char *dir)
{
    const char *binary = getenv("SLUICE");
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid != 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        ck_assert_int_ge(pid, 0);
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    sigprocmask(SIG_SETMASK, &before, NULL);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, 1);
    dup2(null, 2);
    execl(binary ? binary : "build/sluice", "sluice", "tune", dir, "--time", "20", (char *)NULL);
    _exit(127);
}

static const int endings[] = {SIGINT, SIGTERM, SIGKILL};

/* Early enough to hit the writing, and later. */
START_TEST(interrupted)
{
    const char *dir = folder();
    for (int wait = 1; wait <= 400; wait = wait * 5) {
        int raw;
        pid_t pid = start(dir);
        sleep_msec(wait);
        kill(pid, endings[_i]);
        ck_assert_int_eq(waitpid(pid, &raw, 0), pid);
        ck_assert_msg(WIFSIGNALED(raw) && WTERMSIG(raw) == endings[_i], "%x", (unsigned)raw);
        ck_assert_uint_eq(entries(dir), 0);
    }
}
END_TEST

/* Runs tune on a fresh mount; false: it cannot be mounted here. */
static bool tune_mounted(struct site_run *run, const char *type, const char *options)
{
    const char *dir = site_mkdir("mounted");
    if (mount("none", dir, type, 0, options) < 0) {
        fprintf(stderr, "test_tune: skipped: cannot mount %s: %s\n", type, strerror(errno));
        return false;
    }
    tune(run, dir, "--json", "--time=1");
    unsigned left = entries(dir);
    ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
    ck_assert_uint_eq(left, 0);
    return true;
}

START_TEST(tmpfs)
{
    struct site_run run;
    if (!tune_mounted(&run, "tmpfs", "size=400m"))
        return;
    ck_assert_msg(run.status == 0, "%s", run.err);
    assert_json(run.out);
    assert_has(run.out, "\"filesystem\": \"tmpfs\"");
    assert_has(run.out, "{\"name\": \"directio\", \"value\": \"off\"");
    ck_assert_ptr_null(strstr(run.out, "output_buffers"));
}
END_TEST

START_TEST(ramfs)
{
    struct site_run run;
    if (!tune_mounted(&run, "ramfs", NULL))
        return;
    ck_assert_msg(run.status == 0, "%s", run.err);
    assert_json(run.out);
    assert_has(run.out, "\"state\": \"refused\"");
    assert_has(run.out, "\"value\": \"off\", \"reason\": \"ramfs refuses O_DIRECT: Invalid argument\"");
}
END_TEST

START_TEST(too_little_room)
{
    struct site_run run;
    if (!tune_mounted(&run, "tmpfs", "size=50m"))
        return;
    ck_assert_int_eq(run.status, 1);
    ck_assert_str_eq(run.out, "");
    assert_has(run.err, "has 50 MiB of free space; measuring takes a tenth of it, and at least 16 MiB");
}
END_TEST

START_TEST(read_only)
{
    struct site_run run;
    const char *dir = site_mkdir("mounted");
    if (mount("none", dir, "tmpfs", MS_RDONLY, "size=400m") < 0) {
        fprintf(stderr, "test_tune: skipped: cannot mount tmpfs: %s\n", strerror(errno));
        return;
    }
    tune(&run, dir, "--time", "1");
    ck_assert_int_eq(umount2(dir, MNT_DETACH), 0);
    ck_assert_int_eq(run.status, 1);
    ck_assert_str_eq(run.out, "");
    assert_has(run.err, "cannot make a temporary file in \"");
    assert_has(run.err, "\": Read-only file system\n");
}
END_TEST

/* Where a nameless file cannot be had, one with a name is as good, and as gone. */
START_TEST(without_nameless_files)
{
    struct site_run run;
    const char *dir = folder();
    if (!deny_flag(SYS_openat, 2, O_TMPFILE & ~O_DIRECTORY, EOPNOTSUPP))
        return;
    tune(&run, dir, "--json", "--time=1");
    ck_assert_msg(run.status == 0, "%d: %s", run.status, run.err);
    assert_json(run.out);
    ck_assert_uint_eq(entries(dir), 0);
    for (int wait = 1; wait <= 125; wait = wait * 5) {
        int raw;
        pid_t pid = start(dir);
        sleep_msec(wait);
        kill(pid, endings[_i]);
        ck_assert_int_eq(waitpid(pid, &raw, 0), pid);
        ck_assert_uint_eq(entries(dir), 0);
    }
}
END_TEST

/* What cannot be written is said, and is no success. */
START_TEST(output_is_full)
{
    char text[512];
    const char *binary = getenv("SLUICE");
    snprintf(text, sizeof text, "%s tune '%s' --time 1 2>'%s/said' >/dev/full", binary ? binary : "build/sluice",
             folder(), site_dir());
    int raw = system(text);
    ck_assert(WIFEXITED(raw));
    ck_assert_int_eq(WEXITSTATUS(raw), 1);
    char *said = site_read("said", NULL);
    ck_assert_str_eq(said, "sluice: cannot write the results: No space left on device\n");
    free(said);
}
END_TEST

START_TEST(mistakes)
{
    struct site_run run;
    tune(&run, "/nonexistent", "--json", NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_str_eq(run.err, "sluice: \"/nonexistent\": No such file or directory\n");
    tune(&run, "/dev/null", NULL, NULL);
    ck_assert_str_eq(run.err, "sluice: \"/dev/null\": Not a directory\n");
    tune(&run, NULL, NULL, NULL);
    ck_assert_int_eq(run.status, 1);
    ck_assert_str_eq(run.err, "sluice: usage: sluice tune DIR [--json] [--time SECONDS]\n");
    tune(&run, "--help", NULL, NULL);
    ck_assert_int_eq(run.status, 0);
    assert_has(run.out, "Usage: sluice tune DIR ");
    assert_has(run.out, "256 MiB at most");
    tune(&run, ".", "--time", "no");
    ck_assert_int_eq(run.status, 1);
    assert_has(run.err, "invalid time \"no\"");
}
END_TEST

Suite *suite_tune(void)
{
    Suite *s = suite_create("tune");
    TCase *t = site_case(s, "tune", 60);
    tcase_add_test(t, json);
    tcase_add_test(t, block);
    tcase_add_loop_test(t, interrupted, 0, sizeof endings / sizeof endings[0]);
    tcase_add_test(t, tmpfs);
    tcase_add_test(t, ramfs);
    tcase_add_test(t, too_little_room);
    tcase_add_test(t, read_only);
    tcase_add_loop_test(t, without_nameless_files, 0,
                        2); /* by SIGKILL, its name may stay: for a moment of some microseconds */
    tcase_add_test(t, output_is_full);
    tcase_add_test(t, mistakes);
    return s;
}
