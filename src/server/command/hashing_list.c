/* hashing_list.c - what is recorded of the files, by a manifest or by their attributes, before `sluice
 * hash` reads any; and the new manifest. Called by hashing.c. */
#include "base/clock.h"
#include "file/identity.h"
#include "hashing_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---- the old manifest ---- */

struct looking {
    struct hashing *h;
    struct manifest_line facts; /* kind MANIFEST_FACTS: about the next line */
    size_t found;               /* files before the list was read: what is added for a check stands behind them */
    uint32_t wrong;             /* a line that is none of a manifest */
    char name[MANIFEST_LINE_MOST + 1];
};

static int by_name(const void *name, const void *file)
{
    return strcmp(name, ((const struct hashing_file *)file)->name);
}

static struct hashing_file *find(struct looking *l, struct text name)
{
    memcpy(l->name, name.at, name.len);
    l->name[name.len] = '\0';
    if (memchr(name.at, '\0', name.len) || l->found == 0)
        return NULL;
    return bsearch(l->name, l->h->files, l->found, sizeof *l->h->files, by_name);
}

static void note(struct hashing_file *f, const struct manifest_line *line, const struct manifest_line *facts)
{
    bool told = facts->kind == MANIFEST_FACTS;

    f->listed = true;
    memcpy(f->was, line->digest, DIGEST_LEN);
    f->changed = told && (facts->size != f->size || facts->mtime_sec != f->mtime.tv_sec ||
                          facts->mtime_nsec != (uint32_t)f->mtime.tv_nsec);
    /* Another inode with the same size and time may be another file, put there with the old one's time. */
    f->state = told && !f->changed && facts->inode == f->ino ? HASHING_KNOWN : HASHING_WANTED;
    memcpy(f->digest, f->was, DIGEST_LEN);
}

static int take_gone(struct looking *l, const struct manifest_line *line)
{
    if (!l->h->check) {
        l->h->gone++;
        return 0;
    }
    struct hashing_file *f = hashing_add(l->h, l->name);
    if (!f)
        return -ENOMEM;
    f->listed = true;
    f->state = HASHING_FAILED;
    f->error = -ENOENT;
    memcpy(f->was, line->digest, DIGEST_LEN);
    return 0;
}

static int on_line(void *arg, uint32_t number, const struct manifest_line *line)
{
    struct looking *l = arg;
    int rc = 0;

    if (!line || line->kind == MANIFEST_OTHER) {
        l->wrong = number;
        return -EINVAL;
    }
    if (line->kind == MANIFEST_ENTRY) {
        struct hashing_file *f = find(l, line->name);
        if (f)
            note(f, line, &l->facts);
        else
            rc = take_gone(l, line);
    }
    l->facts.kind = MANIFEST_COMMENT;
    if (line->kind == MANIFEST_FACTS)
        l->facts = *line;
    return rc;
}

static int fail(const struct hashing *h, uint32_t line, const char *why)
{
    char where[24] = "";

    if (line)
        snprintf(where, sizeof where, ":%u", line);
    fprintf(stderr, "sluice hash: %s%s: %s\n", h->list, where, why);
    return -1;
}

static int look_up_in_list(struct hashing *h)
{
    int fd = open(h->list, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0)
        return errno == ENOENT && !h->check ? 0 : fail(h, 0, strerror(errno));
    struct looking *l = calloc(1, sizeof *l);
    struct stat st;
    int rc = !l ? -ENOMEM : fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -ENOTSUP;
    if (rc == 0) {
        l->h = h;
        l->found = h->count;
        l->facts.kind = MANIFEST_COMMENT;
        rc = manifest_read_lines(fd, on_line, l);
    }
    close(fd);
    uint32_t wrong = l ? l->wrong : 0;
    free(l);
    if (wrong)
        return fail(h, wrong, "not a line as sha256sum writes them; the file is left alone");
    return rc < 0 ? fail(h, 0, strerror(-rc)) : 0;
}

/* ---- attributes ---- */

static void look_up_attribute(const struct hashing *h, struct hashing_file *f)
{
    char value[IDENTITY_VALUE_MOST], *path = NULL;
    bool stale = false;

    if (asprintf(&path, "%s/%s", h->dir, f->name) < 0)
        return;
    ssize_t n = getxattr(path, IDENTITY_ATTRIBUTE, value, sizeof value);
    free(path);
    if (n <= 0)
        return;
    bool holds = identity_parse((struct text){value, (size_t)n}, f->size, f->mtime, f->was, &stale);
    f->listed = holds || stale;
    f->changed = stale;
    f->state = holds ? HASHING_KNOWN : HASHING_WANTED;
    memcpy(f->digest, f->was, DIGEST_LEN);
}

/* ---- both ---- */

/* One name of an inode is enough to know it; of several that are recorded, the first counts. */
static void share_known(struct hashing *h)
{
    for (size_t i = 0; i < h->count; i++) {
        struct hashing_file *f = &h->files[i];
        if (f->same && f->state == HASHING_KNOWN && f->same->state == HASHING_WANTED) {
            f->same->state = HASHING_KNOWN;
            memcpy(f->same->digest, f->digest, DIGEST_LEN);
        }
    }
}

int hashing_look_up(struct hashing *h)
{
    /* Adding moves the files that `same` points to. */
    size_t count = h->count;
    ptrdiff_t *same = malloc((count + 1) * sizeof *same);
    int rc = same ? 0 : fail(h, 0, strerror(ENOMEM));

    for (size_t i = 0; same && i < count; i++)
        same[i] = h->files[i].same ? h->files[i].same - h->files : -1;
    if (rc == 0 && h->list)
        rc = look_up_in_list(h);
    for (size_t i = 0; same && i < count; i++) {
        h->files[i].same = same[i] < 0 ? NULL : &h->files[same[i]];
        if (!h->list)
            look_up_attribute(h, &h->files[i]);
    }
    free(same);
    share_known(h);
    return rc;
}

/* ---- the new manifest ---- */

static void write_name(FILE *out, const char *name)
{
    for (; *name; name++) {
        if (*name == '\n' || *name == '\r' || *name == '\\') {
            fputc('\\', out);
            fputc(*name == '\n' ? 'n' : *name == '\r' ? 'r' : '\\', out);
        } else
            fputc(*name, out);
    }
}

static void write_file(FILE *out, const struct hashing_file *f)
{
    char hex[DIGEST_HEX];

    digest_to_hex(f->digest, hex);
    fprintf(out, "# size=%lld mtime=%lld.%09ld inode=%llu\n", (long long)f->size, (long long)f->mtime.tv_sec,
            f->mtime.tv_nsec, (unsigned long long)f->ino);
    if (strpbrk(f->name, "\n\r\\"))
        fputc('\\', out);
    fprintf(out, "%.*s  ", DIGEST_HEX, hex);
    write_name(out, f->name);
    fputc('\n', out);
}

/* As it was, or as any new file. */
static mode_t mode_of_list(const struct hashing *h)
{
    struct stat st;
    mode_t mask = umask(0);

    (void)umask(mask);
    return stat(h->list, &st) == 0 ? st.st_mode & 0777 : 0666 & ~mask;
}

static int write_all(const struct hashing *h, int fd)
{
    FILE *out = fdopen(fd, "w");
    if (!out) {
        close(fd);
        return -ENOMEM;
    }
    errno = 0;
    for (size_t i = 0; i < h->count; i++)
        if (h->files[i].state == HASHING_KNOWN || h->files[i].state == HASHING_READ)
            write_file(out, &h->files[i]);
    int rc = fchmod(fd, mode_of_list(h)) < 0 || fflush(out) != 0 || ferror(out) || fsync(fd) < 0 ? -errno : 0;
    if (fclose(out) != 0 && rc == 0)
        rc = -errno;
    return rc;
}

static void sync_folder(const char *path)
{
    char *copy = strdup(path), *slash = copy ? strrchr(copy, '/') : NULL;

    if (slash)
        slash[slash == copy] = '\0';
    int fd = copy ? open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(copy);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static int write_and_rename(const struct hashing *h, const char *path)
{
    char *temporary = NULL;

    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return -ENOMEM;
    int fd = mkostemp(temporary, O_CLOEXEC);
    int rc = fd < 0 ? -errno : write_all(h, fd);
    if (rc == 0 && rename(temporary, path) < 0)
        rc = -errno;
    if (rc < 0 && fd >= 0)
        unlink(temporary);
    if (rc == 0)
        sync_folder(path);
    free(temporary);
    return rc;
}

int hashing_write(struct hashing *h)
{
    sigset_t signals, before;
    char *target = realpath(h->list, NULL); /* a link stays one */

    /* Nothing is left half written, nor beside it. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &before);
    int rc = write_and_rename(h, target ? target : h->list);
    sigprocmask(SIG_SETMASK, &before, NULL);
    free(target);
    return rc < 0 ? fail(h, 0, strerror(-rc)) : 0;
}
