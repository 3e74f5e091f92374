/* sockets.h - the listening sockets of a configuration: bound, inherited or taken over by the
 * master; handed to workers. https://nginx.org/en/docs/control.html#upgrade; sd_listen_fds(3).
 *
 * An address with `reuseport` has one socket per worker, any other has one that all share. Sockets
 * of an address that is also in the next configuration are taken over, so that no connection in
 * their queues is lost. */
#ifndef SERVER_CONF_SOCKETS_H
#define SERVER_CONF_SOCKETS_H

#include "http/core/core.h"

#include <limits.h>
#include <sys/types.h>

#define SOCKET_SHARED UINT_MAX

struct bound {
    struct address address;
    int fd;
    unsigned index;  /* in http->addresses */
    unsigned worker; /* whose; SOCKET_SHARED: every worker's */
    bool borrowed;   /* still of the earlier set, until sockets_settle() */
    bool taken;      /* the later set has it */
    bool handed;     /* made by a service manager: a unix: file is not ours to remove */
    pid_t earlier;   /* the master that it was inherited from, or 0: while that is our parent, it may go on with it */
    dev_t dev;       /* of a unix: file that is still ours to remove; ino 0: there is none */
    ino_t ino;
};

struct sockets {
    struct bound *at;
    unsigned count, cap;
    pid_t earlier; /* the master that upgrades itself, by SLUICE_FDS; 0: there is none */
};

/* What the environment hands down: LISTEN_FDS of systemd, SLUICE_FDS of a master that upgrades
 * itself (SLUICE_MASTER). The variables are removed. 0 or -ENOMEM. */
int sockets_inherit(struct sockets *s);

/* Adds a socket that listens already, to be matched by sockets_bind() as if it were inherited. 0 or
 * -ENOMEM. */
int sockets_give(struct sockets *s, int fd, const struct address *address);

/* Fills `s` (zeroed): sockets of `earlier` (may be NULL) that match, new ones for the rest. Retries
 * for 2 s where an address is in use. Logs what fails. `testing`: an address in use is fine. 0, or
 * -errno with `s` closed. */
int sockets_bind(struct sockets *s, const struct http_main *http, unsigned workers, struct sockets *earlier,
                 bool testing);

/* The configuration of `s` is in force: what was borrowed belongs to it. */
void sockets_settle(struct sockets *s, const struct http_main *http, struct sockets *earlier);

/* Closes what is not borrowed or taken, and frees. `remove`: unix: files too (the master), unless a
 * service manager made them, an earlier master may go on with them, or something else has their
 * name by now. */
void sockets_close(struct sockets *s, bool remove);

/* Text for SLUICE_FDS on the heap: "6;7s;", with an s at those that a service manager made. Makes
 * the descriptors survive exec. NULL: no memory. */
char *sockets_pass_on(const struct sockets *s);

#endif
