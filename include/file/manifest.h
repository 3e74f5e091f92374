/* manifest.h - digests of many files, from a list in the format of sha256sum(1), in memory that
 * processes share: read once, by the master, and found without a system call.
 *
 * Lines are "DIGEST  NAME", "DIGEST *NAME" or "SHA256 (NAME) = DIGEST"; a name with a backslash or
 * the end of a line in it is escaped as there, with a backslash before the line. Lines that begin with
 * # are comments. One of them, `# size=BYTES mtime=SECONDS.NANOSECONDS inode=NUMBER`, says for the
 * line after it what the file was when it was read. */
#ifndef FILE_MANIFEST_H
#define FILE_MANIFEST_H

#include "base/siphash.h"
#include "base/text.h"
#include "file/file.h"

#include <stdint.h>
#include <time.h>

enum { DIGEST_LEN = 32, DIGEST_HEX = 2 * DIGEST_LEN };

/* What a line says. */
struct manifest_entry {
    struct siphash key; /* of the name, in the place of it */
    unsigned char digest[DIGEST_LEN];
    int64_t size; /* -1: it does not say what the file was */
    int64_t mtime_sec;
    uint32_t mtime_nsec;
    uint32_t line;
};

struct manifest {
    const char *path;
    struct timespec mtime; /* of the list */
    struct timespec read;  /* when that began, by the clock of files' times */
    size_t count;
    uint32_t first_ignored, ignored; /* lines that are none of those above: number of the first, how many */

    struct manifest_entry *entries; /* sorted by key and line */
    uint32_t *buckets;              /* where the keys with the same first `bits` begin; one more than there are */
    unsigned bits;
    size_t entries_size, buckets_size; /* of the mappings, bytes */
};

/* Reads `path`, which is kept; names are taken to be below `prefix` (may be empty). Blocks. 0, or
 * -errno: -ENOMEM; -EINVAL: no line of many is one; -E2BIG: more than 2^32 - 1 lines. */
int manifest_open(struct manifest **out, const char *path, struct text prefix);
void manifest_close(struct manifest *m); /* NULL is legal */

/* The key of a name that is relative to the root, without a slash at its beginning. */
struct siphash manifest_key(struct text name);

/* The last line with that name, or NULL. Any thread. */
const struct manifest_entry *manifest_find(const struct manifest *m, const struct siphash *key);

/* Whether an entry is about the file as it is now: the size and time of the line, or a list that is no
 * older than the file (and no other size). Never about one whose inode changed after the list was
 * read: that may be another release, whose files have the times of the last one. */
bool manifest_holds(const struct manifest *m, const struct manifest_entry *e, off_t size, struct timespec mtime,
                    struct timespec ctime);

/* ---- lines ---- */

struct manifest_line {
    enum manifest_line_kind {
        MANIFEST_ENTRY,
        MANIFEST_FACTS, /* about the file of the next line */
        MANIFEST_COMMENT,
        MANIFEST_OTHER
    } kind;
    unsigned char digest[DIGEST_LEN];
    struct text name; /* in `space` where it was escaped */
    int64_t size, mtime_sec;
    uint32_t mtime_nsec;
    uint64_t inode;
};

enum { MANIFEST_LINE_MOST = 16 * 1024 };

/* `line` has no end of a line in it. Pure. */
void manifest_parse_line(struct text line, struct manifest_line *out, char space[MANIFEST_LINE_MOST]);

/* Calls `each` with every line of the file, from 1 on; a result other than 0 ends it, and is returned.
 * 0 or -errno. `line` NULL: the line is too long to be one. */
typedef int manifest_line_fn(void *arg, uint32_t number, const struct manifest_line *line);
int manifest_read_lines(int fd, manifest_line_fn *each, void *arg);

void digest_to_hex(const unsigned char digest[DIGEST_LEN], char hex[DIGEST_HEX]);
bool digest_from_hex(struct text hex, unsigned char digest[DIGEST_LEN]); /* exactly DIGEST_HEX digits, of either case */

#endif
