/* dict.c - `sluice dict OLD... NEW`: its arguments, and the files that it writes. See dict.h. */
#include "server/command/dict.h"

#include "base/hash.h"
#include "dict_private.h"
#include "file/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIGITS = 16 /* of the dictionary's digest in a name: VARIANT_DIGITS of variant.h */ };

/* ---- the codings ---- */

static const struct coder {
    const char *name;
    struct text magic;
    ssize_t (*compress)(struct text dictionary, struct text content, char **out);
    const char *const *lacks;
} coders[] = {
    {"dcz", {IDENTITY_DCZ_MAGIC, sizeof IDENTITY_DCZ_MAGIC - 1}, dict_zstd, &dict_zstd_lacks},
    {"dcb", {IDENTITY_DCB_MAGIC, sizeof IDENTITY_DCB_MAGIC - 1}, dict_brotli, &dict_brotli_lacks},
};
enum { DCZ, DCB, CODERS };

struct dict {
    bool wanted[CODERS];
    bool quiet;
    const char *output; /* NULL: named after NEW and the dictionary */
    char *const *olds;
    int count; /* of olds */
    const char *name;
    struct text content; /* of NEW */
    struct stat st;
};

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "sluice dict: %s: %s\n", what, why);
    return 1;
}

/* ---- the command line ---- */

static void help(void)
{
    fputs(
        "Usage: sluice dict OLD... NEW [--dcz] [--dcb] [-o FILE] [-q]\n"
        "\n"
        "Compresses NEW with each OLD as its dictionary, for clients that have OLD (\"dictionary_static\"): writes\n"
        "NEW.DIGITS.dcz (Zstandard) and NEW.DIGITS.dcb (Brotli), where DIGITS are the first 16 of the SHA-256 digest\n"
        "of OLD. They get the time and the mode of NEW; what would be no smaller than NEW is not written.\n"
        "\n"
        "  --dcz, --dcb : this coding alone (default: those that this sluice can make)\n"
        "  -o FILE      : the file, of one OLD and one coding\n"
        "  -q           : say nothing but what is wrong\n",
        stdout);
}

static int misused(const char *what, const char *value)
{
    fprintf(stderr, "sluice dict: %s%s%s%s\n", what, value ? " \"" : "", value ? value : "", value ? "\"" : "");
    return -EINVAL;
}

static int choose_coders(struct dict *d)
{
    bool any = false;

    for (int c = 0; c < CODERS; c++) {
        if (d->wanted[c] && *coders[c].lacks) {
            fail(coders[c].name, *coders[c].lacks);
            return -ENOSYS;
        }
        any |= d->wanted[c];
    }
    for (int c = 0; c < CODERS && !any; c++)
        d->wanted[c] = !*coders[c].lacks;
    if (!d->wanted[DCZ] && !d->wanted[DCB])
        return misused("this sluice was built without libzstd and libbrotli: it can make neither dcz nor dcb", NULL);
    if (d->output && (d->count > 1 || (d->wanted[DCZ] && d->wanted[DCB])))
        return misused("-o is for one OLD and one coding (--dcz or --dcb):", d->output);
    return 0;
}

/* 0; 1: help was asked for; -errno, and it was said why. */
static int parse(struct dict *d, int argc, char **argv)
{
    static const struct option longer[] = {{"dcz", no_argument, NULL, 'z'},          {"dcb", no_argument, NULL, 'b'},
                                           {"help", no_argument, NULL, 'h'},         {"quiet", no_argument, NULL, 'q'},
                                           {"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    int letter;

    opterr = 0;
    optind = 1;
    while ((letter = getopt_long(argc, argv, ":o:qh", longer, NULL)) != -1) {
        if (letter == 'h')
            return 1;
        if (letter == ':')
            return misused("a value is missing after", argv[optind - 1]);
        if (letter == '?')
            return misused("invalid option", argv[optind - 1]);
        d->wanted[DCZ] |= letter == 'z';
        d->wanted[DCB] |= letter == 'b';
        d->quiet |= letter == 'q';
        d->output = letter == 'o' ? optarg : d->output;
    }
    if (argc - optind < 2)
        return misused("which files? OLD and NEW", NULL);
    d->olds = argv + optind;
    d->count = argc - optind - 1;
    d->name = argv[argc - 1];
    return choose_coders(d);
}

/* ---- files ---- */

static int read_all(int fd, char *to, size_t size)
{
    for (size_t got = 0; got < size;) {
        ssize_t n = read(fd, to + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ESTALE;
        got += (size_t)n;
    }
    return 0;
}

/* The whole of a regular file, on the heap. */
static int take(const char *name, struct text *out, struct stat *st)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
    char *bytes = NULL;

    *out = TEXT_NONE;
    *st = (struct stat){0};
    rc = fd < 0 || fstat(fd, st) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISREG(st->st_mode))
        rc = S_ISDIR(st->st_mode) ? -EISDIR : -EINVAL;
    if (rc == 0) {
        bytes = malloc((size_t)st->st_size + 1);
        rc = bytes ? read_all(fd, bytes, (size_t)st->st_size) : -ENOMEM;
    }
    if (fd >= 0)
        close(fd);
    if (rc < 0) {
        free(bytes);
        return rc;
    }
    *out = (struct text){bytes, (size_t)st->st_size};
    return 0;
}

static int write_all(int fd, struct text t)
{
    while (t.len > 0) {
        ssize_t n = write(fd, t.at, t.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        t = text_from(t, (size_t)n);
    }
    return 0;
}

/* In one step, so that nobody sees a part of it. Replicas that make it of the same files get the same
 * file. */
static int put(const struct dict *d, const char *name, const struct text *parts, unsigned count)
{
    const struct timespec times[] = {d->st.st_mtim, d->st.st_mtim};
    char *part = NULL;
    int fd = asprintf(&part, "%s.XXXXXX", name) < 0 ? -1 : mkostemp(part, O_CLOEXEC);
    int rc = fd < 0 ? -errno : 0;

    for (unsigned i = 0; i < count && rc == 0; i++)
        rc = write_all(fd, parts[i]);
    if (rc == 0 && (fchmod(fd, d->st.st_mode & 0666) < 0 || futimens(fd, times) < 0))
        rc = -errno;
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc == 0 && rename(part, name) < 0)
        rc = -errno;
    if (fd >= 0 && rc < 0)
        unlink(part);
    free(part);
    return rc;
}

/* ---- the work ---- */

static void say(const struct dict *d, const char *name, size_t len, const char *old)
{
    double percent = 100.0 * (double)len / (double)d->content.len;

    if (!d->quiet)
        printf("%s: %zu bytes, %.1f %% of %s, for clients that have %s\n", name, len, percent, d->name, old);
}

/* NEW.DIGITS.dcz, or what -o says; on the heap, NULL: no memory. */
static char *name_of(const struct dict *d, const struct coder *c, const unsigned char digest[DIGEST_LEN])
{
    char hex[DIGEST_HEX], *name;

    if (d->output)
        return strdup(d->output);
    digest_to_hex(digest, hex);
    return asprintf(&name, "%s.%.*s.%s", d->name, (int)DIGITS, hex, c->name) < 0 ? NULL : name;
}

/* Writes `bytes` behind their head. */
static int finish(const struct dict *d, const struct coder *c, const char *old, const unsigned char digest[DIGEST_LEN],
                  struct text bytes)
{
    const struct text parts[] = {c->magic, {(const char *)digest, DIGEST_LEN}, bytes};
    size_t len = c->magic.len + DIGEST_LEN + bytes.len;
    char *name = name_of(d, c, digest);
    int rc = name ? 0 : -ENOMEM;

    if (rc == 0 && len < d->content.len) {
        rc = put(d, name, parts, sizeof parts / sizeof *parts);
        if (rc == 0)
            say(d, name, len, old);
    } else if (rc == 0 && !d->quiet) {
        printf("%s: not written, it would be no smaller than %s\n", name, d->name);
    }
    if (rc < 0)
        fail(name ? name : c->name, strerror(-rc));
    free(name);
    return rc;
}

/* One coding of one dictionary. */
static int make(const struct dict *d, const struct coder *c, const char *old, struct text dictionary,
                const unsigned char digest[DIGEST_LEN])
{
    char *bytes = NULL;
    ssize_t len = c->compress(dictionary, d->content, &bytes);
    int rc = 0;

    if (len < 0)
        rc = fail(c->name, len == -EINVAL ? "the library refuses to compress it" : strerror((int)-len));
    else if (finish(d, c, old, digest, (struct text){bytes, (size_t)len}) < 0)
        rc = 1;
    free(bytes);
    return rc;
}

static int make_all(const struct dict *d, const char *old)
{
    unsigned char digest[DIGEST_LEN];
    struct text dictionary;
    struct stat st;
    int rc = take(old, &dictionary, &st), status = 0;

    if (rc < 0)
        return fail(old, strerror(-rc));
    rc = dictionary.len == 0 ? -ENODATA : hash_of(HASH_SHA256, &dictionary, 1, digest);
    if (rc < 0)
        status = fail(old, rc == -ENODATA ? "is empty" : strerror(-rc));
    for (int c = 0; c < CODERS && rc == 0; c++)
        if (d->wanted[c])
            status |= make(d, &coders[c], old, dictionary, digest);
    free((char *)(uintptr_t)dictionary.at);
    return status;
}

int dict_run(int argc, char **argv)
{
    struct dict d = {.output = NULL};
    int rc = parse(&d, argc, argv), status = 0;

    if (rc == 1)
        help();
    if (rc != 0)
        return rc == 1 ? 0 : 1;
    if (!hash_available())
        return fail("SHA-256", "this sluice was built without libcrypto");
    rc = take(d.name, &d.content, &d.st);
    if (rc < 0)
        return fail(d.name, strerror(-rc));
    for (int i = 0; i < d.count; i++)
        status |= make_all(&d, d.olds[i]);
    free((char *)(uintptr_t)d.content.at);
    return status;
}
