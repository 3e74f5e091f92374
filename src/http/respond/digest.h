/* digest.h - digests of files that somebody has computed before: digest_manifest, repr_digest,
 * $file_digest. RFC 9530. Nothing is computed here: that would be work that any client could order. */
#ifndef HTTP_RESPOND_DIGEST_H
#define HTTP_RESPOND_DIGEST_H

#include "conf/directive.h"
#include "file/identity.h"
#include "http/variable/variable.h"

struct request;

/* Values of digest_module. */
struct digest_conf {
    struct digest_manifests *manifests; /* NULL: none */
    bool repr_digest;
    struct identity_conf identity;
    struct digest_told *told;
};

extern struct conf_module digest_module; /* rows: digest_manifest, repr_digest */

/* Adds Repr-Digest to a response that is decided, its changes of content planned. */
void digest_apply(struct request *r);

/* Once per file, all workers together: that what is recorded of r->file is of another state of it. */
void digest_tell_stale(struct request *r);

/* What makes the entity tag of r->file, and why nothing better does; for `sluice explain`. */
const char *digest_explain(struct request *r);

extern const struct variable_row digest_variables[]; /* $file_digest */

#endif
