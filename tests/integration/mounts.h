/* mounts.h - real filesystems for one test, in a mount namespace of its own: they are gone when the
 * test and its server are, however they ended, and the loop devices with them. */
#ifndef MOUNTS_H
#define MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

/* Once per test, first. False, with a line on stdout: mounting is not permitted here. */
bool mounts_enter(void);

/* Each mounts on the folder site_path(name), which it makes, and returns that path; NULL, with a
 * line on stdout, where this machine cannot. */
const char *mount_plain(const char *type, const char *name, const char *options); /* tmpfs, overlay ... */
/* `image` on a loop device whose logical sectors have `sector` bytes. */
const char *mount_image(const char *type, const char *name, const char *image, unsigned sector, bool read_only,
                        const char *options);
void mount_end(const char *name); /* before the end of the test */

/* A FUSE filesystem of one file, "f", of `size` bytes of the pattern; served by a process of its
 * own. */
enum fuse_manner { FUSE_TAKES_DIRECT, FUSE_REFUSES_OPEN, FUSE_REFUSES_READ, FUSE_READS_SHORT /* with O_DIRECT */ };
const char *mount_fuse(const char *name, enum fuse_manner manner, off_t size);
void fuse_answers(bool yes); /* the last one; false: whoever asks it for anything waits until it does again */
pid_t fuse_serve(const char *at, enum fuse_manner manner, off_t size); /* fuse.c's; -errno */

/* Runs a program with these arguments (NULL at the end), its output thrown away. False, with a line
 * on stdout: it is not installed. Ends the test when it fails. */
bool run_tool(const char *name, ...) __attribute__((sentinel));

#endif
