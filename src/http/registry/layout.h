/* layout.h - an OCI image layout as it is on the disk: its manifests by digest and tag, and which of
 * them refer to another. Read by a pool thread (layout_job.h).
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md */
#ifndef HTTP_REGISTRY_LAYOUT_H
#define HTTP_REGISTRY_LAYOUT_H

#include "base/arena.h"
#include "file/open.h"
#include "http/registry/layout_json.h"

#include <stdatomic.h>

#define LAYOUT_INDEX "/index.json"
#define LAYOUT_MARK  "/oci-layout"

struct layout_manifest {
    struct text digest, media_type;
    uint64_t size;
    bool opened; /* an index whose entries are here, too */
};

struct layout_tag {
    struct text name, digest;
    size_t order; /* of several with one name, the first one counts */
};

struct layout {
    struct arena arena;                /* of the texts */
    struct layout_manifest *manifests; /* sorted by digest, each once */
    struct layout_tag *tags;           /* sorted by name, each once */
    struct referrer *referrers;        /* where they were asked for; in the order of their digests */
    size_t manifest_count, tag_count, referrer_count;
    size_t bytes;       /* of memory, about */
    bool whole;         /* no file that it names was missing */
    struct stat status; /* of index.json, when it was opened */
};

/* Reads index.json of `folder`, the indexes that it names, and with `referrers` all manifests. Blocks.
 * 0 or -errno: -ENOENT: there is no layout; -EBADMSG: that is none; -E2BIG: more than fits;
 * -ECANCELED: *stop became true. `guard` may be NULL. */
int layout_read(struct layout **out, const char *folder, const struct open_options *guard, bool referrers,
                const atomic_bool *stop);
void layout_free(struct layout *l); /* NULL is legal */

const struct layout_manifest *layout_by_digest(const struct layout *l, struct text digest); /* NULL: none */
const struct layout_manifest *layout_by_tag(const struct layout *l, struct text tag);

/* The index of the first tag behind `tag` in their order. */
size_t layout_tags_after(const struct layout *l, struct text tag);

/* "/blobs/sha256/HEX" of a digest, NUL-terminated; it has the form of one. */
enum { LAYOUT_BLOB_MOST = 160 };
struct text layout_blob(struct text digest, char to[LAYOUT_BLOB_MOST]);

#endif
