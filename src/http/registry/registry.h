/* registry.h - an OCI image layout as a read-only registry: the directive oci_layout.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md */
#ifndef HTTP_REGISTRY_REGISTRY_H
#define HTTP_REGISTRY_REGISTRY_H

#include "conf/directive.h"

struct request;

extern struct conf_module registry_module; /* oci_layout */

void registry_abandon(struct request *r); /* legal at any time */

#endif
