/* dict_private.h - compressors with a dictionary, for dict.c. Each has a file that stands in for it
 * where its library is left out. */
#ifndef SERVER_COMMAND_DICT_PRIVATE_H
#define SERVER_COMMAND_DICT_PRIVATE_H

#include "base/text.h"

#include <sys/types.h>

/* Why the coding cannot be made here; NULL: it can. */
extern const char *const dict_zstd_lacks, *const dict_brotli_lacks;

/* `content` with the raw bytes of `dictionary`, at the library's best, into *out, which the caller
 * frees: what stands behind the head of a dcz or dcb. Decoders need no more window than the RFC lets
 * them have. The length, or -ENOMEM, -EINVAL (the library refuses), -ENOSYS. */
ssize_t dict_zstd(struct text dictionary, struct text content, char **out);
ssize_t dict_brotli(struct text dictionary, struct text content, char **out);

#endif
