/* identity.h - what is known of a file's content beyond its time and size: a digest from a manifest,
 * from an extended attribute, or an entity tag that stands beside it. The first of these that is about
 * the file as it is now counts. Nothing here reads the file itself: that would be work that any client
 * could order. fgetxattr(2), RFC 9530. */
#ifndef FILE_IDENTITY_H
#define FILE_IDENTITY_H

#include "file/manifest.h"
#include "file/open.h"

/* user.sluice.sha256: "DIGEST SIZE SECONDS.NANOSECONDS" of the file when it was read. */
#define IDENTITY_ATTRIBUTE "user.sluice.sha256"
#define IDENTITY_SIDECAR   ".etag" /* behind the file's name: the file with its entity tag */

/* Heads of files that were compressed with a dictionary, before its digest: RFC 9842, 4 and 5. */
#define IDENTITY_DCB_MAGIC "\xff\x44\x43\x42"
#define IDENTITY_DCZ_MAGIC "\x5e\x2a\x4d\x18\x20\x00\x00\x00"

enum identity_source { IDENTITY_NONE, IDENTITY_BY_MANIFEST, IDENTITY_BY_ATTRIBUTE, IDENTITY_BY_SIDECAR };

struct identity_manifest {
    struct identity_manifest *next;
    struct manifest *manifest;
};

/* Where to look, for the files of a location. */
struct identity_conf {
    unsigned id;                               /* distinct where any of the following differs; not 0: see below */
    const struct identity_manifest *manifests; /* in their order */
    bool sidecar;
    bool dictionary; /* look into the head of the file for the digest of its dictionary */
};

/* Ids come in fours: those without `dictionary`, and behind them those with it. */
enum { IDENTITY_IDS = 4, IDENTITY_ID_DICTIONARY = 2 };

enum dictionary_format { DICTIONARY_NONE, DICTIONARY_DCB, DICTIONARY_DCZ };

enum { IDENTITY_TAG_MOST = 126, IDENTITY_DIGEST_FIELD = 8 + 1 + 44 + 1 /* sha-256=:...: */ };

struct file_identity {
    enum identity_source source;
    bool pending;               /* attribute, sidecar and head have not been looked at: identity_read() */
    enum identity_source stale; /* a source before that one says something, but of the file as it was */
    const char *from;           /* the manifest's path */
    bool digested;              /* the digest is known, and the next two: */
    unsigned char digest[DIGEST_LEN];
    char field[IDENTITY_DIGEST_FIELD]; /* as in Repr-Digest */
    enum dictionary_format format;     /* of its head, where that was asked for; and what that names: */
    unsigned char dictionary[DIGEST_LEN];
    uint8_t tag_len;
    char tag[IDENTITY_TAG_MOST]; /* with its quotes; a sidecar's may begin with W/ */
};

/* What memory knows: to be called for a file that has just been opened. Touches no disk. */
void identity_look(struct file *f, const struct identity_conf *conf, struct text name);

/* The rest, for one that is pending, by the options that it was opened with. Blocks; any thread. */
void identity_read(struct file *f, const struct open_options *options);

static inline bool identity_is_pending(const struct file *f)
{
    return f && f->identity && f->identity->pending;
}

bool identity_same(const struct file_identity *a, const struct file_identity *b); /* NULL is legal */

enum { IDENTITY_VALUE_MOST = DIGEST_HEX + 64 }; /* bytes of an attribute */

/* What the text of an attribute says. False: it is none, or says it of a file of another size or time (*stale). */
bool identity_parse(struct text value, off_t size, struct timespec mtime, unsigned char digest[DIGEST_LEN],
                    bool *stale);

/* What the first bytes of a file say of its dictionary. Pure. */
enum dictionary_format identity_parse_head(struct text head, unsigned char dictionary[DIGEST_LEN]);

/* The entity tag that a sidecar's bytes mean, with quotes, into `out`; its length, or 0: none. Pure. */
size_t identity_parse_tag(struct text bytes, char out[IDENTITY_TAG_MOST]);

#endif
