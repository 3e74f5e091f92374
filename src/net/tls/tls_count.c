/* tls_count.c - where handshakes and records are counted. See tls.h. */
#include "net/tls/tls_count.h"

static struct tls_counters nowhere;

struct tls_counters *tls_counters = &nowhere;

void tls_count_in(struct tls_counters *to)
{
    tls_counters = to ? to : &nowhere;
}

const char *tls_result_name(enum tls_result r)
{
    static const char *const names[TLS_RESULTS] = {"ok", "failed", "closed", "timed_out"};

    return names[r];
}

const char *tls_version_name(enum tls_version v)
{
    static const char *const names[TLS_VERSIONS] = {"TLSv1.2", "TLSv1.3", "other"};

    return names[v];
}
