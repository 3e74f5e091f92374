/* log_syslog.c - log lines as RFC 3164 datagrams to a syslog server, by UDP or a unix socket.
 *
 * The socket never blocks: a datagram that cannot be sent at once is lost, and the next line
 * connects again. */
#include "base/log_private.h"
#include "base/number.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { TAG_MAX = 32, HOST_MAX = 255, LINE_MAX_BYTES = 8192 };

struct log_syslog {
    int fd; /* -1: not connected */
    struct sockaddr_storage address;
    socklen_t address_len;
    int facility, severity;
    bool no_hostname;
    char tag[TAG_MAX + 1];
    char host[HOST_MAX + 1];
};

static int index_of(const char *const *names, struct text name)
{
    for (int i = 0; names[i]; i++) {
        if (text_equal(name, text_of(names[i])))
            return i;
    }
    return -EINVAL;
}

static int facility_of(struct text name)
{
    static const char *const names[] = {"kern",   "user",   "mail",   "daemon",   "auth",   "intern", "lpr",
                                        "news",   "uucp",   "clock",  "authpriv", "ftp",    "ntp",    "audit",
                                        "alert",  "cron",   "local0", "local1",   "local2", "local3", "local4",
                                        "local5", "local6", "local7", NULL};
    return index_of(names, name);
}

static int severity_of(struct text name)
{
    static const char *const names[] = {"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug", NULL};
    return index_of(names, name);
}

static int set_unix(struct log_syslog *s, struct text path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (path.len == 0 || path.len >= sizeof un.sun_path)
        return -EINVAL;
    memcpy(un.sun_path, path.at, path.len);
    memcpy(&s->address, &un, sizeof un);
    s->address_len = sizeof un;
    return 0;
}

/* host, host:port, [v6], [v6]:port; port 514 when there is none. */
static int set_inet(struct log_syslog *s, struct text server)
{
    char host[HOST_MAX + 1], port[6] = "514";
    bool bracketed = text_starts(server, TEXT("["));
    if (bracketed)
        server = text_from(server, 1);
    size_t host_len = text_find(server, bracketed ? ']' : ':');
    if (host_len == 0 || host_len > HOST_MAX || (bracketed && host_len == server.len))
        return -EINVAL;
    memcpy(host, server.at, host_len);
    host[host_len] = '\0';

    struct text rest = text_from(server, host_len + bracketed);
    if (rest.len > 0) {
        uint64_t number;
        struct text digits = text_from(rest, 1);
        if (rest.at[0] != ':' || number_parse(digits, &number) < 0 || number == 0 || number > 65535)
            return -EINVAL;
        snprintf(port, sizeof port, "%u", (unsigned)number);
    }

    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV}, *found;
    if (getaddrinfo(host, port, &hints, &found) != 0)
        return -EADDRNOTAVAIL;
    memcpy(&s->address, found->ai_addr, found->ai_addrlen);
    s->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return 0;
}

static int set_tag(struct log_syslog *s, struct text tag)
{
    if (tag.len == 0 || tag.len > TAG_MAX)
        return -EINVAL;
    for (size_t i = 0; i < tag.len; i++) {
        char c = text_lower(tag.at[i]);
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_'))
            return -EINVAL;
    }
    memcpy(s->tag, tag.at, tag.len);
    s->tag[tag.len] = '\0';
    return 0;
}

static int set_parameter(struct log_syslog *s, struct text p)
{
    size_t equals = text_find(p, '=');
    if (equals == p.len) {
        s->no_hostname = true;
        return text_equal(p, TEXT("nohostname")) ? 0 : -EINVAL;
    }
    struct text name = {p.at, equals}, value = text_from(p, equals + 1);
    if (text_equal(name, TEXT("server"))) {
        if (s->address_len > 0)
            return -EINVAL;
        return text_starts(value, TEXT("unix:")) ? set_unix(s, text_from(value, 5)) : set_inet(s, value);
    }
    if (text_equal(name, TEXT("facility")))
        return s->facility = facility_of(value);
    if (text_equal(name, TEXT("severity")))
        return s->severity = severity_of(value);
    if (text_equal(name, TEXT("tag")))
        return set_tag(s, value);
    return -EINVAL;
}

int log_syslog_open(struct log_syslog **out, struct text parameters)
{
    struct log_syslog *s = malloc(sizeof *s);
    if (!s)
        return -ENOMEM;
    *s = (struct log_syslog){.fd = -1, .facility = 23 /* local7 */, .severity = 6 /* info */, .tag = "sluice"};
    if (gethostname(s->host, sizeof s->host - 1) < 0)
        snprintf(s->host, sizeof s->host, "-");

    int rc = -EINVAL;
    for (bool more = true; more;) {
        size_t len = text_find(parameters, ',');
        more = len < parameters.len;
        rc = set_parameter(s, (struct text){parameters.at, len});
        if (rc < 0)
            goto fail;
        parameters = text_from(parameters, len + more);
    }
    rc = -EINVAL;
    if (s->address_len == 0)
        goto fail;
    *out = s;
    return 0;
fail:
    free(s);
    return rc;
}

void log_syslog_reset(struct log_syslog *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void log_syslog_close(struct log_syslog *s)
{
    log_syslog_reset(s);
    free(s);
}

static int connect_again(struct log_syslog *s)
{
    s->fd = socket(s->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return -errno;
    if (connect(s->fd, (struct sockaddr *)&s->address, s->address_len) < 0) {
        int rc = -errno;
        log_syslog_reset(s);
        return rc;
    }
    return 0;
}

int log_syslog_send(struct log_syslog *s, int severity, const char *line, size_t len)
{
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char frame[LINE_MAX_BYTES];
    if (s->fd < 0) {
        int rc = connect_again(s);
        if (rc < 0)
            return rc;
    }
    while (len > 0 && line[len - 1] == '\n')
        len--;

    struct tm tm;
    time_t now = time(NULL);
    localtime_r(&now, &tm);
    int priority = s->facility * 8 + (severity >= 0 ? severity : s->severity);
    int head =
        snprintf(frame, sizeof frame, "<%d>%s %2d %02d:%02d:%02d %s%s%s: ", priority, months[tm.tm_mon], tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec, s->no_hostname ? "" : s->host, s->no_hostname ? "" : " ", s->tag);
    size_t head_len = (size_t)head;
    if (len > sizeof frame - head_len)
        len = sizeof frame - head_len;
    memcpy(frame + head_len, line, len);

    if (send(s->fd, frame, head_len + len, MSG_NOSIGNAL) < 0) {
        int rc = -errno;
        log_syslog_reset(s);
        return rc;
    }
    return 0;
}
