/* hashing.c - `sluice hash DIR`: its arguments, its steps, and what it says in the end. */
#include "server/command/hashing.h"

#include "base/hash.h"
#include "base/number.h"
#include "hashing_private.h"
#include "server/conf/cpu.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define LIST "SHA256SUMS"

enum { THREADS_MOST = 256 };

static void help(void)
{
    fputs("Usage: sluice hash DIR [-o FILE] [--xattr] [--check] [--all] [--threads N] [-q]\n"
          "\n"
          "Writes the SHA-256 digests of all files below DIR into DIR/" LIST ", for \"digest_manifest\", or renews\n"
          "them: only files are read whose size, time or inode is not what is recorded. Large files are read past the\n"
          "page cache. The new list takes the place of the old one in one step.\n"
          "\n"
          "  -o FILE      : the list, instead of DIR/" LIST "\n"
          "  --xattr      : no list, but an attribute of each file (user.sluice.sha256)\n"
          "  --check      : read every file, compare it with what is recorded, and change nothing\n"
          "  --all        : read every file again\n"
          "  --threads N  : files that are read, and digests that are computed, at a time (default: one for each CPU)\n"
          "  -q           : say nothing but what is wrong\n"
          "\n"
          "Exit code 0: all is well; 1: a file could not be read, or is not as recorded.\n",
          stdout);
}

/* ---- the command line ---- */

static int misused(const char *what, const char *value)
{
    fprintf(stderr, "sluice hash: %s%s%s%s\n", what, value ? " \"" : "", value ? value : "", value ? "\"" : "");
    return -EINVAL;
}

static int set_threads(struct hashing *h, const char *value)
{
    uint64_t n;

    if (number_parse(text_of(value), &n) < 0 || n < 1 || n > THREADS_MOST)
        return misused("--threads takes a number from 1 to 256, not", value);
    h->threads = (unsigned)n;
    return 0;
}

static int set_option(struct hashing *h, int letter, bool *xattr, char *const *argv)
{
    switch (letter) {
    case 'o':
        h->list = optarg;
        return 0;
    case 'x':
        *xattr = true;
        return 0;
    case 'c':
        h->check = true;
        return 0;
    case 'a':
        h->all = true;
        return 0;
    case 'q':
        h->quiet = true;
        return 0;
    case 't':
        return set_threads(h, optarg);
    case ':':
        return misused("a value is missing after", argv[optind - 1]);
    default:
        return misused("invalid option", argv[optind - 1]);
    }
}

/* 0; 1: help was asked for; -EINVAL, and it was said why. */
static int parse(struct hashing *h, int argc, char **argv, bool *xattr)
{
    static const struct option longer[] = {
        {"xattr", no_argument, NULL, 'x'},        {"check", no_argument, NULL, 'c'},
        {"all", no_argument, NULL, 'a'},          {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},         {"quiet", no_argument, NULL, 'q'},
        {"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    int letter, rc = 0;

    opterr = 0;
    optind = 1;
    while (rc == 0 && (letter = getopt_long(argc, argv, ":o:qh", longer, NULL)) != -1) {
        if (letter == 'h')
            return 1;
        rc = set_option(h, letter, xattr, argv);
    }
    if (rc < 0)
        return rc;
    if (optind >= argc)
        return misused("which directory?", NULL);
    if (optind + 1 < argc)
        return misused("more than one directory:", argv[optind + 1]);
    if (*xattr && h->list)
        return misused("--xattr writes no list: it does not go with -o", h->list);
    if (h->check && h->all)
        return misused("--check reads every file: it does not go with --all", NULL);
    h->dir = argv[optind];
    return 0;
}

/* ---- the steps ---- */

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "sluice hash: %s: %s\n", what, why);
    return 1;
}

/* A check and --all take nothing for known. */
static void want_all(struct hashing *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (h->files[i].state == HASHING_KNOWN)
            h->files[i].state = h->check && !h->files[i].listed ? HASHING_KNOWN : HASHING_WANTED;
}

static const char *why_not(int error)
{
    if (error == -ESTALE)
        return "changes while it is read";
    if (error == -EOPNOTSUPP)
        return "the filesystem has no such attributes";
    return strerror(-error);
}

/* Files that could not be read, each told. */
static size_t tell_failed(struct hashing *h)
{
    size_t count = 0;

    for (size_t i = 0; i < h->count; i++) {
        if (h->files[i].state != HASHING_FAILED || h->files[i].error == -ENOENT)
            continue;
        hashing_tell(h, h->files[i].name, why_not(h->files[i].error));
        count++;
    }
    return count;
}

static bool is_worth_writing(const struct hashing *h)
{
    if (h->gone > 0 || access(h->list, F_OK) < 0)
        return true;
    for (size_t i = 0; i < h->count; i++)
        if (h->files[i].state != HASHING_KNOWN || !h->files[i].listed)
            return true;
    return false;
}

static void say_how_much(const struct hashing *h, double took)
{
    double mib = (double)h->bytes_read / (1 << 20);

    printf("%zu read (%.1f MiB in %.2f s, %.0f MiB/s)", h->read, mib, took, took > 0 ? mib / took : 0);
}

static int conclude(struct hashing *h, double took)
{
    size_t known = 0, failed = tell_failed(h) + h->warnings;

    for (size_t i = 0; i < h->count; i++)
        known += h->files[i].state == HASHING_KNOWN;
    bool written = h->list && is_worth_writing(h);
    if (written && hashing_write(h) < 0)
        return 1;
    if (!h->quiet) {
        printf("%s: %zu files: ", h->list ? h->list : h->dir, h->count);
        say_how_much(h, took);
        printf(", %zu as recorded, %zu gone%s\n", known, h->gone,
               h->list && !written ? "; the list stays as it is" : "");
    }
    return failed > 0 ? 1 : 0;
}

/* ---- the check ---- */

static const char *judge(const struct hashing_file *f)
{
    if (!f->listed)
        return "not recorded";
    if (f->state == HASHING_FAILED)
        return f->error == -ENOENT ? "missing" : NULL; /* tell_failed() has said it */
    if (memcmp(f->was, f->digest, DIGEST_LEN) == 0)
        return NULL;
    return f->changed ? "differs: it was changed since" : "differs, though its size and time are as recorded";
}

static int conclude_check(struct hashing *h, double took)
{
    size_t wrong = tell_failed(h) + h->warnings, unlisted = 0, good = 0;

    for (size_t i = 0; i < h->count; i++) {
        const struct hashing_file *f = &h->files[i];
        const char *verdict = judge(f);
        if (verdict && !(h->quiet && !f->listed))
            printf("%s/%s: %s\n", h->dir, f->name, verdict);
        unlisted += !f->listed;
        wrong += verdict && f->listed;
        good += f->listed && !verdict && f->state != HASHING_FAILED;
    }
    if (!h->quiet) {
        printf("%s: ", h->list ? h->list : h->dir);
        say_how_much(h, took);
        printf(", %zu as recorded, %zu not, %zu not recorded\n", good, wrong, unlisted);
    }
    return wrong > 0 ? 1 : 0;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Files that nobody has recorded anything of have nothing to be compared with. */
static void leave_unlisted(struct hashing *h)
{
    for (size_t i = 0; i < h->count; i++)
        if (!h->files[i].listed && !h->files[i].same)
            h->files[i].state = HASHING_KNOWN;
    for (size_t i = 0; i < h->count; i++) /* unless by another name */
        if (h->files[i].listed && h->files[i].same && !h->files[i].same->listed)
            h->files[i].same->state = HASHING_WANTED;
}

static int work(struct hashing *h)
{
    int rc = hashing_walk(h);

    if (rc < 0)
        return fail(h->dir, strerror(-rc));
    if (hashing_look_up(h) < 0)
        return 1;
    if (h->all || h->check)
        want_all(h);
    if (h->check)
        leave_unlisted(h);
    double from = now();
    rc = hashing_read(h);
    if (rc < 0)
        return fail("cannot read", strerror(-rc));
    if (h->check)
        hashing_sort(h); /* those that are gone stand at the end */
    return h->check ? conclude_check(h, now() - from) : conclude(h, now() - from);
}

int hashing_run(int argc, char **argv)
{
    struct hashing h = {.dir_fd = -1, .threads = cpu_usable()};
    bool xattr = false;
    char *list = NULL;
    int rc = parse(&h, argc, argv, &xattr);

    if (rc == 1)
        help();
    if (rc != 0)
        return rc == 1 ? 0 : 1;
    if (!hash_available())
        return fail("SHA-256", "this sluice was built without libcrypto");
    h.dir_fd = open(h.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (h.dir_fd < 0)
        return fail(h.dir, strerror(errno));
    if (!xattr && !h.list) {
        if (asprintf(&list, "%s/" LIST, h.dir) < 0)
            list = NULL;
        h.list = list;
    }
    rc = xattr || h.list ? work(&h) : fail(h.dir, strerror(ENOMEM));
    hashing_free(&h);
    free(list);
    return rc;
}
