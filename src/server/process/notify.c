/* notify.c - the notification protocol of systemd: a datagram to the socket named by
 * $NOTIFY_SOCKET.
 *
 * The protocol is stable and documented for reimplementation (sd_notify(3), "Notes"), so no library
 * is needed. */
#include "server/process/notify.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A manager that cannot be told is no reason not to serve: errors are ignored. */
static void send_state(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t len = path ? strlen(path) : 0;
    int fd;

    if (len < 2 || len >= sizeof to.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    memcpy(to.sun_path, path, len);
    if (path[0] == '@')
        to.sun_path[0] = '\0'; /* the abstract namespace */
    sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
           (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}

void notify_ready(void)
{
    char state[64];

    snprintf(state, sizeof state, "READY=1\nMAINPID=%d", (int)getpid());
    send_state(state);
}

void notify_main(pid_t pid)
{
    char state[32];

    snprintf(state, sizeof state, "MAINPID=%d", (int)pid);
    send_state(state);
}

void notify_reloading(void)
{
    char state[64];
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(state, sizeof state, "RELOADING=1\nMONOTONIC_USEC=%lld",
             (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
    send_state(state);
}

void notify_stopping(void)
{
    send_state("STOPPING=1");
}
