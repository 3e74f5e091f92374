/* zone.h - named memory that the workers share: made before they are forked, found again by later
 * configurations. mmap(2), MAP_SHARED; pthread_mutexattr_setrobust(3).
 *
 * Anonymous mappings: nothing is left behind, whoever dies. A worker that is killed while it holds
 * the lock hangs nobody: the next one is told that the content is not to be trusted. A worker that
 * is killed at any time leaves marks that others can tell are a dead one's (tenants). The registry
 * is the process' own, and not for threads; the lock and what is inside is for all processes. */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zone;

/* A zone of `size` usable bytes, zeroed where it is new; or the one that is in use with the same
 * name and size. `key`: what its content is about; -EEXIST: a zone of this name and size is in use
 * with another one, and *out is that one, not acquired. The texts are copied. 0, -EEXIST or another
 * -errno. */
int zone_acquire(struct zone **out, struct text name, size_t size, struct text key);
void zone_release(struct zone *z); /* NULL is legal */

struct text zone_key(const struct zone *z);
size_t zone_size(const struct zone *z);
void *zone_content(const struct zone *z);
const uint64_t *zone_secret(const struct zone *z); /* two random words, the same for all processes */

/* True: the content is to be made anew before anything else: nobody did so yet, or whoever had the
 * lock died with it. */
bool zone_lock(struct zone *z);
void zone_unlock(struct zone *z);

/* Counts how often the content was made anew. Under the lock. */
uint32_t zone_generation(const struct zone *z);

/* This process as one of those that use the zone, for as long as it lives. Two processes are never
 * the same tenant; a dead one's index may be given to another, with another epoch. Under the lock,
 * in the process that goes on to use it. */
struct zone_tenant {
    uint32_t index, epoch;
};
struct zone_tenant zone_tenant(struct zone *z);
bool zone_tenant_lives(struct zone *z, struct zone_tenant t);

#endif
