/* tree.c - many small files for `make bench BENCH=scale`. usage: tree DIR FILES FOLDERS BYTES: DIR/000/0000000, each
 * with its number in front and zeros behind. Files are spread over the folders in turn. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BYTES_MOST = 1 << 20 };

static void fail(const char *what)
{
    fprintf(stderr, "tree: %s: %s\n", what, strerror(errno));
    exit(1);
}

static long number(const char *text)
{
    long n = strtol(text, NULL, 10);
    if (n <= 0)
        fail(text);
    return n;
}

/* Folder by folder: each one's entries are together on the disk, as in a tree that was unpacked. */
static void make_folder(long folder, long files, long folders, char *bytes, size_t len)
{
    char name[64];

    snprintf(name, sizeof name, "%03lx", folder);
    if (mkdir(name, 0755) < 0)
        fail(name);
    for (long i = folder; i < files; i += folders) {
        snprintf(name, sizeof name, "%03lx/%07ld", folder, i);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
            fail(name);
        memcpy(bytes, name + 4, len < 7 ? len : 7);
        if (write(fd, bytes, len) != (ssize_t)len || close(fd) < 0)
            fail(name);
    }
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: tree DIR FILES FOLDERS BYTES\n");
        return 2;
    }
    long files = number(argv[2]), folders = number(argv[3]), len = number(argv[4]);
    char *bytes = len <= BYTES_MOST ? calloc(1, (size_t)len) : NULL;
    if (!bytes || folders > 0x1000) {
        errno = EINVAL;
        fail("BYTES or FOLDERS");
    }
    umask(0);
    if ((mkdir(argv[1], 0755) < 0 && errno != EEXIST) || chdir(argv[1]) < 0)
        fail(argv[1]);
    for (long f = 0; f < folders; f++)
        make_folder(f, files, folders, bytes, (size_t)len);
    free(bytes);
    return 0;
}
