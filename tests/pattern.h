/* pattern.h - bytes that tell where in a file they belong: what unit and integration tests fill
 * their files with. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* No two places near each other look alike, and none that lie a round number apart. */
unsigned char pattern_byte(off_t offset);
bool pattern_matches(const void *bytes, size_t len, off_t offset); /* bytes of a pattern file from `offset` on */
void assert_pattern(const void *bytes, size_t len, off_t offset);
void pattern_put(FILE *f, off_t offset, off_t len);

#endif
