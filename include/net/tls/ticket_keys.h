/* ticket_keys.h - the keys that encrypt session tickets: a ring in memory that the master and its
 * workers share, and which a new binary takes over. memfd_create(2); RFC 5077; RFC 8446, 4.6.1.
 *
 * The master turns the ring: it makes a key every hour, and wipes those that no ticket can need any
 * more. The newest key encrypts. Nothing of it is ever on a disk. Times are seconds of
 * ticket_keys_now(), which nobody sets. */
#ifndef NET_TLS_TICKET_KEYS_H
#define NET_TLS_TICKET_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TICKET_NAME = 16,
    TICKET_SECRET = 32, /* bytes of a key at most */
    TICKET_KEY_HOUR = 3600,
};

struct ticket_key {
    unsigned char name[TICKET_NAME]; /* in clear in each ticket */
    unsigned char cipher[TICKET_SECRET], mac[TICKET_SECRET];
    uint32_t len; /* of each of the two: 16 or 32 */
};

struct ticket_keys;

/* New, without any key yet. 0 or -errno. */
int ticket_keys_create(struct ticket_keys **out);

/* Takes a descriptor over that is one of ours, with what is in it; -EINVAL: it is none, and stays
 * open. */
int ticket_keys_adopt(struct ticket_keys **out, int fd);
void ticket_keys_destroy(struct ticket_keys *k); /* NULL is legal; what others have mapped stays */

int ticket_keys_fd(const struct ticket_keys *k); /* close-on-exec */

int64_t ticket_keys_now(void); /* CLOCK_BOOTTIME, seconds */

/* Does what is due: a new key where the newest is an hour old (more where `longest`, the life of a
 * session in seconds, is past a day: the ring has room for 24 keys and some), and nothing left of
 * the keys whose last ticket has ended. Several masters may do so at once. Seconds until the next
 * time, at least 1. */
int64_t ticket_keys_turn(struct ticket_keys *k, int64_t now, int64_t longest);

/* For the processes that use them, at any time. False: there is none. */
bool ticket_keys_newest(const struct ticket_keys *k, struct ticket_key *out);

/* `newest`: whether it is the one that encrypts. False: unknown, or wiped. */
bool ticket_keys_find(const struct ticket_keys *k, const unsigned char name[TICKET_NAME], struct ticket_key *out,
                      bool *newest);

#endif
