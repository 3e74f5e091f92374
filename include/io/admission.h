/* admission.h - `directio auto`: which large files the page cache should hold, as far as memory has room for them. Pure:
 * told what is asked for and how much room there is, it knows how wanted a file is and whether it has a place.
 *
 * A place is a promise of room, not a page: the kernel alone decides what stays. All places together are never larger
 * than the share of the room that large files may have, so that they do not push each other, or the small files, out.
 * Once that is full, a file gets a place by being wanted clearly more than those that would have to give up theirs. */
#ifndef IO_ADMISSION_H
#define IO_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Asked for this often lately, this time included, in thousandths of the whole file: wanted, and with a place still
 * wanted. A file that is asked for once in a while never is, nor is one that a crawl passes once. */
enum { ADMISSION_WANTED = 1500, ADMISSION_STILL = 1250 };

struct admission;

struct admission *admission_create(void); /* NULL: no memory */
void admission_destroy(struct admission *a);

/* How large the page cache may get, bytes: room_read(). 0, the initial value, gives no places. */
void admission_room(struct admission *a, uint64_t bytes);

uint64_t admission_key(dev_t dev, ino_t ino);

/* `bytes` (> 0) of the file of `size` bytes are asked for now. May give it a place, and take others' for that. */
void admission_ask(struct admission *a, uint64_t key, uint64_t size, uint64_t bytes, int64_t msec);

/* What is known, without side effects. */
uint32_t admission_demand(const struct admission *a, uint64_t key, uint64_t size); /* thousandths of the file */
bool admission_has_place(const struct admission *a, uint64_t key);

#endif
