/* hashing.h - `sluice hash DIR`: the digests that `etag content` and `repr_digest` find, written into
 * a manifest or into attributes of the files, and compared with the files again. */
#ifndef SERVER_COMMAND_HASHING_H
#define SERVER_COMMAND_HASHING_H

int hashing_run(int argc, char **argv); /* argv[0] is "hash"; the exit code */

#endif
