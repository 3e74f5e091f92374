/* registry_answer.h - responses of a registry that are made here: errors, lists of tags and of
 * referrers. OCI distribution spec, "Error Codes", "Content Discovery". */
#ifndef HTTP_REGISTRY_REGISTRY_ANSWER_H
#define HTTP_REGISTRY_REGISTRY_ANSWER_H

#include "http/registry/layout.h"
#include "http/request/request.h"

enum registry_error {
    REGISTRY_UNSUPPORTED,
    REGISTRY_NAME_INVALID,
    REGISTRY_NAME_UNKNOWN,
    REGISTRY_MANIFEST_UNKNOWN,
    REGISTRY_BLOB_UNKNOWN,
    REGISTRY_DIGEST_INVALID,
    REGISTRY_PAGE_INVALID,
    REGISTRY_DENIED
};

void registry_refuse(struct request *r, enum registry_error error);
void registry_answer_base(struct request *r);

/* By the request's query. `name`: of the repository. */
void registry_answer_tags(struct request *r, struct text name, const struct layout *l);
void registry_answer_referrers(struct request *r, struct text digest, const struct layout *l);

#endif
