/* tls_count.h - what is counted of TLS: handshakes by how they end, and records. */
#ifndef NET_TLS_TLS_COUNT_H
#define NET_TLS_TLS_COUNT_H

#include <stdint.h>

enum tls_result { TLS_OK, TLS_FAILED, TLS_GONE /* the client went away */, TLS_TIMED_OUT, TLS_RESULTS };
enum tls_version { TLS_V12, TLS_V13, TLS_VOTHER, TLS_VERSIONS };

/* Numbers of 64 bits, all of them: they are added up as an array. */
struct tls_counters {
    uint64_t handshakes[TLS_RESULTS];
    uint64_t versions[TLS_VERSIONS]; /* of those that came to their end */
    uint64_t resumed;                /* of the same */
    uint64_t records;                /* with bytes of responses */
};

/* Where this process counts; never NULL. */
extern struct tls_counters *tls_counters;

void tls_count_in(struct tls_counters *to); /* from now on; NULL: nowhere */

const char *tls_result_name(enum tls_result r);   /* "ok", "failed", "closed", "timed_out" */
const char *tls_version_name(enum tls_version v); /* "TLSv1.2", "TLSv1.3", "other" */

#endif
