/* registry_name.h - what may stand in a URI of a registry: names of repositories, tags, digests.
 * Pure. https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md */
#ifndef HTTP_REGISTRY_REGISTRY_NAME_H
#define HTTP_REGISTRY_REGISTRY_NAME_H

#include "base/text.h"

#include <stdbool.h>

enum { REGISTRY_NAME_MOST = 255, REGISTRY_TAG_MOST = 128 };

/* What a URI asks for. */
enum registry_kind {
    REGISTRY_BASE,      /* /v2/ */
    REGISTRY_MANIFEST,  /* /v2/NAME/manifests/REFERENCE */
    REGISTRY_BLOB,      /* /v2/NAME/blobs/DIGEST */
    REGISTRY_TAGS,      /* /v2/NAME/tags/list */
    REGISTRY_REFERRERS, /* /v2/NAME/referrers/DIGEST */
    REGISTRY_UNKNOWN
};

struct registry_path {
    enum registry_kind kind;
    struct text name, reference; /* inside of the path; not checked by the grammars below */
};

/* `path` is decoded and normalised. */
struct registry_path registry_path_parse(struct text path);

bool registry_is_name(struct text name);
bool registry_is_tag(struct text tag);
bool registry_is_digest(struct text digest);   /* sha256: and 64, sha512: and 128 lower-case digits */
bool registry_is_media_type(struct text type); /* RFC 6838, 4.2, without parameters */

/* The value of `name` in a query, percent-decoded into `space` (args.len bytes); absent: it is not
 * there, or malformed. A plus is a plus: media types have them. */
struct text registry_argument(struct text args, struct text name, char *space);

#endif
