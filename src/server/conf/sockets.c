/* sockets.c - binds and takes over listening sockets; used by cycle.c in the master. */
#include "server/conf/sockets.h"

#include "base/buffer.h"
#include "base/log.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BIND_TRIES = 5, /* as nginx: a predecessor may be about to leave */
    BIND_WAIT_MSEC = 500,
    FIRST_HANDED_FD = 3, /* sd_listen_fds(3) */
    HANDED_MARK = 's'    /* in SLUICE_FDS: the service manager's */
};

static struct bound *add(struct sockets *s)
{
    struct bound *b;

    if (s->count == s->cap) {
        unsigned cap = s->cap ? 2 * s->cap : 8;
        struct bound *at = realloc(s->at, cap * sizeof *at);

        if (!at)
            return NULL;
        s->at = at;
        s->cap = cap;
    }
    b = &s->at[s->count++];
    memset(b, 0, sizeof *b);
    b->fd = -1;
    b->worker = SOCKET_SHARED;
    return b;
}

static int socket_int(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -errno : value;
}

/* ---- files of unix: sockets ---- */

static bool find_file(const struct bound *b, struct stat *st)
{
    return b->address.any.sa_family == AF_UNIX && lstat(b->address.un.sun_path, st) == 0 && S_ISSOCK(st->st_mode);
}

/* What stands there now is the socket's: it has just been bound, or is taken over as it is. */
static void note_file(struct bound *b)
{
    struct stat st;

    if (!find_file(b, &st))
        return;
    b->dev = st.st_dev;
    b->ino = st.st_ino;
}

static void remove_file(const struct bound *b)
{
    struct stat st;

    if (b->handed || (b->earlier > 0 && getppid() == b->earlier))
        return;
    if (find_file(b, &st) && st.st_dev == b->dev && st.st_ino == b->ino)
        unlink(b->address.un.sun_path);
}

/* ---- inherited ---- */

static int inherit_one(struct sockets *s, int fd, bool handed, pid_t earlier)
{
    struct bound *b;

    if (socket_int(fd, SO_TYPE) != SOCK_STREAM || socket_int(fd, SO_ACCEPTCONN) != 1) {
        log_warn(0, "inherited descriptor %d is not a listening stream socket, ignored", fd);
        return 0;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    b = add(s);
    if (!b)
        return -ENOMEM;
    b->fd = fd;
    b->handed = handed;
    b->earlier = earlier;
    if (listen_address_of(fd, &b->address) < 0)
        s->count--;
    else
        note_file(b);
    return 0;
}

static int inherit_from_systemd(struct sockets *s)
{
    struct text pid = text_of(getenv("LISTEN_PID")), count = text_of(getenv("LISTEN_FDS"));
    uint64_t value, n;
    int rc = 0;

    if (number_parse(pid, &value) == 0 && value == (uint64_t)getpid() && number_parse(count, &n) == 0 &&
        n < INT_MAX / 2) {
        for (uint64_t i = 0; i < n && rc == 0; i++)
            rc = inherit_one(s, FIRST_HANDED_FD + (int)i, true, 0);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return rc;
}

/* "7" or "7s" */
static int parse_passed(struct text word, int *fd, bool *handed)
{
    uint64_t value;

    *handed = word.len > 0 && word.at[word.len - 1] == HANDED_MARK;
    if (*handed)
        word.len--;
    if (number_parse(word, &value) < 0 || value > INT_MAX)
        return -EINVAL;
    *fd = (int)value;
    return 0;
}

/* It may be gone by now, and our parent another one. A binary that does not say so has not taken
 * long to start us. */
static pid_t earlier_master(void)
{
    uint64_t pid;
    int rc = number_parse(text_of(getenv("SLUICE_MASTER")), &pid);

    unsetenv("SLUICE_MASTER");
    return rc == 0 && pid > 0 && pid <= INT_MAX ? (pid_t)pid : getppid();
}

static int inherit_from_master(struct sockets *s)
{
    const char *set = getenv("SLUICE_FDS");
    struct text list = text_of(set);
    int rc = 0;

    s->earlier = set ? earlier_master() : 0; /* it may have had no sockets */
    while (list.len > 0 && rc == 0) {
        size_t end = text_find(list, ';');
        bool handed;
        int fd;

        if (end == list.len || parse_passed((struct text){list.at, end}, &fd, &handed) < 0) {
            log_emerg(0,
                      "invalid socket number \"%.*s\" in SLUICE_FDS environment variable, ignoring the rest of the "
                      "variable",
                      (int)end, list.at);
            break;
        }
        rc = inherit_one(s, fd, handed, s->earlier);
        list = text_from(list, end + 1);
    }
    unsetenv("SLUICE_FDS");
    return rc;
}

int sockets_inherit(struct sockets *s)
{
    int rc;

    memset(s, 0, sizeof *s);
    rc = inherit_from_systemd(s);
    return rc < 0 ? rc : inherit_from_master(s);
}

int sockets_give(struct sockets *s, int fd, const struct address *address)
{
    struct bound *b = add(s);

    if (!b)
        return -ENOMEM;
    b->fd = fd;
    b->address = *address;
    note_file(b);
    return 0;
}

/* ---- bound ---- */

/* Takes all sockets of an address over. Those that can be had one per worker are dealt out to the
 * workers in turn; when there are fewer workers than before, some have two, and no queue is left
 * unattended. Returns how many workers have one of their own. */
static int take_over(struct sockets *s, const struct http_address *a, unsigned index, unsigned workers,
                     struct sockets *earlier, unsigned *owned, bool *shared)
{
    unsigned dealt = 0;

    *shared = false;
    for (unsigned i = 0; earlier && i < earlier->count; i++) {
        struct bound *old = &earlier->at[i];
        struct bound *b;
        bool own;

        if (old->fd < 0 || old->taken || !address_equal(&old->address, &a->address))
            continue;
        b = add(s);
        if (!b)
            return -ENOMEM;
        own = a->options.reuseport && socket_int(old->fd, SO_REUSEPORT) == 1 && a->address.any.sa_family != AF_UNIX;
        b->address = a->address;
        b->fd = old->fd;
        b->index = index;
        b->worker = own ? dealt++ % workers : SOCKET_SHARED;
        b->borrowed = true;
        b->handed = old->handed;
        b->earlier = old->earlier;
        b->dev = old->dev;
        b->ino = old->ino;
        *shared = *shared || !own;
    }
    *owned = dealt < workers ? dealt : workers;
    return 0;
}

static int open_one(struct sockets *s, const struct http_address *a, unsigned index, unsigned worker, bool exclusive)
{
    struct listen_options options = a->options;
    struct bound *b = add(s);
    int rc;

    if (!b)
        return -ENOMEM;
    options.exclusive = exclusive;
    b->address = a->address;
    b->index = index;
    b->worker = worker;
    rc = listen_open(&a->address, &options, &b->fd);
    if (rc < 0)
        s->count--;
    else
        note_file(b);
    return rc;
}

/* What an address has in this set so far. */
static unsigned count_of(const struct sockets *s, unsigned index)
{
    unsigned count = 0;

    for (unsigned i = 0; i < s->count; i++)
        count += s->at[i].index == index;
    return count;
}

/* Opens what take_over() did not find. A shared socket of before stays shared, whatever `reuseport`
 * says now: sockets beside it would starve it or be starved. */
static int open_missing(struct sockets *s, const struct http_address *a, unsigned index, unsigned workers,
                        struct sockets *earlier)
{
    unsigned owned = 0;
    bool shared;
    int rc = take_over(s, a, index, workers, earlier, &owned, &shared);

    if (rc < 0 || shared)
        return rc;
    if (!a->options.reuseport || a->address.any.sa_family == AF_UNIX)
        return open_one(s, a, index, SOCKET_SHARED, false);
    for (; owned < workers && rc == 0; owned++)
        rc = open_one(s, a, index, owned, owned == 0);
    return rc;
}

static void report(const struct address *a, int error)
{
    char text[ADDRESS_TEXT_SIZE];

    address_format(a, true, text);
    log_emerg(error, "bind() to %s failed", text);
}

/* One pass over the addresses that have nothing yet. 0, -EADDRINUSE: try again, or what cannot be
 * helped. */
static int bind_pass(struct sockets *s, const struct http_main *http, unsigned workers, struct sockets *earlier,
                     bool testing)
{
    int result = 0;

    for (unsigned i = 0; i < http->address_count; i++) {
        const struct http_address *a = &http->addresses[i];
        int rc;

        if (count_of(s, i) > 0)
            continue;
        rc = open_missing(s, a, i, workers, earlier);
        if (rc == 0 || (rc == -EADDRINUSE && testing))
            continue;
        report(&a->address, rc);
        if (rc != -EADDRINUSE)
            return rc;
        result = rc;
    }
    return result;
}

static void warn_unused(const struct sockets *s, const struct sockets *earlier)
{
    for (unsigned i = 0; earlier && i < earlier->count; i++) {
        const struct bound *old = &earlier->at[i];
        char text[ADDRESS_TEXT_SIZE];
        bool used = false;

        for (unsigned k = 0; k < s->count; k++)
            used = used || s->at[k].fd == old->fd;
        if (used || !old->handed)
            continue;
        address_format(&old->address, true, text);
        log_warn(0, "no \"listen\" matches the inherited socket %s, closed", text);
    }
}

int sockets_bind(struct sockets *s, const struct http_main *http, unsigned workers, struct sockets *earlier,
                 bool testing)
{
    const struct timespec wait = {.tv_nsec = BIND_WAIT_MSEC * 1000000L};
    int rc = 0;

    if (!http)
        return 0;
    for (int tries = 1;; tries++) {
        rc = bind_pass(s, http, workers, earlier, testing);
        if (rc != -EADDRINUSE || tries == BIND_TRIES)
            break;
        log_notice(0, "try again to bind() after %dms", BIND_WAIT_MSEC);
        nanosleep(&wait, NULL);
    }
    if (rc == 0) {
        warn_unused(s, earlier);
        return 0;
    }
    if (rc == -EADDRINUSE)
        log_emerg(0, "still could not bind()");
    sockets_close(s, true);
    return rc;
}

void sockets_settle(struct sockets *s, const struct http_main *http, struct sockets *earlier)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct bound *b = &s->at[i];
        int rc;

        if (!b->borrowed)
            continue;
        b->borrowed = false;
        for (unsigned k = 0; k < earlier->count; k++) {
            if (earlier->at[k].fd == b->fd)
                earlier->at[k].taken = true;
        }
        rc = listen_adopt(b->fd, &http->addresses[b->index].options);
        if (rc < 0)
            log_warn(rc, "options of an open listening socket could not be set");
    }
}

void sockets_close(struct sockets *s, bool remove_files)
{
    for (unsigned i = 0; i < s->count; i++) {
        struct bound *b = &s->at[i];

        if (b->fd < 0 || b->borrowed || b->taken)
            continue;
        close(b->fd);
        if (remove_files)
            remove_file(b);
    }
    free(s->at);
    memset(s, 0, sizeof *s);
}

/* The service manager's come last: an older binary, which does not know the mark, reads as far as
 * the first of them. */
char *sockets_pass_on(const struct sockets *s)
{
    struct buffer text;

    buffer_init(&text);
    for (unsigned handed = 0; handed < 2; handed++) {
        for (unsigned i = 0; i < s->count; i++) {
            if (s->at[i].handed != (handed > 0))
                continue;
            fcntl(s->at[i].fd, F_SETFD, 0);
            buffer_printf(&text, handed ? "%d%c;" : "%d;", s->at[i].fd, HANDED_MARK);
        }
    }
    if (text.failed) {
        buffer_fini(&text);
        return NULL;
    }
    return buffer_steal(&text, NULL);
}
