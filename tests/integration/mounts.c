/* mounts.c - a mount namespace, loop devices that free themselves, and what is mounted. See
 * mounts.h. */
#include "mounts.h"
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 16, TOOL_ARGUMENTS = 24, LOOP_ATTEMPTS = 50 };

static struct {
    pid_t owner;
    unsigned count;
    struct {
        char at[2048];
        pid_t server; /* of a FUSE filesystem, else 0 */
    } mounted[MOST];
} mounts;

static void end_last(void)
{
    unsigned i = --mounts.count;
    (void)umount2(mounts.mounted[i].at, MNT_DETACH);
    if (mounts.mounted[i].server) {
        kill(mounts.mounted[i].server, SIGKILL);
        waitpid(mounts.mounted[i].server, NULL, 0);
    }
}

/* Before the harness's own, which empties the folders that these stand in. */
static void at_exit(void)
{
    while (getpid() == mounts.owner && mounts.count > 0)
        end_last();
}

bool mounts_enter(void)
{
    if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        printf("skipped: mounting is not permitted here\n");
        return false;
    }
    mounts.owner = getpid();
    atexit(at_exit);
    return true;
}

static const char *remember(const char *at, pid_t server)
{
    ck_assert_uint_lt(mounts.count, MOST);
    snprintf(mounts.mounted[mounts.count].at, sizeof mounts.mounted[0].at, "%s", at);
    mounts.mounted[mounts.count].server = server;
    return mounts.mounted[mounts.count++].at;
}

static const char *cannot(const char *what, int error)
{
    printf("skipped: no %s here (%s)\n", what, strerror(error));
    return NULL;
}

const char *mount_plain(const char *type, const char *name, const char *options)
{
    const char *at = site_mkdir(name);
    if (mount("none", at, type, 0, options) < 0)
        return cannot(type, errno);
    return remember(at, 0);
}

void mount_end(const char *name)
{
    ck_assert_uint_gt(mounts.count, 0);
    ck_assert_str_eq(mounts.mounted[mounts.count - 1].at, site_path("%s", name));
    end_last();
}

/* ---- loop devices ---- */

static int open_free_loop(char device[64])
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    if (control < 0)
        return -errno;
    int number = ioctl(control, LOOP_CTL_GET_FREE);
    int rc = number < 0 ? -errno : 0;
    close(control);
    if (rc < 0)
        return rc;
    snprintf(device, 64, "/dev/loop%d", number);
    int fd = open(device, O_RDWR | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

/* The device lives as long as somebody has it open or mounted. Its descriptor, or -errno. */
static int attach(char device[64], const char *image, unsigned sector)
{
    int backing = open(image, O_RDWR | O_CLOEXEC);
    ck_assert_msg(backing >= 0, "%s: %s", image, strerror(errno));
    struct loop_config config = {
        .fd = (uint32_t)backing, .block_size = sector, .info = {.lo_flags = LO_FLAGS_AUTOCLEAR}};
    int rc = -EBUSY;
    /* Somebody else may take the free one first. */
    for (int i = 0; i < LOOP_ATTEMPTS && rc == -EBUSY; i++) {
        int fd = open_free_loop(device);
        rc = fd < 0 || ioctl(fd, LOOP_CONFIGURE, &config) == 0 ? fd : -errno;
        if (rc < 0 && fd >= 0)
            close(fd);
    }
    close(backing);
    return rc;
}

const char *mount_image(const char *type, const char *name, const char *image, unsigned sector, bool read_only,
                        const char *options)
{
    char device[64], what[128];
    const char *at = site_mkdir(name);
    int fd = attach(device, image, sector);
    snprintf(what, sizeof what, "%s on a loop device with sectors of %u bytes", type, sector);
    if (fd < 0)
        return cannot(what, -fd);
    int rc = mount(device, at, type, read_only ? MS_RDONLY : 0, options) < 0 ? -errno : 0;
    close(fd);
    return rc < 0 ? cannot(what, -rc) : remember(at, 0);
}

/* ---- FUSE, tools ---- */

const char *mount_fuse(const char *name, enum fuse_manner manner, off_t size)
{
    const char *at = site_mkdir(name);
    pid_t server = fuse_serve(at, manner, size);
    return server < 0 ? cannot("FUSE", -server) : remember(at, server);
}

void fuse_answers(bool yes)
{
    ck_assert_uint_gt(mounts.count, 0);
    pid_t server = mounts.mounted[mounts.count - 1].server;
    ck_assert_int_gt(server, 0);
    ck_assert_int_eq(kill(server, yes ? SIGCONT : SIGSTOP), 0);
}

bool run_tool(const char *name, ...)
{
    char *argv[TOOL_ARGUMENTS + 1] = {(char *)(uintptr_t)name};
    va_list ap;
    va_start(ap, name);
    for (int i = 1; i < TOOL_ARGUMENTS && (argv[i] = va_arg(ap, char *)); i++)
        ;
    va_end(ap);
    fflush(stdout);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
        execvp(name, argv);
        _exit(127);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        printf("skipped: %s is not installed\n", name);
        return false;
    }
    ck_assert_msg(status == 0, "%s failed (status 0x%x)", name, (unsigned)status);
    return true;
}
