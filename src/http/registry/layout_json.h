/* layout_json.h - the JSON of an OCI image layout: indexes and manifests. The only door to jansson.
 * Pure, but for the heap. What is too deep or has too many values is refused before the library
 * makes them: it needs a hundred bytes for some.
 * https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md */
#ifndef HTTP_REGISTRY_LAYOUT_JSON_H
#define HTTP_REGISTRY_LAYOUT_JSON_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { LAYOUT_JSON_MOST = 4 * 1024 * 1024 /* bytes of one text; the specification's bound for manifests */ };

/* An entry of an index. Its texts live as long as the call that shows it. */
struct descriptor {
    struct text media_type, digest; /* of the form that registry_name.h has */
    struct text tag;                /* absent: it has none */
    uint64_t size;
};

/* false: built without jansson; then all of these are -ENOSYS. */
bool layout_json_works(void);

/* The file oci-layout: 0, or -EBADMSG where it is none, or one of another major version. */
int layout_json_version(struct text bytes);

/* Calls `each` with every descriptor of an index; those that are malformed are left out. 0;
 * -EBADMSG: it is no index; or what `each` returned, if not 0. */
typedef int layout_descriptor_fn(void *arg, const struct descriptor *d);
int layout_json_index(struct text bytes, layout_descriptor_fn *each, void *arg);

/* A manifest or index that names a subject, as a list of referrers has it. */
struct referrer {
    struct text subject;       /* the digest */
    struct text artifact_type; /* absent: it has none */
    struct text json;          /* the descriptor, with artifactType and annotations */
};

/* 1, and `each` was called with it; 0: `bytes`, which `d` is about, has no subject; -EBADMSG: it is
 * no manifest; or -ENOMEM. */
typedef void layout_referrer_fn(void *arg, const struct referrer *f);
int layout_json_referrer(struct text bytes, const struct descriptor *d, layout_referrer_fn *each, void *arg);

#endif
