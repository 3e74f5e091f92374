/* socket.h - what is set on a connection's socket. All return 0 or -errno; errors on a dying socket
 * are harmless. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/address.h"

#include <stdbool.h>
#include <stddef.h>

struct tcp_info;

int socket_nodelay(int fd, bool on);
int socket_push(int fd);                           /* what waits for more to follow (MSG_MORE) goes out */
int socket_local(int fd, struct address *a);       /* getsockname */
int socket_tcp_info(int fd, struct tcp_info *out); /* tcp(7), TCP_INFO; fields that this kernel does not know are 0 */
int socket_unsent_most(int fd, int bytes);         /* TCP_NOTSENT_LOWAT: with more that is not sent it takes nothing */
size_t socket_unsent(int fd);                      /* SIOCOUTQ bytes, 0 when unknown */
size_t socket_held(int fd);                        /* the same, and 0 where the connection is over, or is no TCP */
bool socket_is_broken(int fd);                     /* reset, or timed out; not where the peer only ended its sending */
bool socket_has_input(int fd);                     /* bytes to read, or the end */
int socket_peek(int fd, unsigned char *byte);      /* the next one, which stays there; -ECONNRESET: the input is over */
int socket_reset_on_close(int fd);                 /* SO_LINGER 0: reset_timedout_connection */

#endif
