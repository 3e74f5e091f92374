/* fuse.c - a FUSE filesystem of one file in the kernel's own protocol (linux/fuse.h), one request
 * at a time. */
#include "harness.h"
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    ROOT = 1,
    FILE_NODE = 2,
    REQUEST_MOST = 256 * 1024,
    READ_MOST = 128 * 1024,
    VALID_SEC = 3600,
    SHORT_LEAST = 8192
};

struct fuse {
    int fd;
    enum fuse_manner manner;
    off_t size;
    char *request; /* header, then arguments */
    char bytes[READ_MOST];
};

static const struct fuse_in_header *header_of(const struct fuse *f)
{
    return (const struct fuse_in_header *)(const void *)f->request;
}

static const void *arguments_of(const struct fuse *f)
{
    return f->request + sizeof(struct fuse_in_header);
}

static void reply(const struct fuse *f, int error, const void *bytes, size_t len)
{
    struct fuse_out_header head = {
        .len = (uint32_t)(sizeof head + len), .error = error, .unique = header_of(f)->unique};
    struct iovec iov[2] = {{&head, sizeof head}, {(void *)(uintptr_t)bytes, len}};
    (void)!writev(f->fd, iov, len ? 2 : 1); /* an interrupted request is no longer there */
}

static struct fuse_attr attributes(const struct fuse *f, uint64_t node)
{
    struct fuse_attr a = {.ino = node, .nlink = 1, .blksize = 4096, .mtime = 1700000000};
    a.mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0444;
    a.size = node == ROOT ? 0 : (uint64_t)f->size;
    a.blocks = a.size / 512;
    return a;
}

static void on_init(struct fuse *f)
{
    const struct fuse_init_in *in = arguments_of(f);
    struct fuse_init_out out = {.major = FUSE_KERNEL_VERSION,
                                .minor = FUSE_KERNEL_MINOR_VERSION,
                                .max_readahead = in->max_readahead,
                                .max_write = READ_MOST,
                                .max_background = 64,
                                .congestion_threshold = 48,
                                .time_gran = 1};
    out.flags = in->flags & (FUSE_ASYNC_READ | FUSE_BIG_WRITES);
    reply(f, 0, &out, sizeof out);
}

static void on_lookup(struct fuse *f)
{
    if (strcmp(arguments_of(f), "f") != 0) {
        reply(f, -ENOENT, NULL, 0);
        return;
    }
    struct fuse_entry_out out = {.nodeid = FILE_NODE, .entry_valid = VALID_SEC, .attr_valid = VALID_SEC};
    out.attr = attributes(f, FILE_NODE);
    reply(f, 0, &out, sizeof out);
}

static void on_getattr(struct fuse *f)
{
    struct fuse_attr_out out = {.attr_valid = VALID_SEC, .attr = attributes(f, header_of(f)->nodeid)};
    reply(f, 0, &out, sizeof out);
}

static void on_open(struct fuse *f)
{
    const struct fuse_open_in *in = arguments_of(f);
    struct fuse_open_out out = {.open_flags = FOPEN_KEEP_CACHE};
    if (f->manner == FUSE_READS_SHORT && (in->flags & O_DIRECT))
        out.open_flags = FOPEN_DIRECT_IO; /* else a short answer is the end of the file */
    bool refused = f->manner == FUSE_REFUSES_OPEN && (in->flags & O_DIRECT);
    reply(f, refused ? -EINVAL : 0, &out, refused ? 0 : sizeof out);
}

static void on_read(struct fuse *f)
{
    const struct fuse_read_in *in = arguments_of(f);
    off_t at = (off_t)in->offset, left = at < f->size ? f->size - at : 0;
    size_t len = in->size < READ_MOST ? in->size : READ_MOST;
    if ((off_t)len > left)
        len = (size_t)left;
    if (f->manner == FUSE_REFUSES_READ && (in->flags & O_DIRECT)) {
        reply(f, -EINVAL, NULL, 0);
        return;
    }
    if (f->manner == FUSE_READS_SHORT && (in->flags & O_DIRECT) && len > SHORT_LEAST)
        len = len / 2 + 100;
    for (size_t i = 0; i < len; i++)
        f->bytes[i] = (char)pattern_byte(at + (off_t)i);
    reply(f, 0, f->bytes, len);
}

static void answer(struct fuse *f)
{
    switch (header_of(f)->opcode) {
    case FUSE_INIT:
        on_init(f);
        break;
    case FUSE_LOOKUP:
        on_lookup(f);
        break;
    case FUSE_GETATTR:
        on_getattr(f);
        break;
    case FUSE_OPEN:
    case FUSE_OPENDIR:
        on_open(f);
        break;
    case FUSE_READ:
        on_read(f);
        break;
    case FUSE_FLUSH:
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
        reply(f, 0, NULL, 0);
        break;
    case FUSE_FORGET:
    case FUSE_BATCH_FORGET:
    case FUSE_INTERRUPT:
        break; /* nobody waits for these */
    default:
        reply(f, -ENOSYS, NULL, 0);
    }
}

/* Until it is unmounted. */
static void serve(struct fuse *f)
{
    (void)pattern_byte(0);
    for (;;) {
        ssize_t n = read(f->fd, f->request, REQUEST_MOST);
        if (n >= (ssize_t)sizeof(struct fuse_in_header))
            answer(f);
        else if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
            _exit(0);
    }
}

pid_t fuse_serve(const char *at, enum fuse_manner manner, off_t size)
{
    char options[128];
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    snprintf(options, sizeof options, "fd=%d,rootmode=40755,user_id=0,group_id=0,allow_other,max_read=%d", fd,
             READ_MOST);
    if (mount("pattern", at, "fuse.pattern", MS_NOSUID | MS_NODEV | MS_RDONLY, options) < 0) {
        int rc = -errno;
        close(fd);
        return rc;
    }
    fflush(stdout);
    pid_t parent = getpid(), pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        static struct fuse f;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        f = (struct fuse){.fd = fd, .manner = manner, .size = size, .request = malloc(REQUEST_MOST)};
        if (f.request)
            serve(&f);
        _exit(1);
    }
    close(fd);
    return pid;
}
