/* users.c - a file of users in memory, with a table of names. See users.h.
 *
 * Names are found by a keyed hash; what follows a name is read by htpasswd.c, as it is where the
 * file comes in pieces. */
#include "http/access/users.h"

#include "base/clock.h"
#include "base/siphash.h"
#include "file/local.h"
#include "file/open.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    SIZE_MOST = 256 * 1024,
    RENEW_MSEC = 60 * 1000 /* what is stored through a mapping need not show in the times */
};

struct users {
    char *path;
    struct stat st;
    int64_t read_msec, asked_msec; /* clock_now */
    uint64_t secret[2];
    uint32_t *lines; /* by the hash of the name: where its first line starts, plus one; 0: none */
    size_t mask;
    size_t len;
    char bytes[];
};

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           clock_same(a->st_mtim, b->st_mtim) && clock_same(a->st_ctim, b->st_ctim);
}

static bool may_be_kept(const struct stat *st, time_t now)
{
    return S_ISREG(st->st_mode) && st->st_size <= SIZE_MOST && !file_times_are_doubtful(st->st_mtim, st->st_ctim, now);
}

/* All of `len` bytes, and no more are there. */
static bool read_all(int fd, char *to, size_t len)
{
    size_t at = 0;
    char more;

    while (at < len) {
        ssize_t n = pread(fd, to + at, len - at, (off_t)at);
        if (n == 0 || (n < 0 && errno != EINTR))
            return false;
        at += n > 0 ? (size_t)n : 0;
    }
    return pread(fd, &more, 1, (off_t)len) == 0;
}

/* ---- the table ---- */

static bool is_name_at(const struct users *u, size_t at, struct text name)
{
    struct text rest = {u->bytes + at, u->len - at};

    return text_starts(rest, name) && rest.len > name.len && rest.at[name.len] == ':';
}

/* Where the line of `name` is noted, or would be. */
static uint32_t *slot_of(const struct users *u, struct text name)
{
    size_t i = siphash(u->secret, name).half[0] & u->mask;

    while (u->lines[i] && !is_name_at(u, u->lines[i] - 1, name))
        i = (i + 1) & u->mask;
    return &u->lines[i];
}

static void add_line(struct users *u, size_t at, struct text line)
{
    struct text name = {line.at, text_find(line, ':')};

    if (name.len == line.len || text_starts(line, TEXT("#")))
        return;
    uint32_t *slot = slot_of(u, name);
    if (*slot == 0) /* the first one counts */
        *slot = (uint32_t)at + 1;
}

static bool make_table(struct users *u)
{
    size_t lines = 1, size = 1;

    for (size_t i = 0; i < u->len; i++)
        lines += u->bytes[i] == '\n';
    while (size < 2 * lines)
        size *= 2;
    u->lines = calloc(size, sizeof *u->lines);
    u->mask = size - 1;
    if (!u->lines || getrandom(u->secret, sizeof u->secret, 0) != sizeof u->secret)
        return false;
    for (size_t at = 0; at < u->len;) {
        struct text rest = {u->bytes + at, u->len - at};
        size_t len = text_find(rest, '\n');
        add_line(u, at, (struct text){rest.at, len});
        at += len + 1;
    }
    return true;
}

/* ---- */

struct users *users_read(int fd, const char *path, struct users_time asked)
{
    struct stat before, after;

    if (fstat(fd, &before) < 0 || !may_be_kept(&before, asked.sec) || !path_is_local(path))
        return NULL;
    size_t len = (size_t)before.st_size;
    struct users *u = calloc(1, sizeof *u + len);
    if (!u)
        return NULL;
    u->st = before;
    u->read_msec = u->asked_msec = asked.msec;
    u->len = len;
    u->path = strdup(path);
    if (u->path && read_all(fd, u->bytes, len) && !memmem(u->bytes, len, "{PLAIN}", 7) && fstat(fd, &after) == 0 &&
        same_file(&before, &after) && make_table(u))
        return u;
    users_free(u);
    return NULL;
}

void users_free(struct users *u)
{
    if (!u)
        return;
    explicit_bzero(u->bytes, u->len);
    free(u->lines);
    free(u->path);
    free(u);
}

bool users_are_at(const struct users *u, struct text path)
{
    return text_equal(text_of(u->path), path);
}

bool users_are_current(struct users *u)
{
    struct stat st;
    int64_t before = u->asked_msec;

    u->asked_msec = clock_now.msec;
    return clock_now.msec - u->read_msec < RENEW_MSEC && file_stat_again(u->path, NULL, before, &st) == 0 &&
           same_file(&u->st, &st);
}

bool users_find(const struct users *u, struct htpasswd_search *s)
{
    const uint32_t *slot = slot_of(u, s->user);
    size_t at = *slot > 0 ? *slot - 1 : u->len;

    return htpasswd_feed(s, u->bytes + at, u->len - at) || htpasswd_end(s);
}
