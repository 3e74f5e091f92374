/* min_rate.c - see min_rate.h. */
#include "http/min_rate.h"

#include "base/clock.h"
#include "base/number.h"
#include "http/connection.h"
#include "net/socket.h"

enum { WINDOW_MSEC = 30000 };

const char *min_rate_set(struct conf *cf, const struct conf_row *row, void *slot)
{
    struct min_rate *m = slot;
    uint64_t bytes;

    m->msec = WINDOW_MSEC;
    if (number_parse_size(cf->args[1], &bytes) < 0 || bytes > INT32_MAX ||
        (cf->count == 3 && (number_parse_msec(cf->args[2], &m->msec) < 0 || m->msec < 1000)))
        return conf_error(
            cf, "invalid value in \"%s\" directive, it must be bytes per second, and a time of at least 1s", row->name);
    m->bytes = (int64_t)bytes;
    return NULL;
}

uint64_t min_rate_taken(const struct connection *c)
{
    uint64_t unsent = transport_unsent(&c->transport) + socket_unsent(c->transport.fd);
    return unsent < c->sink.sent ? c->sink.sent - unsent : 0;
}

void min_rate_wait(struct connection *c)
{
    struct slowness *s = &c->request->slowness;

    if (s->waited_msec == 0 && s->taken == 0)
        s->taken = min_rate_taken(c);
    s->blocked_msec = s->counted_msec = clock_now.msec;
}

bool min_rate_is_missed(struct connection *c)
{
    struct request *r = c->request;
    const struct min_rate *m = r->location->min_rate;
    struct slowness *s = &r->slowness;

    s->waited_msec += clock_now.msec - s->counted_msec;
    s->counted_msec = clock_now.msec;
    if (s->waited_msec < m->msec)
        return false;
    uint64_t now = min_rate_taken(c), bytes = now - s->taken;
    if (bytes < (uint64_t)(m->bytes * s->waited_msec / 1000)) {
        request_log(r, LEVEL_INFO, 0, "client took %llu bytes in %lld ms, which is less than send_min_rate",
                    (unsigned long long)bytes, (long long)s->waited_msec);
        socket_reset_on_close(c->transport.fd); /* or what it would not take stays in the kernel's memory */
        return true;
    }
    s->waited_msec = 0;
    s->taken = now;
    return false;
}
