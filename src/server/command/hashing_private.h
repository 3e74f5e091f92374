/* hashing_private.h - what the steps of `sluice hash` share: the files, found (hashing_tree.c), looked
 * up in what was recorded (hashing_list.c), and read (hashing_read.c). */
#ifndef SERVER_COMMAND_HASHING_PRIVATE_H
#define SERVER_COMMAND_HASHING_PRIVATE_H

#include "base/text.h"
#include "file/manifest.h"

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct hashing_file {
    const char *name; /* below the directory */
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
    struct hashing_file *same; /* another name of one inode: it is read once */
    enum hashing_state {
        HASHING_WANTED,
        HASHING_KNOWN, /* recorded when it was as it is now */
        HASHING_READ,
        HASHING_FAILED
    } state;
    int error;    /* of one that failed: -errno; -ESTALE: it changed again and again while it was read */
    bool found;   /* in the directory */
    bool listed;  /* it is recorded, and the next two: */
    bool changed; /* its size or time is not what was recorded */
    unsigned char was[DIGEST_LEN];
    unsigned char digest[DIGEST_LEN]; /* known, or read */
};

struct hashing {
    const char *dir, *list; /* list: the manifest's path; NULL: attributes */
    bool check, all, quiet;
    unsigned threads;

    int dir_fd;
    struct hashing_file *files; /* sorted by name */
    size_t count, size;
    size_t gone;     /* recorded, and not there any more */
    size_t warnings; /* files and folders that could not be used; each was told */

    size_t to_read, read;
    uint64_t bytes_to_read, bytes_read;
};

/* "sluice hash: NAME: why" on standard error, beside the progress. */
void hashing_tell(struct hashing *h, const char *name, const char *why);

/* All regular files below the directory. 0 or -errno; -1 with a line for what else is wrong. */
int hashing_walk(struct hashing *h);
struct hashing_file *hashing_add(struct hashing *h, const char *name); /* NULL: no memory */
void hashing_sort(struct hashing *h);
void hashing_free(struct hashing *h);

/* What is recorded already: of the files, and in a check also of such as are gone. 0, or -1 with a
 * line that says why not. */
int hashing_look_up(struct hashing *h);
int hashing_write(struct hashing *h); /* the manifest, in one step; 0, or -1 with a line */

/* Reads all that are wanted, and writes attributes where these are asked for. 0 or -errno. */
int hashing_read(struct hashing *h);

#endif
