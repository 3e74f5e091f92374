/* unit.h - what unit tests share: check, and folders that vanish with the test. */
#ifndef UNIT_H
#define UNIT_H

#include "../pattern.h"

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The path of a fresh temporary folder, without a slash at its end. It is removed, with all in it,
 * when the test's process ends; call it from inside a test. Later calls in the same test return the
 * same folder. */
const char *unit_dir(void);

/* As unit_dir(), on a filesystem that takes O_DIRECT (not tmpfs); NULL: there is none here. */
const char *unit_disk_dir(void);

/* The thread sanitizer ends a process that is short of memory, before the code that would
 * notice. */
#if defined(__SANITIZE_THREAD__)
#define UNIT_TSAN true
#elif defined(__has_feature)
#define UNIT_TSAN __has_feature(thread_sanitizer)
#else
#define UNIT_TSAN false
#endif

/* Under valgrind, which has neither openat2 nor cachestat, reads the start of every file that is
 * mapped, and runs one thread at a time. */
bool unit_on_valgrind(void);

/* "<unit_dir()>/<name>", in one of a few static buffers that take turns. */
const char *unit_path(const char *name);

/* Writes a file below unit_dir() (name without leading slash), making folders on the way; returns
 * its path as unit_path() does. Aborts the test where it cannot. */
const char *unit_write(const char *name, const void *bytes, size_t len);

/* A file of `len` bytes of pattern_byte() at a full path. */
void unit_write_pattern(const char *path, off_t len);

/* The whole file, NUL-terminated, on the heap (free() it); *len may be NULL. Aborts the test where
 * it cannot. */
char *unit_read(const char *path, size_t *len);

#endif
