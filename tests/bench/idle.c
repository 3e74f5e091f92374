/* idle.c - opens keep-alive connections, fetches one file on each, and holds them idle until
 * standard input ends (`make bench BENCH=idle`). Source addresses 127.0.0.2 and up, so that ports
 * do not run out. Prints how many are held.
 *
 * usage: idle PORT PATH COUNT */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PER_ADDRESS = 10000, SPARE = 64 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int dial(int port, int number)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(number / PER_ADDRESS));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0)
        die("socket");
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&from, sizeof from) < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    return fd;
}

/* One request, and the whole of its answer. */
static void fetch(int fd, const char *path)
{
    char text[65536];
    size_t have = 0, want = SIZE_MAX;
    int len = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path);
    if (send(fd, text, (size_t)len, MSG_NOSIGNAL) != len)
        die("send");
    while (have < want) {
        ssize_t n = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (n <= 0)
            die("recv");
        have += (size_t)n;
        text[have] = '\0';
        char *end = strstr(text, "\r\n\r\n"), *length = strstr(text, "\r\nContent-Length: ");
        if (end && (!length || strncmp(text, "HTTP/1.1 200 ", 13) != 0)) {
            fprintf(stderr, "idle: %s: %.40s\n", path, text);
            exit(1);
        }
        if (end)
            want = (size_t)(end + 4 - text) + strtoull(length + 18, NULL, 10);
    }
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    int count = argc == 4 ? atoi(argv[3]) : 0;
    if (count < 1) {
        fputs("usage: idle PORT PATH COUNT\n", stderr);
        return 2;
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
        limit.rlim_cur < (rlim_t)count + SPARE) {
        fprintf(stderr, "idle: the limit of open files is %ju\n", (uintmax_t)limit.rlim_cur);
        return 1;
    }
    for (int i = 0; i < count; i++)
        fetch(dial(atoi(argv[1]), i), argv[2]);
    printf("%d\n", count);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    return 0;
}
