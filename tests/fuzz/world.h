/* world.h - a whole HTTP service in this process: configuration, files in a temporary folder,
 * connections over socket pairs. Made at the first use. */
#ifndef WORLD_H
#define WORLD_H

#include "base/buffer.h"
#include "base/text.h"

#include <stdint.h>

enum { WORLD_HTTP1 = 3, WORLD_HTTP2 = WORLD_HTTP1 }; /* so many addresses of HTTP/1, and then one of HTTP/2 */

/* What a client sends: `bytes` in one write, or, with a seed, cut into up to 64 pieces, each of
 * which the service has seen before the next is sent; then it shuts its side down. */
struct client_script {
    struct text bytes;
    unsigned address; /* which of the addresses it comes to */
    bool cut;
    uint32_t seed;
};

/* Everything that came back until the service closed. */
void world_exchange(const struct client_script *script, struct buffer *answer);

/* The content of the file of that full name, absent: there is none. */
struct text world_file(struct text path);

/* Stands only in a file outside of every root, which no response may contain. */
struct text world_secret(void);

#endif
