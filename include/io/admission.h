/* admission.h - `directio auto`: which large files the page cache should hold, as far as memory has
 * room for them. Told what is asked for and how much room there is, it knows how wanted a file is
 * and whether it has a place. https://nginx.org/en/docs/http/ngx_http_core_module.html#directio
 *
 * A place is a promise of room, not a page: the kernel alone decides what stays. All places
 * together are never larger than the share of the room that large files may have, so that they do
 * not push each other, or the small files, out. Once that is full, a file gets a place by being
 * wanted clearly more than those that would have to give up theirs.
 *
 * One admission serves all workers of a server, in memory that they share: whichever of them is
 * asked, the answer is the same. There is no lock. A worker that is killed at any point holds up
 * nobody; room that it had set aside for a place that it did not live to give is found by
 * admission_recount(). */
#ifndef IO_ADMISSION_H
#define IO_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Asked for this often lately, this time included, in thousandths of the whole file: wanted, and
 * with a place still wanted. A file that is asked for once in a while never is, nor is one that a
 * crawl passes once. */
enum { ADMISSION_WANTED = 1500, ADMISSION_STILL = 1250 };

/* Of the memory as /proc/PID/fd shows it, in the process that made it. */
#define ADMISSION_MEMORY "sluice-admission"

struct admission;

/* Shared with all processes that are forked from now on. 0 or -errno. About 1.5 MiB, touched as it
 * is used. */
int admission_create(struct admission **out);
void admission_destroy(struct admission *a); /* NULL is legal; in this process only */

/* A copy of the one whose memory `fd` is, as it is now: what is asked of it from now on, the others
 * do not see. -EINVAL: it is none, or of another version of sluice. */
int admission_copy(struct admission **out, int fd);

/* How large the page cache may get, bytes: room_read(). 0, the initial value, gives no places. */
void admission_room(struct admission *a, uint64_t bytes);

/* True: it is time to find that out again, and nobody else will. Never for a copy, which keeps the
 * room of the other. */
enum { ADMISSION_ROOM_MSEC = 1000 };
bool admission_claim_room(struct admission *a, int64_t msec);

/* What is promised is added up once more: twice the same difference from what was reckoned with is
 * put right. For a thread, as often as the room is found out: some 50 microseconds. */
void admission_recount(struct admission *a);

uint64_t admission_key(dev_t dev, ino_t ino);

/* `bytes` (> 0) of the file of `size` bytes are asked for now. May give it a place, and take
 * others' for that. */
void admission_ask(struct admission *a, uint64_t key, uint64_t size, uint64_t bytes, int64_t msec);

/* What is known, without side effects. */
uint32_t admission_demand(const struct admission *a, uint64_t key, uint64_t size); /* thousandths of the file */
bool admission_has_place(const struct admission *a, uint64_t key);

#endif
