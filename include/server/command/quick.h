/* quick.h - `sluice DIR`: serves a directory at once, with built-in settings. */
#ifndef SERVER_COMMAND_QUICK_H
#define SERVER_COMMAND_QUICK_H

#include "base/buffer.h"
#include "net/address.h"
#include "net/tls/tls_self.h"
#include "server/conf/options.h"

int quick_run(const struct options *options); /* until a signal; the exit code */

/* The built-in configuration: a pure function of the folder (no `$` in it), the address as text,
 * a file to include for media types (NULL: a built-in table), and a certificate (NULL: plain
 * HTTP). */
void quick_configuration(struct buffer *out, const char *root, const char *listen, const char *mime_types,
                         const struct tls_self *tls);

/* The built-in table, as a `types` block. */
void quick_types(struct buffer *out);

#endif
