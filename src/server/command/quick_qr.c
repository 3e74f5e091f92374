/* quick_qr.c - which of this machine's addresses others can reach, and its code. getifaddrs(3) */
#include "server/command/quick_qr.h"

#include "server/command/qr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_every_address(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return a->in4.sin_addr.s_addr == htonl(INADDR_ANY);
    return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

static bool is_of_this_machine_alone(const struct address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return a->any.sa_family != AF_INET6 || IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}

/* The address that the way out of this network begins with. Nothing is sent: connect() of a datagram
 * socket chooses the route alone; 192.0.2.1 is nobody's (RFC 5737). */
static bool ask_route(struct in_addr *found)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc0000201)}, own;
    socklen_t len = sizeof own;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return false;
    bool known =
        connect(fd, (struct sockaddr *)&to, sizeof to) == 0 && getsockname(fd, (struct sockaddr *)&own, &len) == 0;
    close(fd);
    *found = own.sin_addr;
    return known;
}

/* Where no way leads out: that of the first network there is. */
static bool ask_interfaces(struct in_addr *found)
{
    struct ifaddrs *all;
    bool known = false;

    if (getifaddrs(&all) < 0)
        return false;
    for (const struct ifaddrs *i = all; i && !known; i = i->ifa_next) {
        known = i->ifa_addr && i->ifa_addr->sa_family == AF_INET && (i->ifa_flags & IFF_UP) &&
                !(i->ifa_flags & IFF_LOOPBACK);
        if (known)
            *found = ((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr;
    }
    freeifaddrs(all);
    return known;
}

static bool reached_at(const struct address *listening, struct address *out)
{
    struct in_addr own;

    *out = *listening;
    if (!is_every_address(listening))
        return !is_of_this_machine_alone(listening);
    if (!ask_route(&own) && !ask_interfaces(&own))
        return false;
    *out = (struct address){.len = sizeof out->in4};
    out->in4 = (struct sockaddr_in){AF_INET, htons(address_port(listening)), own, {0}};
    return !is_of_this_machine_alone(out);
}

static void draw_or_say_why(const char *url)
{
    struct buffer code;

    buffer_init(&code);
    int rc = qr_draw(&code, url, isatty(STDERR_FILENO));
    if (rc == 0)
        fprintf(stderr, "\n%.*s%s\n\n", (int)code.len, code.data, url);
    else
        fprintf(stderr, "no QR code of %s: %s\n", url, strerror(-rc));
    buffer_fini(&code);
}

void quick_show_qr(const struct address *listening, const char *scheme)
{
    char text[ADDRESS_TEXT_SIZE], url[ADDRESS_TEXT_SIZE + sizeof "https:///"];
    struct address reached;

    if (!reached_at(listening, &reached)) {
        fputs("no QR code: no other machine reaches this address\n", stderr);
        return;
    }
    address_format(&reached, true, text);
    snprintf(url, sizeof url, "%s://%s/", scheme, text);
    draw_or_say_why(url);
}
