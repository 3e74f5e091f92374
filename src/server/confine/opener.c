/* opener.c - opens for a worker what its Landlock refuses although the configuration names it: a
 * root that was replaced by another folder, a release that a link leads to since, a root that was
 * made after the start, the folder of the logs.
 *
 * A grant of Landlock holds for an inode, and no way leads back to more. So each worker has a child
 * that was forked before Landlock, with the worker's rights otherwise, that hears from nobody else,
 * and reads nothing of what clients send. It opens a path by the guard that the location asks for,
 * looks where the file really is, and passes the descriptor on if that is beneath one of the names
 * of the configuration as they lead now. What a worker that was taken over can get from it is what
 * a new worker could read. */
#include "server/confine/opener.h"

#include "base/log_file.h"
#include "base/title.h"
#include "file/elsewhere.h"
#include "server/confine/sandbox_paths.h"
#include "server/confine/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    DIRECT_LEAST = 256 * 1024, /* smaller files are hardly ever read past the page cache */
    ATTEMPTS = 8,              /* a folder may be moved between the open and the look at where it is */
    FOLDERS_MOST = 128,
    LOG_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
};

enum what { OPEN_FILE, OPEN_FOLDER, OPEN_LOG };

struct ask {
    enum what what;
    struct open_options options;
    char path[PATH_MAX]; /* only as long as it is */
};

struct answer {
    int fd, direct_fd; /* -1: none */
    int rc;            /* 0 or -errno */
};

/* ---- messages ---- */

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(2 * sizeof(int))];
};

static int send_answer(int to, const struct answer *a)
{
    int rc = a->rc, fds[2] = {a->fd, a->direct_fd};
    struct iovec iov = {&rc, sizeof rc};
    union control control = {.bytes = {0}};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    if (a->fd >= 0) {
        size_t size = (a->direct_fd >= 0 ? 2 : 1) * sizeof(int);
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(size);
        struct cmsghdr *head = CMSG_FIRSTHDR(&msg);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(size);
        memcpy(CMSG_DATA(head), fds, size);
    }
    return sendmsg(to, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void take_descriptors(struct msghdr *msg, struct answer *a)
{
    struct cmsghdr *head = CMSG_FIRSTHDR(msg);

    if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
        return;
    if (head->cmsg_len >= CMSG_LEN(sizeof(int)))
        memcpy(&a->fd, CMSG_DATA(head), sizeof(int));
    if (head->cmsg_len >= CMSG_LEN(2 * sizeof(int)))
        memcpy(&a->direct_fd, CMSG_DATA(head) + sizeof(int), sizeof(int));
}

/* -errno: it is gone. */
static int receive_answer(int from, struct answer *a)
{
    int rc = -EACCES;
    struct iovec iov = {&rc, sizeof rc};
    union control control;
    struct msghdr msg = {
        .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control};
    ssize_t n;

    *a = (struct answer){-1, -1, 0};
    do
        n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n != sizeof rc)
        return n < 0 ? -errno : -EPIPE;
    take_descriptors(&msg, a);
    /* The other process has opened it, and there was no room for the descriptor here. */
    a->rc = rc == 0 && a->fd < 0 ? -EMFILE : rc;
    return 0;
}

/* ---- the opener: what may be opened ---- */

struct opener {
    int socket;
    const struct cycle *cycle;
    const struct grants *names;
    /* Names that pass a link, or were missing, when it was first asked for: they may lead
     * anywhere. */
    const struct grant **wandering;
    size_t wandering_count;
    bool wandering_known;
};

/* A file and the folders above it, as they are now. */
struct place {
    char path[PATH_MAX];
    struct {
        dev_t dev;
        ino_t ino;
    } at[FOLDERS_MOST];
    unsigned count;
};

static void place_add(struct place *p, const struct stat *st)
{
    p->at[p->count].dev = st->st_dev;
    p->at[p->count++].ino = st->st_ino;
}

/* Where there is no /proc, by the path that it was opened by. */
static bool find_path(char out[PATH_MAX], int fd, const char *path, const struct stat *st)
{
    char link[32];
    struct stat now;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, out, PATH_MAX - 1);
    if (len > 0) {
        out[len] = '\0';
        return out[0] == '/';
    }
    return realpath(path, out) && stat(out, &now) == 0 && now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

static int place_of(struct place *p, int fd, const char *path)
{
    char folder[PATH_MAX];
    struct stat st;

    if (fstat(fd, &st) < 0 || !find_path(p->path, fd, path, &st))
        return -EACCES;
    p->count = 0;
    place_add(p, &st);
    strcpy(folder, p->path);
    for (char *slash = strrchr(folder, '/'); slash && p->count < FOLDERS_MOST; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (stat(*folder ? folder : "/", &st) == 0)
            place_add(p, &st);
    }
    return 0;
}

static bool is_beneath(const struct place *p, const char *name)
{
    struct stat st;

    if (stat(name, &st) < 0)
        return false;
    for (unsigned i = 0; i < p->count; i++)
        if (p->at[i].dev == st.st_dev && p->at[i].ino == st.st_ino)
            return true;
    return false;
}

static int compare_name(const void *key, const void *grant)
{
    return strcmp(key, ((const struct grant *)grant)->path);
}

static bool is_named(const struct opener *o, const char *path)
{
    const struct grant *g = bsearch(path, o->names->at, o->names->count, sizeof *g, compare_name);

    return g && g->rights & GRANT_READ && !(g->rights & GRANT_OWN);
}

/* Whether a name that `path` begins with leads to the place. */
static bool is_beneath_names_of(const struct opener *o, const struct place *p, const char *path)
{
    char name[PATH_MAX];

    strcpy(name, path);
    for (char *slash = name + strlen(name); slash; slash = strrchr(name, '/')) {
        *slash = '\0';
        if (is_named(o, *name ? name : "/") && is_beneath(p, *name ? name : "/"))
            return true;
    }
    return false;
}

static void find_wandering(struct opener *o)
{
    char real[PATH_MAX];

    o->wandering_known = true;
    o->wandering = calloc(o->names->count + 1, sizeof *o->wandering);
    for (size_t i = 0; o->wandering && i < o->names->count; i++) {
        const struct grant *g = &o->names->at[i];
        if (g->rights & GRANT_READ && !(g->rights & GRANT_OWN) &&
            (!realpath(g->path, real) || strcmp(real, g->path) != 0))
            o->wandering[o->wandering_count++] = g;
    }
}

/* Most often the path itself begins with the name; by a link it may lead to another root, perhaps
 * again by links. */
static bool may_be_read(struct opener *o, const struct place *p, const char *path)
{
    if (is_beneath_names_of(o, p, path) || is_beneath_names_of(o, p, p->path))
        return true;
    if (!o->wandering_known)
        find_wandering(o);
    for (size_t i = 0; i < o->wandering_count; i++)
        if (is_beneath(p, o->wandering[i]->path))
            return true;
    return false;
}

/* ---- the opener: opening ---- */

/* Whether the path leads to what was opened still: then nothing was swapped meanwhile. */
static bool leads_there(const struct ask *ask, int fd)
{
    struct stat opened, now;

    return fstat(fd, &opened) == 0 && file_stat(ask->path, &ask->options, &now) == 0 && opened.st_dev == now.st_dev &&
           opened.st_ino == now.st_ino;
}

static int open_if_allowed(struct opener *o, const struct ask *ask)
{
    struct place place;
    bool stays = false;
    int fd = -EACCES;

    for (int i = 0; i < ATTEMPTS && !(stays && i > 1); i++) {
        fd = ask->what == OPEN_FOLDER ? file_open_directory(ask->path, &ask->options)
                                      : file_open_descriptor(ask->path, &ask->options);
        if (fd < 0)
            return fd;
        if (place_of(&place, fd, ask->path) == 0 && may_be_read(o, &place, ask->path))
            return fd;
        stays = leads_there(ask, fd);
        close(fd);
    }
    return -EACCES;
}

static int open_direct(int fd)
{
    char link[32];
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < DIRECT_LEAST)
        return -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    return open(link, O_RDONLY | O_DIRECT | O_CLOEXEC);
}

struct sought_log {
    const char *path;
    bool found;
};

static void on_log(void *arg, const char *path)
{
    struct sought_log *l = arg;

    l->found = l->found || strcmp(path, l->path) == 0;
}

/* A log with variables in its path: beneath their folder, and no link. */
static int open_varying_log(const struct opener *o, const char *path)
{
    char folder[PATH_MAX], name[PATH_MAX];
    struct place place;
    const char *slash = strrchr(path, '/');
    int fd = -EACCES;

    snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
    int at = open(*folder ? folder : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0)
        return -errno;
    bool known = place_of(&place, at, *folder ? folder : "/") == 0;
    list_each (&o->cycle->conf.writes, node, tmp) {
        const struct conf_noted_path *noted = container_of(node, struct conf_noted_path, node);
        if (fd >= 0 || !known || !sandbox_constant(noted->path, name) || !name[1] || !is_beneath(&place, name))
            continue;
        fd = openat(at, slash + 1, LOG_FLAGS | O_NOFOLLOW, 0644);
        fd = fd < 0 ? -errno : fd;
    }
    close(at);
    return fd;
}

static int open_log(const struct opener *o, const char *path)
{
    struct sought_log sought = {path, false};

    log_file_each(on_log, &sought);
    if (!sought.found)
        return open_varying_log(o, path);
    int fd = open(path, LOG_FLAGS, 0644); /* a FIFO that nobody reads must not hold up others */
    if (fd < 0)
        return -errno;
    (void)fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

static void answer(struct opener *o, const struct ask *ask)
{
    int fd = ask->path[0] != '/' ? -EACCES : ask->what == OPEN_LOG ? open_log(o, ask->path) : open_if_allowed(o, ask);
    struct answer a = {fd < 0 ? -1 : fd, -1, fd < 0 ? fd : 0};

    if (fd >= 0 && ask->what == OPEN_FILE)
        a.direct_fd = open_direct(fd);
    (void)send_answer(o->socket, &a); /* its failure is the worker's end, which recv() says next */
    if (a.fd >= 0)
        close(a.fd);
    if (a.direct_fd >= 0)
        close(a.direct_fd);
}

/* ---- the opener: its life ---- */

static void close_all_but(int fd)
{
    struct rlimit most;

    if (syscall(SYS_close_range, 0, fd - 1, 0) == 0 && syscall(SYS_close_range, fd + 1, ~0U, 0) == 0)
        return;
    for (int i = 0; getrlimit(RLIMIT_NOFILE, &most) == 0 && i < (int)most.rlim_cur; i++)
        if (i != fd)
            close(i);
}

/* Signals are for the worker, at whose end this one's socket ends. Returns the socket. */
static int settle(int given, bool seccomp)
{
    int fd = fcntl(given, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    sigset_t all;

    if (fd < 0)
        _exit(1);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    close_all_but(fd);
    for (int null = open("/dev/null", O_RDWR); null >= 0 && null < STDERR_FILENO;)
        null = dup(null);
    title_set("sluice: opener process");
    if (seccomp)
        (void)seccomp_enter(SECCOMP_SERVES);
    return fd;
}

static _Noreturn void run(struct opener *o)
{
    static struct ask ask;

    for (;;) {
        ssize_t n = recv(o->socket, &ask, sizeof ask, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= (ssize_t)offsetof(struct ask, path))
            _exit(0);
        const char *bytes = (const char *)&ask;
        if (bytes[n - 1] != '\0')
            _exit(1);
        answer(o, &ask);
    }
}

/* ---- the worker ---- */

static struct {
    pthread_mutex_t lock;
    int socket;
    int outdated; /* -1: nobody is told any more */
    unsigned generation;
} worker = {PTHREAD_MUTEX_INITIALIZER, -1, -1, 0};

void opener_tells(int fd, unsigned generation)
{
    worker.outdated = fd;
    worker.generation = generation;
}

/* Once. A pipe that is full says it already. */
static void tell(void)
{
    if (worker.outdated >= 0 && write(worker.outdated, &worker.generation, sizeof worker.generation) < 0 &&
        errno == EINTR)
        return;
    worker.outdated = -1;
}

static struct answer order(enum what what, const char *path, const struct open_options *options)
{
    static const struct open_options none;
    struct ask head = {.what = what};
    struct iovec iov[2] = {{&head, offsetof(struct ask, path)}, {(void *)(uintptr_t)path, strlen(path) + 1}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
    struct answer a = {-1, -1, -EACCES};

    if (iov[1].iov_len > sizeof head.path)
        return a;
    head.options = options ? *options : none;
    pthread_mutex_lock(&worker.lock);
    if (sendmsg(worker.socket, &msg, MSG_NOSIGNAL) < 0 || receive_answer(worker.socket, &a) < 0)
        a.rc = -EACCES; /* as if there were none */
    if (a.rc == 0)
        tell();
    pthread_mutex_unlock(&worker.lock);
    return a;
}

static int open_for_reading(const char *path, const struct open_options *options, bool folder, int *direct_fd)
{
    struct answer a = order(folder ? OPEN_FOLDER : OPEN_FILE, path, options);

    if (direct_fd)
        *direct_fd = a.direct_fd;
    else if (a.direct_fd >= 0)
        close(a.direct_fd);
    return a.rc < 0 ? a.rc : a.fd;
}

static int open_for_logging(const char *path)
{
    struct answer a = order(OPEN_LOG, path, NULL);

    return a.rc < 0 ? a.rc : a.fd;
}

int opener_start(const struct cycle *c, const struct grants *names, bool seccomp)
{
    int pair[2];

    elsewhere_begin(NULL);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    pid_t pid = fork();
    if (pid < 0) {
        int error = errno;
        close(pair[0]);
        close(pair[1]);
        return -error;
    }
    if (pid == 0) {
        struct opener o = {.socket = settle(pair[1], seccomp), .cycle = c, .names = names};
        (void)send_answer(o.socket, &(struct answer){-1, -1, 0});
        run(&o);
    }
    close(pair[1]);
    /* Until then it could be taken for one of the master's processes, and hear their signals. */
    struct answer settled;
    int rc = receive_answer(pair[0], &settled);
    if (rc < 0) {
        close(pair[0]);
        return rc;
    }
    worker.socket = pair[0];
    elsewhere_begin(open_for_reading);
    log_file_open_elsewhere(open_for_logging);
    return 0;
}
